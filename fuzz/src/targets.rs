//! The table of targets: a name, which is also that of its corpus, and a check that takes any bytes.

use crate::{answer, body, config, framing, lists, relay, request, stream, wire};
use weir_core::codec::Framing;
use weir_plugins::dialects::anthropic_messages::{self, AnthropicMessages};
use weir_plugins::dialects::bedrock_converse::BedrockConverse;
use weir_plugins::dialects::bedrock_invoke::BedrockInvoke;
use weir_plugins::dialects::cohere::CohereChat;
use weir_plugins::dialects::gemini::{self, Gemini};
use weir_plugins::dialects::ollama_chat::{OllamaChat, OllamaGenerate};
use weir_plugins::dialects::openai_chat::OpenAiChat;
use weir_plugins::dialects::openai_completions::OpenAiCompletions;
use weir_plugins::dialects::openai_responses::{self, OpenAiResponses};

pub struct Target {
    pub name: &'static str,
    /// Panics where something promised does not hold.
    pub run: fn(&[u8]),
}

pub static TARGETS: &[Target] = &[
    // Bytes to frames.
    target("frames_sse", |d| framing::check(Framing::Sse, d)),
    target("frames_ndjson", |d| framing::check(Framing::Ndjson, d)),
    target("frames_event_stream", |d| framing::check(Framing::EventStream, d)),
    target("frames_event_stream_mended", |d| framing::check(Framing::EventStream, &wire::mended(d))),
    // Streams of providers, to events and on to every client.
    target("stream_anthropic", |d| stream::check(&AnthropicMessages, d)),
    target("stream_bedrock_converse", |d| stream::check(&BedrockConverse, &wire::messages(d, wire::plain))),
    target("stream_bedrock_invoke", |d| stream::check(&invoke(), &wire::messages(d, wire::chunk))),
    target("stream_cohere", |d| stream::check(&CohereChat, d)),
    target("stream_gemini", |d| stream::check(&Gemini, d)),
    target("stream_ollama_chat", |d| stream::check(&OllamaChat, d)),
    target("stream_ollama_generate", |d| stream::check(&OllamaGenerate, d)),
    target("stream_openai_chat", |d| stream::check(&OpenAiChat, d)),
    target("stream_openai_responses", |d| stream::check(&OpenAiResponses, d)),
    // Plain answers and error answers.
    target("answer_anthropic", |d| answer::check(&AnthropicMessages, d)),
    target("answer_bedrock_converse", |d| answer::check(&BedrockConverse, d)),
    target("answer_bedrock_invoke", |d| answer::check(&invoke(), d)),
    target("answer_cohere", |d| answer::check(&CohereChat, d)),
    target("answer_gemini", |d| answer::check(&Gemini, d)),
    target("answer_ollama_chat", |d| answer::check(&OllamaChat, d)),
    target("answer_ollama_generate", |d| answer::check(&OllamaGenerate, d)),
    target("answer_openai_chat", |d| answer::check(&OpenAiChat, d)),
    target("answer_openai_responses", |d| answer::check(&OpenAiResponses, d)),
    // Streams and answers that are relayed as they come.
    target("relay_anthropic", relay::check::<anthropic_messages::Scanner>),
    target("relay_gemini", relay::check::<gemini::Scanner>),
    target("relay_openai_chat", relay::check::<relay::Relay>),
    target("relay_openai_responses", relay::check::<openai_responses::Scanner>),
    // Requests of clients, and on to every provider.
    target("request_anthropic", |d| request::check(&AnthropicMessages, d)),
    target("request_gemini", request::gemini),
    target("request_openai_chat", |d| request::check(&OpenAiChat, d)),
    target("request_openai_completions", |d| request::check(&OpenAiCompletions, d)),
    target("request_openai_responses", request::responses),
    // Embeddings and reranking.
    target("lists_requests", lists::requests),
    target("lists_answers", lists::answers),
    // What the gateway reads itself.
    target("body", body::check),
    target("config", config::check),
];

const fn target(name: &'static str, run: fn(&[u8])) -> Target {
    Target { name, run }
}

fn invoke() -> BedrockInvoke {
    BedrockInvoke::new(Box::new(AnthropicMessages))
}
