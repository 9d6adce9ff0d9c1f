//! How OTLP is spoken: as JSON over HTTP, which every receiver takes, or as protobuf over gRPC.
//! Source: OTLP specification 1.5.

use super::Door;
use super::otlp::Taken;
use crate::callbacks::grpc;
use crate::callbacks::kinds::Build;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, TE};
use http::{HeaderMap, HeaderValue, Uri};
use prost::Message;
use serde::Serialize;
use serde_json::Value;
use weir_core::config::problems::Problems;

#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) enum Wire {
    #[default]
    Json,
    Grpc,
}

/// What is told, by its names.
pub(super) struct Signal {
    name: &'static str,
    /// Of gRPC.
    method: &'static str,
}

pub(super) const TRACES: Signal =
    Signal { name: "traces", method: "/opentelemetry.proto.collector.trace.v1.TraceService/Export" };
pub(super) const METRICS: Signal =
    Signal { name: "metrics", method: "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export" };

/// Receivers of gRPC whose address has no scheme: `true` is without TLS. OpenTelemetry's own variable.
const INSECURE: &str = "OTEL_EXPORTER_OTLP_INSECURE";

impl Wire {
    /// As LiteLLM's settings have it: `grpc` and `otlp_grpc`; whatever is neither is HTTP.
    pub(super) fn of(build: &Build<'_>) -> Self {
        let said = build.text("exporter", &["OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER"]);
        if said.is_some_and(|said| said.contains("grpc")) { Self::Grpc } else { Self::Json }
    }

    pub(super) fn door(self) -> Door {
        match self {
            Self::Json => Door::Open,
            Self::Grpc => Door::Grpc,
        }
    }

    /// Where a signal goes.
    pub(super) fn url(
        self,
        build: &Build<'_>,
        endpoint: &str,
        signal: &Signal,
        problems: &mut Problems,
    ) -> Option<Uri> {
        let url = match self {
            Self::Json => path_of(endpoint, signal.name),
            Self::Grpc => method_at(endpoint, signal.method, build.env.is_on(INSECURE)),
        };
        build.url("endpoint", &url, problems)
    }

    /// The settings' headers, and those of the protocol.
    pub(super) fn headers(self, mut headers: HeaderMap) -> HeaderMap {
        if self == Self::Grpc {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
            // Whoever does not say so may be told no status.
            headers.insert(TE, HeaderValue::from_static("trailers"));
        }
        headers
    }

    pub(super) fn body(self, message: &(impl Message + Serialize)) -> Bytes {
        match self {
            Self::Json => serde_json::to_vec(message).unwrap_or_default().into(),
            Self::Grpc => grpc::framed(message),
        }
    }

    /// How many spans, or points of metrics, a receiver did not take of those that it answered for.
    pub(super) fn rejected(self, answer: &[u8]) -> usize {
        let rejected = match self {
            Self::Json => serde_json::from_slice::<Value>(answer).ok().and_then(|said| rejected_of(&said)),
            Self::Grpc => Taken::decode(answer).ok().and_then(|t| t.partial_success).map(|p| p.rejected),
        };
        rejected.and_then(|rejected| usize::try_from(rejected).ok()).unwrap_or_default()
    }
}

/// In JSON 64-bit integers are text; some write numbers.
fn rejected_of(answer: &Value) -> Option<i64> {
    let part = &answer["partialSuccess"];
    let rejected = ["rejectedSpans", "rejectedDataPoints"].iter().find_map(|name| part.get(*name))?;
    rejected.as_i64().or_else(|| rejected.as_str()?.parse().ok())
}

/// An address that ends in a signal is for that one alone; any other is the collector's.
fn path_of(endpoint: &str, signal: &str) -> String {
    let endpoint = endpoint.trim_end_matches('/');
    if endpoint.ends_with(&format!("/{signal}")) {
        return endpoint.to_owned();
    }
    format!("{}/v1/{signal}", endpoint.trim_end_matches("/v1/traces"))
}

