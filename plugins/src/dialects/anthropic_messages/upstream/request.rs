//! The request, put together. A client of this dialect is quoted faithfully; for others, LiteLLM's rules hold.

use super::super::DIALECT;
use super::super::client::read_thinking;
use super::model::Model;
use super::thinking::{self, Thinking};
use super::tools::{self, Tools};
use super::{beta, messages, params, schema};
use crate::dialects::{Asked, WireBody, WireRequest};
use serde_json::{Value, json};
use weir_core::chat::{Format, Object, Part, Request, Role};
use weir_core::error::{ApiError, Kind};

/// Anthropic wants a limit. LiteLLM's.
const DEFAULT_MAX_TOKENS: u64 = 4096;

pub(in super::super) fn write_request(
    mut request: Request,
    asked: &Asked<'_>,
) -> Result<WireRequest, ApiError> {
    let faithful = matches!(&request.native, Some((dialect, _)) if *dialect == DIALECT);
    let model = Model::of(asked.model);
    if !faithful {
        params::admit(&mut request, asked, model)?;
    }
    let mut native =
        request.native.take().filter(|_| faithful).map(|(_, members)| members).unwrap_or_default();
    let system = take_system(&mut request, faithful);
    let thinking = thought(&mut request, &mut native, asked, model, faithful)?;
    let mut tools = tools::write(&mut request, asked, model, faithful)?;
    let format = format(request.format.take(), &mut tools, model, &thinking, faithful);
    let mut body = WireBody::default();
    let conversation = messages::conversation(std::mem::take(&mut request.messages), asked, faithful)?;
    put(&mut body, "model", Some(asked.model));
    body.insert_text("messages".to_owned(), conversation.text()?);
    if let Some(system) = messages::system(system)? {
        body.insert_text("system".to_owned(), system);
    }
    put_options(&mut body, request, asked, model, &thinking, faithful);
    put_tools(&mut body, tools);
    put(&mut body, "thinking", thinking.thinking);
    let config = [("effort", thinking.effort.map(Value::from)), ("format", format)];
    let config: Object =
        config.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    put(&mut body, "output_config", (!config.is_empty()).then_some(config));
    native.into_iter().for_each(|(name, value)| merge(&mut body, name, value));
    params::remove_paths(&mut body, &asked.params.additional_drop);
    let headers = beta::headers(&body, conversation.has_files(), asked.headers, faithful);
    Ok(WireRequest { body, headers })
}

/// The system, out of the conversation. Newer models take system messages in the middle of it: whoever speaks this
/// dialect and puts one there means it.
fn take_system(request: &mut Request, faithful: bool) -> Vec<Part> {
    if !faithful {
        return request.take_system();
    }
    let leading = request.messages.iter().take_while(|m| m.role == Role::System).count();
    request.messages.drain(..leading).flat_map(|m| m.content).collect()
}

fn thought(
    request: &mut Request,
    native: &mut Object,
    asked: &Asked<'_>,
    model: Model,
    faithful: bool,
) -> Result<Thinking, ApiError> {
    // LiteLLM lets OpenAI's clients say it in Anthropic's words.
    if let Some(said) = request.extra.shift_remove("thinking").filter(|v| !v.is_null()) {
        let rest = read_thinking(said, request.reasoning.get_or_insert_default())
            .map_err(|e| ApiError::new(Kind::BadRequest, format!("thinking: {e}")))?;
        if !rest.is_empty() {
            native.insert("thinking".to_owned(), Value::Object(rest));
        }
    }
    let Some(reasoning) = &request.reasoning else { return Ok(Thinking::default()) };
    if faithful {
        return Ok(thinking::as_said(reasoning));
    }
    let thinking = thinking::translated(reasoning, model, request.max_tokens, &asked.params.budgets)?;
    if asked.params.modify && thinking.is_on() && messages::calls_without_thought(&request.messages) {
        native.shift_remove("thinking");
        return Ok(Thinking::default());
    }
    Ok(thinking)
}

