//! `/invitation/*`: links by which a user sets a first password.

use crate::answer::{Object, raw};
use crate::context::Context;
use crate::error::{Refusal, detail};
use crate::fields::moment;
use crate::input::{Fields, Params};
use crate::routes::{Access, route};
use crate::work::Work;
use axum::Json;
use axum::http::Method;
use axum::routing::{get, post};
use serde_json::json;
use weir_core::access::{Grant, RouteClass};
use weir_core::domain::ids::unguessable_id;
use weir_core::domain::records::{Invitation, Kept, User};
use weir_core::time::Micros;

const M: RouteClass = RouteClass::Management;

pub(crate) static ROUTES: &[Access] = &[
    route(Method::POST, "/invitation/new", M, Grant::ADMIN, || post(new)),
    route(Method::GET, "/invitation/info", M, Grant::ADMIN, || get(info)),
    route(Method::POST, "/invitation/update", M, Grant::ADMIN, || post(update)),
    route(Method::POST, "/invitation/delete", M, Grant::ADMIN, || post(delete)),
];

/// As long as LiteLLM's.
const VALID: i64 = 7 * 24 * 60 * 60 * 1_000_000;

fn told(kept: &Kept<Invitation>) -> Json<Object> {
    let invitation = &kept.record;
    Json(Object(vec![
        ("id", raw(&invitation.id)),
        ("user_id", raw(&invitation.user_id)),
        ("is_accepted", raw(&invitation.accepted_at.is_some())),
        ("accepted_at", invitation.accepted_at.map_or_else(|| raw(&()), moment)),
        ("expires_at", moment(invitation.expires_at)),
        ("created_at", moment(kept.created_at)),
        ("created_by", raw(&kept.created_by)),
        ("updated_at", moment(kept.updated_at)),
        ("updated_by", raw(&kept.updated_by)),
    ]))
}

async fn found(context: &Context, id: &str) -> Result<Kept<Invitation>, Refusal> {
    let missing = || detail(400, &json!({ "error": "Invitation id does not exist in the database." }));
    context.get::<Invitation>(id).await?.ok_or_else(missing)
}

async fn new(context: Context, mut body: Fields) -> Result<Json<Object>, Refusal> {
    let user_id = body.required_text("user_id");
    body.finish()?;
    if context.get::<User>(&user_id).await?.is_none() {
        return Err(detail(
            400,
            &json!({ "error": format!("User id={user_id} does not exist in the database.") }),
        ));
    }
    let mut work = Work::new(&context);
    // Whoever knows the id may set the password: it is as random as a key.
    let id = unguessable_id();
    let invitation =
        Invitation { id: id.clone(), user_id, expires_at: Micros(work.now.0 + VALID), accepted_at: None };
    work.insert(&invitation)?;
    work.commit().await?;
    Ok(told(&found(&context, &id).await?))
}

async fn info(context: Context, params: Params) -> Result<Json<Object>, Refusal> {
    Ok(told(&found(&context, params.get("invitation_id").unwrap_or_default()).await?))
}

async fn update(context: Context, mut body: Fields) -> Result<Json<Object>, Refusal> {
    let id = body.required_text("invitation_id");
    let accepted = body.flag("is_accepted");
    body.finish()?;
    let kept = found(&context, &id).await?;
    let mut work = Work::new(&context);
    let accepted_at = match accepted {
        Some(true) => kept.record.accepted_at.or(Some(work.now)),
        Some(false) => None,
        None => kept.record.accepted_at,
    };
    work.update(&kept, &Invitation { accepted_at, ..kept.record.clone() }, "updated")?;
    work.commit().await?;
    Ok(told(&found(&context, &id).await?))
}

async fn delete(context: Context, mut body: Fields) -> Result<Json<Object>, Refusal> {
    let id = body.required_text("invitation_id");
    body.finish()?;
    let kept = found(&context, &id).await?;
    let mut work = Work::new(&context);
    work.delete(&kept.record);
    work.commit().await?;
    Ok(told(&kept))
}
