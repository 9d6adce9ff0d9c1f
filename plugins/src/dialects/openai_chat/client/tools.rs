//! Tools, which of them to use, and the form of the answer.

use super::fields::{Fields, Path, missing, wrong_type, wrong_value};
use serde_json::Value;
use weir_core::body::Node;
use weir_core::chat::{Dialect, Format, Object, Request, Tool, ToolChoice, ToolKind};
use weir_core::error::ApiError;

static CHOICES: &[&str] = &["none", "auto", "required"];

/// `tools`, `tool_choice`, `parallel_tool_calls`, and the old `functions` and `function_call`.
pub(super) fn read(fields: &mut Fields<'_>, request: &mut Request) -> Result<(), ApiError> {
    for (index, node) in fields.list("tools")?.unwrap_or_default().into_iter().enumerate() {
        request.tools.push(tool(node, Path::of("tools").item(index))?);
    }
    for (index, node) in fields.list("functions")?.unwrap_or_default().into_iter().enumerate() {
        let inner = Fields::of(node, Path::of("functions").item(index))?;
        request.tools.push(function(inner, "parameters", Object::new())?);
    }
    request.parallel_tool_calls = fields.boolean("parallel_tool_calls")?;
    if let Some(node) = fields.take("function_call") {
        request.tool_choice = Some(function_call(node)?);
    }
    if let Some(node) = fields.take("tool_choice") {
        choice(node, request)?;
    }
    Ok(())
}

fn tool(node: Node<'_>, path: Path) -> Result<Tool, ApiError> {
    if is_providers(&node) {
        return Ok(provider(node.into_value()));
    }
    let mut fields = Fields::of(node, path)?;
    let cache = fields.take("cache_control").map(Node::into_value);
    let kind = fields.string("type")?;
    let mut tool = match kind.as_deref() {
        Some("function") if fields.has("function") || !fields.has("name") => {
            let inner = fields.required_object("function")?;
            function(inner, "parameters", fields.rest())?
        }
        // The Responses API's flat form.
        Some("function") => function(fields, "parameters", Object::new())?,
        Some(_) if fields.has("custom") => custom(fields)?,
        // Anthropic's own form, which LiteLLM lets through.
        _ if fields.has("input_schema") => function(fields, "input_schema", Object::new())?,
        _ => return Err(missing(&fields.path("type"))),
    };
    tool.cache = tool.cache.or(cache);
    Ok(tool)
}

/// Whether it is neither a function nor a custom tool.
fn is_providers(node: &Node<'_>) -> bool {
    let has = |name| node.get(name).is_some_and(|member| !member.is_null());
    match node.get("type").and_then(Node::as_str) {
        None | Some("function") => false,
        Some("custom") => !has("custom") && !has("input_schema"),
        Some(_) => true,
    }
}

/// `extra`: members beside the function.
fn function(mut fields: Fields<'_>, schema: &'static str, extra: Object) -> Result<Tool, ApiError> {
    let name = fields.required("name")?;
    let description = fields.string("description")?;
    let parameters = match fields.take(schema) {
        Some(other) if !other.is_object() => {
            return Err(wrong_type(&fields.path(schema), "an object", &other));
        }
        schema => schema.map(Node::into_value),
    };
    let strict = fields.boolean("strict")?;
    let cache = fields.take("cache_control").map(Node::into_value);
    let mut tool = Tool::new(ToolKind::Function { name, description, parameters, strict });
    tool.cache = cache;
    tool.extra = extra;
    tool.extra.extend(fields.rest());
    Ok(tool)
}

fn custom(mut fields: Fields<'_>) -> Result<Tool, ApiError> {
    let mut inner = fields.required_object("custom")?;
    let name = inner.required("name")?;
    let description = inner.string("description")?;
    let format = inner.take("format").map(Node::into_value);
    let mut tool = Tool::new(ToolKind::Custom { name, description, format });
    tool.extra = fields.rest();
    Ok(tool)
}

