//! `/model/new`, `/model/update`, `/model/delete`. Entries of the files are changed too: by an override in the ledger,
//! which goes when it is deleted.

use super::stored::{self, Found, Sent, Stored, find, models_writable};
use super::team;
use crate::answer::{Object, raw};
use crate::context::Context;
use crate::error::{Refusal, detail};
use crate::fields::moment;
use crate::input::{Fields, Shape};
use crate::work::Work;
use axum::Json;
use axum::extract::Path;
use serde_json::{Map, Value, json};
use weir_core::domain::ids::new_entry_id;
use weir_core::domain::records::{Kept, ModelRecord};

/// Of a body's top level, in the form that the guide's scripts send: these belong to `model_info`.
static TOP: &[&str] =
    &["base_model", "mode", "access_groups", "max_tokens", "max_input_tokens", "max_output_tokens"];

pub(super) async fn new(context: Context, mut body: Fields) -> Result<Json<Object>, Refusal> {
    let name = body.required_text("model_name");
    body.must_have("litellm_params");
    let sent = Sent { name: Some(name.clone()), ..sent(&mut body) };
    body.finish()?;
    team::may_change(&context, team::named(&sent.info)).await?;
    models_writable(&context)?;
    let asked = id_of(&sent.info);
    if asked.is_some() && !context.is_admin() {
        // Models are asked for by their ids, too: it might be what others call theirs.
        return Err(detail(400, &json!({ "error": "model_info.id is for a proxy admin to choose" })));
    }
    let id = asked.unwrap_or_else(|| new_entry_id().to_string());
    if find(&context, &id).await?.is_some() {
        return Err(detail(400, &json!({ "error": format!("A model with id={id} exists already") })));
    }
    let mut found = Found { kept: None, stored: Stored::new(&id, &name, false) };
    found.stored.record.by_team = !context.is_admin();
    change(&context, found, sent).await
}

/// Both shapes: `{model_id, base_model, …}`, and `{model_name, litellm_params, model_info: {id, …}}`.
pub(super) async fn update(context: Context, mut body: Fields) -> Result<Json<Object>, Refusal> {
    let flat = body.text("model_id");
    let mut sent = sent(&mut body);
    for name in TOP {
        if let Some(value) = body.given(name, Shape::Any) {
            sent.info.insert((*name).to_owned(), value.map_or(Value::Null, |value| decoded(value.get())));
        }
    }
    body.finish()?;
    let refused =
        |words: &str| Refusal::told(400, "auth_error", "None", format!("Authentication Error, {words}"));
    let id = flat.or_else(|| id_of(&sent.info)).ok_or_else(|| refused("model_info not provided"))?;
    models_writable(&context)?;
    let found = find(&context, &id).await?.ok_or_else(|| refused("model not found"))?;
    change(&context, found, sent).await
}

pub(super) async fn patch(
    context: Context,
    Path(id): Path<String>,
    mut body: Fields,
) -> Result<Json<Object>, Refusal> {
    let sent = sent(&mut body);
    body.finish()?;
    models_writable(&context)?;
    let missing = || Refusal::told(404, "not_found_error", "None", format!("Model {id} not found on proxy."));
    let found = find(&context, &id).await?.ok_or_else(missing)?;
    change(&context, found, sent).await
}

pub(super) async fn delete(context: Context, mut body: Fields) -> Result<Json<Value>, Refusal> {
    let id = body.required_text("id");
    body.finish()?;
    let missing = || {
        let message = format!("{{'error': 'Model with id={id} not found in db'}}");
        Refusal::told(400, "auth_error", "None", message)
    };
    let kept = context.get::<ModelRecord>(&id).await?.ok_or_else(missing)?;
    if !context.is_admin() {
        team::may_change(&context, kept.record.team_id.as_deref()).await?;
    }
    let mut work = Work::new(&context);
    work.delete(&kept.record);
    work.commit().await?;
    context.services.control.refresh().await;
    Ok(Json(json!({ "message": format!("Model: {id} deleted successfully") })))
}

/// A deployment as a body describes it.
pub(super) fn sent(body: &mut Fields) -> Sent {
    let mut map = |name| body.take(name, Shape::Object).map(|value| decoded(value.get())).unwrap_or_default();
    let (params, info) = (map("litellm_params"), map("model_info"));
    Sent { name: body.text("model_name"), params, info }
}

fn decoded<T: serde::de::DeserializeOwned + Default>(json: &str) -> T {
    serde_json::from_str(json).unwrap_or_default()
}

pub(super) fn id_of(info: &Map<String, Value>) -> Option<String> {
    info.get("id").and_then(Value::as_str).filter(|id| !id.is_empty()).map(str::to_owned)
}

/// What is there, with what was sent over it.
async fn change(context: &Context, mut found: Found, sent: Sent) -> Result<Json<Object>, Refusal> {
    if context.is_admin() {
        team::note_lent(&mut found.stored, &sent);
        found.stored.apply(sent);
        return save(context, found).await;
    }
    // A key that the operator has put there must not go to another address.
    if !found.stored.record.by_team {
        return Err(team::denied(context));
    }
    if found.kept.is_some() {
        team::may_change(context, found.stored.record.team_id.as_deref()).await?;
    }
    team::check_sent(&sent)?;
    team::check_kept(&found.stored, &sent)?;
    let keeps = team::keeps(&found.stored, &sent);
    found.stored.record.lent &= keeps;
    found.stored.apply(sent);
    team::may_change(context, found.stored.record.team_id.as_deref()).await?;
    team::check_stored(&found.stored)?;
    save(context, found).await
}

async fn save(context: &Context, found: Found) -> Result<Json<Object>, Refusal> {
    found.stored.try_out(context)?;
    let mut work = Work::new(context);
    let record = stored::write(context, &mut work, &found)?;
    work.commit().await?;
    context.services.control.refresh().await;
    let kept = context.get::<ModelRecord>(&record.id).await?;
    let kept = kept.ok_or_else(|| detail(404, &json!({ "error": "The model was deleted meanwhile." })))?;
    Ok(Json(told(&kept, &found.stored)))
}

/// The record with what may be read of its parameters.
fn told(kept: &Kept<ModelRecord>, stored: &Stored) -> Object {
    let mut info = stored.info.clone();
    info.insert("id".to_owned(), kept.record.id.clone().into());
    info.insert("db_model".to_owned(), false.into());
    Object(vec![
        ("model_id", raw(&kept.record.id)),
        ("model_name", raw(&kept.record.name)),
        ("litellm_params", raw(&with_defaults(stored::shown(&stored.params)))),
        ("model_info", raw(&info)),
        ("created_at", moment(kept.created_at)),
        ("created_by", raw(&kept.created_by)),
        ("updated_at", moment(kept.updated_at)),
        ("updated_by", raw(&kept.updated_by)),
    ])
}

/// LiteLLM tells these of every model.
fn with_defaults(mut params: Map<String, Value>) -> Map<String, Value> {
    for name in super::show::DEFAULTS {
        params.entry(*name).or_insert(false.into());
    }
    params
}
