//! What must survive the way from a provider to a client.

use crate::drive::MODEL;
use serde_json::Value;
use std::fmt::Debug;
use weir_core::chat::{Answer, Finish, Kind, Part};
use weir_core::domain::usage::Usage;

/// A side of an answer that can be kept or lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Aspect {
    /// Who answered, as the provider calls it; where it does not say, as the client does.
    Model,
    Text,
    Refusal,
    Calls,
    Thoughts,
    /// Signatures and encrypted thoughts: what must go back to the provider.
    Proofs,
    Citations,
    Finish,
    Tokens,
    CacheRead,
    CacheWrite,
    ReasoningTokens,
    AudioTokens,
    Media,
    /// Server tools and whatever else one dialect has for itself.
    Own,
    /// More than one choice.
    Choices,
    Probabilities,
    /// What Azure's filters note beside an answer.
    FilterNotes,
}

/// An answer without what differs between any two dialects: order of blocks, ids of items, spaces in JSON.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    pub model: String,
    pub text: String,
    pub refusal: String,
    pub calls: Vec<Call>,
    pub thoughts: String,
    pub signatures: Vec<String>,
    pub redacted: Vec<String>,
    /// Address and title.
    pub citations: Vec<(String, String)>,
    pub finish: Option<Finish>,
    pub usage: Usage,
    pub media: Vec<&'static str>,
    pub own: usize,
    /// Of the second choice and those behind it: what they say, and why they end.
    pub others: Vec<Facts>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    pub id: String,
    pub name: String,
    pub arguments: Value,
}

impl Facts {
    pub fn of(answer: &Answer) -> Self {
        let mut facts = Facts {
            model: answer.model.clone().unwrap_or_else(|| MODEL.to_owned()),
            usage: answer.usage.unwrap_or_default(),
            ..Facts::default()
        };
        facts.hear(&answer.content, answer.finish.clone());
        facts.others.resize_with(answer.others.len(), Facts::default);
        let others = facts.others.iter_mut().zip(&answer.others);
        others.for_each(|(facts, other)| facts.hear(&other.content, other.finish.clone()));
        facts
    }

    fn hear(&mut self, content: &[Part], finish: Option<Finish>) {
        content.iter().for_each(|part| self.take(part));
        // Some providers say "stop" after a call.
        self.finish = if self.calls.is_empty() {
            finish
        } else {
            finish.map(|f| if f == Finish::Stop { Finish::ToolCalls } else { f })
        };
    }

    fn take(&mut self, part: &Part) {
        match &part.kind {
            Kind::Text { text, citations } => {
                self.text.push_str(text);
                let cited = citations.iter().map(|c| (c.url.clone(), c.title.clone()));
                self.citations.extend(cited.map(|(u, t)| (u.unwrap_or_default(), t.unwrap_or_default())));
            }
            Kind::Thinking { text, .. } => {
                self.thoughts.push_str(text);
                self.signatures.extend(part.signature.clone().filter(|s| !s.is_empty()));
            }
            Kind::RedactedThinking { data } => self.redacted.push(data.clone()),
            Kind::Refusal(text) => self.refusal.push_str(text),
            Kind::ToolCall(call) => self.calls.push(Call {
                id: call.id.clone(),
                name: call.name.clone(),
                arguments: parsed(&call.arguments),
            }),
            Kind::Image(_) => self.media.push("image"),
            Kind::Audio(_) => self.media.push("audio"),
            Kind::Document(_) => self.media.push("document"),
            Kind::ToolResult(_) | Kind::Opaque { .. } => self.own += 1,
        }
    }

    /// Where two answers differ, with both sides.
    pub fn differences(&self, other: &Facts) -> Vec<(Aspect, String)> {
        let mut found = Vec::new();
        let mut see = |aspect, text: Option<String>| found.extend(text.map(|t| (aspect, t)));
        see(Aspect::Model, differ(&self.model, &other.model));
        see(Aspect::Text, differ(&self.text, &other.text));
        see(Aspect::Refusal, differ(&self.refusal, &other.refusal));
        see(Aspect::Calls, self.calls_differ(&other.calls));
        see(Aspect::Thoughts, differ(&self.thoughts, &other.thoughts));
        see(Aspect::Proofs, differ(&self.signatures, &other.signatures));
        see(Aspect::Proofs, differ(&self.redacted, &other.redacted));
        see(Aspect::Citations, differ(&self.citations, &other.citations));
        see(Aspect::Finish, differ(&self.finish, &other.finish));
        see(Aspect::Media, differ(&self.media, &other.media));
        see(Aspect::Own, differ(&self.own, &other.own));
        see(Aspect::Choices, differ(&self.others, &other.others));
        let (a, b) = (&self.usage, &other.usage);
        see(Aspect::Tokens, differ(&(a.input, a.output), &(b.input, b.output)));
        see(Aspect::CacheRead, differ(&a.cache_read, &b.cache_read));
        see(Aspect::CacheWrite, differ(&writes(a), &writes(b)));
        see(Aspect::ReasoningTokens, differ(&a.reasoning, &b.reasoning));
        see(Aspect::AudioTokens, differ(&audio(a), &audio(b)));
        found
    }

    /// Arguments of null are those of a call that was cut off: they are not compared.
    fn calls_differ(&self, others: &[Call]) -> Option<String> {
        let mut others = others.to_vec();
        for (call, other) in self.calls.iter().zip(&mut others).filter(|(call, _)| call.arguments.is_null()) {
            other.arguments.clone_from(&call.arguments);
        }
        differ(&self.calls, &others)
    }
}

fn writes(usage: &Usage) -> (u64, u64) {
    (usage.cache_write, usage.cache_write_1h)
}

fn audio(usage: &Usage) -> (u64, u64) {
    (usage.audio_input, usage.audio_output)
}

/// No arguments are an empty object; what is no JSON is text.
fn parsed(arguments: &str) -> Value {
    if arguments.trim().is_empty() {
        return Value::Object(serde_json::Map::new());
    }
    serde_json::from_str(arguments).unwrap_or_else(|_| arguments.into())
}

const SHOWN: usize = 300;

fn differ<T: PartialEq + Debug>(expected: &T, found: &T) -> Option<String> {
    if expected == found {
        return None;
    }
    let shown = |value: &T| format!("{value:?}").chars().take(SHOWN).collect::<String>();
    Some(format!("expected {}, found {}", shown(expected), shown(found)))
}
