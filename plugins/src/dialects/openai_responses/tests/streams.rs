//! Streams: read from a provider.

use super::answers::{closing, meaning};
use super::{OpenAiResponses, checker, collect, events, last_response, plain, recordings, sse, written};
use crate::dialects::dialect::{TranslateError, UpstreamDialect as _};
use serde_json::{Value, json};
use weir_core::chat::{Answer, Event, Finish, Kind};

/// Everything that a stream tells; the rest is only in a plain answer. OpenAI encrypts a thought anew each time it is
/// told.
fn told(mut answer: Answer) -> Answer {
    for part in &mut answer.content {
        part.signature = part.signature.take().map(|_| "proof".to_owned());
    }
    Answer { extra: weir_core::chat::Object::new(), service_tier: None, ..answer }
}

#[test]
fn p24_recorded_streams_tell_what_their_last_response_says() {
    for recording in recordings() {
        let Some(stream) = recording.stream() else { continue };
        let read = events(&[stream.as_bytes()]).unwrap_or_else(|e| panic!("{}: {e}", recording.id));
        let last = last_response(stream);
        let answer = OpenAiResponses.read_answer(last.to_string().as_bytes()).unwrap();
        let collected = collect(read.clone());
        assert_eq!(told(collected.clone()), told(answer), "{}", recording.id);

        let response = checker::check(&written(read, &recording.request));
        assert_eq!(meaning(&response["output"]), meaning(&last["output"]), "{}", recording.id);
        assert_eq!(closing(&response), closing(&last), "{}", recording.id);
        assert_eq!(response, plain(collected, &recording.request), "{}", recording.id);
    }
}

/// One of everything.
fn everything() -> String {
    let at = |kind: &str, index: u64, more: Value| {
        let mut event = json!({ "type": kind, "output_index": index, "item_id": "i", "content_index": 0 });
        event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        event
    };
    let thought = json!({ "type": "reasoning", "id": "rs_1", "summary": [] });
    let thought_done = json!({ "type": "reasoning", "id": "rs_1", "encrypted_content": "gAAAAé",
        "summary": [{ "type": "summary_text", "text": "uno" }, { "type": "summary_text", "text": "dué" }] });
    let call = |arguments: &str| json!({ "type": "function_call", "call_id": "c1", "name": "f", "arguments": arguments });
    let custom =
        |input: &str| json!({ "type": "custom_tool_call", "call_id": "c2", "name": "p", "input": input });
    let search = json!({ "type": "web_search_call", "id": "ws_1", "status": "completed" });
    let note =
        json!({ "type": "url_citation", "url": "https://x", "title": "t", "start_index": 0, "end_index": 2 });
    let text = json!({ "type": "output_text", "text": "hé 😀", "annotations": [note] });
    let refusal = json!({ "type": "refusal", "refusal": "no" });
    let message = json!({ "type": "message", "role": "assistant", "content": [text, refusal] });
    let output = json!([thought_done, search, message, call("{\"a\":1}"), custom("free")]);
    let usage = json!({ "input_tokens": 3, "output_tokens": 4 });
    sse(&[
        json!({ "type": "response.created", "response": { "id": "resp_p", "model": "gpt" } }),
        json!({ "type": "response.in_progress", "response": { "id": "resp_p" } }),
        at("response.output_item.added", 0, json!({ "item": thought })),
        at("response.reasoning_summary_text.delta", 0, json!({ "summary_index": 0, "delta": "uno" })),
        at("response.reasoning_summary_text.delta", 0, json!({ "summary_index": 1, "delta": "du" })),
        at("response.reasoning_summary_text.delta", 0, json!({ "summary_index": 1, "delta": "é" })),
        at("response.output_item.done", 0, json!({ "item": thought_done })),
        at("response.output_item.added", 1, json!({ "item": search })),
        at("response.web_search_call.searching", 1, json!({})),
        at("response.output_item.done", 1, json!({ "item": search })),
        at(
            "response.output_item.added",
            2,
            json!({ "item": { "type": "message", "role": "assistant", "content": [] } }),
        ),
        at("response.output_text.delta", 2, json!({ "delta": "hé " })),
        at("response.output_text.annotation.added", 2, json!({ "annotation": note })),
        at("response.content_part.done", 2, json!({ "part": text })),
        at("response.refusal.delta", 2, json!({ "content_index": 1, "delta": "no" })),
        at("response.output_item.added", 3, json!({ "item": call("") })),
        at("response.output_item.added", 4, json!({ "item": custom("") })),
        at("response.function_call_arguments.delta", 3, json!({ "delta": "{\"a\"" })),
        at("response.custom_tool_call_input.delta", 4, json!({ "delta": "fr" })),
        at("response.function_call_arguments.delta", 3, json!({ "delta": ":1}" })),
        at("response.custom_tool_call_input.delta", 4, json!({ "delta": "ee" })),
        at("response.output_item.done", 2, json!({ "item": message })),
        at("response.output_item.done", 3, json!({ "item": call("{\"a\":1}") })),
        at("response.output_item.done", 4, json!({ "item": custom("free") })),
        json!({ "type": "response.completed",
                "response": { "id": "resp_p", "model": "gpt", "status": "completed", "output": output, "usage": usage } }),
    ])
}

