//! `/config/*`: settings that are changed over the API. They lie over those of the files, name by name, and are in force
//! at once; those that need a restart say so in the README. What opens everything is never kept.

mod list;

use crate::callbacks;
use crate::context::Context;
use crate::error::{Refusal, detail};
use crate::input::{Fields, Params, Shape};
use crate::models::writable;
use crate::routes::{Access, route};
use crate::work::Work;
use axum::Json;
use axum::http::Method;
use axum::routing::{get, post};
use serde_json::{Map, Value, json};
use weir_core::SecretString;
use weir_core::access::{Grant, RouteClass};
use weir_core::config::Additions;
use weir_core::config::effective::HIDDEN;
use weir_core::config::keys::{self, Table};
use weir_core::domain::records::{Kept, Setting};
use weir_core::error::{ApiError, Kind as ErrorKind};
use weir_core::ports::control::SETTING_VALUE;

const O: RouteClass = RouteClass::Operation;

#[rustfmt::skip]
pub(crate) static ROUTES: &[Access] = &[
    route(Method::POST, "/config/update", O, Grant::ADMIN, || post(update)),
    route(Method::GET, "/config/list", O, Grant::ADMIN, || get(list::list)),
    route(Method::GET, "/config/field/info", O, Grant::ADMIN, || get(field_info)),
    route(Method::POST, "/config/field/update", O, Grant::ADMIN, || post(field_update)),
    route(Method::POST, "/config/field/delete", O, Grant::ADMIN, || post(field_delete)),
    route(Method::GET, "/get/config/callbacks", O, Grant::ADMIN, || get(callbacks::listed)),
];

/// Sections that may be changed, with the names in them.
static SECTIONS: &[(&str, &Table)] = &[
    ("general_settings", &keys::GENERAL),
    ("litellm_settings", &keys::LITELLM),
    ("router_settings", &keys::ROUTER),
    ("weir_settings", &keys::WEIR),
];

/// Variables lie over the environment, for providers and references.
const VARIABLES: &str = "environment_variables";

/// Whoever reads these needs nothing else.
#[rustfmt::skip]
static NEVER_KEPT: &[&str] = &[
    "master_key", "master_key_previous", "database_url", "LITELLM_MASTER_KEY", "PROXY_MASTER_KEY", "DATABASE_URL",
    "LITELLM_SALT_KEY", "WEIR_SALT_KEY", "WEIR_SALT_KEY_PREVIOUS", "WEIR_MASTER_KEY_PREVIOUS",
];

/// What is kept of one section.
pub(crate) struct Section {
    name: &'static str,
    kept: Option<Kept<Setting>>,
    pub(crate) value: Map<String, Value>,
}

impl Section {
    pub(crate) async fn read(context: &Context, name: &'static str) -> Result<Self, Refusal> {
        let kept = context.get::<Setting>(name).await?;
        let sealed = kept.as_ref().and_then(|kept| kept.record.value.as_str().map(str::to_owned));
        let value = match sealed {
            None => Map::new(),
            Some(sealed) => {
                let opened = context.services.control.open(SETTING_VALUE, &sealed);
                opened.and_then(|text| serde_json::from_str(&text).ok()).ok_or_else(sealed_elsewhere)?
            }
        };
        Ok(Self { name, kept, value })
    }

    /// What may be told of it.
    fn shown(&self) -> Map<String, Value> {
        let masks = self.name == VARIABLES;
        let told = |(name, value): (&String, &Value)| {
            let value = if masks { Value::from(MASK) } else { shown(name, value) };
            (name.clone(), value)
        };
        self.value.iter().map(told).collect()
    }

    fn text(&self) -> String {
        Value::Object(self.value.clone()).to_string()
    }

    fn write(&self, context: &Context, work: &mut Work<'_>) -> Result<(), Refusal> {
        let sealed = context.services.control.seal(SETTING_VALUE, &self.text());
        let sealed = sealed.ok_or_else(|| ApiError::new(ErrorKind::Internal, "This cannot be sealed."))?;
        let record = Setting { name: self.name.to_owned(), value: Value::from(sealed), shown: self.shown() };
        match &self.kept {
            Some(kept) => work.update(kept, &record, "updated"),
            None => work.insert(&record),
        }
    }
}

fn sealed_elsewhere() -> Refusal {
    let message = "What is stored cannot be decrypted: the salt key or the master key has changed.";
    ApiError::new(ErrorKind::BadRequest, message).into()
}

/// Refuses what cannot be in force, then keeps it and puts it in force.
pub(crate) async fn save(context: &Context, sections: &[Section]) -> Result<(), Refusal> {
    let settings = sections.iter().map(|s| (s.name.to_owned(), SecretString::from(s.text()))).collect();
    let added = Additions { settings, ..Additions::default() };
    if let Err(why) = context.services.control.try_out(&added) {
        return Err(
            ApiError::new(ErrorKind::BadRequest, format!("These settings cannot be used: {why}")).into()
        );
    }
    let mut work = Work::new(context);
    for section in sections {
        section.write(context, &mut work)?;
    }
    work.commit().await?;
    context.services.control.refresh().await;
    Ok(())
}

