//! The smaller routes of keys.

use super::list::told_all;
use super::{change, generate, rights, show};
use crate::answer::{Object, raw};
use crate::context::Context;
use crate::error::{Refusal, detail};
use crate::input::{Fields, Params, Shape};
use axum::Json;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use weir_core::domain::ids::KeyHash;
use weir_core::domain::key::KeyRecord;
use weir_core::domain::records::Team;
use weir_core::ports::records::{self, get_all};
use weir_core::ports::{Condition, RecordQuery, Sort};

/// Keys in one request.
const MAX: usize = 500;

/// `/v2/key/info`: several keys at once.
pub(super) async fn infos(context: Context, mut sent: Fields) -> Result<Json<Object>, Refusal> {
    let names = sent.texts("keys");
    sent.finish()?;
    if names.is_empty() || names.len() > MAX {
        return Err(detail(
            422,
            &json!({ "message": format!("Malformed request. Between 1 and {MAX} keys are needed.") }),
        ));
    }
    let ids: Vec<String> = names.iter().map(|name| KeyHash::from_key_or_hash(name).hex()).collect();
    let mut keys = Vec::new();
    for kept in get_all::<KeyRecord>(context.directory(), &ids).await? {
        if rights::may_see(&context, &kept).await? {
            keys.push(kept);
        }
    }
    if keys.is_empty() {
        return Err(show::not_found());
    }
    Ok(Json(Object(vec![("key", raw(&names)), ("info", raw(&told_all(&context, &keys).await?))])))
}

/// `/key/aliases`: all of them, or a page.
pub(super) async fn aliases(context: Context, params: Params) -> Result<Json<Object>, Refusal> {
    let mut conditions = Vec::new();
    conditions.extend(params.text("search").map(|text| Condition::Contains("alias", text)));
    let query =
        RecordQuery { conditions, sort: Sort::Column("alias"), limit: 10_000, ..RecordQuery::default() };
    let keys = records::list::<KeyRecord>(context.directory(), &query).await?.records;
    let aliases: Vec<&String> = keys.iter().filter_map(|key| key.alias.as_ref()).collect();
    Ok(Json(Object(vec![("aliases", raw(&aliases))])))
}

/// `/key/health`: the key is good, or the guard would have refused it. Callbacks of its own are not tried yet.
pub(super) async fn health() -> Json<Value> {
    Json(json!({ "key": "healthy", "logging_callbacks": null }))
}

/// `/key/service-account/generate`: a key of a team, and of no user.
pub(super) async fn service_account(context: Context, sent: Fields) -> Result<Json<Object>, Refusal> {
    let Some(team) = sent.peek("team_id") else {
        return Err(detail(
            400,
            &json!(
                "team_id is required for service account keys. Please specify `team_id` in the request body."
            ),
        ));
    };
    if context.get::<Team>(&team).await?.is_none() {
        let message =
            "team_id does not exist in the database. Please specify a valid `team_id` in the request body.";
        return Err(detail(400, &json!(message)));
    }
    generate::service_account(context, sent).await
}

/// `/key/bulk_update`: each for itself.
pub(super) async fn update_many(context: Context, mut sent: Fields) -> Result<Json<Object>, Refusal> {
    let listed = sent.required("keys", Shape::List);
    sent.finish()?;
    let bodies: Vec<Box<RawValue>> =
        listed.and_then(|list| serde_json::from_str(list.get()).ok()).unwrap_or_default();
    if bodies.len() > MAX {
        return Err(Refusal::wrapped(400, &format!("at most {MAX} keys can be changed at once")));
    }
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for body in &bodies {
        let named: Value = serde_json::from_str(body.get()).unwrap_or_default();
        let name = KeyHash::from_key_or_hash(named["key"].as_str().unwrap_or_default()).hex();
        let changed = match Fields::parse(body.get().as_bytes()) {
            Ok(sent) => change::update_one(&context, sent).await,
            Err(refusal) => Err(refusal),
        };
        match changed {
            Ok(info) => done.push(json!({ "key": name, "key_info": info })),
            Err(refusal) => failed.push(json!({ "key": name, "failed_reason": refusal.message() })),
        }
    }
    Ok(Json(Object(vec![
        ("total_requested", raw(&bodies.len())),
        ("successful_updates", raw(&done)),
        ("failed_updates", raw(&failed)),
    ])))
}
