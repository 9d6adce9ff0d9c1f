//! What may be said about a new key: every field LiteLLM knows, and whether it has an effect yet.

use crate::answer::Raw;
use crate::duration;
use crate::error::Refusal;
use crate::input::{Fields, Shape};
use weir_core::domain::ids::KeyHash;
use weir_core::domain::key::{Caller, KeyRecord, mask};
use weir_core::domain::money::NanoUsd;
use weir_core::time::Micros;

/// One field of `/key/generate`.
pub(super) struct Field {
    pub(super) name: &'static str,
    shape: Shape,
    /// Part of the record. What is not is told back, and warned about.
    used: bool,
    /// What the answer shows when the request does not set it; `None`: the answer has no such field.
    pub(super) empty: Option<&'static str>,
}

const fn used(name: &'static str, shape: Shape, empty: &'static str) -> Field {
    Field { name, shape, used: true, empty: Some(empty) }
}

const fn known(name: &'static str, shape: Shape, empty: &'static str) -> Field {
    Field { name, shape, used: false, empty: Some(empty) }
}

const fn hidden(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, used: false, empty: None }
}

const LIMIT_TYPES: Shape = Shape::OneOf(&["guaranteed_throughput", "best_effort_throughput", "dynamic"]);
const KEY_TYPES: Shape = Shape::OneOf(&["llm_api", "management", "read_only", "default"]);

/// LiteLLM shows these even where none is set.
const ROUTER_SETTINGS: &str = concat!(
    r#"{"routing_strategy_args":null,"routing_strategy":null,"model_group_retry_policy":null,"#,
    r#""allowed_fails":null,"cooldown_time":null,"num_retries":null,"timeout":null,"max_retries":null,"#,
    r#""retry_after":null,"fallbacks":null,"context_window_fallbacks":null,"model_group_alias":{}}"#,
);

/// In the order of LiteLLM's answer.
pub(super) static FIELDS: &[Field] = &[
    used("key_alias", Shape::Text, "null"),
    used("duration", Shape::Text, "null"),
    used("models", Shape::Texts, "[]"),
    known("spend", Shape::Number, "0.0"),
    used("max_budget", Shape::Number, "null"),
    used("user_id", Shape::Text, "null"),
    used("team_id", Shape::Text, "null"),
    known("max_parallel_requests", Shape::Integer, "null"),
    used("metadata", Shape::Object, "{}"),
    known("tpm_limit", Shape::Integer, "null"),
    known("rpm_limit", Shape::Integer, "null"),
    known("budget_duration", Shape::Text, "null"),
    known("allowed_cache_controls", Shape::List, "[]"),
    known("config", Shape::Object, "{}"),
    known("permissions", Shape::Object, "{}"),
    known("model_max_budget", Shape::Object, "{}"),
    known("model_rpm_limit", Shape::Object, "null"),
    known("model_tpm_limit", Shape::Object, "null"),
    known("guardrails", Shape::Texts, "null"),
    known("prompts", Shape::Texts, "null"),
    used("blocked", Shape::Flag, "null"),
    known("aliases", Shape::Object, "{}"),
    known("object_permission", Shape::Object, "null"),
    used("key", Shape::Text, "null"),
    known("budget_id", Shape::Text, "null"),
    known("tags", Shape::Texts, "null"),
    known("enforced_params", Shape::Texts, "null"),
    known("allowed_routes", Shape::List, "[]"),
    known("allowed_passthrough_routes", Shape::List, "null"),
    known("allowed_vector_store_indexes", Shape::List, "null"),
    known("rpm_limit_type", LIMIT_TYPES, "null"),
    known("tpm_limit_type", LIMIT_TYPES, "null"),
    known("router_settings", Shape::Object, ROUTER_SETTINGS),
    known("organization_id", Shape::Text, "null"),
    hidden("soft_budget", Shape::Number),
    hidden("send_invite_email", Shape::Flag),
    hidden("key_type", KEY_TYPES),
    hidden("auto_rotate", Shape::Flag),
    hidden("rotation_interval", Shape::Text),
];

/// A request that fits.
pub(super) struct Wanted {
    pub(super) key: Option<String>,
    alias: Option<String>,
    models: Vec<String>,
    duration: Option<String>,
    /// As it was sent.
    metadata: Option<Raw>,
    max_budget: Option<NanoUsd>,
    user_id: Option<String>,
    team_id: Option<String>,
    blocked: bool,
    /// Fields without effect yet, told back in the answer.
    pub(super) echoed: Vec<(&'static str, Raw)>,
}

impl Wanted {
    pub(super) fn read(mut sent: Fields) -> Result<Self, Refusal> {
        let unused = FIELDS.iter().filter(|field| !field.used);
        let echoed =
            unused.filter_map(|field| Some((field.name, sent.take(field.name, field.shape)?))).collect();
        let wanted = Self {
            key: sent.text("key"),
            alias: sent.text("key_alias").filter(|alias| !alias.is_empty()),
            models: sent.texts("models"),
            duration: sent.text("duration"),
            metadata: sent.take("metadata", Shape::Object),
            max_budget: sent.money("max_budget"),
            user_id: sent.text("user_id").filter(|id| !id.is_empty()),
            team_id: sent.text("team_id").filter(|id| !id.is_empty()),
            blocked: sent.flag("blocked").unwrap_or_default(),
            echoed,
        };
        sent.finish()?;
        match wanted.max_budget {
            Some(budget) if budget < NanoUsd::ZERO => {
                Err(Refusal::wrapped(400, &format!("max_budget cannot be negative. Received: {budget}")))
            }
            _ => Ok(wanted),
        }
    }

    /// Says which fields have no effect. Values may be secret, names are not.
    pub(super) fn warn(&self) {
        let names: Vec<&str> = self.echoed.iter().map(|(name, _)| *name).collect();
        if !names.is_empty() {
            tracing::warn!(fields = names.join(","), "/key/generate: known, not used yet");
        }
    }

    /// The key as it is stored: `key` only as its hash and its last characters.
    pub(super) fn record(&self, key: &str, caller: &Caller, now: Micros) -> Result<KeyRecord, Refusal> {
        let expires_at = self.duration.as_deref().map(|text| duration::after(now, text)).transpose();
        Ok(KeyRecord {
            hash: KeyHash::of(key),
            masked: mask(key),
            alias: self.alias.clone(),
            user_id: self.user_id.clone(),
            team_id: self.team_id.clone(),
            models: self.models.clone(),
            metadata: self.metadata.as_ref().map_or("{}", |raw| raw.get()).to_owned(),
            max_budget: self.max_budget,
            expires_at: expires_at.map_err(Refusal::internal)?,
            blocked: self.blocked,
            created_at: now,
            created_by: caller.user_id().map(str::to_owned),
        })
    }
}
