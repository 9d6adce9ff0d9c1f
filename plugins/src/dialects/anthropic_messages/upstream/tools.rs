//! Tools and the choice among them; a JSON schema as a tool.

use super::super::{DIALECT, write_parts};
use super::model::Model;
use super::schema;
use crate::dialects::Asked;
use crate::dialects::json_tool::{self, JSON_TOOL};
use serde_json::{Value, json};
use weir_core::chat::{Kind, Message, Object, Request, Tool, ToolChoice, ToolKind};
use weir_core::error::{ApiError, Kind as ErrorKind};

/// Searches that OpenAI's `search_context_size` stands for. LiteLLM's numbers.
static SEARCHES: &[(&str, u64)] = &[("low", 1), ("medium", 5), ("high", 10)];

/// Members of a tool that OpenAI's clients may say in Anthropic's words, as with LiteLLM. Others are refused.
static KEPT: &[&str] = &["allowed_callers", "defer_loading", "eager_input_streaming", "input_examples"];

/// `tools` and `tool_choice`; empty and `None` where there are none.
#[derive(Default)]
pub(super) struct Tools {
    pub tools: Vec<Value>,
    pub choice: Option<Value>,
}

/// Takes the tools out of the request. `faithful`: as a client of this dialect said it.
pub(super) fn write(
    request: &mut Request,
    asked: &Asked<'_>,
    model: Model,
    faithful: bool,
) -> Result<Tools, ApiError> {
    json_tool::refuse_own(request)?;
    let mut tools = Vec::new();
    for tool in std::mem::take(&mut request.tools) {
        tools.extend(write_tool(tool, asked, model, faithful)?);
    }
    if let Some(options) = request.extra.shift_remove("web_search_options").filter(|_| !faithful) {
        tools.push(web_search(&options));
    }
    if tools.is_empty() && !faithful && request.messages.iter().any(has_tool_parts) {
        tools.push(stand_in(asked)?);
    }
    // Without tools there is nothing to choose: refused.
    let choice = if tools.is_empty() { None } else { choice(request) };
    Ok(Tools { tools, choice })
}

/// The schema as a tool that the model must call; its call comes back as text.
pub(super) fn add_json_tool(out: &mut Tools, schema: Value, description: Option<String>, is_thinking: bool) {
    let others = !out.tools.is_empty();
    out.tools.push(function(JSON_TOOL, description, object_schema(schema), None));
    out.choice = match (is_thinking, others) {
        // Anthropic refuses to force a tool on a model that thinks.
        (true, _) => out.choice.take(),
        // The client's own tools stay within reach.
        (false, true) => Some(json!({ "type": "any" })),
        (false, false) => Some(json!({ "type": "tool", "name": JSON_TOOL })),
    };
}

fn write_tool(
    tool: Tool,
    asked: &Asked<'_>,
    model: Model,
    faithful: bool,
) -> Result<Option<Value>, ApiError> {
    let Tool { kind, cache, mut extra } = tool;
    if !faithful {
        extra.retain(|name, _| KEPT.contains(&name.as_str()));
    }
    let mut value = match kind {
        ToolKind::Function { name, description, parameters, strict } => {
            let schema = object_schema(parameters.unwrap_or_default());
            // A strict tool must obey the rules for formats; whoever speaks this dialect knows them.
            let strict =
                strict.filter(|s| faithful || (*s && model.has_formats() && schema::is_plain(&schema)));
            function(&name, description, schema, strict)
        }
        ToolKind::Custom { name, description, .. } => function(&name, description, free_text_schema(), None),
        ToolKind::Provider { dialect, value } if dialect == DIALECT || is_anthropics(&value) => value,
        ToolKind::Provider { value, .. } if is_web_search(&value) => web_search(&value),
        ToolKind::Provider { .. } if asked.params.drop => return Ok(None),
        ToolKind::Provider { value, .. } => return Err(no_such_tool(&value, asked)),
    };
    if let Value::Object(object) = &mut value {
        object.extend(extra);
        object.extend(cache.map(|cache| ("cache_control".to_owned(), cache)));
    }
    Ok(Some(value))
}

