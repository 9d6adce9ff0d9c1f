//! `langfuse`: its public ingestion API. Source: Langfuse, "Public API reference", POST /api/public/ingestion.
//!
//! An exchange is a trace with one generation. Their events are called after the exchange, so that one that is sent twice
//! counts once.

use super::bodies::{Body, Buffers, Frame, bodies};
use super::langfuse_tags::DefaultTags;
use super::{Door, Parcel, Refused, Sink, secret};
use crate::callbacks::kinds::{Build, Made};
use crate::callbacks::payload;
use crate::callbacks::record::{Exchanged, Told};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, Uri};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;
use std::borrow::Cow;
use weir_core::ExposeSecret;
use weir_core::body::write_object;
use weir_core::config::problems::Problems;
use weir_core::domain::usage::Usage;
use weir_core::time::Micros;

struct Langfuse {
    url: Uri,
    headers: HeaderMap,
    tags: DefaultTags,
}

/// Langfuse takes 3.5 MB.
const BATCH: Frame = Frame {
    open: "{\"batch\":[",
    between: ",",
    close: "],\"metadata\":{\"sdk_name\":\"weir\"}}",
    most: 500,
    bytes: 3 << 20,
};

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
    input: Option<&'a RawValue>,
    output: Option<&'a RawValue>,
    tags: &'a [String],
    metadata: &'a Metadata<'a>,
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
    model_parameters: Flat<'a>,
    input: Option<&'a RawValue>,
    output: Option<&'a RawValue>,
    usage_details: UsageDetails,
    cost_details: Cost,
    level: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_message: Option<&'a str>,
    metadata: &'a Metadata<'a>,
}

#[derive(Serialize)]
struct UsageDetails {
    input: u64,
    output: u64,
    total: u64,
    cache_read_input_tokens: u64,
    cache_creation_input_tokens: u64,
}

#[derive(Serialize)]
struct Cost {
    total: Box<RawValue>,
}

#[derive(Serialize)]
struct Metadata<'a> {
    litellm_call_id: &'a str,
    model_group: &'a str,
    model_id: &'a str,
    api_base: &'a str,
    cache_hit: bool,
    user_api_key_alias: Option<&'a str>,
    user_api_key_team_id: Option<&'a str>,
    user_api_key_team_alias: Option<&'a str>,
    user_api_key_user_id: Option<&'a str>,
    requester_metadata: Option<&'a RawValue>,
}

/// Parameters of a request as Langfuse takes them: text, numbers, flags. What is more is text here.
struct Flat<'a>(&'a Exchanged<'a>);

