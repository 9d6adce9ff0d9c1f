//! Tools and the choice between them.

use super::super::names;
use super::{bad, member};
use serde::Deserialize;
use serde_json::Value;
use weir_core::body::JsonBody;
use weir_core::chat::{Dialect, Tool, ToolChoice, ToolKind};
use weir_core::error::ApiError;

/// The flat form of functions and custom tools.
#[derive(Deserialize)]
struct WireTool {
    name: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    parameters: Option<Value>,
    #[serde(default)]
    strict: Option<bool>,
    #[serde(default)]
    format: Option<Value>,
    /// Functions of a namespace.
    #[serde(default)]
    tools: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WireChoice {
    Word(String),
    One(OneTool),
}

#[derive(Deserialize)]
struct OneTool {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    mode: Option<String>,
    #[serde(default)]
    tools: Vec<OneTool>,
}

/// The tools and what is chosen among them.
pub(super) fn read(body: &JsonBody) -> Result<(Vec<Tool>, Option<ToolChoice>), ApiError> {
    let listed: Vec<Value> = member(body, "tools")?.unwrap_or_default();
    let mut tools = Vec::with_capacity(listed.len());
    for (index, value) in listed.into_iter().enumerate() {
        let param = format!("tools[{index}]");
        add(value, "", &mut tools).map_err(|e| bad(&param, format!("Invalid '{param}': {e}")))?;
    }
    let choice = match member(body, "tool_choice")? {
        None => None,
        Some(WireChoice::Word(word)) => Some(word_of(&word)?),
        Some(WireChoice::One(one)) => Some(one_of(one, &mut tools)?),
    };
    Ok((tools, choice))
}

fn add(value: Value, namespace: &str, tools: &mut Vec<Tool>) -> Result<(), String> {
    let kind = value.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    match kind.as_str() {
        "function" => tools.push(function(typed(value)?, namespace)),
        "custom" => tools.push(custom(typed(value)?)),
        "namespace" if namespace.is_empty() => {
            let wire = typed(value)?;
            return wire.tools.into_iter().try_for_each(|tool| add(tool, &wire.name, tools));
        }
        "" => return Err("`type` is not given".to_owned()),
        _ => tools.push(Tool::new(ToolKind::Provider { dialect: Dialect::OpenAiResponses, value })),
    }
    Ok(())
}

fn typed(value: Value) -> Result<WireTool, String> {
    serde_json::from_value(value).map_err(|e| e.to_string())
}

fn function(wire: WireTool, namespace: &str) -> Tool {
    let name = if namespace.is_empty() { wire.name } else { names::flat(namespace, &wire.name) };
    let WireTool { description, parameters, strict, .. } = wire;
    Tool::new(ToolKind::Function { name, description, parameters, strict })
}

fn custom(wire: WireTool) -> Tool {
    Tool::new(ToolKind::Custom { name: wire.name, description: wire.description, format: wire.format })
}

fn word_of(word: &str) -> Result<ToolChoice, ApiError> {
    match word {
        "auto" => Ok(ToolChoice::Auto),
        "none" => Ok(ToolChoice::None),
        "required" => Ok(ToolChoice::Required),
        _ => Err(bad("tool_choice", format!("Invalid value for 'tool_choice': '{word}'"))),
    }
}

fn one_of(choice: OneTool, tools: &mut Vec<Tool>) -> Result<ToolChoice, ApiError> {
    match (choice.kind.as_str(), choice.name) {
        ("function" | "custom", Some(name)) => Ok(ToolChoice::Named(name)),
        ("allowed_tools", _) => {
            let allowed = |tool: &Tool| choice.tools.iter().any(|one| one.allows(tool));
            tools.retain(allowed);
            word_of(choice.mode.as_deref().unwrap_or("auto"))
        }
        (kind, _) => {
            let message = format!(
                "tool_choice '{kind}' asks for a tool that only OpenAI runs; this model needs 'auto', 'none', \
                 'required' or a function"
            );
            Err(bad("tool_choice", message))
        }
    }
}

impl OneTool {
    fn allows(&self, tool: &Tool) -> bool {
        match &tool.kind {
            ToolKind::Function { name, .. } | ToolKind::Custom { name, .. } => {
                self.name.as_ref() == Some(name)
            }
            ToolKind::Provider { value, .. } => value.get("type").and_then(Value::as_str) == Some(&self.kind),
        }
    }
}
