//! Functions as OpenAI shows them to its models: a namespace of TypeScript types. The form was found by sending
//! requests and comparing the reported tokens; LiteLLM and others count by it.

use serde_json::Value;
use std::fmt::Write as _;
use weir_core::chat::{Object, Tool, ToolKind};

/// Schemas within schemas, beyond which nothing is described.
const MAX_DEPTH: usize = 12;

/// The text that stands for all tools.
pub(super) fn described(tools: &[Tool]) -> String {
    let mut out = String::from("namespace functions {\n\n");
    tools.iter().for_each(|tool| describe(tool, &mut out));
    out.push_str("} // namespace functions");
    out
}

/// Writing to a String cannot fail.
fn describe(tool: &Tool, out: &mut String) {
    match &tool.kind {
        ToolKind::Function { name, description, parameters, .. } => {
            comment(description.as_deref(), out);
            let members = parameters.as_ref().and_then(|p| p.get("properties")).and_then(Value::as_object);
            match members.filter(|m| !m.is_empty()) {
                Some(_) => {
                    let _ = writeln!(out, "type {name} = (_: {{");
                    properties(parameters.as_ref().unwrap_or(&Value::Null), MAX_DEPTH, out);
                    out.push_str("}) => any;\n\n");
                }
                None => drop(writeln!(out, "type {name} = () => any;\n")),
            }
        }
        ToolKind::Custom { name, description, format } => {
            comment(description.as_deref(), out);
            let format = format.as_ref().map(Value::to_string).unwrap_or_default();
            let _ = writeln!(out, "type {name} = (FREEFORM) => any;\n{format}");
        }
        ToolKind::Provider { value, .. } => drop(writeln!(out, "{value}")),
    }
}

fn comment(text: Option<&str>, out: &mut String) {
    if let Some(text) = text.filter(|text| !text.is_empty()) {
        let _ = writeln!(out, "// {text}");
    }
}

/// One line per member of an object, with its description above.
fn properties(schema: &Value, depth: usize, out: &mut String) {
    let Some(members) = schema.get("properties").and_then(Value::as_object) else { return };
    let required = schema.get("required").and_then(Value::as_array);
    for (name, member) in members {
        comment(member.get("description").and_then(Value::as_str), out);
        let needed = required.is_some_and(|list| list.iter().any(|item| item == name));
        let mark = if needed { "" } else { "?" };
        let _ = write!(out, "{name}{mark}: ");
        kind(member, depth, out);
        out.push_str(",\n");
    }
}

fn kind(schema: &Value, depth: usize, out: &mut String) {
    let Some(deeper) = depth.checked_sub(1) else { return out.push_str("any") };
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        return alternatives(words, out);
    }
    if let Some(list) = schema.get("anyOf").and_then(Value::as_array) {
        return union(list, deeper, out);
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("string") => out.push_str("string"),
        Some("integer" | "number") => out.push_str("number"),
        Some("boolean") => out.push_str("boolean"),
        Some("null") => out.push_str("null"),
        Some("array") => {
            kind(schema.get("items").unwrap_or(&Value::Null), deeper, out);
            out.push_str("[]");
        }
        Some("object") => object(schema, deeper, out),
        _ => out.push_str("any"),
    }
}

fn object(schema: &Value, depth: usize, out: &mut String) {
    let members: Option<&Object> = schema.get("properties").and_then(Value::as_object);
    if members.is_none_or(Object::is_empty) {
        return out.push_str("object");
    }
    out.push_str("{\n");
    properties(schema, depth, out);
    out.push('}');
}

fn alternatives(words: &[Value], out: &mut String) {
    for (at, word) in words.iter().enumerate() {
        let _ = write!(out, "{}{word}", if at == 0 { "" } else { " | " });
    }
}

fn union(list: &[Value], depth: usize, out: &mut String) {
    for (at, schema) in list.iter().enumerate() {
        out.push_str(if at == 0 { "" } else { " | " });
        kind(schema, depth, out);
    }
}
