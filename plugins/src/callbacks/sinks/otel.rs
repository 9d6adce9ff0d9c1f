//! `otel` and `langfuse_otel`: a span for each exchange, by OpenTelemetry's conventions for generative AI.
//! <https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/>
//!
//! `otel_wire.rs` is how they get there.

use super::otel_metrics::{Measure, nanos};
use super::otel_wire::{METRICS, TRACES, Wire};
use super::otlp::{
    Attribute, CLIENT, ERROR, OK, Resource, ResourceSpans, Scope, ScopeSpans, Span, SpanStatus, Traces,
};
use super::{Buffers, Parcel, Refused, Sink, headers, langfuse, otel_messages, runs};
use crate::callbacks::kinds::{Build, Made};
use crate::callbacks::payload;
use crate::callbacks::record::{Exchanged, Told};
use crate::trace::{Trace, span};
use http::header::AUTHORIZATION;
use http::{HeaderMap, Uri};
use prost::Message;
use serde_json::Number;
use weir_core::config::problems::Problems;
use weir_core::domain::ids::unguessable_id;
use weir_core::domain::operation::Operation;

#[derive(Default)]
struct Otel {
    wire: Wire,
    url: Uri,
    headers: HeaderMap,
    resource: Resource,
    /// Where metrics go, and how; `None`: nowhere.
    metrics: Option<(Uri, Measure)>,
    /// Names of Langfuse's, beside the conventions'.
    langfuse: bool,
}

/// Spans of one request.
const MOST: usize = 512;
/// Their bytes: receivers of gRPC take 4 MiB, where nobody tells them otherwise.
const BYTES: usize = 3 << 20;
const ENDPOINTS: &[&str] =
    &["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_ENDPOINT"];
const HEADERS: &[&str] = &["OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_HEADERS"];

pub(in super::super) fn build(build: &Build<'_>, problems: &mut Problems) -> Option<Made> {
    let wire = Wire::of(build);
    let Some(endpoint) = build.text("endpoint", ENDPOINTS) else {
        let cure = "set OTEL_EXPORTER_OTLP_ENDPOINT, such as http://collector:4318, or :4317 with gRPC";
        build.lacks("the address of the collector", cure, problems);
        return None;
    };
    let url = wire.url(build, &endpoint, &TRACES, problems)?;
    let metrics = metrics(build, wire, &endpoint, problems);
    let headers = headers(build, HEADERS, problems);
    Some(made(build, Otel { wire, url, headers, metrics, ..Otel::default() }))
}

/// Langfuse's own receiver, with its keys.
pub(in super::super) fn build_langfuse(build: &Build<'_>, problems: &mut Problems) -> Option<Made> {
    let host = build.text("langfuse_host", &["LANGFUSE_OTEL_HOST", "LANGFUSE_HOST"]);
    let host = host.unwrap_or_else(|| "https://us.cloud.langfuse.com".to_owned());
    let url = format!("{}/api/public/otel/v1/traces", host.trim_end_matches('/'));
    let url = build.url("langfuse_host", &url, problems)?;
    let headers = HeaderMap::from_iter([(AUTHORIZATION, langfuse::keys(build, problems)?)]);
    Some(made(build, Otel { url, headers, langfuse: true, ..Otel::default() }))
}

fn made(build: &Build<'_>, sink: Otel) -> Made {
    // LiteLLM's defaults, which dashboards look for.
    let service = build.text("service_name", &["OTEL_SERVICE_NAME"]).unwrap_or_else(|| "litellm".to_owned());
    let place = build.env.filled("OTEL_ENVIRONMENT_NAME").unwrap_or("production");
    let attributes = vec![
        Attribute::text("service.name", service),
        Attribute::text("deployment.environment", place),
        // Totals of two replicas are two series.
        Attribute::text("service.instance.id", unguessable_id()),
    ];
    let (door, headers) = (sink.wire.door(), sink.wire.headers(sink.headers));
    Made { sink: Box::new(Otel { headers, resource: Resource { attributes }, ..sink }), door }
}

/// Where metrics go, if LiteLLM's variable wants them.
fn metrics(build: &Build<'_>, wire: Wire, endpoint: &str, problems: &mut Problems) -> Option<(Uri, Measure)> {
    if !build.env.is_on("LITELLM_OTEL_INTEGRATION_ENABLE_METRICS") {
        return None;
    }
    let own = build.env.filled("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT").unwrap_or(endpoint);
    Some((wire.url(build, own, &METRICS, problems)?, Measure::of(build.env)))
}