#[derive(Serialize)]
#[serde(untagged)]
enum Plain<'a> {
    Text(&'a str),
    Json(Option<&'a RawValue>),
}

pub(in super::super) fn build(build: &Build<'_>, problems: &mut Problems) -> Option<Made> {
    let host = build.text("langfuse_host", &["LANGFUSE_HOST"]);
    let host = host.unwrap_or_else(|| "https://cloud.langfuse.com".to_owned());
    let url = format!("{}/api/public/ingestion", host.trim_end_matches('/'));
    let url = build.url("langfuse_host", &url, problems)?;
    let headers = HeaderMap::from_iter([(AUTHORIZATION, keys(build, problems)?)]);
    let tags = DefaultTags::read(build, problems);
    Some(Made { sink: Box::new(Langfuse { url, headers, tags }), door: Door::Open })
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
    fn write(&self, told: &[Told<'_>], buffers: &mut Buffers) -> Vec<Parcel> {
        let exchanges = told.iter().filter_map(|told| told.exchange.as_ref());
        let write = |x: &Exchanged<'_>, out: &mut Vec<u8>| events(x, &self.tags, out);
        let bodies = bodies(&BATCH, exchanges, write, buffers);
        let parcel = |body: Body| Parcel::post(&self.url, &self.headers, body.text, body.records);
        bodies.into_iter().map(parcel).collect()
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
fn events(x: &Exchanged<'_>, default_tags: &DefaultTags, out: &mut Vec<u8>) {
    let (entry, tags) = (x.entry(), default_tags.of(x));
    let (id, at) = (entry.id.to_string(), entry.started_at.rfc3339());
    let named = |name: &str| x.metadata(name);
    let (trace_id, trace_name) = (named("trace_id"), named("trace_name"));
    let (generation_id, generation_name) = (named("generation_id"), named("generation_name"));
    let trace_user = named("trace_user_id");
    let (input, output, metadata) = (payload::raw(x.messages()), payload::raw(x.response()), metadata(x));
    let owner = entry.user_id.as_deref().filter(|_| x.finished.known_caller().is_some());
    let call_type = entry.operation.row().call_type;
    let trace = Trace {
        id: trace_id.as_deref().unwrap_or(&id),
        timestamp: at.clone(),
        name: trace_name.as_deref().unwrap_or(call_type),
        user_id: trace_user.as_deref().or(entry.end_user.as_deref()).or(owner),
        session_id: entry.session_id.as_deref(),
        input,
        output,
        tags: &tags,
        metadata: &metadata,
    };
    event(&id, "trace", &at, &trace, out);
    out.push(b',');
    let fault = payload::fault(entry);
    let generation = Generation {
        id: generation_id.map_or_else(|| format!("{id}-generation"), Cow::into_owned),
        trace_id: trace.id,
        name: generation_name.as_deref().unwrap_or(call_type),
        start_time: at.clone(),
        end_time: entry.ended_at.rfc3339(),
        completion_start_time: entry.first_token_at.map(Micros::rfc3339),
        model: payload::model(entry),
        model_parameters: Flat(x),
        input,
        output,
        usage_details: usage(&entry.usage),
        cost_details: Cost { total: entry.cost.json() },
        level: if fault.is_some() { "ERROR" } else { "DEFAULT" },
        status_message: fault.map(|(_, message)| message),
        metadata: &metadata,
    };
    event(&id, "generation", &at, &generation, out);
}

/// `what`: a trace or a generation.
fn event<B: Serialize>(id: &str, what: &str, at: &str, body: &B, out: &mut Vec<u8>) {
    write_object(out, |o| {
        o.put("id", format_args!("{id}-{what}"));
        o.put("timestamp", at);
        o.put("type", format_args!("{what}-create"));
        o.put("body", body);
    });
}

fn usage(usage: &Usage) -> UsageDetails {
    UsageDetails {
        input: usage.input,
        output: usage.output,
        total: usage.total(),
        cache_read_input_tokens: usage.cache_read,
        cache_creation_input_tokens: usage.cache_write.saturating_add(usage.cache_write_1h),
    }
}

fn metadata<'a>(x: &Exchanged<'a>) -> Metadata<'a> {
    let entry = x.entry();
    let known = x.finished.known_caller().is_some();
    let key = |text: &'a Option<String>| text.as_deref().filter(|_| known);
    Metadata {
        litellm_call_id: &entry.call_id,
        model_group: &entry.model_group,
        model_id: &entry.deployment_id,
        api_base: &entry.api_base,
        cache_hit: entry.cache_hit,
        user_api_key_alias: key(&entry.key_alias),
        user_api_key_team_id: key(&entry.team_id),
        user_api_key_team_alias: key(&entry.team_alias),
        user_api_key_user_id: key(&entry.user_id),
        requester_metadata: x.asked("metadata").and_then(payload::raw),
    }
}

impl Serialize for Flat<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.0.parameters().map(|(name, json)| match json.as_bytes().first() {
            Some(b'[' | b'{') => (name, Plain::Text(json)),
            _ => (name, Plain::Json(payload::raw(json))),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callbacks::testing::schema;
    use crate::callbacks::testing::{sink, written};
    use serde_json::Value;

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

    #[tokio::test]
    async fn tags_that_the_operator_wishes_for_stand_beside_the_requests_own() {
        let settings =
            "{langfuse_default_tags: [cache_hit, user_api_key_alias, user_api_key_org_id, proxy_base_url]}";
        let env = [KEYS[0], KEYS[1], KEYS[2], ("PROXY_BASE_URL", "https://weir.test")];
        let parcels = written(sink("langfuse", settings, &env).as_ref(), &["success"]).await;
        let body: Value = serde_json::from_slice(&parcels[0].body).unwrap();
        let tags = serde_json::json!([
            "tag",
            "cache_hit:False",
            "user_api_key_alias:alias",
            "proxy_base_url:https://weir.test"
        ]);
        assert_eq!(body["batch"][0]["body"]["tags"], tags, "what has no value is no tag");
        let (_, problems) =
            crate::callbacks::testing::made("langfuse", "{langfuse_default_tags: [cache_hits]}", &KEYS);
        assert!(problems.to_string().contains("did you mean \"cache_hit\"?"), "{problems}");
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
