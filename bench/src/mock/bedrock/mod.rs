//! A mock of Amazon Bedrock's runtime: Converse for all models, InvokeModel for Anthropic's bodies and for the embeddings
//! of Titan and Cohere.
//!
//! Signatures are not checked, only logged with the other headers: `MockServer::log` shows them. Thinking and cached
//! tokens come with `__think` and `__cachehit`; `__reason` and `__cached` change nothing, as in the recorded provider.

mod converse;
mod embeddings;
mod errors;
mod invoke;
#[cfg(test)]
mod tests;

use http::Method;
use serde_json::json;

use super::ask::{Ask, Habits};
use super::frames::EVENT_STREAM;
use super::provider::Dialect;
use super::reply::{Reply, Step};
use super::seen::Seen;
use super::turn::{INPUT_TOKENS, Turn};
use super::wire;

pub(super) struct Bedrock;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Route<'a> {
    /// As in the path, colons maybe encoded.
    model: &'a str,
    op: Op,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Op {
    Converse,
    ConverseStream,
    Invoke,
    InvokeStream,
    CountTokens,
}

const OPS: &[(&str, Op)] = &[
    ("converse", Op::Converse),
    ("converse-stream", Op::ConverseStream),
    ("invoke", Op::Invoke),
    ("invoke-with-response-stream", Op::InvokeStream),
    ("count-tokens", Op::CountTokens),
];

// --- impl Bedrock ---

impl Dialect for Bedrock {
    fn owns(&self, seen: &Seen) -> bool {
        seen.method == Method::POST && find(seen.route()).is_some()
    }

    fn reply(&self, ask: &Ask<'_>) -> Reply {
        let Some(route) = find(ask.route()) else { return wire::unknown_path(ask.route()) };
        // The body names no model, so no `__errif` is meant for it.
        if let Some(status) = ask.failure(None) {
            return errors::reply(status);
        }
        let breaks = ask.words.has("__errmid");
        match route.op {
            Op::Converse => named(wire::plain(200, &converse::whole(&turn(ask, false)))),
            Op::ConverseStream => stream(converse::events(&turn(ask, true), breaks)),
            Op::Invoke if embeddings::are_of(route.model) => embeddings::reply(ask, route.model),
            Op::Invoke => invoke::whole(ask),
            Op::InvokeStream => {
                stream(invoke::events(ask, breaks)).header("x-amzn-bedrock-content-type", "application/json")
            }
            Op::CountTokens => wire::plain(200, &json!({"inputTokens": INPUT_TOKENS})),
        }
    }

    fn error(&self, _ask: &Ask<'_>, status: u16) -> Reply {
        errors::reply(status)
    }
}

fn find(path: &str) -> Option<Route<'_>> {
    // Models may be ARNs, with a slash that clients encode or not.
    let (model, op) = path.split_once("/model/")?.1.rsplit_once('/')?;
    let (_, op) = OPS.iter().find(|(name, _)| *name == op)?;
    Some(Route { model, op: *op })
}

fn turn(ask: &Ask<'_>, streamed: bool) -> Turn {
    let config = &ask.body["toolConfig"];
    let chosen = !config["toolChoice"].is_null() || ask.words.has("__tool");
    let calls = config.as_object().is_some_and(|config| !config.is_empty()) && chosen;
    ask.turn(Habits { streamed, tool: calls.then(|| ask.weather()), ..Habits::default() })
}

fn stream(frames: Vec<bytes::Bytes>) -> Reply {
    named(Reply::stream(EVENT_STREAM, frames.into_iter().map(Step::now).collect()))
}

fn named(reply: Reply) -> Reply {
    reply.header("x-amzn-requestid", "amz-mock-1")
}
