//! Bad input is an error or makes some sense; it never panics, and what is made of it is valid.

use super::shared::recordings;
use super::{AnthropicMessages, fold, read_request, read_stream, with_view, write_request, write_stream};
use crate::dialects::anthropic_messages::{Scanner, read_report};
use crate::dialects::{ClientDialect, Params, TranslateError, UpstreamDialect};
use serde_json::{Value, json};
use weir_core::codec::sse;

/// Calls with copies of a value in which one value inside was replaced.
fn mutations(value: &Value, mut call: impl FnMut(&Value)) {
    let mut paths = Vec::new();
    walk(value, String::new(), &mut paths);
    // Deep conversations repeat themselves.
    for path in paths.iter().take(400) {
        for bad in [Value::Null, json!(-1.5), json!("x"), json!([]), json!({})] {
            let mut copy = value.clone();
            *copy.pointer_mut(path).unwrap() = bad;
            call(&copy);
        }
    }
}

fn walk(value: &Value, path: String, out: &mut Vec<String>) {
    let step = |name: &str| format!("{path}/{}", name.replace('~', "~0").replace('/', "~1"));
    match value {
        Value::Object(object) => object.iter().for_each(|(name, inner)| walk(inner, step(name), out)),
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(i, inner)| walk(inner, step(&i.to_string()), out))
        }
        _ => {}
    }
    out.push(path);
}

/// Recordings without megabytes of images.
fn small() -> impl Iterator<Item = super::shared::Recording> {
    recordings()
        .into_iter()
        .filter(|r| r.request.as_ref().is_none_or(|request| request.to_string().len() < 20_000))
}

#[test]
fn requests_with_a_value_replaced() {
    for recording in small() {
        let Some(request) = recording.request else { continue };
        mutations(&request, |bad| {
            let Ok(read) = (if bad.is_object() { read_request(bad) } else { return }) else { return };
            for params in [Params::default(), Params { drop: true, modify: true, ..Params::default() }] {
                let mut foreign = read.clone();
                foreign.native = None;
                let _ = write_request(foreign, "claude-opus-4-8", &params);
                let _ = write_request(read.clone(), "claude-sonnet-4-5", &params);
            }
        });
    }
}

#[test]
fn answers_with_a_value_replaced_or_cut() {
    for recording in small() {
        let Some(answer) = recording.answer else { continue };
        mutations(&answer, |bad| {
            let text = bad.to_string();
            let _ = read_report(text.as_bytes());
            let _ = AnthropicMessages.read_error(500, text.as_bytes());
            if let Ok(read) = AnthropicMessages.read_answer(text.as_bytes()) {
                let written = with_view("m", |view| AnthropicMessages.write_answer(read, view));
                assert!(serde_json::from_slice::<Value>(&written).is_ok());
            }
        });
        let text = answer.to_string();
        for cut in (0..text.len()).step_by(97) {
            let cut = &text.as_bytes()[..cut];
            assert!(AnthropicMessages.read_answer(cut).is_err(), "{} cut at {}", recording.name, cut.len());
        }
    }
}

#[test]
fn streams_with_a_value_replaced() {
    for recording in small() {
        let Some(stream) = recording.stream.filter(|s| s.len() < 8_000) else { continue };
        let events: Vec<&[u8]> = sse::events(&stream).collect();
        for at in 0..events.len() {
            let data = sse::data(events[at]).unwrap();
            let value: Value = serde_json::from_slice(&data).unwrap();
            mutations(&value, |bad| {
                let bad = format!("data: {bad}\n\n").into_bytes();
                let mut parts = events.clone();
                parts[at] = &bad;
                let mut scanner = Scanner::default();
                scanner.read(&parts.concat());
                if let Ok(read) = read_stream(&parts) {
                    let written = write_stream(read, "m");
                    let is_error = written.windows(12).any(|w| w == b"event: error");
                    assert!(
                        is_error || fold(&written).is_ok_and(|m| m.is_object()) || has_broken_input(&written)
                    );
                }
            });
        }
    }
}

/// A model may write what is no JSON; its pieces are passed on as they are.
fn has_broken_input(stream: &[u8]) -> bool {
    fold(stream).is_err_and(|why| why.starts_with('{') || why.starts_with('"') || why.contains("column"))
}

#[test]
fn streams_cut_short_are_unfinished() {
    for recording in small() {
        let Some(stream) = recording.stream.filter(|_| recording.status == 200) else { continue };
        let last = String::from_utf8_lossy(&stream).find("message_delta").unwrap();
        for cut in (0..last).step_by(97) {
            assert!(read_stream(&[&stream[..cut]]).is_err(), "{} cut at {cut}", recording.name);
        }
    }
}

#[test]
fn endless_blocks_are_an_error() {
    let start = "data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"server_tool_use\"}}\n\n";
    let piece = format!(
        "data: {{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{{\"partial_json\":\"{}\"}}}}\n\n",
        "x".repeat(1 << 19)
    );
    let mut parts = vec![start.as_bytes()];
    parts.extend((0..20).map(|_| piece.as_bytes()));
    assert!(read_stream(&parts).is_err());
    let many: Vec<String> =
        (0..100).map(|i| start.replace("\"index\":0", &format!("\"index\":{i}"))).collect();
    assert!(read_stream(&[many.concat().as_bytes()]).is_err());
}

#[test]
fn a_stream_that_stops_without_a_reason_is_not_whole() {
    let start = "data: {\"type\":\"message_start\",\"message\":{}}\n\n";
    let stop = "data: {\"type\":\"message_stop\"}\n\n";
    for stream in [stop.to_owned(), format!("{start}{stop}")] {
        assert_eq!(read_stream(&[stream.as_bytes()]), Err(TranslateError::Unfinished), "{stream}");
    }
}

#[test]
fn a_piece_of_a_block_that_came_whole_is_an_error() {
    let read = |piece: Value| {
        let events = [
            json!({"type": "message_start", "message": {}}),
            json!({"type": "content_block_start", "index": 0, "content_block": {"type": "redacted_thinking", "data": "x"}}),
            json!({"type": "content_block_delta", "index": 0, "delta": piece}),
            json!({"type": "content_block_stop", "index": 0}),
            json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}}),
            json!({"type": "message_stop"}),
        ];
        let stream: String = events.iter().map(|e| format!("data: {e}\n\n")).collect();
        read_stream(&[stream.as_bytes()])
    };
    for piece in
        [json!({"type": "text_delta", "text": "lost?"}), json!({"type": "signature_delta", "signature": "s"})]
    {
        assert!(matches!(read(piece), Err(TranslateError::Malformed(_))));
    }
}
