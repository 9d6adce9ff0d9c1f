//! Tools in their flat form.

use crate::dialects::dialect::Asked;
use serde_json::{Value, json};
use weir_core::chat::{Dialect, Object, Tool, ToolChoice, ToolKind};
use weir_core::error::{ApiError, Kind};

/// `None`: there are none.
pub(super) fn write(tools: &[Tool], asked: &Asked<'_>) -> Result<Option<Vec<Value>>, ApiError> {
    let mut out = Vec::with_capacity(tools.len());
    for tool in tools {
        out.extend(one(&tool.kind, asked)?);
    }
    Ok((!out.is_empty()).then_some(out))
}

fn one(kind: &ToolKind, asked: &Asked<'_>) -> Result<Option<Value>, ApiError> {
    match kind {
        ToolKind::Function { name, description, parameters, strict } => {
            // Without a word on it, Responses is strict; every other dialect is not.
            let strict = strict.unwrap_or(false);
            let parameters =
                parameters.clone().unwrap_or_else(|| json!({ "type": "object", "properties": {} }));
            let mut tool = named("function", name, description.as_deref());
            tool.insert("parameters".into(), parameters);
            tool.insert("strict".into(), strict.into());
            Ok(Some(tool.into()))
        }
        ToolKind::Custom { name, description, format } => {
            let mut tool = named("custom", name, description.as_deref());
            tool.extend(format.as_ref().map(|f| ("format".to_owned(), flat(f))));
            Ok(Some(tool.into()))
        }
        ToolKind::Provider { dialect: Dialect::OpenAiResponses, value } => Ok(Some(value.clone())),
        ToolKind::Provider { value, .. } => foreign(value, asked),
    }
}

fn named(kind: &str, name: &str, description: Option<&str>) -> Object {
    let mut tool = Object::new();
    tool.insert("type".into(), kind.into());
    tool.insert("name".into(), name.into());
    tool.extend(description.map(|d| ("description".to_owned(), d.into())));
    tool
}

/// The chat API puts a grammar one level deeper.
fn flat(format: &Value) -> Value {
    let Some(grammar) = format.get("grammar").and_then(Value::as_object) else { return format.clone() };
    let mut flat = Object::new();
    flat.insert("type".into(), "grammar".into());
    flat.extend(grammar.clone());
    flat.into()
}

fn foreign(value: &Value, asked: &Asked<'_>) -> Result<Option<Value>, ApiError> {
    if asked.params.drop {
        return Ok(None);
    }
    let kind = value.get("type").and_then(Value::as_str).unwrap_or("unnamed");
    let message = format!(
        "litellm.UnsupportedParamsError: {} does not run the tool '{kind}'. \
         To drop these, set `litellm_settings.drop_params: true`",
        asked.provider
    );
    Err(ApiError::new(Kind::UnsupportedParams, message).with_param("tools"))
}

pub(super) fn choice(choice: &ToolChoice, tools: &[Tool]) -> Value {
    match choice {
        ToolChoice::Auto => "auto".into(),
        ToolChoice::None => "none".into(),
        ToolChoice::Required => "required".into(),
        ToolChoice::Named(name) => {
            let is_custom = |tool: &Tool| matches!(&tool.kind, ToolKind::Custom { name: n, .. } if n == name);
            let kind = if tools.iter().any(is_custom) { "custom" } else { "function" };
            json!({ "type": kind, "name": name })
        }
    }
}
