//! Recorded streams, whole and cut, read as a provider's and written for a client.

use super::answers::same;
use super::{assemble, collect, events, fault, plain_request, recordings, view, write_answer, write_stream};
use crate::dialects::openai_chat::OpenAiChat;
use crate::dialects::{ResponsePlan, TranslateError, UpstreamDialect};
use bytes::Bytes;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use weir_core::chat::{Begun, Delta, Dialect, Event, Events, Finish, Kind, ToolCallKind};
use weir_core::model::prices::ServiceTier;

/// Streams of up to this many bytes are cut at every byte, longer ones at about `CUTS` places.
const SMALL: usize = 2500;
const CUTS: usize = 150;

#[test]
fn p23_any_cut_gives_the_same_events() {
    for recording in recordings().iter().filter(|r| !r.text.is_empty()) {
        let bytes = recording.text.as_bytes();
        let whole = events(&[bytes]);
        let step = if bytes.len() <= SMALL { 1 } else { bytes.len() / CUTS };
        for cut in (0..bytes.len()).step_by(step) {
            assert_eq!(events(&[&bytes[..cut], &bytes[cut..]]), whole, "{} cut at {cut}", recording.id);
        }
        assert_eq!(events(&bytes.chunks(1).collect::<Vec<_>>()), whole, "{}", recording.id);
    }
}

/// A stream of two choices whose pieces come by turns.
fn two_choices() -> String {
    let chunk = |index: u64, delta: Value, finish: Value| json!({ "id": "c", "choices": [{ "index": index, "delta": delta, "finish_reason": finish }] });
    let call = json!({ "tool_calls": [{ "index": 0, "function": { "name": "f", "arguments": "{}" } }] });
    let chunks = [
        chunk(0, json!({ "role": "assistant", "content": "one" }), Value::Null),
        chunk(1, json!({ "role": "assistant", "content": "two" }), Value::Null),
        chunk(0, call.clone(), Value::Null),
        chunk(1, call, Value::Null),
        chunk(1, json!({}), json!("tool_calls")),
        chunk(0, json!({}), json!("tool_calls")),
    ];
    let data: String = chunks.iter().map(|chunk| format!("data: {chunk}\n\n")).collect();
    data + "data: [DONE]\n\n"
}

#[test]
fn p20_several_choices_of_a_stream_are_those_of_the_plain_answer() {
    let answer = collect(events(&[two_choices().as_bytes()]).unwrap());
    let [other] = answer.others.as_slice() else { panic!("{answer:?}") };
    assert_eq!((answer.content[0].as_text(), other.content[0].as_text()), (Some("one"), Some("two")));
    assert_eq!((&answer.finish, &other.finish), (&Some(Finish::ToolCalls), &Some(Finish::ToolCalls)));
    let ids = [&answer.content, &other.content].map(|content| match &content[1].kind {
        Kind::ToolCall(call) => call.id.clone(),
        other => panic!("{other:?}"),
    });
    assert_ne!(ids[0], ids[1], "ids are unique in the whole answer");

    let message = |text: &str| json!({ "role": "assistant", "content": text });
    let plain = json!({ "id": "c", "choices": [
        { "index": 1, "message": message("two"), "finish_reason": "length" },
        { "index": 0, "message": message("one"), "finish_reason": "stop" },
    ] });
    let answer = OpenAiChat.read_answer(plain.to_string().as_bytes()).unwrap();
    assert_eq!((answer.text(), answer.finish), ("one".to_owned(), Some(Finish::Stop)));
    assert_eq!(answer.others[0].content[0].as_text(), Some("two"));
    assert_eq!(answer.others[0].finish, Some(Finish::Length));
}

#[test]
fn p20_likely_tokens_are_told_in_a_stream_that_is_read_and_written() {
    let likely =
        json!({ "content": [{ "token": "Hi", "logprob": -0.5, "bytes": null, "top_logprobs": [] }] });
    let chunk = |delta: Value, logprobs: &Value, finish: Value| {
        json!({ "id": "c", "choices": [{ "index": 0, "delta": delta, "logprobs": logprobs,
            "finish_reason": finish }] })
    };
    let chunks = [
        chunk(json!({ "role": "assistant", "content": "" }), &Value::Null, Value::Null),
        chunk(json!({ "content": "Hi" }), &likely, Value::Null),
        chunk(json!({}), &Value::Null, json!("stop")),
    ];
    let stream: String = chunks.iter().map(|chunk| format!("data: {chunk}\n\n")).collect();
    let told = write_stream(events(&[stream.as_bytes()]).unwrap(), &plain_request(), false);
    let found: Vec<&Value> = told.iter().filter_map(|chunk| chunk["choices"][0].get("logprobs")).collect();
    assert_eq!(found, [&likely], "{told:?}");
    assert_eq!(assemble(&told)["message"]["content"], "Hi");
}

