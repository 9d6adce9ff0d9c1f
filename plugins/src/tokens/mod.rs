//! How many tokens something comes to, before a provider says so.
//!
//! `family.rs` is the table of model families: vocabulary, how far it is from the family's own, what messages, tools and
//! pictures add. `vocabulary.rs` counts text, `tools.rs` and `image.rs` what a request carries beside it.
//!
//! Counting reads every byte and loads a vocabulary on first use (some 200 ms and 25 MB): for utility routes and
//! providers that report nothing, not for the path of every request. There, bytes are enough ([`from_bytes`]).

mod family;
mod image;
mod tools;
mod vocabulary;

#[cfg(test)]
mod tests;

use family::{Family, family};
use weir_core::chat::{Format, Kind, Media, Message, Part, Reasoning, Request, Role, Source, ToolCall};

/// Bytes of JSON to a token: what English text comes to with current vocabularies.
const BYTES_PER_TOKEN: u64 = 4;

/// Seconds of speech are tokens too, ten of them (OpenAI's guide to audio), at the size of 16-bit mono of 24 kHz.
const AUDIO_BYTES_PER_TOKEN: u64 = 4_800;

/// Scanned and printed pages alike: about 1,500 tokens for 60 kB.
const DOCUMENT_BYTES_PER_TOKEN: u64 = 40;

/// What a file or an address without a size is taken for.
const UNSEEN: u64 = 1_000;

/// Tool results hold parts, which hold no further results.
const MAX_DEPTH: usize = 4;

/// The tokens of a body, without reading it. What admission goes by.
pub fn from_bytes(length: usize) -> u64 {
    length as u64 / BYTES_PER_TOKEN
}

/// The tokens of a text for this model. Exact for OpenAI's; for others an estimate by the family's factor. Of very
/// long texts only the first megabytes are counted, and the rest is taken to be like them. Never fails.
pub fn count_text(text: &str, model: &str) -> u64 {
    let family = family(model);
    family.scaled(family.encoding.count(text))
}

/// The input tokens of a request, as the provider would report them: text by the vocabulary, messages and tools by
/// OpenAI's rules, pictures by their size and `detail`. Never fails.
pub fn count_request(request: &Request, model: &str) -> u64 {
    let family = family(model);
    let counter = Counter { family, model };
    let messages = request.messages.iter().map(|message| counter.message(message));
    let around = family.reply + counter.tools(request) + counter.format(request) + counter.thinking(request);
    messages.fold(around, u64::saturating_add)
}

struct Counter<'a> {
    family: &'static Family,
    model: &'a str,
}

impl Counter<'_> {
    fn text(&self, text: &str) -> u64 {
        self.family.scaled(self.family.encoding.count(text))
    }

    /// OpenAI's cookbook: each message has a frame, its role is one token, a name one more than its text.
    fn message(&self, message: &Message) -> u64 {
        let name = message.name.as_deref().map_or(0, |name| self.text(name) + 1);
        self.family.message + name + self.parts(&message.content, MAX_DEPTH)
    }

    fn parts(&self, parts: &[Part], depth: usize) -> u64 {
        let counted = parts.iter().map(|part| self.part(part, depth) + self.signature(part));
        counted.fold(0, u64::saturating_add)
    }

    fn signature(&self, part: &Part) -> u64 {
        let sealed = part.signature.as_deref().filter(|_| self.family.signed);
        sealed.map_or(0, |signature| from_bytes(signature.len()))
    }

    fn part(&self, part: &Part, depth: usize) -> u64 {
        match &part.kind {
            Kind::Text { text, .. } | Kind::Thinking { text, .. } | Kind::Refusal(text) => self.text(text),
            Kind::Image(media) => self.image(media),
            Kind::Audio(media) => sized(media, AUDIO_BYTES_PER_TOKEN),
            Kind::Document(media) => self.document(media),
            Kind::ToolCall(call) => self.call(call),
            Kind::ToolResult(result) if depth > 0 => self.parts(&result.content, depth - 1),
            Kind::ToolResult(_) => 0,
            // Thoughts come back encrypted: about as long as what they hide.
            Kind::RedactedThinking { data } => from_bytes(data.len()),
            Kind::Opaque { value, .. } => self.text(&value.to_string()),
        }
    }

    fn image(&self, media: &Media) -> u64 {
        let size = match &media.source {
            Source::Base64 { data, .. } => image::size(data),
            Source::Url { .. } | Source::File { .. } | Source::Text { .. } => None,
        };
        self.family.images.tokens(self.model, size, media.detail.as_deref())
    }

    fn document(&self, media: &Media) -> u64 {
        match &media.source {
            Source::Text { text, .. } => self.text(text),
            _ => sized(media, DOCUMENT_BYTES_PER_TOKEN),
        }
    }

    fn call(&self, call: &ToolCall) -> u64 {
        self.text(&call.name) + self.text(&call.arguments) + self.family.call
    }

    /// A schema for the answer is shown to the model.
    fn format(&self, request: &Request) -> u64 {
        match (&request.format, self.family.format) {
            (Some(Format::JsonSchema { schema, .. }), Some(frame)) => frame + self.text(&schema.to_string()),
            _ => 0,
        }
    }

    fn thinking(&self, request: &Request) -> u64 {
        let thinks = |r: &Reasoning| r.enabled == Some(true) || r.budget.is_some_and(|budget| budget > 0);
        if request.reasoning.as_ref().is_some_and(thinks) { self.family.thinking } else { 0 }
    }

    fn tools(&self, request: &Request) -> u64 {
        if request.tools.is_empty() {
            return 0;
        }
        let has_system = request.messages.iter().any(|m| matches!(m.role, Role::System | Role::Developer));
        // They share a system message's frame where there is one.
        let frame = self.family.tools - if has_system { self.family.shared_frame } else { 0 };
        frame + self.text(&tools::described(&request.tools))
    }
}

/// By the bytes behind base64.
fn sized(media: &Media, bytes_per_token: u64) -> u64 {
    match &media.source {
        Source::Base64 { data, .. } => (data.len() as u64 / 4 * 3 / bytes_per_token).max(1),
        Source::Url { .. } | Source::File { .. } | Source::Text { .. } => UNSEEN,
    }
}
