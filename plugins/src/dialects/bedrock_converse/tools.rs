//! `toolConfig`, and the tools that a model knows by itself.

use super::{Model, messages};
use crate::dialects::dialect::Asked;
use crate::dialects::json_tool::{self, JSON_TOOL};
use serde_json::{Map, Value, json};
use weir_core::chat::{Dialect, Format, Kind, Object, Request, Tool, ToolChoice, ToolKind};
use weir_core::error::{ApiError, Kind as ErrorKind};

/// Claude's own tools that Bedrock hands on, by the beginning of their type, and the beta that each date needs.
const OF_CLAUDE: &[(&str, Option<&str>)] = &[
    ("computer_20241022", Some("computer-use-2024-10-22")),
    ("bash_20241022", Some("computer-use-2024-10-22")),
    ("text_editor_20241022", Some("computer-use-2024-10-22")),
    ("computer_20250124", Some("computer-use-2025-01-24")),
    ("computer_20251124", Some("computer-use-2025-11-24")),
    ("tool_search_tool_", Some("tool-search-tool-2025-10-19")),
    ("memory_", Some("context-management-2025-06-27")),
    ("computer_", None),
    ("bash_", None),
    ("text_editor_", None),
];

/// Nova searches the web with a tool of Bedrock's own.
pub(super) fn add_grounding(request: &mut Request, model: &Model<'_>) {
    if model.is_nova() && request.extra.shift_remove("web_search_options").is_some() {
        let value = json!({ "systemTool": { "name": "nova_grounding" } });
        request.tools.push(Tool::new(ToolKind::Provider { dialect: Dialect::BedrockConverse, value }));
    }
}

/// Takes out the tools that go to the model in its own words, with the betas that they need.
pub(super) fn of_the_model(request: &mut Request) -> (Vec<Value>, Vec<&'static str>) {
    let (mut values, mut betas) = (Vec::new(), Vec::new());
    request.tools.retain(|tool| {
        let ToolKind::Provider { dialect: Dialect::AnthropicMessages, value } = &tool.kind else {
            return true;
        };
        let kind = value.get("type").and_then(Value::as_str).unwrap_or_default();
        let Some((_, beta)) = OF_CLAUDE.iter().find(|(start, _)| kind.starts_with(start)) else {
            return true;
        };
        values.push(value.clone());
        betas.extend(*beta);
        false
    });
    (values, betas)
}

/// `thinking`: the model thinks, so no tool may be forced upon it.
///
/// # Errors
/// A tool or a choice that Bedrock cannot have, unless it may be left out.
pub(super) fn config(
    request: &mut Request,
    model: &Model<'_>,
    asked: &Asked<'_>,
    thinking: bool,
) -> Result<Option<Value>, ApiError> {
    json_tool::refuse_own(request)?;
    let in_history = has_tool_blocks(request);
    if request.tool_choice == Some(ToolChoice::None) && !in_history {
        request.tools.clear(); // without tools there is no choice: exactly what was asked
        request.tool_choice = None;
    }
    let mut specs = specs(request, model, asked)?;
    let own = !specs.is_empty();
    let json = json_tool(request.format.as_ref());
    let json_wanted = json.is_some();
    specs.extend(json);
    if specs.is_empty() && in_history {
        specs.push(stand_in(asked)?);
    }
    if specs.is_empty() {
        return Ok(None);
    }
    let choice = choice(request, asked, json_wanted, own, thinking || !model.takes_tool_choice())?;
    let mut config = Map::new();
    config.insert("tools".to_owned(), Value::Array(specs));
    if let Some(choice) = choice.filter(|_| model.takes_tool_choice()) {
        config.insert("toolChoice".to_owned(), choice);
    }
    Ok(Some(Value::Object(config)))
}

fn specs(request: &mut Request, model: &Model<'_>, asked: &Asked<'_>) -> Result<Vec<Value>, ApiError> {
    let mut specs = Vec::new();
    for tool in std::mem::take(&mut request.tools) {
        if let Some(spec) = spec(&tool, asked)? {
            specs.push(spec);
            specs.extend(tool.cache.as_ref().map(|cache| messages::cache_point(cache, model)));
        }
    }
    Ok(specs)
}

