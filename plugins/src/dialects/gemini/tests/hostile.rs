//! Input that no provider and no client should send: an error or something sensible, never a panic.

use super::super::{Gemini, Scanner, read_report};
use super::{collect, events, recordings, view, write, written};
use crate::dialects::{ClientDialect, Params, UpstreamDialect};
use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Value, json};
use weir_core::body::JsonBody;
use weir_core::chat::Event;

fn try_answer(bytes: &[u8]) {
    let _ = read_report(bytes);
    let _ = Gemini.read_error(500, bytes);
    if let Ok(answer) = Gemini.read_answer(bytes) {
        let body = super::body(&json!({}));
        let again = Gemini.write_answer(answer, &view(&body));
        assert!(serde_json::from_slice::<Value>(&again).is_ok());
    }
}

fn try_stream(bytes: &[u8]) {
    let _ = Scanner::new().read(bytes);
    let Ok(told) = events(&[bytes]) else { return };
    grammar(&told);
    let body = super::body(&json!({}));
    let again = written(Gemini.writer(&view(&body)).as_mut(), told.clone());
    assert!(events(&[&again]).is_ok(), "{}", String::from_utf8_lossy(&again));
    let _ = collect(told);
}

/// Blocks are dense, stopped once, and before the end.
fn grammar(told: &[Event]) {
    let (mut started, mut open) = (0, Vec::new());
    for event in told {
        match event {
            Event::BlockStart { index, .. } => {
                assert_eq!(*index, started);
                started += 1;
                open.push(*index);
            }
            Event::BlockDelta { index, .. } => assert!(open.contains(index)),
            Event::BlockStop { index } => {
                assert!(open.contains(index));
                open.retain(|i| i != index);
            }
            Event::Finish(_) => assert!(open.is_empty()),
            _ => {}
        }
    }
}

fn try_request(bytes: &[u8]) {
    let Ok(body) = JsonBody::parse(Bytes::copy_from_slice(bytes)) else { return };
    if let Ok(request) = Gemini.read_request(&body, &HeaderMap::new()) {
        let _ = write(request.clone(), "gemini-2.5-pro", &Params::default());
        let _ = write(request, "gemini-3-pro", &Params { drop: true, ..Params::default() });
    }
}

/// Every value of a JSON text, one after the other, replaced by each of these.
fn spoilt(json: &Value, each: &mut impl FnMut(&Value)) {
    let mut paths = Vec::new();
    pointers(json, String::new(), &mut paths);
    for path in paths {
        for bad in
            [json!(null), json!(-1), json!(1e300), json!("x"), json!([]), json!([{}]), json!({}), json!(true)]
        {
            let mut copy = json.clone();
            *copy.pointer_mut(&path).unwrap() = bad;
            each(&copy);
        }
    }
}

fn pointers(value: &Value, at: String, out: &mut Vec<String>) {
    let escape = |name: &str| name.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Object(object) => {
            object.iter().for_each(|(name, v)| pointers(v, format!("{at}/{}", escape(name)), out));
        }
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(i, v)| pointers(v, format!("{at}/{i}"), out));
        }
        _ => {}
    }
    out.push(at);
}

/// Long texts make a spoilt copy slow and prove nothing.
fn shortened(value: &Value) -> Value {
    match value {
        Value::String(text) => text.chars().take(40).collect::<String>().into(),
        Value::Array(list) => list.iter().take(4).map(shortened).collect::<Vec<_>>().into(),
        Value::Object(object) => {
            Value::Object(object.iter().map(|(name, v)| (name.clone(), shortened(v))).collect())
        }
        other => other.clone(),
    }
}

#[test]
fn recordings_cut_short_are_no_panic() {
    for recording in recordings::all() {
        let request = recording.request.to_string();
        let (text, stream) = match recording.response {
            recordings::Response::Json(json) => (json.to_string(), false),
            recordings::Response::Stream(text) => (text, true),
        };
        for end in (0..text.len()).step_by(97) {
            let cut = &text.as_bytes()[..end];
            if stream { try_stream(cut) } else { try_answer(cut) }
        }
        (0..request.len()).step_by(97).for_each(|end| try_request(&request.as_bytes()[..end]));
    }
}

#[test]
fn recordings_with_a_wrong_value_are_no_panic() {
    for recording in recordings::all() {
        spoilt(&shortened(&recording.request), &mut |bad| try_request(bad.to_string().as_bytes()));
        if let recordings::Response::Json(json) = &recording.response {
            spoilt(&shortened(json), &mut |bad| {
                try_answer(bad.to_string().as_bytes());
                try_stream(format!("data: {bad}\n\n").as_bytes());
            });
        }
    }
}

#[test]
fn nonsense_is_no_answer() {
    for bad in
        ["", "{}", "[]", "null", "1", "\"x\"", "<html>", "{\"candidates\":[]}", "{\"candidates\":7}", "[[]]"]
    {
        assert!(Gemini.read_answer(bad.as_bytes()).is_err(), "{bad}");
        assert!(events(&[format!("data: {bad}\n\n").as_bytes()]).is_err(), "{bad}");
    }
}

#[test]
fn a_deep_answer_is_refused_and_not_followed() {
    let deep = format!("{{\"candidates\":{}1{}}}", "[".repeat(50_000), "]".repeat(50_000));
    assert!(Gemini.read_answer(deep.as_bytes()).is_err());
}
