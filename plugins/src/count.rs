//! Counting the tokens of a request here, for providers that cannot be asked.

use crate::deployment::Deployment;
use crate::dialects::anthropic_messages::AnthropicMessages;
use crate::dialects::{ClientDialect, gemini};
use crate::exchange::Exchange;
use crate::providers::Call;
use bytes::Bytes;
use serde_json::json;
use weir_core::chat::{Kind, Part, Request, Source, ToolKind};
use weir_core::domain::operation::Operation;
use weir_core::error::ApiError;

/// The request whose tokens are to be counted here; `None`: the provider counts, or this is no count.
///
/// # Errors
/// 400 for a request that cannot be read.
pub fn asked(x: &Exchange, deployment: &Deployment) -> Option<Result<Request, ApiError>> {
    let operation = x.request.operation;
    let here = operation.counts() && deployment.wire.uri(Call::Plain(operation), false).is_none();
    here.then(|| match operation {
        Operation::CountContents => gemini::read_count_request(&x.request.body),
        _ => AnthropicMessages.read_request(&x.request.body, &x.request.headers),
    })
}

/// A count as the API of `operation` tells it.
pub fn told(operation: Operation, tokens: u64) -> Bytes {
    Bytes::from(match operation {
        Operation::CountContents => gemini::write_count(tokens),
        _ => json!({ "input_tokens": tokens }).to_string().into_bytes(),
    })
}

/// Input tokens of a request on its way: four bytes of text to a token, which is what English comes to. [`crate::tokens`]
/// is exact, and slower.
pub fn count(request: &Request) -> u64 {
    let said = request.messages.iter().flat_map(|message| &message.content).map(part);
    let offered = request.tools.iter().map(|tool| kind(&tool.kind));
    let bytes: usize = said.chain(offered).sum();
    bytes.div_ceil(4) as u64
}

/// What an image or a file counts as, in bytes of text: its tokens follow from pixels and pages, not from its size.
const MEDIA: usize = 1_500 * 4;

fn part(part: &Part) -> usize {
    match &part.kind {
        Kind::Text { text, .. } | Kind::Thinking { text, .. } | Kind::Refusal(text) => text.len(),
        Kind::RedactedThinking { data } => data.len(),
        Kind::Image(_) | Kind::Audio(_) => MEDIA,
        Kind::Document(media) => match &media.source {
            Source::Text { text, .. } => text.len(),
            _ => MEDIA,
        },
        Kind::ToolCall(call) => call.name.len() + call.arguments.len(),
        Kind::ToolResult(result) => result.content.iter().map(self::part).sum(),
        Kind::Opaque { value, .. } => value.to_string().len(),
    }
}

fn kind(kind: &ToolKind) -> usize {
    let json = |value: &Option<serde_json::Value>| value.as_ref().map_or(0, |v| v.to_string().len());
    match kind {
        ToolKind::Function { name, description, parameters, .. } => {
            name.len() + description.as_ref().map_or(0, String::len) + json(parameters)
        }
        ToolKind::Custom { name, description, format } => {
            name.len() + description.as_ref().map_or(0, String::len) + json(format)
        }
        ToolKind::Provider { value, .. } => value.to_string().len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_core::body::JsonBody;

    fn counted(content: &str, tools: &str) -> u64 {
        let body = format!(
            r#"{{"model":"m","max_tokens":1,"messages":[{{"role":"user","content":{content}}}],"tools":{tools}}}"#
        );
        let body = JsonBody::parse(Bytes::from(body)).unwrap();
        count(&AnthropicMessages.read_request(&body, &http::HeaderMap::new()).unwrap())
    }

    #[test]
    fn text_and_tools_count_but_the_size_of_an_image_does_not() {
        let plain = counted(r#""twelve bytes""#, "[]");
        assert_eq!(plain, 3);
        let tool = r#"[{"name":"f","description":"does things","input_schema":{"type":"object"}}]"#;
        assert!(counted(r#""twelve bytes""#, tool) > plain);
        let image = |data: &str| {
            format!(
                r#"[{{"type":"image","source":{{"type":"base64","media_type":"image/png","data":"{data}"}}}}]"#
            )
        };
        assert_eq!(counted(&image("aGk="), "[]"), counted(&image(&"aGk=".repeat(99)), "[]"));
    }
}
