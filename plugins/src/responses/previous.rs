//! How a request goes on from an earlier response.

use super::{Kept, Origin, may_read, previous_not_found, unavailable};
use crate::deployment::Deployment;
use crate::dialects::openai_responses::{State, input_items, state};
use crate::exchange::Exchange;
use crate::models::Group;
use bytes::Bytes;
use serde_json::Value;
use std::borrow::Cow;
use std::sync::Arc;
use weir_core::body::{Edits, JsonBody};
use weir_core::error::{ApiError, Kind};
use weir_core::ports::ResponseStore;

/// What a request of the Responses API says beyond itself.
#[derive(Debug)]
pub struct Conversation {
    /// The response is to be kept.
    pub store: bool,
    pub previous: Previous,
}

#[derive(Debug)]
pub enum Previous {
    None,
    /// The provider keeps it, under this id.
    Native {
        upstream: String,
    },
    /// The ledger kept it; this is the conversation so far.
    Kept {
        items: Vec<Value>,
    },
}

/// Finds what a request goes on from. One that a provider keeps binds the request to that provider.
///
/// # Errors
/// 404 where there is none for this caller, 400 where the model cannot go on from it, 503 without the ledger.
pub async fn conversation(x: &mut Exchange, store: &dyn ResponseStore) -> Result<Conversation, ApiError> {
    let State { store: keep, previous, .. } = state(&x.request.body)?;
    let Some(id) = previous else { return Ok(Conversation { store: keep, previous: Previous::None }) };
    let previous = match Origin::open(&x.snapshot.sealer, &id) {
        Some(origin) if may_read(&x.snapshot.config, &x.caller, &origin.owner) => {
            bind(x, &origin)?;
            Previous::Native { upstream: origin.upstream }
        }
        Some(_) => return Err(previous_not_found(&id)),
        None => Previous::Kept { items: kept(x, store, &id).await? },
    };
    Ok(Conversation { store: keep, previous })
}

async fn kept(x: &Exchange, store: &dyn ResponseStore, id: &str) -> Result<Vec<Value>, ApiError> {
    let found = store.response(id, x.clock.started_at).await.map_err(unavailable)?;
    let record = found.filter(|record| may_read(&x.snapshot.config, &x.caller, &record.owner));
    let kept = record.and_then(|record| Kept::open(&x.snapshot.sealer, &record));
    kept.map(Kept::conversation).ok_or_else(|| previous_not_found(id))
}

/// Leaves only the deployment that keeps the response, or one that shares its account.
fn bind(x: &mut Exchange, origin: &Origin) -> Result<(), ApiError> {
    let Some(group) = &x.target.group else { return Ok(()) };
    let own = || group.deployments.iter().find(|d| d.id == origin.deployment);
    let near = || {
        let maker = x.snapshot.models.made(&origin.deployment, &origin.group)?;
        group.deployments.iter().find(|d| same_account(d, &maker))
    };
    let Some(deployment) = own().or_else(near).cloned() else {
        let message = format!(
            "The previous response was made by a deployment that model {} does not have; ask for the model that made \
             it, or send the conversation as `input`.",
            group.name
        );
        return Err(ApiError::new(Kind::BadRequest, message).with_param("previous_response_id"));
    };
    x.target.group = Some(Arc::new(Group { name: group.name.clone(), deployments: vec![deployment] }));
    x.target.bound = true;
    Ok(())
}

/// What one keeps, the other finds.
fn same_account(one: &Deployment, other: &Deployment) -> bool {
    one.wire.origin() == other.wire.origin() && one.wire.headers == other.wire.headers
}

impl Conversation {
    /// The request for a provider that speaks the API itself.
    pub fn relayed<'b>(&self, body: &'b JsonBody) -> Result<Cow<'b, JsonBody>, ApiError> {
        let mut edits = Edits::default();
        match &self.previous {
            Previous::None => return Ok(Cow::Borrowed(body)),
            Previous::Native { upstream } => {
                edits.set("previous_response_id", Value::from(upstream.as_str()).to_string());
            }
            Previous::Kept { items } => {
                let new = input_items(body)?;
                let all: Vec<Value> = items.iter().filter_map(foreign).chain(new).collect();
                edits.remove("previous_response_id");
                edits.set("input", Value::from(all).to_string());
            }
        }
        let edited = Bytes::from(edits.apply(body).concat());
        JsonBody::parse(edited).map(Cow::Owned).map_err(|e| ApiError::new(Kind::BadJson, e.to_string()))
    }
}

/// An item that another provider made, for one that has never seen it: without its id, and without thoughts, which only
/// their maker can read.
fn foreign(item: &Value) -> Option<Value> {
    if item.get("type").is_some_and(|kind| kind == "reasoning") {
        return None;
    }
    let mut item = item.clone();
    if let Some(members) = item.as_object_mut() {
        members.shift_remove("id");
    }
    Some(item)
}
