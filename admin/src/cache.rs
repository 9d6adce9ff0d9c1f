//! `/cache/*`: the cache of answers, in LiteLLM's shapes and words. Answers in memory can be deleted too, those of the
//! process that is asked.

use crate::context::Context;
use crate::error::{Refusal, detail};
use crate::input::{Fields, Shape};
use crate::routes::{Access, route};
use axum::Json;
use axum::http::Method;
use axum::routing::{get, post};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use weir_core::access::{Grant, RouteClass};
use weir_core::config::CacheSettings;
use weir_core::ports::cache::{AnswerCache, CacheError};

const O: RouteClass = RouteClass::Operation;

pub(crate) static ROUTES: &[Access] = &[
    route(Method::GET, "/cache/ping", O, Grant::ADMIN, || get(ping)),
    route(Method::POST, "/cache/flushall", O, Grant::ADMIN, || post(flush)),
    route(Method::POST, "/cache/delete", O, Grant::ADMIN, || post(delete)),
    route(Method::GET, "/cache/redis/info", O, Grant::ADMIN, || get(info)),
];

const NO_CACHE: &str = "503: Cache not initialized. litellm.cache is None";
const NO_INFO: &str = "500: Cache type local does not support redis info";
/// Keys that are deleted at once.
const MOST: usize = 10_000;

fn unhealthy(why: impl std::fmt::Display) -> Refusal {
    detail(503, &json!(format!("Service Unhealthy ({why})")))
}

fn cache(context: &Context) -> Result<Arc<dyn AnswerCache>, Refusal> {
    context.services.control.cache().ok_or_else(|| unhealthy(NO_CACHE))
}

async fn ping(context: Context) -> Result<Json<Value>, Refusal> {
    let Some(cache) = context.services.control.cache() else {
        return Err(ping_failed(&format!("Service Unhealthy ({NO_CACHE})"), "{}"));
    };
    let config = (context.services.config)();
    let params = config.cache.as_ref().map(|settings| params(settings, cache.place())).unwrap_or_default();
    cache.ping().await.map_err(|error| ping_failed(&format!("Service Unhealthy ({error})"), &params))?;
    let redis = cache.place() == "redis";
    Ok(Json(json!({
        "status": "healthy",
        "cache_type": cache.place(),
        "ping_response": redis.then_some(true),
        "set_cache_response": redis.then_some("success"),
        "litellm_cache_params": params,
        "health_check_cache_params": redis.then(|| json!({})),
    })))
}

fn ping_failed(message: &str, params: &str) -> Refusal {
    let told =
        json!({ "message": message, "litellm_cache_params": params, "health_check_cache_params": "{}" });
    Refusal::told(503, "cache_ping_error", "cache_ping", told.to_string())
}

/// The settings as JSON text, with what Python makes of a mode. No address and no password are among them.
fn params(settings: &CacheSettings, place: &str) -> String {
    let mode = if settings.on_demand { "default_off" } else { "default_on" };
    let told = json!({
        "supported_call_types": settings.call_types,
        "type": place,
        "namespace": settings.namespace.as_deref().unwrap_or("None"),
        "redis_flush_size": "None",
        "ttl": seconds(settings),
        "mode": {
            "_value_": mode,
            "_name_": mode,
            "__objclass__": "<enum 'CacheMode'>",
            "_sort_order_": u8::from(settings.on_demand),
        },
    });
    told.to_string()
}

fn seconds(settings: &CacheSettings) -> Value {
    match settings.ttl.subsec_nanos() {
        0 => json!(settings.ttl.as_secs()),
        _ => json!(settings.ttl.as_secs_f64()),
    }
}

async fn delete(context: Context, mut body: Fields) -> Result<Json<Value>, Refusal> {
    let failed = |why: String| detail(500, &json!(format!("Cache Delete Failed({why})")));
    let cache = cache(&context)?;
    let keys = body.required("keys", Shape::Texts).map(|keys| keys.get().to_owned());
    body.finish()?;
    let keys: Vec<String> = keys.and_then(|keys| serde_json::from_str(&keys).ok()).unwrap_or_default();
    if keys.len() > MOST {
        return Err(failed(format!("400: more than {MOST} keys at once")));
    }
    cache.delete(&keys).await.map_err(|error| failed(format!("500: {error}")))?;
    Ok(Json(json!({ "status": "success" })))
}

async fn flush(context: Context) -> Result<Json<Value>, Refusal> {
    cache(&context)?.flush().await.map_err(away)?;
    Ok(Json(json!({ "status": "success" })))
}

async fn info(context: Context) -> Result<Json<Value>, Refusal> {
    let told = cache(&context)?.info().await.map_err(away)?;
    let Some(facts) = told else { return Err(unhealthy(NO_INFO)) };
    let info: Map<String, Value> = facts
        .into_iter()
        .map(|(name, value)| (name, value.parse::<i64>().map_or(json!(value), Into::into)))
        .collect();
    let clients = info.get("connected_clients").cloned().unwrap_or_default();
    Ok(Json(json!({ "num_clients": clients, "clients": [], "info": info })))
}

fn away(error: CacheError) -> Refusal {
    unhealthy(format_args!("500: {error}"))
}
