//! Which parameters this dialect takes, and what becomes of the others. Only for requests that came in another dialect:
//! what a client of this one says is passed on as it is, and Anthropic judges it.

use super::model::Model;
use crate::dialects::{Asked, Params, WireBody};
use serde_json::{Value, json};
use weir_core::chat::{Object, Request};
use weir_core::error::ApiError;

/// OpenAI's names. `reasoning_effort` and `service_tier` depend.
static SUPPORTED: &[&str] = &[
    "max_tokens",
    "parallel_tool_calls",
    "response_format",
    "stop",
    "temperature",
    "tool_choice",
    "tools",
    "top_p",
    "user",
];

/// Members of OpenAI's requests that mean something and are not supported.
static REFUSED: &[&str] =
    &["audio", "function_call", "functions", "logit_bias", "modalities", "prediction", "verbosity"];

/// Members of OpenAI's requests that are about OpenAI's service: nothing is lost without them.
static IGNORED: &[&str] = &[
    "metadata",
    "prompt_cache_key",
    "prompt_cache_retention",
    "safety_identifier",
    "store",
    "stream_options",
];

/// By OpenAI's names. A model that thinks also takes `thinking` as Anthropic writes it.
pub(in super::super) fn supported(model: &str) -> Vec<&'static str> {
    let mut supported = SUPPORTED.to_vec();
    supported.push("service_tier");
    if Model::of(model).can_think() {
        supported.extend(["reasoning_effort", "thinking"]);
    }
    supported
}

/// Refuses what cannot be passed on, and takes out what is not to be.
pub(super) fn admit(request: &mut Request, asked: &Asked<'_>, model: Model) -> Result<(), ApiError> {
    let params = asked.params;
    leave_out(request, |name| params.drops(name));
    let mut supported = SUPPORTED.to_vec();
    if model.can_think() {
        supported.push("reasoning_effort");
    }
    if request.service_tier.as_deref().is_none_or(|tier| service_tier(tier).is_some()) {
        supported.push("service_tier");
    }
    let mut said = request.said();
    said.extend(REFUSED.iter().filter(|name| request.extra.contains_key(**name)));
    params.check(&said, &supported)?;
    pass_allowed(request, params);
    let is_allowed = |name: &str| params.allowed.iter().any(|a| a == name);
    leave_out(request, |name| said.contains(&name) && !supported.contains(&name) && !is_allowed(name));
    let out = |name: &str| REFUSED.contains(&name) && !is_allowed(name);
    request.extra.retain(|name, _| !out(name) && !IGNORED.contains(&name.as_str()));
    Ok(())
}

/// OpenAI's word for a tier in Anthropic's; `None` where there is no such tier.
pub(super) fn service_tier(tier: &str) -> Option<&str> {
    match tier {
        "auto" | "standard_only" => Some(tier),
        "default" => Some("standard_only"),
        _ => None,
    }
}

fn leave_out(request: &mut Request, out: impl Fn(&'static str) -> bool) {
    fn clear<T: Default>(slot: &mut T, out: bool) {
        if out {
            *slot = T::default();
        }
    }
    clear(&mut request.tools, out("tools"));
    clear(&mut request.tool_choice, out("tool_choice"));
    clear(&mut request.parallel_tool_calls, out("parallel_tool_calls"));
    clear(&mut request.max_tokens, out("max_tokens") || out("max_completion_tokens"));
    clear(&mut request.temperature, out("temperature"));
    clear(&mut request.top_p, out("top_p"));
    clear(&mut request.stop, out("stop"));
    clear(&mut request.format, out("response_format"));
    clear(&mut request.user, out("user"));
    clear(&mut request.service_tier, out("service_tier"));
    let only_effort = request.reasoning.as_ref().is_some_and(|r| r.enabled.is_none() && !r.adaptive);
    clear(&mut request.reasoning, only_effort && out("reasoning_effort"));
}

/// What `allowed_openai_params` lets through although the provider is not said to take it, under OpenAI's name.
fn pass_allowed(request: &mut Request, params: &Params) {
    let values = [
        ("seed", json!(request.seed)),
        ("n", json!(request.n)),
        ("presence_penalty", json!(request.presence_penalty)),
        ("frequency_penalty", json!(request.frequency_penalty)),
        ("logprobs", json!(request.logprobs)),
        ("top_logprobs", json!(request.top_logprobs)),
    ];
    for (name, value) in values {
        if !value.is_null() && params.allowed.iter().any(|a| a == name) {
            request.extra.insert(name.to_owned(), value);
        }
    }
}

/// Takes members out of the finished body: the provider's own names, and dotted paths into objects.
pub(super) fn remove_paths(body: &mut WireBody, paths: &[String]) {
    for path in paths.iter().filter(|path| !REQUIRED.contains(&path.as_str())) {
        match path.split_once('.') {
            None => drop(body.shift_remove(path)),
            Some((member, rest)) => {
                if let Some(Value::Object(object)) = body.get_mut(member) {
                    remove(object, rest);
                }
            }
        }
    }
}

fn remove(object: &mut Object, path: &str) {
    match path.split_once('.') {
        None => drop(object.shift_remove(path)),
        Some((member, rest)) => {
            if let Some(Value::Object(inner)) = object.get_mut(member) {
                remove(inner, rest);
            }
        }
    }
}

/// Without these there is no request.
static REQUIRED: &[&str] = &["max_tokens", "messages", "model", "stream"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dotted_paths_reach_into_objects() {
        let Value::Object(body) = json!({ "model": "m", "a": { "b": { "c": 1, "d": 2 } }, "e": 3 }) else {
            return;
        };
        let mut body = WireBody::from(body);
        remove_paths(&mut body, &["a.b.c".into(), "e".into(), "x.y".into(), "model".into(), String::new()]);
        assert_eq!(Value::from(body), json!({ "model": "m", "a": { "b": { "d": 2 } } }));
    }
}
