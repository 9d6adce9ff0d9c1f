//! Guardrails of the configuration: what there is, and what one of them makes of a text.

use crate::context::Context;
use crate::error::{Refusal, detail};
use crate::input::Fields;
use crate::routes::{Access, route};
use axum::Json;
use axum::extract::Path;
use axum::http::Method;
use axum::routing::{get, post};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use weir_core::access::{Grant, RouteClass};
use weir_core::config::{Config, GuardrailEntry, JsonMap};

const O: RouteClass = RouteClass::Operation;

pub(crate) static ROUTES: &[Access] = &[
    route(Method::GET, "/guardrails/list", O, Grant::ADMIN, || get(list)),
    route(Method::GET, "/v2/guardrails/list", O, Grant::ADMIN, || get(list)),
    route(Method::GET, "/guardrails/{guardrail_id}", O, Grant::ADMIN, || get(info)),
    route(Method::GET, "/guardrails/{guardrail_id}/info", O, Grant::ADMIN, || get(info)),
    route(Method::POST, "/apply_guardrail", O, Grant::ADMIN, || post(apply)),
    route(Method::POST, "/guardrails/apply_guardrail", O, Grant::ANY, || post(apply)),
];

async fn list(context: Context) -> Json<Value> {
    let config: Arc<Config> = (context.services.config)();
    let guardrails: Vec<Value> = config.guardrails.iter().map(told).collect();
    Json(json!({ "guardrails": guardrails }))
}

async fn info(context: Context, Path(id): Path<String>) -> Result<Json<Value>, Refusal> {
    let config: Arc<Config> = (context.services.config)();
    match config.guardrails.iter().find(|entry| entry.id == id) {
        Some(entry) => Ok(Json(told(entry))),
        None => Err(detail(404, &json!("No guardrail has this id."))),
    }
}

/// The text as a request's would go on.
async fn apply(context: Context, mut body: Fields) -> Result<Json<Value>, Refusal> {
    let name = body.required_text("guardrail_name");
    let text = body.required_text("text");
    let (language, entities) = (body.text("language"), body.texts("entities"));
    body.finish()?;
    let control = &context.services.control;
    let applied = control.apply_guardrail(&name, &text, language.as_deref(), &entities).await?;
    Ok(Json(json!({ "response_text": applied })))
}

fn told(entry: &GuardrailEntry) -> Value {
    json!({
        "guardrail_id": entry.id,
        "guardrail_name": entry.name,
        "litellm_params": shown(&entry.shown),
        "guardrail_info": shown(&entry.info),
        "created_at": null,
        "updated_at": null,
        "guardrail_definition_location": "config",
    })
}

fn shown(map: &JsonMap) -> Map<String, Value> {
    let read = |(name, json): (&str, &str)| (name.to_owned(), serde_json::from_str(json).unwrap_or_default());
    map.iter().map(read).collect()
}
