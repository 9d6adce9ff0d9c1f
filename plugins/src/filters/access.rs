//! May this caller use the model it asks for, and which group is that?

use super::FilterKind;
use crate::exchange::Exchange;
use crate::models::{Group, may_use};
use crate::pass;
use crate::plugin::{Phase, Plugin};
use async_trait::async_trait;
use std::sync::Arc;
use weir_core::domain::key::KeyRecord;
use weir_core::error::{ApiError, Kind};

pub static KIND: FilterKind =
    FilterKind { name: "access", phases: &[Phase::Request], build: |_| Arc::new(Access) };

struct Access;

#[async_trait]
impl Plugin for Access {
    async fn on_request(&self, x: &mut Exchange) -> Result<(), ApiError> {
        if let Some(raw) = x.request.pass.take() {
            return pass::admit(x, raw, denied);
        }
        let requested = requested(x).ok_or_else(no_model)?;
        x.target.requested = requested;
        let requested = &x.target.requested;
        let snapshot = &x.snapshot;
        if let Some(key) = x.caller.key()
            && !may_use(&key.models, requested, &snapshot.models)
        {
            return Err(denied(key, requested));
        }
        let group = snapshot.models.find(requested).ok_or_else(|| unknown(requested))?;
        if snapshot.config.weir.block_unpriced && !priced(&group) {
            return Err(unpriced(requested));
        }
        x.target.group = Some(group);
        Ok(())
    }
}

fn priced(group: &Group) -> bool {
    group.deployments.iter().any(|d| d.price.is_some() || d.mock.is_some())
}

fn unpriced(model: &str) -> ApiError {
    let message = format!(
        "No price is known for model {model}, and weir_settings.block_unpriced refuses such models. Ask the operator to \
         set model_info.input_cost_per_token and output_cost_per_token, or base_model."
    );
    ApiError::new(Kind::BadRequest, message)
}

fn requested(x: &Exchange) -> Option<String> {
    match &x.request.path_model {
        Some(model) => Some(model.clone()),
        None => x.request.body.string("model").map(|m| m.into_owned()),
    }
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

fn denied(key: &KeyRecord, model: &str) -> ApiError {
    let models: Vec<String> = key.models.iter().map(|m| format!("'{m}'")).collect();
    let message = format!(
        "key not allowed to access model. This key can only access models=[{}]. Tried to access {model}",
        models.join(", ")
    );
    ApiError::new(Kind::ModelDenied, message)
}
