//! `langfuse`: its public ingestion API. Source: Langfuse, "Public API reference", POST /api/public/ingestion.
//!
//! An exchange is a trace with one generation. Their events are called after the exchange, so that one that is sent twice
//! counts once.

use super::{Door, Parcel, Refused, Sink, runs, secret};
use crate::callbacks::kinds::{Build, Made};
use crate::callbacks::payload;
use crate::callbacks::record::{Exchanged, Told};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, Uri};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use weir_core::ExposeSecret;
use weir_core::config::problems::Problems;
use weir_core::time::Micros;

struct Langfuse {
    url: Uri,
    headers: HeaderMap,
}

/// Langfuse takes 3.5 MB.
const BYTES: usize = 3 << 20;
const MOST: usize = 500;

#[derive(Serialize)]
struct Event<'a, B> {
    id: String,
    timestamp: String,
    #[serde(rename = "type")]
    kind: &'static str,
    body: &'a B,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Trace<'a> {
    id: &'a str,
    timestamp: String,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<&'a str>,
    input: &'a Value,
    output: &'a Value,
    tags: Vec<&'a str>,
    metadata: &'a Value,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Generation<'a> {
    id: String,
    trace_id: &'a str,
    name: &'a str,
    start_time: String,
    end_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    completion_start_time: Option<String>,
    model: &'a str,
    model_parameters: Map<String, Value>,
    input: &'a Value,
    output: &'a Value,
    usage_details: Value,
    cost_details: Cost,
    level: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_message: Option<&'a str>,
    metadata: &'a Value,
}

#[derive(Serialize)]
struct Cost {
    total: Box<RawValue>,
}

pub(in super::super) fn build(build: &Build<'_>, problems: &mut Problems) -> Option<Made> {
    let host = build.text("langfuse_host", &["LANGFUSE_HOST"]);
    let host = host.unwrap_or_else(|| "https://cloud.langfuse.com".to_owned());
    let url = format!("{}/api/public/ingestion", host.trim_end_matches('/'));
    let url = build.url("langfuse_host", &url, problems)?;
    let headers = HeaderMap::from_iter([(AUTHORIZATION, keys(build, problems)?)]);
    Some(Made { sink: Box::new(Langfuse { url, headers }), door: Door::Open })
}

/// Both keys as basic authentication.
pub(super) fn keys(build: &Build<'_>, problems: &mut Problems) -> Option<HeaderValue> {
    let public = build.secret("langfuse_public_key", &["LANGFUSE_PUBLIC_KEY"]);
    let private = build.secret("langfuse_secret_key", &["LANGFUSE_SECRET_KEY"]);
    let private = private.or_else(|| build.secret("langfuse_secret", &["LANGFUSE_SECRET"]));
    let (Some(public), Some(private)) = (public, private) else {
        build.lacks("a key of Langfuse", "set LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY", problems);
        return None;
    };
    let both = format!("{}:{}", public.expose_secret(), private.expose_secret());
    secret(&format!("Basic {}", STANDARD.encode(both)))
}

impl Sink for Langfuse {
    fn write(&self, told: &[Told<'_>]) -> Vec<Parcel> {
        let exchanges = told.iter().filter_map(|told| told.exchange.as_ref());
        let events: Vec<String> = exchanges.map(events).collect();
        let parcel = |run: &[String]| {
            let body = format!("{{\"batch\":{},\"metadata\":{{\"sdk_name\":\"weir\"}}}}", super::array(run));
            Parcel::post(&self.url, &self.headers, body, run.len())
        };
        runs(&events, String::len, MOST, BYTES).into_iter().map(parcel).collect()
    }

    /// 207 says of each event what became of it.
    fn objection(&self, answer: &[u8]) -> Option<Refused> {
        let Answer { errors } = serde_json::from_slice(answer).ok()?;
        let first = errors.first()?;
        let why = format!("{} events were refused, the first with {}", errors.len(), first.status);
        Some(Refused::for_good(why))
    }

    fn takes_audits(&self) -> bool {
        false
    }
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    errors: Vec<Refusal>,
}

#[derive(Deserialize)]
struct Refusal {
    status: u16,
}

/// Both events of an exchange, with a comma.
fn events(x: &Exchanged<'_>) -> String {
    let entry = x.entry();
    let id = entry.id.to_string();
    let (input, output, metadata) = (x.messages(), x.response(), metadata(x));
    let trace_id = x.metadata("trace_id").unwrap_or(&id);
    let at = entry.started_at.rfc3339();
    let owner = entry.user_id.as_deref().filter(|_| x.finished.known_caller().is_some());
    let trace = Trace {
        id: trace_id,
        timestamp: at.clone(),
        name: x.metadata("trace_name").unwrap_or(entry.operation.row().call_type),
        user_id: x.metadata("trace_user_id").or(entry.end_user.as_deref()).or(owner),
        session_id: entry.session_id.as_deref(),
        input: &input,
        output: &output,
        tags: entry.tags.iter().map(String::as_str).collect(),
        metadata: &metadata,
    };
    let fault = payload::fault(entry);
    let generation = Generation {
        id: x.metadata("generation_id").map_or_else(|| format!("{id}-generation"), str::to_owned),
        trace_id,
        name: x.metadata("generation_name").unwrap_or(entry.operation.row().call_type),
        start_time: at.clone(),
        end_time: entry.ended_at.rfc3339(),
        completion_start_time: entry.first_token_at.map(Micros::rfc3339),
        model: payload::model(entry),
        model_parameters: flat(payload::parameters(&x.said.request)),
        input: &input,
        output: &output,
        usage_details: json!({
            "input": entry.usage.input,
            "output": entry.usage.output,
            "total": entry.usage.total(),
            "cache_read_input_tokens": entry.usage.cache_read,
            "cache_creation_input_tokens": entry.usage.cache_write.saturating_add(entry.usage.cache_write_1h),
        }),
        cost_details: Cost { total: entry.cost.json() },
        level: if fault.is_some() { "ERROR" } else { "DEFAULT" },
        status_message: fault.map(|(_, message)| message),
        metadata: &metadata,
    };
    let of = |kind: &str, body: &'static str| (format!("{id}-{kind}"), at.clone(), body);
    let (trace_event, timestamp, kind) = of("trace", "trace-create");
    let trace = event(&Event { id: trace_event, timestamp, kind, body: &trace });
    let (generation_event, timestamp, kind) = of("generation", "generation-create");
    let generation = event(&Event { id: generation_event, timestamp, kind, body: &generation });
    format!("{trace},{generation}")
}

fn event<B: Serialize>(event: &Event<'_, B>) -> String {
    serde_json::to_string(event).unwrap_or_default()
}

/// Langfuse takes text, numbers, flags and lists of text.
fn flat(parameters: Map<String, Value>) -> Map<String, Value> {
    let one = |value: Value| match value {
        Value::Array(_) | Value::Object(_) => Value::from(value.to_string()),
        plain => plain,
    };
    parameters.into_iter().map(|(name, value)| (name, one(value))).collect()
}

fn metadata(x: &Exchanged<'_>) -> Value {
    let entry = x.entry();
    let known = x.finished.known_caller().is_some();
    let key = |text: &Option<String>| text.clone().filter(|_| known);
    json!({
        "litellm_call_id": entry.call_id,
        "model_group": entry.model_group,
        "model_id": entry.deployment_id,
        "api_base": entry.api_base,
        "cache_hit": entry.cache_hit,
        "user_api_key_alias": key(&entry.key_alias),
        "user_api_key_team_id": key(&entry.team_id),
        "user_api_key_team_alias": key(&entry.team_alias),
        "user_api_key_user_id": key(&entry.user_id),
        "requester_metadata": x.said.request.get("metadata"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callbacks::testing::schema;
    use crate::callbacks::testing::{sink, written};

    const KEYS: [(&str, &str); 3] = [
        ("LANGFUSE_PUBLIC_KEY", "pk-lf-fake"),
        ("LANGFUSE_SECRET_KEY", "sk-lf-fake"),
        ("LANGFUSE_HOST", "http://langfuse.test/"),
    ];

    #[tokio::test]
    async fn events_are_what_the_ingestion_api_takes() {
        let told = ["success", "failure", "cancelled"];
        let parcels = written(sink("langfuse", "{}", &KEYS).as_ref(), &told).await;
        assert_eq!((parcels.len(), parcels[0].records), (1, 3));
        assert_eq!(parcels[0].url, "http://langfuse.test/api/public/ingestion");
        let basic = format!("Basic {}", STANDARD.encode("pk-lf-fake:sk-lf-fake"));
        assert_eq!(parcels[0].headers[AUTHORIZATION], basic.as_str());
        let body: Value = serde_json::from_slice(&parcels[0].body).unwrap();
        schema::check(include_str!("langfuse.schema.json"), &body);
        let batch = body["batch"].as_array().unwrap();
        let ids: std::collections::HashSet<_> = batch.iter().map(|event| event["id"].to_string()).collect();
        // It is the same entry three times: told again, it is taken once.
        assert_eq!((batch.len(), ids.len()), (6, 2), "an id for each event of an entry");
        assert_eq!(batch[1]["body"]["traceId"], batch[0]["body"]["id"]);
        assert_eq!(batch[0]["body"]["input"][0]["content"], "What is asked");
        assert_eq!(batch[1]["body"]["level"], "DEFAULT");
        assert_eq!(batch[3]["body"]["level"], "ERROR");
        let text = std::str::from_utf8(&parcels[0].body).unwrap();
        assert!(text.contains("\"costDetails\":{\"total\":0.0000975}"), "{text}");
    }

    #[test]
    fn what_langfuse_refuses_is_not_taken() {
        let sink = sink("langfuse", "{}", &KEYS);
        let refused = br#"{"successes":[],"errors":[{"id":"a","status":400,"message":"bad"}]}"#;
        assert!(sink.objection(refused).is_some_and(|refused| refused.why.contains("400")));
        assert!(sink.objection(br#"{"successes":[{"id":"a","status":201}],"errors":[]}"#).is_none());
    }

    #[test]
    fn without_keys_nobody_is_told() {
        let (made, problems) = crate::callbacks::testing::made("langfuse", "{}", &[]);
        assert!(made.is_none() && problems.to_string().contains("LANGFUSE_SECRET_KEY"), "{problems}");
    }
}
