//! The one text of `/api/generate`: turns under headings, and the tools described in a system turn. The words are
//! LiteLLM's, because models and prompts have been tuned to them.

use super::message::{Spoken, arguments};
use serde_json::{Value, json};
use weir_core::chat::{Request, Role, ToolCall};
use weir_core::error::ApiError;

/// Asks for a call in the form that [`super::call`] reads.
const ASK_CALL: &str = "Produce JSON OUTPUT ONLY! Adhere to this format {\"name\": \"function_name\", \
     \"arguments\":{\"argument_name\": \"argument_value\"}} The following functions are available to you:";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    User,
    System,
    Assistant,
}

/// The text, and all images in order.
///
/// # Errors
/// 400 for media that Ollama cannot take.
pub(super) fn prompt(request: &mut Request, tools: &[Value]) -> Result<(String, Vec<Value>), ApiError> {
    let mut images = Vec::new();
    let mut turns: Vec<(Turn, String)> = Vec::new();
    for message in std::mem::take(&mut request.messages) {
        let mut spoken = Spoken::of(message.content)?;
        for result in std::mem::take(&mut spoken.results) {
            let mut result = Spoken::of(result.content)?;
            images.append(&mut result.images);
            turns.push((Turn::User, result.content));
        }
        images.append(&mut spoken.images);
        spoken.content.push_str(&calls(&spoken.calls));
        turns.push((turn(message.role), spoken.content));
    }
    describe(tools, &mut turns);
    Ok((write(turns), images))
}

fn turn(role: Role) -> Turn {
    match role {
        Role::System | Role::Developer => Turn::System,
        Role::User | Role::Tool => Turn::User,
        Role::Assistant => Turn::Assistant,
    }
}

/// Turns of one kind that follow each other are one.
fn write(turns: Vec<(Turn, String)>) -> String {
    let mut merged: Vec<(Turn, String)> = Vec::new();
    for (turn, text) in turns {
        match merged.last_mut() {
            Some((last, sum)) if *last == turn => sum.push_str(&text),
            _ => merged.push((turn, text)),
        }
    }
    let said = merged.iter().filter(|(_, text)| !text.is_empty());
    said.map(|(turn, text)| format!("### {}:\n{text}\n\n", heading(*turn))).collect()
}

fn heading(turn: Turn) -> &'static str {
    match turn {
        Turn::User => "User",
        Turn::System => "System",
        Turn::Assistant => "Assistant",
    }
}

fn calls(calls: &[ToolCall]) -> String {
    if calls.is_empty() {
        return String::new();
    }
    let one = |call: &ToolCall| {
        let function = json!({ "name": call.name, "arguments": arguments(call) });
        json!({ "id": call.id, "type": "function", "function": function })
    };
    let list: Value = calls.iter().map(one).collect();
    format!("Tool Calls: {list:#}")
}

/// Every system turn is told; where there is none, one is added at the end.
fn describe(tools: &[Value], turns: &mut Vec<(Turn, String)>) {
    if tools.is_empty() {
        return;
    }
    let list: String = tools.iter().map(|tool| format!("\n{}\n", python(tool))).collect();
    let told = format!("{ASK_CALL}{list}");
    let mut found = false;
    for (_, text) in turns.iter_mut().filter(|(turn, _)| *turn == Turn::System) {
        text.push(' ');
        text.push_str(&told);
        found = true;
    }
    if !found {
        turns.push((Turn::System, told));
    }
}

/// As Python shows a value: LiteLLM puts its own objects into the text.
fn python(value: &Value) -> String {
    match value {
        Value::Null => "None".into(),
        Value::Bool(true) => "True".into(),
        Value::Bool(false) => "False".into(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => quoted(text),
        Value::Array(items) => format!("[{}]", items.iter().map(python).collect::<Vec<_>>().join(", ")),
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| format!("{}: {}", quoted(name), python(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
    }
}

fn quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::from(quote);
    for char in text.chars() {
        match char {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            char if char == quote => out.extend(['\\', char]),
            char if char.is_control() => out.push_str(&format!("\\x{:02x}", u32::from(char))),
            char => out.push(char),
        }
    }
    out.push(quote);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_shown_as_python_shows_them() {
        let value = json!({"a": [1, 2.5, true, false, null], "b": "it's", "c": "'\"\n\\\u{1}é", "d": {}});
        let shown = r#"{'a': [1, 2.5, True, False, None], 'b': "it's", 'c': '\'"\n\\\x01é', 'd': {}}"#;
        assert_eq!(python(&value), shown);
    }
}
