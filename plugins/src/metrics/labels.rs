//! Label values of an exchange, by label name. What is absent is `None`, as LiteLLM writes it.

use crate::deployment::Deployment;
use crate::exchange::Exchange;
use weir_core::metrics::{NONE, Name};

/// Values of every label that our metrics use.
pub(super) struct Labels {
    hashed_api_key: String,
    api_key_alias: String,
    team: String,
    user: String,
    requested_model: String,
    route: &'static str,
    pub(super) model: String,
    model_group: String,
    model_id: String,
    api_base: String,
    api_provider: String,
    pub(super) status: String,
    pub(super) class: String,
    pub(super) fallback_model: String,
}

const MAX_LABEL: usize = 200;

impl Labels {
    pub(super) fn of(x: &Exchange) -> Self {
        let mut labels = Self::of_attempt(x, x.answer.deployment.as_deref());
        labels.status = x.answer.status.to_string();
        labels
    }

    pub(super) fn of_attempt(x: &Exchange, deployment: Option<&Deployment>) -> Self {
        let key = x.caller.key();
        let text = |value: Option<&str>| value.filter(|v| !v.is_empty()).unwrap_or(NONE).to_owned();
        let part = |get: fn(&Deployment) -> &str| text(deployment.map(get));
        Self {
            hashed_api_key: x.caller.hash().map_or_else(|| NONE.to_owned(), |h| h.hex()),
            api_key_alias: text(key.and_then(|k| k.alias.as_deref())),
            team: text(key.and_then(|k| k.team_id.as_deref())),
            user: text(x.caller.user_id()),
            requested_model: requested(x),
            route: x.request.operation.row().route,
            model: part(|d| &d.model_label),
            model_group: part(|d| &d.group),
            model_id: part(|d| &d.id),
            api_base: part(|d| &d.wire.api_base),
            api_provider: part(|d| d.provider.prefix),
            status: String::new(),
            class: String::new(),
            fallback_model: String::new(),
        }
    }

    /// The values a metric wants, in its own order.
    pub(super) fn values(&self, name: Name) -> Vec<&str> {
        name.row().labels.iter().map(|label| self.value(label)).collect()
    }

    fn value(&self, label: &str) -> &str {
        match label {
            "hashed_api_key" => &self.hashed_api_key,
            "api_key_alias" => &self.api_key_alias,
            "team" => &self.team,
            "user" => &self.user,
            "requested_model" => &self.requested_model,
            "route" => self.route,
            "model" | "litellm_model_name" => &self.model,
            "model_group" => &self.model_group,
            "model_id" => &self.model_id,
            "api_base" => &self.api_base,
            "api_provider" => &self.api_provider,
            "status_code" | "exception_status" => &self.status,
            "exception_class" => &self.class,
            "fallback_model" => &self.fallback_model,
            // `end_user` is always None unless asked for; user_email and team_alias come with users and teams.
            _ => NONE,
        }
    }
}

/// A name no group serves is not a label: strangers could make series without end.
fn requested(x: &Exchange) -> String {
    if x.target.group.is_none() {
        return NONE.to_owned();
    }
    // Nor is one that is passed through as it is.
    let name = if x.request.pass.is_some() { x.group_name() } else { &x.target.requested };
    name.chars().take(MAX_LABEL).collect()
}
