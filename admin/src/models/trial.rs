//! `/health/test_connection`: a short, real call to a deployment that is not in force, before anybody keeps it.

use super::change::{id_of, sent};
use super::stored::{Sent, Stored, find, shown};
use crate::context::Context;
use crate::error::Refusal;
use crate::input::{Fields, Shape};
use axum::Json;
use serde_json::{Value, json};
use std::sync::Arc;
use weir_core::config::Config;
use weir_core::domain::ids::new_entry_id;
use weir_core::ports::control::{Probe, Unusable};

/// LiteLLM's names of what may be asked.
const MODES: &[&str] = &[
    "chat",
    "completion",
    "embedding",
    "audio_speech",
    "audio_transcription",
    "image_generation",
    "video_generation",
    "batch",
    "rerank",
    "realtime",
    "responses",
    "ocr",
];

/// `{litellm_params, model_info, mode}`. Nothing is kept, and nothing booked.
pub(crate) async fn test_connection(context: Context, mut body: Fields) -> Result<Json<Value>, Refusal> {
    body.must_have("litellm_params");
    let mode = body.take("mode", Shape::OneOf(MODES));
    let sent = sent(&mut body);
    body.finish()?;
    let mode: Option<String> = mode.and_then(|mode| serde_json::from_str(mode.get()).ok());
    let stored = described(&context, sent).await?;
    let control = &context.services.control;
    let tested = control.probe_new(stored.added(), mode.as_deref()).await;
    Ok(Json(told(&stored, tested)))
}

/// What is tested: a deployment that is there with what was sent laid over it, as an update would, or a new one.
async fn described(context: &Context, mut sent: Sent) -> Result<Stored, Refusal> {
    let found = match meant(context, &mut sent) {
        Some(id) => find(context, &id).await?,
        None => None,
    };
    let mut stored = match found {
        Some(found) => found.stored,
        None => {
            // A name of its own, which no client asks for.
            let id = new_entry_id().to_string();
            Stored::new(&id, &id, false)
        }
    };
    sent.name = None;
    stored.apply(sent);
    Ok(stored)
}

/// The deployment that is named: by its id, or by its group in the place of a model, as LiteLLM has it.
fn meant(context: &Context, sent: &mut Sent) -> Option<String> {
    if let Some(id) = id_of(&sent.info) {
        return Some(id);
    }
    let model = sent.params.get("model")?.as_str()?;
    let config: Arc<Config> = (context.services.config)();
    let id = config.models.iter().find(|entry| entry.name == model)?.id.clone();
    sent.params.remove("model");
    Some(id)
}

fn told(stored: &Stored, tested: Result<Probe, Unusable>) -> Value {
    match tested {
        Ok(probe) if probe.error.is_empty() => {
            let mut result = shown(&stored.params);
            result.insert(String::from("response_time_ms"), probe.millis().into());
            json!({ "status": "success", "result": result })
        }
        Ok(probe) => json!({ "status": "error", "result": {
            "error": probe.error, "status": probe.status, "response_time_ms": probe.millis(),
        } }),
        Err(why) => json!({ "status": "error", "result": { "error": why.to_string() } }),
    }
}
