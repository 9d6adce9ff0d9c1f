//! What was read, told to clients of every dialect: valid JSON in valid frames, which a reader of that dialect takes.

use crate::{framing, grammar, stream};
use bytes::{Bytes, BytesMut};
use serde_json::Value;
use weir_core::body::JsonBody;
use weir_core::chat::{Answer, Collector, Event, Kind, Part, ToolCall, ToolCallKind};
use weir_core::codec::{FrameError, Framing};
use weir_core::error::{ApiError, Kind as Error};
use weir_plugins::dialects::anthropic_messages::AnthropicMessages;
use weir_plugins::dialects::gemini::{ArrayWriter, Gemini};
use weir_plugins::dialects::openai_chat::OpenAiChat;
use weir_plugins::dialects::openai_completions::OpenAiCompletions;
use weir_plugins::dialects::openai_responses::OpenAiResponses;
use weir_plugins::dialects::{ClientDialect, EventWriter, UpstreamDialect, View};

/// A dialect that clients and providers speak.
struct Both {
    name: &'static str,
    client: &'static dyn ClientDialect,
    upstream: &'static dyn UpstreamDialect,
}

static DIALECTS: &[Both] = &[
    both("chat", &OpenAiChat, &OpenAiChat),
    both("responses", &OpenAiResponses, &OpenAiResponses),
    both("messages", &AnthropicMessages, &AnthropicMessages),
    both("gemini", &Gemini, &Gemini),
];

const fn both(
    name: &'static str,
    client: &'static dyn ClientDialect,
    upstream: &'static dyn UpstreamDialect,
) -> Both {
    Both { name, client, upstream }
}

/// Tells events to every client. `whole`: the stream ended well.
pub fn stream(events: &[Event], whole: bool) {
    let body = request();
    let answer = collected(events);
    for Both { name, client, upstream } in DIALECTS {
        let out = written(client.writer(&view(&body)), events, whole, &client.error_event(&error()));
        if is_deep(&out) {
            continue;
        }
        frames(&out);
        if whole {
            let (again, end) = stream::read(*upstream, &[&out]);
            assert_eq!(end, Ok(()), "{name}: its own reader refuses: {}", String::from_utf8_lossy(&out));
            grammar::check(&again, true);
            kept(name, &answer, &collected(&again));
        }
    }
    // Only clients speak it, so nothing reads it back.
    let writer = OpenAiCompletions.writer(&view(&body));
    let out = written(writer, events, whole, &OpenAiCompletions.error_event(&error()));
    if !is_deep(&out) {
        frames(&out);
    }
    if whole {
        let all = written(Box::new(ArrayWriter::new(&view(&body))), events, true, b"");
        if !is_deep(&all) {
            list(&all);
        }
    }
}

/// Arguments that are as deep as we read them are deeper inside another dialect's frame, where our own readers refuse
/// them. A client may read deeper.
fn is_deep(json: &[u8]) -> bool {
    const READ: usize = 127;
    let (mut depth, mut inside, mut escaped) = (0_usize, false, false);
    json.iter().any(|byte| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if inside => escaped = true,
            b'"' => inside = !inside,
            b'{' | b'[' if !inside => depth += 1,
            b'}' | b']' if !inside => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > READ
    })
}

/// Tells a whole answer to every client.
pub fn answer(answer: &Answer) {
    let body = request();
    for Both { name, client, upstream } in DIALECTS {
        let out = client.write_answer(answer.clone(), &view(&body));
        if is_deep(&out) {
            continue;
        }
        let again = upstream.read_answer(&out);
        let Ok(again) = again else {
            panic!("{name}: its own reader says {again:?}: {}", String::from_utf8_lossy(&out))
        };
        kept(name, answer, &again);
    }
}

/// An error as every client reads it.
pub fn errors(error: &ApiError) {
    for Both { client, .. } in DIALECTS {
        let body: Result<Value, _> = serde_json::from_slice(&client.write_error(error));
        assert!(body.is_ok(), "{body:?}");
        frames(&client.error_event(error));
    }
}

fn collected(events: &[Event]) -> Answer {
    let mut collector = Collector::default();
    events.iter().cloned().for_each(|event| collector.take(event));
    collector.finish()
}

