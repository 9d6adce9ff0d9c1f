//! Tools, which of them to use, and the form of the answer.

use super::fields::{Fields, missing, wrong_type, wrong_value};
use serde_json::Value;
use weir_core::chat::{Dialect, Format, Object, Request, Tool, ToolChoice, ToolKind};
use weir_core::error::ApiError;

static CHOICES: &[&str] = &["none", "auto", "required"];

/// `tools`, `tool_choice`, `parallel_tool_calls`, and the old `functions` and `function_call`.
pub(super) fn read(fields: &mut Fields, request: &mut Request) -> Result<(), ApiError> {
    for (index, value) in fields.list("tools")?.unwrap_or_default().into_iter().enumerate() {
        request.tools.push(tool(value, format!("tools[{index}]"))?);
    }
    for (index, value) in fields.list("functions")?.unwrap_or_default().into_iter().enumerate() {
        let inner = Fields::of(value, format!("functions[{index}]"))?;
        request.tools.push(function(inner, "parameters", Object::new())?);
    }
    request.parallel_tool_calls = fields.boolean("parallel_tool_calls")?;
    if let Some(value) = fields.take("function_call") {
        request.tool_choice = Some(function_call(value)?);
    }
    if let Some(value) = fields.take("tool_choice") {
        choice(value, request)?;
    }
    Ok(())
}

fn tool(value: Value, path: String) -> Result<Tool, ApiError> {
    let whole = value.clone();
    let mut fields = Fields::of(value, path)?;
    let cache = fields.take("cache_control");
    let kind = fields.string("type")?;
    let mut tool = match kind.as_deref() {
        Some("function") if fields.has("function") || !fields.has("name") => {
            let inner = fields.required_object("function")?;
            function(inner, "parameters", fields.rest())?
        }
        // The Responses API's flat form.
        Some("function") => function(fields, "parameters", Object::new())?,
        Some("custom") if fields.has("custom") => custom(fields)?,
        // Anthropic's own form, which LiteLLM lets through.
        None | Some("custom") if fields.has("input_schema") => {
            function(fields, "input_schema", Object::new())?
        }
        None => return Err(missing(&fields.path("type"))),
        Some(kind) => provider(kind, whole),
    };
    tool.cache = tool.cache.or(cache);
    Ok(tool)
}

/// `extra`: members beside the function.
fn function(mut fields: Fields, schema: &str, extra: Object) -> Result<Tool, ApiError> {
    let name = fields.required("name")?;
    let description = fields.string("description")?;
    let path = fields.path(schema);
    let parameters = match fields.take(schema) {
        Some(other) if !other.is_object() => return Err(wrong_type(&path, "an object", &other)),
        schema => schema,
    };
    let strict = fields.boolean("strict")?;
    let cache = fields.take("cache_control");
    let mut tool = Tool::new(ToolKind::Function { name, description, parameters, strict });
    tool.cache = cache;
    tool.extra = extra;
    tool.extra.extend(fields.rest());
    Ok(tool)
}

fn custom(mut fields: Fields) -> Result<Tool, ApiError> {
    let mut inner = fields.required_object("custom")?;
    let name = inner.required("name")?;
    let description = inner.string("description")?;
    let mut tool = Tool::new(ToolKind::Custom { name, description, format: inner.take("format") });
    tool.extra = fields.rest();
    Ok(tool)
}

/// Anthropic's server tools carry their date in the type: `web_search_20250305`.
fn provider(kind: &str, mut value: Value) -> Tool {
    let dated = kind
        .rsplit_once('_')
        .is_some_and(|(_, date)| date.len() == 8 && date.bytes().all(|b| b.is_ascii_digit()));
    let dialect =
        if dated || kind == "mcp_toolset" { Dialect::AnthropicMessages } else { Dialect::OpenAiChat };
    if let Some(object) = value.as_object_mut() {
        object.shift_remove("cache_control");
    }
    Tool::new(ToolKind::Provider { dialect, value })
}

fn function_call(value: Value) -> Result<ToolChoice, ApiError> {
    match value {
        Value::String(word) => word_choice(&word, "function_call"),
        other => Ok(ToolChoice::Named(Fields::of(other, "function_call")?.required("name")?)),
    }
}

fn choice(value: Value, request: &mut Request) -> Result<(), ApiError> {
    if let Value::String(word) = value {
        request.tool_choice = Some(word_choice(&word, "tool_choice")?);
        return Ok(());
    }
    let mut fields = Fields::of(value, "tool_choice")?;
    if fields.take("disable_parallel_tool_use") == Some(Value::Bool(true)) {
        request.parallel_tool_calls = Some(false);
    }
    let kind = fields.required("type")?;
    request.tool_choice = Some(match kind.as_str() {
        "function" | "custom" => ToolChoice::Named(named(&mut fields, &kind)?),
        "tool" => ToolChoice::Named(fields.required("name")?),
        "allowed_tools" => return allowed(fields, request),
        word => word_choice(word, "tool_choice.type")?,
    });
    Ok(())
}

fn named(fields: &mut Fields, kind: &str) -> Result<String, ApiError> {
    match fields.object(kind)? {
        Some(mut inner) => inner.required("name"),
        None => fields.required("name"),
    }
}

/// `any` is Anthropic's and Mistral's word.
fn word_choice(word: &str, path: &str) -> Result<ToolChoice, ApiError> {
    match word {
        "auto" => Ok(ToolChoice::Auto),
        "none" => Ok(ToolChoice::None),
        "required" | "any" => Ok(ToolChoice::Required),
        _ => Err(wrong_value(path, word, CHOICES)),
    }
}

/// Only some of the tools: no other dialect has this, so the others are left out of the request.
fn allowed(mut fields: Fields, request: &mut Request) -> Result<(), ApiError> {
    let mut inner = fields.required_object("allowed_tools")?;
    let mode = inner.required("mode")?;
    request.tool_choice = Some(word_choice(&mode, "tool_choice.allowed_tools.mode")?);
    let list = inner.list("tools")?.unwrap_or_default();
    let names: Vec<&str> = list.iter().filter_map(tool_name).collect();
    request.tools.retain(|tool| tool.name().is_some_and(|name| names.contains(&name)));
    Ok(())
}

fn tool_name(tool: &Value) -> Option<&str> {
    let inner = tool.get("function").or_else(|| tool.get("custom")).unwrap_or(tool);
    inner.get("name").and_then(Value::as_str)
}

/// `response_format`. A form that the model does not know stays in `extra`.
pub(super) fn format(fields: &mut Fields) -> Result<Option<Format>, ApiError> {
    let Some(known) = fields.peek("response_format").and_then(known_format) else {
        return Ok(None);
    };
    let Some(mut told) = fields.object("response_format")? else { return Ok(None) };
    if known != "json_schema" {
        return Ok(Some(if known == "text" { Format::Text } else { Format::JsonObject }));
    }
    let mut schema = told.required_object("json_schema")?;
    Ok(Some(Format::JsonSchema {
        name: schema.string("name")?,
        description: schema.string("description")?,
        schema: schema.take("schema").unwrap_or_default(),
        strict: schema.boolean("strict")?,
    }))
}

fn known_format(format: &Value) -> Option<&'static str> {
    match format.get("type")?.as_str()? {
        "text" => Some("text"),
        "json_object" => Some("json_object"),
        "json_schema" if format.get("json_schema")?.get("schema")?.is_object() => Some("json_schema"),
        _ => None,
    }
}
