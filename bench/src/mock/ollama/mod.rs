//! A mock of Ollama's own API. `__reason` and `__cached` change nothing, as in the recorded provider; `__think` does.

mod answer;
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
use answer::Shape;

pub(super) struct Ollama;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Op {
    Chat,
    Generate,
    Embed,
    Show,
    Tags,
    Version,
}

const ROUTES: &[(Method, &str, Op)] = &[
    (Method::POST, "/api/chat", Op::Chat),
    (Method::POST, "/api/generate", Op::Generate),
    (Method::POST, "/api/embed", Op::Embed),
    (Method::POST, "/api/embeddings", Op::Embed),
    (Method::POST, "/api/show", Op::Show),
    (Method::GET, "/api/tags", Op::Tags),
    (Method::GET, "/api/version", Op::Version),
];

const MODEL: &str = "qwen2.5:7b-instruct";

// --- impl Ollama ---

impl Dialect for Ollama {
    fn owns(&self, seen: &Seen) -> bool {
        find(seen).is_some()
    }

    fn reply(&self, ask: &Ask<'_>) -> Reply {
        match find(ask.seen) {
            Some(Op::Chat) => said(ask, Shape::Chat),
            Some(Op::Generate) => said(ask, Shape::Generate),
            Some(Op::Embed) => wire::plain(200, &embeddings(ask)),
            Some(Op::Show) => wire::plain(200, &show()),
            Some(Op::Tags) => wire::plain(200, &json!({"models": [{"name": MODEL, "model": MODEL}]})),
            Some(Op::Version) => wire::plain(200, &json!({"version": "0.12.6"})),
            None => wire::unknown_path(ask.route()),
        }
    }

    fn error(&self, _ask: &Ask<'_>, status: u16) -> Reply {
        failure(status)
    }
}

fn find(seen: &Seen) -> Option<Op> {
    let fits = |(method, path, _): &&(Method, &str, Op)| *method == seen.method && *path == seen.route();
    ROUTES.iter().find(fits).map(|(.., op)| *op)
}

fn said(ask: &Ask<'_>, shape: Shape) -> Reply {
    if let Some(status) = ask.failure(ask.body["model"].as_str()) {
        return failure(status);
    }
    let streamed = ask.body["stream"].is_null() || ask.truthy("stream");
    let calls = shape == Shape::Chat && ask.truthy("tools") && ask.words.has("__tool");
    let turn = ask.turn(Habits {
        streamed,
        text: ask.truthy("format").then_some(FORMATTED),
        tool: calls.then(|| ask.weather()),
        ..Habits::default()
    });
    let answer = answer::Answer { model: ask.model_or(""), shape, turn: &turn };
    if !streamed {
        return wire::plain(200, &answer.whole());
    }
    let lines = answer.lines(ask.words.has("__errmid"));
    Reply::stream(wire::NDJSON, lines.iter().map(wire::line).collect())
}

/// No status brings a `retry-after`.
fn failure(status: u16) -> Reply {
    wire::plain(status, &json!({"error": wire::message(status).unwrap_or("mock")}))
}

fn embeddings(ask: &Ask<'_>) -> Value {
    let input = if ask.body["input"].is_null() { &ask.body["prompt"] } else { &ask.body["input"] };
    let vectors: Vec<Value> = (0..inputs(input)).map(|_| json!(EMBEDDING)).collect();
    json!({
        "model": ask.model_or(""),
        "embeddings": vectors,
        "embedding": EMBEDDING,
        "total_duration": 1000,
        "load_duration": 10,
        "prompt_eval_count": EMBEDDING_TOKENS,
    })
}

fn show() -> Value {
    json!({
        "template": "{{ .Prompt }}",
        "details": {"family": "qwen2", "families": ["qwen2"], "parameter_size": "7B"},
        "model_info": {"general.architecture": "qwen2", "qwen2.context_length": 32768},
        "capabilities": ["completion", "tools"],
    })
}