/// The frames of a stream, as a gateway sends them.
fn written(mut writer: Box<dyn EventWriter>, events: &[Event], whole: bool, error: &[u8]) -> Vec<u8> {
    let mut out = BytesMut::new();
    events.iter().filter(|e| !matches!(e, Event::Fault(_))).for_each(|e| writer.write(e.clone(), &mut out));
    match whole {
        true => writer.end(&mut out),
        false => out.extend_from_slice(error),
    }
    out.to_vec()
}

/// Whole events with JSON in each.
fn frames(stream: &[u8]) {
    assert!(stream.ends_with(b"\n"), "the last frame is open");
    let checked = framing::read(Framing::Sse, &[stream], |frame| {
        let json = frame.json();
        let valid = json == b"[DONE]" || serde_json::from_slice::<Value>(json).is_ok();
        assert!(valid, "no JSON: {}", String::from_utf8_lossy(json));
        Ok::<(), FrameError>(())
    });
    assert_eq!(checked, Ok(()));
}

fn list(stream: &[u8]) {
    let list: Result<Vec<Value>, _> = serde_json::from_slice(stream);
    assert!(list.is_ok(), "{list:?}: {}", String::from_utf8_lossy(stream));
}

/// Text and calls are what no dialect may lose. The tool that stands for a format is another's text: requests that name
/// one of their own so are refused.
fn kept(client: &str, before: &Answer, after: &Answer) {
    if calls(before).iter().any(|call| call.name == "json_tool_call") {
        return;
    }
    // What is heard may be told as what is written, and a dialect has one or the other.
    let heard = before.content.iter().any(|part| matches!(part.kind, Kind::Audio(_)));
    assert!(
        heard || said(before) == said(after),
        "{client}: {:?} became {:?}",
        before.content,
        after.content
    );
    let (before, after) = (calls(before), calls(after));
    assert_eq!(before.len(), after.len(), "{client}");
    // Without names, or arguments that have a form in every dialect, there is no telling which is which.
    if before.iter().any(|call| call.name.is_empty() || call.arguments.is_none()) {
        return;
    }
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(before.name, after.name, "{client}");
        assert_eq!(before.arguments, after.arguments, "{client}");
    }
}

/// All that was said, in any order: pieces of blocks that are open at once may be told as they came or block by block.
/// Dialects without refusals tell them as text.
fn said(answer: &Answer) -> Vec<char> {
    let text = |part: &Part| match &part.kind {
        Kind::Refusal(text) => Some(text.clone()),
        _ => part.as_text().map(str::to_owned),
    };
    let mut said: Vec<char> =
        answer.content.iter().filter_map(text).flat_map(|t| t.chars().collect::<Vec<_>>()).collect();
    said.sort_unstable();
    said
}

struct Call<'a> {
    name: &'a str,
    /// `None` for free text, or where the model wrote no object: a dialect that holds arguments as JSON must put them
    /// somewhere.
    arguments: Option<Value>,
}

fn calls(answer: &Answer) -> Vec<Call<'_>> {
    let all = answer.content.iter().filter_map(|part| match &part.kind {
        Kind::ToolCall(call) => Some(call),
        _ => None,
    });
    let arguments = |call: &ToolCall| match call.kind {
        ToolCallKind::Function => serde_json::from_str(&call.arguments).ok().filter(Value::is_object),
        ToolCallKind::Custom => None,
    };
    let mut calls: Vec<_> = all.map(|call| Call { name: &call.name, arguments: arguments(call) }).collect();
    // Calls that are open at once may be told as they begin or as they end.
    calls.sort_by_key(|call| format!("{} {:?}", call.name, call.arguments));
    calls
}

fn error() -> ApiError {
    ApiError::new(Error::BadRequest, "broken \"off\"\n\n")
}

fn request() -> JsonBody {
    match JsonBody::parse(Bytes::from_static(br#"{"model":"m","input":"hi"}"#)) {
        Ok(body) => body,
        Err(error) => panic!("{error}"),
    }
}

fn view(body: &JsonBody) -> View<'_> {
    View { model: "m", id: "0f", created: 1, include_usage: true, body }
}
