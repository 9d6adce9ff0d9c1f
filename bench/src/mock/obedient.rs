//! A provider that says as much as it would like to, but no more than it may: `max_tokens` is the bound of what an answer
//! costs.
//!
//! What it would like to say differs from request to request, so that what was held for an answer and what it costs differ
//! too. Chats of OpenAI's API only, for the cases of budgets.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::reply::{Reply, Step};
use super::seen::{Seen, Upstream};
use super::wire::{CREATED, EVENT_STREAM, compact_event, done};

pub const PROMPT_TOKENS: u64 = 25;
/// Tokens that it would say, at least and at most.
pub const SHORTEST: u64 = 40;
pub const LONGEST: u64 = 400;
/// Pieces of text in a stream.
const PIECES: u32 = 8;

/// The provider.
pub struct Obedient {
    /// Before each piece but the first.
    pace: Duration,
    count: AtomicU64,
}

// --- impl Obedient ---

impl Obedient {
    pub fn new(pace: Duration) -> Obedient {
        Obedient { pace, count: AtomicU64::new(0) }
    }

    /// Spread over all lengths, and the same in every run.
    fn wish(&self) -> u64 {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        SHORTEST + (number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) % (LONGEST - SHORTEST + 1)
    }
}

impl Upstream for Obedient {
    fn answer(&self, seen: &Seen) -> Reply {
        let asked = seen.json();
        let said = self.wish().min(asked["max_tokens"].as_u64().unwrap_or(u64::MAX));
        if asked["stream"] == true {
            return Reply::stream(EVENT_STREAM, steps(said)).paced(self.pace);
        }
        let message = json!({"role": "assistant", "content": "so"});
        let choice = json!({"index": 0, "message": message, "finish_reason": "stop"});
        Reply::json(200, &frame("chat.completion", json!([choice]), usage(said))).delayed(self.pace * PIECES)
    }
}

fn steps(said: u64) -> Vec<Step> {
    let chunk = |choices, usage| compact_event(&frame("chat.completion.chunk", choices, usage));
    let piece = |_| {
        let delta = json!({"role": "assistant", "content": " so"});
        chunk(json!([{"index": 0, "delta": delta, "finish_reason": null}]), Value::Null)
    };
    let mut steps: Vec<Step> = (0..PIECES).map(piece).collect();
    steps.push(chunk(json!([{"index": 0, "delta": {}, "finish_reason": "stop"}]), Value::Null));
    steps.push(chunk(json!([]), usage(said)));
    steps.push(done());
    steps
}

fn usage(said: u64) -> Value {
    json!({"prompt_tokens": PROMPT_TOKENS, "completion_tokens": said, "total_tokens": PROMPT_TOKENS + said})
}

fn frame(object: &str, choices: Value, usage: Value) -> Value {
    json!({"id": "chatcmpl-obedient", "object": object, "created": CREATED, "model": "obedient", "choices": choices, "usage": usage})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mock::MockServer;
    use crate::mock::testing::post;

    const CHAT: &str = "/v1/chat/completions";

    #[tokio::test]
    async fn it_says_no_more_than_it_may_and_not_always_the_same() {
        let server = MockServer::start(Obedient::new(Duration::ZERO)).await.unwrap();
        let mut said = Vec::new();
        for _ in 0..20 {
            let got = post(&server, CHAT, r#"{"max_tokens": 200}"#).await;
            said.push(got.json()["usage"]["completion_tokens"].as_u64().unwrap());
        }
        assert!(said.iter().all(|tokens| (SHORTEST..=200).contains(tokens)), "{said:?}");
        said.sort_unstable();
        said.dedup();
        assert!(said.len() > 5 && said.last() == Some(&200), "{said:?}");
    }

    #[tokio::test]
    async fn a_stream_ends_with_its_usage() {
        let server = MockServer::start(Obedient::new(Duration::from_millis(1))).await.unwrap();
        let got = post(&server, CHAT, r#"{"stream": true, "max_tokens": 7}"#).await;
        let events = got.events();
        let [.., usage, done] = &events[..] else { panic!("{events:?}") };
        let usage: Value = serde_json::from_str(usage).unwrap();
        assert_eq!((usage["usage"]["completion_tokens"].as_u64(), &done[..]), (Some(7), "[DONE]"));
    }
}
