//! What was said in the form of OpenTelemetry's conventions: messages of parts, whatever dialect it was said in.
//! <https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/>, the JSON schemas of input and output messages.
//!
//! The dialects are much alike: a role, and a text or blocks. A block that the conventions do not know is told as it is.

use serde_json::{Value, json};

/// `gen_ai.input.messages` of what a model was asked.
pub(super) fn input(asked: &str) -> Option<String> {
    let messages: Vec<Value> = match serde_json::from_str(asked).ok()? {
        Value::Null => return None,
        Value::Array(items) => items.iter().map(|item| spoken(item, role(item))).collect(),
        one => vec![spoken(&one, role(&one))],
    };
    Some(Value::Array(messages).to_string())
}

/// `gen_ai.output.messages` of an answer; none where nothing was said, as with embeddings.
pub(super) fn output(answered: &str) -> Option<String> {
    let answer: Value = serde_json::from_str(answered).ok()?;
    let several = first(&answer, &["choices", "candidates", "output"]).and_then(Value::as_array);
    let messages: Vec<Value> = match several {
        Some(all) => all.iter().map(answered_one).collect(),
        None if first(&answer, &["content", "text"]).is_some() => vec![answered_one(&answer)],
        None => return None,
    };
    Some(Value::Array(messages).to_string())
}

/// One of the answers.
fn answered_one(one: &Value) -> Value {
    let inner = first(one, &["message", "content"]).filter(|inner| inner.is_object()).unwrap_or(one);
    let reason = text(one, &["finish_reason", "stop_reason", "finishReason"]);
    let mut message = spoken(inner, "assistant");
    message["finish_reason"] = reason.map_or("stop", finish).into();
    message
}

fn spoken(message: &Value, role: &str) -> Value {
    json!({ "role": role, "parts": parts(message) })
}

/// Whoever has no role in what was said is told by what it is.
fn role(message: &Value) -> &str {
    match (text(message, &["role"]), text(message, &["type"])) {
        (Some("model"), _) => "assistant",
        (Some(role), _) => role,
        (None, Some("function_call" | "reasoning")) => "assistant",
        (None, Some("function_call_output")) => "tool",
        (None, _) => "user",
    }
}

/// The conventions' words for why an answer ended.
fn finish(reason: &str) -> &str {
    match reason {
        "tool_calls" | "tool_use" | "function_call" => "tool_call",
        "end_turn" | "stop_sequence" | "STOP" => "stop",
        "max_tokens" | "MAX_TOKENS" => "length",
        reason => reason,
    }
}

fn parts(message: &Value) -> Vec<Value> {
    let said = first(message, &["content", "parts"]);
    if let Some(id) = text(message, &["tool_call_id"]) {
        return vec![responded(Some(id), said.unwrap_or(&Value::Null))];
    }
    let calls = message.get("tool_calls").and_then(Value::as_array);
    let mut parts: Vec<Value> = match said {
        Some(Value::Array(blocks)) => blocks.iter().map(part).collect(),
        Some(one) => vec![part(one)],
        None if calls.is_some() => Vec::new(),
        None => vec![part(message)],
    };
    parts.extend(calls.into_iter().flatten().map(part));
    parts
}

fn part(block: &Value) -> Value {
    if let Some(text) = block.as_str().or_else(|| text(block, &["text"])) {
        return json!({ "type": "text", "content": text });
    }
    if let Some(thought) = text(block, &["thinking"]) {
        return json!({ "type": "reasoning", "content": thought });
    }
    called(block).or_else(|| response(block)).unwrap_or_else(|| match text(block, &["type"]) {
        Some(_) => block.clone(),
        None => json!({ "type": "other", "content": block }),
    })
}

/// A tool that is called.
fn called(block: &Value) -> Option<Value> {
    let inner = first(block, &["function", "functionCall"]).unwrap_or(block);
    let (name, said) = (text(inner, &["name"])?, first(inner, &["arguments", "input", "args"])?);
    // OpenAI's are JSON within a text.
    let arguments = said.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
    let arguments = arguments.unwrap_or_else(|| said.clone());
    let id = text(block, &["call_id", "id"]);
    Some(json!({ "type": "tool_call", "id": id, "name": name, "arguments": arguments }))
}

