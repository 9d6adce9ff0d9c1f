//! Limits that several replicas count together in Redis, and what becomes of them without it.

use crate::rig::{CONFIG, MASTER, Rig, chat, database, free_port};
use serde_json::json;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The Redis of the test run; `None` where none is offered, which is told.
pub fn redis() -> Option<String> {
    let url = std::env::var("WEIR_TEST_REDIS_URL").ok().filter(|url| !url.is_empty());
    if url.is_none() {
        assert!(!std::env::var("CI").is_ok_and(|ci| ci == "true"), "CI needs WEIR_TEST_REDIS_URL");
        println!("skipped: no WEIR_TEST_REDIS_URL");
    }
    url
}

async fn replicas(count: usize, database: &str, redis: &str) -> Vec<Rig> {
    let mut rigs = Vec::new();
    for _ in 0..count {
        // Where a busy machine makes Redis slow, what is promised while it answers cannot be seen.
        let rig = Rig::config(CONFIG).replace("weir_settings: {", "weir_settings: {redis_timeout: 10, ");
        let rig = rig.env("DATABASE_URL", database).env("REDIS_URL", redis);
        rigs.push(rig.start().await);
    }
    rigs
}

async fn says(rig: &Rig, place: &str) {
    let started = Instant::now();
    loop {
        let told = rig.get("/health/readiness", "").await.json()["rate_limits"].clone();
        if told == json!(place) {
            return;
        }
        assert!(started.elapsed() < Duration::from_secs(10), "{told} instead of {place}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Requests to all replicas at once; answers how many were served.
async fn flood(rigs: &[Rig], key: &str, requests: usize) -> usize {
    let asked = (0..requests).map(|n| async move {
        let answer = rigs[n % rigs.len()].post("/v1/chat/completions", key, chat("gpt-4o", "hi")).await;
        assert!([200, 429].contains(&answer.status), "{}", answer.text());
        usize::from(answer.status == 200)
    });
    futures_util::future::join_all(asked).await.into_iter().sum()
}

#[tokio::test]
async fn p18_replicas_together_accept_no_more_than_the_limit() {
    let (Some(database), Some(redis)) = (database().await, redis()) else { return };
    for count in [1, 3] {
        let rigs = replicas(count, &database, &redis).await;
        let key = rigs[0].key(json!({"rpm_limit": 100})).await;
        let mut served = 0;
        for _ in 0..5 {
            served += flood(&rigs, &key, 100).await;
        }
        assert_eq!(served, 100, "{count} replicas");
        let refused = rigs[0].post("/v1/chat/completions", &key, chat("gpt-4o", "hi")).await;
        assert_eq!(refused.header("x-ratelimit-remaining-requests"), "0", "{}", refused.text());
        let metrics = rigs[0].get("/metrics", "").await.text();
        assert!(metrics.contains("weir_redis_up 1"), "the metric says where");
        says(&rigs[0], "redis").await;
    }
}

#[tokio::test]
async fn p18_a_refusal_of_one_scope_is_taken_back_from_the_others_in_redis_too() {
    let (Some(database), Some(redis)) = (database().await, redis()) else { return };
    let rigs = replicas(2, &database, &redis).await;
    let team = format!("t-{}", free_port());
    let made =
        rigs[0].post("/team/new", MASTER, json!({"team_id": team, "rpm_limit": 2, "tpm_limit": 1_000})).await;
    assert_eq!(made.status, 200, "{}", made.text());
    let narrow = rigs[0].key(json!({"team_id": team, "rpm_limit": 1})).await;
    let wide = rigs[0].key(json!({"team_id": team})).await;
    assert_eq!(flood(&rigs, &narrow, 6).await, 1);
    // What is over is told a moment later.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let second = rigs[1].post("/v1/chat/completions", &wide, chat("gpt-4o", "hi")).await;
    assert_eq!((second.status, second.header("x-ratelimit-team-remaining-requests")), (200, "0"));
    let left: i64 = second.header("x-ratelimit-team-remaining-tokens").parse().unwrap();
    assert!(
        (940..=970).contains(&left),
        "18 tokens were used by the first, some are held for the second: {left}"
    );
}

#[tokio::test]
async fn p22_slots_are_shared_and_free_again() {
    let (Some(database), Some(redis)) = (database().await, redis()) else { return };
    let rigs = replicas(2, &database, &redis).await;
    let key = rigs[0].key(json!({"max_parallel_requests": 1})).await;
    for round in 0..20 {
        let answer = rigs[round % 2].post("/v1/chat/completions", &key, chat("gpt-4o", "hi")).await;
        assert_eq!(answer.status, 200, "{round}: {}", answer.text());
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    assert!(flood(&rigs, &key, 20).await < 20, "not all at once");
}

/// Requests until one is counted in Redis.
async fn found(rigs: &[Rig]) {
    let started = Instant::now();
    let key = rigs[0].key(json!({"rpm_limit": 100_000})).await;
    while rigs[0].get("/health/readiness", "").await.json()["rate_limits"] != json!("redis")
        || started.elapsed() < Duration::from_millis(200)
    {
        assert!(started.elapsed() < Duration::from_secs(20), "it is not found");
        flood(rigs, &key, 1).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn p22_a_redis_that_stalls_keeps_no_slot() {
    if redis().is_none() {
        return;
    }
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
    let server = serve(port, folder.path());
    let rigs = [Rig::config(CONFIG).env("REDIS_URL", &format!("redis://127.0.0.1:{port}")).start().await];
    let key = rigs[0].key(json!({"max_parallel_requests": 1, "rpm_limit": 1_000})).await;
    found(&rigs).await;
    assert_eq!(flood(&rigs, &key, 1).await, 1);
    server.signal("STOP");
    assert_eq!(flood(&rigs, &key, 1).await, 1, "counted here");
    says(&rigs[0], "local, because Redis is away").await;
    server.signal("CONT");
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    // What was asked while it stalled is counted by it now, and was taken back.
    for round in 0..10 {
        assert_eq!(flood(&rigs, &key, 1).await, 1, "round {round}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    says(&rigs[0], "redis").await;
}

/// A Redis of a test's own. Killed when it is dropped.
pub struct Server(Child);

impl Server {
    fn signal(&self, name: &str) {
        let sent =
            Command::new("kill").arg(format!("-{name}")).arg(self.0.id().to_string()).status().unwrap();
        assert!(sent.success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

pub fn serve(port: u16, folder: &std::path::Path) -> Server {
    let mut command = Command::new("redis-server");
    command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
    command.arg("--dir").arg(folder).stdout(Stdio::null()).stderr(Stdio::null());
    Server(command.spawn().unwrap())
}

#[tokio::test]
async fn p18_without_redis_each_process_counts_and_says_so() {
    if redis().is_none() {
        return;
    }
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
    let rig = Rig::config(CONFIG).env("REDIS_HOST", "127.0.0.1").env("REDIS_PORT", &port.to_string());
    let rig = rig.start().await;
    let rigs = [rig];
    let key = rigs[0].key(json!({"rpm_limit": 3})).await;
    assert_eq!(flood(&rigs, &key, 10).await, 3, "never there");
    says(&rigs[0], "local, because Redis is away").await;
    assert!(rigs[0].get("/metrics", "").await.text().contains("weir_redis_up 0"));
    let server = serve(port, folder.path());
    found(&rigs).await;
    assert_eq!(flood(&rigs, &key, 10).await, 3, "counted there from now on");
    drop(server);
    let (asked, before) = (Instant::now(), rigs[0].key(json!({"rpm_limit": 3})).await);
    assert_eq!(flood(&rigs, &before, 10).await, 3, "lost in the middle");
    assert!(asked.elapsed() < Duration::from_secs(5), "nobody waits for it: {:?}", asked.elapsed());
    says(&rigs[0], "local, because Redis is away").await;
}
