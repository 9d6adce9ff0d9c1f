//! The request for the provider. Nothing is kept there: whoever comes by another dialect sends the whole conversation
//! each time, so thoughts come back encrypted where the model thinks.

use super::conversation::Conversation;
use super::tools;
use crate::dialects::dialect::{Asked, WireRequest};
use serde_json::{Value, json};
use weir_core::chat::{Format, Object, Reasoning, Request, Role};
use weir_core::error::ApiError;

/// OpenAI's chat parameters that Responses takes, by whatever name. Probabilities are not told back, so they are not
/// asked for.
static SUPPORTED: &[&str] = &[
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "max_tokens",
    "temperature",
    "top_p",
    "response_format",
    "reasoning_effort",
    "user",
    "service_tier",
];

/// Members of the chat API that Responses does not have.
static CHAT_ONLY: &[&str] = &["audio", "logit_bias", "modalities", "prediction", "web_search_options"];

/// Models that think, by how their names begin. Others refuse to encrypt thoughts.
static THINKING: &[&str] = &["o1", "o3", "o4", "gpt-5", "codex", "computer-use", "grok"];

/// The least that OpenAI takes for `max_output_tokens`.
const MIN_OUTPUT: u64 = 16;

/// Budgets of other dialects as efforts: the first row that the budget reaches. LiteLLM's thresholds.
static EFFORTS: &[(u64, &str)] = &[(10_000, "high"), (5_000, "medium"), (2_000, "low"), (0, "minimal")];

pub(in super::super) fn write(mut request: Request, asked: &Asked<'_>) -> Result<WireRequest, ApiError> {
    check(&request, asked)?;
    let mut body = Object::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() && !drops(name, asked) {
            body.insert(name.to_owned(), value);
        }
    };
    let format = request.format.take().map(format);
    put("model", asked.model.into());
    put("instructions", instructions(&mut request).into());
    put("tools", tools::write(&request.tools, asked)?.into());
    put("tool_choice", request.tool_choice.as_ref().map(|c| tools::choice(c, &request.tools)).into());
    put("input", Conversation::write(std::mem::take(&mut request.messages)).into());
    put("parallel_tool_calls", request.parallel_tool_calls.into());
    put("max_output_tokens", limit(request.max_tokens, asked).into());
    put("temperature", request.temperature.take().map(Value::Number).into());
    put("top_p", request.top_p.take().map(Value::Number).into());
    put("text", text(format, request.extra.remove("verbosity")));
    let summarizes = asked.params.summarizes;
    put("reasoning", request.reasoning.as_ref().map_or(Value::Null, |asked| reasoning(asked, summarizes)));
    put("user", request.user.take().into());
    put("service_tier", request.service_tier.take().into());
    put("store", request.extra.remove("store").unwrap_or(false.into()));
    put("include", include(&request, asked));
    put("stream", request.stream.then_some(true).into());
    extend(&mut body, request, asked);
    Ok(WireRequest { body: body.into(), headers: Vec::new() })
}

/// The configuration names parameters as chat does.
static CHAT_NAMES: &[(&str, &str)] = &[
    ("max_output_tokens", "max_tokens"),
    ("max_output_tokens", "max_completion_tokens"),
    ("text", "response_format"),
    ("reasoning", "reasoning_effort"),
];

fn drops(name: &str, asked: &Asked<'_>) -> bool {
    let chat = CHAT_NAMES.iter().filter(|(ours, _)| *ours == name).map(|(_, chat)| *chat);
    std::iter::once(name).chain(chat).any(|name| asked.params.drops(name))
}

fn check(request: &Request, asked: &Asked<'_>) -> Result<(), ApiError> {
    let mut said = request.said();
    said.extend(CHAT_ONLY.iter().filter(|name| request.extra.get(**name).is_some_and(|v| !v.is_null())));
    asked.params.check(&said, SUPPORTED)
}