fn function(name: &str, description: Option<String>, schema: Value, strict: Option<bool>) -> Value {
    let mut out = Object::new();
    out.insert("name".to_owned(), name.into());
    out.insert("input_schema".to_owned(), schema);
    out.extend(description.map(|text| ("description".to_owned(), text.into())));
    out.extend(strict.map(|strict| ("strict".to_owned(), strict.into())));
    Value::Object(out)
}

/// Anthropic wants a schema of an object.
fn object_schema(schema: Value) -> Value {
    match schema {
        Value::Object(object) if object.contains_key("type") => Value::Object(object),
        Value::Object(object) => {
            let typed = std::iter::once(("type".to_owned(), json!("object")));
            Value::Object(typed.chain(object).collect::<Object>())
        }
        _ => json!({ "type": "object", "properties": {} }),
    }
}

fn free_text_schema() -> Value {
    let text = write_parts::FREE_TEXT;
    json!({ "type": "object", "properties": { text: { "type": "string" } }, "required": [text] })
}

/// Anthropic's tools have dated types (`web_search_20250305`); LiteLLM takes them from OpenAI's clients, too.
fn is_anthropics(tool: &Value) -> bool {
    let date = tool["type"].as_str().and_then(|kind| kind.rsplit('_').next()).unwrap_or_default();
    date.len() == 8 && date.bytes().all(|b| b.is_ascii_digit())
}

fn is_web_search(tool: &Value) -> bool {
    tool["type"].as_str().is_some_and(|kind| kind.starts_with("web_search"))
}

/// OpenAI's `web_search_options`, or its web search tool.
fn web_search(options: &Value) -> Value {
    let mut tool = json!({ "type": "web_search_20250305", "name": "web_search" });
    if let Some(location) = options.get("user_location").and_then(Value::as_object) {
        // Chat nests the place, Responses does not.
        let place = location.get("approximate").and_then(Value::as_object).unwrap_or(location);
        tool["user_location"] = json!({ "type": "approximate" });
        for (name, value) in place.iter().filter(|(name, value)| *name != "type" && !value.is_null()) {
            tool["user_location"][name] = value.clone();
        }
    }
    let size = options.get("search_context_size").and_then(Value::as_str);
    if let Some((_, uses)) = SEARCHES.iter().find(|(name, _)| Some(*name) == size) {
        tool["max_uses"] = json!(uses);
    }
    tool
}

fn no_such_tool(tool: &Value, asked: &Asked<'_>) -> ApiError {
    let message = format!(
        "litellm.UnsupportedParamsError: {} does not support tools of type {}. \
         To drop these, set `litellm_settings.drop_params: true`",
        asked.provider, tool["type"]
    );
    ApiError::new(ErrorKind::UnsupportedParams, message)
}

fn has_tool_parts(message: &Message) -> bool {
    message.content.iter().any(|p| matches!(p.kind, Kind::ToolCall(_) | Kind::ToolResult(_)))
}

/// A conversation with tool calls needs tools. LiteLLM's rule.
fn stand_in(asked: &Asked<'_>) -> Result<Value, ApiError> {
    if asked.params.modify {
        return Ok(function(
            "dummy_tool",
            Some("This tool does nothing.".to_owned()),
            object_schema(Value::Null),
            None,
        ));
    }
    let message = "litellm.UnsupportedParamsError: Anthropic doesn't support tool calling without `tools=` param \
                   specified. Pass `tools=` OR set `litellm_settings.modify_params: true` to add a stand-in.";
    Err(ApiError::new(ErrorKind::UnsupportedParams, message))
}

fn choice(request: &mut Request) -> Option<Value> {
    let parallel = request.parallel_tool_calls.take();
    let mut choice = match request.tool_choice.take() {
        Some(ToolChoice::None) => return Some(json!({ "type": "none" })),
        Some(ToolChoice::Required) => json!({ "type": "any" }),
        Some(ToolChoice::Named(name)) => json!({ "type": "tool", "name": name }),
        Some(ToolChoice::Auto) => json!({ "type": "auto" }),
        None if parallel.is_some() => json!({ "type": "auto" }),
        None => return None,
    };
    if let Some(parallel) = parallel {
        choice["disable_parallel_tool_use"] = json!(!parallel);
    }
    Some(choice)
}
