//! Streams: written for a client.

use super::{checker, collect, plain, written};
use serde_json::{Value, json};
use weir_core::chat::{Begun, Citation, Delta, Event, Finish, Part, ToolCallKind};
use weir_core::domain::usage::Usage;

fn start(index: usize, block: Begun) -> Event {
    Event::BlockStart { index, block }
}

fn text(index: usize, text: &str) -> Event {
    Event::BlockDelta { index, delta: Delta::Text(text.to_owned()) }
}

fn arguments(index: usize, text: &str) -> Event {
    Event::BlockDelta { index, delta: Delta::Arguments(text.to_owned()) }
}

fn stop(index: usize) -> Event {
    Event::BlockStop { index }
}

fn call(name: &str, kind: ToolCallKind) -> Begun {
    Begun::ToolCall { id: format!("call_{name}"), name: name.to_owned(), kind }
}

fn begin() -> Event {
    Event::Start { id: Some("chatcmpl-1".into()), model: Some("up".into()) }
}

fn kinds(stream: &str) -> Vec<String> {
    checker::parse(stream).iter().map(|e| e["type"].as_str().unwrap().replace("response.", "")).collect()
}

/// The stream obeys the rules and ends with what a plain answer would say.
fn shown(events: Vec<Event>, request: &Value) -> (String, Value) {
    let answer = collect(events.clone());
    let stream = written(events, request);
    let response = checker::check(&stream);
    assert_eq!(response, plain(answer, request));
    (stream, response)
}

#[test]
fn p26_a_text_is_told_by_the_full_sequence_of_events() {
    let citation = Box::new(Citation { url: Some("https://x".into()), ..Citation::default() });
    let (stream, response) = shown(
        vec![
            begin(),
            start(0, Begun::Text),
            text(0, "he"),
            text(0, "llo"),
            Event::BlockDelta { index: 0, delta: Delta::Citation(citation) },
            stop(0),
            Event::Finish(Finish::Stop),
            // Usage may come last.
            Event::Usage(Usage { input: 1, output: 2, ..Usage::default() }),
        ],
        &json!({ "tools": [] }),
    );
    let expected = [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.annotation.added",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ];
    assert_eq!(kinds(&stream), expected);
    assert_eq!(response["usage"]["total_tokens"], 3);
    assert_eq!(response["id"], "resp_1-a");
}

#[test]
fn p26_thoughts_are_summaries_with_their_proof() {
    let signature = Event::BlockDelta { index: 0, delta: Delta::Signature("sig".into()) };
    let (stream, response) = shown(
        vec![
            begin(),
            start(0, Begun::Thinking { id: None }),
            text(0, "hm"),
            signature,
            stop(0),
            start(1, Begun::Thinking { id: Some("rs_p".into()) }),
            stop(1),
            start(
                2,
                Begun::Whole(Box::new(Part::new(weir_core::chat::Kind::RedactedThinking {
                    data: "d".into(),
                }))),
            ),
            stop(2),
            Event::Finish(Finish::Stop),
        ],
        &json!({}),
    );
    let expected = [
        "created",
        "in_progress",
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
        "output_item.added",
        "output_item.done",
        "output_item.added",
        "output_item.done",
        "completed",
    ];
    assert_eq!(kinds(&stream), expected);
    assert_eq!(response["output"][0]["encrypted_content"], "sig");
    assert_eq!(
        (&response["output"][1]["id"], &response["output"][1]["summary"]),
        (&json!("rs_p"), &json!([]))
    );
    assert_eq!(response["output"][2]["encrypted_content"], "redacted:d");
}

#[test]
fn p26_interleaved_calls_keep_their_places() {
    let (_, response) = shown(
        vec![
            begin(),
            start(0, Begun::Text),
            text(0, "a"),
            start(1, call("f", ToolCallKind::Function)),
            start(2, call("g", ToolCallKind::Custom)),
            arguments(1, "{\"x\""),
            text(0, "b"),
            arguments(2, "free"),
            arguments(1, ":1}"),
            stop(2),
            stop(1),
            stop(0),
            start(3, Begun::Text),
            text(3, "c"),
            start(4, Begun::Refusal),
            text(4, "no"),
            stop(3),
            stop(4),
            Event::Finish(Finish::ToolCalls),
        ],
        &json!({}),
    );
    let output = response["output"].as_array().unwrap();
    let types: Vec<&str> = output.iter().map(|i| i["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["message", "function_call", "custom_tool_call", "message"]);
    assert_eq!((&output[1]["arguments"], &output[1]["call_id"]), (&json!("{\"x\":1}"), &json!("call_f")));
    assert_eq!(output[0]["content"][0]["text"], "ab");
    assert_eq!(output[3]["content"].as_array().unwrap().len(), 2);
}

#[test]
fn blocks_of_text_in_a_row_are_one_message() {
    let mut events = vec![begin()];
    for index in 0..3 {
        events.extend([start(index, Begun::Text), text(index, "x"), stop(index)]);
    }
    events.push(Event::Finish(Finish::Length));
    let (stream, response) = shown(events, &json!({}));
    assert_eq!(response["output"].as_array().unwrap().len(), 1);
    assert_eq!(response["output"][0]["content"].as_array().unwrap().len(), 3);
    assert_eq!(response["output"][0]["status"], "incomplete");
    assert_eq!(kinds(&stream).last().unwrap(), "incomplete");
}

/// A dialect without custom tools answers with a function; the client gets what it asked for.
#[test]
fn a_function_that_stands_for_a_custom_tool_is_unwrapped() {
    let request = json!({ "tools": [{ "type": "custom", "name": "patch" }] });
    let events = vec![
        begin(),
        start(0, call("patch", ToolCallKind::Function)),
        arguments(0, "{\"inp"),
        arguments(0, "ut\":\"*** Begin\"}"),
        stop(0),
        start(1, call("f", ToolCallKind::Function)),
        stop(1),
        Event::Finish(Finish::ToolCalls),
    ];
    let stream = written(events, &request);
    let response = checker::check(&stream);
    assert_eq!(response["output"][0]["type"], "custom_tool_call");
    assert_eq!(response["output"][0]["input"], "*** Begin");
    assert_eq!(response["output"][1]["arguments"], "{}", "no arguments are an empty object");
    assert!(kinds(&stream).contains(&"custom_tool_call_input.delta".to_owned()));
}

#[test]
fn blocks_that_never_stop_are_closed_at_the_end() {
    let events =
        vec![begin(), start(0, Begun::Text), text(0, "x"), start(1, call("f", ToolCallKind::Function))];
    let response = checker::check(&written(events, &json!({})));
    assert_eq!(response["output"].as_array().unwrap().len(), 2);
    assert_eq!(checker::check(&written(Vec::new(), &json!({})))["output"], json!([]));
}
