//! Whole answers: every field that the golden has.

use super::differences::differs;
use super::streamed::meaning;
use crate::client::Answer;
use serde_json::{Map, Value, json};

pub fn compare(name: &str, expected: &Value, answer: &Answer) -> Vec<String> {
    if let Some(lines) = expected["sse_lines"].as_array() {
        let text: Vec<&str> = lines.iter().filter_map(Value::as_str).collect();
        let recorded = Answer { status: 200, headers: Default::default(), body: text.join("\n").into() };
        let (want, got) = (meaning(&recorded), meaning(answer));
        return if want == got { vec![] } else { vec![format!("stream {got} instead of {want}")] };
    }
    if expected["body"].is_null() || expected["body"] == "" {
        return vec![];
    }
    let text = answer.text();
    let got: Value = serde_json::from_str(&text).unwrap_or(Value::from(text));
    if differs(name, "message") {
        let kinds = |v: &Value| json!([v["error"]["type"], v["error"]["code"]]);
        return if kinds(&got) == kinds(&expected["body"]) { vec![] } else { vec![format!("{got}")] };
    }
    let mut wrong = Vec::new();
    fields(name, "", &expected_of(expected, &got), &clean(&got), &mut wrong);
    wrong
}

/// What the golden says, in the client's own dialect: on `/v1/messages` LiteLLM tells errors in OpenAI's shape, adds
/// a total that Anthropic does not have, and blocks of no text.
fn expected_of(expected: &Value, got: &Value) -> Value {
    let mut want = clean(&expected["body"]);
    if got["type"] == "error" {
        return json!({ "type": "error", "error": { "message": want["error"]["message"] } });
    }
    if want["type"] == "message" {
        want["usage"].as_object_mut().map(|usage| usage.remove("total_tokens"));
        let blocks = want["content"].as_array_mut();
        blocks.into_iter().for_each(|b| b.retain(|b| b["text"] != ""));
    }
    want
}

/// LiteLLM drops nulls; members that are null mean the same as members that are not there.
pub fn clean(value: &Value) -> Value {
    match value {
        Value::Object(o) => {
            let kept = o.iter().filter(|(k, v)| {
                !v.is_null()
                    && *k != "logprobs"
                    && *k != "created"
                    && *k != "created_at"
                    && *k != "annotations"
            });
            Value::Object(kept.map(|(k, v)| (k.clone(), clean(v))).collect::<Map<_, _>>())
        }
        Value::Array(a) => a.iter().map(clean).collect(),
        Value::Number(n) => json!(n.as_f64()),
        other => other.clone(),
    }
}

/// Everything the golden says must be there; what is more is the provider's own.
fn fields(case: &str, path: &str, want: &Value, got: &Value, wrong: &mut Vec<String>) {
    match (want, got) {
        (Value::Object(want), Value::Object(got)) => {
            for (key, value) in want {
                fields(case, &format!("{path}.{key}"), value, got.get(key).unwrap_or(&Value::Null), wrong);
            }
        }
        (Value::Array(want), Value::Array(got)) if want.len() == got.len() => {
            want.iter()
                .zip(got)
                .enumerate()
                .for_each(|(i, (w, g))| fields(case, &format!("{path}[{i}]"), w, g, wrong));
        }
        _ if path.ends_with(".message") => messages(path, want, got, wrong),
        _ if same(path, want, got) || differs(case, path) => {}
        _ => wrong.push(format!("{path}: {got} instead of {want}")),
    }
}

fn same(path: &str, want: &Value, got: &Value) -> bool {
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    if want == got || got.is_null() && is_nothing(want) {
        return true;
    }
    match path.rsplit('.').next().unwrap_or_default() {
        "id" => same_kind_of_id(want, got),
        // LiteLLM names Ollama's models with the provider in plain answers, without it in streams.
        "model" => text(want).trim_start_matches("ollama_chat/").trim_start_matches("ollama/") == text(got),
        // JSON in a text, however it is spaced.
        "arguments" | "content" => json_in(want).is_some_and(|want| json_in(got) == Some(want)),
        _ => false,
    }
}

/// Zeros and empty things that LiteLLM adds to answers that do not have them.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Object(o) => o.values().all(is_nothing),
        other => [json!(0.0), json!(""), json!(null)].contains(other),
    }
}

fn json_in(value: &Value) -> Option<Value> {
    serde_json::from_str(value.as_str()?).ok().filter(Value::is_object)
}

/// The provider's ids stay; those that are made up here or there only begin alike. A message's may begin as a chat's.
fn same_kind_of_id(want: &Value, got: &Value) -> bool {
    let (want, got) = (want.as_str().unwrap_or_default(), got.as_str().unwrap_or_default());
    let prefix = |id: &str| id.split(['-', '_']).next().unwrap_or_default().to_owned();
    let free = got.starts_with("msg_") && want.starts_with("chatcmpl-") || got.starts_with("call_");
    prefix(want) == prefix(got) || !want.contains("mock") && free
}

/// Error messages agree when they name the same class and end with the provider's words; ours may say more.
fn messages(path: &str, want: &Value, got: &Value, wrong: &mut Vec<String>) {
    let (want, got) = (want.as_str().unwrap_or_default(), got.as_str().unwrap_or_default());
    let start = |m: &str| m.chars().take(22).collect::<String>();
    // The mock's Azure errors have other texts than those of the recording.
    let azure = want.contains("Azure") && got.contains("AzureException - azure mock error");
    let words = words(want);
    let same_core = azure || !words.is_empty() && got.contains(words.trim_end_matches('.'));
    if !same_core && start(want) != start(got) {
        wrong.push(format!("{path}: {got:?} instead of {want:?}"));
    }
}

/// The provider's words in an error message; LiteLLM mostly repeats its whole body.
fn words(message: &str) -> String {
    let core = message.split(" - ").last().unwrap_or(message).split(". Received").next().unwrap_or(message);
    let core = core.split("\n\nDeployment Info").next().unwrap_or(core);
    let Ok(body) = serde_json::from_str::<Value>(core) else { return core.to_owned() };
    let said = [&body["error"]["message"], &body["message"], &body["error"]];
    said.iter().find_map(|v| v.as_str()).unwrap_or(core).to_owned()
}