/// `{general_settings: {…}, litellm_settings: {…}, …}`; members that are sent replace those that are there.
async fn update(context: Context, mut body: Fields) -> Result<Json<Value>, Refusal> {
    let names = SECTIONS.iter().map(|(name, _)| *name).chain([VARIABLES]);
    let sent: Vec<(&'static str, Map<String, Value>)> = names
        .filter_map(|name| {
            let value = body.take(name, Shape::Object)?;
            Some((name, serde_json::from_str(value.get()).unwrap_or_default()))
        })
        .collect();
    body.finish()?;
    writable(&context)?;
    let mut sections = Vec::new();
    for (name, members) in sent {
        let mut section = Section::read(&context, name).await?;
        members.iter().try_for_each(|(name, value)| no_mask(name, value))?;
        section.value.extend(members.into_iter().filter(|(name, _)| !NEVER_KEPT.contains(&name.as_str())));
        sections.push(section);
    }
    save(&context, &sections).await?;
    Ok(Json(json!({ "message": "Config updated successfully" })))
}

// --- one field ---

fn section_named(name: Option<&str>) -> Result<(&'static str, &'static Table), Refusal> {
    let name = name.unwrap_or("general_settings");
    let found = SECTIONS.iter().find(|(known, _)| *known == name);
    found.copied().ok_or_else(|| detail(400, &json!({ "error": format!("Invalid config_type={name}") })))
}

async fn field_info(context: Context, params: Params) -> Result<Json<Value>, Refusal> {
    let (name, _) = section_named(params.get("config_type"))?;
    let field = params.get("field_name").unwrap_or_default();
    let section = Section::read(&context, name).await?;
    let missing = || detail(400, &json!({ "error": format!("Field name={field} not in DB") }));
    let value = section.value.get(field).ok_or_else(missing)?;
    Ok(Json(json!({ "field_name": field, "field_value": shown(field, value) })))
}

async fn field_update(context: Context, mut body: Fields) -> Result<Json<Value>, Refusal> {
    let field = body.required_text("field_name");
    let value = body.required("field_value", Shape::Any);
    let section = body.text("config_type");
    body.finish()?;
    let (name, table) = section_named(section.as_deref())?;
    if !table.knows(&field) || NEVER_KEPT.contains(&field.as_str()) {
        return Err(detail(400, &json!({ "error": format!("Invalid field={field} passed in.") })));
    }
    writable(&context)?;
    let mut section = Section::read(&context, name).await?;
    let value = value.and_then(|value| serde_json::from_str(value.get()).ok()).unwrap_or_default();
    no_mask(&field, &value)?;
    section.value.insert(field, value);
    change(&context, section).await
}

/// Back to what the files say.
async fn field_delete(context: Context, mut body: Fields) -> Result<Json<Value>, Refusal> {
    let field = body.required_text("field_name");
    let section = body.text("config_type");
    body.finish()?;
    let (name, _) = section_named(section.as_deref())?;
    writable(&context)?;
    let mut section = Section::read(&context, name).await?;
    if section.value.shift_remove(&field).is_none() {
        return Err(detail(400, &json!({ "error": format!("Field name={field} not in config") })));
    }
    change(&context, section).await
}

async fn change(context: &Context, section: Section) -> Result<Json<Value>, Refusal> {
    let (name, told) = (section.name, section.shown());
    save(context, &[section]).await?;
    Ok(Json(json!({ "param_name": name, "param_value": told })))
}

// --- secrets ---

/// In place of what is not told.
const MASK: &str = "*****";
/// Parts of names whose values are never told. Addresses of webhooks are credentials.
static SECRET: &[&str] = &["key", "secret", "password", "token", "headers", "credential", "webhook"];

fn is_secret(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let by_kind = |table: &Table| table.find(name).is_some_and(|key| key.kind.is_secret());
    SECRET.iter().any(|part| lower.contains(part)) || SECTIONS.iter().any(|(_, table)| by_kind(table))
}

/// What may be told of a value: no text that its own name, or one around it, says to be a secret.
fn shown(name: &str, value: &Value) -> Value {
    masked(value, is_secret(name))
}

fn masked(value: &Value, secret: bool) -> Value {
    match value {
        Value::String(_) if secret => MASK.into(),
        Value::Array(items) => items.iter().map(|item| masked(item, secret)).collect(),
        Value::Object(members) => {
            let member =
                |(name, value): (&String, &Value)| (name.clone(), masked(value, secret || is_secret(name)));
            Value::Object(members.iter().map(member).collect())
        }
        other => other.clone(),
    }
}

/// Refuses what was read here and is sent back as it was shown: the secret would be gone.
fn no_mask(name: &str, value: &Value) -> Result<(), Refusal> {
    if !holds_mask(value) {
        return Ok(());
    }
    let error =
        format!("{name} holds a mask in place of a secret. Send the secret itself, or do not send {name}.");
    Err(detail(400, &json!({ "error": error })))
}

fn holds_mask(value: &Value) -> bool {
    match value {
        Value::String(text) => text == MASK || text == HIDDEN || text.contains("://***@"),
        Value::Array(items) => items.iter().any(holds_mask),
        Value::Object(members) => members.values().any(holds_mask),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p35_a_secret_is_masked_wherever_it_stands() {
        let value = json!({ "host": "h", "password": "s3cr3t", "more": [{ "api_key": "s3cr3t", "db": 1 }] });
        let told = shown("cache_params", &value);
        assert_eq!(told, json!({ "host": "h", "password": MASK, "more": [{ "api_key": MASK, "db": 1 }] }));
        let addresses = json!({ "budget_alerts": ["https://hooks.test/s3cr3t"] });
        assert_eq!(shown("alert_to_webhook_url", &addresses), json!({ "budget_alerts": [MASK] }));
    }

    #[test]
    fn a_mask_is_no_value() {
        assert!(no_mask("cache_params", &json!({ "password": MASK })).is_err());
        assert!(no_mask("redis_url", &json!("redis://***@redis.test")).is_err());
        assert!(no_mask("callbacks", &json!(["langfuse"])).is_ok());
    }
}
