//! `/global/spend/report`: what finance bills from, as JSON, as CSV, or as FOCUS.

use super::global::{known_keys, team_names};
use super::scope::{Days, sums};
use super::{day_text, focus};
use crate::answer::{Object, raw};
use crate::context::Context;
use crate::error::{Refusal, detail};
use crate::input::Params;
use axum::Json;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::collections::{BTreeMap, HashMap};
use weir_core::domain::ids::KeyHash;
use weir_core::domain::key::KeyRecord;
use weir_core::ports::{Dimension, Rollup, RollupQuery, RollupRow, Sums};

/// What a report may be grouped by: the parameter, the list's name, a row's name, the dimension.
struct Group {
    by: &'static str,
    list: &'static str,
    row: &'static str,
    of: Rollup,
    dimension: Dimension,
}

static GROUPS: &[Group] = &[
    Group { by: "team", list: "teams", row: "team_name", of: Rollup::Keys, dimension: Dimension::Team },
    Group {
        by: "customer",
        list: "customers",
        row: "customer",
        of: Rollup::Customers,
        dimension: Dimension::Customer,
    },
    Group { by: "api_key", list: "api_keys", row: "api_key", of: Rollup::Keys, dimension: Dimension::Key },
    Group { by: "user", list: "users", row: "user_id", of: Rollup::Keys, dimension: Dimension::User },
    Group {
        by: "organization",
        list: "organizations",
        row: "organization_id",
        of: Rollup::Keys,
        dimension: Dimension::Organization,
    },
    Group { by: "tag", list: "tags", row: "tag", of: Rollup::Tags, dimension: Dimension::Tag },
    Group { by: "model", list: "models", row: "model", of: Rollup::Keys, dimension: Dimension::ModelGroup },
    Group {
        by: "provider",
        list: "providers",
        row: "provider",
        of: Rollup::Keys,
        dimension: Dimension::Provider,
    },
];

const CSV: &str = "text/csv; charset=utf-8";

/// Parameters that narrow a report.
static ONLY: &[(&str, Dimension)] = &[
    ("team_id", Dimension::Team),
    ("customer_id", Dimension::Customer),
    ("internal_user_id", Dimension::User),
    ("api_key", Dimension::Key),
    ("organization_id", Dimension::Organization),
    ("model", Dimension::ModelGroup),
    ("provider", Dimension::Provider),
    ("tag", Dimension::Tag),
];

pub(super) async fn report(context: Context, params: Params) -> Result<Response, Refusal> {
    let Some(days) = Days::asked(&params)? else {
        return Err(detail(400, &json!({ "error": "Please provide start_date and end_date" })));
    };
    let by = params.get("group_by").unwrap_or("team");
    let Some(group) = GROUPS.iter().find(|group| group.by == by) else {
        let known: Vec<&str> = GROUPS.iter().map(|group| group.by).collect();
        let message = format!("group_by {by:?} is unknown; there are {}", known.join(", "));
        return Err(detail(400, &json!({ "error": message })));
    };
    if params.get("format") == Some("focus") {
        let only = narrowed(&params, Rollup::Keys, "in FOCUS")?;
        let csv = focus::csv(&context, &days, only).await?;
        return Ok(([(header::CONTENT_TYPE, CSV)], csv).into_response());
    }
    let query = RollupQuery {
        of: group.of,
        by: vec![Dimension::Day, group.dimension, Dimension::ModelGroup, Dimension::Key],
        only: narrowed(&params, group.of, &format!("by {by}"))?,
        from: days.from,
        until: days.until,
        ..RollupQuery::default()
    };
    let rows = sums(&context, query).await?;
    let report = Report {
        group,
        teams: if by == "team" { team_names(&context, &rows, 1).await? } else { HashMap::new() },
        keys: known_keys(&context, rows.iter().map(|row| row.name(3).to_owned()).collect()).await?,
    };
    if params.get("format") == Some("csv") {
        return Ok(([(header::CONTENT_TYPE, CSV)], report.csv(&rows)).into_response());
    }
    Ok(Json(report.days(&rows)).into_response())
}