/// What a tool said.
fn response(block: &Value) -> Option<Value> {
    let inner = block.get("functionResponse").unwrap_or(block);
    let said = first(inner, &["output", "response", "content"])?;
    Some(responded(text(inner, &["tool_use_id", "call_id", "id"]), said))
}

fn responded(id: Option<&str>, said: &Value) -> Value {
    json!({ "type": "tool_call_response", "id": id, "response": said })
}

/// The first of these members that is there.
fn first<'v>(value: &'v Value, names: &[&str]) -> Option<&'v Value> {
    names.iter().find_map(|name| value.get(name)).filter(|found| !found.is_null())
}

/// The same as text.
fn text<'v>(value: &'v Value, names: &[&str]) -> Option<&'v str> {
    names.iter().find_map(|name| value.get(name)?.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(told: Option<String>) -> Value {
        serde_json::from_str(&told.unwrap()).unwrap()
    }

    #[test]
    fn every_dialects_words_are_messages_of_parts() {
        let text = |role: &str| json!([{ "role": role, "parts": [{ "type": "text", "content": "hi" }] }]);
        for asked in [
            r#"[{"role":"user","content":"hi"}]"#,
            r#"[{"role":"user","content":[{"type":"text","text":"hi"}]}]"#,
            r#"[{"role":"user","content":[{"type":"input_text","text":"hi"}]}]"#,
            r#"[{"role":"user","parts":[{"text":"hi"}]}]"#,
            r#"["hi"]"#,
            r#""hi""#,
        ] {
            assert_eq!(said(input(asked)), text("user"), "{asked}");
        }
        assert_eq!(said(input(r#"[{"role":"model","parts":[{"text":"hi"}]}]"#)), text("assistant"));
        assert_eq!(input("null"), None);
    }

    #[test]
    fn tools_are_called_and_answer_in_one_form() {
        let call = json!([{ "type": "tool_call", "id": "c", "name": "f", "arguments": { "a": 1 } }]);
        for asked in [
            r#"[{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]}]"#,
            r#"[{"role":"assistant","content":[{"type":"tool_use","id":"c","name":"f","input":{"a":1}}]}]"#,
            r#"[{"type":"function_call","id":"fc","call_id":"c","name":"f","arguments":"{\"a\":1}"}]"#,
        ] {
            let told = said(input(asked));
            assert_eq!((&told[0]["role"], &told[0]["parts"]), (&json!("assistant"), &call), "{asked}");
        }
        let response = json!([{ "type": "tool_call_response", "id": "c", "response": "so" }]);
        for asked in [
            r#"[{"role":"tool","tool_call_id":"c","content":"so"}]"#,
            r#"[{"role":"user","content":[{"type":"tool_result","tool_use_id":"c","content":"so"}]}]"#,
            r#"[{"type":"function_call_output","call_id":"c","output":"so"}]"#,
        ] {
            assert_eq!(said(input(asked))[0]["parts"], response, "{asked}");
        }
        let picture = r#"[{"role":"user","content":[{"type":"image_url","image_url":{"url":"u"}}]}]"#;
        let told = json!([{ "type": "image_url", "image_url": { "url": "u" } }]);
        assert_eq!(said(input(picture))[0]["parts"], told, "as it is");
    }

    #[test]
    fn answers_say_why_they_ended() {
        for (answered, reason) in [
            (
                r#"{"choices":[{"message":{"role":"assistant","content":"so"},"finish_reason":"stop"}]}"#,
                "stop",
            ),
            (r#"{"choices":[{"text":"so","finish_reason":"length"}]}"#, "length"),
            (
                r#"{"role":"assistant","content":[{"type":"text","text":"so"}],"stop_reason":"end_turn"}"#,
                "stop",
            ),
            (r#"{"output":[{"type":"message","content":[{"type":"output_text","text":"so"}]}]}"#, "stop"),
            (
                r#"{"candidates":[{"content":{"parts":[{"text":"so"}]},"finishReason":"MAX_TOKENS"}]}"#,
                "length",
            ),
        ] {
            let parts = json!([{ "type": "text", "content": "so" }]);
            let told = json!([{ "role": "assistant", "parts": parts, "finish_reason": reason }]);
            assert_eq!(said(output(answered)), told, "{answered}");
        }
        assert_eq!(output(r#"{"data":[{"embedding":[0.1]}]}"#), None);
        assert_eq!(output("null"), None);
    }
}
