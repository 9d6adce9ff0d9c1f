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
    fields("", &clean(&expected["body"]), &clean(&got), &mut wrong);
    wrong
}

/// LiteLLM drops nulls; members that are null mean the same as members that are not there.
pub fn clean(value: &Value) -> Value {
    match value {
        Value::Object(o) => {
            let kept = o
                .iter()
                .filter(|(k, v)| !v.is_null() && *k != "logprobs" && *k != "created" && *k != "annotations");
            Value::Object(kept.map(|(k, v)| (k.clone(), clean(v))).collect::<Map<_, _>>())
        }
        Value::Array(a) => a.iter().map(clean).collect(),
        Value::Number(n) => json!(n.as_f64()),
        other => other.clone(),
    }
}

/// Everything the golden says must be there; what is more is the provider's own.
fn fields(path: &str, want: &Value, got: &Value, wrong: &mut Vec<String>) {
    match (want, got) {
        (Value::Object(want), Value::Object(got)) => {
            for (key, value) in want {
                fields(&format!("{path}.{key}"), value, got.get(key).unwrap_or(&Value::Null), wrong);
            }
        }
        (Value::Array(want), Value::Array(got)) if want.len() == got.len() => {
            want.iter()
                .zip(got)
                .enumerate()
                .for_each(|(i, (w, g))| fields(&format!("{path}[{i}]"), w, g, wrong));
        }
        _ if path.ends_with(".id") && same_kind_of_id(want, got) => {}
        _ if path.ends_with(".message") => messages(path, want, got, wrong),
        // An embedding's usage never has completion tokens; LiteLLM adds a zero.
        _ if (want == &json!(0.0) || want == &json!({})) && got.is_null() => {}
        _ if want != got => wrong.push(format!("{path}: {got} instead of {want}")),
        _ => {}
    }
}

fn same_kind_of_id(want: &Value, got: &Value) -> bool {
    let prefix = |v: &Value| v.as_str().and_then(|s| s.split(['-', '_']).next().map(str::to_owned));
    prefix(want).is_some() && prefix(want) == prefix(got) || got.is_null() && want.is_null()
}

/// Error messages agree when they name the same class and end with the provider's words; ours may say more.
fn messages(path: &str, want: &Value, got: &Value, wrong: &mut Vec<String>) {
    let (want, got) = (want.as_str().unwrap_or_default(), got.as_str().unwrap_or_default());
    let core =
        |m: &str| m.split(" - ").last().unwrap_or(m).split(". Received").next().unwrap_or(m).to_owned();
    let start = |m: &str| m.chars().take(22).collect::<String>();
    // The mock's Azure errors have other texts than those of the recording.
    let azure = want.contains("Azure") && got.contains("AzureException - azure mock error");
    let same_core = azure || !core(want).is_empty() && got.contains(core(want).trim_end_matches('.'));
    if !same_core && start(want) != start(got) {
        wrong.push(format!("{path}: {got:?} instead of {want:?}"));
    }
}
