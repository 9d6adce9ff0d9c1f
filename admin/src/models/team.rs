//! Models of one team: who may make and change them, and what of them stays the operator's to say. What a team's admin makes
//! gets nothing of the operator's: no variable, no shared credential, no address inside, and no key but its own.

use super::stored::{Sent, Stored};
use crate::context::Context;
use crate::error::{Refusal, detail};
use crate::teams;
use serde_json::{Map, Value, json};
use weir_core::config::keys::PARAMS;
use weir_core::domain::records::Team;

/// What a team's admin may say in `litellm_params`, beside parameters of requests and prices.
#[rustfmt::skip]
static THEIRS: &[&str] = &[
    "additional_drop_params", "allowed_openai_params", "api_base", "api_key", "api_version", "aws_access_key_id",
    "aws_region_name", "aws_secret_access_key", "aws_session_token", "azure_ad_token", "base_url", "client_id",
    "client_secret", "cooldown_time", "custom_llm_provider", "drop_params", "input_type", "max_parallel_requests",
    "max_retries", "merge_reasoning_content_in_choices", "mock_delay", "mock_response", "mock_timeout", "model",
    "num_retries", "order", "organization", "region_name", "rpm", "search_context_cost_per_query", "stream_timeout",
    "tags", "tenant_id", "tiered_pricing", "timeout", "tpm", "vertex_credentials", "vertex_location", "vertex_project",
    "weight",
];

/// One of them is its own key.
static KEYS: &[&str] = &[
    "api_key",
    "aws_secret_access_key",
    "azure_ad_token",
    "client_secret",
    "mock_response",
    "mock_timeout",
    "vertex_credentials",
];

/// How a text begins that stands for a variable of the gateway's.
const REFERENCE: &str = "os.environ/";

pub(super) fn named(info: &Map<String, Value>) -> Option<&str> {
    info.get("team_id").and_then(Value::as_str).filter(|team| !team.is_empty())
}

/// Whether the caller may make, change or delete models of this team (`None`: everybody's).
///
/// # Errors
/// 400 where there is no such team, 403 in LiteLLM's words.
pub(super) async fn may_change(context: &Context, team: Option<&str>) -> Result<(), Refusal> {
    let Some(team) = team else {
        return if context.is_admin() { Ok(()) } else { Err(denied(context)) };
    };
    let kept = context.get::<Team>(team).await?;
    if context.is_admin() && kept.is_some() {
        return Ok(());
    }
    let kept = kept.ok_or_else(|| match context.is_admin() {
        true => detail(400, &json!({ "error": format!("Team id={team} does not exist in db") })),
        false => denied(context),
    })?;
    teams::may_change(context, &kept.record).await.map_err(|_| denied(context))
}

pub(super) fn denied(context: &Context) -> Refusal {
    let role = context.caller.role().map_or("None", |role| role.as_str());
    let message = format!(
        "{{'error': 'User does not have permission to make this model call. Your role={role}. You can only make model calls \
         if you are a PROXY_ADMIN or if you are a team admin, by specifying a team_id in the model_info.'}}"
    );
    Refusal::told(403, "auth_error", "None", message)
}

/// Refuses what a team's admin may not say.
pub(super) fn check_sent(sent: &Sent) -> Result<(), Refusal> {
    let operators = |name: &&String| !THEIRS.contains(&name.as_str()) && (PARAMS.open)(name).is_none();
    if let Some(name) = sent.params.keys().find(operators) {
        return Err(refused(format!("litellm_params.{name} is for a proxy admin to set")));
    }
    if sent.params.values().chain(sent.info.values()).any(refers) {
        return Err(refused(format!("{REFERENCE}… is for a proxy admin to write")));
    }
    // A path would name a file of the gateway's.
    let credentials = sent.params.get("vertex_credentials").and_then(Value::as_str);
    if credentials.is_some_and(|text| !text.trim_start().starts_with('{')) {
        return Err(refused("vertex_credentials must be the JSON itself".to_owned()));
    }
    Ok(())
}

/// Refuses what would be asked with a key of the operator's.
pub(super) fn check_stored(stored: &Stored) -> Result<(), Refusal> {
    if KEYS.iter().any(|name| stored.params.contains_key(*name)) {
        return Ok(());
    }
    Err(refused("a team's own model needs a key of its own, such as litellm_params.api_key".to_owned()))
}

fn refers(value: &Value) -> bool {
    match value {
        Value::String(text) => text.starts_with(REFERENCE),
        Value::Array(items) => items.iter().any(refers),
        Value::Object(members) => members.values().any(refers),
        _ => false,
    }
}

fn refused(why: String) -> Refusal {
    detail(400, &json!({ "error": why }))
}
