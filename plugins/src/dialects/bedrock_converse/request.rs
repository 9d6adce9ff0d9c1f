//! Converse's body.

use super::{Model, additional, messages, support, thinking, tools};
use crate::dialects::dialect::{Asked, WireRequest};
use serde_json::{Value, json};
use weir_core::chat::{Kind, Object, Request, Role};
use weir_core::error::ApiError;

/// # Errors
/// 400 for parameters, tools and media that Bedrock does not take.
pub(super) fn write(mut request: Request, asked: &Asked<'_>) -> Result<WireRequest, ApiError> {
    let model = Model::of(asked.model);
    tools::add_grounding(&mut request, &model);
    support::admit(&mut request, &model, asked.params)?;
    if asked.params.modify && lost_its_thoughts(&request) {
        request.reasoning = None;
    }
    let system = messages::system(&request.take_system(), &model);
    let mut top = additional::top_level(&mut request);
    let own_inference = request.extra.shift_remove("inferenceConfig");
    let fields = additional::fields(&mut request, &model, asked);
    let tool_config = tools::config(&mut request, &model, asked, thinking::thinks(&fields))?;
    let mut conversation = messages::write(&request.messages, &model, asked)?;
    mark_end(&mut conversation, &request, &model);

    let mut body = Object::new();
    body.insert("messages".to_owned(), Value::Array(conversation));
    body.insert("additionalModelRequestFields".to_owned(), Value::Object(fields));
    body.insert("system".to_owned(), Value::Array(system));
    body.insert("inferenceConfig".to_owned(), Value::Object(inference(&request, own_inference)));
    body.append(&mut top);
    body.extend(tool_config.map(|config| ("toolConfig".to_owned(), config)));
    Ok(WireRequest { body: body.into(), headers: Vec::new() })
}

fn inference(request: &Request, own: Option<Value>) -> Object {
    let mut config = match own {
        Some(Value::Object(own)) => own,
        _ => Object::new(),
    };
    let stop: Vec<&String> = request.stop.iter().filter(|stop| !stop.is_empty()).collect();
    let said = [
        ("temperature", request.temperature.clone().map(Value::Number)),
        ("topP", request.top_p.clone().map(Value::Number)),
        ("stopSequences", (!stop.is_empty()).then(|| json!(stop))),
        ("maxTokens", request.max_tokens.map(|max| json!(max))),
    ];
    config.extend(said.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    config
}

/// `cache_control` of the whole request: a point behind the last message.
fn mark_end(conversation: &mut [Value], request: &Request, model: &Model<'_>) {
    let Some(cache) = &request.cache else { return };
    let last = conversation.last_mut().and_then(|message| message["content"].as_array_mut());
    if let Some(content) =
        last.filter(|content| content.last().is_some_and(|b| b.get("cachePoint").is_none()))
    {
        content.push(messages::cache_point(cache, model));
    }
}

/// Claude does not think on over tool calls whose thoughts are gone.
fn lost_its_thoughts(request: &Request) -> bool {
    let last = request.messages.iter().rev().find(|m| m.role == Role::Assistant);
    let Some(last) = last else { return false };
    let is_call = |kind: &Kind| matches!(kind, Kind::ToolCall(_));
    let is_thought = |kind: &Kind| matches!(kind, Kind::Thinking { .. } | Kind::RedactedThinking { .. });
    last.content.iter().any(|p| is_call(&p.kind)) && !last.content.iter().any(|p| is_thought(&p.kind))
}
