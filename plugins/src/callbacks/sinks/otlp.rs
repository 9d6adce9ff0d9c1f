//! OpenTelemetry's messages: those of spans, and what a receiver says that took some. One shape of each, which is
//! written as JSON over HTTP (64-bit integers are text there, ids are hex) and as protobuf over gRPC. Source: OTLP
//! specification 1.5, "JSON Protobuf Encoding", and the field numbers of opentelemetry-proto.

use crate::callbacks::payload;
use prost::{Message, Oneof};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use std::fmt::Display;

/// `ExportTraceServiceRequest`.
#[derive(Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Traces {
    #[prost(message, repeated, tag = "1")]
    pub(super) resource_spans: Vec<ResourceSpans>,
}

#[derive(Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ResourceSpans {
    #[prost(message, required, tag = "1")]
    pub(super) resource: Resource,
    #[prost(message, repeated, tag = "2")]
    pub(super) scope_spans: Vec<ScopeSpans>,
}

#[derive(Clone, Message, Serialize)]
pub(super) struct Resource {
    #[prost(message, repeated, tag = "1")]
    pub(super) attributes: Vec<Attribute>,
}

#[derive(Message, Serialize)]
pub(super) struct ScopeSpans {
    #[prost(message, required, tag = "1")]
    pub(super) scope: Scope,
    #[prost(message, repeated, tag = "2")]
    pub(super) spans: Vec<Span>,
}

#[derive(Message, Serialize)]
pub(super) struct Scope {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) version: String,
}

#[derive(Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Span {
    /// 16 bytes.
    #[prost(bytes = "vec", tag = "1")]
    #[serde(serialize_with = "as_hex")]
    pub(super) trace_id: Vec<u8>,
    /// 8 bytes.
    #[prost(bytes = "vec", tag = "2")]
    #[serde(serialize_with = "as_hex")]
    pub(super) span_id: Vec<u8>,
    /// 8 bytes; empty: it has none.
    #[prost(bytes = "vec", tag = "4")]
    #[serde(serialize_with = "as_hex", skip_serializing_if = "Vec::is_empty")]
    pub(super) parent_span_id: Vec<u8>,
    #[prost(string, tag = "5")]
    pub(super) name: String,
    #[prost(int32, tag = "6")]
    pub(super) kind: i32,
    #[prost(fixed64, tag = "7")]
    #[serde(serialize_with = "as_text")]
    pub(super) start_time_unix_nano: u64,
    #[prost(fixed64, tag = "8")]
    #[serde(serialize_with = "as_text")]
    pub(super) end_time_unix_nano: u64,
    #[prost(message, repeated, tag = "9")]
    pub(super) attributes: Vec<Attribute>,
    #[prost(message, required, tag = "15")]
    pub(super) status: SpanStatus,
}

#[derive(Message, Serialize)]
pub(super) struct SpanStatus {
    #[prost(int32, tag = "3")]
    pub(super) code: i32,
    #[prost(string, tag = "2")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) message: String,
}

#[derive(Clone, Message, Serialize)]
pub(super) struct Attribute {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(message, required, tag = "2")]
    value: AnyValue,
}

#[derive(Clone, Message, Serialize)]
#[serde(transparent)]
struct AnyValue {
    #[prost(oneof = "Value", tags = "1, 2, 3, 4, 5")]
    value: Option<Value>,
}

#[derive(Clone, Oneof, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::enum_variant_names, reason = "the names of OTLP's JSON")]
enum Value {
    #[prost(string, tag = "1")]
    StringValue(String),
    #[prost(bool, tag = "2")]
    BoolValue(bool),
    #[prost(int64, tag = "3")]
    IntValue(#[serde(serialize_with = "as_text")] i64),
    #[prost(double, tag = "4")]
    DoubleValue(#[serde(serialize_with = "as_decimal")] f64),
    #[prost(message, tag = "5")]
    ArrayValue(ArrayValue),
}

#[derive(Clone, Message, Serialize)]
struct ArrayValue {
    #[prost(message, repeated, tag = "1")]
    values: Vec<AnyValue>,
}

/// `ExportTraceServiceResponse`, and that of metrics, which is the same.
#[derive(Message)]
pub(super) struct Taken {
    #[prost(message, optional, tag = "1")]
    pub(super) partial_success: Option<PartialSuccess>,
}

/// What it says beside, in words, may be what was sent to it: that is not read.
#[derive(Message)]
pub(super) struct PartialSuccess {
    #[prost(int64, tag = "1")]
    pub(super) rejected: i64,
}

impl Scope {
    pub(super) fn own() -> Self {
        Self { name: String::from("weir"), version: String::from(env!("CARGO_PKG_VERSION")) }
    }
}

/// `kind` of a span that calls something else.
pub(super) const CLIENT: i32 = 3;
/// Codes of a status.
pub(super) const OK: i32 = 1;
pub(super) const ERROR: i32 = 2;

impl Attribute {
    fn new(key: impl Into<String>, value: Value) -> Self {
        Self { key: key.into(), value: AnyValue { value: Some(value) } }
    }

    pub(super) fn text(key: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(key, Value::StringValue(text.into()))
    }

    pub(super) fn int(key: &str, number: u64) -> Self {
        Self::new(key, Value::IntValue(i64::try_from(number).unwrap_or(i64::MAX)))
    }

    /// A decimal number. OpenTelemetry has doubles only: it is the nearest one.
    pub(super) fn number(key: &str, number: &RawValue) -> Self {
        Self::new(key, Value::DoubleValue(double(number.get())))
    }

    pub(super) fn bool(key: &str, value: bool) -> Self {
        Self::new(key, Value::BoolValue(value))
    }

    pub(super) fn texts<'t>(key: &str, texts: impl IntoIterator<Item = &'t str>) -> Self {
        let value = |text: &str| AnyValue { value: Some(Value::StringValue(text.to_owned())) };
        Self::new(key, Value::ArrayValue(ArrayValue { values: texts.into_iter().map(value).collect() }))
    }
}

/// The double that is nearest to a decimal number.
pub(super) fn double(decimal: &str) -> f64 {
    decimal.parse().unwrap_or_default()
}

// --- as JSON ---

fn as_hex<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&hex::encode(bytes))
}

pub(super) fn as_text<S: Serializer>(number: &impl Display, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(number)
}

pub(super) fn as_texts<S: Serializer>(numbers: &[u64], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(numbers.iter().map(u64::to_string))
}

/// The shortest decimal that is this double, without an exponent: what was a decimal is written as it was.
pub(super) fn as_decimal<S: Serializer>(number: &f64, to: S) -> Result<S::Ok, S::Error> {
    payload::number(number.to_string()).serialize(to)
}