/// A first system message of one text; others stand where they stood.
fn instructions(request: &mut Request) -> Option<String> {
    let first = request.messages.first().filter(|m| m.role == Role::System && m.content.len() == 1)?;
    let text = first.content.first()?.as_text()?.to_owned();
    // An input is required, so a lone system message stays one.
    if request.messages.len() == 1 {
        return None;
    }
    request.messages.remove(0);
    Some(text)
}

fn limit(max: Option<u64>, asked: &Asked<'_>) -> Option<u64> {
    if asked.params.modify { max.map(|n| n.max(MIN_OUTPUT)) } else { max }
}

fn format(format: Format) -> Value {
    match format {
        Format::Text => json!({ "type": "text" }),
        Format::JsonObject => json!({ "type": "json_object" }),
        Format::JsonSchema { name, description, schema, strict } => {
            let name = name.unwrap_or_else(|| "response".to_owned());
            let mut out = json!({ "type": "json_schema", "name": name, "schema": schema });
            if let Some(out) = out.as_object_mut() {
                out.extend(description.map(|d| ("description".to_owned(), d.into())));
                out.extend(strict.map(|s| ("strict".to_owned(), s.into())));
            }
            out
        }
    }
}

fn text(format: Option<Value>, verbosity: Option<Value>) -> Value {
    let members = [("format", format), ("verbosity", verbosity)];
    let said: Object = members.into_iter().filter_map(|(n, v)| Some((n.to_owned(), v?))).collect();
    if said.is_empty() { Value::Null } else { said.into() }
}

/// LiteLLM's word where the operator wants summaries and the client says none.
const SUMMARY: &str = "detailed";

fn reasoning(asked: &Reasoning, summarizes: bool) -> Value {
    let effort = asked.effort.as_deref().or_else(|| effort(asked));
    match (effort, &asked.summary) {
        (None, None) => Value::Null,
        (Some(effort), None) if summarizes => json!({ "effort": effort, "summary": SUMMARY }),
        (Some(effort), None) => json!({ "effort": effort }),
        (None, Some(summary)) => json!({ "summary": summary }),
        (Some(effort), Some(summary)) => json!({ "effort": effort, "summary": summary }),
    }
}

/// Thinking that is switched off is not asked for; which word means none differs from model to model.
fn effort(asked: &Reasoning) -> Option<&'static str> {
    match (asked.budget, asked.enabled) {
        (_, Some(false)) => None,
        (Some(budget), _) => EFFORTS.iter().find(|(from, _)| budget >= *from).map(|(_, effort)| *effort),
        (None, Some(true)) => Some("medium"),
        (None, None) => asked.adaptive.then_some("medium"),
    }
}

fn include(request: &Request, asked: &Asked<'_>) -> Value {
    let family = asked.model.rsplit('/').next().unwrap_or_default();
    let thinks = THINKING.iter().any(|start| family.starts_with(start)) && !family.contains("-chat");
    let on = request.reasoning.as_ref().is_some_and(|r| r.enabled != Some(false));
    if thinks || on { json!(["reasoning.encrypted_content"]) } else { Value::Null }
}

/// What the model does not know goes on as it is; what was said by name and is allowed by the configuration, too.
fn extend(body: &mut Object, request: Request, asked: &Asked<'_>) {
    let params = asked.params;
    let allowed = |name: &str| params.allowed.iter().any(|a| a == name);
    let named = [
        ("seed", request.seed.map(Value::from)),
        ("stop", (!request.stop.is_empty()).then(|| request.stop.into())),
        ("presence_penalty", request.presence_penalty.map(Value::Number)),
        ("frequency_penalty", request.frequency_penalty.map(Value::Number)),
        ("n", request.n.filter(|n| *n > 1).map(Value::from)),
        ("top_logprobs", request.top_logprobs.map(Value::from)),
    ];
    let named = named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    body.extend(named.filter(|(name, _)| allowed(name)));
    let passes = |name: &str| {
        let chat_only = CHAT_ONLY.contains(&name) || name == "stream_options";
        (!chat_only || allowed(name)) && !params.drops(name)
    };
    body.extend(request.extra.into_iter().filter(|(name, _)| passes(name)));
}
