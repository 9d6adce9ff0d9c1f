//! Names of tools. Responses may put functions into namespaces and takes custom tools, whose input is free text; other
//! dialects know neither. Both are told apart again by the client's own list of tools.

use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::{HashMap, HashSet};
use weir_core::chat::{Object, ToolCall, ToolCallKind};

/// The one name of a function in a namespace.
pub(super) fn flat(namespace: &str, name: &str) -> String {
    let between = if namespace.ends_with("__") { "" } else { "__" };
    format!("{namespace}{between}{name}")
}

/// What a client's tools were called.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Flat name to namespace and name.
    spaced: HashMap<String, (String, String)>,
    custom: HashSet<String>,
}

#[derive(Deserialize)]
struct Listed<'a> {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    name: String,
    #[serde(borrow, default)]
    tools: Vec<&'a RawValue>,
}

impl Names {
    /// `tools`: the JSON text of the request's member. What cannot be read has no special name.
    pub(super) fn of(tools: Option<&str>) -> Self {
        let listed: Vec<&RawValue> = tools.and_then(|t| serde_json::from_str(t).ok()).unwrap_or_default();
        let mut names = Names::default();
        for raw in listed {
            if let Ok(tool) = serde_json::from_str::<Listed<'_>>(raw.get()) {
                names.add(tool);
            }
        }
        names
    }

    fn add(&mut self, tool: Listed<'_>) {
        match tool.kind.as_str() {
            "custom" => {
                self.custom.insert(tool.name);
            }
            "namespace" => {
                let inner =
                    tool.tools.iter().filter_map(|t| serde_json::from_str::<Listed<'_>>(t.get()).ok());
                self.spaced.extend(inner.map(|t| (flat(&tool.name, &t.name), (tool.name.clone(), t.name))));
            }
            _ => {}
        }
    }

    /// Namespace and name of a function.
    pub(super) fn split(&self, name: String) -> (Option<String>, String) {
        match self.spaced.get(&name) {
            Some((namespace, name)) => (Some(namespace.clone()), name.clone()),
            None => (None, name),
        }
    }

    /// Whether a function call stands for a custom tool: the provider's dialect knows only functions.
    pub(super) fn is_wrapped(&self, name: &str, kind: ToolCallKind) -> bool {
        kind == ToolCallKind::Function && self.custom.contains(name)
    }
}

/// The free text inside the arguments of a function that stands for a custom tool: the member `input`, or the only
/// text there is, or the arguments themselves.
pub(super) fn unwrap(arguments: String) -> String {
    let call = ToolCall { id: String::new(), name: String::new(), arguments, kind: ToolCallKind::Function };
    match call.object().as_ref().and_then(only_text) {
        Some(text) => text.to_owned(),
        None => call.arguments,
    }
}

fn only_text(object: &Object) -> Option<&str> {
    let only = || object.values().next().filter(|_| object.len() == 1);
    object.get("input").or_else(only)?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespaces_and_custom_tools_are_found_again() {
        let names = Names::of(Some(
            r#"[{"type":"custom","name":"patch"},{"type":"web_search"},7,{"type":"function","name":"f"},
               {"type":"namespace","name":"mcp__x","tools":[{"type":"function","name":"get"}]}]"#,
        ));
        assert_eq!(names.split(flat("mcp__x", "get")), (Some("mcp__x".to_owned()), "get".to_owned()));
        assert_eq!(names.split(String::from("f")), (None, "f".to_owned()));
        assert!(names.is_wrapped("patch", ToolCallKind::Function));
        assert!(!names.is_wrapped("patch", ToolCallKind::Custom));
        assert!(!names.is_wrapped("f", ToolCallKind::Function));
        for (arguments, text) in [
            (r#"{"input":"a\nb"}"#, "a\nb"),
            (r#"{"patch":"p"}"#, "p"),
            (r#"{"a":"p","b":"q"}"#, r#"{"a":"p","b":"q"}"#),
            ("free", "free"),
        ] {
            assert_eq!(unwrap(arguments.to_owned()), text);
        }
    }
}
