//! `weir spend`: who has spent how much, from the gateway's report. Money stays decimal text until it is added up.

use super::client::{Client, Connection};
use super::table::{Format, Table};
use crate::cli::put;
use anyhow::Context;
use clap::{Args, ValueEnum};
use http::Method;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use weir_core::config::Env;
use weir_core::domain::money::NanoUsd;

#[derive(Args)]
pub(in crate::cli) struct Spend {
    #[command(flatten)]
    to: Connection,
    #[command(flatten)]
    format: Format,
    /// What to break the spend down by.
    #[arg(long, value_enum, default_value_t = By::Team)]
    by: By,
    /// The first day, such as 2026-11-01 (UTC); by default the first of this month.
    #[arg(long)]
    from: Option<String>,
    /// The last day; by default today.
    #[arg(long = "to", value_name = "TO")]
    to_day: Option<String>,
    /// Only what this team has spent.
    #[arg(long)]
    team: Option<String>,
    /// Only this many, the most expensive first.
    #[arg(long, default_value_t = 1_000)]
    limit: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum By {
    Team,
    Key,
    Model,
    User,
    Provider,
    Tag,
    Customer,
    Organization,
}

/// What was spent under one name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sum {
    spend: NanoUsd,
    tokens: i64,
}

/// An object whose values are as they were written.
type Raw = HashMap<String, Box<RawValue>>;

pub(in crate::cli) fn run(args: &Spend) -> anyhow::Result<()> {
    let client = Client::open(&args.to, &Env::process())?;
    let (from, to) = (args.from.clone().unwrap_or_else(first), args.to_day.clone().unwrap_or_else(today));
    let mut query = vec![("group_by", args.by.parameter()), ("start_date", from), ("end_date", to)];
    query.extend(args.team.clone().map(|team| ("team_id", team)));
    let ask = client.ask(Method::GET, "/global/spend/report", &query, None);
    let answer = super::super::runtime()?.block_on(ask)?;
    let mut sums: Vec<(String, Sum)> = added(&answer, args.by)?.into_iter().collect();
    sums.sort_by_key(|(_, sum)| Reverse(sum.spend.0));
    sums.truncate(args.limit);
    print(args, &sums)
}

impl By {
    /// As the report calls it.
    fn parameter(self) -> String {
        match self {
            By::Key => String::from("api_key"),
            other => other.name(),
        }
    }

    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

fn today() -> String {
    let day = weir_core::time::now().rfc3339();
    day.chars().take(10).collect()
}

fn first() -> String {
    format!("{}-01", today().chars().take(7).collect::<String>())
}

/// Days are added up. A report is a list of days; each has one list of groups, each of these its name, its sum, and what
/// it is made of.
fn added(report: &str, by: By) -> anyhow::Result<BTreeMap<String, Sum>> {
    let days: Vec<Raw> = serde_json::from_str(report).context("the report is none that is known here")?;
    let mut sums: BTreeMap<String, Sum> = BTreeMap::new();
    for day in &days {
        let groups = day.iter().find(|(name, _)| *name != "group_by_day").context("a day without groups")?.1;
        for group in serde_json::from_str::<Vec<Raw>>(groups.get())? {
            let (name, sum) = one(&group, by)?;
            let so_far = sums.entry(name).or_default();
            so_far.spend = NanoUsd(so_far.spend.0.saturating_add(sum.spend.0));
            so_far.tokens = so_far.tokens.saturating_add(sum.tokens);
        }
    }
    Ok(sums)
}

fn one(group: &Raw, by: By) -> anyhow::Result<(String, Sum)> {
    let spend = group.get("total_spend").context("a group without its sum")?;
    let parts: Vec<Value> =
        group.get("metadata").map(|p| serde_json::from_str(p.get())).transpose()?.unwrap_or_default();
    let own = group.iter().find(|(name, _)| *name != "total_spend" && *name != "metadata");
    let own: String = own.map(|(_, name)| serde_json::from_str(name.get())).transpose()?.unwrap_or_default();
    // Keys are told by their hash, and by their alias in what they are made of.
    let alias = parts.first().and_then(|part| part["api_key"].as_str()).filter(|_| by == By::Key);
    let tokens = parts.iter().filter_map(|part| part["total_tokens"].as_i64()).fold(0, i64::saturating_add);
    Ok((alias.map_or(own, str::to_owned), Sum { spend: NanoUsd::parse(spend.get())?, tokens }))
}

fn print(args: &Spend, sums: &[(String, Sum)]) -> anyhow::Result<()> {
    let name = args.by.name();
    if args.format.json {
        let one = |(id, sum): &(String, Sum)| json!({(name.as_str()): id, "spend": sum.spend.to_string(), "tokens": sum.tokens});
        return put(&format!("{:#}\n", sums.iter().map(one).collect::<Value>()));
    }
    let row = |(id, sum): &(String, Sum)| vec![id.clone(), sum.spend.to_string(), sum.tokens.to_string()];
    let table = Table { head: vec!["name", "spend", "tokens"], rows: sums.iter().map(row).collect() };
    put(&if args.format.csv { table.csv() } else { table.text() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = r#"[
        {"group_by_day": "2026-11-01T00:00:00+00:00", "teams": [
            {"team_name": "red", "total_spend": 0.000000001, "metadata": [
                {"model": "m", "spend": 0.000000001, "total_tokens": 3, "api_key": "ci"}]},
            {"team_name": "blue", "total_spend": 2.5, "metadata": []}]},
        {"group_by_day": "2026-11-02T00:00:00+00:00", "teams": [
            {"team_name": "red", "total_spend": 0.1, "metadata": [
                {"model": "m", "spend": 0.1, "total_tokens": 4, "api_key": "ci"}]}]}]"#;

    #[test]
    fn days_are_added_up_to_the_nano_dollar() {
        let sums = added(REPORT, By::Team).unwrap();
        assert_eq!(sums["red"], Sum { spend: NanoUsd(100_000_001), tokens: 7 });
        assert_eq!(sums["blue"].spend, NanoUsd(2_500_000_000));
        assert!(added("[]", By::Team).unwrap().is_empty());
    }

    #[test]
    fn a_key_is_told_by_its_alias() {
        let report = REPORT.replace("team_name", "api_key").replace("\"red\"", "\"88dc28d0\"");
        assert!(added(&report, By::Key).unwrap().contains_key("ci"));
    }
}
