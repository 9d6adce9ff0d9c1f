//! Requests that are read and written again mean the same.

use super::{read_request, recordings, write_request};
use crate::dialects::Params;
use serde_json::{Value, json};
use weir_core::chat::Object;

/// What is not carried, and why. `normal` applies it to both sides.
static NOT_CARRIED: &[(&str, &str)] = &[
    ("metadata", "speaks to the gateway"),
    ("stream_options", "the gateway asks every provider for usage"),
    ("usage", "OpenRouter's switch for the same"),
];

/// Members of messages that are not carried to a provider.
static NOT_CARRIED_BY_MESSAGES: &[(&str, &str)] = &[
    ("annotations", "what the model said is told by its text"),
    ("reasoning", "a second name of `reasoning_content`, which only some providers take"),
    ("reasoning_content", "only some providers take it; compared by its own test"),
    ("function_call", "written the new way, as `tool_calls`"),
];

#[test]
fn a_request_written_again_means_the_same() {
    let mut seen = 0;
    for recording in recordings() {
        if !recording.request.is_object() || recording.request.get("functions").is_some() {
            continue;
        }
        let request = read_request(&recording.request).unwrap_or_else(|e| panic!("{}: {e:?}", recording.id));
        let model = recording.request["model"].as_str().unwrap_or("gpt-4o");
        let params = Params { provider: recording.provider.clone(), ..Params::default() };
        let written = write_request(request, &recording.provider, model, &params);
        let written = written.unwrap_or_else(|e| panic!("{}: {e:?}", recording.id));
        let expected = normal(recording.request.as_object().unwrap());
        pretty_eq(&normal(&written), &expected, &recording.id);
        seen += 1;
    }
    println!("{seen} requests");
}

fn pretty_eq(got: &Value, expected: &Value, id: &str) {
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&got[name.as_str()], value, "{id}: {name}");
    }
    assert_eq!(got, expected, "{id}");
}

/// The same meaning in the same form.
fn normal(body: &Object) -> Value {
    let mut body = body.clone();
    for (name, _) in NOT_CARRIED {
        body.remove(*name);
    }
    body.retain(|_, v| !v.is_null() && *v != json!(false) || v.is_array());
    body.remove("model");
    if let Some(limit) = body.remove("max_completion_tokens") {
        body.insert("max_tokens".into(), limit);
    }
    if let Some(Value::String(stop)) = body.get("stop").cloned() {
        body.insert("stop".into(), json!([stop]));
    }
    // No stop at all.
    body.retain(|name, value| name != "stop" || *value != json!([]));
    // Mistral's word.
    if body.get("tool_choice") == Some(&json!("any")) {
        body.insert("tool_choice".into(), "required".into());
    }
    if body.get("tools").is_none() {
        body.remove("tool_choice");
    }
    let messages = body.get_mut("messages").and_then(Value::as_array_mut).unwrap();
    messages.iter_mut().for_each(message);
    without_null(&mut body);
    Value::Object(body)
}

fn message(message: &mut Value) {
    let object = message.as_object_mut().unwrap();
    for (name, _) in NOT_CARRIED_BY_MESSAGES {
        object.remove(*name);
    }
    object.retain(|_, v| !v.is_null() && *v != json!([]));
    // A mark on the message is a mark on its only part.
    let cache = object.remove("cache_control");
    let content = object.remove("content").unwrap_or_default();
    let mut parts = match content {
        Value::String(text) if text.is_empty() => Vec::new(),
        Value::String(text) => vec![json!({ "type": "text", "text": text })],
        Value::Array(list) => list,
        _ => Vec::new(),
    };
    if let (Some(last), Some(cache)) = (parts.last_mut(), cache) {
        last["cache_control"] = cache;
    }
    object.insert("content".into(), parts.into());
    for call in object.get_mut("tool_calls").and_then(Value::as_array_mut).into_iter().flatten() {
        let call = call.as_object_mut().unwrap();
        // Helpers of OpenAI's Python library, and what a call is by default.
        call.remove("index");
        call.insert("type".into(), "function".into());
        call["function"].as_object_mut().unwrap().remove("parsed_arguments");
    }
}

fn without_null(object: &mut Object) {
    object.retain(|_, v| !v.is_null());
}

#[test]
fn thoughts_go_back_to_providers_that_want_them() {
    let mut seen = 0;
    for recording in recordings() {
        let messages = recording.request["messages"].as_array().cloned().unwrap_or_default();
        let thoughts = |list: &[Value]| -> Vec<Value> {
            list.iter().filter_map(|m| m.get("reasoning_content")).cloned().collect()
        };
        let expected = thoughts(&messages);
        if expected.is_empty() {
            continue;
        }
        seen += 1;
        for (provider, wants) in [("deepseek", true), ("openai", false)] {
            let request = read_request(&recording.request).unwrap();
            let written = write_request(request, provider, "m", &Params::default()).unwrap();
            let got = thoughts(written["messages"].as_array().unwrap());
            assert_eq!(got, if wants { expected.clone() } else { Vec::new() }, "{}", recording.id);
        }
    }
    println!("{seen} requests with thoughts");
}

#[test]
fn functions_of_old_become_tools() {
    let request = read_request(&json!({
        "model": "m",
        "functions": [{ "name": "f", "parameters": { "type": "object" } }],
        "function_call": { "name": "f" },
        "messages": [
            { "role": "user", "content": "hi" },
            { "role": "assistant", "content": null, "function_call": { "name": "f", "arguments": "{\"a\":1}" } },
            { "role": "function", "name": "f", "content": "4" },
        ],
    }))
    .unwrap();
    let written = write_request(request, "openai", "gpt-4o", &Params::default()).unwrap();
    assert_eq!(written["tools"][0]["function"]["name"], "f");
    assert_eq!(written["tool_choice"], json!({ "type": "function", "function": { "name": "f" } }));
    let messages = &written["messages"];
    assert_eq!(messages[1]["tool_calls"][0]["function"], json!({ "name": "f", "arguments": "{\"a\":1}" }));
    assert_eq!(messages[2]["tool_call_id"], messages[1]["tool_calls"][0]["id"]);
    assert_eq!(messages[2]["content"], "4");
}
