//! A mock of Anthropic: messages and count_tokens, also under a prefix and as Vertex has them (`:rawPredict`).
//!
//! `message.rs` is the whole answer and its parts, `stream.rs` the events, `errors.rs` the errors. Bedrock's InvokeModel
//! and the benchmarks use the first two.

mod errors;
pub(super) mod message;
pub(super) mod stream;
#[cfg(test)]
mod tests;

use http::Method;
use serde_json::{Value, json};

use super::ask::{Ask, Habits, TOOL};
use super::provider::Dialect;
use super::reply::Reply;
use super::seen::Seen;
use super::turn::{INPUT_TOKENS, Turn};
use super::wire;
use message::Envelope;

const SUCCESS_HEADERS: &[(&str, &str)] = &[
    ("request-id", "req_anth_mock"),
    ("anthropic-organization-id", "org-anth"),
    ("anthropic-ratelimit-requests-limit", "1000"),
    ("anthropic-ratelimit-requests-remaining", "999"),
    ("anthropic-ratelimit-requests-reset", "2026-01-01T00:00:00Z"),
    ("anthropic-ratelimit-tokens-limit", "80000"),
    ("anthropic-ratelimit-tokens-remaining", "79000"),
    ("anthropic-ratelimit-tokens-reset", "2026-01-01T00:00:00Z"),
];

pub(super) struct Anthropic;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Route<'a> {
    op: Op,
    /// The model in a path of Vertex.
    model: Option<&'a str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Op {
    Messages,
    /// Streams though the body may not say so.
    MessagesStream,
    CountTokens,
}

// --- impl Anthropic ---

impl Dialect for Anthropic {
    fn owns(&self, seen: &Seen) -> bool {
        seen.method == Method::POST && find(seen.route()).is_some()
    }

    fn reply(&self, ask: &Ask<'_>) -> Reply {
        let Some(route) = find(ask.route()) else { return wire::unknown_path(ask.route()) };
        if route.op == Op::CountTokens {
            return wire::plain(200, &json!({"input_tokens": INPUT_TOKENS}));
        }
        let model = ask.model_or(route.model.unwrap_or_default());
        if let Some(status) = ask.failure(Some(model)) {
            return errors::reply(status);
        }
        let streamed = route.op == Op::MessagesStream || ask.truthy("stream");
        let turn = turn(ask, streamed);
        let id = ask.process.ids.next("msg");
        let envelope = Envelope { id: &id, model };
        let reply = if streamed {
            let events = stream::events(&envelope, &turn, ask.words.has("__errmid"));
            Reply::stream(wire::EVENT_STREAM_UTF8, events.iter().map(wire::named_event).collect())
        } else {
            wire::plain(200, &message::whole(&envelope, &turn))
        };
        wire::with_headers(reply, SUCCESS_HEADERS)
    }

    fn error(&self, _ask: &Ask<'_>, status: u16) -> Reply {
        errors::reply(status)
    }
}

/// Any prefix: resellers have one.
fn find(path: &str) -> Option<Route<'_>> {
    let known = |op| Some(Route { op, model: None });
    if path.ends_with("/v1/messages/count_tokens") {
        return known(Op::CountTokens);
    }
    if path.ends_with("/v1/messages") {
        return known(Op::Messages);
    }
    let (_, rest) = path.split_once("/publishers/anthropic/models/")?;
    let (model, verb) = rest.rsplit_once(':')?;
    let op = match (model, verb) {
        ("count-tokens", "rawPredict") => Op::CountTokens,
        (_, "rawPredict") => Op::Messages,
        (_, "streamRawPredict") => Op::MessagesStream,
        _ => return None,
    };
    Some(Route { op, model: Some(model) })
}

/// What is said to a body of this API, whoever sells it.
pub(super) fn turn(ask: &Ask<'_>, streamed: bool) -> Turn {
    ask.turn(Habits {
        streamed,
        text: None,
        tool: wants_tool(ask).then(|| tool(&ask.body)),
        thinks: ask.words.has("__reason"),
        caches: ask.words.has("__cached"),
    })
}

fn wants_tool(ask: &Ask<'_>) -> bool {
    let forced = matches!(ask.body["tool_choice"]["type"].as_str(), Some("any" | "tool"));
    ask.truthy("tools") && (forced || ask.words.has("__tool"))
}

/// The chosen one, else the first.
fn tool(body: &Value) -> (String, Value) {
    let names = [&body["tool_choice"]["name"], &body["tools"][0]["name"]];
    let name = names.into_iter().find_map(Value::as_str).unwrap_or(TOOL);
    let arguments = if name == TOOL { json!({"city": "Paris"}) } else { json!({"answer": 42}) };
    (name.to_owned(), arguments)
}
