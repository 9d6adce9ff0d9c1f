//! What `/api/chat` and `/api/generate` share: options, format, thinking, tools, and where a client's own members go.

use crate::dialects::Asked;
use serde_json::{Map, Value, json};
use weir_core::chat::{Format, Object, Reasoning, Request, Tool, ToolKind};
use weir_core::error::{ApiError, Kind};

/// Members that stand beside `options`; whatever else a client adds is an option, as in LiteLLM.
pub(super) static CHAT: &[&str] =
    &["keep_alive", "think", "format", "truncate", "shift", "logprobs", "top_logprobs"];
pub(super) static GENERATE: &[&str] = &[
    "keep_alive",
    "think",
    "format",
    "truncate",
    "shift",
    "logprobs",
    "top_logprobs",
    "suffix",
    "system",
    "template",
    "raw",
    "context",
];

/// Completes a body that has its model and its messages or prompt.
pub(super) fn finish(body: &mut Object, mut request: Request, model: &str, beside: &[&str]) {
    body.extend(format(request.format.take()).map(|f| ("format".to_owned(), f)));
    body.extend(request.reasoning.take().and_then(|r| think(&r, model)).map(|t| ("think".to_owned(), t)));
    body.extend(request.logprobs.map(|l| ("logprobs".to_owned(), l.into())));
    body.extend(request.top_logprobs.map(|n| ("top_logprobs".to_owned(), n.into())));
    let mut options = options(&request);
    for (name, value) in std::mem::take(&mut request.extra) {
        match value {
            Value::Null => {}
            Value::Object(more) if name == "options" => options.extend(more),
            value if beside.contains(&name.as_str()) => drop(body.insert(name, value)),
            value => drop(options.insert(name, value)),
        }
    }
    body.insert("options".into(), options.into());
    body.insert("stream".into(), request.stream.into());
}

/// Ollama's names. LiteLLM calls `frequency_penalty` `repeat_penalty` on `/api/chat`, which multiplies where OpenAI's
/// adds (0 is OpenAI's "off" and breaks every answer there); Ollama has an option with OpenAI's name and meaning.
fn options(request: &Request) -> Object {
    let number = |n: &Option<serde_json::Number>| n.clone().map(Value::Number);
    let stop = (!request.stop.is_empty()).then(|| request.stop.clone().into());
    let said = [
        ("temperature", number(&request.temperature)),
        ("top_p", number(&request.top_p)),
        ("top_k", request.top_k.map(Value::from)),
        ("stop", stop),
        ("seed", request.seed.map(Value::from)),
        ("frequency_penalty", number(&request.frequency_penalty)),
        ("presence_penalty", number(&request.presence_penalty)),
        ("num_predict", request.max_tokens.map(Value::from)),
    ];
    said.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

fn format(format: Option<Format>) -> Option<Value> {
    match format? {
        Format::Text => None,
        Format::JsonSchema { schema: schema @ Value::Object(_), .. } => Some(schema),
        Format::JsonObject | Format::JsonSchema { .. } => Some("json".into()),
    }
}

/// gpt-oss thinks in levels, all other models do or do not.
fn think(reasoning: &Reasoning, model: &str) -> Option<Value> {
    if reasoning.enabled == Some(false) {
        return Some(false.into());
    }
    let Some(effort) = reasoning.effort.as_deref() else {
        let on = reasoning.enabled == Some(true) || reasoning.budget.is_some_and(|b| b > 0);
        return on.then(|| true.into());
    };
    if !model.starts_with("gpt-oss") {
        return Some(matches!(effort, "low" | "medium" | "high" | "xhigh").into());
    }
    Some(match effort {
        "none" => false.into(),
        "minimal" => "low".into(),
        "xhigh" => "high".into(),
        effort => effort.into(),
    })
}

/// The tools in OpenAI's form, which is Ollama's.
///
/// # Errors
/// 400 for tools that are no functions, unless `drop_params` is on.
pub(super) fn tools(request: &Request, asked: &Asked<'_>) -> Result<Vec<Value>, ApiError> {
    let known = |tool: &&Tool| matches!(tool.kind, ToolKind::Function { .. });
    if !asked.params.drop && !request.tools.iter().all(|t| known(&t)) {
        let message = format!("{} takes tools of type 'function' only", asked.provider);
        return Err(ApiError::new(Kind::UnsupportedParams, message));
    }
    Ok(request.tools.iter().filter_map(function).collect())
}

fn function(tool: &Tool) -> Option<Value> {
    let ToolKind::Function { name, description, parameters, strict } = &tool.kind else { return None };
    let mut function = Map::new();
    function.insert("name".into(), name.as_str().into());
    function.extend(description.as_deref().map(|d| ("description".to_owned(), d.into())));
    function.extend(parameters.clone().map(|p| ("parameters".to_owned(), p)));
    function.extend(strict.map(|s| ("strict".to_owned(), s.into())));
    Some(json!({ "type": "function", "function": function }))
}
