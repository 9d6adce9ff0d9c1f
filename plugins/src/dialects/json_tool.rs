//! The tool that stands for a wanted format where a provider has none: the model must call it, and what it calls it with
//! is told to the client as text.

use weir_core::chat::{Request, ToolKind};
use weir_core::error::{ApiError, Kind};

/// LiteLLM's name for it, which models and tests downstream know.
pub(super) const JSON_TOOL: &str = "json_tool_call";

/// Readers know the tool by its name alone, so a client's own tool of that name would come back as text.
pub(super) fn refuse_own(request: &Request) -> Result<(), ApiError> {
    let named = |kind: &ToolKind| matches!(kind, ToolKind::Function { name, .. } if name == JSON_TOOL);
    match request.tools.iter().any(|tool| named(&tool.kind)) {
        false => Ok(()),
        true => Err(ApiError::new(
            Kind::BadRequest,
            "The tool name 'json_tool_call' is kept for structured output at this provider. Give your tool another name.",
        )),
    }
}

#[cfg(test)]
mod tests {
    use crate::dialects::anthropic_messages::AnthropicMessages;
    use crate::dialects::bedrock_converse::BedrockConverse;
    use crate::dialects::{Asked, Params, UpstreamDialect};
    use http::HeaderMap;
    use serde_json::json;
    use weir_core::chat::{Request, Tool, ToolKind};

    /// Found by fuzzing: its calls came back as text.
    #[test]
    fn p20_a_clients_tool_is_never_mistaken_for_the_one_of_formats() {
        let upstreams: [&dyn UpstreamDialect; 2] = [&AnthropicMessages, &BedrockConverse];
        for upstream in upstreams {
            let (name, parameters) = ("json_tool_call".to_owned(), Some(json!({ "type": "object" })));
            let kind = ToolKind::Function { name, description: None, parameters, strict: None };
            let request = Request { tools: vec![Tool::new(kind)], ..Request::default() };
            let asked =
                Asked { model: "m", provider: "p", params: &Params::default(), headers: &HeaderMap::new() };
            let refused = upstream.write_request(request, &asked).unwrap_err();
            assert!(refused.message().contains("another name"), "{}", refused.message());
        }
    }
}
