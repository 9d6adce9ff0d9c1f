//! Who runs the gateway is told, once, and nobody is refused for it.

use crate::adopted::psql;
use crate::rig::{Builder, CONFIG, MASTER, Rig, chat, database};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use weir_bench::mock::{MockServer, Reply, Seen};
use weir_core::domain::period::{days_before, month_before};
use weir_core::time::{self, Micros};

/// What is posted to a place for alerts.
struct Receiver(MockServer);

impl Receiver {
    async fn start() -> Self {
        Self(MockServer::start(|_: &Seen| Reply::json(200, &json!({"ok": true}))).await.unwrap())
    }

    fn url(&self) -> String {
        format!("{}/hook/MARKED-path", self.0.url())
    }

    fn bodies(&self) -> Vec<Value> {
        self.0.log().iter().map(Seen::json).collect()
    }

    /// Those that are about something, once there is one.
    async fn told(&self, rig: &Rig, about: impl Fn(&Value) -> bool) -> Vec<Value> {
        let started = Instant::now();
        loop {
            let told: Vec<Value> = self.bodies().into_iter().filter(&about).collect();
            if !told.is_empty() {
                return told;
            }
            let waited = started.elapsed() < Duration::from_secs(30);
            assert!(waited, "only {:?}\n{}", self.bodies(), rig.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn alerting(settings: &str) -> Builder {
    Rig::config(CONFIG)
        .replace("general_settings: {", &format!("general_settings: {{{settings}, "))
        .replace("weir_settings: {", "weir_settings: {budget_mode: litellm, ")
}

async fn ask(rig: &Rig, key: &str) {
    let answer = rig.post("/v1/chat/completions", key, chat("priced", "hi")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

fn is_of(alias: &'static str, event: &'static str) -> impl Fn(&Value) -> bool {
    move |body| body["key_alias"] == json!(alias) && body["event"] == json!(event)
}

#[tokio::test]
async fn a_soft_budget_is_told_once_and_refuses_nothing() {
    let receiver = Receiver::start().await;
    let rig = alerting("alerting: [webhook]").env("WEBHOOK_URL", &receiver.url()).start().await;
    let key = rig.key(json!({"key_alias": "soft", "soft_budget": 0.00002})).await;
    ask(&rig, &key).await;
    let told = receiver.told(&rig, is_of("soft", "soft_budget_crossed")).await;
    assert_eq!(told[0]["event_group"], json!("key"), "{told:?}");
    assert_eq!(told[0]["spend"], json!(0.000025), "{told:?}");
    assert!(told[0]["event_message"].as_str().unwrap().contains("0.00002 $"), "{told:?}");
    // Served as before; and when another is told of, the first was not told of again.
    ask(&rig, &key).await;
    let later = rig.key(json!({"key_alias": "later", "soft_budget": 0.00002})).await;
    ask(&rig, &later).await;
    receiver.told(&rig, is_of("later", "soft_budget_crossed")).await;
    assert_eq!(receiver.told(&rig, is_of("soft", "soft_budget_crossed")).await.len(), 1);
    assert!(!rig.log().contains("MARKED-path"), "the address is a credential");
}

#[tokio::test]
async fn a_new_key_has_the_operators_soft_budget_unless_it_has_its_own() {
    let receiver = Receiver::start().await;
    let rig = alerting("alerting: [webhook]")
        .replace("litellm_settings: {", "litellm_settings: {default_soft_budget: 0.00002, ")
        .env("WEBHOOK_URL", &receiver.url())
        .start()
        .await;
    let rich = rig.key(json!({"key_alias": "rich", "soft_budget": 5})).await;
    ask(&rig, &rich).await;
    let usual = rig.key(json!({"key_alias": "usual"})).await;
    ask(&rig, &usual).await;
    receiver.told(&rig, is_of("usual", "soft_budget_crossed")).await;
    assert!(!receiver.bodies().iter().any(is_of("rich", "soft_budget_crossed")), "{:?}", receiver.bodies());
}

#[tokio::test]
async fn soft_budgets_of_customers_and_tags_are_told() {
    let receiver = Receiver::start().await;
    let rig = alerting("alerting: [webhook]").env("WEBHOOK_URL", &receiver.url()).start().await;
    for (path, body) in [
        ("/budget/new", json!({"budget_id": "small", "soft_budget": 0.00002})),
        ("/customer/new", json!({"user_id": "shop", "budget_id": "small"})),
        ("/tag/new", json!({"name": "campaign", "budget_id": "small"})),
    ] {
        let made = rig.post(path, MASTER, body).await;
        assert_eq!(made.status, 200, "{path}: {}", made.text());
    }
    let mut body = chat("priced", "hi");
    (body["user"], body["metadata"]) = (json!("shop"), json!({"tags": ["campaign"]}));
    assert_eq!(rig.post("/v1/chat/completions", MASTER, body).await.status, 200);
    for (group, customer) in [("end_user", json!("shop")), ("tag", json!(null))] {
        let told = receiver.told(&rig, |body| body["event_group"] == json!(group)).await;
        assert_eq!(
            (&told[0]["event"], &told[0]["customer_id"], &told[0]["spend"]),
            (&json!("soft_budget_crossed"), &customer, &json!(0.000025))
        );
    }
}

#[tokio::test]
async fn what_is_nearly_spent_is_told_and_what_is_spent() {
    let receiver = Receiver::start().await;
    let rig = alerting("alerting: [webhook]").env("WEBHOOK_URL", &receiver.url()).start().await;
    let key = rig.key(json!({"key_alias": "near", "max_budget": 0.000085})).await;
    for _ in 0..3 {
        ask(&rig, &key).await;
    }
    let told = receiver.told(&rig, is_of("near", "threshold_crossed")).await;
    assert_eq!((&told[0]["spend"], &told[0]["max_budget"]), (&json!(0.000075), &json!(0.000085)));
    ask(&rig, &key).await;
    let told = receiver.told(&rig, is_of("near", "budget_crossed")).await;
    assert_eq!(told[0]["spend"], json!(0.0001), "{told:?}");
}

#[tokio::test]
async fn two_replicas_tell_it_once() {
    let Some(url) = database().await else { return };
    let receiver = Receiver::start().await;
    let rig = || {
        let rig = alerting("alerting: [webhook]").env("WEBHOOK_URL", &receiver.url());
        rig.env("DATABASE_URL", &url)
    };
    let (one, two) = (rig().start().await, rig().start().await);
    // Each is seen by both; when the last is told of, both have been told of the first.
    for alias in ["first", "second", "third"] {
        let key = one.key(json!({"key_alias": alias, "soft_budget": 0.00002})).await;
        ask(&one, &key).await;
        ask(&two, &key).await;
        receiver.told(&one, is_of(alias, "soft_budget_crossed")).await;
    }
    for alias in ["first", "second"] {
        let told = receiver.told(&one, is_of(alias, "soft_budget_crossed")).await;
        assert_eq!(told.len(), 1, "{told:?}");
    }
}

/// A team asks something with a tag, which is booked on that day.
async fn spend_on(rig: &Rig, key: &str, url: &str, before: usize, day: i64) {
    let today = time::now().day() - 1;
    let mut body = chat("priced", "hi");
    body["metadata"] = json!({"tags": ["campaign"]});
    assert_eq!(rig.post("/v1/chat/completions", key, body).await.status, 200);
    rig.rows(before + 1).await;
    for table in ["spend_daily", "spend_daily_tag"] {
        // What was moved there before stays.
        let moved = format!("UPDATE weir.{table} SET day = {day} WHERE day > {today}");
        psql(url, &["-c", &moved]);
    }
}

fn report_of(from: i64) -> impl Fn(&Value) -> bool {
    let date = Micros::of_day(from).rfc3339()[..10].to_owned();
    move |body| {
        let text = body["event_message"].as_str().unwrap_or_default();
        body["event"] == json!("spend_reports") && text.starts_with(&format!("{date} to "))
    }
}

#[tokio::test]
async fn weeks_and_months_are_told_by_team_and_by_tag_once_over_all_replicas() {
    let Some(url) = database().await else { return };
    let receiver = Receiver::start().await;
    // A day that ended just now may not be booked yet.
    let today = Micros(time::now().0 - 600_000_000).day();
    let (week, month) = (days_before(today, 7), month_before(today).unwrap());
    let quiet = Rig::config(CONFIG).env("DATABASE_URL", &url).start().await;
    let team = quiet.post("/team/new", MASTER, json!({"team_alias": "red"})).await.json();
    let key = quiet.key(json!({"team_id": team["team_id"]})).await;
    spend_on(&quiet, &key, &url, 0, month.0).await;
    spend_on(&quiet, &key, &url, 1, week.1).await;
    let rig = || {
        let rig = alerting("alerting: [webhook], alert_types: [spend_reports, budget_alerts]");
        rig.env("WEBHOOK_URL", &receiver.url()).env("DATABASE_URL", &url)
    };
    let one = rig().start().await;
    let weekly = receiver.told(&one, report_of(week.0)).await;
    let text = weekly[0]["event_message"].as_str().unwrap();
    let team =
        format!("By team:\n• red ({}): 1 requests, 0 failed, 0.000025 $", team["team_id"].as_str().unwrap());
    assert!(
        text.contains(&team) && text.contains("\n• campaign: 1 requests, 0 failed, 0.000025 $"),
        "{text}"
    );
    let monthly = receiver.told(&one, report_of(month.0)).await;
    assert!(monthly[0]["event_message"].as_str().unwrap().contains("\n• red ("), "{monthly:?}");
    // Another replica looks at the same before it has anything else to tell.
    let two = rig().start().await;
    let key = two.key(json!({"key_alias": "later", "soft_budget": 0.00002})).await;
    ask(&two, &key).await;
    receiver.told(&two, is_of("later", "soft_budget_crossed")).await;
    let reports = receiver.bodies().into_iter().filter(|body| body["event"] == json!("spend_reports"));
    assert_eq!(reports.count(), 2, "a week and a month");
}

#[tokio::test]
async fn a_deployment_that_fails_again_and_again_is_an_outage() {
    let receiver = Receiver::start().await;
    let rig = alerting("alerting: [slack]").env("SLACK_WEBHOOK_URL", &receiver.url()).start().await;
    for _ in 0..5 {
        assert_ne!(rig.chat("refused", "hi").await.status, 200);
    }
    let is_outage = |body: &Value| body["text"].as_str().is_some_and(|text| text.contains("A minor outage"));
    let told = receiver.told(&rig, is_outage).await;
    assert!(told[0]["text"].as_str().unwrap().contains("(refused)"), "{told:?}");
}

#[tokio::test]
async fn a_request_that_hangs_is_told_and_that_it_was_slow() {
    let receiver = Receiver::start().await;
    let own = format!("alert_to_webhook_url: {{llm_too_slow: \"{}/slow\"}}", receiver.0.url());
    let settings = format!("alerting: [slack], alerting_threshold: 1, {own}");
    let rig = alerting(&settings).env("SLACK_WEBHOOK_URL", &receiver.url()).start().await;
    let answer = rig.chat("gpt-4o", "hi __sleep=6").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let says = |words: &'static str| {
        move |body: &Value| body["text"].as_str().is_some_and(|text| text.contains(words))
    };
    receiver.told(&rig, says("Requests to gpt-4o hang")).await;
    receiver.told(&rig, says("An answer of gpt-4o took 6 s")).await;
    let slow = receiver.0.log().iter().filter(|seen| seen.route() == "/slow").count();
    assert_eq!(slow, 1, "it has an address of its own");
}

#[tokio::test]
async fn kinds_that_nobody_asked_for_are_not_told() {
    let receiver = Receiver::start().await;
    let settings = "alerting: [slack], alert_types: [budget_alerts]";
    let rig = alerting(settings).env("SLACK_WEBHOOK_URL", &receiver.url()).start().await;
    for _ in 0..5 {
        rig.chat("refused", "hi").await;
    }
    let key = rig.key(json!({"key_alias": "soft", "soft_budget": 0.00002})).await;
    ask(&rig, &key).await;
    receiver.told(&rig, |_| true).await;
    let told = receiver.bodies();
    assert!(told.iter().all(|body| body["text"].as_str().unwrap().contains("soft budget")), "{told:?}");
    assert_eq!(rig.get("/health/readiness", MASTER).await.status, 200);
}
