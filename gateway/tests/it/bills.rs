//! What finance takes out of the gateway.

use crate::rig::{CONFIG, MASTER, Rig, chat};
use serde_json::json;
use std::process::Command;

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

/// A configuration in which `unpriced` has a price.
fn priced(config: &str) -> String {
    config.replace(
        "openai/no-price-anywhere, api_base",
        "openai/no-price-anywhere, input_cost_per_token: 0.001, output_cost_per_token: 0.002, api_base",
    )
}

/// What the command tells of the entries of that model.
fn reprice(rig: &Rig, more: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
    command.args(["reprice", "--from", "2020-01-01", "--model", "unpriced"]).args(more);
    command
        .env("CONFIG_FILE_PATH", rig.dir.path().join("config.yaml"))
        .env("WEIR_DATA_DIR", rig.data())
        .env("LITELLM_MASTER_KEY", MASTER);
    let done = command.output().unwrap();
    let told = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "{told}");
    told
}

/// Entries of a model whose price was learned later, or was wrong.
#[tokio::test]
async fn p51_booked_entries_are_priced_anew_with_all_their_sums() {
    let mut rig = Rig::start().await;
    let key = rig.key(json!({})).await;
    for model in ["unpriced", "unpriced", "gpt-4o"] {
        assert_eq!(rig.post("/v1/chat/completions", &key, chat(model, "hi")).await.status, 200);
    }
    let before = rig.rows(3).await;
    let spent =
        |rows: &[serde_json::Value]| rows.iter().map(|row| row["spend"].as_f64().unwrap()).sum::<f64>();
    rig.write_config(&priced(CONFIG));
    // Twice 11 × 0.001 + 7 × 0.002
    let told = reprice(&rig, &["--dry-run"]);
    assert!(told.contains("unpriced: 2 entries, 0 -> 0.05 USD"), "{told}");
    assert_eq!(spent(&rig.rows(3).await), spent(&before), "a dry run changes nothing");
    assert!(reprice(&rig, &[]).contains("2 changed"));
    assert!(reprice(&rig, &[]).contains("0 changed"), "again changes nothing");

    rig.restart().await;
    let after = rig.rows(3).await;
    assert!((spent(&after) - spent(&before) - 0.05).abs() < 1e-12, "{after:?}");
    let total = rig.get("/global/spend", MASTER).await.json()["spend"].as_f64().unwrap();
    assert!((total - spent(&after)).abs() < 1e-12, "the sum by day is the sum of the entries");
    let info = rig.get(&format!("/key/info?key={key}"), MASTER).await.json();
    assert!((info["info"]["spend"].as_f64().unwrap() - spent(&after)).abs() < 1e-12, "{info}");
}

/// An entry remembers at which tier it was served.
#[tokio::test]
async fn p51_an_entry_is_priced_anew_at_its_own_tier() {
    let rig = Rig::start().await;
    for tier in ["priority", "default"] {
        let mut body = chat("unpriced", "hi");
        body["service_tier"] = tier.into();
        assert_eq!(rig.post("/v1/chat/completions", MASTER, body).await.status, 200);
    }
    rig.rows(2).await;
    let dear = "output_cost_per_token: 0.002, input_cost_per_token_priority: 0.01, \
                output_cost_per_token_priority: 0.02,";
    rig.write_config(&priced(CONFIG).replace("output_cost_per_token: 0.002,", dear));
    // 11 × 0.01 + 7 × 0.02, and a tenth of that.
    let told = reprice(&rig, &[]);
    assert!(told.contains("unpriced: 2 entries, 0 -> 0.275 USD"), "{told}");
}

#[tokio::test]
async fn p51_another_price_counts_against_no_budget_where_none_is_held_to() {
    const UNHELD: &str = "general_settings: {disable_spend_updates: true, ";
    let rig = Rig::config(CONFIG).replace("general_settings: {", UNHELD).start().await;
    let key = rig.key(json!({})).await;
    assert_eq!(rig.post("/v1/chat/completions", &key, chat("unpriced", "hi")).await.status, 200);
    rig.rows(1).await;
    rig.write_config(&priced(CONFIG).replace("general_settings: {", UNHELD));
    assert!(reprice(&rig, &[]).contains("unpriced: 1 entries, 0 -> 0.025 USD"));
    let rows = rig.rows(1).await;
    assert!((rows[0]["spend"].as_f64().unwrap() - 0.025).abs() < 1e-12, "{rows:?}");
    let info = rig.get(&format!("/key/info?key={key}"), MASTER).await.json();
    assert_eq!(info["info"]["spend"].as_f64(), Some(0.0), "{info}");
}

/// The script that finance runs at the end of a month.
#[tokio::test]
async fn a_month_is_charged_to_teams_with_curl_and_jq() {
    if !["curl", "jq"].iter().all(|tool| Command::new(tool).arg("--version").output().is_ok()) {
        assert!(!std::env::var("CI").is_ok_and(|ci| ci == "true"), "CI needs curl and jq");
        println!("skipped: no curl or no jq");
        return;
    }
    let rig = Rig::start().await;
    for (alias, requests) in [("red", 3), ("blue", 1)] {
        let team = rig.post("/team/new", MASTER, json!({ "team_alias": alias })).await.json();
        let key = rig.key(json!({ "team_id": team["team_id"] })).await;
        for _ in 0..requests {
            assert_eq!(rig.post("/v1/chat/completions", &key, chat("priced", "hi")).await.status, 200);
        }
    }
    rig.rows(4).await;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/chargeback.sh");
    let done =
        Command::new("bash").arg(script).env("WEIR_URL", &rig.url).env("WEIR_KEY", MASTER).output().unwrap();
    let told = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let lines: Vec<Vec<&str>> = told.lines().map(|line| line.split('\t').collect()).collect();
    let names: Vec<&str> = lines.iter().map(|line| line[0]).collect();
    assert_eq!(names, ["red", "blue"], "{told}");
    let spend: Vec<f64> = lines.iter().map(|line| line[2].parse().unwrap()).collect();
    // 11 × $1 + 7 × $2 for a million, three times and once.
    assert!((spend[0] - 0.000_075).abs() < 1e-12 && (spend[1] - 0.000_025).abs() < 1e-12, "{told}");
}
