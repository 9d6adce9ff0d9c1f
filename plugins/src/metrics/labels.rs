//! Label values of an exchange, by label name. What is absent is `None`, as LiteLLM writes it.

use super::Metrics;
use super::custom::Own;
use super::family::Text;
use crate::deployment::Deployment;
use crate::exchange::Exchange;
use weir_core::domain::key::Caller;
use weir_core::metrics::NONE;

/// Labels that are about who calls.
pub(super) const OWNERS: [&str; 6] =
    ["hashed_api_key", "api_key_alias", "team", "team_alias", "user", "user_email"];

/// Values of every label that our metrics use. Series that are begun with them share the texts.
#[derive(Clone)]
pub(super) struct Labels {
    none: Text,
    hashed_api_key: Text,
    api_key_alias: Text,
    team: Text,
    team_alias: Text,
    user: Text,
    user_email: Text,
    end_user: Text,
    requested_model: Text,
    route: Text,
    pub(super) model: Text,
    model_group: Text,
    model_id: Text,
    api_base: Text,
    api_provider: Text,
    pub(super) status: Text,
    pub(super) class: Text,
    pub(super) fallback_model: Text,
    /// Those that the operator wishes for.
    custom: Vec<(String, Text)>,
}

const MAX_LABEL: usize = 200;

impl Labels {
    pub(super) fn of(metrics: &Metrics, x: &Exchange, own: Own) -> Self {
        let mut labels = Self::of_attempt(metrics, x, x.answer.deployment.as_deref(), own);
        labels.status = x.answer.status.to_string().into();
        labels
    }

    pub(super) fn of_attempt(
        metrics: &Metrics,
        x: &Exchange,
        deployment: Option<&Deployment>,
        own: Own,
    ) -> Self {
        let none = Text::from(NONE);
        let text = |value: Option<&str>| value.map_or_else(|| Text::clone(&none), Text::from);
        let part = |get: fn(&Deployment) -> &str| text(deployment.map(get).filter(|part| !part.is_empty()));
        let hash = x.caller.hash().map(|hash| hash.hex());
        let [api_key_alias, team, team_alias, user, user_email] = names_of(&x.caller).map(text);
        Self {
            hashed_api_key: text(hash.as_deref()),
            api_key_alias,
            team,
            team_alias,
            user,
            user_email,
            end_user: own.end_user.unwrap_or_else(|| Text::clone(&none)),
            requested_model: requested(x).map_or_else(|| Text::clone(&none), Text::from),
            route: Text::from(x.request.operation.row().route),
            model: part(|d| &d.model_label),
            model_group: part(|d| &d.group),
            model_id: part(|d| &d.id),
            api_base: part(|d| &d.wire.api_base),
            api_provider: part(|d| d.provider.prefix),
            status: Text::clone(&none),
            class: Text::clone(&none),
            fallback_model: Text::clone(&none),
            custom: metrics.custom_names().map(str::to_owned).zip(own.values).collect(),
            none,
        }
    }

    /// The same of the group instead of the model that served it.
    pub(super) fn by_group(mut self) -> Self {
        self.model = Text::clone(&self.model_group);
        self
    }

    pub(super) fn value(&self, label: &str) -> Text {
        Text::clone(match label {
            "hashed_api_key" => &self.hashed_api_key,
            "api_key_alias" => &self.api_key_alias,
            "team" => &self.team,
            "team_alias" => &self.team_alias,
            "user" => &self.user,
            "user_email" => &self.user_email,
            "end_user" => &self.end_user,
            "requested_model" => &self.requested_model,
            "route" => &self.route,
            "model" | "litellm_model_name" => &self.model,
            "model_group" => &self.model_group,
            "model_id" => &self.model_id,
            "api_base" => &self.api_base,
            "api_provider" => &self.api_provider,
            "status_code" | "exception_status" => &self.status,
            "exception_class" => &self.class,
            "fallback_model" => &self.fallback_model,
            other => self.custom.iter().find(|(name, _)| name == other).map_or(&self.none, |(_, v)| v),
        })
    }
}

/// What the labels say of whoever calls, after the hash of the key: in the order of [`OWNERS`].
pub(super) fn names_of(caller: &Caller) -> [Option<&str>; 5] {
    let (key, known) = (caller.key(), caller.principal());
    let team = known.and_then(|known| known.team.as_ref());
    let user = known.and_then(|known| known.user.as_ref());
    [
        key.and_then(|key| key.alias.as_deref()),
        key.and_then(|key| key.team_id.as_deref()),
        team.and_then(|team| team.alias.as_deref()),
        caller.user_id(),
        user.and_then(|user| user.email.as_deref()),
    ]
    .map(|name| name.filter(|name| !name.is_empty()))
}

/// A name no group serves is not a label: strangers could make series without end.
fn requested(x: &Exchange) -> Option<&str> {
    x.target.group.as_ref()?;
    // Nor is one that is passed through as it is.
    Some(clipped(if x.request.pass.is_some() { x.group_name() } else { &x.target.requested }))
}

pub(super) fn clipped(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_LABEL)]
}
