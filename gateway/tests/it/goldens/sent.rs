//! What the provider got.

use super::told::clean;
use crate::rig::Rig;
use serde_json::{Value, json};

/// The provider got the same path and body; a stream is asked for its usage beside. Credentials are not compared: once a
/// client had brought one, LiteLLM went on sending it for others, and to Azure it sends the key twice. `chat.rs` has ours.
pub fn compare(rig: &Rig, expected: &Value) -> Vec<String> {
    let seen = rig.mock.take_log();
    let expected = expected.as_array().cloned().unwrap_or_default();
    if seen.len() != expected.len() {
        return vec![format!("{} requests upstream instead of {}", seen.len(), expected.len())];
    }
    let mut wrong = Vec::new();
    for (seen, expected) in seen.iter().zip(&expected) {
        // Bedrock takes a model's colon written either way.
        if expected["path"].as_str().unwrap_or_default().replace("%3A", ":") != seen.path.replace("%3A", ":")
        {
            wrong.push(format!("path {} instead of {}", seen.path, expected["path"]));
        }
        let mut want = expected["body"].clone();
        if want["stream"] == true && seen.path.contains("/completions") {
            want["stream_options"] = json!({"include_usage": true});
        }
        let mut got = seen.json();
        // LiteLLM names Azure's deployment in the path alone or in both; the path decides.
        if seen.path.starts_with("/openai/deployments/") {
            got.as_object_mut().map(|o| o.remove("model"));
            want.as_object_mut().map(|o| o.remove("model"));
        }
        let (got, want) = (plain(&got), plain(&want));
        if got != want {
            wrong.push(format!("sent {got} instead of {want}"));
        }
    }
    wrong
}

/// What a body means: lists and objects with nothing in them are as good as absent, a text is a list of one text.
fn plain(body: &Value) -> Value {
    let mut body = clean(body);
    empties(&mut body);
    let Some(members) = body.as_object_mut() else { return body };
    members.retain(|name, value| !(name == "stream" && *value == false));
    let anthropic = members.contains_key("anthropic_version");
    if let Some(system) = members.get_mut("system").filter(|_| anthropic) {
        listed(system);
    }
    let messages = members.get_mut("messages").filter(|_| anthropic).and_then(Value::as_array_mut);
    for message in messages.into_iter().flatten() {
        listed(&mut message["content"]);
    }
    body
}

fn empties(value: &mut Value) {
    let is_empty = |v: &Value| v == &json!([]) || v == &json!({});
    match value {
        Value::Object(o) => {
            o.values_mut().for_each(empties);
            o.retain(|_, v| !is_empty(v));
        }
        Value::Array(a) => a.iter_mut().for_each(empties),
        _ => {}
    }
}

fn listed(content: &mut Value) {
    if content.is_string() {
        *content = json!([{ "type": "text", "text": content.take() }]);
    }
}
