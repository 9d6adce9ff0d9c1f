//! One request, as far as all dialects read it alike, and what is to be said to it.
//!
//! Control words (`words.rs`) decide, unless a script (`script.rs`) has a turn for this request. The words beyond
//! those of the recorded provider: `__think` (a block of thinking, in every dialect), `__cachehit` (tokens read from and
//! written to a cache, in every dialect), `__parallel` (two tool calls), `__length`, `__stopseq` and `__refusal` (why
//! the answer ends), `__pace=SECS` (before each event of a stream), `__hostile=KIND` (`hostile.rs`).

use http::Method;
use serde_json::{Map, Value, json};

use super::ids::Ids;
use super::script::Scripts;
use super::seen::Seen;
use super::turn::{Block, Finish, ToolCall, Turn, Usage};
use super::words::{Flaky, Words};

const MAX_PIECES: usize = 100_000;
const ANSWER: &str = "Hello from mock.";
const PIECES: &[&str] = &["Hello", " from", " mock."];
/// The answer where a format was asked for.
pub(super) const FORMATTED: &str = "{\"answer\":42}";
/// The tool of the recorded provider, whatever was declared.
pub(super) const TOOL: &str = "get_weather";

/// One "process" of the provider: one counter for ids, one memory of `__flaky` keys, one set of scripts.
#[derive(Default)]
pub(super) struct Process {
    pub(super) ids: Ids,
    pub(super) flaky: Flaky,
    pub(super) scripts: Scripts,
}

/// What a request asks for.
pub(super) struct Ask<'a> {
    pub(super) seen: &'a Seen,
    pub(super) words: Words<'a>,
    /// Null when it is not JSON; an absent body counts as an empty object.
    pub(super) body: Value,
    pub(super) process: &'a Process,
}

/// How a dialect's provider behaves where the recorded ones differ.
#[derive(Debug, Default)]
pub(super) struct Habits {
    /// `__chunks` shapes streams only.
    pub(super) streamed: bool,
    /// Instead of the usual text, in one piece.
    pub(super) text: Option<&'static str>,
    /// The tool that is called: name and arguments.
    pub(super) tool: Option<(String, Value)>,
    /// Thinks, or reports cached tokens, also without the words that hold in every dialect.
    pub(super) thinks: bool,
    pub(super) caches: bool,
}

// --- impl Ask ---

impl<'a> Ask<'a> {
    pub(super) fn new(seen: &'a Seen, process: &'a Process) -> Ask<'a> {
        let body = if seen.body.is_empty() { Value::Object(Map::new()) } else { seen.json() };
        Ask { seen, words: Words::of(&seen.body), body, process }
    }

    pub(super) fn route(&self) -> &'a str {
        self.seen.route()
    }

    pub(super) fn is_post(&self) -> bool {
        self.seen.method == Method::POST
    }

    /// A form is no JSON, and need not be.
    pub(super) fn is_malformed(&self) -> bool {
        self.is_post() && self.body.is_null() && !self.seen.header("content-type").starts_with("multipart/")
    }

    /// True in the sense of Python, as the first of these providers took it.
    pub(super) fn truthy(&self, field: &str) -> bool {
        truthy(&self.body[field])
    }

    pub(super) fn model_or<'b>(&'b self, default: &'b str) -> &'b str {
        self.body["model"].as_str().unwrap_or(default)
    }

    /// The status that the control words demand. Counts the request under its `__flaky` key: ask once.
    pub(super) fn failure(&self, model: Option<&str>) -> Option<u16> {
        if self.process.flaky.fails(&self.words) {
            return Some(500);
        }
        self.words.error_for(model)
    }

    /// The answer: that of a script, else that of the control words.
    pub(super) fn turn(&self, habits: Habits) -> Turn {
        let scripted = self.process.scripts.turn(self);
        scripted.unwrap_or_else(|| self.spoken(habits))
    }

    fn spoken(&self, habits: Habits) -> Turn {
        let mut blocks = Vec::new();
        let thinks = habits.thinks || self.words.has("__think");
        if thinks {
            blocks.push(Block::Thinking("hmm".to_owned()));
        }
        let usage = self.usage(&habits);
        match habits.tool {
            Some((name, arguments)) => blocks.extend(self.calls(&name, &arguments)),
            None => blocks.push(Block::Text(self.pieces(habits.text, habits.streamed))),
        }
        Turn { finish: self.finish(&blocks), blocks, usage }
    }

    fn usage(&self, habits: &Habits) -> Usage {
        let mut usage = Usage::default();
        if habits.caches || self.words.has("__cachehit") {
            (usage.cache_read, usage.cache_write) = (4, 2);
        }
        if habits.thinks || self.words.has("__think") || self.words.has("__reason") {
            usage.reasoning = 3;
        }
        usage
    }

    fn calls(&self, name: &str, arguments: &Value) -> Vec<Block> {
        let call = |tag: &str, arguments: Value| {
            Block::Call(ToolCall { tag: tag.to_owned(), name: name.to_owned(), arguments })
        };
        let mut calls = vec![call("1", arguments.clone())];
        if self.words.has("__parallel") {
            calls.push(call("2", json!({"city": "London"})));
        }
        calls
    }

    fn pieces(&self, text: Option<&str>, streamed: bool) -> Vec<String> {
        match (text, self.words.chunks()) {
            (Some(text), _) => vec![text.to_owned()],
            (None, Some(count)) if streamed => (0..count.min(MAX_PIECES)).map(|i| format!("w{i} ")).collect(),
            _ if streamed => PIECES.iter().map(|piece| (*piece).to_owned()).collect(),
            _ => vec![ANSWER.to_owned()],
        }
    }

    fn finish(&self, blocks: &[Block]) -> Finish {
        if self.words.has("__length") {
            return Finish::Length;
        }
        if self.words.has("__stopseq") {
            return Finish::StopSequence(self.stop_sequence());
        }
        if self.words.has("__refusal") {
            return Finish::Refusal;
        }
        let calls = blocks.iter().any(|block| matches!(block, Block::Call(_)));
        if calls { Finish::Calls } else { Finish::Stop }
    }

    /// The first that the request names, whatever the dialect calls the list.
    fn stop_sequence(&self) -> String {
        let lists = [
            &self.body["stop_sequences"],
            &self.body["stop"],
            &self.body["inferenceConfig"]["stopSequences"],
            &self.body["generationConfig"]["stopSequences"],
        ];
        let first = lists.into_iter().find_map(|list| list.as_str().or(list[0].as_str()));
        first.unwrap_or("END").to_owned()
    }

    /// Whether the request declares tools, in any dialect.
    pub(super) fn declares_tools(&self) -> bool {
        self.truthy("tools") || truthy(&self.body["toolConfig"]["tools"])
    }

    /// The tool that the recorded provider calls.
    pub(super) fn weather(&self) -> (String, Value) {
        (TOOL.to_owned(), json!({"city": "Paris"}))
    }
}

pub(super) fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(yes) => *yes,
        Value::Number(n) => n.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
    }
}

/// How many inputs a request for embeddings has. A list of integers is one input, already cut into tokens.
pub(super) fn inputs(input: &Value) -> usize {
    match input.as_array() {
        Some(list) if list.first().is_some_and(|first| !is_integer(first)) => list.len(),
        _ => 1,
    }
}

fn is_integer(value: &Value) -> bool {
    value.is_i64() || value.is_u64()
}
