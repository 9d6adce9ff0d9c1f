//! The canonical request to Google's.

use super::super::model::Model;
use super::super::wire::{Content, WirePart};
use super::{config, contents, tools};
use crate::dialects::{Asked, Params, WireRequest};
use serde_json::{Value, json};
use weir_core::chat::{Object, Part, Request, ToolKind};
use weir_core::error::ApiError;

/// OpenAI's names of what Gemini can be told, as LiteLLM lists them. `user` is in no list of its, and never refused.
static SUPPORTED: &[&str] = &[
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "max_tokens",
    "temperature",
    "top_p",
    "top_k",
    "stop",
    "seed",
    "logprobs",
    "top_logprobs",
    "response_format",
    "modalities",
    "audio",
    "service_tier",
    "user",
];
static PENALTIES: &[&str] = &["presence_penalty", "frequency_penalty"];

/// OpenAI's parameters that have no counterpart. Others that Google does not know change no answer and are left out.
static FOREIGN: &[&str] = &["logit_bias", "functions", "function_call", "prediction", "verbosity"];

/// Members of the body beside what is translated, with the names that clients of other dialects may use.
static OURS: &[(&str, &str)] = &[
    ("safetySettings", "safetySettings"),
    ("safety_settings", "safetySettings"),
    ("cachedContent", "cachedContent"),
    ("cached_content", "cachedContent"),
    ("labels", "labels"),
    ("serviceTier", "serviceTier"),
    ("modelArmorConfig", "modelArmorConfig"),
];

pub(in super::super) fn write(mut request: Request, asked: &Asked<'_>) -> Result<WireRequest, ApiError> {
    let model = Model::of(asked.model);
    let supported = supported(model);
    check(&request, asked.params, &supported)?;
    let keep = |name: &str| may(name, asked.params, &supported);
    let mut body = Object::new();
    let system = system(request.take_system());
    body.insert("contents".into(), json!(contents::write(&request, model)?));
    if let Some(system) = system {
        body.insert("systemInstruction".into(), json!(system));
    }
    write_tools(&mut request, asked.params, &keep, &mut body)?;
    let mut generation = config::write(&mut request, model, &asked.params.budgets, keep)?;
    if let Some(Value::Object(more)) = take(&mut request.extra, &["generationConfig", "generation_config"]) {
        generation.extend(more);
    }
    if !generation.is_empty() {
        body.insert("generationConfig".into(), generation.into());
    }
    if let Some(tier) = request.service_tier.as_deref().filter(|_| keep("service_tier")).and_then(tier) {
        body.insert("serviceTier".into(), tier.into());
    }
    own_members(&mut request.extra, asked.provider, &mut body);
    Ok(WireRequest { body: body.into(), headers: Vec::new() })
}

fn supported(model: Model<'_>) -> Vec<&'static str> {
    let mut out = SUPPORTED.to_vec();
    if model.has_penalties() {
        out.extend(PENALTIES);
    }
    if model.thinks() {
        out.push("reasoning_effort");
    }
    out.push("n");
    out
}

/// Of a model, whatever is asked of it. `top_k` is no name of OpenAI's.
pub(in super::super) fn supported_params(model: &str) -> Vec<&'static str> {
    let mut supported = supported(Model::of(model));
    supported.retain(|name| *name != "top_k");
    supported
}

/// Parallel calls cannot be forbidden; with one function it makes no difference.
fn check(request: &Request, params: &Params, supported: &[&str]) -> Result<(), ApiError> {
    let mut said = request.said();
    let functions = request.tools.iter().filter(|t| matches!(t.kind, ToolKind::Function { .. })).count();
    if request.parallel_tool_calls == Some(false) && functions > 1 {
        let without: Vec<&str> = supported.iter().copied().filter(|n| *n != "parallel_tool_calls").collect();
        params.check(&["parallel_tool_calls"], &without)?;
    }
    said.extend(FOREIGN.iter().filter(|name| request.extra.get(**name).is_some_and(|v| !v.is_null())));
    params.check(&said, supported)
}

fn may(name: &str, params: &Params, supported: &[&str]) -> bool {
    !params.drops(name) && (supported.contains(&name) || params.allowed.iter().any(|a| a == name))
}

fn system(parts: Vec<Part>) -> Option<Content> {
    let texts = parts.iter().filter_map(Part::as_text).filter(|text| !text.is_empty());
    let parts: Vec<WirePart> = texts.map(WirePart::text).collect();
    (!parts.is_empty()).then_some(Content { role: None, parts })
}

fn write_tools(
    request: &mut Request,
    params: &Params,
    keep: &impl Fn(&str) -> bool,
    body: &mut Object,
) -> Result<(), ApiError> {
    let searches = request.extra.remove("web_search_options").is_some_and(|o| o.is_object());
    let searches = searches && !params.drops("web_search_options");
    let wanted = std::mem::take(&mut request.tools);
    let tools = tools::write(if keep("tools") { wanted } else { Vec::new() }, searches, params)?;
    let functions = tools.iter().any(|tool| tool.get("functionDeclarations").is_some());
    if !tools.is_empty() {
        body.insert("tools".into(), tools.into());
    }
    // A choice among no functions is refused.
    let choice = request.tool_choice.take().filter(|_| functions && keep("tool_choice"));
    let mut config = choice.map(tools::choice).and_then(|c| c.as_object().cloned()).unwrap_or_default();
    if let Some(Value::Object(more)) = take(&mut request.extra, &["toolConfig", "tool_config"]) {
        config.extend(more);
    }
    if !config.is_empty() {
        body.insert("toolConfig".into(), config.into());
    }
    Ok(())
}

fn take(extra: &mut Object, names: &[&str]) -> Option<Value> {
    names.iter().find_map(|name| extra.remove(*name))
}

/// `auto` and `default` are what everybody gets.
fn tier(name: &str) -> Option<String> {
    (!matches!(name, "auto" | "default")).then(|| name.to_ascii_lowercase())
}

/// Labels are Vertex's alone; the Gemini API refuses them.
fn own_members(extra: &mut Object, provider: &str, body: &mut Object) {
    for (theirs, ours) in OURS {
        let Some(value) = extra.remove(*theirs).filter(|v| !v.is_null()) else { continue };
        if *ours == "labels" && provider == "gemini" {
            continue;
        }
        body.insert((*ours).to_owned(), value);
    }
}