#[test]
fn p24_interleaved_blocks_of_every_kind_are_told_whole() {
    let stream = everything();
    let read = events(&[stream.as_bytes()]).unwrap();
    let last = last_response(&stream);
    let answer = OpenAiResponses.read_answer(last.to_string().as_bytes()).unwrap();
    assert_eq!(collect(read.clone()), answer);
    let response = checker::check(&written(read, &json!({})));
    assert_eq!(response, plain(answer, &json!({})));
    assert_eq!(response["output"].as_array().unwrap().len(), 5);
}

#[test]
fn p23_any_cut_gives_the_same_events() {
    let stream = everything();
    let bytes = stream.as_bytes();
    let whole = events(&[bytes]).unwrap();
    for cut in 0..bytes.len() {
        assert_eq!(events(&[&bytes[..cut], &bytes[cut..]]).unwrap(), whole, "cut at {cut}");
    }
    for recording in recordings() {
        let Some(stream) = recording.stream() else { continue };
        let pieces: Vec<&[u8]> = stream.as_bytes().chunks(1).collect();
        assert_eq!(events(&pieces).unwrap(), events(&[stream.as_bytes()]).unwrap(), "{}", recording.id);
    }
}

/// Servers leave out pieces, or everything but the last response.
#[test]
fn what_was_not_told_in_pieces_is_taken_from_the_whole() {
    let stream = everything();
    let whole = collect(events(&[stream.as_bytes()]).unwrap());
    for kept in [
        &["response.created", "response.output_item.done", "response.completed"][..],
        &[
            "response.created",
            "response.output_item.added",
            "response.output_item.done",
            "response.completed",
        ],
        &["response.created", "response.output_item.added", "response.completed"],
        &["response.completed"],
    ] {
        let keeps = |block: &&str| kept.iter().any(|k| block.starts_with(&format!("event: {k}\n")));
        let less: Vec<&str> = stream.split_inclusive("\n\n").filter(keeps).collect();
        let mut answer = collect(events(&[less.concat().as_bytes()]).unwrap());
        // Calls begin earlier than messages here.
        answer.content.sort_by_key(|p| matches!(p.kind, Kind::ToolCall(_)));
        answer.content.sort_by_key(|p| !matches!(p.kind, Kind::Thinking { .. }));
        assert_eq!(answer, whole, "{kept:?}");
    }
}

#[test]
fn names_of_events_are_taken_from_their_data_too() {
    let stream = everything();
    let bare: String =
        stream.lines().filter(|l| !l.starts_with("event:")).map(|l| format!("{l}\n")).collect();
    assert_eq!(events(&[bare.as_bytes()]).unwrap(), events(&[stream.as_bytes()]).unwrap());
}

#[test]
fn a_stream_that_stops_too_soon_is_unfinished() {
    let stream = everything();
    let blocks: Vec<&str> = stream.split_inclusive("\n\n").collect();
    for end in 0..blocks.len() - 1 {
        let cut = blocks[..=end].concat();
        let whole = end == blocks.len() - 1;
        assert_eq!(events(&[cut.as_bytes()]).is_ok(), whole, "after {end} events");
    }
    assert_eq!(events(&[b""]), Err(TranslateError::Unfinished));
}

#[test]
fn p21_an_error_inside_a_stream_is_a_fault_and_the_last_event() {
    let created = json!({ "type": "response.created", "response": { "id": "r" } });
    let late =
        json!({ "type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "x" });
    for (error, status, code) in [
        (
            json!({ "type": "error", "code": "server_error", "message": "m", "param": null }),
            500,
            "server_error",
        ),
        (
            json!({ "type": "error", "error": { "type": "t", "code": "rate_limit_exceeded", "message": "m" } }),
            429,
            "rate_limit_exceeded",
        ),
        (
            json!({ "type": "response.failed", "response": { "status": "failed",
            "error": { "code": "server_error", "message": "m" } } }),
            500,
            "server_error",
        ),
    ] {
        let read = events(&[sse(&[created.clone(), error, late.clone()]).as_bytes()]).unwrap();
        let Some(Event::Fault(fault)) = read.last() else { panic!("{read:?}") };
        assert_eq!((fault.status, fault.message.as_str(), fault.code.as_deref()), (status, "m", Some(code)));
    }
}

#[test]
fn an_incomplete_stream_says_why() {
    let end = |reason: &str| {
        json!({ "type": "response.incomplete", "response": { "status": "incomplete", "output": [],
        "incomplete_details": { "reason": reason } } })
    };
    for (reason, finish) in [
        ("max_output_tokens", Finish::Length),
        ("content_filter", Finish::ContentFilter),
        ("x", Finish::Other("x".into())),
    ] {
        let read = events(&[sse(&[end(reason)]).as_bytes()]).unwrap();
        assert_eq!(read.last(), Some(&Event::Finish(finish)));
    }
}
