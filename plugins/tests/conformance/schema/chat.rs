//! OpenAI's chat completions.

use super::{Checked, Is, Rule, Sent, list, obey, require};
use serde_json::Value;
use std::collections::BTreeMap;

/// OpenAI's, and LiteLLM's for a call that Gemini could not finish.
static WORDS: &[&str] =
    &["stop", "length", "tool_calls", "content_filter", "function_call", "malformed_function_call"];

static ANSWER: &[Rule] = &[
    ("/id", Is::Text),
    ("/object", Is::This("chat.completion")),
    ("/created", Is::Count),
    ("/model", Is::Text),
    ("/choices", Is::List),
    ("/choices/0/index", Is::Count),
    ("/choices/0/finish_reason", Is::OneOf(WORDS)),
    ("/choices/0/message/role", Is::This("assistant")),
    ("/choices/0/message/content", Is::MaybeText),
];

static CHUNK: &[Rule] = &[
    ("/id", Is::Text),
    ("/object", Is::This("chat.completion.chunk")),
    ("/created", Is::Count),
    ("/model", Is::Text),
    ("/choices", Is::List),
];

static USAGE: &[Rule] =
    &[("/prompt_tokens", Is::Count), ("/completion_tokens", Is::Count), ("/total_tokens", Is::Count)];

static FUNCTION: &[Rule] =
    &[("/id", Is::Text), ("/function/name", Is::Text), ("/function/arguments", Is::Text)];
static CUSTOM: &[Rule] = &[("/id", Is::Text), ("/custom/name", Is::Text), ("/custom/input", Is::Text)];
static ANNOTATION: &[Rule] = &[
    ("/type", Is::This("url_citation")),
    ("/url_citation/url", Is::Text),
    ("/url_citation/title", Is::Text),
    ("/url_citation/start_index", Is::Count),
    ("/url_citation/end_index", Is::Count),
];

pub fn answer(value: &Value) -> Checked {
    obey(value, ANSWER)?;
    let message = &value["choices"][0]["message"];
    list(message, "/tool_calls").iter().try_for_each(call)?;
    list(message, "/annotations").iter().try_for_each(|a| obey(a, ANNOTATION))?;
    let silent = message["content"].is_null();
    let acts =
        ["tool_calls", "refusal", "audio", "function_call"].iter().any(|name| message.get(name).is_some());
    require(!silent || acts, || "content is null, and there is nothing instead".to_owned())?;
    value.get("usage").map_or(Ok(()), usage)
}

fn call(call: &Value) -> Checked {
    match call["type"].as_str() {
        Some("function") => obey(call, FUNCTION),
        Some("custom") => obey(call, CUSTOM),
        _ => Err(format!("a call of unknown type: {call}")),
    }
}

fn usage(usage: &Value) -> Checked {
    obey(usage, USAGE)?;
    let count = |name: &str| usage[name].as_u64().unwrap_or(0);
    let sum = count("prompt_tokens") + count("completion_tokens");
    require(count("total_tokens") == sum, || format!("the total is no sum: {usage}"))
}

pub fn error(value: &Value) -> Checked {
    obey(
        value,
        &[("/error/message", Is::Text), ("/error/type", Is::MaybeText), ("/error/code", Is::MaybeText)],
    )
}

// --- streams ---

#[derive(Default)]
struct Seen {
    id: Option<Value>,
    usage: bool,
    /// By their indices.
    choices: BTreeMap<u64, Choice>,
}

#[derive(Default)]
struct Choice {
    begun: bool,
    finished: bool,
    calls: usize,
}

pub fn stream(events: &[Sent], faulty: bool) -> Checked {
    require(events.iter().all(|e| e.name.is_none()), || "events have names".to_owned())?;
    let Some((last, chunks)) = events.split_last() else { return Err("it is empty".to_owned()) };
    let mut seen = Seen::default();
    chunks.iter().try_for_each(|chunk| seen.chunk(&chunk.data))?;
    if faulty {
        return error(&last.data);
    }
    require(last.data.is_null(), || "it does not end with [DONE]".to_owned())?;
    require(seen.finished(), || "no reason to finish".to_owned())
}

impl Seen {
    fn chunk(&mut self, chunk: &Value) -> Checked {
        obey(chunk, CHUNK)?;
        let id = self.id.get_or_insert_with(|| chunk["id"].clone());
        require(*id == chunk["id"], || format!("the id changed: {chunk}"))?;
        require(!self.usage, || "something follows the usage".to_owned())?;
        let choices = list(chunk, "/choices");
        if choices.is_empty() {
            self.usage = true;
            require(self.finished(), || "the usage comes before the end".to_owned())?;
            return usage(&chunk["usage"]);
        }
        require(choices.len() == 1, || format!("several choices in one chunk: {chunk}"))?;
        let index = choices[0]["index"].as_u64().ok_or("a choice has no index")?;
        self.choices.entry(index).or_default().chunk(&choices[0])
    }

    /// All choices that have begun have ended, the first among them.
    fn finished(&self) -> bool {
        self.choices.contains_key(&0) && self.choices.values().all(|choice| choice.finished)
    }
}

impl Choice {
    fn chunk(&mut self, choice: &Value) -> Checked {
        obey(choice, &[("/index", Is::Count), ("/delta", Is::Object), ("/finish_reason", Is::MaybeText)])?;
        require(!self.finished, || format!("after the finish: {choice}"))?;
        let begun = std::mem::replace(&mut self.begun, true);
        let role = &choice["delta"]["role"];
        require(begun || role == "assistant", || "the first chunk names no role".to_owned())?;
        list(choice, "/delta/tool_calls").iter().try_for_each(|call| self.call(call))?;
        list(choice, "/delta/annotations").iter().try_for_each(|a| obey(a, ANNOTATION))?;
        if choice["finish_reason"].is_null() {
            return Ok(());
        }
        self.finished = true;
        obey(choice, &[("/finish_reason", Is::OneOf(WORDS))])
    }

    /// Calls begin in order, with id and name; their later pieces have neither.
    fn call(&mut self, call_: &Value) -> Checked {
        let index = call_["index"].as_u64().ok_or("a piece of a call has no index")?;
        let begins = index == self.calls as u64;
        require(begins || index < self.calls as u64, || format!("indices have a gap: {call_}"))?;
        if !begins {
            return require(call_.get("id").is_none_or(Value::is_null), || format!("a second id: {call_}"));
        }
        self.calls += 1;
        call(call_)
    }
}
