//! Whatever comes in, something sensible comes out.

use super::{
    body, collect, events, plain_request, read_request, recordings, write_answer, write_request, write_stream,
};
use crate::dialects::openai_chat::OpenAiChat;
use crate::dialects::{ClientDialect, Params, UpstreamDialect};
use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Value, json};
use weir_core::body::JsonBody;

fn substitutes() -> [Value; 5] {
    [Value::Null, json!(-1.5), json!("x"), json!([]), json!({})]
}

/// Every place of a document, by its pointer, but for most items of long lists.
fn places(value: &Value, at: &str, out: &mut Vec<String>) {
    out.push(at.to_owned());
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(k, v)| {
                places(v, &format!("{at}/{}", k.replace('~', "~0").replace('/', "~1")), out)
            });
        }
        Value::Array(items) => {
            items.iter().take(2).enumerate().for_each(|(i, v)| places(v, &format!("{at}/{i}"), out));
        }
        _ => {}
    }
}

/// The document with one place replaced, for every place (up to a number of them) and every substitute.
fn mutants(value: &Value) -> impl Iterator<Item = Value> {
    let mut all = Vec::new();
    places(value, "", &mut all);
    all.truncate(150);
    all.into_iter().flat_map(move |at| {
        substitutes().map(|substitute| {
            let mut mutant = value.clone();
            *mutant.pointer_mut(&at).unwrap() = substitute;
            mutant
        })
    })
}

/// Long texts make many mutants slow and no more telling.
fn short(value: &Value) -> bool {
    value.to_string().len() < 20_000
}

#[test]
fn broken_requests_are_refused_or_understood() {
    for recording in recordings().iter().filter(|r| r.request.is_object() && short(&r.request)) {
        for mutant in mutants(&recording.request).filter(Value::is_object) {
            match read_request(&mutant) {
                Err(error) => assert_eq!(error.status(), 400),
                Ok(request) => {
                    let params = Params { drop: true, ..Params::default() };
                    write_request(request, &recording.provider, "m", &params).unwrap();
                }
            }
        }
        let text = recording.request.to_string();
        for cut in (0..text.len()).step_by(97) {
            assert!(JsonBody::parse(Bytes::copy_from_slice(&text.as_bytes()[..cut])).is_err());
        }
    }
}

#[test]
fn broken_answers_are_errors_or_answers() {
    let request = plain_request();
    for recording in recordings().iter().filter(|r| r.body.is_object() && short(&r.body)) {
        for mutant in mutants(&recording.body) {
            if let Ok(answer) = OpenAiChat.read_answer(mutant.to_string().as_bytes()) {
                write_answer(answer, &request);
            }
            OpenAiChat.read_error(500, mutant.to_string().as_bytes());
        }
        let text = recording.body.to_string();
        for cut in (0..text.len()).step_by(97) {
            assert!(OpenAiChat.read_answer(&text.as_bytes()[..cut]).is_err());
        }
    }
}

#[test]
fn broken_streams_are_errors_or_answers() {
    let request = plain_request();
    for recording in recordings().iter().filter(|r| !r.text.is_empty()) {
        for cut in (0..recording.text.len()).step_by(97 * 7) {
            let _ = events(&[&recording.text.as_bytes()[..cut]]);
        }
        let chunks: Vec<Value> = recording
            .text
            .lines()
            .filter_map(|l| l.strip_prefix("data: "))
            .filter_map(|l| serde_json::from_str(l).ok())
            .collect();
        for (at, chunk) in
            chunks.iter().enumerate().step_by((chunks.len() / 6).max(1)).filter(|(_, c)| short(c))
        {
            for mutant in mutants(chunk) {
                let told = |c: &Value| format!("data: {c}\n\n");
                let stream: String =
                    chunks[..at].iter().take(5).chain([&mutant]).chain(chunks.last()).map(told).collect();
                if let Ok(events) = events(&[stream.as_bytes()]) {
                    write_answer(collect(events.clone()), &request);
                    write_stream(events, &request, true);
                }
            }
        }
    }
}

#[test]
fn too_much_is_refused() {
    let flood: String = (0..600)
        .map(|i| json!({ "choices": [{ "delta": { "tool_calls": [{ "index": i, "function": { "name": "f" } }] } }] }))
        .map(|chunk| format!("data: {chunk}\n\n"))
        .collect();
    assert!(events(&[flood.as_bytes()]).is_err());
    let piece = "x".repeat(100_000);
    let nameless: String = (0..20)
        .map(|_| json!({ "choices": [{ "delta": { "tool_calls": [{ "index": 0, "function": { "arguments": piece } }] } }] }))
        .map(|chunk| format!("data: {chunk}\n\n"))
        .collect();
    assert!(events(&[nameless.as_bytes()]).is_err());
}

#[test]
fn errors_name_the_place() {
    let bad = |value: Value| {
        let error = OpenAiChat.read_request(&body(&value), &HeaderMap::new()).unwrap_err();
        let told: Value = serde_json::from_slice(&OpenAiChat.write_error(&error)).unwrap();
        assert_eq!(told["error"]["type"], "invalid_request_error");
        (
            error.status(),
            told["error"]["message"].as_str().unwrap().to_owned(),
            told["error"]["param"].as_str().unwrap().to_owned(),
        )
    };
    let with =
        |message: Value| json!({ "model": "m", "messages": [{ "role": "user", "content": "hi" }, message] });
    for (value, message, param) in [
        (json!({ "model": "m" }), "Missing required parameter: 'messages'.", "messages"),
        (json!({ "messages": [] }), "Invalid 'messages': empty array.", "messages"),
        (
            with(json!({ "role": "user", "content": 5 })),
            "Invalid type for 'messages[1].content': expected one of a string or array of objects, but got an integer",
            "messages[1].content",
        ),
        (
            with(json!({ "role": "x", "content": "" })),
            "Invalid value: 'x'. Supported values are: 'system'",
            "messages[1].role",
        ),
        (
            with(json!({ "role": "user", "content": [{ "type": "image_url", "image_url": {} }] })),
            "Missing required parameter: 'messages[1].content[0].image_url.url'.",
            "messages[1].content[0].image_url.url",
        ),
        (
            with(json!({ "role": "tool", "content": "x" })),
            "Missing required parameter",
            "messages[1].tool_call_id",
        ),
        (
            json!({ "messages": [{ "role": "user", "content": "x" }], "temperature": "hot" }),
            "Invalid type for 'temperature': expected a decimal, but got a string instead.",
            "temperature",
        ),
        (
            json!({ "messages": [{ "role": "user", "content": "x" }], "max_tokens": -1 }),
            "Invalid 'max_tokens': integer below minimum value.",
            "max_tokens",
        ),
    ] {
        let (status, told, place) = bad(value);
        assert_eq!(status, 400);
        assert!(told.starts_with(message), "{told}");
        assert_eq!(place, param);
    }
}
