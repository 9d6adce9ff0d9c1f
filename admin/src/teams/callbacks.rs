//! A team's own callbacks, which LiteLLM keeps in `metadata.logging`.

use super::change;
use crate::answer::{Object, raw};
use crate::context::Context;
use crate::error::Refusal;
use crate::fields;
use crate::input::{Fields, Shape};
use axum::Json;
use axum::extract::Path;
use serde_json::{Value, json};
use weir_core::domain::records::Team;

const TYPES: Shape = Shape::OneOf(&["success", "failure", "success_and_failure"]);

fn logging(team: &Team) -> Vec<Value> {
    let metadata: Value = serde_json::from_str(&team.metadata).unwrap_or_default();
    metadata["logging"].as_array().cloned().unwrap_or_default()
}

/// Names and variables of the callbacks; of variables that hold secrets the name only.
pub(super) async fn tell(context: Context, Path(id): Path<String>) -> Result<Json<Object>, Refusal> {
    let team = change::found(&context, &id).await?;
    let logging = logging(&team);
    let of = |kinds: [&str; 2]| -> Vec<Value> {
        let fits = |entry: &&Value| entry["callback_type"].as_str().is_some_and(|kind| kinds.contains(&kind));
        logging.iter().filter(fits).map(|entry| entry["callback_name"].clone()).collect()
    };
    let vars: serde_json::Map<String, Value> = logging
        .iter()
        .filter_map(|entry| entry["callback_vars"].as_object())
        .flat_map(|vars| vars.keys().map(|name| (name.clone(), "*****".into())))
        .collect();
    let data = json!({ "team_id": id, "success_callbacks": of(["success", "success_and_failure"]),
        "failure_callbacks": of(["failure", "success_and_failure"]), "callback_vars": vars });
    Ok(Json(Object(vec![("status", raw("success")), ("data", raw(&data))])))
}

pub(super) async fn add(
    context: Context,
    Path(id): Path<String>,
    mut sent: Fields,
) -> Result<Json<Object>, Refusal> {
    let name = sent.required_text("callback_name");
    let kind =
        sent.take("callback_type", TYPES).map_or_else(|| "success_and_failure".into(), |kind| decoded(&kind));
    let vars = sent.take("callback_vars", Shape::Object).map_or_else(|| json!({}), |vars| decoded(&vars));
    sent.finish()?;
    let kept = change::found(&context, &id).await?;
    let mut logging = logging(&kept);
    if logging.iter().any(|entry| entry["callback_name"] == name.as_str() && entry["callback_type"] == kind) {
        let message = format!("callback_name = {name} already exists in team = {id}");
        return Err(Refusal::wrapped(400, &message));
    }
    logging.push(json!({ "callback_name": name, "callback_type": kind, "callback_vars": vars }));
    let mut team = kept.record.clone();
    fields::put_member(&mut team.metadata, "logging", &logging);
    change::store(&context, &kept, team, "updated").await?;
    let told = change::told(&context, &id).await?;
    Ok(Json(Object(vec![("status", raw("success")), ("data", raw(&told.row()))])))
}

fn decoded(value: &serde_json::value::RawValue) -> Value {
    serde_json::from_str(value.get()).unwrap_or_default()
}

pub(super) async fn disable(context: Context, Path(id): Path<String>) -> Result<Json<Object>, Refusal> {
    let kept = change::found(&context, &id).await?;
    let mut team = kept.record.clone();
    fields::put_member(&mut team.metadata, "logging", &Vec::<Value>::new());
    change::store(&context, &kept, team, "updated").await?;
    let data = json!({ "team_id": id, "success_callbacks": [], "failure_callbacks": [] });
    Ok(Json(Object(vec![
        ("status", raw("success")),
        ("message", raw(&format!("Logging disabled for team {id}"))),
        ("data", raw(&data)),
    ])))
}
