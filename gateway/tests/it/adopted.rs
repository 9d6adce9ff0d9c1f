//! A database of LiteLLM's, taken over by the first start: its keys work, its budgets go on, its tables stay as they were.

use crate::rig::{CONFIG, MASTER, Rig, chat, database};
use serde_json::json;
use std::process::Command;

/// What psql answers, a line per row.
pub fn psql(url: &str, arguments: &[&str]) -> String {
    let done =
        Command::new("psql").args([url, "-qAtX", "-v", "ON_ERROR_STOP=1"]).args(arguments).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).into_owned()
}

fn tables(url: &str) -> String {
    let sum = "SELECT md5(string_agg(md5(CAST(t AS TEXT)), '' ORDER BY CAST(t AS TEXT))) FROM";
    [
        "LiteLLM_VerificationToken",
        "LiteLLM_TeamTable",
        "LiteLLM_UserTable",
        "LiteLLM_SpendLogs",
        "LiteLLM_ProxyModelTable",
    ]
    .iter()
    .map(|table| psql(url, &["-c", &format!("{sum} public.\"{table}\" t")]))
    .collect()
}

#[tokio::test]
async fn p41_the_first_start_on_a_litellm_database_takes_everything_over() {
    let Some(url) = database().await else { return };
    let files = concat!(env!("CARGO_MANIFEST_DIR"), "/../ledger/tests/litellm");
    for file in ["ddl.sql", "fill.sql"] {
        psql(&url, &["-f", &format!("{files}/{file}")]);
    }
    let before = tables(&url);
    // The team's own model, which comes first, says nothing of an address.
    let rig =
        Rig::config(CONFIG).replace("litellm_settings: {", "litellm_settings: {api_base: \"MOCK/v1\", ");
    let rig = rig.env("DATABASE_URL", &url).env("LITELLM_SALT_KEY", "sk-salt").start().await;
    let spent = rig.post("/v1/chat/completions", "sk-alice-0001", chat("gpt-4o", "hi")).await;
    assert_eq!(spent.json()["error"]["budget"]["scope"], json!("member"), "{}", spent.text());
    let more = json!({"team_id": "red", "user_id": "alice", "max_budget_in_team": 5});
    let raised = rig.post("/team/member_update", MASTER, more).await;
    assert_eq!(raised.status, 200, "{}", raised.text());
    let answer = rig.post("/v1/chat/completions", "sk-alice-0001", chat("gpt-4o", "hi")).await;
    assert_eq!(answer.status, 200, "{}\n{}", answer.text(), rig.log());
    let row = rig.row(answer.header("x-litellm-call-id")).await;
    assert_eq!((&row["team_id"], &row["user"]), (&json!("red"), &json!("alice")), "{row}");
    let blocked = rig.post("/v1/chat/completions", "sk-bob-0002", chat("gpt-4o", "hi")).await;
    assert_eq!(blocked.status, 401, "{}", blocked.text());
    let info = rig.get("/key/info?key=sk-alice-0001", MASTER).await.json();
    assert_eq!(
        (&info["info"]["key_alias"], &info["info"]["max_budget"]),
        (&json!("alice-key"), &json!(10.5)),
        "{info}"
    );
    let spent = info["info"]["spend"].as_f64().unwrap();
    assert!(spent >= 0.3, "the budget goes on where it stood: {spent}");
    assert_eq!(tables(&url), before, "LiteLLM's tables are as they were");
    let models = rig.get("/v2/model/info", MASTER).await.text();
    assert!(models.contains("\"m-1\"") && !models.contains("sk-provider"), "{models}");
}