/// What the chunks of a recording say, put together without the code under test.
fn expected(text: &str) -> (String, String, Vec<(String, String)>) {
    let (mut content, mut thoughts) = (String::new(), String::new());
    let mut calls: Vec<(Value, String, String)> = Vec::new();
    for line in text.lines().filter_map(|l| l.strip_prefix("data: ")) {
        let Ok(chunk) = serde_json::from_str::<Value>(line) else { continue };
        let Some(choice) = chunk["choices"].get(0).filter(|c| c["index"] == 0) else { continue };
        let delta = &choice["delta"];
        content.push_str(delta["content"].as_str().unwrap_or_default());
        if chunk["object"] == "chat.completion.done" && content.is_empty() {
            content.push_str(choice["message"]["content"].as_str().unwrap_or_default());
        }
        let thought = delta["reasoning_content"].as_str().filter(|t| !t.is_empty());
        thoughts.push_str(thought.or(delta["reasoning"].as_str()).unwrap_or_default());
        for call in delta["tool_calls"].as_array().into_iter().flatten() {
            let name = call["function"]["name"].as_str().unwrap_or_default();
            // A name begins a call: no recorded provider repeats it, and Mistral gives all calls the index 0.
            let known = |(index, ..): &(Value, String, String)| *index == call["index"] && name.is_empty();
            let at = calls.iter().rposition(known);
            let at = at.unwrap_or_else(|| {
                calls.push((call["index"].clone(), name.to_owned(), String::new()));
                calls.len() - 1
            });
            calls[at].2.push_str(call["function"]["arguments"].as_str().unwrap_or_default());
        }
    }
    (content, thoughts, calls.into_iter().map(|(_, name, arguments)| (name, arguments)).collect())
}

