use super::*;
use crate::dialects::anthropic_messages::AnthropicMessages;
use crate::dialects::fixtures::{Recorded, broken, collect, events, recordings};
use crate::dialects::gemini::Gemini;
use crate::dialects::openai_chat::OpenAiChat;
use crate::dialects::openai_responses::OpenAiResponses;
use crate::dialects::{ClientDialect, UpstreamDialect};
use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Value, json};
use weir_core::body::JsonBody;
use weir_core::chat::{Tool, ToolKind};

fn read(dialect: &dyn ClientDialect, body: &[u8]) -> Option<Request> {
    let body = JsonBody::parse(Bytes::copy_from_slice(body)).ok()?;
    dialect.read_request(&body, &HeaderMap::new()).ok()
}

fn chat(body: &Value) -> Request {
    read(&OpenAiChat, body.to_string().as_bytes()).unwrap()
}

// --- against what providers report ---

/// One recorded request: what was counted, estimated and reported.
struct Case {
    name: String,
    counted: u64,
    estimated: u64,
    reported: u64,
    has_tools: bool,
    has_media: bool,
}

/// Who is recorded, in which dialect.
struct Source<D: 'static> {
    provider: &'static str,
    operations: &'static [&'static str],
    dialect: &'static D,
}

impl<D: ClientDialect + UpstreamDialect> Source<D> {
    fn cases(&self) -> Vec<Case> {
        let all = recordings(self.provider, self.operations);
        all.iter().filter(|recorded| recorded.status() == 200).filter_map(|recorded| self.case(recorded)).collect()
    }

    fn case(&self, recorded: &Recorded) -> Option<Case> {
        let body = recorded.file["request"]["body"].to_string();
        let request = read(self.dialect, body.as_bytes())?;
        let model = recorded.file["model"].as_str().unwrap_or_default();
        Some(Case {
            name: format!("{} {model}", recorded.name),
            counted: count_request(&request, model),
            estimated: from_bytes(body.len()),
            reported: self.reported(recorded)?,
            has_tools: !request.tools.is_empty(),
            has_media: has_media(&request),
        })
    }

    fn reported(&self, recorded: &Recorded) -> Option<u64> {
        let body = recorded.body();
        let answer = match self.dialect.read_answer(&body) {
            Ok(answer) => answer,
            Err(_) => collect(events(self.dialect, &[&body]).ok()?),
        };
        // What the provider's own tools put into the prompt is in no request.
        answer.usage.filter(|usage| usage.input > 0 && usage.searches == 0).map(|usage| usage.input)
    }
}

fn has_media(request: &Request) -> bool {
    let outside = |part: &Part| {
        !matches!(part.kind, Kind::Text { .. } | Kind::Thinking { .. } | Kind::ToolCall(_) | Kind::ToolResult(_))
    };
    let provided = |tool: &Tool| matches!(tool.kind, ToolKind::Provider { .. });
    let known = !request.extra.contains_key("previous_response_id") && !request.extra.contains_key("conversation");
    !known || request.messages.iter().flat_map(|m| &m.content).any(outside) || request.tools.iter().any(provided)
}

#[test]
fn print_all() {
    let chat = |provider| Source { provider, operations: &["chat", "chat_stream", "chat-stream"], dialect: &OpenAiChat };
    let mut all = Vec::new();
    for p in ["openai", "azure", "groq", "mistral", "deepseek", "openrouter", "xai", "together", "cerebras"] {
        all.extend(chat(p).cases());
    }
    all.extend(Source { provider: "openai", operations: &["responses"], dialect: &OpenAiResponses }.cases());
    all.extend(Source { provider: "anthropic", operations: &["messages"], dialect: &AnthropicMessages }.cases());
    all.extend(Source { provider: "gemini", operations: &["generate"], dialect: &Gemini }.cases());
    for c in all {
        println!("ROW {:6.3} c={} e={} r={} tools={} media={} {}", c.counted as f64 / c.reported as f64, c.counted, c.estimated, c.reported, c.has_tools, c.has_media, c.name);
    }
    let _ = json!(broken(b"{}").len());
}
