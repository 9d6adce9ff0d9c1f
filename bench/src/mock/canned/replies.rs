//! The replies of one set of options, built once.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use super::options::Options;
use super::{anthropic, bedrock, ollama, openai, scan};
use crate::mock::json;
use crate::mock::reply::{Reply, Step};
use crate::mock::seen::Seen;

/// Every reply with usage says so, so that sums can be compared with counts of requests.
pub const PROMPT_TOKENS: u64 = 25;
pub const COMPLETION_TOKENS: u64 = 64;

pub(super) const EVENT_STREAM: &str = "text/event-stream; charset=utf-8";
/// Short words, as tokens are.
const WORDS: &[&str] = &[" gateway", " the", " of", " answers", " model", " and", " stream", " token"];
/// The one by which [`marks`] counts.
pub const MARK: &str = " model";

pub(super) struct Replies {
    openai: Streamable,
    stream_with_usage: Reply,
    anthropic: Streamable,
    converse: Streamable,
    invoke: Streamable,
    ollama: Streamable,
    embeddings: Reply,
    models: Reply,
    pub(super) failure: Reply,
    pub(super) fail_per_mille: u32,
}

/// An answer in both forms.
struct Streamable {
    whole: Reply,
    stream: Reply,
}

/// How often [`MARK`] occurs in the text of a stream of so many chunks. OpenAI's streams have no text in their last
/// chunk; with 64 chunks that makes no difference.
pub fn marks(chunks: usize) -> usize {
    (0..chunks).filter(|at| word(*at) == MARK).count()
}

/// The text of one chunk.
pub(super) fn word(at: usize) -> &'static str {
    WORDS[at % WORDS.len()]
}

/// A body of exactly `size` bytes, unless the frame around the text is larger.
pub(super) fn sized(size: usize, frame: impl Fn(&str) -> Value) -> Bytes {
    let room = size.saturating_sub(json::compact(&frame("")).len());
    let text: String = WORDS.iter().cycle().flat_map(|word| word.chars()).take(room).collect();
    json::compact(&frame(&text))
}

// --- impl Replies ---

impl Replies {
    pub(super) fn build(options: &Options) -> Replies {
        let options = &options.bounded();
        let (chunks, bytes) = (options.chunks, options.reply_bytes);
        let both = |body: Bytes, content_type: &str, frames: Vec<Bytes>| Streamable {
            whole: dress(whole(200, body), options.delay),
            stream: dress(stream(content_type, frames, options.pace), options.delay),
        };
        let single = |status, body| dress(whole(status, body), options.delay);
        let message = sized(bytes, anthropic::message);
        let events = openai::events(chunks, true);
        Replies {
            openai: both(sized(bytes, openai::chat), EVENT_STREAM, openai::events(chunks, false)),
            stream_with_usage: dress(stream(EVENT_STREAM, events, options.pace), options.delay),
            anthropic: both(message.clone(), EVENT_STREAM, anthropic::events(chunks)),
            converse: both(sized(bytes, bedrock::converse), bedrock::EVENT_STREAM, bedrock::frames(chunks)),
            invoke: both(message, bedrock::EVENT_STREAM, bedrock::invoke_frames(chunks)),
            ollama: both(sized(bytes, ollama::chat), ollama::NDJSON, ollama::lines(chunks)),
            embeddings: single(200, json::compact(&openai::embeddings())),
            models: single(200, json::compact(&openai::models())),
            failure: single(500, json::compact(&openai::failure())),
            fail_per_mille: options.fail_per_mille,
        }
    }

    /// The end of the path says which API is spoken.
    pub(super) fn pick(&self, seen: &Seen) -> &Reply {
        let (before, last) = seen.route().rsplit_once('/').unwrap_or_default();
        let streams = || scan::is_true(&seen.body, b"\"stream\"");
        match last {
            "embeddings" => &self.embeddings,
            "models" => &self.models,
            "messages" => self.anthropic.form(streams()),
            "converse" => &self.converse.whole,
            "converse-stream" => &self.converse.stream,
            "invoke" => &self.invoke.whole,
            "invoke-with-response-stream" => &self.invoke.stream,
            // Ollama streams unless told not to.
            "chat" if before.ends_with("/api") => {
                self.ollama.form(!scan::is_false(&seen.body, b"\"stream\""))
            }
            _ if streams() && scan::is_true(&seen.body, b"\"include_usage\"") => &self.stream_with_usage,
            _ => self.openai.form(streams()),
        }
    }
}

impl Streamable {
    fn form(&self, streamed: bool) -> &Reply {
        if streamed { &self.stream } else { &self.whole }
    }
}

/// For a request whose overrides are not understood.
pub(super) fn bad_options() -> Reply {
    let known = "mock: known are chunks, pace_us, delay_us, bytes and fail, each a number";
    let error = json!({"message": known, "type": "invalid_request_error", "param": null, "code": null});
    Reply::json(400, &json!({"error": error}))
}

fn dress(reply: Reply, delay: Duration) -> Reply {
    reply.header("x-request-id", "req_canned").header("openai-processing-ms", "1").delayed(delay)
}

fn whole(status: u16, body: Bytes) -> Reply {
    Reply::full(status, "application/json", body)
}

fn stream(content_type: &str, frames: Vec<Bytes>, pace: Duration) -> Reply {
    Reply::stream(content_type, steps(frames, pace))
}

fn steps(frames: Vec<Bytes>, pace: Duration) -> Vec<Step> {
    if pace.is_zero() {
        return vec![Step::now(frames.concat())];
    }
    let paced = |(at, frame)| Step::after(if at == 0 { Duration::ZERO } else { pace }, frame);
    frames.into_iter().enumerate().map(paced).collect()
}
