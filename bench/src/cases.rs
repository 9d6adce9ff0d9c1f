//! What is asked: the standard cases, their bodies, and the ratios that must hold.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::load::Expect;
use crate::mock::canned::marks;

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
    /// The API that is spoken to the target.
    pub api: Api,
    /// The model that is asked for; `targets/weir.rs` knows the provider behind it.
    pub model: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Api {
    Chat,
    Messages,
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

/// Requests that a gateway translates, and one that it relays, to compare with. Targets that only pass bytes on relay all
/// of them: the mock answers in the API that it is asked in.
pub const TRANSLATION: &[Case] = &[
    case("chat-16k", 16 << 10, 0, "bytes=16384", 32, 8_000, "16 KiB both ways, relayed"),
    Case {
        model: "bench-anthropic",
        ..case("chat-anthropic-1k", 1 << 10, 0, "bytes=1024", 64, 12_000, "chat → Anthropic, 1 KiB both ways")
    },
    Case {
        model: "bench-anthropic",
        ..case(
            "chat-anthropic-16k",
            16 << 10,
            0,
            "bytes=16384",
            32,
            6_000,
            "chat → Anthropic, 16 KiB both ways",
        )
    },
    Case {
        api: Api::Messages,
        ..case(
            "messages-openai-16k",
            16 << 10,
            0,
            "bytes=16384",
            32,
            6_000,
            "messages → OpenAI, 16 KiB both ways",
        )
    },
    Case {
        api: Api::Messages,
        model: "bench-bedrock",
        ..case(
            "messages-bedrock-sse",
            1 << 10,
            64,
            "",
            32,
            3_000,
            "messages → Bedrock, 64 chunks in one write",
        )
    },
    Case {
        model: "bench-ollama",
        ..case("chat-ollama-sse", 1 << 10, 64, "", 32, 3_000, "chat → Ollama, 64 chunks in one write")
    },
];

/// Cases by the name of their group.
pub const GROUPS: &[(&str, &[Case])] = &[("standard", STANDARD), ("translation", TRANSLATION)];

/// The case that [`Figure::CpuToRelayed`] compares with.
pub const RELAYED: &str = "chat-16k";

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
    /// CPU per request, ratio to the case [`RELAYED`] of the same target in the same round; at most.
    CpuToRelayed,
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
    must("chat-anthropic-16k", Figure::CpuToRelayed, 2.5),
    must("messages-openai-16k", Figure::CpuToRelayed, 2.5),
];

/// The target that [`MUST`] speaks of.
pub const JUDGED: &str = "weir-governed";
/// The model that requests name unless their case says otherwise.
pub const MODEL: &str = "bench";
/// Where chats go.
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
    Case { name, body, chunks, mock, connections, requests, about, api: Api::Chat, model: MODEL }
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
        let translated = self.model != MODEL || self.api != Api::Chat;
        match (self.api, self.chunks) {
            (Api::Chat, 0) => Expect::Json,
            (Api::Messages, 0) => Expect::Message,
            // How a translator cuts its events is its own affair.
            (_, chunks) if translated => Expect::Text { marks: marks(chunks), end: self.api.end() },
            (_, chunks) => Expect::Stream { chunks },
        }
    }

    pub fn request(&self) -> Bytes {
        let encode = |messages: &[Value]| self.api.encode(self.model, messages, self.chunks > 0);
        conversation(self.body, encode)
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

/// A chat whose JSON has `size` bytes, to within one; below the smallest conversation, that one.
pub fn chat(size: usize, stream: bool) -> Bytes {
    conversation(size, |messages| Api::Chat.encode(MODEL, messages, stream))
}

fn conversation(size: usize, encode: impl Fn(&[Value]) -> Bytes) -> Bytes {
    let mut messages = vec![json!({"role": "system", "content": SYSTEM})];
    let mut length = encode(&messages).len();
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
    encode(&messages)
}

// --- impl Api ---

impl Api {
    pub fn path(self) -> &'static str {
        match self {
            Api::Chat => PATH,
            Api::Messages => "/v1/messages",
        }
    }

    /// What the last event of a stream says.
    fn end(self) -> &'static str {
        match self {
            Api::Chat => "[DONE]",
            Api::Messages => "message_stop",
        }
    }

    fn encode(self, model: &str, messages: &[Value], stream: bool) -> Bytes {
        let mut body = match (self, messages) {
            // The instructions stand beside the conversation.
            (Api::Messages, [system, rest @ ..]) => {
                json!({"model": model, "system": system["content"], "messages": rest})
            }
            _ => json!({"model": model, "messages": messages}),
        };
        body["temperature"] = 0.7.into();
        body["max_tokens"] = 256.into();
        if stream {
            body["stream"] = true.into();
        }
        body.to_string().into()
    }
}

/// One question about an image of `size` bytes of base64.
pub fn image(size: usize) -> Bytes {
    let picture: String = "iVBORw0KGgoAAAANSUhEUgAA/+9x".chars().cycle().take(size).collect();
    let parts = json!([
        {"type": "text", "text": "What is in this picture?"},
        {"type": "image_url", "image_url": {"url": format!("data:image/png;base64,{picture}")}},
    ]);
    Api::Chat.encode(MODEL, &[json!({"role": "user", "content": parts})], false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::{Client, Plan};
    use crate::mock::MockServer;
    use crate::mock::canned::{Canned, Options};

    fn all() -> impl Iterator<Item = &'static Case> {
        GROUPS.iter().flat_map(|(_, cases)| *cases)
    }

    #[test]
    fn bodies_are_json_of_the_size_asked_for() {
        for case in all() {
            let body = case.request();
            let value: Value = serde_json::from_slice(&body).unwrap();
            // The first message of a conversation brings no comma; Anthropic's has its instructions elsewhere.
            assert!(body.len().abs_diff(case.body) <= 1, "{}: {}", case.name, body.len());
            assert_eq!(
                (value["model"].as_str(), value["stream"].as_bool()),
                (Some(case.model), (case.chunks > 0).then_some(true))
            );
            assert!(value["messages"].as_array().unwrap().len() >= 2);
            assert_eq!(value["system"].is_string(), case.api == Api::Messages);
        }
    }

    #[test]
    fn names_are_unique_and_every_must_has_its_case() {
        for case in all() {
            assert_eq!(all().filter(|other| other.name == case.name).count(), 1, "{}", case.name);
        }
        for name in MUST.iter().map(|must| must.case).chain([RELAYED]) {
            assert!(all().any(|case| case.name == name), "{name}");
        }
    }

    /// What `direct` measures: the mock, asked in the client's API.
    #[tokio::test]
    async fn the_mock_answers_every_case_as_it_must() {
        for case in all() {
            let options = Options::default().with(case.mock).unwrap_or_default();
            let mock = MockServer::start(Canned::new(options)).await.unwrap();
            let plan = Plan::post(mock.addr(), case.api.path(), "", &case.request(), case.expect());
            Client::new()
                .exchange(&plan)
                .await
                .unwrap_or_else(|failure| panic!("{}: {}", case.name, failure.0));
        }
    }
}