fn spec(tool: &Tool, asked: &Asked<'_>) -> Result<Option<Value>, ApiError> {
    match &tool.kind {
        ToolKind::Function { name, description, parameters, strict } => {
            let mut spec = tool_spec(name, description.as_deref(), parameters.as_ref());
            if *strict == Some(true) {
                spec.insert("strict".to_owned(), Value::Bool(true));
            }
            Ok(Some(json!({ "toolSpec": spec })))
        }
        ToolKind::Custom { name, description, .. } => {
            let text = json!({ "type": "object", "properties": { "input": { "type": "string" } },
                "required": ["input"] });
            Ok(Some(json!({ "toolSpec": tool_spec(name, description.as_deref(), Some(&text)) })))
        }
        ToolKind::Provider { dialect: Dialect::BedrockConverse, value } => Ok(Some(value.clone())),
        ToolKind::Provider { .. } if asked.params.drop => Ok(None),
        ToolKind::Provider { value, .. } => {
            let kind = value.get("type").and_then(Value::as_str).unwrap_or("of another provider");
            let message = format!(
                "litellm.UnsupportedParamsError: bedrock does not run tools of type {kind:?}. \
                 To leave them out, set `litellm_settings.drop_params: true`"
            );
            Err(ApiError::new(ErrorKind::UnsupportedParams, message))
        }
    }
}

/// Bedrock wants a description; LiteLLM gives it the name where there is none.
fn tool_spec(name: &str, description: Option<&str>, parameters: Option<&Value>) -> Object {
    let description = description.filter(|d| !d.trim().is_empty()).unwrap_or(name);
    let mut spec = Object::new();
    spec.insert("name".to_owned(), json!(name));
    spec.insert("description".to_owned(), json!(description));
    spec.insert("inputSchema".to_owned(), json!({ "json": schema(parameters) }));
    spec
}

/// An object schema with all three members that Bedrock expects; the others stay.
fn schema(parameters: Option<&Value>) -> Object {
    let mut schema = parameters.and_then(Value::as_object).cloned().unwrap_or_default();
    schema.entry("type").or_insert_with(|| json!("object"));
    schema.entry("properties").or_insert_with(|| json!({}));
    schema.entry("required").or_insert_with(|| json!([]));
    schema
}

/// The tool that stands for a format. `additionalProperties` is left out at its top, as LiteLLM leaves it out.
fn json_tool(format: Option<&Format>) -> Option<Value> {
    let (schema, description) = match format? {
        Format::Text => return None,
        Format::JsonObject => (None, None),
        Format::JsonSchema { schema, description, .. } => (Some(schema), description.as_deref()),
    };
    let mut spec = tool_spec(JSON_TOOL, description, schema);
    if let Some(schema) = spec.get_mut("inputSchema").and_then(|s| s["json"].as_object_mut()) {
        schema.shift_remove("additionalProperties");
        schema.shift_remove("$schema");
    }
    Some(json!({ "toolSpec": spec }))
}

/// Bedrock refuses tool calls in the history of a request without tools.
fn stand_in(asked: &Asked<'_>) -> Result<Value, ApiError> {
    if asked.params.modify {
        let spec = tool_spec("dummy_tool", Some("This is a dummy tool call"), None);
        return Ok(json!({ "toolSpec": spec }));
    }
    let message = "litellm.UnsupportedParamsError: Bedrock doesn't support tool calling without `tools=` param \
                   specified. Pass `tools=` param OR set `litellm_settings.modify_params: true` to add a dummy tool \
                   to the request.";
    Err(ApiError::new(ErrorKind::UnsupportedParams, message))
}

/// `own`: the client has tools beside the one for the format.
fn choice(
    request: &Request,
    asked: &Asked<'_>,
    json_wanted: bool,
    own: bool,
    unforced: bool,
) -> Result<Option<Value>, ApiError> {
    let choice = match &request.tool_choice {
        Some(ToolChoice::Named(name)) => json!({ "tool": { "name": name } }),
        Some(ToolChoice::Required) => json!({ "any": {} }),
        Some(ToolChoice::None) if !json_wanted => return no_tool(asked),
        _ if json_wanted && unforced => return Ok(None),
        Some(ToolChoice::Auto) | None if json_wanted && own => json!({ "any": {} }),
        _ if json_wanted => json!({ "tool": { "name": JSON_TOOL } }),
        Some(ToolChoice::Auto) => json!({ "auto": {} }),
        Some(ToolChoice::None) | None => return Ok(None),
    };
    Ok(Some(choice))
}

fn no_tool(asked: &Asked<'_>) -> Result<Option<Value>, ApiError> {
    if asked.params.drop {
        return Ok(None);
    }
    let message = "litellm.UnsupportedParamsError: Bedrock doesn't support tool_choice=none. To drop it from the \
                   call, set `litellm_settings.drop_params: true`";
    Err(ApiError::new(ErrorKind::UnsupportedParams, message))
}

fn has_tool_blocks(request: &Request) -> bool {
    let parts = request.messages.iter().flat_map(|m| &m.content);
    parts.into_iter().any(|p| matches!(p.kind, Kind::ToolCall(_) | Kind::ToolResult(_)))
}
