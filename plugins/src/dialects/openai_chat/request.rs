//! What is changed in a request before it goes upstream: the model, what is ours alone, what this provider refuses.

use crate::dialects::{Params, WireBody, gemini};
use crate::providers::vertex::claude;
use crate::providers::{Quirk, Row};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::LazyLock;
use weir_core::body::{Edits, JsonBody, Pieces};
use weir_core::chat::{Dialect, Object};
use weir_core::config::{JsonMap, LitellmSettings, ModelEntry};
use weir_core::domain::operation::Operation;
use weir_core::error::ApiError;

/// The edits of one deployment, decided when it is built.
#[derive(Debug)]
pub struct Rules {
    /// The upstream model as JSON text.
    model: Bytes,
    /// Parameters from the config; the client's win.
    defaults: Vec<(String, Bytes)>,
    /// `extra_body` from the config; wins over the client's.
    extra: Vec<(String, Bytes)>,
    unsupported: &'static [&'static str],
    params: Params,
    max_tokens: MaxTokens,
    ask_usage: bool,
    /// Anthropic's version, where it stands in the body and the model in the path.
    version: Option<&'static str>,
    /// What embeddings are for, where the client does not say and the provider must be told.
    purpose: Option<String>,
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
pub(crate) static OURS: &[&str] = &[
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
    "turn_off_message_logging",
    "guardrails",
    "guardrail_config",
    "cache_control_injection_points",
    "merge_reasoning_content_in_choices",
    "drop_params",
    "additional_drop_params",
    "allowed_openai_params",
    "mock_testing_fallbacks",
    "mock_testing_context_fallbacks",
    "mock_testing_content_policy_fallbacks",
    "proxy_server_request",
    "extra_headers",
];

/// The same, to be looked up: every field of every request is.
static ARE_OURS: LazyLock<HashSet<&str>> = LazyLock::new(|| OURS.iter().copied().collect());

const ANTHROPIC_VERSION: HeaderName = HeaderName::from_static("anthropic-version");
const ANTHROPIC_BETA: HeaderName = HeaderName::from_static("anthropic-beta");

/// Where a client names parameters that shall not go out.
const DROPPED: &str = "additional_drop_params";

const ASK_USAGE: &str = r#"{"include_usage":true}"#;

/// Cohere's member for what embeddings are for, and what adapters say there.
const PURPOSE: &str = "input_type";
const USUAL_PURPOSE: &str = "search_document";

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

/// Whether the client itself wants one of these parameters left out. Not every way to a provider heeds that.
pub fn client_drops(body: &JsonBody, any_of: &[&str]) -> bool {
    names(body, DROPPED).iter().any(|name| any_of.contains(&name.as_str()))
}

// --- Rules ---

impl Rules {
    pub fn build(row: &'static Row, entry: &ModelEntry, settings: &LitellmSettings) -> Self {
        let params = &entry.params;
        let raw = |map: &JsonMap| {
            map.iter().map(|(name, json)| (name.to_owned(), Bytes::from(json.to_owned()))).collect()
        };
        Self {
            model: Bytes::from(Value::from(model_of(row, entry)).to_string()),
            defaults: raw(&params.defaults),
            extra: raw(&params.extra_body),
            unsupported: row.unsupported(),
            params: params_of(row, entry, settings),
            max_tokens: max_tokens(row, &entry.upstream_model),
            ask_usage: !row.has(Quirk::UsageUnasked),
            version: row.version_in_body(),
            purpose: settings.library.input_type.clone(),
        }
    }

