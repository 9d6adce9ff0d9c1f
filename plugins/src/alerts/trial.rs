//! A test of a channel: everybody who is told by it is told that this is a test, once.

use super::send::{once, plain, slack_body};
use super::{Alert, Level};
use crate::auth::Poster;
use std::time::Duration;
use tokio::time::timeout;
use weir_core::SecretString;
use weir_core::config::AlertSettings;
use weir_core::config::env::Env;
use weir_core::time::Micros;

/// For all places together.
const WITHIN: Duration = Duration::from_secs(20);
const TEXT: &str = "This is a test of Weir's alerts. Nothing is wrong.";

/// LiteLLM's names of a channel, and what it says of a test that was sent.
const SLACK: [&str; 2] = ["slack", "slack_budget_alerts"];
const SLACK_SENT: &str = "Mock Slack Alert sent, verify Slack Alert Received on your channel";
const WEBHOOK: &str = "webhook";
const WEBHOOK_SENT: &str = "Mock webhook event sent - check webhook.";

/// Sends a test by `slack` or `webhook`, and says what came of it. `None`: nobody is told by this channel.
pub async fn test(settings: &AlertSettings, env: &Env, channel: &str) -> Option<Result<String, String>> {
    let alert = alert();
    let (places, sent, cure) = if SLACK.contains(&channel) && settings.to_slack() {
        (slack(settings, &alert), SLACK_SENT, "slack has no address; set SLACK_WEBHOOK_URL")
    } else if channel == WEBHOOK && settings.to_webhook() {
        (webhook(settings, &alert), WEBHOOK_SENT, "webhook has no address; set WEBHOOK_URL")
    } else {
        return None;
    };
    if places.is_empty() {
        return Some(Err(cure.to_owned()));
    }
    let told = timeout(WITHIN, Box::pin(all(&Poster::new(env), places))).await;
    let told = told.unwrap_or_else(|_| Err(format!("not everybody answered within {} s", WITHIN.as_secs())));
    Some(told.map(|()| sent.to_owned()))
}

type Places<'a> = Vec<(&'a SecretString, String)>;

/// Those of single kinds of alerts too.
fn slack<'a>(settings: &'a AlertSettings, alert: &Alert) -> Places<'a> {
    let own = settings.by_type.iter().flat_map(|(_, addresses)| addresses);
    settings.slack.iter().chain(own).map(|address| (address, slack_body(alert))).collect()
}

fn webhook<'a>(settings: &'a AlertSettings, alert: &Alert) -> Places<'a> {
    settings.webhook.iter().map(|address| (address, alert.body.clone())).collect()
}

async fn all(poster: &Poster, places: Places<'_>) -> Result<(), String> {
    let mut refused = Vec::new();
    for (address, body) in places {
        refused.extend(once(poster, address, body).await.err());
    }
    if refused.is_empty() { Ok(()) } else { Err(refused.join("; ")) }
}

/// It goes past the queue, so its name and its time mean nothing.
fn alert() -> Alert {
    Alert {
        kind: "test",
        name: String::from("test"),
        until: Micros::default(),
        level: Level::Low,
        text: TEXT.to_owned(),
        body: plain("test", TEXT),
    }
}
