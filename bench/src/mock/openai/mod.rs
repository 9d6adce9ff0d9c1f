//! A mock of OpenAI and Azure OpenAI that obeys control words found in the request.
//!
//! It answers as the provider behind the recorded goldens did, so that a gateway in front of it can be
//! compared with them. `route.rs` says which paths exist; every other file is one operation or one concern of the replies.
//! Beyond the recorded provider: responses call tools and think, and have `cancel` and `input_items`.

mod chat;
mod chat_stream;
mod completions;
mod embeddings;
mod errors;
mod media;
mod models;
pub(super) mod realtime;
mod responses;
mod responses_stream;
#[cfg(test)]
mod responses_tests;
mod route;
#[cfg(test)]
mod tests;
mod wire;

use serde_json::Value;

use super::ask::Ask;
use super::provider::{self, Provider};
use super::reply::Reply;
use super::script::Script;
use super::seen::{Seen, Upstream};
use route::{Op, Route};

/// This provider alone. One value is one "process" of it: one counter for ids, one memory of `__flaky` keys.
pub struct OpenAi {
    provider: Provider,
}

pub(super) struct Dialect;

/// What a request asks for.
struct Call<'a> {
    route: Route<'a>,
    ask: &'a Ask<'a>,
}

// --- impl OpenAi ---

impl OpenAi {
    /// With a random mark in its ids.
    pub fn new() -> OpenAi {
        OpenAi { provider: Provider::of(&[&Dialect]) }
    }

    /// As [`Provider::with_scripts`].
    #[must_use]
    pub fn with_scripts(self, scripts: Vec<Script>) -> OpenAi {
        OpenAi { provider: self.provider.with_scripts(scripts) }
    }
}

impl Default for OpenAi {
    fn default() -> OpenAi {
        OpenAi::new()
    }
}

impl Upstream for OpenAi {
    fn answer(&self, seen: &Seen) -> Reply {
        self.provider.answer(seen)
    }
}

// --- impl Dialect ---

impl provider::Dialect for Dialect {
    fn owns(&self, seen: &Seen) -> bool {
        route::find(&seen.method, seen.route()).is_some()
    }

    fn reply(&self, ask: &Ask<'_>) -> Reply {
        match route::find(&ask.seen.method, ask.route()) {
            Some(route) => Call { route, ask }.reply(),
            None => super::wire::unknown_path(ask.route()),
        }
    }

    fn error(&self, ask: &Ask<'_>, status: u16) -> Reply {
        let route = route::find(&ask.seen.method, ask.route());
        let azure_chat = route.is_some_and(|route| route.azure && route.op == Op::Chat);
        if azure_chat { errors::azure_chat(status) } else { errors::openai(status) }
    }
}

// --- impl Call ---

impl Call<'_> {
    fn reply(&self) -> Reply {
        match self.route.op {
            Op::Chat => self.chat(),
            Op::Completions => self.unless_failing(|| completions::reply(self)),
            Op::Embeddings => self.unless_failing(|| embeddings::reply(self)),
            Op::Responses => self.unless_failing(|| responses::reply(self)),
            Op::Images => self.unless_failing(media::images),
            Op::Response => responses::stored(self),
            Op::DeleteResponse => responses::deleted(self),
            Op::CancelResponse => responses::cancelled(self),
            Op::ResponseInput => responses::input_items(),
            Op::Speech => media::speech(),
            Op::Transcriptions => media::transcriptions(),
            Op::Moderations => media::moderations(self),
            Op::Models => models::list(),
        }
    }

    fn chat(&self) -> Reply {
        // Taken first: a call that then fails has used up its id too.
        let id = self.ask.process.ids.next("chatcmpl");
        if let Some(failure) = self.chat_failure() {
            return failure;
        }
        if self.ask.truthy("stream") { chat_stream::reply(self, &id) } else { chat::reply(self, &id) }
    }

    fn chat_failure(&self) -> Option<Reply> {
        if self.ask.words.has("__ctx") {
            return Some(errors::context_length());
        }
        if self.ask.words.has("__cf") {
            return Some(errors::content_filter());
        }
        let code = self.code()?;
        Some(if self.route.azure { errors::azure_chat(code) } else { errors::openai(code) })
    }

    fn unless_failing(&self, reply: impl FnOnce() -> Reply) -> Reply {
        self.code().map_or_else(reply, errors::openai)
    }

    fn code(&self) -> Option<u16> {
        self.ask.failure(self.ask.body["model"].as_str())
    }

    /// Whether the answer is a tool call.
    fn wants_tool(&self) -> bool {
        let chosen = match &self.ask.body["tool_choice"] {
            Value::Null => false,
            choice => choice != "none",
        };
        self.ask.truthy("tools") && (chosen || self.ask.words.has("__tool"))
    }
}
