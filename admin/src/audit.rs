//! `/audit`: who changed what.

use crate::answer::{Object, parsed, raw};
use crate::context::Context;
use crate::error::{Refusal, detail};
use crate::fields::moment;
use crate::input::Params;
use crate::page::{self, Bounds, Page};
use crate::routes::{Access, route};
use axum::Json;
use axum::extract::Path;
use axum::http::Method;
use axum::routing::get;
use serde_json::json;
use weir_core::access::{Grant, RouteClass};
use weir_core::domain::records::KINDS;
use weir_core::ports::{AuditPage, AuditQuery, AuditSort, StoredAudit};

static PAGES: Bounds = page::of_usual(10);

pub(crate) static ROUTES: &[Access] = &[
    route(Method::GET, "/audit", RouteClass::Operation, Grant::ADMIN, || get(list)),
    route(Method::GET, "/audit/{id}", RouteClass::Operation, Grant::ADMIN, || get(one)),
];

/// By what lists are sorted; anything else is as good as nothing.
static SORTS: &[(&str, AuditSort)] = &[
    ("updated_at", AuditSort::At),
    ("changed_by", AuditSort::ChangedBy),
    ("changed_by_api_key", AuditSort::Key),
    ("action", AuditSort::Action),
    ("table_name", AuditSort::Table),
    ("object_id", AuditSort::ObjectId),
];

fn told(entry: &StoredAudit) -> Object {
    let value = |text: &str| parsed(text, "null");
    Object(vec![
        ("id", raw(&entry.id)),
        ("updated_at", moment(entry.at)),
        ("changed_by", raw(&entry.changed_by)),
        ("changed_by_api_key", raw(&entry.key_hash)),
        ("action", raw(&entry.action)),
        ("table_name", raw(&entry.table)),
        ("object_id", raw(&entry.object_id)),
        ("before_value", value(&entry.before)),
        ("updated_values", value(&entry.after)),
    ])
}

async fn list(context: Context, params: Params) -> Result<Json<Object>, Refusal> {
    let page = Page::asked_or_first(&params, &PAGES)?;
    let table = params.get("table_name").or_else(|| params.get("object_type"));
    let query = AuditQuery {
        changed_by: params.text("changed_by"),
        key_hash: params.text("changed_by_api_key"),
        action: params.text("action"),
        kind: table.and_then(|name| KINDS.iter().find(|row| row.litellm == name)).map(|row| row.kind),
        object_id: params.text("object_id"),
        from: params.get("start_date").map(|text| crate::spend::moment(text, false)).transpose()?,
        until: params.get("end_date").map(|text| crate::spend::moment(text, true)).transpose()?,
        sort: sort(&params),
        ascending: params.get("sort_order") == Some("asc"),
        limit: page.size,
        offset: page.skip(),
        ..AuditQuery::default()
    };
    let found: AuditPage = context.directory().audit(&query).await?;
    let entries: Vec<Object> = found.entries.iter().map(told).collect();
    let mut answer = Object(vec![("audit_logs", raw(&entries))]);
    answer.0.extend(page.sized_place(found.total));
    Ok(Json(answer))
}

fn sort(params: &Params) -> AuditSort {
    let by = params.get("sort_by");
    SORTS.iter().find(|(name, _)| Some(*name) == by).map(|(_, sort)| *sort).unwrap_or_default()
}

async fn one(context: Context, Path(id): Path<String>) -> Result<Json<Object>, Refusal> {
    let query = AuditQuery { id: Some(id.clone()), limit: 1, ..AuditQuery::default() };
    let found = context.directory().audit(&query).await?;
    let missing = || detail(404, &json!({ "error": format!("Audit log with ID {id} not found") }));
    found.entries.first().map(|entry| Json(told(entry))).ok_or_else(missing)
}
