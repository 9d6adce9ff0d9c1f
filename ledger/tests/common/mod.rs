//! Ledgers to test with: SQLite in a temporary folder, and a fresh Postgres database where a server is offered.

use std::path::Path;
use std::time::Duration;
use weir_core::SecretString;
use weir_core::domain::ids::{KeyHash, new_entry_id};
use weir_core::domain::key::KeyRecord;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::operation::Operation;
use weir_core::domain::records::Limits;
use weir_core::domain::spend::{AttemptRecord, Entry, Status};
use weir_core::domain::usage::{Usage, UsageSource};
use weir_core::time::Micros;
use weir_ledger::{Ledger, LedgerOptions};

/// Runs a test on both engines.
pub async fn both(test: impl AsyncFn(Ledger)) {
    let dir = tempfile::tempdir().unwrap();
    test(open(None, dir.path()).await).await;
    let Some(server) = std::env::var("WEIR_TEST_POSTGRES_URL").ok().filter(|url| !url.is_empty()) else {
        assert!(!in_ci(), "CI needs WEIR_TEST_POSTGRES_URL");
        println!("skipped: no WEIR_TEST_POSTGRES_URL, so only SQLite was tested");
        return;
    };
    let url = fresh_database(&server).await;
    test(open(Some(url), dir.path()).await).await;
}

pub async fn open(url: Option<String>, dir: &Path) -> Ledger {
    let options = LedgerOptions {
        url: url.map(SecretString::from),
        data_dir: dir.to_owned(),
        pool: 8,
        acquire: Duration::from_secs(10),
        migrate: true,
    };
    Ledger::open(options).await.unwrap()
}

/// A database of its own, empty.
pub async fn fresh_database(server: &str) -> String {
    use sqlx::Executor;
    let name = format!("weir_{}", new_entry_id().simple());
    let pool = sqlx::postgres::PgPoolOptions::new().max_connections(1).connect(server).await.unwrap();
    pool.execute(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
    let (base, query) = server.split_once('?').unwrap_or((server, ""));
    let base = base.rsplit_once('/').unwrap().0;
    if query.is_empty() { format!("{base}/{name}") } else { format!("{base}/{name}?{query}") }
}

/// A key of which everything is said.
pub fn key(text: &str) -> KeyRecord {
    KeyRecord {
        alias: Some(format!("alias of {text} ü 漢")),
        user_id: Some(String::from("alice")),
        models: vec![String::from("gpt-4o"), String::from("openai/*")],
        metadata: String::from(r#"{"a":18446744073709551616.10}"#),
        limits: Limits { max_budget: Some(NanoUsd(1)), rpm_limit: Some(2), ..Limits::default() },
        expires_at: Some(Micros(5)),
        blocked: true,
        extra: [(String::from("guardrails"), serde_json::json!(["g"]))].into_iter().collect(),
        ..KeyRecord::new(text)
    }
}

pub fn entry(cost: i64) -> Entry {
    let started_at = weir_core::time::now();
    Entry {
        ended_at: Micros(started_at.0 + 5_000),
        first_token_at: Some(Micros(started_at.0 + 1_000)),
        call_id: String::from("call-1"),
        provider_id: Some(String::from("chatcmpl-1")),
        stream: true,
        status: Status::Success,
        http_status: 200,
        key_hash: Some(KeyHash::of("sk-a")),
        key_alias: Some(String::from("ü\"'漢")),
        user_id: Some(String::from("alice")),
        team_id: Some(String::from("team-1")),
        model_requested: String::from("gpt-4o"),
        model_group: String::from("gpt-4o"),
        model: String::from("gpt-4o"),
        provider: String::from("openai"),
        deployment_id: String::from("d1"),
        api_base: String::from("http://127.0.0.1/v1"),
        usage: Usage {
            input: 11,
            output: 7,
            image_input: 3,
            image_output: 2,
            searches: 1,
            ..Usage::default()
        },
        usage_source: UsageSource::Reported,
        cost: NanoUsd(cost),
        price_version: String::from("v1"),
        attempts: vec![AttemptRecord {
            number: 1,
            deployment_id: String::from("d1"),
            model_group: String::from("gpt-4o"),
            status: 200,
            error: String::new(),
            started_at,
            ended_at: started_at,
        }],
        tags: vec![String::from("a")],
        metadata: String::from("{}"),
        client_ip: String::from("127.0.0.1"),
        user_agent: String::from("test"),
        organization_id: Some(String::from("org-1")),
        team_alias: Some(String::from("Red")),
        session_id: Some(String::from("session-1")),
        ..Entry::begun(new_entry_id(), started_at, Operation::Chat)
    }
}

/// CI may skip nothing.
pub fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|ci| ci == "true")
}
