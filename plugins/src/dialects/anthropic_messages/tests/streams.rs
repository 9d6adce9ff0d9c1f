use super::shared::recordings;
use super::{AnthropicMessages, fold, meaning, read_stream, write_stream};
use crate::dialects::anthropic_messages::Scanner;
use crate::dialects::{ClientDialect, TranslateError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::Value;
use weir_core::chat::{Answer, Collector, Event, Events, Finish};
use weir_core::codec::frames::each;
use weir_core::codec::{Deframer, FrameError, Framing, sse};
use weir_core::error::{ApiError, Kind};

/// Bedrock's stream of Anthropic's events, as Anthropic would send them.
pub(super) fn from_event_stream(base64: &str) -> Vec<u8> {
    let bytes = Bytes::from(STANDARD.decode(base64).unwrap());
    let block = Deframer::new(Framing::EventStream, 1 << 20).push(bytes).unwrap();
    let mut out = Vec::new();
    each(Framing::EventStream, &block, |frame| {
        let outer: Value = serde_json::from_slice(frame.json()).unwrap();
        let inner = STANDARD.decode(outer["bytes"].as_str().unwrap()).unwrap();
        let event: Value = serde_json::from_slice(&inner).unwrap();
        out.extend_from_slice(
            format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap()).as_bytes(),
        );
        Ok::<(), FrameError>(())
    })
    .unwrap();
    out
}

fn collect(events: Events) -> Answer {
    let mut collector = Collector::default();
    events.into_iter().for_each(|event| collector.take(event));
    collector.finish()
}

/// Streams that ended well.
fn recorded() -> Vec<(String, Vec<u8>)> {
    let whole = recordings().into_iter().filter(|r| r.status == 200);
    whole.filter_map(|r| Some((r.name, r.stream?))).collect()
}

#[test]
fn p24_a_recorded_stream_means_the_same_after_translation() {
    for (name, stream) in recorded() {
        let original = fold(&stream).unwrap_or_else(|e| panic!("{name}: {e}"));
        let events = read_stream(&[&stream]).unwrap_or_else(|e| panic!("{name}: {e}"));
        let written = write_stream(events, original["model"].as_str().unwrap());
        let written = fold(&written).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(meaning(&written), meaning(&original), "{name}");
    }
}

#[test]
fn p23_any_cut_gives_the_same_events() {
    for (name, stream) in recorded() {
        let whole = read_stream(&[&stream]).unwrap();
        let single: Vec<&[u8]> = stream.chunks(1).collect();
        assert_eq!(read_stream(&single).unwrap(), whole, "{name}, byte by byte");
        // Every byte of a short stream; a long one is not more of a test than that.
        let step = if stream.len() < 4_000 { 1 } else { 97 };
        for cut in (0..stream.len()).step_by(step) {
            assert_eq!(read_stream(&[&stream[..cut], &stream[cut..]]).unwrap(), whole, "{name} cut at {cut}");
        }
    }
}

#[test]
fn p20_the_grammar_of_events_holds() {
    for (name, stream) in recorded() {
        let events = read_stream(&[&stream]).unwrap();
        assert!(matches!(events.first(), Some(Event::Start { .. })), "{name}");
        assert!(matches!(events.last(), Some(Event::Finish(_))), "{name}");
        let started: Vec<usize> = events
            .iter()
            .filter_map(|e| match e {
                Event::BlockStart { index, .. } => Some(*index),
                _ => None,
            })
            .collect();
        let stopped = events.iter().filter(|e| matches!(e, Event::BlockStop { .. })).count();
        assert_eq!(started, (0..stopped).collect::<Vec<_>>(), "{name}");
    }
}

#[test]
fn p10_the_scanner_sees_what_the_reader_sees() {
    for (name, stream) in recorded() {
        let answer = collect(read_stream(&[&stream]).unwrap());
        let (mut scanner, mut estimate) = (Scanner::default(), 0);
        for event in sse::events(&stream) {
            scanner.read(event);
            estimate = estimate.max(scanner.estimated_output());
        }
        assert_eq!(scanner.report().usage, answer.usage, "{name}");
        assert_eq!(scanner.report().id, answer.id, "{name}");
        assert!(scanner.finished() && scanner.fault().is_none(), "{name}");
        let output = answer.usage.unwrap().output;
        let has_content = answer.content.iter().any(|p| p.as_text().is_some());
        assert!(
            !has_content || (estimate > 0 && estimate < output * 10 + 100),
            "{name}: {estimate} of {output}"
        );
    }
}

