//! Every provider on one port: a request goes to the dialect that its path belongs to.

use super::ask::{Ask, Process};
use super::reply::Reply;
use super::script::Script;
use super::seen::{Seen, Upstream};
use super::{anthropic, bedrock, cohere, gemini, hostile, ollama, openai, wire};

/// One provider's API. Control words for delays and hostile answers, ids and scripts are the same for all.
pub(super) trait Dialect: Send + Sync {
    /// Whether the request's path is one of this API.
    fn owns(&self, seen: &Seen) -> bool;

    fn reply(&self, ask: &Ask<'_>) -> Reply;

    /// The answer with this status of 400 and above.
    fn error(&self, ask: &Ask<'_>, status: u16) -> Reply;
}

/// Asked in this order. OpenAI's comes last, as its prefix may be empty.
const ALL: &[&dyn Dialect] = &[
    &anthropic::Anthropic,
    &bedrock::Bedrock,
    &gemini::Gemini,
    &ollama::Ollama,
    &cohere::Cohere,
    &openai::Dialect,
];

/// Mock providers behind one address, see the folder of each. One value is one "process" of them all.
pub struct Provider {
    dialects: &'static [&'static dyn Dialect],
    process: Process,
}

// --- impl Provider ---

impl Provider {
    /// All APIs.
    pub fn new() -> Provider {
        Provider::of(ALL)
    }

    pub(super) fn of(dialects: &'static [&'static dyn Dialect]) -> Provider {
        Provider { dialects, process: Process::default() }
    }

    /// With these scripts in force, see `script.rs`.
    #[must_use]
    pub fn with_scripts(self, scripts: Vec<Script>) -> Provider {
        self.process.scripts.set(scripts);
        self
    }

    fn reply(&self, seen: &Seen) -> Reply {
        let Some(dialect) = self.dialects.iter().find(|dialect| dialect.owns(seen)) else {
            return wire::unknown_path(seen.route());
        };
        let ask = Ask::new(seen, &self.process);
        if ask.is_malformed() {
            return dialect.error(&ask, 400);
        }
        let reply = dialect.reply(&ask).paced(ask.words.pace());
        match ask.words.name("__hostile=").and_then(hostile::kind) {
            Some(kind) => hostile::spoil(reply, kind, || dialect.error(&ask, 500)),
            None => reply,
        }
    }
}

impl Default for Provider {
    fn default() -> Provider {
        Provider::new()
    }
}

impl Upstream for Provider {
    fn answer(&self, seen: &Seen) -> Reply {
        if let Some(page) = self.process.scripts.page(seen) {
            return page;
        }
        let sleep = super::words::Words::of(&seen.body).sleep();
        self.reply(seen).delayed(sleep).header("server", wire::SERVER)
    }
}
