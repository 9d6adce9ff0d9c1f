//! FOCUS 1.2, the FinOps Foundation's format of bills: `/global/spend/report?format=focus`. One line for every day, team,
//! key, model and provider; times in UTC, amounts in US dollars. Source: FOCUS 1.2, column library.

use super::day_text;
use super::global::{known_keys, team_names};
use super::report::cell;
use super::scope::{Days, sums};
use crate::context::Context;
use crate::error::Refusal;
use serde_json::json;
use std::collections::HashMap;
use weir_core::domain::key::KeyRecord;
use weir_core::ports::{Dimension, Rollup, RollupQuery, RollupRow};

/// Places in a row's names.
static BY: &[Dimension] = &[
    Dimension::Day,
    Dimension::Team,
    Dimension::Key,
    Dimension::ModelGroup,
    Dimension::Model,
    Dimension::Provider,
];

/// A line of a bill.
struct Line<'r> {
    row: &'r RollupRow,
    key: Option<&'r KeyRecord>,
    team: Option<&'r str>,
}

impl Line<'_> {
    fn day(&self) -> String {
        format!("{}T00:00:00Z", day_text(self.row.name(0)))
    }

    fn next_day(&self) -> String {
        let next = self.row.name(0).parse::<i64>().map_or(0, |day| day + 1);
        format!("{}T00:00:00Z", day_text(&next.to_string()))
    }

    /// The first of this month, or of the next.
    fn month(&self, ahead: bool) -> String {
        let day = day_text(self.row.name(0));
        let (year, month) = (day.get(..4).unwrap_or("1970"), day.get(5..7).unwrap_or("01"));
        let (year, month) = (year.parse::<u32>().unwrap_or(1970), month.parse::<u32>().unwrap_or(1));
        let (year, month) = match (ahead, month) {
            (false, _) => (year, month),
            (true, 12) => (year + 1, 1),
            (true, _) => (year, month + 1),
        };
        format!("{year:04}-{month:02}-01T00:00:00Z")
    }

    fn cost(&self) -> String {
        self.row.sums.cost.to_string()
    }

    fn tokens(&self) -> String {
        self.row.sums.input.saturating_add(self.row.sums.output).to_string()
    }

    fn tags(&self) -> String {
        let user = self.key.and_then(|key| key.user_id.as_deref());
        let organization = self.key.and_then(|key| key.organization_id.as_deref());
        json!({ "user": user, "organization": organization, "requests": self.row.sums.requests.to_string() })
            .to_string()
    }
}

/// The columns, in the order of the file.
type Column = (&'static str, fn(&Line<'_>) -> String);

#[rustfmt::skip]
static COLUMNS: &[Column] = &[
    ("BilledCost", |line| line.cost()),
    ("BillingAccountId", |_| "weir".to_owned()),
    ("BillingAccountName", |_| "Weir".to_owned()),
    ("BillingAccountType", |_| "Gateway".to_owned()),
    ("BillingCurrency", |_| "USD".to_owned()),
    ("BillingPeriodStart", |line| line.month(false)),
    ("BillingPeriodEnd", |line| line.month(true)),
    ("ChargeCategory", |_| "Usage".to_owned()),
    ("ChargeClass", |_| String::new()),
    ("ChargeDescription", |line| format!("Tokens of {}", line.row.name(3))),
    ("ChargeFrequency", |_| "Usage-Based".to_owned()),
    ("ChargePeriodStart", |line| line.day()),
    ("ChargePeriodEnd", |line| line.next_day()),
    ("ConsumedQuantity", |line| line.tokens()),
    ("ConsumedUnit", |_| "Tokens".to_owned()),
    ("ContractedCost", |line| line.cost()),
    ("EffectiveCost", |line| line.cost()),
    ("InvoiceIssuerName", |line| line.row.name(5).to_owned()),
    ("ListCost", |line| line.cost()),
    ("PricingCategory", |_| "Standard".to_owned()),
    ("PricingQuantity", |line| line.tokens()),
    ("PricingUnit", |_| "Tokens".to_owned()),
    ("ProviderName", |line| line.row.name(5).to_owned()),
    ("PublisherName", |line| line.row.name(5).to_owned()),
    ("ResourceId", |line| line.row.name(2).to_owned()),
    ("ResourceName", |line| line.key.and_then(|key| key.alias.clone()).unwrap_or_default()),
    ("ResourceType", |_| "Virtual key".to_owned()),
    ("ServiceCategory", |_| "AI and Machine Learning".to_owned()),
    ("ServiceName", |line| line.row.name(3).to_owned()),
    ("ServiceSubcategory", |_| "Generative AI".to_owned()),
    ("SkuId", |line| line.row.name(4).to_owned()),
    ("SubAccountId", |line| line.row.name(1).to_owned()),
    ("SubAccountName", |line| line.team.unwrap_or_default().to_owned()),
    ("SubAccountType", |_| "Team".to_owned()),
    ("Tags", |line| line.tags()),
];

/// The bill of these days as CSV. `only`: what it is narrowed by.
pub(super) async fn csv(
    context: &Context,
    days: &Days,
    only: Vec<(Dimension, Vec<String>)>,
) -> Result<String, Refusal> {
    let query = RollupQuery {
        of: Rollup::Keys,
        by: BY.to_vec(),
        only,
        from: days.from,
        until: days.until,
        ..RollupQuery::default()
    };
    let rows = sums(context, query).await?;
    let teams: HashMap<String, String> = team_names(context, &rows, 1).await?;
    let keys = known_keys(context, rows.iter().map(|row| row.name(2).to_owned()).collect()).await?;
    let mut csv = COLUMNS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(",");
    csv.push('\n');
    for row in &rows {
        let line = Line { row, key: keys.get(row.name(2)), team: teams.get(row.name(1)).map(String::as_str) };
        let cells: Vec<String> = COLUMNS.iter().map(|(_, tell)| cell(&tell(&line))).collect();
        csv.push_str(&cells.join(","));
        csv.push('\n');
    }
    Ok(csv)
}