/// `output_config.format`, or the tool that stands for it.
fn format(
    format: Option<Format>,
    tools: &mut Tools,
    model: Model,
    thinking: &Thinking,
    faithful: bool,
) -> Option<Value> {
    // For a JSON object without a schema, Anthropic has nothing; LiteLLM says nothing, either.
    let Some(Format::JsonSchema { schema, description, .. }) = format else { return None };
    if faithful || (model.has_formats() && schema::is_plain(&schema)) {
        return Some(json!({ "type": "json_schema", "schema": schema }));
    }
    tools::add_json_tool(tools, schema, description, thinking.is_on());
    None
}

fn put_tools(body: &mut WireBody, tools: Tools) {
    put(body, "tools", (!tools.tools.is_empty()).then_some(tools.tools));
    put(body, "tool_choice", tools.choice);
}

fn put_options(
    body: &mut WireBody,
    mut request: Request,
    asked: &Asked<'_>,
    model: Model,
    thinking: &Thinking,
    faithful: bool,
) {
    let may_mend = !faithful && (asked.params.modify || asked.params.drop);
    if may_mend {
        mend(&mut request, model, thinking);
    }
    let usual = || thinking.budget.saturating_add(asked.params.max_tokens.unwrap_or(DEFAULT_MAX_TOKENS));
    let limit = request.max_tokens.unwrap_or_else(usual);
    let tier = request.service_tier.as_deref();
    let user = request.user.filter(|user| faithful || !is_personal(user));
    put(body, "max_tokens", Some(limit));
    put(body, "temperature", request.temperature);
    put(body, "top_p", request.top_p);
    put(body, "top_k", request.top_k);
    put(body, "stop_sequences", (!request.stop.is_empty()).then_some(request.stop));
    put(body, "metadata", user.map(|user| json!({ "user_id": user })));
    put(body, "service_tier", if faithful { tier } else { tier.and_then(params::service_tier) });
    put(body, "cache_control", request.cache);
    put(body, "stream", request.stream.then_some(true));
    request.extra.into_iter().for_each(|(name, value)| merge(body, name, value));
}

/// What Anthropic would refuse and may be changed: OpenAI's temperatures go up to 2, a thinking model's is fixed, and
/// newer models take either of the samplers.
fn mend(request: &mut Request, model: Model, thinking: &Thinking) {
    let too_hot = request.temperature.as_ref().and_then(serde_json::Number::as_f64).is_some_and(|t| t > 1.0);
    if too_hot {
        request.temperature = Some(1.into());
    }
    if thinking.is_on() {
        request.temperature = None;
        request.top_k = None;
    }
    if model.wants_one_sampler() && request.temperature.is_some() {
        request.top_p = None;
    }
    request.stop.retain(|sequence| !sequence.trim().is_empty());
}

/// Anthropic forbids mail addresses and telephone numbers as ids; LiteLLM leaves them out.
fn is_personal(user: &str) -> bool {
    let is_mail = user.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty() && host.contains('.') && !user.contains(char::is_whitespace)
    });
    let is_number = user.len() >= 7
        && user.chars().all(|c| c.is_ascii_digit() || " ()-+".contains(c))
        && !user[1..].contains('+');
    is_mail || is_number
}

fn put(body: &mut WireBody, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        body.insert(name.to_owned(), value.into());
    }
}

/// Adds a member; of an object that is there, the members that it lacks.
fn merge(body: &mut WireBody, name: String, value: Value) {
    match (body.get_mut(&name), value) {
        (None, value) => body.insert(name, value),
        (Some(Value::Object(there)), Value::Object(more)) => {
            for (name, value) in more {
                there.entry(name).or_insert(value);
            }
        }
        (Some(_), _) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_and_telephone_do_not_leave_the_house() {
        for user in ["a@example.org", "+49 (30) 123-456", "0301234567"] {
            assert!(is_personal(user), "{user}");
        }
        for user in ["end-user-1", "12345", "a@b", "@x.y", "é@"] {
            assert!(!is_personal(user), "{user}");
        }
    }
}
