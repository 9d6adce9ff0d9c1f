//! Chat, whole and as events.

use serde_json::{Value, json};

use crate::mock::turn::{Block, Finish, INPUT_TOKENS, OUTPUT_TOKENS, ToolCall, Turn};

const ID: &str = "c-mock1";
/// Said before tools are called.
const PLAN: &str = "I will use a tool.";

pub(super) fn whole(turn: &Turn) -> Value {
    let mut message = json!({"role": "assistant"});
    let content: Vec<Value> = turn.blocks.iter().filter_map(content).collect();
    if !content.is_empty() {
        message["content"] = content.into();
    }
    if turn.has_calls() {
        message["tool_plan"] = PLAN.into();
        message["tool_calls"] = turn.calls().map(|call| called(call, &call.compact_arguments())).collect();
    }
    json!({"id": ID, "finish_reason": finish(turn), "message": message, "usage": usage()})
}

fn content(block: &Block) -> Option<Value> {
    match block {
        Block::Thinking(text) => Some(json!({"type": "thinking", "thinking": text})),
        Block::Text(pieces) => Some(json!({"type": "text", "text": pieces.concat()})),
        Block::Call(_) => None,
    }
}

fn called(call: &ToolCall, arguments: &str) -> Value {
    let function = json!({"name": call.name, "arguments": arguments});
    json!({"id": format!("call_mock{}", call.tag), "type": "function", "function": function})
}

fn finish(turn: &Turn) -> &'static str {
    match turn.finish {
        Finish::Stop => "COMPLETE",
        Finish::Length => "MAX_TOKENS",
        Finish::Calls => "TOOL_CALL",
        Finish::StopSequence(_) => "STOP_SEQUENCE",
        Finish::Refusal => "ERROR",
    }
}

fn usage() -> Value {
    let tokens = json!({"input_tokens": INPUT_TOKENS, "output_tokens": OUTPUT_TOKENS});
    json!({"billed_units": tokens, "tokens": tokens})
}

// --- events ---

/// With `breaks`, the message ends as an error after the text; a turn with calls does not break.
pub(super) fn events(turn: &Turn, breaks: bool) -> Vec<Value> {
    let role =
        json!({"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []});
    let mut events = vec![json!({"id": ID, "type": "message-start", "delta": {"message": role}})];
    let mut index = 0;
    for block in &turn.blocks {
        if let Some((kind, pieces)) = text(block) {
            events.extend(content_events(index, kind, pieces));
            index += 1;
        }
    }
    if turn.has_calls() {
        events.push(json!({"type": "tool-plan-delta", "delta": {"message": {"tool_plan": PLAN}}}));
    }
    events.extend(turn.calls().enumerate().flat_map(|(index, call)| call_events(index, call)));
    let mut delta = json!({"finish_reason": finish(turn), "usage": usage()});
    if breaks && !turn.has_calls() {
        delta = json!({"finish_reason": "ERROR", "usage": {}, "error": "mock stream error"});
    }
    events.push(json!({"type": "message-end", "delta": delta}));
    events
}

fn text(block: &Block) -> Option<(&'static str, &[String])> {
    match block {
        Block::Thinking(text) => Some(("thinking", std::slice::from_ref(text))),
        Block::Text(pieces) => Some(("text", pieces)),
        Block::Call(_) => None,
    }
}

fn content_events(index: usize, kind: &str, pieces: &[String]) -> Vec<Value> {
    let event = |name: &str, content: Value| json!({"type": name, "index": index, "delta": {"message": {"content": content}}});
    let mut events = vec![event("content-start", json!({"type": kind, kind: ""}))];
    events.extend(pieces.iter().map(|piece| event("content-delta", json!({kind: piece}))));
    events.push(json!({"type": "content-end", "index": index}));
    events
}

fn call_events(index: usize, call: &ToolCall) -> Vec<Value> {
    let event = |name: &str, calls: Value| json!({"type": name, "index": index, "delta": {"message": {"tool_calls": calls}}});
    let mut events = vec![event("tool-call-start", called(call, ""))];
    let parts = call.parts().into_iter();
    events.extend(parts.map(|part| event("tool-call-delta", json!({"function": {"arguments": part}}))));
    events.push(json!({"type": "tool-call-end", "index": index}));
    events
}
