//! `/fallback`: which models are asked after one that failed, kept model by model. They are the lists of `router_settings`:
//! what is kept here is what `/config/list` tells of them.

use crate::context::Context;
use crate::error::{Refusal, detail};
use crate::input::{Fields, Params, Shape};
use crate::models::writable;
use crate::routes::{Access, route};
use crate::settings::{Section, save};
use axum::Json;
use axum::extract::Path;
use axum::http::Method;
use axum::routing::{get, post};
use serde_json::{Map, Value, json};
use weir_core::access::{Grant, RouteClass};
use weir_core::config::{Config, Fallbacks, RouterSettings};

const O: RouteClass = RouteClass::Operation;

pub(crate) static ROUTES: &[Access] = &[
    route(Method::POST, "/fallback", O, Grant::ADMIN, || post(put)),
    route(Method::GET, "/fallback/{model}", O, Grant::ADMIN, || get(show).delete(remove)),
    route(Method::DELETE, "/fallback/{model}", O, Grant::ADMIN, || get(show).delete(remove)),
];

/// After which errors: LiteLLM's name of it, the setting, and what is in force.
struct Type {
    name: &'static str,
    setting: &'static str,
    of: fn(&RouterSettings) -> &Fallbacks,
}

static TYPES: &[Type] = &[
    Type { name: "general", setting: "fallbacks", of: |router| &router.fallbacks },
    Type {
        name: "context_window",
        setting: "context_window_fallbacks",
        of: |router| &router.context_window_fallbacks,
    },
    Type {
        name: "content_policy",
        setting: "content_policy_fallbacks",
        of: |router| &router.content_policy_fallbacks,
    },
];

const NAMES: Shape = Shape::OneOf(&["general", "context_window", "content_policy"]);
const SECTION: &str = "router_settings";
/// Fallbacks of one model.
const MOST: usize = 100;

/// # Errors
/// 400: there is no such type. Nothing said is the first.
fn type_of(name: Option<&str>) -> Result<&'static Type, Refusal> {
    let name = name.unwrap_or(TYPES[0].name);
    let found = TYPES.iter().find(|row| row.name == name);
    found.ok_or_else(|| refused(400, format!("Invalid fallback_type={name}: use one of {}", known_types())))
}

fn known_types() -> String {
    TYPES.iter().map(|row| row.name).collect::<Vec<_>>().join(", ")
}

fn refused(status: u16, message: String) -> Refusal {
    detail(status, &json!({ "error": message }))
}

/// All lists of one type: what is kept, else what the files say.
struct Lists {
    section: Section,
    row: &'static Type,
    all: Fallbacks,
}

impl Lists {
    async fn read(context: &Context, row: &'static Type) -> Result<Self, Refusal> {
        let section = Section::read(context, SECTION).await?;
        let kept = section.value.get(row.setting).and_then(Value::as_array);
        let all = match kept {
            Some(kept) => kept.iter().filter_map(Value::as_object).flat_map(pairs).collect(),
            None => (row.of)(&(context.services.config)().router).clone(),
        };
        Ok(Self { section, row, all })
    }

    fn of(&self, model: &str) -> Option<&Vec<String>> {
        self.all.iter().find(|(name, _)| name == model).map(|(_, models)| models)
    }

    /// Puts them in force on every replica.
    async fn save(mut self, context: &Context) -> Result<(), Refusal> {
        let all: Vec<Value> = self.all.iter().map(|(name, models)| json!({ name: models })).collect();
        self.section.value.insert(self.row.setting.to_owned(), Value::from(all));
        save(context, &[self.section]).await
    }
}

fn pairs(list: &Map<String, Value>) -> Vec<(String, Vec<String>)> {
    let names = |value: &Value| -> Vec<String> {
        let listed = value.as_array().into_iter().flatten().filter_map(Value::as_str);
        listed.chain(value.as_str()).map(str::to_owned).collect()
    };
    list.iter().map(|(model, value)| (model.clone(), names(value))).collect()
}

async fn put(context: Context, mut body: Fields) -> Result<Json<Value>, Refusal> {
    let model = body.required_text("model");
    let sent = body.required("fallback_models", Shape::Texts);
    let name = body.take("fallback_type", NAMES);
    body.finish()?;
    let models: Vec<String> = sent.and_then(|list| serde_json::from_str(list.get()).ok()).unwrap_or_default();
    let name = name.and_then(|name| serde_json::from_str::<String>(name.get()).ok());
    let row = type_of(name.as_deref())?;
    checked(&(context.services.config)(), &model, &models)?;
    writable(&context)?;
    let mut lists = Lists::read(&context, row).await?;
    let done = if lists.of(&model).is_some() { "updated" } else { "created" };
    match lists.all.iter_mut().find(|(name, _)| *name == model) {
        Some((_, there)) => there.clone_from(&models),
        None => lists.all.push((model.clone(), models.clone())),
    }
    lists.save(&context).await?;
    let message = format!("Fallback configuration {done} successfully");
    Ok(Json(json!({
        "model": model, "fallback_models": models, "fallback_type": row.name, "message": message,
    })))
}

/// # Errors
/// Something in it is no model here, or stands there twice.
fn checked(config: &Config, model: &str, models: &[String]) -> Result<(), Refusal> {
    if models.is_empty() || models.len() > MOST {
        return Err(refused(400, format!("fallback_models holds 1 to {MOST} names.")));
    }
    if !is_known(config, model) {
        return Err(refused(404, format!("Model '{model}' not found. Name a model of model_list.")));
    }
    if let Some(unknown) = models.iter().find(|name| !is_known(config, name)) {
        return Err(refused(
            400,
            format!("Fallback model '{unknown}' not found. Name models of model_list."),
        ));
    }
    if models.iter().any(|name| name == model) {
        return Err(refused(400, format!("Model '{model}' cannot be a fallback for itself.")));
    }
    match models.iter().enumerate().find(|(at, name)| models[..*at].contains(name)) {
        Some((_, name)) => Err(refused(400, format!("Fallback model '{name}' is named twice."))),
        None => Ok(()),
    }
}

/// A group, an alias, or what a pattern serves.
fn is_known(config: &Config, name: &str) -> bool {
    let serves = |pattern: &str| {
        pattern == name
            || pattern.split_once('*').is_some_and(|(before, after)| {
                name.strip_prefix(before).and_then(|rest| rest.strip_suffix(after)).is_some()
            })
    };
    config.models.iter().any(|entry| serves(&entry.name))
        || config.router.model_group_alias.iter().any(|alias| alias.name == name)
}

async fn show(context: Context, Path(model): Path<String>, params: Params) -> Result<Json<Value>, Refusal> {
    let row = type_of(params.get("fallback_type"))?;
    let lists = Lists::read(&context, row).await?;
    let models = lists.of(&model).ok_or_else(|| none(row, &model))?;
    Ok(Json(json!({ "model": model, "fallback_models": models, "fallback_type": row.name })))
}

async fn remove(context: Context, Path(model): Path<String>, params: Params) -> Result<Json<Value>, Refusal> {
    let row = type_of(params.get("fallback_type"))?;
    writable(&context)?;
    let mut lists = Lists::read(&context, row).await?;
    lists.of(&model).ok_or_else(|| none(row, &model))?;
    lists.all.retain(|(name, _)| *name != model);
    lists.save(&context).await?;
    let message = "Fallback configuration deleted successfully";
    Ok(Json(json!({ "model": model, "fallback_type": row.name, "message": message })))
}

fn none(row: &Type, model: &str) -> Refusal {
    refused(404, format!("No {} fallbacks configured for model '{model}'", row.name))
}
