//! The response object: what the model said, and the client's own words again.

use super::super::usage::WireUsage;
use super::output::Output;
use crate::dialects::dialect::View;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use weir_core::body::JsonBody;
use weir_core::chat::{Answer, Finish, ProviderFault};

/// What all response objects of one exchange have in common.
#[derive(Debug)]
pub(super) struct Head {
    id: String,
    model: String,
    created: i64,
    /// The client's request, for the members that come back as they are. Shares its bytes.
    body: JsonBody,
}

/// How it ended.
#[derive(Debug, Default)]
pub(super) struct End {
    pub(super) finish: Option<Finish>,
    pub(super) fault: Option<ProviderFault>,
    pub(super) usage: Option<WireUsage>,
    pub(super) service_tier: Option<String>,
}

/// Members that come back as they were written, and what stands there if they were not.
#[rustfmt::skip]
static ECHO: &[(&str, &str)] = &[
    ("instructions",           "null"),
    ("max_output_tokens",      "null"),
    ("max_tool_calls",         "null"),
    ("metadata",               "{}"),
    ("parallel_tool_calls",    "true"),
    ("previous_response_id",   "null"),
    ("prompt_cache_key",       "null"),
    ("reasoning",              r#"{"effort":null,"summary":null}"#),
    ("safety_identifier",      "null"),
    ("store",                  "true"),
    ("temperature",            "1.0"),
    ("text",                   r#"{"format":{"type":"text"}}"#),
    ("tool_choice",            r#""auto""#),
    ("tools",                  "[]"),
    ("top_logprobs",           "0"),
    ("top_p",                  "1.0"),
    ("truncation",             r#""disabled""#),
    ("user",                   "null"),
];

#[derive(Serialize)]
pub(super) struct Response<'a> {
    id: &'a str,
    object: &'static str,
    created_at: i64,
    pub(super) status: &'static str,
    background: bool,
    error: Option<Value>,
    incomplete_details: Option<Value>,
    model: &'a str,
    output: Vec<Value>,
    service_tier: Option<&'a str>,
    usage: Option<WireUsage>,
    #[serde(flatten)]
    echo: Echo<'a>,
}

/// See [`ECHO`].
struct Echo<'a>(&'a JsonBody);

pub(in super::super) fn write(answer: Answer, view: &View<'_>) -> Vec<u8> {
    let Answer { content, model, finish, usage, service_tier, fault, .. } = answer;
    let end = End { finish, fault, usage: usage.map(WireUsage::from), service_tier };
    let output = Output::of(content, view).values(end.finish.as_ref());
    let mut head = Head::new(view);
    head.said_by(model);
    // Only maps with keys that are no text cannot be written, and there are none.
    serde_json::to_vec(&head.ended(output, &end)).unwrap_or_default()
}

// --- Head ---

impl Head {
    pub(super) fn new(view: &View<'_>) -> Self {
        Self {
            id: format!("resp_{}", view.id),
            model: view.model.to_owned(),
            created: view.created,
            body: view.body.clone(),
        }
    }

    /// The provider names the model itself.
    pub(super) fn said_by(&mut self, model: Option<String>) {
        self.model = model.unwrap_or_else(|| std::mem::take(&mut self.model));
    }

    /// Before anything was said.
    pub(super) fn begun(&self) -> Response<'_> {
        Response {
            id: &self.id,
            object: "response",
            created_at: self.created,
            status: "in_progress",
            background: false,
            error: None,
            incomplete_details: None,
            model: &self.model,
            output: Vec::new(),
            service_tier: None,
            usage: None,
            echo: Echo(&self.body),
        }
    }

    pub(super) fn ended<'a>(&'a self, output: Vec<Value>, end: &'a End) -> Response<'a> {
        let (status, reason) = status(end);
        Response {
            status,
            output,
            error: end.fault.as_ref().map(error),
            incomplete_details: reason.map(|reason| json!({ "reason": reason })),
            service_tier: end.service_tier.as_deref(),
            usage: end.usage,
            ..self.begun()
        }
    }
}

/// Status, and why it is not complete.
fn status(end: &End) -> (&'static str, Option<&'static str>) {
    match &end.finish {
        _ if end.fault.is_some() => ("failed", None),
        Some(Finish::Length) => ("incomplete", Some("max_output_tokens")),
        Some(Finish::ContentFilter) => ("incomplete", Some("content_filter")),
        _ => ("completed", None),
    }
}

/// The `error` of a response that failed.
fn error(fault: &ProviderFault) -> Value {
    json!({ "code": code(fault), "message": fault.message })
}

/// OpenAI's code for a fault; clients retry by it.
pub(super) fn code(fault: &ProviderFault) -> String {
    let by_status = if fault.status == 429 { "rate_limit_exceeded" } else { "server_error" };
    fault.code.clone().unwrap_or_else(|| by_status.to_owned())
}

impl Serialize for Echo<'_> {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_map(ECHO.iter().filter_map(|(name, default)| {
            let raw = self.0.raw(name).filter(|raw| *raw != "null").unwrap_or(default);
            serde_json::from_str::<&RawValue>(raw).ok().map(|value| (*name, value))
        }))
    }
}
