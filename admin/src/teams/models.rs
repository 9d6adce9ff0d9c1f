//! Models and permissions of teams.

use super::{change, rights};
use crate::answer::{Object, raw};
use crate::context::Context;
use crate::error::Refusal;
use crate::input::{Fields, Params};
use axum::Json;
use weir_core::domain::records::Team;

/// What members who are no admins may be permitted.
static PERMISSIONS: &[&str] = &[
    "/key/generate",
    "/key/update",
    "/key/delete",
    "/key/info",
    "/key/regenerate",
    "/key/service-account/generate",
    "/key/{key_id}/regenerate",
    "/key/list",
    "/key/block",
    "/key/unblock",
];

pub(super) async fn add(context: Context, sent: Fields) -> Result<Json<Object>, Refusal> {
    let with = |mut models: Vec<String>, named: Vec<String>| {
        models.extend(named);
        models.dedup();
        models
    };
    change_models(context, sent, with).await
}

pub(super) async fn delete(context: Context, sent: Fields) -> Result<Json<Object>, Refusal> {
    let without = |models: Vec<String>, named: Vec<String>| {
        models.into_iter().filter(|model| !named.contains(model)).collect()
    };
    change_models(context, sent, without).await
}

async fn change_models(
    context: Context,
    mut sent: Fields,
    changed: impl FnOnce(Vec<String>, Vec<String>) -> Vec<String>,
) -> Result<Json<Object>, Refusal> {
    let (id, named) = (sent.required_text("team_id"), sent.texts("models"));
    sent.finish()?;
    let kept = change::found(&context, &id).await?;
    let models = changed(kept.models.clone(), named);
    change::store(&context, &kept, Team { models, ..kept.record.clone() }, "updated").await?;
    change::told(&context, &id).await.map(|told| Json(told.row()))
}

pub(super) async fn permissions(context: Context, params: Params) -> Result<Json<Object>, Refusal> {
    let id = params.get("team_id").unwrap_or_default();
    let team = change::found(&context, id).await?;
    rights::may_see(&context, &team).await?;
    Ok(Json(Object(vec![
        ("team_id", raw(id)),
        ("team_member_permissions", raw(&team.member_permissions)),
        ("all_available_permissions", raw(&PERMISSIONS)),
    ])))
}

pub(super) async fn permit(context: Context, mut sent: Fields) -> Result<Json<Object>, Refusal> {
    let (id, member_permissions) = (sent.required_text("team_id"), sent.texts("team_member_permissions"));
    sent.finish()?;
    let kept = change::found(&context, &id).await?;
    rights::may_change(&context, &kept).await?;
    if let Some(unknown) = member_permissions.iter().find(|named| !PERMISSIONS.contains(&named.as_str())) {
        let message = format!("{unknown} is no permission; there are {}", PERMISSIONS.join(", "));
        return Err(Refusal::told(400, "bad_request_error", "team_member_permissions", message));
    }
    change::store(&context, &kept, Team { member_permissions, ..kept.record.clone() }, "updated").await?;
    change::told(&context, &id).await.map(|told| Json(told.team()))
}
