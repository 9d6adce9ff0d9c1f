//! OpenAI's completions (`/v1/completions`) for clients whose model only chats: the prompt becomes a user's message, the
//! answer's text the completion. Only clients speak it here; a provider that serves completions is relayed.
//! Source: OpenAI API reference, "Completions"; LiteLLM 1.81 asks chat models in the same way.

mod answer;
mod prompt;

#[cfg(test)]
mod tests;

use super::dialect::{ClientDialect, EventWriter, View};
use super::openai_chat;
use http::HeaderMap;
use weir_core::body::JsonBody;
use weir_core::chat::{Answer, Request};
use weir_core::error::ApiError;

/// `/v1/completions`, as clients speak it.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpenAiCompletions;

impl ClientDialect for OpenAiCompletions {
    /// Refuses what a chat cannot give: several prompts or answers, tokens for text, `echo`, `suffix`, `logprobs`.
    fn read_request(&self, body: &JsonBody, _headers: &HeaderMap) -> Result<Request, ApiError> {
        openai_chat::read_request(prompt::as_chat(body)?)
    }

    fn write_answer(&self, answer: Answer, view: &View<'_>) -> Vec<u8> {
        answer::write(&answer, view)
    }

    fn writer(&self, view: &View<'_>) -> Box<dyn EventWriter> {
        Box::new(answer::Writer::new(view))
    }

    fn write_error(&self, error: &ApiError) -> Vec<u8> {
        error.body().into_bytes()
    }

    fn error_event(&self, error: &ApiError) -> Vec<u8> {
        openai_chat::stream_error_event(error).into_bytes()
    }
}
