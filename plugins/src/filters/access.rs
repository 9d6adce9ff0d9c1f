//! May this caller use the model it asks for, and which group is that?

use super::FilterKind;
use super::client_fields::refuse;
use crate::exchange::Exchange;
use crate::fallbacks::{List, asked};
use crate::models::{Group, ModelTable, may_use};
use crate::pass;
use crate::plugin::{Flow, Phase, Plugin};
use async_trait::async_trait;
use serde_json::Value;
use std::sync::Arc;
use weir_core::body::Edits;
use weir_core::domain::key::{Caller, Principal};
use weir_core::error::{ApiError, Kind};

pub static KIND: FilterKind =
    FilterKind { name: "access", phases: &[Phase::Request], build: |_| Arc::new(Access) };

struct Access;

#[async_trait]
impl Plugin for Access {
    async fn on_request(&self, x: &mut Exchange) -> Result<Flow, ApiError> {
        match x.request.pass.take() {
            Some(raw) => pass::admit(x, raw)?,
            None => aim(x)?,
        }
        Ok(Flow::Continue)
    }
}

/// Finds the group that is asked for.
///
/// # Errors
/// There is none, or this caller may not use it.
pub fn aim(x: &mut Exchange) -> Result<(), ApiError> {
    x.target.requested = match requested(x) {
        Some(model) => model,
        None => by_default(x)?,
    };
    if let Some(other) = of_other_team(x, &x.target.requested) {
        x.caller = other;
    }
    let snapshot = &x.snapshot;
    let requested = match x.caller.principal() {
        Some(known) => {
            let named = renamed(known, &x.target.requested);
            usable(known, named, &snapshot.models)?;
            named
        }
        None => &x.target.requested,
    };
    let group = snapshot.models.find_for(requested, &x.caller).ok_or_else(|| unknown(requested))?;
    let group = with_own(x, group)?;
    if let Some(known) = x.caller.principal() {
        fallbacks_usable(known, x, &group)?;
    }
    if snapshot.config.weir.block_unpriced && !priced(&group) {
        return Err(unpriced(requested));
    }
    x.target.group = Some(group);
    // Fallbacks would be asked, and paid for, with the operator's credentials.
    x.target.bound |= x.target.own.is_some();
    Ok(())
}

/// A model that is asked for as a fallback is asked for. Refused now, as with LiteLLM, and not only when it is needed.
fn fallbacks_usable(known: &Principal, x: &Exchange, group: &Group) -> Result<(), ApiError> {
    let models = &x.snapshot.models;
    let mut names = List::ALL.into_iter().flat_map(|list| asked(&x.request.body, list, &group.name));
    names.try_for_each(|name| usable(known, &name, models))
}

/// With the client's own credentials, if it has brought some.
fn with_own(x: &Exchange, group: Arc<Group>) -> Result<Arc<Group>, ApiError> {
    let Some(own) = &x.target.own else { return Ok(group) };
    if !own.is_left_by(&group) {
        return Err(refuse("api_key"));
    }
    let owned = x.snapshot.models.owned(&group, own).map(Arc::new);
    owned.map_err(|fault| {
        let message = format!("Authentication Error, Rejected Request: {}.", fault.message);
        ApiError::new(Kind::ClientCredentials, message)
    })
}

fn priced(group: &Group) -> bool {
    group.deployments.iter().any(|d| d.is_priced())
}

/// Why a model is refused that has no price.
pub fn unpriced(model: &str) -> ApiError {
    let message = format!(
        "No price is known for model {model}, and weir_settings.block_unpriced refuses such models. Ask the operator to \
         set model_info.input_cost_per_token and output_cost_per_token, or base_model."
    );
    ApiError::new(Kind::BadRequest, message)
}

pub(super) fn requested(x: &Exchange) -> Option<String> {
    match &x.request.path_model {
        Some(model) => Some(model.clone()),
        None => x.request.body.string("model").map(|m| m.into_owned()),
    }
}

