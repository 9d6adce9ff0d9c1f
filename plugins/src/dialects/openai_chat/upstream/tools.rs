//! Tools, and which of them to use.

use super::target::Target;
use crate::dialects::{Asked, WireBody};
use crate::providers::Quirk;
use serde_json::{Value, json};
use weir_core::chat::{Dialect, Object, Request, Tool, ToolChoice, ToolKind};
use weir_core::error::{ApiError, Kind};

/// Members of tools that belong to other dialects.
static FOREIGN: &[&str] =
    &["allowed_callers", "defer_loading", "eager_input_streaming", "input_examples", "type", "filters"];

/// `tools`, `tool_choice` and `parallel_tool_calls`; the latter two are refused where there are no tools.
pub(super) fn write(
    request: &mut Request,
    asked: &Asked<'_>,
    target: &Target<'_>,
    body: &mut WireBody,
) -> Result<(), ApiError> {
    let choice = request.tool_choice.take().map(|choice| choice_value(choice, &request.tools));
    let mut tools = Vec::with_capacity(request.tools.len());
    for tool in std::mem::take(&mut request.tools) {
        tools.extend(tool_value(tool, asked, target, body)?);
    }
    if tools.is_empty() {
        return Ok(());
    }
    body.insert("tools".into(), tools.into());
    if let Some(choice) = choice {
        body.insert("tool_choice".into(), choice);
    }
    if let Some(parallel) = request.parallel_tool_calls {
        body.insert("parallel_tool_calls".into(), parallel.into());
    }
    Ok(())
}

/// `None`: the tool is written elsewhere or left out.
fn tool_value(
    tool: Tool,
    asked: &Asked<'_>,
    target: &Target<'_>,
    body: &mut WireBody,
) -> Result<Option<Value>, ApiError> {
    let Tool { kind, cache, extra } = tool;
    let mut told = match kind {
        ToolKind::Function { name, description, parameters, strict } => {
            function(name, description, parameters, strict)
        }
        ToolKind::Custom { name, description, format } => custom(name, description, format),
        ToolKind::Provider { dialect: Dialect::OpenAiChat, value } => return Ok(Some(value)),
        ToolKind::Provider { value, .. } => return provider(&value, asked, target, body).map(|()| None),
    };
    if let Some(cache) = cache.filter(|_| target.has(Quirk::CacheControl)) {
        told.insert("cache_control".into(), cache);
    }
    for (name, value) in extra {
        if !FOREIGN.contains(&name.as_str()) && !told.contains_key(&name) {
            told.insert(name, value);
        }
    }
    Ok(Some(Value::Object(told)))
}

fn function(
    name: String,
    description: Option<String>,
    schema: Option<Value>,
    strict: Option<bool>,
) -> Object {
    let mut inner = Object::new();
    inner.insert("name".into(), name.into());
    if let Some(description) = description {
        inner.insert("description".into(), description.into());
    }
    if let Some(schema) = schema {
        inner.insert("parameters".into(), schema);
    }
    if let Some(strict) = strict {
        inner.insert("strict".into(), strict.into());
    }
    wrap("function", inner)
}

fn custom(name: String, description: Option<String>, format: Option<Value>) -> Object {
    let mut inner = Object::new();
    inner.insert("name".into(), name.into());
    if let Some(description) = description {
        inner.insert("description".into(), description.into());
    }
    if let Some(format) = format {
        inner.insert("format".into(), format);
    }
    wrap("custom", inner)
}

fn wrap(kind: &str, inner: Object) -> Object {
    let mut told = Object::new();
    told.insert("type".into(), kind.into());
    told.insert(kind.into(), inner.into());
    told
}

/// Web search is a parameter in this dialect, and only models made for it take it; elsewhere it is left out: the model
/// answers without. A tool that the provider cannot run is refused like a parameter, since the client counts on it.
fn provider(
    value: &Value,
    asked: &Asked<'_>,
    target: &Target<'_>,
    body: &mut WireBody,
) -> Result<(), ApiError> {
    let kind = value.get("type").and_then(Value::as_str).unwrap_or_default();
    if kind.starts_with("web_search") {
        if target.has(Quirk::WebSearch) || target.model.contains("search") {
            body.insert("web_search_options".into(), web_search(value));
        }
        return Ok(());
    }
    if asked.params.drop {
        return Ok(());
    }
    let message = format!(
        "litellm.UnsupportedParamsError: {} does not support the tool '{kind}'. \
         To drop it, set `litellm_settings.drop_params: true`",
        asked.provider
    );
    Err(ApiError::new(Kind::UnsupportedParams, message).with_param("tools"))
}

/// Anthropic's and Responses' place of the user has its members beside `type`, OpenAI chat's has them below it.
fn web_search(tool: &Value) -> Value {
    let mut options = Object::new();
    if let Some(size) = tool.get("search_context_size") {
        options.insert("search_context_size".into(), size.clone());
    }
    if let Some(Value::Object(place)) = tool.get("user_location") {
        let mut place = place.clone();
        place.shift_remove("type");
        options.insert("user_location".into(), json!({ "type": "approximate", "approximate": place }));
    }
    Value::Object(options)
}

fn choice_value(choice: ToolChoice, tools: &[Tool]) -> Value {
    let name = match choice {
        ToolChoice::Auto => return "auto".into(),
        ToolChoice::None => return "none".into(),
        ToolChoice::Required => return "required".into(),
        ToolChoice::Named(name) => name,
    };
    let is_custom = |tool: &Tool| matches!(&tool.kind, ToolKind::Custom { name: n, .. } if *n == name);
    let kind = if tools.iter().any(is_custom) { "custom" } else { "function" };
    json!({ "type": kind, kind: { "name": name } })
}