impl Sink for Otel {
    fn write(&self, told: &[Told<'_>], _: &mut Buffers) -> Vec<Parcel> {
        let spans: Vec<Span> =
            told.iter().filter_map(|told| told.exchange.as_ref()).map(|x| self.span(x)).collect();
        let runs: Vec<usize> = runs(&spans, Span::encoded_len, MOST, BYTES).iter().map(|r| r.len()).collect();
        let mut spans = spans.into_iter();
        let mut parcels: Vec<Parcel> =
            runs.into_iter().map(|run| self.parcel(spans.by_ref().take(run).collect())).collect();
        parcels.extend(self.measured(told));
        parcels
    }

    /// A receiver may take a part of what it is sent.
    fn objection(&self, answer: &[u8]) -> Option<Refused> {
        let rejected = self.wire.rejected(answer);
        let why = format!("{rejected} of what it was sent are rejected");
        (rejected > 0).then(|| Refused { records: Some(rejected), ..Refused::for_good(why) })
    }

    fn takes_audits(&self) -> bool {
        false
    }
}

impl Otel {
    fn parcel(&self, spans: Vec<Span>) -> Parcel {
        let records = spans.len();
        let scope_spans = vec![ScopeSpans { scope: Scope::own(), spans }];
        let traces =
            Traces { resource_spans: vec![ResourceSpans { resource: self.resource.clone(), scope_spans }] };
        Parcel::post(&self.url, &self.headers, self.wire.body(&traces), records)
    }