#[test]
fn streams_keep_what_the_model_said() {
    let mut seen = 0;
    for recording in recordings().iter().filter(|r| !r.text.is_empty() && r.status == 200) {
        let id = &recording.id;
        let events = events(&[recording.text.as_bytes()]).unwrap_or_else(|e| panic!("{id}: {e}"));
        check_grammar(&events, id);
        let failed = fault(&events).is_some();
        let answer = collect(events);
        let (content, thoughts, calls) = expected(&recording.text);
        assert_eq!(answer.text(), content, "{id}");
        let told: String = answer
            .content
            .iter()
            .filter_map(|p| match &p.kind {
                Kind::Thinking { text, .. } => Some(text.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(told, thoughts, "{id}");
        let told: Vec<(String, String)> = answer
            .content
            .iter()
            .filter_map(|p| match &p.kind {
                Kind::ToolCall(call) => Some((call.name.clone(), call.arguments.clone())),
                _ => None,
            })
            .collect();
        assert_eq!(told, calls, "{id}");
        assert!(failed || answer.finish.is_some(), "{id}");
        assert!(answer.usage.is_some() || !recording.text.contains("\"prompt_tokens\""), "{id}");
        seen += 1;
    }
    println!("{seen} streams");
}

/// The grammar of events: a start, dense blocks that stop once, a finish or a fault at the end.
fn check_grammar(events: &Events, id: &str) {
    let (mut next, mut open) = (0, BTreeSet::new());
    for (at, event) in events.iter().enumerate() {
        assert_eq!(matches!(event, Event::Start { .. }), at == 0, "{id}: {event:?} at {at}");
        match event {
            Event::BlockStart { index, .. } => {
                assert_eq!(*index, next, "{id}");
                next += 1;
                open.insert(*index);
            }
            Event::BlockDelta { index, .. } => assert!(open.contains(index), "{id}: {event:?}"),
            Event::BlockStop { index } => assert!(open.remove(index), "{id}: {event:?}"),
            Event::Finish(_) => assert!(open.is_empty(), "{id}: finished with open blocks"),
            _ => {}
        }
    }
    assert!(matches!(events.last(), Some(Event::Finish(_) | Event::Fault(_))), "{id}");
}

#[test]
fn p24_a_stream_for_the_client_is_the_plain_answer() {
    let request = plain_request();
    for recording in recordings().iter().filter(|r| !r.text.is_empty()) {
        let Ok(events) = events(&[recording.text.as_bytes()]) else { continue };
        if fault(&events).is_some() {
            continue;
        }
        let plain = write_answer(collect(events.clone()), &request);
        let chunks = write_stream(events.clone(), &request, true);
        same(&assemble(&chunks), &plain, &recording.id);
        assert_eq!(chunks[0]["choices"][0]["delta"]["role"], "assistant");
        let silent = write_stream(events, &request, false);
        assert!(
            silent.iter().all(|c| c.get("usage").is_none() && c["choices"] != json!([])),
            "{}",
            recording.id
        );
    }
}

#[test]
fn a_stream_cut_short_is_unfinished() {
    let mut seen = 0;
    for recording in recordings().iter().filter(|r| r.text.contains("[DONE]")) {
        let Some(at) = recording.text.find("\"finish_reason\":\"") else { continue };
        let cut = recording.text[..at].rfind("data: ").unwrap();
        let got = events(&[&recording.text.as_bytes()[..cut]]);
        assert_eq!(got, Err(TranslateError::Unfinished), "{}", recording.id);
        seen += 1;
    }
    println!("{seen} streams");
}

fn sse(chunks: &[Value]) -> String {
    let mut out: String = chunks.iter().map(|c| format!("data: {c}\n\n")).collect();
    out.push_str("data: [DONE]\n\n");
    out
}

fn delta(delta: Value) -> Value {
    json!({ "id": "x", "model": "m", "choices": [{ "index": 0, "delta": delta }] })
}

fn finish(word: &str) -> Value {
    json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": word }] })
}

fn calls(chunks: &[Value]) -> Vec<(String, String, String)> {
    let events = events(&[sse(chunks).as_bytes()]).unwrap();
    check_grammar(&events, "calls");
    let call = |p: weir_core::chat::Part| match p.kind {
        Kind::ToolCall(call) => Some((call.id, call.name, call.arguments)),
        _ => None,
    };
    collect(events).content.into_iter().filter_map(call).collect()
}

fn call(id: &str, name: &str, arguments: &str) -> (String, String, String) {
    (id.into(), name.into(), arguments.into())
}

#[test]
fn interleaved_calls_stay_apart() {
    let got = calls(&[
        delta(
            json!({ "tool_calls": [{ "index": 0, "id": "a", "function": { "name": "f", "arguments": "{" } }] }),
        ),
        delta(
            json!({ "tool_calls": [{ "index": 1, "id": "b", "function": { "name": "g", "arguments": "[" } }] }),
        ),
        delta(json!({ "tool_calls": [{ "index": 0, "function": { "arguments": "}" } }] })),
        delta(json!({ "tool_calls": [{ "index": 1, "function": { "arguments": "]" } }] })),
        finish("tool_calls"),
    ]);
    assert_eq!(got, [call("a", "f", "{}"), call("b", "g", "[]")]);
}

#[test]
fn calls_without_index_or_id_are_told_apart() {
    let no_index = calls(&[
        delta(json!({ "tool_calls": [{ "id": "a", "function": { "name": "f", "arguments": "{" } }] })),
        delta(json!({ "tool_calls": [{ "function": { "arguments": "}" } }] })),
        delta(json!({ "tool_calls": [{ "id": "b", "function": { "name": "f", "arguments": "{}" } }] })),
        finish("stop"),
    ]);
    assert_eq!(no_index, [call("a", "f", "{}"), call("b", "f", "{}")]);
    let all_zero = calls(&[
        delta(
            json!({ "tool_calls": [{ "index": 0, "id": "a", "function": { "name": "f", "arguments": "1" } }] }),
        ),
        delta(
            json!({ "tool_calls": [{ "index": 0, "id": "b", "function": { "name": "g", "arguments": "2" } }] }),
        ),
        finish("tool_calls"),
    ]);
    assert_eq!(all_zero, [call("a", "f", "1"), call("b", "g", "2")]);
    let no_id = calls(&[
        delta(json!({ "tool_calls": [{ "index": 0, "function": { "name": "f", "arguments": "{}" } }] })),
        delta(
            json!({ "tool_calls": [{ "index": 1, "function": { "name": "f", "arguments": { "a": 1 } } }] }),
        ),
        finish("tool_calls"),
    ]);
    assert_ne!(no_id[0].0, no_id[1].0);
    assert_eq!(no_id[1].2, "{\"a\":1}");
    let name_later = calls(&[
        delta(json!({ "tool_calls": [{ "index": 0, "id": "a", "function": { "arguments": "{" } }] })),
        delta(
            json!({ "tool_calls": [{ "index": 0, "id": "a", "function": { "name": "f", "arguments": "}" } }] }),
        ),
        finish("tool_calls"),
    ]);
    assert_eq!(name_later, [call("a", "f", "{}")]);
    let legacy = calls(&[
        delta(json!({ "function_call": { "name": "f", "arguments": "" } })),
        delta(json!({ "function_call": { "arguments": "{}" } })),
        finish("function_call"),
    ]);
    assert_eq!((legacy[0].1.as_str(), legacy[0].2.as_str()), ("f", "{}"));
}

#[test]
fn p20_a_call_without_arguments_is_json_to_the_client() {
    let call = |kind| Begun::ToolCall { id: "c".into(), name: "f".into(), kind };
    let answer = |kind| {
        vec![
            Event::Start { id: None, model: None },
            Event::BlockStart { index: 0, block: call(kind) },
            Event::BlockStop { index: 0 },
            Event::Finish(Finish::ToolCalls),
        ]
    };
    let (function, custom) = (answer(ToolCallKind::Function), answer(ToolCallKind::Custom));
    let said = &assemble(&write_stream(function.clone(), &plain_request(), false))["message"]["tool_calls"];
    assert_eq!(said[0]["function"]["arguments"], "{}");
    let plain = write_answer(collect(function), &plain_request());
    assert_eq!(plain["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"], "{}");
    let said = &assemble(&write_stream(custom, &plain_request(), false))["message"]["tool_calls"];
    assert_eq!(said[0]["custom"]["input"], "");
}

#[test]
fn errors_inside_a_stream_are_faults() {
    let frames = [
        "data: {\"error\":{\"message\":\"no\",\"code\":429}}\n\n",
        "event: error\ndata: {\"message\":\"no\",\"status_code\":429}\n\n",
        "data: {\"object\":\"error\",\"message\":\"no\",\"code\":429}\n\n",
        "data: {\"id\":\"x\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"error\",\"error\":{\"code\":429,\"message\":\"no\"}}]}\n\n",
    ];
    for frame in frames {
        let said = format!("data: {}\n\n{frame}", delta(json!({ "content": "hi" })));
        for stream in [frame.to_owned(), said] {
            let events = events(&[stream.as_bytes()]).unwrap();
            let fault = fault(&events).unwrap_or_else(|| panic!("{stream}"));
            assert_eq!((fault.message.as_str(), fault.status), ("no", 429), "{stream}");
            check_grammar(&events, &stream);
        }
    }
}

#[test]
fn thoughts_text_and_sources_are_blocks() {
    let events = events(&[sse(&[
        json!({ "id": "", "model": "", "choices": [], "prompt_filter_results": [] }),
        delta(json!({ "role": "assistant", "content": "" })),
        delta(json!({ "content": [{ "type": "thinking", "thinking": [{ "type": "text", "text": "hm" }] }] })),
        delta(json!({ "reasoning_details": [{ "type": "reasoning.text", "signature": "sig" }] })),
        delta(json!({ "content": "yes" })),
        delta(json!({ "annotations": [{ "type": "url_citation", "url_citation": { "url": "https://x" } }] })),
        finish("stop"),
    ])
    .as_bytes()])
    .unwrap();
    check_grammar(&events, "blocks");
    assert!(matches!(&events[0], Event::Start { id: Some(id), .. } if id == "x"));
    assert!(events.contains(&Event::BlockStart { index: 0, block: Begun::Thinking { id: None } }));
    assert!(events.contains(&Event::BlockDelta { index: 0, delta: Delta::Signature("sig".into()) }));
    let answer = collect(events);
    assert_eq!(answer.content.len(), 2);
    assert_eq!(answer.finish, Some(Finish::Stop));
    assert!(matches!(&answer.content[1].kind, Kind::Text { citations, .. } if citations.len() == 1));
}

#[test]
fn p12_the_tier_goes_with_the_usage_plain_and_streamed() {
    let usage = json!({ "prompt_tokens": 7, "completion_tokens": 2 });
    for (word, tier) in [("priority", ServiceTier::Priority), ("default", ServiceTier::Standard)] {
        let mut first = delta(json!({ "content": "hi" }));
        first["service_tier"] = json!(word);
        let stopped = json!({ "id": "x", "choices": [{ "index": 0, "delta": {}, "finish_reason": "stop" }] });
        let last = json!({ "id": "x", "choices": [], "usage": usage });
        let streamed = collect(events(&[sse(&[first, stopped, last]).as_bytes()]).unwrap());
        let choice = json!({ "index": 0, "message": { "content": "hi" }, "finish_reason": "stop" });
        let plain = json!({ "id": "x", "choices": [choice], "usage": usage, "service_tier": word });
        let plain = OpenAiChat.read_answer(plain.to_string().as_bytes()).unwrap();
        let tiers = [streamed, plain].map(|answer| answer.usage.unwrap().tier);
        assert_eq!(tiers, [Some(tier); 2], "{word}");
    }
}

#[test]
fn p12_usage_is_read_wherever_it_stands() {
    let usage = json!({ "prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9 });
    let ends = |choice: Value, beside: Value| {
        let mut chunk = json!({ "id": "x", "choices": [choice] });
        chunk.as_object_mut().unwrap().extend(beside.as_object().unwrap().clone());
        chunk
    };
    let stopped = json!({ "index": 0, "delta": {}, "finish_reason": "stop" });
    let mut moonshots = stopped.clone();
    moonshots["usage"] = usage.clone();
    for last in [
        ends(stopped.clone(), json!({ "usage": usage })),
        ends(stopped, json!({ "x_groq": { "id": "r", "usage": usage } })),
        ends(moonshots, json!({})),
    ] {
        let events = events(&[sse(&[delta(json!({ "content": "hi" })), last.clone()]).as_bytes()]).unwrap();
        check_grammar(&events, "usage");
        let usage = collect(events).usage.unwrap_or_else(|| panic!("{last}"));
        assert_eq!((usage.input, usage.output), (7, 2), "{last}");
    }
}

#[test]
fn p21_a_model_that_stops_with_an_error_has_failed() {
    for word in ["error", "insufficient_system_resource"] {
        let events = events(&[sse(&[delta(json!({ "content": "hi" })), finish(word)]).as_bytes()]).unwrap();
        check_grammar(&events, word);
        assert!(fault(&events).is_some_and(|fault| fault.message.contains(word)));
        let plain = json!({ "choices": [{ "message": { "content": "" }, "finish_reason": word }] });
        let answer = OpenAiChat.read_answer(plain.to_string().as_bytes()).unwrap();
        assert!(answer.fault.is_some(), "{word}");
    }
}

#[test]
fn p21_comments_wait_for_the_first_event() {
    let request = plain_request();
    let mut passage = ResponsePlan::Relay(Dialect::OpenAiChat).passage(&view(&request, true));
    let comment = Bytes::from_static(b": OPENROUTER PROCESSING\n\n");
    assert!(passage.pass(comment.clone()).unwrap().send.is_empty());
    let said = Bytes::from(format!("data: {}\n\n", delta(json!({ "content": "hi" }))));
    let sent = passage.pass(said.clone()).unwrap().send;
    assert_eq!(sent.concat(), [comment, said].concat());
}

#[test]
fn p20_a_last_event_without_its_end_does_not_run_into_what_follows() {
    let (request, last) = (plain_request(), format!("data: {}", finish("stop")));
    let said = Bytes::from(format!("data: {}\n\n", delta(json!({ "content": "hi" }))));
    for (rest, sent, done) in [
        (last.clone(), format!("{last}\n\n"), "data: [DONE]\n\n"),
        (format!("{last}\n"), format!("{last}\n\n"), "data: [DONE]\n\n"),
        ("data: [DONE]".to_owned(), String::new(), "data: [DONE]\n\n"),
    ] {
        let mut passage = ResponsePlan::Relay(Dialect::OpenAiChat).passage(&view(&request, true));
        passage.pass(said.clone()).unwrap();
        let passed = passage.end(Bytes::from(rest)).unwrap();
        assert_eq!((passed.send.concat(), passed.done), (sent.into_bytes(), Some(Bytes::from(done))));
    }
    let mut passage = ResponsePlan::Relay(Dialect::OpenAiChat).passage(&view(&request, true));
    passage.pass(said).unwrap();
    passage.pass(Bytes::from(format!("{last}\n\n"))).unwrap();
    let passed = passage.end(Bytes::from_static(b"data: {\"usa")).unwrap();
    assert!(passed.send.is_empty() && passed.done.is_some(), "half an event says nothing");
}