    /// The body for a provider that speaks the client's dialect. `limit`: more output tokens than these are not paid for.
    pub fn apply(
        &self,
        body: &JsonBody,
        operation: Operation,
        dialect: Dialect,
        stream: bool,
        limit: Option<u64>,
    ) -> Result<Pieces, ApiError> {
        let mut edits = Edits::default();
        self.name_model(operation, dialect, &mut edits);
        for field in body.fields() {
            let name = body.name(field);
            if is_ours(&name, dialect) || self.drops(body, &name)? {
                edits.remove(&name);
            }
        }
        if dialect == Dialect::OpenAiChat {
            self.rename_limit(body, &mut edits);
            if stream && matches!(operation, Operation::Chat | Operation::Completions) {
                self.stream_options(body, &mut edits);
            }
        }
        // Who only counts knows no parameters of answers.
        if !operation.counts() {
            self.configured(&mut edits);
        }
        if let Some(limit) = limit {
            self.limit_output(body, operation, dialect, limit, &mut edits);
        }
        Ok(edits.apply(body))
    }

    /// The model, where it stands in the body: not for Gemini, nor for Claude where the version stands there.
    fn name_model(&self, operation: Operation, dialect: Dialect, edits: &mut Edits) {
        let version = self.version.filter(|_| dialect == Dialect::AnthropicMessages);
        if let Some(version) = version {
            edits.set("anthropic_version", Bytes::from(Value::from(version).to_string()));
        }
        // Counting has an address for all models.
        let in_path = version.is_some() && operation != Operation::CountTokens;
        if in_path || dialect == Dialect::Gemini {
            edits.remove("model");
        } else {
            edits.set("model", self.model.clone());
        }
    }

    /// What this provider wants otherwise in a request that was written in a dialect.
    pub fn shape(&self, dialect: Dialect, body: &mut WireBody) {
        let Some(version) = self.version else { return };
        match dialect {
            Dialect::AnthropicMessages => {
                body.shift_remove("model");
                body.insert("anthropic_version".into(), version.into());
            }
            Dialect::OpenAiChat => {
                body.extend(
                    serde_json::from_slice(&self.model).ok().map(|model| ("model".to_owned(), model)),
                );
            }
            _ => {}
        }
    }

    /// Takes back headers that stand in the body here, and betas that are not known here.
    pub fn mend_headers(&self, headers: &mut HeaderMap) {
        if self.version.is_none() {
            return;
        }
        headers.remove(ANTHROPIC_VERSION);
        let Some(asked) = headers.remove(ANTHROPIC_BETA) else { return };
        let kept = asked.to_str().map(claude::betas).unwrap_or_default().join(",");
        if let Some(kept) = HeaderValue::from_str(&kept).ok().filter(|kept| !kept.is_empty()) {
            headers.insert(ANTHROPIC_BETA, kept);
        }
    }

    /// The rules for a request that is translated. Only a client that speaks OpenAI's parameters can be told which of
    /// them a provider lacks; what others say beyond it is left out.
    pub fn params_for(&self, body: &JsonBody, client: Dialect) -> Params {
        let mut params = self.params.clone();
        let speaks = matches!(client, Dialect::OpenAiChat | Dialect::OpenAiCompletions);
        params.drop |= !speaks || body.is_true("drop_params");
        params.allowed.extend(names(body, "allowed_openai_params"));
        params.additional_drop.extend(names(body, DROPPED));
        params
    }