    /// Tells of no record that its span does not tell of.
    fn measured(&self, told: &[Told<'_>]) -> Option<Parcel> {
        let (url, measure) = self.metrics.as_ref()?;
        let told: Vec<&Exchanged<'_>> = told.iter().filter_map(|told| told.exchange.as_ref()).collect();
        let metrics = (!told.is_empty()).then(|| measure.metrics(self.resource.clone(), &told))?;
        Some(Parcel::post(url, &self.headers, self.wire.body(&metrics), 0))
    }

    fn span(&self, x: &Exchanged<'_>) -> Span {
        let entry = x.entry();
        let (trace_id, parent_span_id) = match Trace::parse(&x.finished.traceparent) {
            Some(trace) => (bytes(&trace.id), bytes(trace.parent.as_deref().unwrap_or_default())),
            None => (entry.id.as_bytes().to_vec(), Vec::new()),
        };
        let fault = payload::fault(entry);
        let mut attributes = conventions(x);
        attributes.extend(ours(x));
        if self.langfuse {
            attributes.extend(langfuses(x));
        }
        Span {
            trace_id,
            span_id: span(&entry.id).to_be_bytes().to_vec(),
            parent_span_id,
            name: format!("{} {}", operation(entry.operation), payload::model(entry)),
            kind: CLIENT,
            start_time_unix_nano: nanos(entry.started_at),
            end_time_unix_nano: nanos(entry.ended_at),
            attributes,
            status: SpanStatus {
                code: if fault.is_some() { ERROR } else { OK },
                message: fault.map(|(_, message)| message.to_owned()).unwrap_or_default(),
            },
        }
    }
}

/// Of an id in hexadecimal digits.
fn bytes(digits: &str) -> Vec<u8> {
    hex::decode(digits).unwrap_or_default()
}

/// `gen_ai.operation.name`.
pub(super) fn operation(operation: Operation) -> &'static str {
    match operation {
        Operation::Completions => "text_completion",
        Operation::Embeddings => "embeddings",
        Operation::Generate | Operation::StreamGenerate => "generate_content",
        other if other.row().chat.is_some() => "chat",
        other => other.row().call_type,
    }
}

/// What the conventions name.
fn conventions(x: &Exchanged<'_>) -> Vec<Attribute> {
    let (entry, usage) = (x.entry(), &x.entry().usage);
    let mut told = vec![
        Attribute::text("gen_ai.operation.name", operation(entry.operation)),
        Attribute::text("gen_ai.provider.name", entry.provider.as_str()),
        Attribute::text("gen_ai.system", entry.provider.as_str()),
        Attribute::text("gen_ai.request.model", entry.model_requested.as_str()),
        Attribute::text("gen_ai.response.model", payload::model(entry)),
        Attribute::int("gen_ai.usage.input_tokens", usage.input),
        Attribute::int("gen_ai.usage.output_tokens", usage.output),
        Attribute::int("gen_ai.usage.cache_read.input_tokens", usage.cache_read),
        Attribute::int(
            "gen_ai.usage.cache_creation.input_tokens",
            usage.cache_write.saturating_add(usage.cache_write_1h),
        ),
    ];
    told.extend(entry.provider_id.as_deref().map(|id| Attribute::text("gen_ai.response.id", id)));
    told.extend(entry.session_id.as_deref().map(|id| Attribute::text("gen_ai.conversation.id", id)));
    told.extend(payload::fault(entry).map(|(class, _)| Attribute::text("error.type", class)));
    told.extend(parameters(x));
    if !x.silent {
        let said = [
            ("gen_ai.input.messages", otel_messages::input(x.messages())),
            ("gen_ai.output.messages", otel_messages::output(x.response())),
        ];
        told.extend(said.into_iter().filter_map(|(name, said)| Some(Attribute::text(name, said?))));
    }
    told
}

/// Parameters of OpenAI's that the conventions have a name for, those that are numbers.
static PARAMETERS: &[(&str, &str)] = &[
    ("frequency_penalty", "gen_ai.request.frequency_penalty"),
    ("max_completion_tokens", "gen_ai.request.max_tokens"),
    ("max_tokens", "gen_ai.request.max_tokens"),
    ("n", "gen_ai.request.choice.count"),
    ("presence_penalty", "gen_ai.request.presence_penalty"),
    ("seed", "gen_ai.request.seed"),
    ("temperature", "gen_ai.request.temperature"),
    ("top_k", "gen_ai.request.top_k"),
    ("top_p", "gen_ai.request.top_p"),
];

fn parameters(x: &Exchanged<'_>) -> impl Iterator<Item = Attribute> {
    PARAMETERS.iter().filter_map(move |(name, told)| {
        let number: Number = serde_json::from_str(x.asked(name)?).ok()?;
        Some(match number.as_u64() {
            Some(whole) => Attribute::int(told, whole),
            None => Attribute::number(told, &payload::number(number.to_string())),
        })
    })
}

/// What is Weir's and LiteLLM's beside the conventions.
fn ours(x: &Exchanged<'_>) -> Vec<Attribute> {
    let entry = x.entry();
    let mut told = vec![
        Attribute::text("litellm.call_id", entry.call_id.as_str()),
        Attribute::text("litellm.call_type", entry.operation.row().call_type),
        Attribute::text("litellm.model_group", entry.model_group.as_str()),
        Attribute::number("gen_ai.cost.total_cost", &entry.cost.json()),
        Attribute::bool("llm.is_streaming", entry.stream),
        Attribute::bool("litellm.cache_hit", entry.cache_hit),
        Attribute::int("http.response.status_code", u64::from(entry.http_status)),
    ];
    let named = [
        ("end_user", &entry.end_user),
        ("metadata.user_api_key_alias", &entry.key_alias),
        ("metadata.user_api_key_team_id", &entry.team_id),
        ("metadata.user_api_key_team_alias", &entry.team_alias),
        ("metadata.user_api_key_user_id", &entry.user_id),
        ("metadata.user_api_key_org_id", &entry.organization_id),
    ];
    let known = x.finished.known_caller().is_some();
    let named = named.into_iter().filter(|(name, _)| known || !name.starts_with("metadata."));
    told.extend(named.filter_map(|(name, text)| Some(Attribute::text(name, text.as_deref()?))));
    told
}

/// What Langfuse takes out of a span for its own fields.
fn langfuses(x: &Exchanged<'_>) -> Vec<Attribute> {
    let entry = x.entry();
    let mut told = vec![
        Attribute::text(
            "langfuse.trace.name",
            x.metadata("trace_name").as_deref().unwrap_or("litellm_request"),
        ),
        Attribute::texts("langfuse.trace.tags", entry.tags.iter().map(String::as_str)),
        Attribute::text("langfuse.observation.input", x.messages()),
        Attribute::text("langfuse.observation.output", x.response()),
    ];
    told.extend(entry.session_id.as_deref().map(|id| Attribute::text("langfuse.session.id", id)));
    told.extend(entry.end_user.as_deref().map(|user| Attribute::text("langfuse.user.id", user)));
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callbacks::testing::{schema, sink, written};
    use serde_json::Value;

    const COLLECTOR: [(&str, &str); 2] =
        [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector.test:4318/"), ("OTEL_HEADERS", "api-key=k")];

    fn attribute<'v>(span: &'v Value, key: &str) -> Option<&'v Value> {
        let all = span["attributes"].as_array()?;
        all.iter().find(|attribute| attribute["key"] == key).map(|attribute| &attribute["value"])
    }

