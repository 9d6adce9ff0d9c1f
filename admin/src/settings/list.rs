//! `/config/list`: every setting of a section, as it is in force in this process, with its default and where it is set; and
//! where something else is written that does not count, that too.

use super::{NEVER_KEPT, Section, section_named, shown};
use crate::context::Context;
use crate::error::Refusal;
use crate::input::Params;
use axum::Json;
use serde_json::{Value, json};
use std::sync::Arc;
use weir_core::config::Config;
use weir_core::config::effective::{Setting, Source, Told, default_of};
use weir_core::config::keys::{Key, Kind, State, Table};

pub(super) async fn list(context: Context, params: Params) -> Result<Json<Vec<Value>>, Refusal> {
    let (name, table) = section_named(params.get("config_type"))?;
    let section = Section::read(&context, name).await?;
    let config: Arc<Config> = (context.services.config)();
    let fields = table.keys.iter().map(|key| field(&config.told, table, key, section.value.get(key.name)));
    Ok(Json(fields.collect()))
}

/// `stored`: what the ledger keeps of it.
fn field(told: &Told, table: &Table, key: &Key, stored: Option<&Value>) -> Value {
    let in_force = told.in_force(table.name, key.name);
    let source = in_force.map_or(&Source::Default, |setting| &setting.source);
    json!({
        "field_name": key.name,
        "field_type": type_of(key.kind),
        "field_description": key.doc,
        "field_value": in_force.map(|setting| &setting.value),
        "stored_in_db": stored_in_db(stored, source),
        "field_default_value": default_of(table, key),
        "premium_field": false,
        "nested_fields": null,
        "source": source.json(),
        "drift": drift(told.in_files(table.name, key.name), in_force, key.name, stored),
        "secret": key.kind.is_secret(),
        "used": key.state == State::Used,
        "editable": !NEVER_KEPT.contains(&key.name),
    })
}

/// As LiteLLM has it: true for the ledger, false for files and environment, null for nobody.
fn stored_in_db(stored: Option<&Value>, source: &Source) -> Option<bool> {
    match (stored, source) {
        (Some(_), _) => Some(true),
        (None, Source::Default) => None,
        (None, _) => Some(false),
    }
}

/// What is written elsewhere, differs, and is not in force: the files' value below the ledger's, or the ledger's where it
/// does not count (`store_model_in_db: false`, a variable that comes first, a value that cannot be used).
fn drift(files: Option<&Setting>, in_force: Option<&Setting>, name: &str, stored: Option<&Value>) -> Value {
    let Some(stored) = stored else { return Value::Null };
    let value = in_force.map_or(&Value::Null, |setting| &setting.value);
    let counts = stored.is_null() || in_force.is_some_and(|setting| setting.source == Source::Ledger);
    let (other, source) = match files.filter(|_| counts) {
        Some(files) if files.source == Source::Default => return Value::Null,
        Some(files) => (files.value.clone(), &files.source),
        None if counts => return Value::Null,
        None => (shown(name, stored), &Source::Ledger),
    };
    if other == *value { Value::Null } else { json!({ "field_value": other, "source": source.json() }) }
}

fn type_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Bool => "Boolean",
        Kind::Int => "Integer",
        Kind::Number | Kind::Price | Kind::Seconds => "Float",
        Kind::Texts | Kind::List => "List",
        Kind::Map | Kind::SecretMap => "Dictionary",
        _ => "String",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(value: Value, source: Source) -> Setting {
        Setting { section: "router_settings", name: "num_retries".into(), value, source, used: true }
    }

    #[test]
    fn p47_of_two_that_differ_the_other_is_told_with_its_place() {
        let file = || Source::File { name: "config.yaml".into(), line: 7, variable: None };
        let (ledgers, files) = (setting(json!(5), Source::Ledger), setting(json!(2), file()));
        let told = |files: &Setting, in_force: &Setting, stored: Option<Value>| {
            drift(Some(files), Some(in_force), "num_retries", stored.as_ref())
        };
        let of_file =
            json!({ "field_value": 2, "source": { "from": "file", "file": "config.yaml", "line": 7 } });
        assert_eq!(told(&files, &ledgers, Some(json!(5))), of_file);
        let of_ledger = json!({ "field_value": 5, "source": { "from": "ledger" } });
        assert_eq!(told(&files, &files, Some(json!(5))), of_ledger, "stored, and not in force");
        // Nothing differs.
        assert_eq!(told(&files, &files, None), json!(null));
        assert_eq!(told(&setting(json!(5), file()), &ledgers, Some(json!(5))), json!(null));
        assert_eq!(told(&setting(json!(2), Source::Default), &ledgers, Some(json!(5))), json!(null));
    }

    #[test]
    fn p47_what_the_ledger_takes_away_is_told_as_the_files_have_it() {
        let files = setting(json!("a"), Source::Environment("A".into()));
        let unset = setting(json!(null), Source::Default);
        let told = drift(Some(&files), Some(&unset), "x", Some(&json!(null)));
        assert_eq!(told["source"], json!({ "from": "environment", "variable": "A" }));
    }
}
