//! What Bedrock takes, by OpenAI's names, and what a model behind it does not. LiteLLM's rules, except that a model
//! nobody has heard of is asked rather than refused.

use super::Model;
use crate::dialects::params::Params;
use serde_json::{Value, json};
use weir_core::chat::{Object, Request};
use weir_core::error::ApiError;

/// `user` and hints without effect on the answer are left out in silence, as LiteLLM does with `user`.
const ALWAYS: &[&str] = &[
    "max_tokens",
    "temperature",
    "top_p",
    "stop",
    "response_format",
    "service_tier",
    "parallel_tool_calls",
    "user",
];

/// OpenAI's parameters without a field in the canonical request that change an answer and that Bedrock does not have.
const UNSUPPORTED: &[&str] = &[
    "logit_bias",
    "functions",
    "function_call",
    "modalities",
    "prediction",
    "audio",
    "verbosity",
    "web_search_options",
];

/// OpenAI's parameters that are left out in silence.
const HINTS: &[&str] = &[
    "store",
    "metadata",
    "include",
    "truncation",
    "background",
    "stream_options",
    "prompt_cache_key",
    "prompt_cache_retention",
    "safety_identifier",
];

/// Models that call no tools. Source: Bedrock User Guide, supported models and features.
const TOOLLESS: &[&str] = &[
    "amazon.titan",
    "ai21.j2",
    "meta.llama2",
    "meta.llama3-8b",
    "meta.llama3-70b",
    "cohere.command-text",
    "cohere.command-light",
    "mistral.mistral-7b",
    "mistral.mixtral",
    "deepseek.r1",
    "anthropic.claude-v",
    "anthropic.claude-instant",
];

/// Models that call tools but cannot be told whether to. Source: Bedrock API Reference, ToolChoice.
const CHOICELESS: &[&str] = &["cohere.", "meta.", "ai21."];

/// Models that do not think. Claude goes by its version.
const THOUGHTLESS: &[&str] = &[
    "amazon.titan",
    "amazon.nova-micro",
    "amazon.nova-lite",
    "amazon.nova-pro",
    "amazon.nova-premier",
    "ai21.",
    "cohere.",
    "meta.",
    "mistral.",
];

type Clear = fn(&mut Request);

/// How a parameter is left out.
static CLEAR: &[(&str, Clear)] = &[
    ("tools", |r| r.tools.clear()),
    ("tool_choice", |r| r.tool_choice = None),
    ("parallel_tool_calls", |r| r.parallel_tool_calls = None),
    ("max_tokens", |r| r.max_tokens = None),
    ("max_completion_tokens", |r| r.max_tokens = None),
    ("temperature", |r| r.temperature = None),
    ("top_p", |r| r.top_p = None),
    ("top_k", |r| r.top_k = None),
    ("stop", |r| r.stop.clear()),
    ("seed", |r| r.seed = None),
    ("presence_penalty", |r| r.presence_penalty = None),
    ("frequency_penalty", |r| r.frequency_penalty = None),
    ("n", |r| r.n = None),
    ("logprobs", |r| r.logprobs = None),
    ("top_logprobs", |r| r.top_logprobs = None),
    ("response_format", |r| r.format = None),
    ("reasoning_effort", |r| r.reasoning = None),
    ("thinking", |r| r.reasoning = None),
    ("user", |r| r.user = None),
    ("service_tier", |r| r.service_tier = None),
];

impl Model<'_> {
    pub(super) fn takes_tools(&self) -> bool {
        !self.starts(TOOLLESS)
    }

    pub(super) fn takes_tool_choice(&self) -> bool {
        self.takes_tools() && !self.starts(CHOICELESS)
    }

    pub(super) fn thinks(&self) -> bool {
        match self.claude {
            Some(version) => version >= (3, 7),
            None => !self.starts(THOUGHTLESS),
        }
    }
}

/// Refuses what Bedrock or the model does not support, or leaves it out where that is allowed.
///
/// # Errors
/// 400, naming all parameters at fault.
pub(super) fn admit(request: &mut Request, model: &Model<'_>, params: &Params) -> Result<(), ApiError> {
    leave_out(request, |name| params.drops(name));
    let supported = supported(model);
    let said = said(request);
    params.check(&said, &supported)?;
    let refused =
        |name: &str| !supported.contains(&name) && !params.allowed.iter().any(|allowed| allowed == name);
    leave_out(request, |name| said.contains(&name) && refused(name));
    request.extra.retain(|name, _| !HINTS.contains(&name.as_str()));
    request.extra.retain(|name, _| !UNSUPPORTED.contains(&name.as_str()) || !refused(name));
    Ok(())
}

/// Parameters that Bedrock has no name for but that the config lets through: the model may know them.
pub(super) fn allowed_unknown(request: &Request) -> Object {
    let said: [(&str, Option<Value>); 6] = [
        ("seed", request.seed.map(|v| json!(v))),
        ("presence_penalty", request.presence_penalty.clone().map(Value::Number)),
        ("frequency_penalty", request.frequency_penalty.clone().map(Value::Number)),
        ("n", request.n.filter(|n| *n > 1).map(|v| json!(v))),
        ("logprobs", request.logprobs.filter(|is| *is).map(Value::Bool)),
        ("top_logprobs", request.top_logprobs.map(|v| json!(v))),
    ];
    said.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

pub(super) fn supported(model: &Model<'_>) -> Vec<&'static str> {
    let mut supported = ALWAYS.to_vec();
    let by_model = [
        ("tools", model.takes_tools()),
        ("tool_choice", model.takes_tool_choice()),
        ("reasoning_effort", model.thinks()),
        ("thinking", model.thinks()),
    ];
    supported.extend(by_model.into_iter().filter(|(_, takes)| *takes).map(|(name, _)| name));
    supported
}

fn said(request: &Request) -> Vec<&'static str> {
    let mut said = request.said();
    let thinking =
        |r: &weir_core::chat::Reasoning| r.budget.is_some() || r.adaptive || r.enabled == Some(true);
    if request.reasoning.as_ref().is_some_and(thinking) || request.extra.contains_key("thinking") {
        said.push("thinking");
    }
    if request.reasoning.as_ref().and_then(|r| r.effort.as_deref()) == Some("none") {
        said.retain(|name| *name != "reasoning_effort"); // not to think is supported by all
    }
    said.extend(UNSUPPORTED.iter().filter(|name| request.extra.get(**name).is_some_and(|v| !v.is_null())));
    said
}

fn leave_out(request: &mut Request, is_out: impl Fn(&str) -> bool) {
    for (name, clear) in CLEAR {
        if is_out(name) {
            clear(request);
        }
    }
    request.extra.retain(|name, _| !is_out(name));
}
