//! The same dialect on both sides.

use super::{OpenAiResponses, last_response, recordings, sse};
use crate::dialects::dialect::UpstreamDialect as _;
use crate::dialects::openai_responses::{Scanner, is_silent, read_report};
use serde_json::json;
use weir_core::model::prices::ServiceTier;

#[test]
fn reports_say_what_the_recordings_say() {
    let mut streams = 0;
    for recording in recordings() {
        if let Some(body) = recording.plain() {
            let answer = OpenAiResponses.read_answer(body.to_string().as_bytes()).unwrap();
            let report = read_report(body.to_string().as_bytes()).unwrap();
            assert_eq!((report.id, report.usage), (answer.id, answer.usage), "{}", recording.id);
        }
        let Some(stream) = recording.stream() else { continue };
        let answer = OpenAiResponses.read_answer(last_response(stream).to_string().as_bytes()).unwrap();
        let (mut scanner, mut uncounted) = (Scanner::default(), 0);
        for event in stream.split_inclusive("\n\n") {
            assert!(scanner.read(event.as_bytes()).is_none());
            uncounted = uncounted.max(scanner.estimated_output());
        }
        assert!(scanner.finished(), "{}", recording.id);
        assert!(uncounted > 0 && scanner.estimated_output() == 0, "{}", recording.id);
        assert_eq!(
            (&scanner.report().id, scanner.report().usage),
            (&answer.id, answer.usage),
            "{}",
            recording.id
        );
        streams += 1;
    }
    assert!(streams > 0 || recordings().is_empty());
    assert!(read_report(b"[]").is_none());
}

#[test]
fn p12_streams_that_are_no_responses_tell_their_usage() {
    let heard = json!({ "input_tokens": 14, "input_token_details": { "text_tokens": 4, "audio_tokens": 10 },
        "output_tokens": 5, "total_tokens": 19 });
    for kind in
        ["transcript.text.done", "image_generation.completed", "image_edit.completed", "speech.audio.done"]
    {
        let mut scanner = Scanner::default();
        assert!(scanner.read(sse(&[json!({ "type": kind, "usage": heard })]).as_bytes()).is_none());
        let usage = scanner.report().usage.unwrap();
        assert_eq!((usage.input, usage.audio_input, usage.output), (14, 10, 5), "{kind}");
        assert!(scanner.finished(), "{kind}");
    }
}

#[test]
fn p12_the_tier_of_a_response_is_that_of_its_usage() {
    let response = json!({ "id": "r", "service_tier": "flex", "output": [],
        "usage": { "input_tokens": 3, "output_tokens": 2 } });
    let plain = read_report(response.to_string().as_bytes()).and_then(|report| report.usage).unwrap();
    assert_eq!((plain.total(), plain.tier), (5, Some(ServiceTier::Flex)));
    let mut scanner = Scanner::default();
    let done = json!({ "type": "response.completed", "response": response });
    assert!(scanner.read(sse(&[done]).as_bytes()).is_none());
    assert_eq!(scanner.report().usage, Some(plain));
    let odd = json!({ "service_tier": 7, "usage": { "input_tokens": 3 } }).to_string();
    assert_eq!(read_report(odd.as_bytes()).and_then(|report| report.usage).unwrap().total(), 3);
}

#[test]
fn p21_an_error_of_a_stream_has_the_status_of_its_code() {
    for (error, status) in [
        (json!({ "code": "server_error", "message": "m" }), 500),
        (json!({ "code": "rate_limit_exceeded", "message": "m" }), 429),
        (json!({ "type": "invalid_request_error", "code": "moon", "message": "m" }), 400),
        (json!({ "code": "moon", "message": "m" }), 0),
    ] {
        let body = json!({ "error": error }).to_string();
        assert_eq!(OpenAiResponses.read_error(0, body.as_bytes()).status, status, "{body}");
    }
}

#[test]
fn p12_a_response_without_output_says_nothing() {
    for (body, silent) in [
        (json!({ "id": "r", "status": "queued", "background": true, "output": [], "usage": null }), true),
        (json!({ "id": "r", "status": "failed", "output": [], "error": { "code": "c" } }), true),
        (json!({ "id": "r", "output": [{ "type": "message", "content": [] }] }), false),
        (json!({ "id": "r" }), false),
    ] {
        assert_eq!(is_silent(body.to_string().as_bytes()), silent, "{body}");
    }
}

#[test]
fn errors_are_seen_and_whether_they_came_first() {
    let created = json!({ "type": "response.created", "response": { "id": "r" } });
    let failed = json!({ "type": "response.failed", "response": { "id": "r", "error": { "code": "c" } } });
    let silent = json!({ "type": "response.failed", "response": { "id": "r", "error": null } });
    let nested = json!({ "type": "error", "error": { "message": "m" } });
    let flat = json!({ "type": "error", "code": "c", "message": "m" });
    for (events, first, part) in [
        (vec![nested], true, "\"m\""),
        (vec![flat], true, "\"c\""),
        (vec![created.clone(), failed], false, "\"c\""),
        (vec![created, silent], false, "no reason given"),
    ] {
        let mut scanner = Scanner::default();
        let error = scanner.read(sse(&events).as_bytes()).unwrap();
        assert_eq!(error.first, first);
        assert!(error.json.contains(part), "{}", error.json);
        assert!(scanner.finished());
    }
    let mut cut = Scanner::default();
    let piece = json!({ "type": "response.output_text.delta", "delta": "hello there, you" });
    assert!(cut.read(sse(&[piece.clone(), piece]).as_bytes()).is_none());
    assert!(!cut.finished());
    assert_eq!(cut.estimated_output(), 8);
}
