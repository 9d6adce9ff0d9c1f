//! Errors of providers as clients read them.

use super::{TranslateError, table};
use crate::deployment::Deployment;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use weir_core::chat::{Dialect, ProviderFault};
use weir_core::error::{ApiError, Kind};

/// Class names of LiteLLM's exceptions, by the provider's status. The status itself is passed on.
static CLASSES: &[(u16, &str)] = &[
    (400, "BadRequestError"),
    (401, "AuthenticationError"),
    (403, "PermissionDeniedError"),
    (404, "NotFoundError"),
    (408, "Timeout"),
    (413, "BadRequestError"),
    (422, "UnprocessableEntityError"),
    (429, "RateLimitError"),
    (500, "InternalServerError"),
    (502, "BadGatewayError"),
    (503, "ServiceUnavailableError"),
    (504, "Timeout"),
];

/// How providers say that a request is longer than the model can read, in lower case.
static TOO_LONG: &[&str] = &[
    "context_length_exceeded",
    "maximum context length",
    "prompt is too long",
    "input is too long",
    "too many input tokens",
    "exceeds the maximum number of tokens",
    "exceed context limit",
    "context window",
];

/// The client's error for a provider's: the provider's status and message, in LiteLLM's words. A fault without a
/// status of its own counts as unavailable.
pub fn upstream_error(deployment: &Deployment, fault: &ProviderFault) -> ApiError {
    let status = if fault.status == 0 { 503 } else { fault.status };
    let class = class(status, fault, deployment.provider.prefix);
    let twice = if class == "BadRequestError" { String::new() } else { format!("{class}: ") };
    let message =
        format!("litellm.{class}: {twice}{}Exception - {}", deployment.provider.name, fault.message);
    let told = ApiError::new(Kind::Upstream, message).with_status(client_status(status)).with_class(class);
    match &fault.kind {
        _ if status == 429 => told.with_type("throttling_error"),
        Some(kind) => told.with_type(kind.clone()),
        None => told,
    }
}

/// Two errors have names of their own, since they have fallbacks of their own. Only Azure's filter is one, as in LiteLLM.
fn class(status: u16, fault: &ProviderFault, provider: &str) -> &'static str {
    let code = fault.code.as_deref();
    let said = fault.message.to_ascii_lowercase();
    if code == Some("context_length_exceeded") || status == 400 && TOO_LONG.iter().any(|t| said.contains(t)) {
        return "ContextWindowExceededError";
    }
    if code == Some("content_filter") && provider == "azure" {
        return "ContentPolicyViolationError";
    }
    CLASSES.iter().find(|(s, _)| *s == status).map_or("APIError", |(_, class)| class)
}

/// A status outside 400…599 is no error for a client; a provider that redirects is broken.
fn client_status(status: u16) -> u16 {
    if (400..600).contains(&status) { status } else { 502 }
}

/// The client's error for an answer that cannot be told in its dialect.
pub fn untranslatable(deployment: &Deployment, error: &TranslateError) -> ApiError {
    if let TranslateError::Fault(fault) = error {
        return upstream_error(deployment, fault);
    }
    let message = format!(
        "litellm.BadGatewayError: {}Exception - The provider's answer is not valid: {error}.",
        deployment.provider.name
    );
    ApiError::new(Kind::UpstreamBroken, message).because(&deployment.wire.api_base)
}

/// Members of answers, whatever they answer.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Answered<'a> {
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    #[serde(borrow)]
    object: Option<&'a RawValue>,
    choices: Option<IgnoredAny>,
    data: Option<IgnoredAny>,
    content: Option<IgnoredAny>,
    output: Option<IgnoredAny>,
    candidates: Option<IgnoredAny>,
}

impl Answered<'_> {
    fn is_empty(&self) -> bool {
        let members = [&self.choices, &self.data, &self.content, &self.output, &self.candidates];
        members.into_iter().all(Option::is_none)
    }
}

/// The error in the place of an answer, under a status that promises one (OpenRouter).
pub(super) fn within(dialect: Dialect, body: &[u8]) -> Option<ProviderFault> {
    memchr::memmem::find(body, b"\"error\"")?;
    body.trim_ascii_start().strip_prefix(b"{")?;
    let answered: Answered<'_> = serde_json::from_slice(body).ok()?;
    let said = answered.error.is_some_and(|error| !matches!(error.get(), "null" | "{}" | "false" | "\"\""));
    // vLLM's form, without a frame.
    let said = said || answered.object.is_some_and(|object| object.get() == "\"error\"");
    (said && answered.is_empty()).then(|| table::upstream(dialect).read_error(0, body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p21_an_error_in_the_place_of_an_answer_is_one_whatever_the_status() {
        let router = br#"{"error":{"message":"Provider returned error","code":502},"user_id":"u"}"#;
        let fault = within(Dialect::OpenAiChat, router).unwrap();
        assert_eq!((fault.status, fault.message.as_str()), (502, "Provider returned error"));
        let bare = br#"{"object":"error","message":"no such model","code":404}"#;
        assert_eq!(within(Dialect::OpenAiChat, bare).map(|f| f.message).as_deref(), Some("no such model"));
        let anthropic = br#"{"type":"error","error":{"type":"overloaded_error","message":"later"}}"#;
        assert_eq!(within(Dialect::AnthropicMessages, anthropic).map(|f| f.status), Some(529));
        let google = br#"{"error":{"code":503,"message":"later","status":"UNAVAILABLE"}}"#;
        assert_eq!(within(Dialect::Gemini, google).map(|f| f.message).as_deref(), Some("later"));
    }

    #[test]
    fn an_answer_that_speaks_of_errors_is_an_answer() {
        for (dialect, body) in [
            (Dialect::OpenAiChat, r#"{"choices":[],"error":{"message":"half"}}"#),
            (Dialect::OpenAiChat, r#"{"data":[],"error":"x"}"#),
            (Dialect::OpenAiResponses, r#"{"output":[],"status":"failed","error":{"code":"x"}}"#),
            (Dialect::OpenAiResponses, r#"{"id":"r","error":null}"#),
            (Dialect::AnthropicMessages, r#"{"content":[{"text":"\"error\""}],"error":{}}"#),
            (Dialect::OpenAiChat, r#"[{"error":"x"}]"#),
            (Dialect::OpenAiChat, "\"error\""),
        ] {
            assert_eq!(within(dialect, body.as_bytes()), None, "{body}");
        }
    }
}
