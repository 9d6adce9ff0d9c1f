//! What a client asks.

use super::history::{self, instructions};
use super::{bad, member, tools};
use crate::dialects::openai_chat::OURS;
use serde::Deserialize;
use serde_json::Value;
use weir_core::body::JsonBody;
use weir_core::chat::{Format, Message, Object, Part, Reasoning, Request, Role};
use weir_core::error::ApiError;

/// Members with a place of their own in the canonical request.
static READ: &[&str] = &[
    "model",
    "input",
    "instructions",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "max_output_tokens",
    "temperature",
    "top_p",
    "top_logprobs",
    "text",
    "reasoning",
    "user",
    "service_tier",
    "stream",
];

/// Members that speak to whoever keeps responses, or to OpenAI's own tools and transport: no other dialect has them.
static KEPT_BACK: &[&str] = &[
    "background",
    "client_metadata",
    "context_management",
    "conversation",
    "include",
    "max_tool_calls",
    "metadata",
    "previous_response_id",
    "prompt",
    "store",
    "stream_options",
    "truncation",
];

/// Members that only the provider's store can honour, with the cure.
static REFUSED: &[(&str, &str)] = &[
    ("background", "this model cannot work in the background; leave out 'background' and use 'stream'"),
    ("conversation", "this model keeps no conversations; use 'previous_response_id' or send all of 'input'"),
    ("prompt", "this model keeps no prompt templates; send the text as 'instructions' and 'input'"),
];

const LOGPROBS: &str = "message.output_text.logprobs";

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireText {
    format: Option<WireFormat>,
    verbosity: Option<Value>,
}

#[derive(Deserialize)]
struct WireFormat {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    schema: Value,
    #[serde(default)]
    strict: Option<bool>,
}

#[derive(Deserialize)]
struct WireReasoning {
    #[serde(default)]
    effort: Option<String>,
    #[serde(default, alias = "generate_summary")]
    summary: Option<String>,
}

pub(in super::super) fn read(body: &JsonBody) -> Result<Request, ApiError> {
    refuse(body)?;
    let (tools, tool_choice) = tools::read(body)?;
    let text: WireText = member(body, "text")?.unwrap_or_default();
    let reasoning: Option<WireReasoning> = member(body, "reasoning")?;
    let top_logprobs: Option<u64> = member(body, "top_logprobs")?;
    let mut extra = extra(body);
    extra.extend(text.verbosity.filter(|v| !v.is_null()).map(|v| ("verbosity".to_owned(), v)));
    Ok(Request {
        model: member(body, "model")?.unwrap_or_default(),
        messages: conversation(body)?,
        tools,
        tool_choice,
        parallel_tool_calls: member(body, "parallel_tool_calls")?,
        max_tokens: member(body, "max_output_tokens")?,
        temperature: member(body, "temperature")?,
        top_p: member(body, "top_p")?,
        logprobs: wants_logprobs(body, top_logprobs)?.then_some(true),
        top_logprobs: top_logprobs.filter(|n| *n > 0),
        format: text.format.map(format).transpose()?,
        reasoning: reasoning.and_then(asked_reasoning),
        user: member(body, "user")?,
        service_tier: member(body, "service_tier")?,
        stream: member(body, "stream")?.unwrap_or(false),
        extra,
        ..Request::default()
    })
}

fn refuse(body: &JsonBody) -> Result<(), ApiError> {
    let said = |name: &str| body.raw(name).is_some_and(|raw| !matches!(raw, "null" | "false"));
    match REFUSED.iter().find(|(name, _)| said(name)) {
        Some((name, cure)) => Err(bad(name, *cure)),
        None => Ok(()),
    }
}

fn conversation(body: &JsonBody) -> Result<Vec<Message>, ApiError> {
    let items = history::input_items(body)?;
    if items.is_empty() && body.string("previous_response_id").is_none() {
        return Err(bad("input", "Missing required parameter: 'input'; send a text or a list of items"));
    }
    let instructions = instructions(body)?.map(|text| Message::new(Role::System, vec![Part::text(text)]));
    Ok(instructions.into_iter().chain(history::messages(items)?).collect())
}

fn wants_logprobs(body: &JsonBody, top: Option<u64>) -> Result<bool, ApiError> {
    let include: Vec<String> = member(body, "include")?.unwrap_or_default();
    Ok(top.is_some_and(|n| n > 0) || include.iter().any(|i| i == LOGPROBS))
}

fn format(wire: WireFormat) -> Result<Format, ApiError> {
    let WireFormat { kind, name, description, schema, strict } = wire;
    match kind.as_str() {
        "text" => Ok(Format::Text),
        "json_object" => Ok(Format::JsonObject),
        "json_schema" => Ok(Format::JsonSchema { name, description, schema, strict }),
        other => Err(bad("text.format", format!("Invalid value for 'text.format.type': '{other}'"))),
    }
}

fn asked_reasoning(wire: WireReasoning) -> Option<Reasoning> {
    let WireReasoning { effort, summary } = wire;
    (effort.is_some() || summary.is_some()).then(|| Reasoning { effort, summary, ..Reasoning::default() })
}

fn extra(body: &JsonBody) -> Object {
    let mut extra = Object::new();
    for field in body.fields() {
        let name = body.name(field);
        let known = [READ, KEPT_BACK, OURS].iter().any(|table| table.contains(&name.as_ref()));
        let value = if known { None } else { body.raw(&name).and_then(|raw| serde_json::from_str(raw).ok()) };
        extra.extend(value.filter(|v: &Value| !v.is_null()).map(|v| (name.into_owned(), v)));
    }
    extra
}
