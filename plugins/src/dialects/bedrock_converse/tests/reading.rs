use super::super::*;
use crate::testing::{Recording, assert_grammar, collect, cuts, events, mutations, recordings};
use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use serde_json::{Value, json};
use weir_core::chat::{Event, Finish, Kind};
use weir_core::domain::usage::Usage;
use weir_core::model::prices::ServiceTier;

fn answer(body: &Value) -> Answer {
    BedrockConverse.read_answer(body.to_string().as_bytes()).unwrap()
}

fn said(content: Value) -> Value {
    json!({ "output": { "message": { "role": "assistant", "content": content } }, "stopReason": "end_turn" })
}

fn frame(headers: &[(&'static str, &str)], payload: &[u8]) -> Vec<u8> {
    let mut message = Message::new(payload.to_vec());
    for (name, value) in headers {
        message = message.add_header(Header::new(*name, HeaderValue::String((*value).to_owned().into())));
    }
    let mut out = Vec::new();
    write_message_to(&message, &mut out).unwrap();
    out
}

fn event(kind: &str, payload: &Value) -> Vec<u8> {
    frame(&[(":message-type", "event"), (":event-type", kind)], payload.to_string().as_bytes())
}

fn stream(frames: &[(&str, Value)]) -> Vec<u8> {
    frames.iter().flat_map(|(kind, payload)| event(kind, payload)).collect()
}

fn read(pieces: &[&[u8]]) -> Result<Vec<Event>, TranslateError> {
    events(Framing::EventStream, BedrockConverse.reader(), pieces)
}

fn usable(recordings: Vec<Recording>) -> impl Iterator<Item = Recording> {
    recordings.into_iter().filter(|r| r.status() == 200)
}

#[test]
fn p21_recorded_answers_keep_everything() {
    for recording in usable(recordings("bedrock-converse")) {
        let name = &recording.name;
        let body = &recording.json["response"]["body"];
        let answer = answer(body);
        let blocks = body["output"]["message"]["content"].as_array().unwrap();
        assert_eq!(answer.content.len(), blocks.len(), "{name}");
        let mut text = String::new();
        for block in blocks {
            text += block["text"].as_str().unwrap_or_default();
            for piece in block["citationsContent"]["content"].as_array().into_iter().flatten() {
                text += piece["text"].as_str().unwrap();
            }
        }
        assert_eq!(answer.text(), text, "{name}");
        let usage = answer.usage.unwrap();
        assert_eq!(usage.total(), body["usage"]["totalTokens"].as_u64().unwrap(), "{name}");
        assert_eq!(recording.has("cache_read"), usage.cache_read > 0, "{name}");
        assert_eq!(recording.has("cache_write"), usage.cache_write > 0, "{name}");
        assert_eq!(recording.has("finish_length"), answer.finish == Some(Finish::Length), "{name}");
        let filtered = answer.finish == Some(Finish::ContentFilter);
        assert_eq!(recording.has("finish_content_filter"), filtered, "{name}");
        if recording.has("citations") {
            let cited = |p: &weir_core::chat::Part| matches!(&p.kind, Kind::Text { citations, .. } if citations.iter().any(|c| c.cited_text.is_some()));
            assert!(answer.content.iter().any(cited), "{name}");
        }
    }
}

#[test]
fn p21_tools_and_thoughts_come_as_they_were() {
    let tools = answer(&json!({
        "output": { "message": { "content": [
            { "reasoningContent": { "reasoningText": { "text": "hm", "signature": "sig" } } },
            { "reasoningContent": { "redactedContent": "RXJFRA==" } },
            { "toolUse": { "toolUseId": "t1", "name": "f", "input": { "b": 1, "a": [] }, "type": "tool_use" } },
            { "toolUse": { "toolUseId": "t2", "name": "nova_grounding", "input": {}, "type": "server_tool_use" } },
        ] } },
        "stopReason": "tool_use", "serviceTier": { "type": "flex" },
        "usage": { "inputTokens": 1, "outputTokens": 2.0, "cacheWriteInputTokens": 30, "cacheReadInputTokens": 5,
            "cacheReadInputTokenCount": 5, "cacheDetails": [{ "ttl": "1h", "inputTokens": 20 }] },
    }));
    assert_eq!(tools.finish, Some(Finish::ToolCalls));
    assert_eq!(tools.content[0].signature.as_deref(), Some("sig"));
    assert_eq!(tools.content[1].kind, Kind::RedactedThinking { data: "ErED".into() });
    let Kind::ToolCall(call) = &tools.content[2].kind else { panic!("{tools:?}") };
    assert_eq!((call.id.as_str(), call.arguments.as_str()), ("t1", r#"{"b":1,"a":[]}"#));
    assert!(matches!(tools.content[3].kind, Kind::Opaque { .. }), "not the client's to run");
    let expected = Usage {
        input: 36,
        output: 2,
        cache_read: 5,
        cache_write: 10,
        cache_write_1h: 20,
        tier: Some(ServiceTier::Flex),
        ..Usage::default()
    };
    assert_eq!(tools.usage, Some(expected));
    assert_eq!(tools.service_tier.as_deref(), Some("flex"));
}

#[test]
fn p12_a_stream_tells_its_tier_beside_its_usage() {
    let usage = json!({ "inputTokens": 3, "outputTokens": 2 });
    let frames = [
        ("messageStart", json!({ "role": "assistant" })),
        ("messageStop", json!({ "stopReason": "end_turn" })),
        ("metadata", json!({ "usage": usage, "serviceTier": { "type": "priority" } })),
    ];
    let usage = collect(read(&[&stream(&frames)]).unwrap()).usage.unwrap();
    assert_eq!((usage.total(), usage.tier), (5, Some(ServiceTier::Priority)));
}

#[test]
fn the_tool_for_a_format_is_text() {
    let input = json!({ "toolUse": { "toolUseId": "t", "name": "json_tool_call", "input": { "a": 1 } } });
    let mut body = said(json!([input]));
    body["stopReason"] = json!("tool_use");
    let plain = answer(&body);
    assert_eq!((plain.text().as_str(), &plain.finish), (r#"{"a":1}"#, &Some(Finish::Stop)));
    let start = json!({ "toolUse": { "toolUseId": "t", "name": "json_tool_call" } });
    let frames = [
        ("messageStart", json!({ "role": "assistant" })),
        ("contentBlockStart", json!({ "contentBlockIndex": 0, "start": start })),
        (
            "contentBlockDelta",
            json!({ "contentBlockIndex": 0, "delta": { "toolUse": { "input": "{\"a\"" } } }),
        ),
        ("contentBlockDelta", json!({ "contentBlockIndex": 0, "delta": { "toolUse": { "input": ":1}" } } })),
        ("contentBlockStop", json!({ "contentBlockIndex": 0 })),
        ("messageStop", json!({ "stopReason": "tool_use" })),
    ];
    let streamed = collect(read(&[&stream(&frames)]).unwrap());
    assert_eq!((streamed.content, streamed.finish), (plain.content, plain.finish));
}

#[test]
fn p23_streams_are_read_however_they_are_cut() {
    for recording in usable(recordings("bedrock-converse-stream")) {
        let (name, body) = (&recording.name, recording.body());
        let whole = read(&[&body]).unwrap();
        assert_grammar(name, &whole);
        assert!(whole.iter().any(|e| matches!(e, Event::Usage(u) if u.output > 0)), "{name}");
        assert_eq!(read(&body.chunks(1).collect::<Vec<_>>()).unwrap(), whole, "{name}: byte by byte");
        for cut in cuts(body.len()) {
            assert_eq!(read(&[&body[..cut], &body[cut..]]).unwrap(), whole, "{name}: cut at {cut}");
        }
        let expected = text_of(&body);
        assert_eq!(collect(whole).text(), expected, "{name}");
    }
}

/// All `delta.text` of a stream, found without the reader.
fn text_of(body: &[u8]) -> String {
    let mut text = String::new();
    weir_core::codec::frames::each(Framing::EventStream, body, |frame| {
        let json: Value = serde_json::from_slice(frame.json()).unwrap();
        text += json["delta"]["text"].as_str().unwrap_or_default();
        Ok::<(), weir_core::codec::FrameError>(())
    })
    .unwrap();
    text
}

/// A plain answer told in Converse's events by hand is the same answer when read as a stream.
#[test]
fn p24_a_stream_is_the_plain_answer() {
    for recording in usable(recordings("bedrock-converse")) {
        let body = &recording.json["response"]["body"];
        let mut frames = vec![("messageStart", json!({ "role": "assistant" }))];
        let blocks = body["output"]["message"]["content"].as_array().unwrap();
        for (at, block) in blocks.iter().enumerate() {
            tell(at, block, &mut frames);
        }
        frames.push(("messageStop", json!({ "stopReason": body["stopReason"] })));
        frames.push(("metadata", json!({ "usage": body["usage"], "metrics": {} })));
        let streamed = collect(read(&[&stream(&frames)]).unwrap());
        let plain = answer(body);
        let known = |content: Vec<weir_core::chat::Part>| -> Vec<_> {
            content.into_iter().filter(|p| !matches!(p.kind, Kind::Opaque { .. })).collect()
        };
        assert_eq!(known(streamed.content), known(plain.content), "{}", recording.name);
        assert_eq!((streamed.finish, streamed.usage), (plain.finish, plain.usage), "{}", recording.name);
    }
}

fn tell(at: usize, block: &Value, frames: &mut Vec<(&'static str, Value)>) {
    let mut delta =
        |delta: Value| frames.push(("contentBlockDelta", json!({ "contentBlockIndex": at, "delta": delta })));
    if let Some(text) = block["text"].as_str() {
        let middle = text.char_indices().nth(text.chars().count() / 2).map_or(0, |(at, _)| at);
        delta(json!({ "text": &text[..middle] }));
        delta(json!({ "text": &text[middle..] }));
    }
    for piece in block["citationsContent"]["content"].as_array().into_iter().flatten() {
        delta(json!({ "text": piece["text"] }));
    }
    for citation in block["citationsContent"]["citations"].as_array().into_iter().flatten() {
        delta(json!({ "citation": citation }));
    }
    if let Some(thought) = block["reasoningContent"]["reasoningText"].as_object() {
        thought.iter().rev().for_each(|(name, value)| delta(json!({ "reasoningContent": { name: value } })));
    }
    if let Some(tool) = block["toolUse"].as_object() {
        let mut start = tool.clone();
        let input = start.shift_remove("input").unwrap();
        let start = json!({ "contentBlockIndex": at, "start": { "toolUse": start } });
        frames.push(("contentBlockStart", start));
        let input = json!({ "toolUse": { "input": input.to_string() } });
        frames.push(("contentBlockDelta", json!({ "contentBlockIndex": at, "delta": input })));
    }
    frames.push(("contentBlockStop", json!({ "contentBlockIndex": at })));
}

#[test]
fn blocks_of_other_kinds_are_carried_whole() {
    let start =
        json!({ "toolResult": { "toolUseId": "t", "type": "nova_grounding_result", "status": "success" } });
    let frames = [
        ("messageStart", json!({})),
        ("contentBlockStart", json!({ "contentBlockIndex": 0, "start": start })),
        (
            "contentBlockDelta",
            json!({ "contentBlockIndex": 0, "delta": { "toolResult": [{ "text": "a" }] } }),
        ),
        (
            "contentBlockDelta",
            json!({ "contentBlockIndex": 0, "delta": { "toolResult": [{ "text": "b" }] } }),
        ),
        ("contentBlockStop", json!({ "contentBlockIndex": 0 })),
        ("newEvent", json!({ "x": 1 })),
        ("messageStop", json!({ "stopReason": "end_turn" })),
    ];
    let content = collect(read(&[&stream(&frames)]).unwrap()).content;
    let Kind::Opaque { value, .. } = &content[0].kind else { panic!("{content:?}") };
    assert_eq!(value["toolResult"]["content"], json!([{ "text": "a" }, { "text": "b" }]));
    assert_eq!(value["toolResult"]["status"], "success");
}

#[test]
fn exceptions_inside_streams_are_faults() {
    let mut body = stream(&[("messageStart", json!({ "role": "assistant" }))]);
    body.extend(event("contentBlockDelta", &json!({ "contentBlockIndex": 0, "delta": { "text": "Hel" } })));
    let exception = [(":message-type", "exception"), (":exception-type", "throttlingException")];
    body.extend(frame(&exception, br#"{"message":"Too many tokens"}"#));
    body.extend(event("contentBlockDelta", &json!({ "contentBlockIndex": 0, "delta": { "text": "never" } })));
    let told = read(&[&body]).unwrap();
    let Some(Event::Fault(fault)) = told.last() else { panic!("{told:?}") };
    assert_eq!((fault.status, fault.message.as_str()), (429, "Too many tokens"));
    assert_eq!(fault.kind.as_deref(), Some("throttlingException"));
    let unmodelled = [(":message-type", "error"), (":error-code", "InternalError"), (":error-message", "x")];
    assert!(matches!(read(&[&frame(&unmodelled, b"")]).unwrap()[..], [Event::Fault(_)]));
}

#[test]
fn broken_streams_are_told() {
    let bad = |frames: &[(&str, Value)]| read(&[&stream(frames)]).unwrap_err();
    assert_eq!(bad(&[("messageStart", json!({}))]), TranslateError::Unfinished);
    let stop = ("messageStop", json!({ "stopReason": "end_turn" }));
    let delta = ("contentBlockDelta", json!({ "contentBlockIndex": 0, "delta": { "text": "x" } }));
    let input = json!({ "contentBlockIndex": 0, "delta": { "toolUse": { "input": "{" } } });
    for frames in [
        vec![stop.clone(), delta.clone()],
        vec![stop.clone(), stop.clone()],
        vec![("contentBlockDelta", input)],
        vec![("messageStop", json!({}))],
    ] {
        assert!(matches!(bad(&frames), TranslateError::Malformed(_)), "{frames:?}");
    }
    let flood: Vec<_> = (0..300)
        .map(|at| ("contentBlockDelta", json!({ "contentBlockIndex": at, "delta": { "text": "x" } })))
        .collect();
    assert!(matches!(bad(&flood), TranslateError::Malformed(_)));
    let mut flipped = stream(&[delta, stop]);
    let last = flipped.len() - 1;
    flipped[last] ^= 1;
    assert!(matches!(read(&[&flipped]), Err(TranslateError::Frame(_))), "a wrong checksum");
}

#[test]
fn hostile_answers_never_panic() {
    for recording in recordings("bedrock-converse") {
        let body = recording.body();
        for cut in (0..body.len()).step_by(97) {
            assert!(BedrockConverse.read_answer(&body[..cut]).is_err());
            BedrockConverse.read_error(500, &body[..cut]);
        }
        for mutated in mutations(&recording.json["response"]["body"]) {
            let _ = BedrockConverse.read_answer(mutated.to_string().as_bytes());
            BedrockConverse.read_error(400, mutated.to_string().as_bytes());
        }
    }
    for recording in usable(recordings("bedrock-converse-stream")) {
        let body = recording.body();
        for cut in (0..body.len()).step_by(97) {
            assert!(read(&[&body[..cut]]).is_err(), "{} cut at {cut}", recording.name);
        }
    }
    let delta = json!({ "contentBlockIndex": 0, "start": { "toolUse": { "toolUseId": "t", "name": "n" } },
        "delta": { "text": "x", "reasoningContent": { "redactedContent": "QQ==" } }, "stopReason": "s",
        "usage": { "inputTokens": 1, "cacheDetails": [{ "ttl": "1h" }] } });
    for mutated in mutations(&delta) {
        for kind in ["messageStart", "contentBlockStart", "contentBlockDelta", "messageStop", "metadata"] {
            let _ = read(&[&stream(&[(kind, mutated.clone()), ("contentBlockStop", mutated.clone())])]);
        }
    }
}

#[test]
fn errors_keep_the_providers_words() {
    for prefix in ["bedrock-converse", "bedrock-converse-stream", "bedrock-count-tokens"] {
        for recording in recordings(prefix).into_iter().filter(|r| r.status() != 200) {
            let fault = BedrockConverse.read_error(recording.status(), &recording.body());
            assert_eq!(fault.message, recording.json["response"]["body"]["message"].as_str().unwrap());
            assert_eq!(fault.status, recording.status());
        }
    }
    let typed = br#"{"__type":"com.amazon.coral.service#ThrottlingException:http://x","Message":"slow"}"#;
    let fault = BedrockConverse.read_error(429, typed);
    assert_eq!((fault.kind.as_deref(), fault.message.as_str()), (Some("ThrottlingException"), "slow"));
    let html = BedrockConverse.read_error(503, b"<html>down</html>");
    assert_eq!(html.message, "<html>down</html>");
    let inside = BedrockConverse
        .read_answer(br#"{"Output":{"__type":"x#UnknownOperationException"},"Version":"1.0"}"#);
    assert!(
        matches!(inside, Err(TranslateError::Fault(f)) if f.kind.as_deref() == Some("UnknownOperationException"))
    );
}