/// A receiver of gRPC has no path but its methods. Without a scheme it speaks TLS, as OpenTelemetry's exporters have it.
fn method_at(endpoint: &str, method: &str, insecure: bool) -> String {
    let usual = if insecure { "http" } else { "https" };
    let (scheme, rest) = endpoint.split_once("://").unwrap_or((usual, endpoint));
    let host = rest.split('/').next().unwrap_or_default();
    format!("{scheme}://{host}{method}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callbacks::testing::{made, sink, written};
    use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
    use opentelemetry_proto::tonic::collector::trace::v1::{
        ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
    };
    use opentelemetry_proto::tonic::common::v1::KeyValue;
    use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
    use opentelemetry_proto::tonic::metrics::v1::metric::Data;

    const COLLECTOR: [(&str, &str); 4] = [
        ("OTEL_EXPORTER", "otlp_grpc"),
        ("OTEL_ENDPOINT", "http://collector.test:4317"),
        ("OTEL_HEADERS", "api-key=k"),
        ("LITELLM_OTEL_INTEGRATION_ENABLE_METRICS", "true"),
    ];

    /// The message in a frame of gRPC's.
    fn unframed(body: &[u8]) -> &[u8] {
        let (head, message) = body.split_at(5);
        assert_eq!(head[0], 0, "not compressed");
        assert_eq!(u32::from_be_bytes(head[1..].try_into().unwrap()) as usize, message.len());
        message
    }

    fn find<'a>(attributes: &'a [KeyValue], key: &str) -> &'a Any {
        let found = attributes.iter().find(|attribute| attribute.key == key);
        let value = found.and_then(|attribute| attribute.value.as_ref()?.value.as_ref());
        value.unwrap_or_else(|| panic!("no {key}"))
    }

    #[tokio::test]
    async fn spans_over_grpc_are_opentelemetrys_messages() {
        let parcels = written(sink("otel", "{}", &COLLECTOR).as_ref(), &["success", "cancelled"]).await;
        assert_eq!(parcels[0].url, format!("http://collector.test:4317{}", TRACES.method).as_str());
        let header = |name: &str| parcels[0].headers[name].to_str().unwrap();
        assert_eq!((header("content-type"), header("te")), ("application/grpc", "trailers"));
        assert_eq!((header("api-key"), parcels[0].records), ("k", 2));
        let request = ExportTraceServiceRequest::decode(unframed(&parcels[0].body)).unwrap();
        let of = &request.resource_spans[0];
        let resource = &of.resource.as_ref().unwrap().attributes;
        assert_eq!(find(resource, "service.name"), &Any::StringValue("litellm".into()));
        let scope = of.scope_spans[0].scope.as_ref().unwrap();
        assert_eq!((scope.name.as_str(), scope.version.as_str()), ("weir", env!("CARGO_PKG_VERSION")));
        let [good, gone] = &of.scope_spans[0].spans[..] else { panic!("{request:?}") };
        assert_eq!(hex::encode(&good.trace_id), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!((good.span_id.len(), hex::encode(&good.parent_span_id)), (8, "b7ad6b7169203331".into()));
        assert_eq!((good.name.as_str(), good.kind), ("chat openai/gpt-4o", 3));
        assert_eq!(good.end_time_unix_nano - good.start_time_unix_nano, 1_250_001_000);
        assert_eq!(find(&good.attributes, "gen_ai.usage.input_tokens"), &Any::IntValue(11));
        assert_eq!(find(&good.attributes, "gen_ai.cost.total_cost"), &Any::DoubleValue(0.000_097_5));
        assert_eq!(find(&good.attributes, "llm.is_streaming"), &Any::BoolValue(false));
        let code = |span: &opentelemetry_proto::tonic::trace::v1::Span| span.status.as_ref().unwrap().code;
        assert_eq!((code(good), code(gone)), (1, 2));
        assert_eq!(find(&gone.attributes, "error.type"), &Any::StringValue("ClientDisconnected".into()));
    }

    #[tokio::test]
    async fn metrics_over_grpc_are_opentelemetrys_messages() {
        let parcels = written(sink("otel", "{}", &COLLECTOR).as_ref(), &["success", "cancelled"]).await;
        assert_eq!(parcels[1].url.path(), METRICS.method);
        let request = ExportMetricsServiceRequest::decode(unframed(&parcels[1].body)).unwrap();
        let metrics = &request.resource_metrics[0].scope_metrics[0].metrics;
        let units: Vec<&str> = metrics.iter().map(|metric| metric.unit.as_str()).collect();
        assert_eq!(units, ["{token}", "s", "USD"]);
        let Some(Data::Histogram(tokens)) = &metrics[0].data else { panic!("{request:?}") };
        assert_eq!(tokens.aggregation_temporality, 2);
        let input = &tokens.data_points[0];
        assert_eq!((input.count, input.sum, input.bucket_counts[2]), (2, Some(22.0), 2));
        assert_eq!(input.bucket_counts.len(), input.explicit_bounds.len() + 1);
        assert_eq!(find(&input.attributes, "gen_ai.token.type"), &Any::StringValue("input".into()));
        let Some(Data::Histogram(cost)) = &metrics[2].data else { panic!("{request:?}") };
        assert_eq!(cost.data_points[0].sum, Some(0.000_195));
    }

    #[tokio::test]
    async fn a_request_is_small_enough_for_receivers_of_grpc() {
        let ends = ["long"; 12];
        let parcels = written(sink("otel", "{}", &COLLECTOR[..3]).as_ref(), &ends).await;
        assert!(parcels.len() > 1);
        assert_eq!(parcels.iter().map(|parcel| parcel.records).sum::<usize>(), ends.len());
        assert!(parcels.iter().all(|parcel| parcel.body.len() < 4 << 20));
    }

    #[test]
    fn what_a_receiver_rejects_is_counted() {
        let part = ExportTracePartialSuccess { rejected_spans: 3, error_message: "too old".into() };
        let answer = ExportTraceServiceResponse { partial_success: Some(part) }.encode_to_vec();
        assert_eq!(Wire::Grpc.rejected(&answer), 3);
        assert_eq!(Wire::Grpc.rejected(&[]), 0);
        assert_eq!(Wire::Json.rejected(br#"{"partialSuccess":{"rejectedSpans":"3"}}"#), 3);
        assert_eq!(Wire::Json.rejected(br#"{"partialSuccess":{"rejectedDataPoints":2}}"#), 2);
        for nothing in [&b""[..], b"{}", br#"{"partialSuccess":{}}"#, b"ok"] {
            assert_eq!(Wire::Json.rejected(nothing), 0);
        }
    }

    #[test]
    fn an_address_is_read_as_opentelemetrys_exporters_do() {
        for (endpoint, insecure, url) in [
            ("http://c:4317", false, "http://c:4317/m"),
            ("https://c:4317/", false, "https://c:4317/m"),
            ("http://c:4317/v1/traces", false, "http://c:4317/m"),
            ("c:4317", false, "https://c:4317/m"),
            ("c:4317", true, "http://c:4317/m"),
        ] {
            assert_eq!(method_at(endpoint, "/m", insecure), url);
        }
    }

    #[test]
    fn a_protocol_that_is_none_of_grpcs_is_http() {
        let of = |exporter: &str| {
            let env = [("OTEL_EXPORTER", exporter), ("OTEL_ENDPOINT", "http://c.test:4317")];
            let (made, problems) = made("otel", "{}", &env);
            matches!(made.unwrap_or_else(|| panic!("{problems}")).door, Door::Grpc)
        };
        assert_eq!(["grpc", "otlp_grpc", "otlp_http", "http/json"].map(of), [true, true, false, false]);
    }
}
