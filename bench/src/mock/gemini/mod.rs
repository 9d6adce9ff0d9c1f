//! A mock of Gemini, on its own paths and on Vertex's.
//!
//! `/v1beta/models/{model}:generateContent`, `:streamGenerateContent` (events with `alt=sse`, else one long array),
//! `:countTokens`, `:embedContent`, `:batchEmbedContents`; the same below `/v1/projects/…/publishers/google/`, where
//! embeddings are `:predict`. Not recorded; it follows the others: a tool is called when told or when mode is `ANY`.

mod answer;
mod errors;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use super::ask::{Ask, FORMATTED, Habits, TOOL};
use super::json::spaced;
use super::provider::Dialect;
use super::reply::{Reply, Step};
use super::seen::Seen;
use super::turn::{EMBEDDING, EMBEDDING_TOKENS, INPUT_TOKENS, Turn};
use super::wire;

pub(super) struct Gemini;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Route<'a> {
    model: &'a str,
    op: Op,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Op {
    Generate,
    Stream,
    CountTokens,
    Embed,
    BatchEmbed,
    Predict,
}

const OPS: &[(&str, Op)] = &[
    ("generateContent", Op::Generate),
    ("streamGenerateContent", Op::Stream),
    ("countTokens", Op::CountTokens),
    ("embedContent", Op::Embed),
    ("batchEmbedContents", Op::BatchEmbed),
    ("predict", Op::Predict),
];

/// What stands before the model.
const PREFIXES: &[&str] =
    &["/publishers/google/models/", "/v1beta/models/", "/v1/models/", "/v1alpha/models/"];

// --- impl Gemini ---

impl Dialect for Gemini {
    fn owns(&self, seen: &Seen) -> bool {
        seen.method == Method::POST && find(seen.route()).is_some()
    }

    fn reply(&self, ask: &Ask<'_>) -> Reply {
        let Some(route) = find(ask.route()) else { return wire::unknown_path(ask.route()) };
        if let Some(status) = ask.failure(Some(route.model)) {
            return errors::reply(status);
        }
        match route.op {
            Op::Generate => wire::plain(200, &answer::whole(route.model, &turn(ask, false))),
            Op::Stream => stream(ask, route.model),
            Op::CountTokens => wire::plain(200, &answer::count()),
            Op::Embed => wire::plain(200, &json!({"embedding": {"values": EMBEDDING}})),
            Op::BatchEmbed => wire::plain(
                200,
                &json!({"embeddings": each(&ask.body["requests"], &json!({"values": EMBEDDING}))}),
            ),
            Op::Predict => wire::plain(200, &predictions(&ask.body)),
        }
    }

    fn error(&self, _ask: &Ask<'_>, status: u16) -> Reply {
        errors::reply(status)
    }
}

fn find(path: &str) -> Option<Route<'_>> {
    let (_, rest) = PREFIXES.iter().find_map(|prefix| path.split_once(prefix))?;
    let (model, verb) = rest.rsplit_once(':')?;
    let (_, op) = OPS.iter().find(|(name, _)| *name == verb)?;
    Some(Route { model, op: *op })
}

fn turn(ask: &Ask<'_>, streamed: bool) -> Turn {
    let forced = ask.body["toolConfig"]["functionCallingConfig"]["mode"] == "ANY";
    let calls = ask.truthy("tools") && (forced || ask.words.has("__tool"));
    let format = ask.body["generationConfig"]["responseMimeType"] == "application/json";
    ask.turn(Habits {
        streamed,
        text: format.then_some(FORMATTED),
        tool: calls.then(|| tool(&ask.body)),
        ..Habits::default()
    })
}

/// The first that is declared.
fn tool(body: &Value) -> (String, Value) {
    let declared = &body["tools"][0];
    let functions =
        [&declared["functionDeclarations"][0]["name"], &declared["function_declarations"][0]["name"]];
    let name = functions.into_iter().find_map(Value::as_str).unwrap_or(TOOL);
    (name.to_owned(), json!({"city": "Paris"}))
}

fn stream(ask: &Ask<'_>, model: &str) -> Reply {
    let mut chunks = answer::chunks(model, &turn(ask, true));
    if ask.words.has("__errmid") {
        chunks.truncate(chunks.len() - 1);
        chunks.push(errors::body(500));
    }
    let events = ask.seen.path.contains("alt=sse");
    if events {
        return Reply::stream(wire::EVENT_STREAM, chunks.iter().map(event).collect());
    }
    Reply::stream(wire::JSON, array(&chunks))
}

/// Lines end as Google ends them.
fn event(chunk: &Value) -> Step {
    Step::now(Bytes::from([b"data: ", &spaced(chunk)[..], b"\r\n\r\n"].concat()))
}

fn array(chunks: &[Value]) -> Vec<Step> {
    let item = |(at, chunk): (usize, &Value)| {
        let before: &[u8] = if at == 0 { b"[" } else { b",\r\n" };
        Step::now(Bytes::from([before, &spaced(chunk)].concat()))
    };
    let mut steps: Vec<Step> = chunks.iter().enumerate().map(item).collect();
    steps.push(Step::now(&b"]"[..]));
    steps
}

fn predictions(body: &Value) -> Value {
    let statistics = json!({"truncated": false, "token_count": EMBEDDING_TOKENS});
    let prediction = json!({"embeddings": {"values": EMBEDDING, "statistics": statistics}});
    json!({"predictions": each(&body["instances"], &prediction)})
}

fn each(list: &Value, value: &Value) -> Value {
    let count = list.as_array().map_or(1, Vec::len);
    (0..count).map(|_| value.clone()).collect()
}

fn details() -> Value {
    json!([{"modality": "TEXT", "tokenCount": INPUT_TOKENS}])
}
