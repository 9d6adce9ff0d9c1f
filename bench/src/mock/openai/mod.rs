//! A mock of OpenAI and Azure OpenAI that obeys control words found in the request.
//!
//! It answers as the provider behind the recorded goldens did, so that a gateway in front of it can be
//! compared with them. `route.rs` says which paths exist, `words.rs` which control words; every other
//! file is one operation or one concern of the replies. Responses, images, audio and moderations are unknown
//! paths here.

mod chat;
mod chat_stream;
mod completions;
mod embeddings;
mod errors;
mod ids;
mod models;
mod route;
#[cfg(test)]
mod tests;
mod wire;
mod words;

use serde_json::Value;

use super::reply::Reply;
use super::seen::{Seen, Upstream};
use ids::Ids;
use route::{Op, Route};
use words::{Flaky, Words};

/// The provider. One value is one "process" of it: one counter for ids, one memory of `__flaky` keys.
pub struct OpenAi {
    ids: Ids,
    flaky: Flaky,
}

/// What a request asks for.
struct Call<'a> {
    route: Route<'a>,
    words: &'a Words<'a>,
    body: Value,
}

// --- impl OpenAi ---

impl OpenAi {
    /// With a random mark in its ids.
    pub fn new() -> OpenAi {
        OpenAi { ids: Ids::new(), flaky: Flaky::default() }
    }

    fn reply(&self, seen: &Seen, words: &Words<'_>) -> Reply {
        let Some(route) = route::find(&seen.method, seen.route()) else {
            return errors::unknown_path(seen.route());
        };
        if route.op == Op::Models {
            return models::list();
        }
        let Some(body) = parse(&seen.body) else { return errors::not_json() };
        self.call(&Call { route, words, body })
    }

    fn call(&self, call: &Call<'_>) -> Reply {
        match call.route.op {
            Op::Chat => self.chat(call),
            Op::Completions => self.failure(call).unwrap_or_else(|| completions::reply(call, &self.ids)),
            Op::Embeddings => self.failure(call).unwrap_or_else(|| embeddings::reply(call)),
            Op::Models => models::list(),
        }
    }

    fn chat(&self, call: &Call<'_>) -> Reply {
        // Taken first: a call that then fails has used up its id too.
        let id = self.ids.next("chatcmpl");
        if let Some(failure) = self.chat_failure(call) {
            return failure;
        }
        if call.truthy("stream") { chat_stream::reply(call, &id) } else { chat::reply(call, &id) }
    }

    fn chat_failure(&self, call: &Call<'_>) -> Option<Reply> {
        if call.words.has("__ctx") {
            return Some(errors::context_length());
        }
        if call.words.has("__cf") {
            return Some(errors::content_filter());
        }
        let code = self.code(call)?;
        Some(if call.route.azure { errors::azure_chat(code) } else { errors::openai(code) })
    }

    fn failure(&self, call: &Call<'_>) -> Option<Reply> {
        self.code(call).map(errors::openai)
    }

    fn code(&self, call: &Call<'_>) -> Option<u16> {
        if self.flaky.fails(call.words) {
            return Some(500);
        }
        call.words.error_for(call.body["model"].as_str())
    }
}

impl Default for OpenAi {
    fn default() -> OpenAi {
        OpenAi::new()
    }
}

impl Upstream for OpenAi {
    fn answer(&self, seen: &Seen) -> Reply {
        let words = Words::of(&seen.body);
        self.reply(seen, &words).delayed(words.sleep()).header("server", wire::SERVER)
    }
}

/// None when the body is not JSON; an absent body counts as an empty object.
fn parse(body: &[u8]) -> Option<Value> {
    if body.is_empty() {
        return Some(Value::Object(serde_json::Map::new()));
    }
    serde_json::from_slice(body).ok()
}

// --- impl Call ---

impl Call<'_> {
    /// True in the sense of Python, as the first of these providers took it.
    fn truthy(&self, field: &str) -> bool {
        match &self.body[field] {
            Value::Null => false,
            Value::Bool(yes) => *yes,
            Value::Number(n) => n.as_f64() != Some(0.0),
            Value::String(text) => !text.is_empty(),
            Value::Array(items) => !items.is_empty(),
            Value::Object(members) => !members.is_empty(),
        }
    }

    fn model_or<'a>(&'a self, default: &'a str) -> &'a str {
        self.body["model"].as_str().unwrap_or(default)
    }

    /// Whether the answer is a tool call.
    fn wants_tool(&self) -> bool {
        let chosen = match &self.body["tool_choice"] {
            Value::Null => false,
            choice => choice != "none",
        };
        self.truthy("tools") && (chosen || self.words.has("__tool"))
    }
}
