//! Models of one team: who may make and change them, and what of them stays the operator's to say. What a team's admin
//! makes gets nothing of the operator's: no variable, no shared credential, no address inside, and no key but its own.

use super::stored::{Sent, Stored};
use crate::context::Context;
use crate::error::{Refusal, detail};
use crate::teams;
use serde_json::{Map, Value, json};
use weir_core::config::keys::{PARAMS, is_price};
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

/// One of them is its own key, where nothing is mocked.
static KEYS: &[&str] =
    &["api_key", "aws_secret_access_key", "azure_ad_token", "client_secret", "vertex_credentials"];
static MOCKS: &[&str] = &["mock_response", "mock_timeout"];

/// What is asked, which has a price of its own.
static MODEL: &[&str] = &["custom_llm_provider", "model"];
/// Beside what names a price itself, what says how much something costs.
static PRICES: &[&str] = &["base_model", "search_context_cost_per_query", "tiered_pricing"];

/// Where a key is sent.
static ADDRESSES: &[&str] = &["api_base", "base_url"];

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
    if let Some(name) = sent.params.keys().find(is_operators) {
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

fn is_operators(name: &&String) -> bool {
    !THEIRS.contains(&name.as_str()) && (PARAMS.open)(name).is_none()
}

/// Whether keys stay as they are, or what else a proxy admin has set.
pub(super) fn keeps(stored: &Stored, sent: &Sent) -> bool {
    let stays = |name: &&str| stored.params.contains_key(*name) && !sent.params.contains_key(*name);
    KEYS.iter().any(stays) || stored.params.keys().any(|name| is_operators(&name))
}

/// Refuses another address for keys that are there already: an admin of the gateway may have put them there, or another one
/// of the team's. With one that is lent, refuses whatever would make its use cost something else.
pub(super) fn check_kept(stored: &Stored, sent: &Sent) -> Result<(), Refusal> {
    if !keeps(stored, sent) {
        return Ok(());
    }
    if changed(&stored.params, &sent.params).any(|name| ADDRESSES.contains(&name)) {
        return Err(refused("another address needs the model's keys anew".to_owned()));
    }
    let mut all = changed(&stored.params, &sent.params).chain(changed(&stored.info, &sent.info));
    let priced = all.find(|name| MODEL.contains(name) || says_price(name));
    match priced.filter(|_| stored.record.lent) {
        Some(name) => Err(refused(format!(
            "the model has a key of the gateway's: another {name} is for a proxy admin to set, or needs the model's keys anew"
        ))),
        None => Ok(()),
    }
}

/// Members that would be others than they are.
fn changed<'s>(from: &'s Map<String, Value>, to: &'s Map<String, Value>) -> impl Iterator<Item = &'s str> {
    to.iter()
        .filter(move |(name, to)| Some(*to).filter(|to| !to.is_null()) != from.get(*name))
        .map(|(name, _)| name.as_str())
}

fn says_price(name: &str) -> bool {
    PRICES.contains(&name) || is_price(name)
}

/// Notes that a proxy admin gives the model a key. Whoever pays from now on says what it costs; what the team said is gone.
pub(super) fn note_lent(stored: &mut Stored, sent: &Sent) {
    let given = |name: &String| KEYS.contains(&name.as_str()) || is_operators(&name);
    let lends = sent.params.iter().any(|(name, value)| !value.is_null() && given(name));
    if !lends || !stored.record.by_team || stored.record.lent {
        return;
    }
    stored.record.lent = true;
    for members in [&mut stored.params, &mut stored.info] {
        members.retain(|name, _| !says_price(name));
    }
}

/// Refuses what would be asked with a key of the operator's.
pub(super) fn check_stored(stored: &Stored) -> Result<(), Refusal> {
    let filled = |name: &&str| stored.params.get(*name).is_some_and(|value| value.as_str() != Some(""));
    if KEYS.iter().chain(MOCKS).any(filled) {
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
