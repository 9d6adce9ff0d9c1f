//! A request for `/v2/chat`.

use super::message;
use crate::dialects::settle::settle;
use crate::dialects::{Asked, WireRequest};
use serde_json::{Map, Value, json};
use weir_core::chat::{Format, Object, Reasoning, Request, Tool, ToolChoice, ToolKind};
use weir_core::error::{ApiError, Kind};

/// LiteLLM's list, and what Cohere has learnt since. `user` is taken and left out.
pub(super) static SUPPORTED: &[&str] = &[
    "max_tokens",
    "temperature",
    "top_p",
    "stop",
    "seed",
    "presence_penalty",
    "frequency_penalty",
    "tools",
    "tool_choice",
    "logprobs",
    "response_format",
    "reasoning_effort",
    "user",
];

pub(super) fn write(mut request: Request, asked: &Asked<'_>) -> Result<WireRequest, ApiError> {
    settle(&mut request, asked.params, SUPPORTED)?;
    let mut body = Object::new();
    body.insert("model".into(), asked.model.into());
    let (messages, documents) = message::messages(std::mem::take(&mut request.messages))?;
    body.insert("messages".into(), messages.into());
    if !documents.is_empty() {
        body.insert("documents".into(), documents.into());
    }
    tools(&request, asked, &mut body)?;
    body.extend(options(&request));
    body.insert("stream".into(), request.stream.into());
    // `documents`, `safety_mode`, `citation_options` and whatever else the client knows of Cohere.
    body.extend(request.extra.into_iter().filter(|(_, value)| !value.is_null()));
    Ok(WireRequest { body: body.into(), headers: Vec::new() })
}

fn options(request: &Request) -> Object {
    let number = |n: &Option<serde_json::Number>| n.clone().map(Value::Number);
    let stop = (!request.stop.is_empty()).then(|| request.stop.clone().into());
    let said = [
        ("max_tokens", request.max_tokens.map(Value::from)),
        ("temperature", number(&request.temperature)),
        ("p", number(&request.top_p)),
        ("k", request.top_k.map(Value::from)),
        ("stop_sequences", stop),
        ("seed", request.seed.map(Value::from)),
        ("presence_penalty", number(&request.presence_penalty)),
        ("frequency_penalty", number(&request.frequency_penalty)),
        ("logprobs", request.logprobs.map(Value::from)),
        ("response_format", request.format.as_ref().and_then(format)),
        ("thinking", request.reasoning.as_ref().and_then(thinking)),
    ];
    said.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

fn format(format: &Format) -> Option<Value> {
    match format {
        Format::Text => None,
        Format::JsonObject => Some(json!({ "type": "json_object" })),
        Format::JsonSchema { schema, .. } => Some(json!({ "type": "json_object", "json_schema": schema })),
    }
}

/// On or off, and how many tokens. There are no levels.
fn thinking(reasoning: &Reasoning) -> Option<Value> {
    let on = match reasoning {
        Reasoning { enabled: Some(is), .. } => *is,
        Reasoning { effort: Some(effort), .. } => effort != "none",
        Reasoning { budget: Some(budget), .. } => *budget > 0,
        _ => return None,
    };
    let mut thinking = Map::new();
    thinking.insert("type".into(), if on { "enabled" } else { "disabled" }.into());
    if let (true, Some(budget)) = (on, reasoning.budget) {
        thinking.insert("token_budget".into(), budget.into());
    }
    Some(thinking.into())
}

/// A named tool becomes the only one, and one must be called: Cohere cannot name it.
fn tools(request: &Request, asked: &Asked<'_>, body: &mut Object) -> Result<(), ApiError> {
    let known = |tool: &Tool| matches!(tool.kind, ToolKind::Function { .. });
    if !asked.params.drop && !request.tools.iter().all(known) {
        let message = format!("{} takes tools of type 'function' only", asked.provider);
        return Err(ApiError::new(Kind::UnsupportedParams, message));
    }
    let wanted = |tool: &&Tool| match &request.tool_choice {
        Some(ToolChoice::Named(name)) => tool.name() == Some(name),
        _ => true,
    };
    let tools: Vec<Value> = request.tools.iter().filter(wanted).filter_map(function).collect();
    if tools.is_empty() {
        return Ok(());
    }
    body.insert("tools".into(), tools.into());
    let choice = match &request.tool_choice {
        Some(ToolChoice::None) => Some("NONE"),
        Some(ToolChoice::Required | ToolChoice::Named(_)) => Some("REQUIRED"),
        Some(ToolChoice::Auto) | None => None,
    };
    body.extend(choice.map(|c| ("tool_choice".to_owned(), c.into())));
    if request.tools.iter().any(is_strict) {
        body.insert("strict_tools".into(), true.into());
    }
    Ok(())
}

fn is_strict(tool: &Tool) -> bool {
    matches!(tool.kind, ToolKind::Function { strict: Some(true), .. })
}

fn function(tool: &Tool) -> Option<Value> {
    let ToolKind::Function { name, description, parameters, .. } = &tool.kind else { return None };
    let mut function = Map::new();
    function.insert("name".into(), name.as_str().into());
    function.extend(description.as_deref().map(|d| ("description".to_owned(), d.into())));
    function.extend(parameters.clone().map(|p| ("parameters".to_owned(), p)));
    Some(json!({ "type": "function", "function": function }))
}