const START: &str = "data: {\"type\":\"message_start\",\"message\":{\"id\":\"m\"}}\n\n";
const STOP: &str = "data: {\"type\":\"content_block_stop\",\"index\":0}\n\n";
const END: &str = "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"tool_use\"}}\n\n";

fn block_start(block: &str) -> String {
    format!("data: {{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{block}}}\n\n")
}

fn piece(delta: &str) -> String {
    format!("data: {{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{delta}}}\n\n")
}

fn read(parts: &[&str]) -> Result<Answer, TranslateError> {
    read_stream(&[parts.concat().as_bytes()]).map(collect)
}

#[test]
fn an_answer_to_a_schema_is_streamed_as_text() {
    let tool = block_start(r#"{"type":"tool_use","id":"t","name":"json_tool_call","input":{}}"#);
    let pieces = [
        piece(r#"{"type":"input_json_delta","partial_json":"{\"a\""}"#),
        piece(r#"{"type":"input_json_delta","partial_json":":1}"}"#),
    ]
    .concat();
    let answer = read(&[START, &tool, &pieces, STOP, END]).unwrap();
    assert_eq!((answer.text().as_str(), answer.finish), (r#"{"a":1}"#, Some(Finish::Stop)));
}

#[test]
fn input_that_comes_with_the_start_is_not_lost() {
    let tool = block_start(r#"{"type":"tool_use","id":"t","name":"f","input":{"a":1}}"#);
    let answer = read(&[START, &tool, STOP, END]).unwrap();
    let weir_core::chat::Kind::ToolCall(call) = &answer.content[0].kind else { panic!("{answer:?}") };
    assert_eq!(call.arguments, r#"{"a":1}"#);
    assert_eq!(answer.finish, Some(Finish::ToolCalls));
}

#[test]
fn blocks_to_come_are_gathered_whole() {
    let block = block_start(r#"{"type":"compaction","content":""}"#);
    let pieces = [
        piece(r#"{"type":"compaction_delta","content":"so "}"#),
        piece(r#"{"type":"compaction_delta","content":"far"}"#),
    ]
    .concat();
    let answer = read(&[START, &block, &pieces, STOP, END]).unwrap();
    let weir_core::chat::Kind::Opaque { value, .. } = &answer.content[0].kind else { panic!("{answer:?}") };
    assert_eq!(value["content"], "so far");
}

#[test]
fn p21_errors_inside_a_stream_reach_the_client() {
    let error = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"no\"}}\n\n";
    let events = read_stream(&[[START, error, STOP].concat().as_bytes()]).unwrap();
    assert!(matches!(events.last(), Some(Event::Fault(fault)) if fault.status == 529));
    let written = String::from_utf8(write_stream(events, "m")).unwrap();
    assert_eq!(written, error);
    let unnamed = read_stream(&[b"data: {\"error\":{\"message\":\"no\"}}\n\n"]).unwrap();
    assert!(matches!(unnamed.as_slice(), [Event::Fault(fault)] if fault.message == "no"));
    let ours = AnthropicMessages.error_event(&ApiError::new(Kind::Overloaded, "no"));
    assert_eq!(String::from_utf8(ours).unwrap(), error);
}

#[test]
fn p21_a_stream_that_breaks_off_says_so() {
    let text = block_start(r#"{"type":"text","text":"a"}"#);
    assert_eq!(read(&[START, &text]), Err(TranslateError::Unfinished));
    assert_eq!(read(&[START]), Err(TranslateError::Unfinished));
    assert_eq!(read(&[]), Err(TranslateError::Unfinished));
    // The reason is known: only the last event is missing.
    assert!(read(&[START, &text, END]).is_ok());
}

#[test]
fn a_wrong_order_is_an_error() {
    let text = block_start(r#"{"type":"text","text":"a"}"#);
    for wrong in [
        vec![START, START],
        vec![START, STOP],
        vec![START, &text, &text],
        vec![START, &text, STOP, STOP],
        vec![START, "data: {\"type\":\"content_block_delta\",\"index\":3,\"delta\":{}}\n\n"],
        vec!["data: {\"type\":\"message_start\"}\n\n"],
        vec!["data: <html>\n\n"],
    ] {
        assert!(matches!(read(&wrong), Err(TranslateError::Malformed(_))), "{wrong:?}");
    }
}