/// Anthropic's server tools carry their date in the type: `web_search_20250305`.
fn provider(mut value: Value) -> Tool {
    let kind = value.get("type").and_then(Value::as_str).unwrap_or_default();
    let dated = kind
        .rsplit_once('_')
        .is_some_and(|(_, date)| date.len() == 8 && date.bytes().all(|b| b.is_ascii_digit()));
    let dialect =
        if dated || kind == "mcp_toolset" { Dialect::AnthropicMessages } else { Dialect::OpenAiChat };
    let cache = value.as_object_mut().and_then(|object| object.shift_remove("cache_control"));
    let cache = cache.filter(|cache| !cache.is_null());
    Tool { cache, ..Tool::new(ToolKind::Provider { dialect, value }) }
}

fn function_call(node: Node<'_>) -> Result<ToolChoice, ApiError> {
    let path = Path::of("function_call");
    match node {
        Node::Text(word) => word_choice(&word, &path),
        other => Ok(ToolChoice::Named(Fields::of(other, path)?.required("name")?)),
    }
}

fn choice(node: Node<'_>, request: &mut Request) -> Result<(), ApiError> {
    let path = Path::of("tool_choice");
    if let Node::Text(word) = node {
        request.tool_choice = Some(word_choice(&word, &path)?);
        return Ok(());
    }
    let mut fields = Fields::of(node, path)?;
    if fields.take("disable_parallel_tool_use") == Some(Node::Bool(true)) {
        request.parallel_tool_calls = Some(false);
    }
    let kind = fields.required("type")?;
    request.tool_choice = Some(match kind.as_str() {
        "function" => ToolChoice::Named(named(&mut fields, "function")?),
        "custom" => ToolChoice::Named(named(&mut fields, "custom")?),
        "tool" => ToolChoice::Named(fields.required("name")?),
        "allowed_tools" => return allowed(fields, request),
        word => word_choice(word, &fields.path("type"))?,
    });
    Ok(())
}

fn named(fields: &mut Fields<'_>, kind: &'static str) -> Result<String, ApiError> {
    match fields.object(kind)? {
        Some(mut inner) => inner.required("name"),
        None => fields.required("name"),
    }
}

/// `any` is Anthropic's and Mistral's word.
fn word_choice(word: &str, path: &Path) -> Result<ToolChoice, ApiError> {
    match word {
        "auto" => Ok(ToolChoice::Auto),
        "none" => Ok(ToolChoice::None),
        "required" | "any" => Ok(ToolChoice::Required),
        _ => Err(wrong_value(path, word, CHOICES)),
    }
}

/// Only some of the tools: no other dialect has this, so the others are left out of the request.
fn allowed(mut fields: Fields<'_>, request: &mut Request) -> Result<(), ApiError> {
    let mut inner = fields.required_object("allowed_tools")?;
    let mode = inner.required("mode")?;
    request.tool_choice = Some(word_choice(&mode, &inner.path("mode"))?);
    let list = inner.list("tools")?.unwrap_or_default();
    let names: Vec<&str> = list.iter().filter_map(tool_name).collect();
    request.tools.retain(|tool| tool.name().is_some_and(|name| names.contains(&name)));
    Ok(())
}

fn tool_name<'n>(tool: &'n Node<'_>) -> Option<&'n str> {
    let inner = tool.get("function").or_else(|| tool.get("custom")).unwrap_or(tool);
    inner.get("name").and_then(Node::as_str)
}

/// `response_format`. A form that the model does not know stays in `extra`.
pub(super) fn format(fields: &mut Fields<'_>) -> Result<Option<Format>, ApiError> {
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
        schema: schema.take("schema").map_or(Value::Null, Node::into_value),
        strict: schema.boolean("strict")?,
    }))
}

fn known_format(format: &Node<'_>) -> Option<&'static str> {
    match format.get("type")?.as_str()? {
        "text" => Some("text"),
        "json_object" => Some("json_object"),
        "json_schema" if format.get("json_schema")?.get("schema")?.is_object() => Some("json_schema"),
        _ => None,
    }
}
