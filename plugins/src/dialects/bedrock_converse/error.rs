//! Refusals and exceptions. The word for an error is mostly in a header (`x-amzn-errortype`) that adapters do not see;
//! in streams it is the frame's kind.

use serde::Deserialize;
use serde_json::Value;
use weir_core::chat::{Object, ProviderFault};

/// Statuses of the exceptions inside streams. Source: Bedrock API Reference, ConverseStream, ResponseStream.
const STATUSES: &[(&str, u16)] = &[
    ("validationException", 400),
    ("accessDeniedException", 403),
    ("resourceNotFoundException", 404),
    ("modelTimeoutException", 408),
    ("modelStreamErrorException", 424),
    ("modelErrorException", 424),
    ("throttlingException", 429),
    ("modelNotReadyException", 429),
    ("serviceQuotaExceededException", 429),
    ("internalServerException", 500),
    ("serviceUnavailableException", 503),
];

/// How much of a body that is no JSON is shown.
const SHOWN: usize = 1000;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    message: Option<Value>,
    #[serde(rename = "Message")]
    capital: Option<Value>,
    #[serde(rename = "__type")]
    kind: Option<Value>,
    /// How the front door says that it does not know an operation.
    #[serde(rename = "Output")]
    output: Option<Object>,
    /// A proxy's or an OpenAI-compatible door's form.
    error: Option<Value>,
}

pub fn read_error(status: u16, body: &[u8]) -> ProviderFault {
    let read: Body = serde_json::from_slice(body).unwrap_or_default();
    let kind = read.kind.or_else(|| read.output.and_then(|mut output| output.shift_remove("__type")));
    let nested = read.error.as_ref().and_then(|error| error.get("message").or(Some(error))).cloned();
    let message = [read.message, read.capital, nested].into_iter().flatten().find_map(text);
    ProviderFault {
        status,
        message: message
            .unwrap_or_else(|| String::from_utf8_lossy(&body[..body.len().min(SHOWN)]).into_owned()),
        kind: kind.and_then(text).map(|kind| plain(&kind)),
        code: None,
    }
}

/// An exception frame.
pub fn exception(kind: &str, payload: &[u8]) -> ProviderFault {
    let status = STATUSES.iter().find(|(name, _)| name.eq_ignore_ascii_case(kind)).map_or(500, |(_, s)| *s);
    let mut fault = read_error(status, payload);
    if !kind.is_empty() {
        fault.kind = Some(plain(kind));
    }
    fault
}

/// A 200 whose body is an error.
pub(super) fn in_answer(extra: &Object) -> Option<ProviderFault> {
    let is_error =
        ["__type", "message", "Message", "error", "Output"].iter().any(|name| extra.contains_key(*name));
    is_error.then(|| read_error(0, &serde_json::to_vec(extra).unwrap_or_default()))
}

fn text(value: Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// `com.amazon.coral.service#ThrottlingException:http://…` is `ThrottlingException`.
fn plain(kind: &str) -> String {
    let kind = kind.split('#').next_back().unwrap_or(kind);
    kind.split(':').next().unwrap_or(kind).to_owned()
}
