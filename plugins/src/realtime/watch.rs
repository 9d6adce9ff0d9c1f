//! What a session used, from the provider's messages.

use super::frames::Frames;
use crate::dialects::counts::count;
use memchr::memmem;
use serde::Deserialize;
use weir_core::domain::usage::Usage;

/// Messages with usage hold the whole response as text, but no audio.
const MAX_MESSAGE: usize = 1024 * 1024;

/// Looks at the provider's side of one session.
pub struct Watch {
    frames: Frames,
    seen: Seen,
}

#[derive(Default)]
struct Seen {
    session: Option<String>,
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Message {
    r#type: String,
    session: Option<Session>,
    response: Option<Response>,
}

#[derive(Deserialize)]
struct Session {
    id: Option<String>,
}

#[derive(Deserialize)]
struct Response {
    usage: Option<WireUsage>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireUsage {
    #[serde(deserialize_with = "count")]
    input_tokens: u64,
    #[serde(deserialize_with = "count")]
    output_tokens: u64,
    input_token_details: Option<Details>,
    output_token_details: Option<Details>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Details {
    #[serde(deserialize_with = "count")]
    cached_tokens: u64,
    #[serde(deserialize_with = "count")]
    audio_tokens: u64,
    #[serde(deserialize_with = "count")]
    image_tokens: u64,
    cached_tokens_details: Option<Box<Details>>,
}

impl Default for Watch {
    fn default() -> Self {
        Self { frames: Frames::new(MAX_MESSAGE), seen: Seen::default() }
    }
}

impl Watch {
    pub fn see(&mut self, bytes: &[u8]) {
        let seen = &mut self.seen;
        self.frames.push(bytes, |message| seen.take(message));
    }

    /// Whether a frame of ours may stand behind what was seen.
    pub fn at_boundary(&self) -> bool {
        self.frames.at_boundary()
    }

    /// Whether the provider has said that the session is over.
    pub fn is_closed(&self) -> bool {
        self.frames.is_closed()
    }

    /// The session's id, and the sum over all its responses; `None` before the first.
    pub fn learned(self) -> (Option<String>, Option<Usage>) {
        (self.seen.session, self.seen.usage)
    }
}

impl Seen {
    /// Most messages are audio, which is not worth parsing.
    fn take(&mut self, message: &[u8]) {
        let told = |name: &[u8]| memmem::find(message, name).is_some();
        if !told(b"session.created") && !told(b"response.done") {
            return;
        }
        let Ok(message) = serde_json::from_slice::<Message>(message) else { return };
        match message.r#type.as_str() {
            "session.created" => self.session = message.session.and_then(|session| session.id),
            "response.done" => self.add(message.response.and_then(|response| response.usage)),
            _ => {}
        }
    }

    fn add(&mut self, usage: Option<WireUsage>) {
        let Some(usage) = usage.map(Usage::from) else { return };
        let sum = self.usage.get_or_insert_default();
        *sum = sum.plus(&usage);
    }
}

impl From<WireUsage> for Usage {
    fn from(wire: WireUsage) -> Self {
        let [input, output] =
            [wire.input_token_details, wire.output_token_details].map(Option::unwrap_or_default);
        let cached = input.cached_tokens_details.unwrap_or_default();
        Usage {
            input: wire.input_tokens,
            output: wire.output_tokens,
            cache_read: input.cached_tokens,
            audio_cache_read: cached.audio_tokens,
            // OpenAI counts cached tokens among those of their kind.
            audio_input: input.audio_tokens.saturating_sub(cached.audio_tokens),
            audio_output: output.audio_tokens,
            image_input: input.image_tokens.saturating_sub(cached.image_tokens),
            ..Usage::default()
        }
    }
}