/// The operator's model for requests that name none (`completion_model` and its like), put where a client would.
fn by_default(x: &mut Exchange) -> Result<String, ApiError> {
    let named = x.snapshot.config.general.requests.model_for(x.request.operation);
    let model = named.ok_or_else(no_model)?.to_owned();
    let mut edits = Edits::default();
    edits.set("model", Value::from(model.as_str()).to_string());
    let named = edits.rewrite(&x.request.body);
    x.request.body = named.map_err(|e| ApiError::new(Kind::BadJson, e.to_string()))?;
    Ok(model)
}

/// A token may be of several teams (`enforce_team_based_model_access`): where the first may not use the model, one counts
/// that may.
fn of_other_team(x: &Exchange, model: &str) -> Option<Caller> {
    let known = x.caller.principal()?;
    let others = known.token.as_ref().map(|token| &token.others).filter(|others| !others.is_empty())?;
    let may = |known: &Principal| usable(known, renamed(known, model), &x.snapshot.models).is_ok();
    let found = if may(known) { None } else { others.iter().find(|other| may(other)) };
    found.map(|other| Caller::Key(Arc::clone(other)))
}

fn no_model() -> ApiError {
    let message = "litellm.BadRequestError: You passed in model=None. There are no healthy deployments for this \
                   model; send `model` as a text";
    ApiError::new(Kind::UnknownModel, message)
}

/// LiteLLM's words for a model that no deployment serves.
pub fn unknown(model: &str) -> ApiError {
    let model: String = model.chars().take(200).collect();
    let message = format!(
        "litellm.BadRequestError: You passed in model={model}. There are no healthy deployments for this model. \
         Received Model Group={model}\nAvailable Model Group Fallbacks=None"
    );
    ApiError::new(Kind::UnknownModel, message)
}

/// Keys and teams may have names of their own for models.
fn renamed<'a>(known: &'a Principal, model: &'a str) -> &'a str {
    let team = known.team.as_ref().and_then(|team| team.model_aliases.get(model));
    known.key.aliases.get(model).or(team).and_then(Value::as_str).unwrap_or(model)
}

/// Whether key, team and, for a key without a team, user may use this model.
///
/// # Errors
/// 401 with the models that it might have been.
pub fn usable(known: &Principal, model: &str, models: &ModelTable) -> Result<(), ApiError> {
    if !may_use(&known.key.models, model, models) {
        return Err(denied(&KEY, &known.key.models, model));
    }
    // A team need not be given what is its own.
    let team = known.team.as_ref().filter(|_| !models.is_own(known.key.team_id.as_deref(), model));
    if let Some(team) = team.filter(|team| !may_use(&team.models, model, models)) {
        return Err(denied(&TEAM, &team.models, model));
    }
    let user = known.user.as_ref().filter(|_| known.key.team_id.is_none());
    match user.filter(|user| !may_use(&user.models, model, models)) {
        Some(user) => Err(denied(&USER, &user.models, model)),
        None => Ok(()),
    }
}

/// Whom a model is denied to, in LiteLLM's words.
struct Denied {
    who: &'static str,
    this: &'static str,
    error_type: &'static str,
}

static KEY: Denied = Denied { who: "key", this: "key", error_type: "key_model_access_denied" };
static TEAM: Denied = Denied { who: "team", this: "team", error_type: "team_model_access_denied" };
static USER: Denied = Denied { who: "user", this: "user", error_type: "user_model_access_denied" };

fn denied(to: &Denied, models: &[String], model: &str) -> ApiError {
    let models: Vec<String> = models.iter().map(|m| format!("'{m}'")).collect();
    let message = format!(
        "{} not allowed to access model. This {} can only access models=[{}]. Tried to access {model}",
        to.who,
        to.this,
        models.join(", ")
    );
    ApiError::new(Kind::ModelDenied, message).with_type(to.error_type)
}
