//! The writer's events are in an order that Anthropic's clients take, whatever the order in the model.

use super::{fold, write_stream};
use serde_json::{Value, json};
use weir_core::chat::{Begun, Delta, Event, Finish, Kind, Part, ToolCallKind};
use weir_core::domain::usage::Usage;

fn start(index: usize, block: Begun) -> Event {
    Event::BlockStart { index, block }
}

fn call(index: usize) -> Event {
    start(index, Begun::ToolCall { id: format!("c{index}"), name: "f".into(), kind: ToolCallKind::Function })
}

fn text(index: usize, text: &str) -> Event {
    Event::BlockDelta { index, delta: Delta::Text(text.into()) }
}

fn arguments(index: usize, text: &str) -> Event {
    Event::BlockDelta { index, delta: Delta::Arguments(text.into()) }
}

fn stop(index: usize) -> Event {
    Event::BlockStop { index }
}

fn thinking() -> Begun {
    Begun::Thinking { id: None }
}

/// The content that a client has after these events.
fn content(events: Vec<Event>) -> Value {
    fold(&write_stream(events, "m")).unwrap()["content"].clone()
}

#[test]
fn p25_parallel_calls_come_one_after_the_other() {
    let events = vec![
        call(0),
        call(1),
        call(2),
        arguments(0, "{\"a\""),
        arguments(2, "{}"),
        arguments(1, "{\"b\""),
        arguments(0, ":1}"),
        arguments(1, ":2}"),
        stop(2),
        stop(0),
        stop(1),
    ];
    let calls = |n: usize, input: Value| json!({ "type": "tool_use", "id": format!("c{n}"), "name": "f", "input": input });
    assert_eq!(
        content(events),
        json!([calls(0, json!({ "a": 1 })), calls(1, json!({ "b": 2 })), calls(2, json!({}))])
    );
}

#[test]
fn p25_text_is_streamed_while_other_blocks_are_open() {
    let events = vec![
        start(0, thinking()),
        text(0, "hm"),
        start(1, Begun::Text),
        text(1, "a"),
        text(0, "more"),
        text(1, "b"),
        call(2),
        arguments(2, "{}"),
        text(1, "c"),
        stop(2),
        stop(0),
        stop(1),
    ];
    let thought = |text: &str| json!({ "type": "thinking", "thinking": text, "signature": "" });
    let said = |text: &str| json!({ "type": "text", "text": text });
    let called = json!({ "type": "tool_use", "id": "c2", "name": "f", "input": {} });
    assert_eq!(
        content(events),
        json!([thought("hm"), said("a"), thought("more"), said("b"), called, said("c")])
    );
}

#[test]
fn p25_blocks_that_say_nothing_are_not_sent() {
    let events =
        vec![start(0, Begun::Text), text(0, ""), start(1, thinking()), call(2), stop(0), stop(1), stop(2)];
    let called = json!({ "type": "tool_use", "id": "c2", "name": "f", "input": {} });
    assert_eq!(content(events), json!([called]));
    assert_eq!(content(vec![]), json!([]));
}

#[test]
fn blocks_that_never_stop_are_closed() {
    let events = vec![call(0), call(1), arguments(1, "{\"x\":1}"), start(2, Begun::Text), text(2, "t")];
    assert_eq!(content(events).as_array().map(Vec::len), Some(3));
}

#[test]
fn free_text_of_custom_tools_is_an_object() {
    let custom = Begun::ToolCall { id: "c".into(), name: "patch".into(), kind: ToolCallKind::Custom };
    let events = vec![start(0, custom), arguments(0, "say \"hi\"\n"), arguments(0, "\\é"), stop(0)];
    assert_eq!(content(events)[0]["input"], json!({ "input": "say \"hi\"\n\\é" }));
}

#[test]
fn whole_blocks_come_between() {
    let block =
        json!({ "type": "server_tool_use", "id": "s", "name": "web_search", "input": { "query": "q" } });
    let whole = Part::new(Kind::Opaque { dialect: super::super::DIALECT, value: block.clone() });
    let events = vec![
        start(0, Begun::Text),
        text(0, "a"),
        start(1, Begun::Whole(Box::new(whole))),
        stop(1),
        text(0, "b"),
    ];
    let said = |text: &str| json!({ "type": "text", "text": text });
    assert_eq!(content(events), json!([said("a"), block, said("b")]));
}

#[test]
fn p25_usage_and_reason_come_at_the_end_whenever_they_were_told() {
    let usage = Usage { input: 10, output: 3, cache_read: 4, ..Usage::default() };
    let events = vec![
        Event::Start { id: Some("x".into()), model: None },
        Event::Finish(Finish::StopSequence(Some("END".into()))),
        Event::Usage(usage),
    ];
    let message = fold(&write_stream(events, "m")).unwrap();
    assert_eq!((&message["id"], &message["model"]), (&json!("x"), &json!("m")));
    assert_eq!(
        (&message["stop_reason"], &message["stop_sequence"]),
        (&json!("stop_sequence"), &json!("END"))
    );
    assert_eq!(message["usage"]["input_tokens"], 6);
    assert_eq!(message["usage"]["output_tokens"], 3);
}

#[test]
fn what_waits_is_bounded() {
    let piece = "x".repeat(1 << 20);
    let mut events = vec![call(0), call(1)];
    events.extend((0..20).map(|_| arguments(1, &piece)));
    let written = write_stream(events, "m");
    assert!(written.len() < 2_000);
    assert!(String::from_utf8(written).unwrap().contains("event: error"));
}
