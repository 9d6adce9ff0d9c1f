//! A mock of Cohere: `/v2/chat`, `/v2/embed` and the rerank that others have copied (`/v1/rerank`, `/rerank`).
//!
//! Rerank is as recorded; chat and embed follow the other providers.

mod chat;
#[cfg(test)]
mod tests;

use http::Method;
use serde_json::{Value, json};

use super::ask::{Ask, FORMATTED, Habits, inputs};
use super::provider::Dialect;
use super::reply::Reply;
use super::seen::Seen;
use super::turn::{EMBEDDING, EMBEDDING_TOKENS};
use super::wire;

pub(super) struct Cohere;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Op {
    Chat,
    Embed,
    Rerank,
}

const ROUTES: &[(&str, Op)] = &[
    ("/v2/chat", Op::Chat),
    ("/v2/embed", Op::Embed),
    ("/v1/embed", Op::Embed),
    ("/v2/rerank", Op::Rerank),
    ("/v1/rerank", Op::Rerank),
    ("/rerank", Op::Rerank),
];

const SCORES: &[(u64, f64)] = &[(1, 0.9), (0, 0.1)];

// --- impl Cohere ---

impl Dialect for Cohere {
    fn owns(&self, seen: &Seen) -> bool {
        seen.method == Method::POST && find(seen.route()).is_some()
    }

    fn reply(&self, ask: &Ask<'_>) -> Reply {
        if let Some(status) = ask.failure(ask.body["model"].as_str()) {
            return self.error(ask, status);
        }
        match find(ask.route()) {
            Some(Op::Chat) => said(ask),
            Some(Op::Embed) => wire::plain(200, &embeddings(&ask.body)),
            Some(Op::Rerank) => wire::plain(200, &rerank(&ask.body)),
            None => wire::unknown_path(ask.route()),
        }
    }

    fn error(&self, ask: &Ask<'_>, status: u16) -> Reply {
        let rerank = find(ask.route()) == Some(Op::Rerank);
        let message = wire::message(status).filter(|_| !rerank).unwrap_or("mock cohere error");
        wire::plain(status, &json!({"message": message}))
    }
}

fn find(path: &str) -> Option<Op> {
    ROUTES.iter().find(|(known, _)| *known == path).map(|(_, op)| *op)
}

fn said(ask: &Ask<'_>) -> Reply {
    let streamed = ask.truthy("stream");
    let forced = ask.body["tool_choice"] == "REQUIRED";
    let calls = ask.truthy("tools") && (forced || ask.words.has("__tool"));
    let turn = ask.turn(Habits {
        streamed,
        text: ask.truthy("response_format").then_some(FORMATTED),
        tool: calls.then(|| ask.weather()),
        ..Habits::default()
    });
    if !streamed {
        return wire::plain(200, &chat::whole(&turn));
    }
    let events = chat::events(&turn, ask.words.has("__errmid"));
    let mut steps: Vec<_> = events.iter().map(wire::named_event).collect();
    steps.push(wire::done());
    Reply::stream(wire::EVENT_STREAM, steps)
}

fn embeddings(body: &Value) -> Value {
    let vectors: Vec<Value> = (0..inputs(&body["texts"])).map(|_| json!(EMBEDDING)).collect();
    json!({
        "id": "emb-mock1",
        "embeddings": {"float": vectors},
        "texts": body["texts"],
        "response_type": "embeddings_by_type",
        "meta": {"api_version": {"version": "2"}, "billed_units": {"input_tokens": EMBEDDING_TOKENS}},
    })
}

/// Whatever the documents are.
fn rerank(body: &Value) -> Value {
    let top = body["top_n"].as_u64().and_then(|top| usize::try_from(top).ok()).unwrap_or(SCORES.len());
    let scored = SCORES.iter().take(top);
    let results: Vec<Value> =
        scored.map(|(index, score)| json!({"index": index, "relevance_score": score})).collect();
    json!({
        "id": "rr-mock1",
        "results": results,
        "meta": {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}},
    })
}
