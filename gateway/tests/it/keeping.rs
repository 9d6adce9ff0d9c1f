//! What of the past is kept, and what is added up of it, where the operator says so.

use crate::demands::with;
use crate::rig::{CONFIG, MASTER, Rig, chat};
use crate::signon::Browser;
use serde_json::json;
use std::time::Duration;
use weir_core::domain::ids::KeyHash;

#[tokio::test]
async fn failures_that_cost_nothing_are_not_kept_where_nobody_wants_them() {
    let rig = with("disable_error_logs: true").start().await;
    let key = rig.key(json!({})).await;
    let failed = rig.post("/v1/chat/completions", &key, chat("refused", "hi")).await;
    assert!(failed.status >= 500, "{}", failed.text());
    assert_eq!(rig.post("/v1/chat/completions", &key, chat("no-such-model", "hi")).await.status, 400);
    assert_eq!(rig.post("/v1/chat/completions", &key, chat("priced", "hi")).await.status, 200);
    // Booked after the others: what is not there now never will be.
    let rows = rig.rows(1).await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(rows[0]["model_group"], "priced");
    assert!(rig.get("/metrics", MASTER).await.text().contains("refused"), "metrics know of them");
}

#[tokio::test]
async fn nothing_counts_against_budgets_where_spend_is_not_updated() {
    let rig = with("disable_spend_updates: true").start().await;
    let key = rig.key(json!({"max_budget": 0.000_000_001})).await;
    for _ in 0..3 {
        let answer = rig.post("/v1/chat/completions", &key, chat("priced", "hi")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let rows = rig.rows(3).await;
    assert!(rows.iter().all(|row| row["spend"].as_f64() > Some(0.0)), "{rows:?}");
    let info = rig.get(&format!("/key/info?key={key}"), MASTER).await.json();
    assert_eq!(info["info"]["spend"].as_f64(), Some(0.0), "{info}");
}

#[tokio::test]
async fn budgets_go_on_where_they_do_not_begin_again_by_themselves() {
    let rig = with("disable_reset_budget: true").start().await;
    let key = rig.key(json!({"max_budget": 5, "budget_duration": "1s"})).await;
    assert_eq!(rig.post("/v1/chat/completions", &key, chat("priced", "hi")).await.status, 200);
    rig.rows(1).await;
    let info = async || rig.get(&format!("/key/info?key={key}"), MASTER).await.json()["info"].clone();
    let before = info().await;
    assert!(before["spend"].as_f64() > Some(0.0), "{before}");
    tokio::time::sleep(Duration::from_secs(3)).await;
    let after = info().await;
    assert_eq!((&after["spend"], &after["budget_reset_at"]), (&before["spend"], &before["budget_reset_at"]));
}

#[tokio::test]
async fn p35_the_master_key_leaves_no_hash_of_itself_where_that_is_wanted() {
    for (rig, hash) in [
        (
            with("disable_adding_master_key_hash_to_db: true").start().await,
            KeyHash::of("litellm_proxy_master_key"),
        ),
        (Rig::config(CONFIG).start().await, KeyHash::of(MASTER)),
    ] {
        let call = rig.chat("gpt-4o", "hi").await;
        let row = rig.row(call.header("x-litellm-call-id")).await;
        assert_eq!(row["api_key"], hash.hex(), "{row}");
        assert_eq!(row["user"], "default_user_id", "{row}");
        let mut browser = Browser::new(&rig);
        assert_eq!(browser.sign_in("admin", MASTER).await.status, 200, "the key opens the UI as before");
        assert!(browser.session().await.is_ok());
    }
}

#[tokio::test]
async fn models_of_the_ledger_are_left_out_where_only_files_count() {
    let mut rig = Rig::start().await;
    let added =
        json!({"model_name": "added", "litellm_params": {"model": "openai/gpt-4o", "mock_response": "hi"}});
    assert_eq!(rig.post("/model/new", MASTER, &added).await.status, 200);
    assert_eq!(rig.chat("added", "hi").await.status, 200);
    rig.write_config(
        &CONFIG.replace("general_settings: {", "general_settings: {supported_db_objects: [mcp], "),
    );
    rig.restart().await;
    assert_eq!(rig.chat("added", "hi").await.status, 400, "it is not served");
    let refused = rig.post("/model/new", MASTER, &added).await;
    assert_eq!(refused.status, 400, "{}", refused.text());
    assert!(refused.text().contains("supported_db_objects"), "{}", refused.text());
}
