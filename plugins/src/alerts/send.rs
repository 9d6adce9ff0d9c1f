//! How an alert gets to people (Slack's form) and to programs (LiteLLM's webhook).

use super::Alert;
use crate::auth::{Poster, hosts_only};
use bytes::Bytes;
use http::{HeaderMap, Uri};
use serde_json::json;
use std::time::Duration;
use weir_core::config::AlertSettings;
use weir_core::{ExposeSecret, SecretString};

const WITHIN: Duration = Duration::from_secs(10);
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_secs(1);

/// Tells everybody who is to be told. Answers whether anybody was, where somebody should have been.
pub(super) async fn send(poster: &Poster, settings: &AlertSettings, alert: &Alert) -> bool {
    let places = places(settings, alert);
    let mut told = places.is_empty();
    for (address, body) in places {
        told |= posted(poster, address, body).await;
    }
    told
}

fn places<'a>(settings: &'a AlertSettings, alert: &Alert) -> Vec<(&'a SecretString, String)> {
    let mut places = Vec::new();
    if settings.to_slack() {
        let own = settings.by_type.iter().find(|(kind, _)| kind == alert.kind);
        let slack = own.map(|(_, addresses)| addresses.as_slice()).unwrap_or_default();
        let slack = if slack.is_empty() { settings.slack.as_slice() } else { slack };
        places.extend(slack.iter().map(|address| (address, slack_body(alert))));
    }
    if settings.to_webhook() {
        places.extend(settings.webhook.iter().map(|address| (address, alert.body.clone())));
    }
    places
}

/// What is wrong with an address, which is in no message: it is a credential.
const NO_ADDRESS: &str = "an address for alerts is none: write it like https://host/path";

/// Sends once. Answers what came of it, of an address no more than its host.
pub(super) async fn once(poster: &Poster, address: &SecretString, body: String) -> Result<(), String> {
    let uri = address.expose_secret().parse::<Uri>().map_err(|_| NO_ADDRESS)?;
    let host = uri.host().unwrap_or_default();
    match poster.post(&uri, HeaderMap::new(), Bytes::from(body), WITHIN).await {
        Ok((200..300, _)) => Ok(()),
        Ok((status, _)) => Err(format!("{host} answered {status}")),
        Err(why) => Err(format!("{host}: {}", hosts_only(&why))),
    }
}

async fn posted(poster: &Poster, address: &SecretString, body: String) -> bool {
    let Ok(uri) = address.expose_secret().parse::<Uri>() else {
        tracing::warn!("{NO_ADDRESS}");
        return false;
    };
    let host = uri.host().unwrap_or_default().to_owned();
    let body = Bytes::from(body);
    for attempt in 1..=TRIES {
        match poster.post(&uri, HeaderMap::new(), body.clone(), WITHIN).await {
            Ok((status, _)) if (200..300).contains(&status) => return true,
            Ok((status, _)) if (400..500).contains(&status) && status != 429 => {
                tracing::warn!(status, host, "an alert is not taken");
                return false;
            }
            Ok((status, _)) => tracing::debug!(status, host, "an alert is not delivered yet"),
            Err(why) => tracing::debug!(host, "an alert is not delivered yet: {why}"),
        }
        tokio::time::sleep(PAUSE * attempt).await;
    }
    tracing::warn!(host, "an alert was not taken");
    false
}

pub(super) fn slack_body(alert: &Alert) -> String {
    let kind = alert.kind.replace('_', " ");
    // What is between these would be a link or a mention.
    let text = alert.text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    json!({ "text": format!("*{kind}* ({})\n{text}", alert.level.as_str()) }).to_string()
}

/// For programs, of what LiteLLM has no event for.
pub(super) fn plain(kind: &str, text: &str) -> String {
    json!({ "event": kind, "event_group": "proxy", "event_message": text }).to_string()
}
