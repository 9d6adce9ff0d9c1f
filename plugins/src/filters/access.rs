//! May this caller use the model it asks for, and which group is that?

use super::FilterKind;
use crate::exchange::Exchange;
use crate::models::may_use;
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
        x.target.group = Some(group);
        Ok(())
    }
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
