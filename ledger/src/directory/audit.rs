//! Who changed what.

use super::{MAX_LIMIT, query};
use crate::store::{Ledger, broken};
use sqlx::any::AnyRow;
use sqlx::{Any, Row, Transaction};
use weir_core::ports::{AuditEntry, AuditPage, AuditQuery, AuditSort, LedgerResult, StoredAudit};
use weir_core::time::Micros;

const WRITE: &str = "INSERT INTO audit_log (id, at, changed_by, key_hash, action, object, object_id, before, after) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

pub(super) async fn write(
    ledger: &Ledger,
    transaction: &mut Transaction<'_, Any>,
    entries: &[AuditEntry],
) -> LedgerResult<()> {
    for entry in entries {
        let written = query(WRITE.to_owned())
            .bind(entry.id.clone())
            .bind(entry.at.0)
            .bind(entry.changed_by.clone())
            .bind(entry.key_hash.clone())
            .bind(entry.action.to_owned())
            .bind(entry.kind.row().litellm.to_owned())
            .bind(entry.object_id.clone())
            .bind(entry.before.clone())
            .bind(entry.after.clone());
        ledger.noted(written.execute(&mut **transaction).await)?;
    }
    Ok(())
}

pub(super) async fn read(ledger: &Ledger, wanted: &AuditQuery) -> LedgerResult<AuditPage> {
    let (filter, texts, times) = filter(wanted);
    let bind = |statement: String| {
        let query = texts.iter().fold(query(statement), |query, text| query.bind(text.clone()));
        times.iter().fold(query, |query, time| query.bind(*time))
    };
    let count = format!("SELECT CAST(COUNT(*) AS BIGINT) AS total FROM audit_log{filter}");
    let total: i64 =
        ledger.noted(bind(count).fetch_one(&ledger.reader).await)?.try_get("total").map_err(broken)?;
    let next = texts.len() + times.len() + 1;
    let list = format!(
        "SELECT id, at, changed_by, key_hash, action, object, object_id, before, after FROM audit_log{filter} \
         ORDER BY {} LIMIT ${next} OFFSET ${}",
        order(wanted),
        next + 1
    );
    let rows = bind(list).bind(i64::from(wanted.limit.min(MAX_LIMIT))).bind(i64::from(wanted.offset));
    let rows = ledger.noted(rows.fetch_all(&ledger.reader).await)?;
    let entries = rows.iter().map(entry).collect::<LedgerResult<_>>()?;
    Ok(AuditPage { entries, total: total.unsigned_abs() })
}

fn order(wanted: &AuditQuery) -> String {
    let first = match wanted.sort {
        AuditSort::At => None,
        AuditSort::ChangedBy => Some("changed_by"),
        AuditSort::Key => Some("key_hash"),
        AuditSort::Action => Some("action"),
        AuditSort::Table => Some("object"),
        AuditSort::ObjectId => Some("object_id"),
    };
    let direction = if wanted.ascending { "ASC" } else { "DESC" };
    let names = first.into_iter().chain(["at", "id"]);
    names.map(|name| format!("{name} {direction}")).collect::<Vec<_>>().join(", ")
}

fn filter(wanted: &AuditQuery) -> (String, Vec<String>, Vec<i64>) {
    let object = wanted.kind.map(|kind| kind.row().litellm.to_owned());
    let equal = [
        ("changed_by", &wanted.changed_by),
        ("key_hash", &wanted.key_hash),
        ("action", &wanted.action),
        ("object", &object),
        ("object_id", &wanted.object_id),
        ("id", &wanted.id),
    ];
    let (names, texts): (Vec<&str>, Vec<String>) =
        equal.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))).unzip();
    let within = [("at >=", wanted.from), ("at <", wanted.until)];
    let (bounds, times): (Vec<&str>, Vec<i64>) =
        within.into_iter().filter_map(|(test, at)| Some((test, at?.0))).unzip();
    let tests = names.iter().map(|name| format!("{name} =")).chain(bounds.iter().map(|b| (*b).to_owned()));
    let tests: Vec<String> = tests.enumerate().map(|(at, test)| format!("{test} ${}", at + 1)).collect();
    let text = if tests.is_empty() { String::new() } else { format!(" WHERE {}", tests.join(" AND ")) };
    (text, texts, times)
}

fn entry(row: &AnyRow) -> LedgerResult<StoredAudit> {
    let text = |name: &str| row.try_get::<String, _>(name).map_err(broken);
    Ok(StoredAudit {
        id: text("id")?,
        at: Micros(row.try_get("at").map_err(broken)?),
        changed_by: text("changed_by")?,
        key_hash: text("key_hash")?,
        action: text("action")?,
        table: text("object")?,
        object_id: text("object_id")?,
        before: text("before")?,
        after: text("after")?,
    })
}
