//! What is asked: the standard cases, their bodies, and the ratios that must hold.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::load::Expect;

/// A standard case. Every target gets the same request.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    pub name: &'static str,
    /// Size of the request body in bytes.
    pub body: usize,
    /// Chunks of a streamed answer; 0 asks for a plain one.
    pub chunks: usize,
    /// Options of the mock, as `switch.rs` takes them.
    pub mock: &'static str,
    pub connections: usize,
    /// Requests of one visit.
    pub requests: u64,
    pub about: &'static str,
}

/// Requests are chosen so that a visit takes one to four seconds on a small machine.
pub const STANDARD: &[Case] = &[
    case("chat-1k", 1 << 10, 0, "", 64, 20_000, "1 KiB body, plain answer"),
    case("chat-30k", 30 << 10, 0, "", 64, 12_000, "30 KiB body, plain answer"),
    case("chat-300k", 300 << 10, 0, "", 16, 3_000, "300 KiB body, plain answer"),
    case("sse-64", 1 << 10, 64, "", 32, 4_000, "64 chunks in one write"),
    case("sse-paced", 1 << 10, 64, "pace_us=5000", 64, 640, "64 chunks, 5 ms apart"),
    case("latency-c1", 1 << 10, 0, "", 1, 3_000, "1 KiB body, one connection"),
];

/// What a figure must not exceed (or fall below).
#[derive(Debug, Clone, Copy)]
pub struct Must {
    pub case: &'static str,
    pub figure: Figure,
    pub limit: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    /// CPU per request, ratio to nginx in the same round; at most.
    CpuRatio,
    /// Requests per second, governed over plain; at least.
    Governed,
    /// Added to direct at the median, in ms; at most.
    AddedP50,
    /// Added to direct at the 99th percentile, in ms; at most.
    AddedP99,
}

/// Holds for the target `weir-governed`.
pub const MUST: &[Must] = &[
    must("chat-1k", Figure::CpuRatio, 2.3),
    must("chat-30k", Figure::CpuRatio, 2.3),
    must("chat-300k", Figure::CpuRatio, 2.0),
    must("sse-64", Figure::CpuRatio, 1.6),
    must("sse-paced", Figure::CpuRatio, 1.4),
    must("chat-1k", Figure::Governed, 0.85),
    must("latency-c1", Figure::AddedP50, 0.15),
    must("latency-c1", Figure::AddedP99, 0.5),
];

/// The target that [`MUST`] speaks of.
pub const JUDGED: &str = "weir-governed";
/// The model every request names.
pub const MODEL: &str = "bench";
/// Where every request goes.
pub const PATH: &str = "/v1/chat/completions";

const fn case(
    name: &'static str,
    body: usize,
    chunks: usize,
    mock: &'static str,
    connections: usize,
    requests: u64,
    about: &'static str,
) -> Case {
    Case { name, body, chunks, mock, connections, requests, about }
}

const fn must(case: &'static str, figure: Figure, limit: f64) -> Must {
    Must { case, figure, limit }
}

/// The limit for a case's figure, if there is one.
pub fn limit(case: &str, figure: Figure) -> Option<f64> {
    MUST.iter().find(|must| must.case == case && must.figure == figure).map(|must| must.limit)
}

// --- impl Case ---

impl Case {
    pub fn expect(&self) -> Expect {
        if self.chunks == 0 { Expect::Json } else { Expect::Stream { chunks: self.chunks } }
    }

    pub fn request(&self) -> Bytes {
        chat(self.body, self.chunks > 0)
    }

    /// How long one visit may take when the target is slow.
    pub fn patience(&self) -> Duration {
        Duration::from_secs(15)
    }
}

// --- bodies ---

const SYSTEM: &str =
    "You are a careful assistant for \"Ada & Sons\". Answer in short sentences.\nQuote sources.";
const TURNS: &[(&str, &str)] = &[
    ("user", "Could you look at this function?\n```rust\nfn add(a: u32, b: u32) -> u32 {\n\ta + b\n}\n```\n"),
    (
        "assistant",
        "It adds two numbers. Note that it panics on overflow in debug builds: \"attempt to add\".",
    ),
    (
        "user",
        "And the path C:\\data\\in.csv, is it read as UTF-8? It holds names such as Zoë, 林 and Müller.",
    ),
    ("assistant", "Yes, when the file begins with a byte order mark; else the reader guesses, line by line."),
];

/// A conversation whose JSON has `size` bytes, to within one; below the smallest conversation, that one.
pub fn chat(size: usize, stream: bool) -> Bytes {
    let mut messages = vec![json!({"role": "system", "content": SYSTEM})];
    let mut length = encode(&messages, stream).len();
    for (role, text) in TURNS.iter().cycle() {
        let message = json!({"role": role, "content": text});
        // The comma between two messages.
        let more = message.to_string().len() + 1;
        if length + more + 60 > size {
            break;
        }
        length += more;
        messages.push(message);
    }
    let frame = json!({"role": "user", "content": ""}).to_string().len() + 1;
    let text: String = "Please go on. ".chars().cycle().take(size.saturating_sub(length + frame)).collect();
    messages.push(json!({"role": "user", "content": text}));
    encode(&messages, stream)
}

fn encode(messages: &[Value], stream: bool) -> Bytes {
    let mut body = json!({
        "model": MODEL,
        "messages": messages,
        "temperature": 0.7,
        "max_tokens": 256,
    });
    if stream {
        body["stream"] = true.into();
    }
    body.to_string().into()
}

/// One question about an image of `size` bytes of base64.
pub fn image(size: usize) -> Bytes {
    let picture: String = "iVBORw0KGgoAAAANSUhEUgAA/+9x".chars().cycle().take(size).collect();
    let parts = json!([
        {"type": "text", "text": "What is in this picture?"},
        {"type": "image_url", "image_url": {"url": format!("data:image/png;base64,{picture}")}},
    ]);
    encode(&[json!({"role": "user", "content": parts})], false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_json_of_the_size_asked_for() {
        for case in STANDARD {
            let body = case.request();
            let value: Value = serde_json::from_slice(&body).unwrap();
            assert!(body.len().abs_diff(case.body) <= 1, "{}: {}", case.name, body.len());
            assert_eq!(
                (value["model"].as_str(), value["stream"].as_bool()),
                (Some(MODEL), (case.chunks > 0).then_some(true))
            );
            assert!(value["messages"].as_array().unwrap().len() >= 3);
        }
    }

    #[test]
    fn every_must_names_a_standard_case() {
        for must in MUST {
            assert!(STANDARD.iter().any(|case| case.name == must.case), "{}", must.case);
        }
    }
}