    #[tokio::test]
    async fn spans_are_what_a_collector_takes() {
        let told = ["success", "cancelled"];
        let parcels = written(sink("otel", "{}", &COLLECTOR).as_ref(), &told).await;
        assert_eq!(parcels[0].url, "http://collector.test:4318/v1/traces");
        assert_eq!(parcels[0].headers["api-key"], "k");
        let body: Value = serde_json::from_slice(&parcels[0].body).unwrap();
        schema::check(include_str!("otlp.schema.json"), &body);
        let spans = body["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap();
        let (good, gone) = (&spans[0], &spans[1]);
        assert_eq!(good["traceId"], "0af7651916cd43dd8448eb211c80319c", "the client's trace goes on");
        assert_eq!(good["parentSpanId"], "b7ad6b7169203331");
        assert_eq!(good["name"], "chat openai/gpt-4o");
        assert_eq!(attribute(good, "gen_ai.usage.input_tokens").unwrap()["intValue"], "11");
        assert_eq!(attribute(good, "gen_ai.request.temperature").unwrap()["doubleValue"], 0.5);
        assert!(String::from_utf8_lossy(&parcels[0].body).contains("\"doubleValue\":0.0000975"), "exact");
        assert_eq!((&good["status"]["code"], &gone["status"]["code"]), (&1.into(), &2.into()));
        assert_eq!(attribute(gone, "error.type").unwrap()["stringValue"], "ClientDisconnected");
        let said = attribute(good, "gen_ai.input.messages").unwrap()["stringValue"].as_str().unwrap();
        assert_eq!(said, r#"[{"role":"user","parts":[{"type":"text","content":"What is asked"}]}]"#);
        let said = attribute(good, "gen_ai.output.messages").unwrap()["stringValue"].as_str().unwrap();
        assert!(said.contains(r#""finish_reason":"stop""#) && said.contains("What is answered"), "{said}");
    }

    #[tokio::test]
    async fn langfuse_takes_spans_too() {
        let env = [
            ("LANGFUSE_PUBLIC_KEY", "pk"),
            ("LANGFUSE_SECRET_KEY", "sk"),
            ("LANGFUSE_HOST", "http://l.test"),
        ];
        let parcels = written(sink("langfuse_otel", "{}", &env).as_ref(), &["success"]).await;
        assert_eq!(parcels[0].url, "http://l.test/api/public/otel/v1/traces");
        assert_eq!(parcels[0].headers[AUTHORIZATION], "Basic cGs6c2s=");
        let body: Value = serde_json::from_slice(&parcels[0].body).unwrap();
        let span = &body["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
        assert_eq!(attribute(span, "langfuse.session.id").unwrap()["stringValue"], "s-1");
    }

    #[tokio::test]
    async fn metrics_are_told_where_they_are_wanted() {
        let [collector, headers] = COLLECTOR;
        let env = [collector, headers, ("LITELLM_OTEL_INTEGRATION_ENABLE_METRICS", "true")];
        let parcels = written(sink("otel", "{}", &env).as_ref(), &["success", "cancelled"]).await;
        assert_eq!((parcels.len(), parcels[1].records), (2, 0));
        assert_eq!(parcels[1].url, "http://collector.test:4318/v1/metrics");
        let body: Value = serde_json::from_slice(&parcels[1].body).unwrap();
        schema::check(include_str!("otlp_metrics.schema.json"), &body);
        let metrics = body["resourceMetrics"][0]["scopeMetrics"][0]["metrics"].as_array().unwrap();
        let tokens = &metrics[0]["histogram"]["dataPoints"];
        assert_eq!((&tokens[0]["count"], &tokens[0]["sum"]), (&"2".into(), &22.into()), "input");
        assert_eq!(tokens[0]["bucketCounts"][2], "2", "11 is above 4 and within 16");
        let cost = String::from_utf8_lossy(&parcels[1].body);
        assert!(cost.contains("\"sum\":0.000195,"), "{cost}");
    }

    #[tokio::test]
    async fn totals_are_told_unless_what_came_since_is_wanted() {
        let [collector, headers] = COLLECTOR;
        let on = ("LITELLM_OTEL_INTEGRATION_ENABLE_METRICS", "true");
        for (preference, kind, tokens) in [("cumulative", 2, 22), ("delta", 1, 11)] {
            let preferred = ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", preference);
            let sink = sink("otel", "{}", &[collector, headers, on, preferred]);
            written(sink.as_ref(), &["success"]).await;
            let parcels = written(sink.as_ref(), &["success"]).await;
            let body: Value = serde_json::from_slice(&parcels[1].body).unwrap();
            let told = &body["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0]["histogram"];
            assert_eq!(told["aggregationTemporality"], kind, "{preference}");
            assert_eq!(told["dataPoints"][0]["sum"], tokens, "{preference}");
        }
    }
}
