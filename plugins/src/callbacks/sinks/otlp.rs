//! OpenTelemetry's wire format over HTTP, as JSON: the messages that are sent of it. 64-bit integers are text there, ids are
//! hex. Source: OTLP specification 1.5, "JSON Protobuf Encoding", and opentelemetry-proto.

use serde::Serialize;
use serde_json::value::RawValue;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Traces<'a> {
    pub(super) resource_spans: [ResourceSpans<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ResourceSpans<'a> {
    pub(super) resource: Resource<'a>,
    pub(super) scope_spans: [ScopeSpans<'a>; 1],
}

#[derive(Serialize)]
pub(super) struct Resource<'a> {
    pub(super) attributes: &'a [Attribute],
}

#[derive(Serialize)]
pub(super) struct ScopeSpans<'a> {
    pub(super) scope: Scope,
    pub(super) spans: &'a [Span],
}

#[derive(Serialize)]
pub(super) struct Scope {
    pub(super) name: &'static str,
    pub(super) version: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Span {
    /// 32 digits.
    pub(super) trace_id: String,
    /// 16 digits.
    pub(super) span_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) parent_span_id: Option<String>,
    pub(super) name: String,
    pub(super) kind: u8,
    pub(super) start_time_unix_nano: String,
    pub(super) end_time_unix_nano: String,
    pub(super) attributes: Vec<Attribute>,
    pub(super) status: SpanStatus,
}

#[derive(Serialize)]
pub(super) struct SpanStatus {
    pub(super) code: u8,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) message: String,
}

#[derive(Serialize)]
pub(super) struct Attribute {
    key: String,
    value: AnyValue,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::enum_variant_names, reason = "the names of OTLP's JSON")]
enum AnyValue {
    StringValue(String),
    IntValue(String),
    DoubleValue(Box<RawValue>),
    BoolValue(bool),
    ArrayValue { values: Vec<AnyValue> },
}

impl Scope {
    pub(super) fn own() -> Self {
        Self { name: "weir", version: env!("CARGO_PKG_VERSION") }
    }
}

/// `kind` of a span that calls something else.
pub(super) const CLIENT: u8 = 3;
/// Codes of a status.
pub(super) const OK: u8 = 1;
pub(super) const ERROR: u8 = 2;

impl Attribute {
    pub(super) fn text(key: impl Into<String>, text: impl Into<String>) -> Self {
        Self { key: key.into(), value: AnyValue::StringValue(text.into()) }
    }

    pub(super) fn int(key: &str, number: u64) -> Self {
        Self { key: key.to_owned(), value: AnyValue::IntValue(number.to_string()) }
    }

    /// A decimal number, digit by digit.
    pub(super) fn number(key: &str, number: Box<RawValue>) -> Self {
        Self { key: key.to_owned(), value: AnyValue::DoubleValue(number) }
    }

    pub(super) fn bool(key: &str, value: bool) -> Self {
        Self { key: key.to_owned(), value: AnyValue::BoolValue(value) }
    }

    pub(super) fn texts<'t>(key: &str, texts: impl IntoIterator<Item = &'t str>) -> Self {
        let values = texts.into_iter().map(|text| AnyValue::StringValue(text.to_owned())).collect();
        Self { key: key.to_owned(), value: AnyValue::ArrayValue { values } }
    }
}
