//! `/access_group/*`: a name that stands for several models in the lists of keys and teams. It is a mark on their
//! deployments.

use super::stored::{self, Found, find, models_writable, over};
use crate::context::Context;
use crate::error::{Refusal, detail};
use crate::input::Fields;
use crate::work::Work;
use axum::Json;
use axum::extract::Path;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use weir_core::config::{Config, ModelEntry};

/// Model names and the number of deployments behind a name.
type Groups<'c> = BTreeMap<&'c str, (Vec<&'c str>, usize)>;

fn groups(config: &Config) -> Groups<'_> {
    let mut groups = Groups::new();
    for entry in &config.models {
        for group in &entry.info.access_groups {
            let (names, count) = groups.entry(group).or_default();
            *count += 1;
            if !names.contains(&entry.name.as_str()) {
                names.push(&entry.name);
            }
        }
    }
    groups
}

fn told((group, (names, count)): (&&str, &(Vec<&str>, usize))) -> Value {
    json!({ "access_group": group, "model_names": names, "deployment_count": count })
}

pub(super) async fn list(context: Context) -> Result<Json<Value>, Refusal> {
    let config: Arc<Config> = (context.services.config)();
    let all: Vec<Value> = groups(&config).iter().map(told).collect();
    Ok(Json(json!({ "access_groups": all })))
}

pub(super) async fn info(context: Context, Path(group): Path<String>) -> Result<Json<Value>, Refusal> {
    let config: Arc<Config> = (context.services.config)();
    let groups = groups(&config);
    let found = groups.get_key_value(group.as_str()).map(told);
    found.map(Json).ok_or_else(|| missing(&group))
}

pub(super) async fn new(context: Context, mut body: Fields) -> Result<Json<Value>, Refusal> {
    let group = body.required_text("access_group");
    let names = body.texts("model_names");
    body.finish()?;
    let config: Arc<Config> = (context.services.config)();
    if groups(&config).contains_key(group.as_str()) {
        return Err(refused(409, format!("Access group '{group}' already exists.")));
    }
    set(&context, &config, &group, &names).await
}

pub(super) async fn update(
    context: Context,
    Path(group): Path<String>,
    mut body: Fields,
) -> Result<Json<Value>, Refusal> {
    let names = body.texts("model_names");
    body.finish()?;
    let config: Arc<Config> = (context.services.config)();
    if !groups(&config).contains_key(group.as_str()) {
        return Err(missing(&group));
    }
    set(&context, &config, &group, &names).await
}

pub(super) async fn delete(context: Context, Path(group): Path<String>) -> Result<Json<Value>, Refusal> {
    let config: Arc<Config> = (context.services.config)();
    if !groups(&config).contains_key(group.as_str()) {
        return Err(missing(&group));
    }
    let changed = mark(&context, &config, &group, &[]).await?;
    let message = format!("Access group '{group}' deleted successfully");
    Ok(Json(json!({ "access_group": group, "models_updated": changed, "message": message })))
}

async fn set(
    context: &Context,
    config: &Config,
    group: &str,
    names: &[String],
) -> Result<Json<Value>, Refusal> {
    if names.is_empty() {
        return Err(refused(400, "model_names is required and cannot be empty".to_owned()));
    }
    let known = |name: &String| config.models.iter().any(|entry| entry.name == *name);
    if let Some(name) = names.iter().find(|name| !known(name)) {
        return Err(refused(400, format!("Model(s) not found: {name}")));
    }
    let changed = mark(context, config, group, names).await?;
    Ok(Json(json!({ "access_group": group, "model_names": names, "models_updated": changed })))
}

/// From now on the group is these models, and no others. Answers how many deployments were changed.
async fn mark(context: &Context, config: &Config, group: &str, names: &[String]) -> Result<usize, Refusal> {
    models_writable(context)?;
    let differs = |entry: &&ModelEntry| {
        let has = entry.info.access_groups.iter().any(|name| name == group);
        has != names.contains(&entry.name)
    };
    let mut work = Work::new(context);
    let mut changed = 0;
    for entry in config.models.iter().filter(differs) {
        let found = find(context, &entry.id).await?;
        let mut found = found.unwrap_or_else(|| Found { kept: None, stored: over(entry) });
        let mut groups = entry.info.access_groups.clone();
        groups.retain(|name| name != group);
        if names.contains(&entry.name) {
            groups.push(group.to_owned());
        }
        found.stored.info.insert("access_groups".to_owned(), json!(groups));
        stored::write(context, &mut work, &found)?;
        changed += 1;
    }
    work.commit().await?;
    context.services.control.refresh().await;
    Ok(changed)
}

fn missing(group: &str) -> Refusal {
    refused(404, format!("Access group '{group}' not found."))
}

fn refused(status: u16, message: String) -> Refusal {
    detail(status, &json!({ "error": message }))
}
