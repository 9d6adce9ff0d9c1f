//! Invitations: a link by which a user sets a first password. What admins do with them is `/invitation/*`.

use super::password::throttled;
use super::{State, origin, sessions};
use crate::context::Context;
use crate::error::{Refusal, detail};
use crate::input::{Fields, Params};
use crate::users;
use crate::work::Work;
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use serde_json::{Value, json};
use weir_core::domain::records::{Invitation, Kept, User};
use weir_core::time;

/// `POST /ui/invitation`
pub(super) async fn accept(
    context: Context,
    Extension(state): Extension<State>,
    headers: HeaderMap,
    mut body: Fields,
) -> Result<StatusCode, Refusal> {
    let (id, password) = (body.required_text("invitation_id"), body.required_text("password"));
    body.finish()?;
    claim(&context, &state, &headers, &id, password).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /onboarding/get_token`: whose invitation this is, and where it leads.
pub(super) async fn onboarding(
    context: Context,
    Extension(state): Extension<State>,
    headers: HeaderMap,
    params: Params,
) -> Result<Json<Value>, Refusal> {
    let id = params.text("invite_link").unwrap_or_default();
    throttled(&state, &headers)?;
    let (_, user) = open(&context, &id).await?;
    let base = origin::base_url(&(context.services.config)().env, &headers);
    let address = format!("{base}/ui/?invitation_id={id}");
    Ok(Json(json!({ "login_url": address, "token": null, "user_email": user.email })))
}

/// `POST /onboarding/claim_token`
pub(super) async fn claim_token(
    context: Context,
    Extension(state): Extension<State>,
    headers: HeaderMap,
    mut body: Fields,
) -> Result<Json<Value>, Refusal> {
    let (id, password) = (body.required_text("invitation_link"), body.required_text("password"));
    let meant = body.text("user_id");
    body.finish()?;
    let (invitation, _) = open(&context, &id).await?;
    if meant.is_some_and(|user| user != invitation.user_id) {
        return Err(unusable());
    }
    let user = claim(&context, &state, &headers, &id, password).await?;
    Ok(Json(json!({ "user_id": user.id, "user_email": user.email })))
}

fn unusable() -> Refusal {
    let message = "This invitation is unknown, has expired or was used already. Ask for a new one.";
    detail(400, &json!({ "error": message }))
}

/// An invitation that may still be used, and its user.
async fn open(context: &Context, id: &str) -> Result<(Kept<Invitation>, Kept<User>), Refusal> {
    let invitation = context.get::<Invitation>(id).await?.ok_or_else(unusable)?;
    if invitation.accepted_at.is_some() || invitation.expires_at <= time::now() {
        return Err(unusable());
    }
    let user = context.get::<User>(&invitation.user_id).await?.ok_or_else(unusable)?;
    Ok((invitation, user))
}

/// Sets the password and uses the invitation up, both or neither.
async fn claim(
    context: &Context,
    state: &State,
    headers: &HeaderMap,
    id: &str,
    password: String,
) -> Result<User, Refusal> {
    origin::own(&(context.services.config)().env, headers)?;
    throttled(state, headers)?;
    let (invitation, kept) = open(context, id).await?;
    let mut user = kept.record.clone();
    user.password_hash = Some(users::hashed(password).await?);
    let mut work = Work::new(context);
    work.update(&kept, &user, "updated")?;
    let used = Invitation { accepted_at: Some(work.now), ..invitation.record.clone() };
    work.update(&invitation, &used, "updated")?;
    work.commit().await?;
    sessions::end_all(context, Some(&user.id)).await?;
    Ok(user)
}
