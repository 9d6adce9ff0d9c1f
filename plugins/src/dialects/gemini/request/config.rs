//! `generationConfig` for Google.

use super::super::model::Model;
use super::super::schema;
use super::thinking;
use serde_json::{Value, json};
use weir_core::chat::{Format, Object, Request};
use weir_core::config::ThinkingBudgets;
use weir_core::error::{ApiError, Kind};

/// `keep` answers whether a parameter may be sent.
pub(super) fn write(
    request: &mut Request,
    model: Model<'_>,
    budgets: &ThinkingBudgets,
    keep: impl Fn(&str) -> bool,
) -> Result<Object, ApiError> {
    let mut out = Object::new();
    let values = [
        ("temperature", "temperature", request.temperature.take().map(Value::Number)),
        ("top_p", "topP", request.top_p.take().map(Value::Number)),
        ("top_k", "topK", request.top_k.map(Value::from)),
        ("max_tokens", "maxOutputTokens", request.max_tokens.map(Value::from)),
        ("stop", "stopSequences", some(std::mem::take(&mut request.stop)).map(Value::from)),
        ("n", "candidateCount", request.n.map(Value::from)),
        ("seed", "seed", request.seed.map(Value::from)),
        ("presence_penalty", "presencePenalty", request.presence_penalty.take().map(Value::Number)),
        ("frequency_penalty", "frequencyPenalty", request.frequency_penalty.take().map(Value::Number)),
        ("logprobs", "responseLogprobs", request.logprobs.map(Value::from)),
        ("top_logprobs", "logprobs", request.top_logprobs.map(Value::from)),
    ];
    for (name, ours, value) in values {
        if let Some(value) = value.filter(|_| keep(name)) {
            out.insert(ours.to_owned(), value);
        }
    }
    if let Some(wanted) = request.format.take().filter(|_| keep("response_format")) {
        format(wanted, model, &mut out);
    }
    if let Some(reasoning) = request.reasoning.take().filter(|_| model.thinks() && keep("reasoning_effort"))
        && let Some(config) = thinking::write(&reasoning, model, budgets)?
    {
        out.insert("thinkingConfig".into(), json!(config));
    }
    modalities(&mut request.extra, &keep, &mut out)?;
    Ok(out)
}

fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

fn format(wanted: Format, model: Model<'_>, out: &mut Object) {
    let media_type = if matches!(wanted, Format::Text) { "text/plain" } else { "application/json" };
    out.insert("responseMimeType".into(), media_type.into());
    let Format::JsonSchema { mut schema, .. } = wanted else { return };
    if !model.takes_json_schema() {
        out.insert("responseSchema".into(), schema::to_gemini(&schema));
        return;
    }
    if let Some(members) = schema.as_object_mut() {
        members.remove("$schema");
        members.remove("strict");
    }
    out.insert("responseJsonSchema".into(), schema);
}

/// OpenAI's `modalities` and `audio`.
fn modalities(extra: &mut Object, keep: &impl Fn(&str) -> bool, out: &mut Object) -> Result<(), ApiError> {
    let modalities = extra.remove("modalities").filter(|_| keep("modalities"));
    let words = modalities.as_ref().and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let mut words: Vec<String> = words.map(str::to_ascii_uppercase).collect();
    if let Some(Value::Object(audio)) = extra.remove("audio").filter(|_| keep("audio")) {
        out.insert("speechConfig".into(), speech(&audio)?);
        if !words.iter().any(|word| word == "AUDIO") {
            words.push("AUDIO".into());
        }
    }
    if !words.is_empty() {
        out.insert("responseModalities".into(), words.into());
    }
    Ok(())
}

/// Gemini speaks raw PCM and nothing else.
fn speech(audio: &Object) -> Result<Value, ApiError> {
    let format = audio.get("format").and_then(Value::as_str).unwrap_or("pcm16");
    if format != "pcm16" {
        let message = format!("Unsupported audio format for Gemini: {format}. Set it to 'pcm16'.");
        return Err(ApiError::new(Kind::BadRequest, message).with_param("audio"));
    }
    Ok(match audio.get("voice") {
        Some(voice) => json!({ "voiceConfig": { "prebuiltVoiceConfig": { "voiceName": voice } } }),
        None => json!({}),
    })
}