    /// What a parameter says when it goes out, as JSON: the config's word, else the client's, else the config's default.
    pub fn said<'a>(&'a self, body: &'a JsonBody, name: &str) -> Option<&'a [u8]> {
        let among = |list: &'a [(String, Bytes)]| {
            list.iter().find(|(other, _)| other == name).map(|(_, value)| &value[..])
        };
        let dropped = self.params.drops(name) || self.unsupported.contains(&name);
        let asked = || body.raw(name).filter(|_| !dropped).map(str::as_bytes);
        among(&self.extra).or_else(asked).or_else(|| among(&self.defaults))
    }

    /// The client's body with the config's parameters where it has none.
    pub fn with_defaults<'b>(&self, body: &'b JsonBody) -> Cow<'b, JsonBody> {
        if self.defaults.is_empty() {
            return Cow::Borrowed(body);
        }
        let mut edits = Edits::default();
        for (name, value) in &self.defaults {
            edits.set_default(name, value.clone());
        }
        let whole = Bytes::from(edits.apply(body).concat());
        JsonBody::parse(whole).map_or(Cow::Borrowed(body), Cow::Owned)
    }

    /// Puts what the config says over a request that was written for the provider.
    pub fn put_over(&self, body: &mut impl Extend<(String, Value)>) {
        let read = |(name, value): &(String, Bytes)| {
            Some((name.clone(), serde_json::from_slice::<Value>(value).ok()?))
        };
        body.extend(self.extra.iter().filter_map(read));
    }

    /// The operator's purpose in a request for embeddings, in place of the one that is said where nobody says any.
    pub fn put_purpose(&self, asked: &JsonBody, body: &mut Object) {
        let Some(purpose) = self.purpose.as_ref().filter(|_| asked.raw(PURPOSE).is_none()) else { return };
        if let Some(said) = body.get_mut(PURPOSE).filter(|said| **said == *USUAL_PURPOSE) {
            *said = purpose.as_str().into();
        }
    }

    /// Whether a field is left out. What the provider refuses is refused here, unless it may be dropped.
    fn drops(&self, body: &JsonBody, name: &str) -> Result<bool, ApiError> {
        if self.params.drops(name) {
            return Ok(true);
        }
        let Some(name) = self.unsupported.iter().copied().find(|n| *n == name) else { return Ok(false) };
        if !body.is_true("drop_params") {
            self.params.check(&[name], &[])?;
        }
        Ok(true)
    }

    /// Whatever the client or the config says, the answer is no longer than that.
    fn limit_output(
        &self,
        body: &JsonBody,
        operation: Operation,
        dialect: Dialect,
        limit: u64,
        edits: &mut Edits,
    ) {
        let text = |limit: u64| Bytes::from(limit.to_string());
        let name = match dialect {
            Dialect::OpenAiResponses => "max_output_tokens",
            Dialect::Gemini => return gemini::set_limit(body, limit, edits),
            Dialect::OpenAiChat if operation == Operation::Chat => {
                let new = self.max_tokens == MaxTokens::New
                    || self.max_tokens == MaxTokens::AsWritten && body.raw("max_completion_tokens").is_some();
                if new { "max_completion_tokens" } else { "max_tokens" }
            }
            _ => "max_tokens",
        };
        let asked = body.raw(name).and_then(|raw| raw.trim().parse::<u64>().ok());
        edits.set(name, text(asked.map_or(limit, |asked| asked.min(limit))));
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

/// Vertex names versions of a model after an `@` in the path alone.
fn model_of<'e>(row: &Row, entry: &'e ModelEntry) -> &'e str {
    let model = entry.upstream_model.as_str();
    let in_path = row.version_in_body().is_some() && !model.contains("claude");
    if in_path { model.split('@').next().unwrap_or(model) } else { model }
}

/// Whether a field speaks to the gateway. Only in OpenAI's chats and completions is `metadata` one of them.
pub(crate) fn is_ours(name: &str, dialect: Dialect) -> bool {
    ARE_OURS.contains(name) && (name != "metadata" || dialect == Dialect::OpenAiChat)
}

/// A list of names in a request; what is none is not understood.
fn names(body: &JsonBody, field: &str) -> Vec<String> {
    body.raw(field).and_then(|raw| serde_json::from_str(raw).ok()).unwrap_or_default()
}

fn params_of(row: &'static Row, entry: &ModelEntry, settings: &LitellmSettings) -> Params {
    Params {
        provider: row.prefix.to_owned(),
        drop: entry.params.drop_params.unwrap_or(settings.drop_params),
        additional_drop: entry.params.additional_drop_params.clone(),
        allowed: entry.params.allowed_openai_params.clone(),
        modify: settings.modify_params,
        max_tokens: settings.library.max_tokens,
        summarizes: settings.library.summarizes_thoughts,
        budgets: settings.library.budgets,
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
    let mut options: Object = serde_json::from_str(raw).ok()?;
    options.insert("include_usage".into(), true.into());
    serde_json::to_vec(&options).ok().map(Bytes::from)
}
