//! Tools and tool choice for Google.

use super::super::schema;
use super::super::wire::{FunctionCallingConfig, FunctionDeclaration};
use crate::dialects::Params;
use serde_json::{Value, json};
use weir_core::chat::{Dialect, Object, Tool, ToolChoice, ToolKind};
use weir_core::error::{ApiError, Kind};

/// Tools that Google runs, by their members' names.
static PROVIDED: &[&str] = &[
    "googleSearch",
    "googleSearchRetrieval",
    "enterpriseWebSearch",
    "codeExecution",
    "urlContext",
    "googleMaps",
    "computerUse",
    "fileSearch",
    "retrieval",
    "mcpServers",
];

/// What other dialects' tools are here, by the beginning of their `type`.
static COUNTERPARTS: &[(&str, &str)] = &[
    ("web_search", "googleSearch"),
    ("code_interpreter", "codeExecution"),
    ("code_execution", "codeExecution"),
    ("web_fetch", "urlContext"),
];

/// All functions stand in one tool, each of Google's tools in its own.
pub(super) fn write(tools: Vec<Tool>, searches: bool, params: &Params) -> Result<Vec<Value>, ApiError> {
    let mut functions = Vec::new();
    let mut provided: Vec<Value> = Vec::new();
    for tool in tools {
        match tool.kind {
            ToolKind::Function { name, description, parameters, .. } => {
                functions.push(function(name, description, parameters));
            }
            ToolKind::Custom { name, description, .. } => {
                functions.push(function(name, description, Some(free_text())));
            }
            ToolKind::Provider { dialect, value } => provided.extend(provider(dialect, value, params)?),
        }
    }
    if searches {
        provided.push(json!({ "googleSearch": {} }));
    }
    let functions = (!functions.is_empty()).then(|| json!({ "functionDeclarations": functions }));
    let mut out: Vec<Value> = functions.into_iter().collect();
    for tool in provided {
        if !out.contains(&tool) {
            out.push(tool);
        }
    }
    Ok(out)
}

fn function(name: String, description: Option<String>, parameters: Option<Value>) -> FunctionDeclaration {
    let parameters = parameters.filter(|p| !p.is_null()).map(|p| schema::to_gemini(&p));
    FunctionDeclaration { name, description, parameters, parameters_json_schema: None }
}

/// A custom tool takes one text; see `contents.rs`.
fn free_text() -> Value {
    json!({ "type": "object", "properties": { "input": { "type": "string" } }, "required": ["input"] })
}

fn provider(dialect: Dialect, value: Value, params: &Params) -> Result<Option<Value>, ApiError> {
    if dialect == Dialect::Gemini {
        return Ok(Some(value));
    }
    if let Some(own) = named_like_ours(&value) {
        return Ok(Some(own));
    }
    let kind = value.get("type").and_then(Value::as_str).unwrap_or_default();
    if let Some((_, ours)) = COUNTERPARTS.iter().find(|(start, _)| kind.starts_with(start)) {
        return Ok(Some(json!({ *ours: {} })));
    }
    if params.drop || params.drops("tools") {
        return Ok(None);
    }
    let message = format!(
        "litellm.UnsupportedParamsError: {} does not support tools of type '{kind}'. \
         To drop these, set `litellm_settings.drop_params: true`",
        params.provider
    );
    Err(ApiError::new(Kind::UnsupportedParams, message))
}

/// Clients of OpenAI's dialect may write `{"googleSearch": {}}` among their tools.
fn named_like_ours(value: &Value) -> Option<Value> {
    let members = value.as_object()?.iter();
    let ours: Object =
        members.map(|(name, v)| (camel(name), v.clone())).filter(|(n, _)| is_ours(n)).collect();
    (!ours.is_empty()).then_some(Value::Object(ours))
}

fn is_ours(name: &str) -> bool {
    PROVIDED.contains(&name)
}

/// `google_search` as `googleSearch`.
pub(in super::super) fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut out, word| {
        let mut letters = word.chars();
        out.extend(letters.next().map(|c| c.to_ascii_uppercase()));
        out.push_str(letters.as_str());
        out
    })
}

pub(super) fn choice(choice: ToolChoice) -> Value {
    let (mode, names) = match choice {
        ToolChoice::Auto => ("AUTO", Vec::new()),
        ToolChoice::None => ("NONE", Vec::new()),
        ToolChoice::Required => ("ANY", Vec::new()),
        ToolChoice::Named(name) => ("ANY", vec![name]),
    };
    let config = FunctionCallingConfig { mode: Some(mode.into()), allowed_function_names: names };
    json!({ "functionCallingConfig": config })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provided(dialect: Dialect, value: Value) -> Result<Vec<Value>, ApiError> {
        let tools = vec![Tool::new(ToolKind::Provider { dialect, value })];
        write(tools, false, &Params::default())
    }

    #[test]
    fn searches_of_other_dialects_become_googles() {
        for (dialect, kind, ours) in [
            (Dialect::OpenAiResponses, "web_search_preview", "googleSearch"),
            (Dialect::AnthropicMessages, "web_search_20250305", "googleSearch"),
            (Dialect::AnthropicMessages, "code_execution_20250825", "codeExecution"),
            (Dialect::OpenAiResponses, "code_interpreter", "codeExecution"),
        ] {
            assert_eq!(provided(dialect, json!({ "type": kind })).unwrap(), [json!({ ours: {} })]);
        }
        let written = provided(Dialect::OpenAiChat, json!({ "google_search": { "x": 1 } })).unwrap();
        assert_eq!(written, [json!({ "googleSearch": { "x": 1 } })]);
    }

    #[test]
    fn a_tool_that_google_has_not_is_refused_unless_it_may_go() {
        let error = provided(Dialect::OpenAiResponses, json!({ "type": "local_shell" })).unwrap_err();
        assert_eq!(error.kind(), Kind::UnsupportedParams);
        let lax = Params { drop: true, ..Params::default() };
        assert_eq!(provider(Dialect::OpenAiResponses, json!({ "type": "x" }), &lax).unwrap(), None);
    }

    #[test]
    fn a_search_is_asked_for_once() {
        let tools = vec![Tool::new(ToolKind::Provider {
            dialect: Dialect::Gemini,
            value: json!({ "googleSearch": {} }),
        })];
        assert_eq!(write(tools, true, &Params::default()).unwrap().len(), 1);
    }
}
