//! What finance takes out of the gateway.

use crate::rig::{MASTER, Rig, chat};
use serde_json::json;

/// FinOps tools sum these columns; the sum is the ledger's.
#[tokio::test]
async fn p10_a_focus_bill_is_the_ledger_in_the_columns_of_the_format() {
    let rig = Rig::start().await;
    let team = rig.post("/team/new", MASTER, json!({ "team_alias": "red, green" })).await.json();
    let key = rig.key(json!({ "team_id": team["team_id"], "key_alias": "=alias" })).await;
    for model in ["gpt-4o", "priced", "gpt-4o"] {
        assert_eq!(rig.post("/v1/chat/completions", &key, chat(model, "hi")).await.status, 200);
    }
    let rows = rig.rows(3).await;
    let spent: f64 = rows.iter().map(|row| row["spend"].as_f64().unwrap()).sum();
    let path = "/global/spend/report?start_date=2020-01-01&end_date=2100-01-01&format=focus";
    let answer = rig.get(path, MASTER).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "text/csv; charset=utf-8"));
    let text = answer.text();
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    for name in [
        "BilledCost",
        "EffectiveCost",
        "BillingPeriodStart",
        "ChargePeriodEnd",
        "ServiceName",
        "SubAccountId",
        "Tags",
    ] {
        assert!(names.contains(&name), "{name}");
    }
    let lines: Vec<&str> = lines.collect();
    let billed: f64 = lines.iter().map(|line| line.split(',').next().unwrap().parse::<f64>().unwrap()).sum();
    assert!(lines.len() == 2 && (billed - spent).abs() < 1e-12, "{text}");
    assert!(text.contains("\"red, green\"") && text.contains(",'=alias,"), "no cell is torn or run: {text}");
}