/// Values that each of these dimensions must have. `what`: which report it is, for people.
///
/// # Errors
/// 400 for what these sums are not told apart by: to leave it out would bill more than was asked for.
fn narrowed(params: &Params, of: Rollup, what: &str) -> Result<Vec<(Dimension, Vec<String>)>, Refusal> {
    let mut only = Vec::new();
    for (name, dimension) in ONLY {
        let Some(text) = params.get(name) else { continue };
        if !of.has(*dimension) {
            let message = format!("A report {what} cannot be narrowed by {name}.");
            return Err(detail(400, &json!({ "error": message })));
        }
        let value = match dimension {
            Dimension::Key => KeyHash::from_key_or_hash(text).hex(),
            _ => text.to_owned(),
        };
        only.push((*dimension, vec![value]));
    }
    Ok(only)
}

struct Report {
    group: &'static Group,
    teams: HashMap<String, String>,
    keys: HashMap<String, KeyRecord>,
}

impl Report {
    fn called(&self, row: &RollupRow) -> String {
        let id = row.name(1);
        match id {
            "" => "Unassigned".to_owned(),
            id => self.teams.get(id).map_or(id, String::as_str).to_owned(),
        }
    }

    /// Days, each with its groups, each with its models and keys.
    fn days(&self, rows: &[RollupRow]) -> Vec<Object> {
        let mut days: BTreeMap<&str, BTreeMap<String, Vec<&RollupRow>>> = BTreeMap::new();
        for row in rows {
            days.entry(row.name(0)).or_default().entry(self.called(row)).or_default().push(row);
        }
        days.into_iter()
            .map(|(day, groups)| {
                let groups: Vec<Object> = groups.iter().map(|(group, rows)| self.one(group, rows)).collect();
                let at = format!("{}T00:00:00+00:00", day_text(day));
                Object(vec![("group_by_day", raw(&at)), (self.group.list, raw(&groups))])
            })
            .collect()
    }

    fn one(&self, group: &str, rows: &[&RollupRow]) -> Object {
        let mut all = Sums::default();
        rows.iter().for_each(|row| all.add(&row.sums));
        let metadata: Vec<Object> = rows.iter().map(|row| self.detail(row)).collect();
        Object(vec![
            (self.group.row, raw(group)),
            ("total_spend", all.cost.json()),
            ("metadata", raw(&metadata)),
        ])
    }

    fn detail(&self, row: &RollupRow) -> Object {
        let key = self.keys.get(row.name(3));
        let shown = key.and_then(|key| key.alias.clone()).unwrap_or_else(|| row.name(3).to_owned());
        Object(vec![
            ("model", raw(row.name(2))),
            ("spend", row.sums.cost.json()),
            ("total_tokens", raw(&row.sums.input.saturating_add(row.sums.output))),
            ("api_key", raw(&shown)),
        ])
    }

    /// One line for every day, group, model and key. A cell that a spreadsheet would take for a formula is told apart.
    fn csv(&self, rows: &[RollupRow]) -> String {
        let mut csv = format!(
            "date,{},model,api_key,requests,failures,prompt_tokens,completion_tokens,spend\n",
            self.group.row
        );
        for row in rows {
            let key = self.keys.get(row.name(3)).and_then(|key| key.alias.clone());
            let texts = [
                day_text(row.name(0)),
                self.called(row),
                row.name(2).to_owned(),
                key.unwrap_or_else(|| row.name(3).to_owned()),
            ];
            let numbers = [row.sums.requests, row.sums.failures, row.sums.input, row.sums.output];
            let cells = texts.iter().map(|text| cell(text)).chain(numbers.iter().map(i64::to_string));
            let line: Vec<String> = cells.chain([row.sums.cost.to_string()]).collect();
            csv.push_str(&line.join(","));
            csv.push('\n');
        }
        csv
    }
}

/// RFC 4180, and an apostrophe before what begins like a formula.
pub(super) fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_text_and_no_formula() {
        for (text, expected) in [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("=1+1", "'=1+1"),
            ("@cmd,x", "\"'@cmd,x\""),
        ] {
            assert_eq!(cell(text), expected);
        }
    }
}
