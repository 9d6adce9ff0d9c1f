//! A count of tokens by the provider itself, where `call_endpoint` asks for it.

use super::once;
use crate::state::App;
use crate::upstream::request::Outgoing;
use bytes::Bytes;
use http::HeaderMap;
use pingora::protocols::http::ServerSession;
use serde_json::{Value, json};
use std::sync::Arc;
use weir_core::body::{JsonBody, Pieces};
use weir_core::chat::{Dialect, Object};
use weir_core::domain::operation::Operation;
use weir_core::error::{ApiError, Kind};
use weir_plugins::deployment::Deployment;
use weir_plugins::dialects::gemini::read_count;
use weir_plugins::dialects::{Asked, ResponsePlan, client, upstream};
use weir_plugins::outgoing;
use weir_plugins::providers::Call;
use weir_plugins::utils::TokenCountRequest;

/// Who can be asked: the operation that counts, and the dialect of the request that is counted.
static COUNTERS: &[(Operation, Dialect)] =
    &[(Operation::CountTokens, Dialect::AnthropicMessages), (Operation::CountContents, Dialect::Gemini)];

/// LiteLLM's answer with the provider's number; `None` where the provider does not count, or did not.
///
/// # Errors
/// 400 for a request that cannot be read.
pub(super) async fn ask(
    app: &App,
    down: &mut ServerSession,
    deployment: &Arc<Deployment>,
    request: &TokenCountRequest,
) -> Result<Option<Value>, ApiError> {
    let door = |operation| deployment.wire.uri(Call::Plain(operation), false);
    let counter =
        COUNTERS.iter().find_map(|(operation, dialect)| Some((*operation, *dialect, door(*operation)?)));
    let Some((operation, dialect, uri)) = counter.filter(|_| deployment.ready().is_ok()) else {
        return Ok(None);
    };
    let body = body(request, deployment, dialect)?;
    let made = outgoing::Outgoing {
        uri: uri.clone(),
        headers: deployment.wire.headers.clone(),
        body: Pieces::from_iter([Bytes::from(Value::Object(body).to_string())]),
        more: Vec::new(),
        plan: ResponsePlan::Relay(operation.row().errors),
    };
    let Some(answer) = Box::pin(sent(app, down, deployment, made)).await? else { return Ok(None) };
    let told = match operation {
        Operation::CountContents => read_count(&answer),
        _ => serde_json::from_slice::<Value>(&answer).ok().and_then(|a| a["input_tokens"].as_u64()),
    };
    Ok(told.map(|total| {
        json!({
            "total_tokens": total,
            "request_model": request.model,
            "model_used": deployment.model_label,
            "tokenizer_type": format!("{}_api", deployment.provider.prefix),
            "original_response": serde_json::from_slice::<Value>(&answer).unwrap_or_default(),
            "error": false,
            "error_message": null,
            "status_code": null,
        })
    }))
}

/// The request in the provider's words, of which only what is counted is sent.
fn body(request: &TokenCountRequest, to: &Deployment, dialect: Dialect) -> Result<Object, ApiError> {
    let (from, said) = match (&request.contents, &request.messages) {
        (Some(contents), _) => (Dialect::Gemini, json!({ "contents": contents })),
        (None, Some(messages)) => (Dialect::OpenAiChat, json!({ "model": "m", "messages": messages })),
        (None, None) => {
            let messages =
                [json!({ "role": "user", "content": request.prompt.as_deref().unwrap_or_default() })];
            (Dialect::OpenAiChat, json!({ "model": "m", "messages": messages }))
        }
    };
    let mut said = said;
    if let Some(tools) = &request.tools {
        said["tools"] = Value::from(tools.clone());
    }
    let bad = |why: String| ApiError::new(Kind::BadRequest, why);
    let said = JsonBody::parse(Bytes::from(said.to_string())).map_err(|e| bad(e.to_string()))?;
    let headers = HeaderMap::new();
    let reader = client(from).ok_or_else(|| to.lacks(Operation::CountTokens))?;
    let asked = Asked {
        model: &to.model_label,
        provider: to.provider.prefix,
        params: &to.rules.params_for(&said, dialect),
        headers: &headers,
    };
    let wire = upstream(dialect).write_request(reader.read_request(&said, &headers)?, &asked)?;
    let mut body = wire.body.into_object();
    if dialect == Dialect::Gemini {
        body.insert("model".into(), Value::from(format!("models/{}", to.model_label)));
        return Ok(Object::from_iter([("generateContentRequest".to_owned(), Value::Object(body))]));
    }
    body.retain(|name, _| {
        ["model", "messages", "system", "tools", "tool_choice", "thinking"].contains(&name.as_str())
    });
    Ok(body)
}

/// The body of a good answer.
async fn sent(
    app: &App,
    down: &mut ServerSession,
    deployment: &Arc<Deployment>,
    made: outgoing::Outgoing,
) -> Result<Option<Bytes>, ApiError> {
    let mut place = app.limits.enter()?;
    let outgoing = Outgoing::seal(made, deployment).await?;
    let told = once::send(app, Some(down), Some(&mut place), deployment, &outgoing).await?;
    Ok(told.body.ok().filter(|_| (200..300).contains(&told.status)))
}
