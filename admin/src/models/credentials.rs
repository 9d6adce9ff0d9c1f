//! `/credentials`: parameters that deployments share by name. Their values are sealed, and told to nobody.

use super::stored::{Stored, writable};
use crate::answer::raw;
use crate::context::Context;
use crate::error::{Refusal, detail};
use crate::input::{Fields, Shape};
use crate::work::Work;
use axum::Json;
use axum::extract::Path;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use weir_core::config::Config;
use weir_core::domain::records::{Credential, Kept, ModelRecord};
use weir_core::error::{ApiError, Kind};
use weir_core::ports::control::CREDENTIAL_VALUES;

pub(super) async fn list(context: Context) -> Result<Json<Value>, Refusal> {
    let all = context.all::<Credential>(Vec::new()).await?;
    let told: Vec<Value> = all.iter().map(|kept| told(&context, kept)).collect();
    Ok(Json(json!({ "success": true, "credentials": told })))
}

pub(super) async fn one(context: Context, Path(name): Path<String>) -> Result<Json<Value>, Refusal> {
    let kept = found(&context, &name).await?;
    Ok(Json(told(&context, &kept)))
}

/// The credential that a deployment names.
pub(super) async fn of_model(context: Context, Path(id): Path<String>) -> Result<Json<Value>, Refusal> {
    let config: Arc<Config> = (context.services.config)();
    let entry = config.models.iter().find(|entry| entry.id == id);
    let name = entry.and_then(|entry| entry.params.credential.clone());
    let missing = || detail(404, &json!("Model not found, or it names no credential"));
    let kept = found(&context, &name.ok_or_else(missing)?).await?;
    Ok(Json(told(&context, &kept)))
}

pub(super) async fn new(context: Context, mut body: Fields) -> Result<Json<Value>, Refusal> {
    let name = body.required_text("credential_name");
    let (mut values, info) = (map(&mut body, "credential_values"), map(&mut body, "credential_info"));
    let model = body.text("model_id").filter(|id| !id.is_empty());
    body.finish()?;
    writable(&context)?;
    if let Some(id) = model {
        values = of_stored(&context, &id).await?;
    }
    if context.get::<Credential>(&name).await?.is_some() {
        return Err(taken(&name));
    }
    let record = Credential { name, sealed_values: sealed(&context, &values)?, info };
    let mut work = Work::new(&context);
    work.insert(&record)?;
    done(&context, work, "Credential created successfully").await
}

/// With the words by which the Terraform provider sees that the credential is there, and takes it over: those of LiteLLM's
/// database.
fn taken(name: &str) -> Refusal {
    let message = format!(
        "Credential {name} exists already. Unique constraint failed on the fields: (`credential_name`)"
    );
    Refusal::told(409, "bad_request_error", "credential_name", message)
}

/// What credentials are made of, of all parameters of a deployment.
static VALUES: &[&str] = &[
    "api_key",
    "api_base",
    "api_version",
    "vertex_project",
    "vertex_location",
    "vertex_credentials",
    "region_name",
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_region_name",
    "watsonx_region_name",
];

/// The credentials of a deployment that was made over the API.
///
/// # Errors
/// 404 where there is none of this id; 400 for one of the files, whose secrets stay where they are.
async fn of_stored(context: &Context, id: &str) -> Result<Map<String, Value>, Refusal> {
    if let Some(kept) = context.get::<ModelRecord>(id).await? {
        let mut values = Stored::open(context, kept.record)?.params;
        values.retain(|name, _| VALUES.contains(&name.as_str()));
        return Ok(values);
    }
    let config: Arc<Config> = (context.services.config)();
    Err(match config.models.iter().any(|entry| entry.id == id) {
        true => detail(
            400,
            &json!("This model's credentials stand in the files; send them as credential_values."),
        ),
        false => detail(404, &json!("Model not found")),
    })
}

/// Values that are sent are put over those that are there.
pub(super) async fn update(
    context: Context,
    Path(name): Path<String>,
    mut body: Fields,
) -> Result<Json<Value>, Refusal> {
    let (values, info) = (map(&mut body, "credential_values"), map(&mut body, "credential_info"));
    body.finish()?;
    writable(&context)?;
    let kept = found(&context, &name).await?;
    let mut all = opened(&context, &kept.record);
    all.extend(values);
    let mut record = Credential { sealed_values: sealed(&context, &all)?, ..kept.record.clone() };
    record.info.extend(info);
    let mut work = Work::new(&context);
    work.update(&kept, &record, "updated")?;
    done(&context, work, "Credential updated successfully").await
}

pub(super) async fn delete(context: Context, Path(name): Path<String>) -> Result<Json<Value>, Refusal> {
    let kept = found(&context, &name).await?;
    let mut work = Work::new(&context);
    work.delete(&kept.record);
    done(&context, work, "Credential deleted successfully").await
}

async fn done(context: &Context, work: Work<'_>, message: &str) -> Result<Json<Value>, Refusal> {
    work.commit().await?;
    context.services.control.refresh().await;
    Ok(Json(json!({ "success": true, "message": message })))
}

async fn found(context: &Context, name: &str) -> Result<Kept<Credential>, Refusal> {
    let missing = || detail(404, &json!(format!("Credential not found. Got credential name: {name}")));
    context.get::<Credential>(name).await?.ok_or_else(missing)
}

fn map(body: &mut Fields, name: &'static str) -> Map<String, Value> {
    let sent = body.take(name, Shape::Object);
    sent.and_then(|value| serde_json::from_str(value.get()).ok()).unwrap_or_default()
}

fn sealed(context: &Context, values: &Map<String, Value>) -> Result<String, Refusal> {
    let sealed = context.services.control.seal(CREDENTIAL_VALUES, raw(values).get());
    sealed.ok_or_else(|| ApiError::new(Kind::Internal, "This cannot be sealed.").into())
}

fn opened(context: &Context, record: &Credential) -> Map<String, Value> {
    let opened = context.services.control.open(CREDENTIAL_VALUES, &record.sealed_values);
    opened.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

/// Names of values, and of each that there is one.
fn told(context: &Context, kept: &Kept<Credential>) -> Value {
    let values = opened(context, &kept.record);
    let masked: Map<String, Value> = values.keys().map(|name| (name.clone(), "*****".into())).collect();
    json!({
        "credential_name": kept.record.name,
        "credential_values": masked,
        "credential_info": kept.record.info,
    })
}
