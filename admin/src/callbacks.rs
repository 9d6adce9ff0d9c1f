//! Who is told of what beside the clients: callbacks, and channels for alerts. What is set up, how it is doing in this
//! process, and a test that really sends something.

use crate::answer::raw;
use crate::context::Context;
use crate::error::{Problem, Refusal};
use crate::input::Params;
use axum::Json;
use axum::http::Uri;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use tokio::time::Instant;
use weir_core::config::{ALERT_TYPES, AlertSettings, Config, Fallbacks, LitellmSettings};
use weir_core::ports::control::CallbackState;
use weir_core::time::Micros;
use weir_core::{ExposeSecret, SecretString};

/// It is told nothing: it is asked.
const PROMETHEUS: &str = "prometheus";
const MASK: &str = "*****";

/// Names that LiteLLM can test, and ours.
#[rustfmt::skip]
static TESTABLE: &[&str] = &[
    "slack_budget_alerts", "email", "langfuse", "langfuse_otel", "slack", "openmeter", "webhook", "braintrust", "otel",
    "custom_callback_api", "custom_callback", "langsmith", "datadog", "datadog_llm_observability", "generic_api", "arize", "sqs",
    "s3", "s3_v2", "dynamodb", "gcs_bucket", PROMETHEUS,
];

// --- what is set up ---

/// `/get/config/callbacks`.
pub(crate) async fn listed(context: Context) -> Result<Json<Value>, Refusal> {
    let config: Arc<Config> = (context.services.config)();
    let router = &config.router;
    Ok(Json(json!({
        "status": "success",
        "callbacks": callbacks(&config.litellm),
        "alerts": alerts(&config.general.alerts),
        "router_settings": {
            "num_retries": router.num_retries,
            "cooldown_time": router.cooldown_time.as_secs(),
            "fallbacks": fallbacks(&router.fallbacks),
            "context_window_fallbacks": fallbacks(&router.context_window_fallbacks),
        },
        "available_callbacks": {},
    })))
}

fn callbacks(litellm: &LitellmSettings) -> Vec<Value> {
    let lists = [
        (&litellm.callbacks, "success_and_failure"),
        (&litellm.success_callback, "success"),
        (&litellm.failure_callback, "failure"),
        (&litellm.audit_log_callbacks, "audit"),
    ];
    let one = |name: &String, kind: &str| json!({ "name": name, "variables": {}, "type": kind });
    lists.into_iter().flat_map(|(names, kind)| names.iter().map(move |name| one(name, kind))).collect()
}

/// Who is told of which alerts. Of addresses the hosts: the rest is a credential.
fn alerts(settings: &AlertSettings) -> Vec<Value> {
    let kinds: Vec<&str> = ALERT_TYPES.into_iter().filter(|kind| settings.tells(kind)).collect();
    let by_type = |(kind, addresses): &(String, Vec<SecretString>)| {
        let addresses: Value = addresses.iter().map(masked).collect();
        (kind.clone(), addresses)
    };
    let own: Map<String, Value> = settings.by_type.iter().map(by_type).collect();
    let channel = |name: &String| match name.as_str() {
        "slack" => json!({
            "name": name,
            "variables": { "SLACK_WEBHOOK_URL": settings.slack.as_ref().map(masked) },
            "active_alerts": kinds,
            "alerts_to_webhook": own,
        }),
        "webhook" => json!({
            "name": name,
            "variables": { "WEBHOOK_URL": settings.webhook.as_ref().map(masked) },
            "active_alerts": kinds,
        }),
        // Nobody is told by it.
        _ => json!({ "name": name, "variables": {}, "active_alerts": [] }),
    };
    settings.alerting.iter().map(channel).collect()
}

fn masked(address: &SecretString) -> Value {
    let uri = address.expose_secret().parse::<Uri>().ok();
    let place = uri.as_ref().and_then(|uri| uri.scheme_str().zip(uri.host()));
    place.map_or_else(|| MASK.into(), |(scheme, host)| format!("{scheme}://{host}/{MASK}").into())
}

fn fallbacks(all: &Fallbacks) -> Value {
    let one = |(group, targets): &(String, Vec<String>)| json!({ group.as_str(): raw(targets) });
    if all.is_empty() { Value::Null } else { all.iter().map(one).collect() }
}

// --- how it is doing ---

/// `/health/callbacks`: those of the configuration, in this process, since that began.
pub(crate) async fn states(context: Context) -> Result<Json<Value>, Refusal> {
    let states = context.services.control.callbacks();
    let failing = states.iter().filter(|state| is_failing(state)).count();
    let told: Vec<Value> = states.iter().map(state).collect();
    Ok(Json(json!({ "failing_count": failing, "callbacks": told })))
}

fn is_failing(state: &CallbackState) -> bool {
    state.failing_since.is_some() || !state.unusable.is_empty()
}

fn state(state: &CallbackState) -> Value {
    let status = match (state.unusable.is_empty(), state.failing_since, state.delivered) {
        (false, ..) => "unusable",
        (true, Some(_), _) => "failing",
        (true, None, 0) => "unused",
        (true, None, _) => "healthy",
    };
    let unusable = state.unusable.as_str();
    let last = if unusable.is_empty() { state.last_error.as_str() } else { unusable };
    json!({
        "name": state.name,
        "told_of": state.told_of,
        "status": status,
        "delivered": state.delivered,
        "dropped": state.dropped,
        "queue_bytes": state.waiting_bytes,
        "failing_since": state.failing_since.map(Micros::rfc3339),
        "last_error": Some(last).filter(|why| !why.is_empty()),
        "last_error_at": state.last_error_at.map(Micros::rfc3339),
    })
}

// --- a test ---

/// `/health/services?service=`: really sends something, and tells what came of it.
pub(crate) async fn test(context: Context, params: Params) -> Result<Json<Value>, Refusal> {
    let Some(service) = params.get("service") else {
        let at = vec!["query".into(), "service".into()];
        return Err(Problem::new("missing", at, "Field required", Value::Null).into());
    };
    let config: Arc<Config> = (context.services.config)();
    if service == PROMETHEUS && config.litellm.has_callback(service) {
        let message = "prometheus is configured: it is asked at /metrics, and sent nothing.";
        return Ok(Json(json!({ "status": "success", "message": message })));
    }
    let started = Instant::now();
    let told = context.services.control.test_service(service).await.ok_or_else(|| unknown(service))?;
    let message = told.map_err(|why| failed(service, &why))?;
    let took = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(Json(json!({ "status": "success", "message": message, "response_time_ms": took })))
}

/// In LiteLLM's words.
fn unknown(service: &str) -> Refusal {
    if TESTABLE.contains(&service) {
        let message = format!(
            "{{'error': '\"{service}\" not in proxy config: general_settings. Unable to test this.'}}"
        );
        return Refusal::told(422, "auth_error", "None", message);
    }
    let services = TESTABLE.join(", ");
    let message = format!("{{'error': 'Service must be in list. Service={service} not in {services}'}}");
    Refusal::told(400, "auth_error", "None", message)
}

fn failed(service: &str, why: &str) -> Refusal {
    let cure = "Look at its address, its credentials, and whether it can be reached from here.";
    Refusal::told(502, "service_error", "None", format!("{service} did not take the test: {why}. {cure}"))
}
