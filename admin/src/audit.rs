//! `/audit`: who changed what.

use crate::answer::{Object, parsed, raw};
use crate::context::Context;
use crate::error::{Refusal, detail};
use crate::fields::moment;
use crate::input::Params;
use crate::routes::{Access, route};
use axum::Json;
use axum::extract::Path;
use axum::http::Method;
use axum::routing::get;
use serde_json::json;
use weir_core::access::{Grant, RouteClass};
use weir_core::domain::records::KINDS;
use weir_core::ports::{AuditPage, AuditQuery, AuditSort, StoredAudit};

const PAGE: u32 = 10;
const LARGEST: u32 = 100;

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
    let page = params.positive("page")?.unwrap_or(1);
    let size = params.positive("page_size")?.unwrap_or(PAGE).min(LARGEST);
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
        limit: size,
        offset: (page - 1).saturating_mul(size),
        ..AuditQuery::default()
    };
    let found: AuditPage = context.directory().audit(&query).await?;
    Ok(Json(Object(vec![
        ("audit_logs", raw(&found.entries.iter().map(told).collect::<Vec<_>>())),
        ("total", raw(&found.total)),
        ("page", raw(&page)),
        ("page_size", raw(&size)),
        ("total_pages", raw(&found.total.div_ceil(u64::from(size)))),
    ])))
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
