//! The top of a request.

use super::target::Target;
use super::{message, params, tools};
use crate::dialects::{Asked, WireBody, WireRequest};
use crate::providers::Quirk;
use serde_json::{Value, json};
use weir_core::chat::{Format, Object, Reasoning, Request};
use weir_core::error::ApiError;

/// Members of other dialects that mean nothing to OpenAI's; everything else that the model does not know goes along.
static FOREIGN: &[&str] = &[
    // Anthropic.
    "anthropic_beta",
    "anthropic_version",
    "betas",
    "container",
    "context_management",
    "inference_geo",
    "mcp_servers",
    "output_config",
    "output_format",
    "speed",
    // OpenAI Responses.
    "background",
    "conversation",
    "include",
    "input",
    "instructions",
    "max_tool_calls",
    "previous_response_id",
    "prompt",
    "text",
    "truncation",
    // Gemini, which may be written in either way.
    "cachedContent",
    "cached_content",
    "contents",
    "generationConfig",
    "generation_config",
    "labels",
    "safetySettings",
    "safety_settings",
    "systemInstruction",
    "system_instruction",
    "toolConfig",
    "tool_config",
];

/// Budgets of thinking tokens as efforts, LiteLLM's thresholds.
static EFFORTS: &[(u64, &str)] = &[(10_000, "high"), (5_000, "medium"), (2_000, "low")];

/// OpenAI refuses longer ids of end users; Claude Code sends them.
const MAX_USER: usize = 64;

/// What goes to the provider.
pub(in super::super) fn write(mut request: Request, asked: &Asked<'_>) -> Result<WireRequest, ApiError> {
    let target = Target::of(asked);
    let refused = params::refused(&request, asked, &target);
    asked.params.check(&refused, &[])?;
    let mut body = WireBody::default();
    body.insert("model".into(), asked.model.into());
    let messages = message::write_all(std::mem::take(&mut request.messages), &target)?;
    body.insert_text("messages".into(), messages);
    tools::write(&mut request, asked, &target, &mut body)?;
    sampling(&request, &target, &mut body);
    reasoning(request.reasoning.as_ref(), &target, &mut body);
    if let Some(format) = request.format.take() {
        body.insert("response_format".into(), format_value(format));
    }
    put(&mut body, "user", request.user.take().map(|user| shorten(user, &target)));
    put(&mut body, "service_tier", request.service_tier.take().map(tier));
    if request.stream {
        body.insert("stream".into(), true.into());
        if !target.has(Quirk::UsageUnasked) {
            body.insert("stream_options".into(), json!({ "include_usage": true }));
        }
    }
    for (name, value) in request.extra {
        if !FOREIGN.contains(&name.as_str()) && !body.contains_key(&name) {
            body.insert(name, value);
        }
    }
    params::prune(&mut body, &refused, asked.params);
    Ok(WireRequest { body, headers: Vec::new() })
}

fn put<T: Into<Value>>(body: &mut impl Extend<(String, Value)>, name: &str, value: Option<T>) {
    body.extend(value.map(|value| (name.to_owned(), value.into())));
}

fn sampling(request: &Request, target: &Target<'_>, body: &mut WireBody) {
    put(body, target.limit_name(), request.max_tokens);
    put(body, "temperature", request.temperature.clone().map(Value::Number));
    put(body, "top_p", request.top_p.clone().map(Value::Number));
    put(body, "top_k", request.top_k);
    put(body, "stop", (!request.stop.is_empty()).then(|| request.stop.clone()));
    put(body, "seed", request.seed);
    put(body, "presence_penalty", request.presence_penalty.clone().map(Value::Number));
    put(body, "frequency_penalty", request.frequency_penalty.clone().map(Value::Number));
    put(body, "n", request.n);
    put(body, "logprobs", request.logprobs);
    put(body, "top_logprobs", request.top_logprobs);
}

/// An effort that the client named goes as it is. One that only follows from a budget goes to models that are known to
/// take it: clients like Claude Code send a budget always.
fn reasoning(reasoning: Option<&Reasoning>, target: &Target<'_>, body: &mut WireBody) {
    let Some(reasoning) = reasoning else { return };
    if target.has(Quirk::ThinkingSwitch)
        && let Some(enabled) = reasoning.enabled
    {
        body.insert("thinking".into(), json!({ "type": if enabled { "enabled" } else { "disabled" } }));
    }
    if reasoning.enabled == Some(false) {
        return;
    }
    let derived = || reasoning.budget.filter(|_| target.takes_effort()).map(effort);
    let Some(word) = reasoning.effort.as_deref().or_else(derived) else { return };
    let word = match word {
        // Anthropic's word.
        "max" => "high",
        "minimal" if target.is_openai() && !target.knows_minimal() => "low",
        word => word,
    };
    body.insert("reasoning_effort".into(), word.into());
}

fn effort(budget: u64) -> &'static str {
    EFFORTS.iter().find(|(least, _)| budget >= *least).map_or("minimal", |(_, word)| word)
}

fn format_value(format: Format) -> Value {
    match format {
        Format::Text => json!({ "type": "text" }),
        Format::JsonObject => json!({ "type": "json_object" }),
        Format::JsonSchema { name, description, schema, strict } => {
            let mut inner = Object::new();
            // OpenAI wants a name.
            inner.insert("name".into(), name.unwrap_or_else(|| "response".into()).into());
            put(&mut inner, "description", description);
            inner.insert("schema".into(), schema);
            put(&mut inner, "strict", strict);
            json!({ "type": "json_schema", "json_schema": inner })
        }
    }
}

fn shorten(user: String, target: &Target<'_>) -> String {
    if target.is_openai() { user.chars().take(MAX_USER).collect() } else { user }
}

/// Anthropic's word for no priority.
fn tier(tier: String) -> String {
    if tier == "standard_only" { "default".to_owned() } else { tier }
}
