//! The top of a request.

use super::super::request::OURS;
use super::fields::{Fields, Path, bad, missing, wrong_type};
use super::{message, tools};
use weir_core::body::{Members, Node};
use weir_core::chat::{Reasoning, Request};
use weir_core::error::ApiError;

/// Reads a request. Names that speak to the gateway are gone; what nobody knows is in `extra`.
pub(in crate::dialects) fn read(members: Members<'_>) -> Result<Request, ApiError> {
    let mut fields = Fields::top(members);
    for name in OURS {
        fields.take(name);
    }
    // Whether usage is streamed is the gateway's business: it asks every provider for it.
    fields.take("stream_options");
    let mut request = Request { model: fields.string("model")?.unwrap_or_default(), ..Request::default() };
    let messages = fields.list("messages")?.ok_or_else(|| missing(&Path::of("messages")))?;
    if messages.is_empty() {
        let message = "Invalid 'messages': empty array. Expected an array with minimum length 1, \
                       but got an empty array instead.";
        return Err(bad(&Path::of("messages"), message));
    }
    request.messages = message::read_all(messages)?;
    tools::read(&mut fields, &mut request)?;
    limits(&mut fields, &mut request)?;
    sampling(&mut fields, &mut request)?;
    request.reasoning = reasoning(&mut fields)?;
    request.format = tools::format(&mut fields)?;
    request.user = fields.string("user")?;
    request.service_tier = fields.string("service_tier")?;
    request.cache = fields.take("cache_control").map(Node::into_value);
    request.stream = fields.boolean("stream")?.unwrap_or(false);
    request.extra = fields.rest();
    Ok(request)
}

/// The error for a body that is no JSON object.
pub(in super::super) fn no_object(error: serde_json::Error) -> ApiError {
    bad(&Path::default(), format!("Invalid JSON payload: {error}"))
}

fn limits(fields: &mut Fields<'_>, request: &mut Request) -> Result<(), ApiError> {
    let old = fields.unsigned("max_tokens")?;
    request.max_tokens = fields.unsigned("max_completion_tokens")?.or(old);
    request.stop = match fields.take("stop") {
        None => Vec::new(),
        Some(Node::Text(one)) => vec![one.into_owned()],
        Some(Node::List(list)) => stops(list)?,
        Some(other) => {
            return Err(wrong_type(&Path::of("stop"), "one of a string or array of strings", &other));
        }
    };
    Ok(())
}

fn stops(list: Vec<Node<'_>>) -> Result<Vec<String>, ApiError> {
    let read = |(index, node)| match node {
        Node::Text(text) => Ok(text.into_owned()),
        other => Err(wrong_type(&Path::of("stop").item(index), "a string", &other)),
    };
    list.into_iter().enumerate().map(read).collect()
}

fn sampling(fields: &mut Fields<'_>, request: &mut Request) -> Result<(), ApiError> {
    request.temperature = fields.number("temperature")?;
    request.top_p = fields.number("top_p")?;
    request.top_k = fields.unsigned("top_k")?;
    request.seed = fields.integer("seed")?;
    request.presence_penalty = fields.number("presence_penalty")?;
    request.frequency_penalty = fields.number("frequency_penalty")?;
    request.n = fields.unsigned("n")?;
    request.logprobs = fields.boolean("logprobs")?;
    request.top_logprobs = fields.unsigned("top_logprobs")?;
    Ok(())
}

/// OpenAI's `reasoning_effort`, Anthropic's `thinking` (LiteLLM lets clients send it) and OpenRouter's `reasoning`.
fn reasoning(fields: &mut Fields<'_>) -> Result<Option<Reasoning>, ApiError> {
    let mut told = Reasoning::default();
    if let Some(mut router) = fields.object("reasoning")? {
        told.effort = router.string("effort")?;
        told.summary = router.text("summary");
        told.budget = router.unsigned("max_tokens")?;
        told.enabled = router.boolean("enabled")?;
    }
    match fields.take("reasoning_effort") {
        None => {}
        Some(Node::Text(effort)) => told.effort = Some(effort.into_owned()),
        // LiteLLM takes the Responses form here too.
        Some(object @ Node::Object(_)) => {
            let mut object = Fields::of(object, Path::of("reasoning_effort"))?;
            told.effort = object.string("effort")?.or(told.effort);
            told.summary = object.text("summary").or(told.summary);
        }
        Some(other) => return Err(wrong_type(&Path::of("reasoning_effort"), "a string", &other)),
    }
    if let Some(mut thinking) = fields.object("thinking")? {
        let kind = thinking.required("type")?;
        told.enabled = Some(kind != "disabled");
        told.adaptive = kind == "adaptive";
        told.budget = thinking.unsigned("budget_tokens")?.or(told.budget);
    }
    Ok(Some(told).filter(|told| *told != Reasoning::default()))
}
