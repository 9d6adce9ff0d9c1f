//! Parameters that this provider or model refuses, and what the config drops.

use super::target::Target;
use crate::dialects::{Asked, Params, WireBody};
use crate::providers::Row;
use serde_json::Value;
use weir_core::chat::{Object, Request};

/// Providers that answer 400 to `top_k`, which OpenAI's chat does not have and servers of one's own do.
static WITHOUT_TOP_K: &[&str] = &["openai", "azure", "groq", "mistral", "cerebras"];

/// OpenAI's reasoning models answer 400 to these (OpenAI's guide to reasoning; LiteLLM refuses the same).
static NOT_WITH_REASONING: &[&str] =
    &["temperature", "top_p", "presence_penalty", "frequency_penalty", "logprobs", "top_logprobs"];

/// What OpenAI's chat models take; LiteLLM's list, in its order.
static ALL: &[&str] = &[
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "top_logprobs",
    "max_tokens",
    "max_completion_tokens",
    "modalities",
    "prediction",
    "n",
    "presence_penalty",
    "seed",
    "stop",
    "stream",
    "stream_options",
    "temperature",
    "top_p",
    "tools",
    "tool_choice",
    "function_call",
    "functions",
    "max_retries",
    "extra_headers",
    "parallel_tool_calls",
    "audio",
    "web_search_options",
    "service_tier",
    "safety_identifier",
    "response_format",
    "user",
];

/// What can be said to a model of this provider, by OpenAI's names.
pub(in super::super) fn supported(row: Option<&'static Row>, model: &str) -> Vec<&'static str> {
    let refused = row.map(Row::unsupported).unwrap_or_default();
    let target = Target::by_row(row, model);
    let strict = target.is_openai() && target.reasons() && !target.is_lax();
    let is_out = |name: &&str| refused.contains(name) || (strict && NOT_WITH_REASONING.contains(name));
    let mut supported: Vec<_> = ALL.iter().copied().filter(|name| !is_out(name)).collect();
    if target.takes_effort() {
        supported.push("reasoning_effort");
    }
    supported
}

/// What was said and this provider or model refuses, by OpenAI's names, which are those of the body.
pub(super) fn refused(request: &Request, asked: &Asked<'_>, target: &Target<'_>) -> Vec<&'static str> {
    let mut refused: Vec<&'static str> =
        target.unsupported().iter().copied().filter(|name| says(request, name)).collect();
    if request.top_k.is_some() && WITHOUT_TOP_K.contains(&asked.provider) {
        refused.push("top_k");
    }
    if is_strict(request, target) {
        let is_one = request.temperature.as_ref().and_then(serde_json::Number::as_f64) == Some(1.0);
        let said = NOT_WITH_REASONING.iter().copied().filter(|name| says(request, name));
        refused.extend(said.filter(|name| *name != "temperature" || !is_one));
    }
    refused
}

fn is_strict(request: &Request, target: &Target<'_>) -> bool {
    let effort = request.reasoning.as_ref().and_then(|r| r.effort.as_deref());
    target.is_openai() && target.reasons() && !target.is_lax() && effort != Some("none")
}

fn says(request: &Request, name: &str) -> bool {
    request.said().contains(&name) || request.extra.contains_key(name)
}

/// Takes out of the body what the config drops, and what is refused and may be left out.
pub(super) fn prune(body: &mut WireBody, refused: &[&str], params: &Params) {
    for path in &params.additional_drop {
        match path.split_once('.') {
            Some((head, rest)) => within(body.get_mut(named(head)), head, rest),
            None => drop(body.shift_remove(path)),
        }
        if path == "max_tokens" {
            body.shift_remove("max_completion_tokens");
        }
    }
    for name in refused {
        if !params.allowed.iter().any(|allowed| allowed == name) {
            body.shift_remove(name);
        }
    }
}

/// Removes a member by its dotted path; `name[*]` steps into every item of a list, `name[2]` into one.
fn remove(object: &mut Object, path: &str) {
    match path.split_once('.') {
        Some((head, rest)) => within(object.get_mut(named(head)), head, rest),
        None => drop(object.shift_remove(path)),
    }
}

/// The member that a step leads to.
fn named(step: &str) -> &str {
    step.split_once('[').map_or(step, |(name, _)| name)
}

/// The same below a member, which `step` has led to.
fn within(found: Option<&mut Value>, step: &str, rest: &str) {
    let Some(inner) = found else { return };
    let item = step.split_once('[').map(|(_, item)| item.trim_end_matches(']'));
    let items: Vec<&mut Value> = match (inner, item) {
        (Value::Array(list), Some("*")) => list.iter_mut().collect(),
        (Value::Array(list), Some(at)) => {
            at.parse().ok().and_then(|at: usize| list.get_mut(at)).into_iter().collect()
        }
        (value, None) => vec![value],
        _ => return,
    };
    items.into_iter().filter_map(Value::as_object_mut).for_each(|inner| remove(inner, rest));
}
