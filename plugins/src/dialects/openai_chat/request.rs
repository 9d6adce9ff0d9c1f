//! What is changed in a request before it goes upstream: the model, what is ours alone, what this provider refuses.

use crate::providers::{Quirk, Row};
use bytes::Bytes;
use weir_core::body::{Edits, JsonBody, Pieces};
use weir_core::config::{JsonMap, ModelEntry};
use weir_core::domain::operation::Operation;
use weir_core::error::{ApiError, Kind};

/// The edits of one deployment, decided when it is built.
#[derive(Debug)]
pub struct Rules {
    provider: &'static str,
    /// The upstream model as JSON text.
    model: Bytes,
    /// Parameters from the config; the client's win.
    defaults: Vec<(String, Bytes)>,
    /// `extra_body` from the config; wins over the client's.
    extra: Vec<(String, Bytes)>,
    dropped: Vec<String>,
    unsupported: &'static [&'static str],
    drop_unsupported: bool,
    max_tokens: MaxTokens,
    ask_usage: bool,
}

/// Which name the output limit goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MaxTokens {
    AsWritten,
    /// `max_completion_tokens` is renamed to `max_tokens`.
    Old,
    /// `max_tokens` is renamed to `max_completion_tokens`.
    New,
}

/// Fields that speak to the gateway, not to the provider (LiteLLM's names).
pub(in crate::dialects) static OURS: &[&str] = &[
    "metadata",
    "litellm_metadata",
    "litellm_params",
    "litellm_session_id",
    "litellm_trace_id",
    "litellm_call_id",
    "tags",
    "fallbacks",
    "context_window_fallbacks",
    "content_policy_fallbacks",
    "disable_fallbacks",
    "num_retries",
    "max_retries",
    "timeout",
    "stream_timeout",
    "request_timeout",
    "cache",
    "caching",
    "no-log",
    "guardrails",
    "drop_params",
    "additional_drop_params",
    "allowed_openai_params",
    "mock_testing_fallbacks",
    "mock_testing_context_fallbacks",
    "mock_testing_content_policy_fallbacks",
    "proxy_server_request",
    "extra_headers",
];

const ASK_USAGE: &str = r#"{"include_usage":true}"#;

/// OpenAI's models that refuse `max_tokens`.
static REASONING_MODELS: &[&str] = &["o1", "o3", "o4", "gpt-5"];

/// Whether the client asked for the usage chunk of a stream.
pub fn wants_usage(body: &JsonBody) -> bool {
    let Some(raw) = body.raw("stream_options") else { return false };
    let parsed: Result<StreamOptions, _> = serde_json::from_str(raw);
    parsed.is_ok_and(|o| o.include_usage == Some(true))
}

#[derive(serde::Deserialize)]
struct StreamOptions {
    include_usage: Option<bool>,
}

// --- Rules ---

impl Rules {
    pub fn build(row: &'static Row, entry: &ModelEntry, drop_params: bool) -> Self {
        let params = &entry.params;
        let raw = |map: &JsonMap| {
            map.iter().map(|(name, json)| (name.to_owned(), Bytes::from(json.to_owned()))).collect()
        };
        Self {
            provider: row.prefix,
            model: Bytes::from(serde_json::Value::from(entry.upstream_model.as_str()).to_string()),
            defaults: raw(&params.defaults),
            extra: raw(&params.extra_body),
            dropped: params.additional_drop_params.clone(),
            unsupported: row.unsupported(),
            drop_unsupported: params.drop_params.unwrap_or(drop_params),
            max_tokens: max_tokens(row, &entry.upstream_model),
            ask_usage: !row.has(Quirk::UsageUnasked),
        }
    }

    /// The body for the provider.
    pub fn apply(&self, body: &JsonBody, operation: Operation, stream: bool) -> Result<Pieces, ApiError> {
        let mut edits = Edits::default();
        edits.set("model", self.model.clone());
        for field in body.fields() {
            let name = body.name(field);
            if OURS.contains(&name.as_ref()) || self.drops(body, &name)? {
                edits.remove(&name);
            }
        }
        self.rename_limit(body, &mut edits);
        if stream && operation.row().streams {
            self.stream_options(body, &mut edits);
        }
        self.configured(&mut edits);
        Ok(edits.apply(body))
    }

    /// Whether a field is left out. What the provider refuses is refused here, unless it may be dropped.
    fn drops(&self, body: &JsonBody, name: &str) -> Result<bool, ApiError> {
        if self.dropped.iter().any(|d| d == name) {
            return Ok(true);
        }
        if !self.unsupported.contains(&name) {
            return Ok(false);
        }
        if self.drop_unsupported || body.is_true("drop_params") {
            return Ok(true);
        }
        let message = format!(
            "litellm.UnsupportedParamsError: {} does not support parameters: ['{name}']. \
             To drop these, set `litellm_settings.drop_params: true`",
            self.provider
        );
        Err(ApiError::new(Kind::UnsupportedParams, message))
    }

    fn rename_limit(&self, body: &JsonBody, edits: &mut Edits) {
        let (from, to) = match self.max_tokens {
            MaxTokens::AsWritten => return,
            MaxTokens::Old => ("max_completion_tokens", "max_tokens"),
            MaxTokens::New => ("max_tokens", "max_completion_tokens"),
        };
        let Some(limit) = body.raw(from) else { return };
        edits.remove(from);
        edits.set_default(to, Bytes::copy_from_slice(limit.as_bytes()));
    }

    /// The upstream is always asked for usage, whatever the client asked.
    fn stream_options(&self, body: &JsonBody, edits: &mut Edits) {
        if !self.ask_usage {
            edits.remove("stream_options");
            return;
        }
        if wants_usage(body) {
            return;
        }
        let options = body.raw("stream_options").and_then(with_usage);
        edits.set("stream_options", options.unwrap_or_else(|| Bytes::from_static(ASK_USAGE.as_bytes())));
    }

    fn configured(&self, edits: &mut Edits) {
        for (name, value) in &self.defaults {
            edits.set_default(name, value.clone());
        }
        for (name, value) in &self.extra {
            edits.set(name, value.clone());
        }
    }
}

pub(super) fn max_tokens(row: &'static Row, model: &str) -> MaxTokens {
    if row.has(Quirk::MaxTokensOnly) {
        return MaxTokens::Old;
    }
    let new = row.has(Quirk::ReasoningModels) && reasons(model);
    if new { MaxTokens::New } else { MaxTokens::AsWritten }
}

/// Whether this is one of OpenAI's reasoning models.
pub(super) fn reasons(model: &str) -> bool {
    REASONING_MODELS.iter().any(|m| model.starts_with(m))
}

/// The client's other stream options stay as they are.
fn with_usage(raw: &str) -> Option<Bytes> {
    let mut options: serde_json::Map<String, serde_json::Value> = serde_json::from_str(raw).ok()?;
    options.insert("include_usage".into(), true.into());
    serde_json::to_vec(&options).ok().map(Bytes::from)
}
