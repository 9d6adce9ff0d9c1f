//! `/spend/calculate`: what a request would cost, or what an answer did. Nothing is booked.

use crate::answer::Object;
use crate::context::Context;
use crate::error::Refusal;
use crate::input::{Fields, Shape};
use axum::Json;
use serde_json::Value;
use std::sync::Arc;
use weir_core::config::Config;
use weir_core::domain::markup::Markup;
use weir_core::domain::usage::Usage;
use weir_core::model::prices::{ModelPrice, total_cost};

pub(super) async fn calculate(context: Context, mut body: Fields) -> Result<Json<Object>, Refusal> {
    let model = body.text("model");
    let messages = body.take("messages", Shape::List);
    let answer = body.take("completion_response", Shape::Object);
    body.finish()?;
    let answer: Option<Value> = answer.and_then(|answer| serde_json::from_str(answer.get()).ok());
    let answered = answer.as_ref().and_then(|answer| answer["model"].as_str());
    let Some(model) = model.as_deref().or(answered) else {
        let message = "Bad Request - Either 'model' or 'completion_response' must be provided";
        return Err(Refusal::told(400, "None", "None", message));
    };
    let (price, markup) = price(&context, model).ok_or_else(|| {
        let message = format!("Bad Request - no price is known for model {model}");
        Refusal::told(400, "None", "None", message)
    })?;
    let usage = match &answer {
        Some(answer) => used(&answer["usage"]).served_at(answer["service_tier"].as_str()),
        None => Usage { input: asked(&context, model, messages.as_deref()), ..Usage::default() },
    };
    let listed = total_cost(&price, &usage);
    let cost = markup.map_or(listed, |markup| markup.charged(listed));
    Ok(Json(Object(vec![("cost", cost.json())])))
}

/// Of a deployment with this name, with what is charged beside; else of the model with this name.
fn price(context: &Context, model: &str) -> Option<(ModelPrice, Option<Markup>)> {
    let config: Arc<Config> = (context.services.config)();
    let entry = config.models.iter().find(|entry| entry.name == model || entry.model_as_written == model);
    match entry {
        Some(entry) => {
            let markup = config.litellm.costs.of(&entry.provider);
            crate::models::price_of(context, entry).map(|price| (price, markup))
        }
        None => context.catalogue.get(model)?.price.map(|price| (price, None)),
    }
}

/// OpenAI's usage, as far as prices look at it.
fn used(usage: &Value) -> Usage {
    let count = |value: &Value| value.as_u64().unwrap_or_default();
    Usage {
        input: count(&usage["prompt_tokens"]),
        output: count(&usage["completion_tokens"]),
        cache_read: count(&usage["prompt_tokens_details"]["cached_tokens"]),
        reasoning: count(&usage["completion_tokens_details"]["reasoning_tokens"]),
        audio_input: count(&usage["prompt_tokens_details"]["audio_tokens"]),
        audio_output: count(&usage["completion_tokens_details"]["audio_tokens"]),
        ..Usage::default()
    }
}

fn asked(context: &Context, model: &str, messages: Option<&serde_json::value::RawValue>) -> u64 {
    let messages = messages.map_or("[]", |messages| messages.get());
    context.services.control.count_tokens(model, messages).unwrap_or_default()
}
