//! Who changed what. Keys and teams that LiteLLM has deleted stay deleted; that they were, and what they were, is told by
//! the audit log.

use super::row::{Refused, Row};
use super::source::Table;
use super::take::Take;
use crate::store::{broken, sort};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Row as _};
use std::collections::HashSet;
use weir_core::ports::{LedgerResult, StoredAudit};

/// A table whose rows become audit entries.
pub(super) struct Audited {
    pub(super) table: Table,
    convert: fn(&Row) -> Result<StoredAudit, Refused>,
    note: &'static str,
}

#[rustfmt::skip]
static DELETED_KEY: &[&str] = &[
    "id", "token", "key_name", "key_alias", "spend", "expires", "models", "aliases", "config", "user_id", "team_id",
    "permissions", "max_parallel_requests", "blocked", "tpm_limit", "rpm_limit", "max_budget", "budget_duration",
    "budget_reset_at", "allowed_routes", "budget_id", "organization_id", "created_at", "created_by", "updated_at",
    "updated_by", "deleted_at", "deleted_by", "deleted_by_api_key", "litellm_changed_by",
];

#[rustfmt::skip]
static DELETED_TEAM: &[&str] = &[
    "id", "team_id", "team_alias", "organization_id", "members_with_roles", "max_budget", "spend", "models",
    "max_parallel_requests", "tpm_limit", "rpm_limit", "budget_duration", "budget_reset_at", "blocked",
    "team_member_permissions", "created_at", "updated_at", "deleted_at", "deleted_by", "deleted_by_api_key",
    "litellm_changed_by",
];

#[rustfmt::skip]
static CHANGE: &[&str] = &[
    "id", "updated_at", "changed_by", "changed_by_api_key", "action", "table_name", "object_id", "before_value",
    "updated_values",
];

pub(super) static AUDITED: &[Audited] = &[
    Audited {
        table: Table { name: "LiteLLM_AuditLog", key: &[("id", "TEXT")], columns: CHANGE, beside: &[] },
        convert: change,
        note: "secrets are left out",
    },
    Audited {
        table: Table {
            name: "LiteLLM_DeletedVerificationToken",
            key: &[("id", "TEXT")],
            columns: DELETED_KEY,
            beside: &[],
        },
        convert: |row| deleted(row, "LiteLLM_VerificationToken", "token"),
        note: "deleted keys stay deleted: they are entries of the audit log",
    },
    Audited {
        table: Table {
            name: "LiteLLM_DeletedTeamTable",
            key: &[("id", "TEXT")],
            columns: DELETED_TEAM,
            beside: &[],
        },
        convert: |row| deleted(row, "LiteLLM_TeamTable", "team_id"),
        note: "deleted teams stay deleted: they are entries of the audit log",
    },
];

/// Members whose values are secret, at whatever depth.
#[rustfmt::skip]
static SECRET: &[&str] = &[
    "password", "litellm_params", "credential_values", "callback_vars", "logging", "environment_variables", "key",
];

const REDACTED: &str = "REDACTED";

/// Rows in one transaction.
const PAGE: u32 = 200;

const INSERT: &str = "INSERT INTO audit_log (id, at, changed_by, key_hash, action, object, object_id, before, after) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO NOTHING";

impl Take<'_> {
    /// Takes all rows of one of [`AUDITED`].
    pub(super) async fn audit(&mut self, audited: &Audited) -> LedgerResult<()> {
        let name = audited.table.name;
        if !self.source.has(name) {
            return Ok(());
        }
        self.report.at(name).note(audited.note);
        let mut after: Option<Vec<String>> = None;
        loop {
            let page = self.source.page(&audited.table, None, after.as_deref(), PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(audited.table.place(last));
            let entries = self.changes(audited, &page);
            let new = match self.dry_run {
                true => entries.len() as u64 - self.known(&entries).await?,
                false => self.insert(&entries).await?,
            };
            let report = self.report.at(name);
            report.taken += new;
            report.there += entries.len() as u64 - new;
        }
    }

    fn changes(&mut self, audited: &Audited, page: &[Row]) -> Vec<StoredAudit> {
        let report = self.report.at(audited.table.name);
        report.rows += page.len() as u64;
        let mut entries = Vec::with_capacity(page.len());
        for row in page {
            match (audited.convert)(row) {
                Ok(entry) => entries.push(entry),
                Err(Refused(why)) => report.refuse(&why, 1, Some(&audited.table.id(row))),
            }
        }
        entries
    }

    async fn known(&self, entries: &[StoredAudit]) -> LedgerResult<u64> {
        if entries.is_empty() {
            return Ok(0);
        }
        let places: Vec<String> = (1..=entries.len()).map(|n| format!("${n}")).collect();
        let text = format!("SELECT id FROM audit_log WHERE id IN ({})", places.join(", "));
        let query = entries
            .iter()
            .fold(sqlx::query(AssertSqlSafe(text)), |query, entry| query.bind(entry.id.clone()));
        let rows = query.fetch_all(&self.ledger.reader).await.map_err(sort)?;
        let ids = rows.iter().map(|row| row.try_get::<String, _>("id").map_err(broken));
        Ok(ids.collect::<LedgerResult<HashSet<_>>>()?.len() as u64)
    }

    /// Answers how many were new.
    async fn insert(&self, entries: &[StoredAudit]) -> LedgerResult<u64> {
        let mut transaction = self.ledger.noted(self.ledger.writer.begin().await)?;
        let mut new = 0;
        for entry in entries {
            let insert = sqlx::query(INSERT)
                .bind(entry.id.clone())
                .bind(entry.at.0)
                .bind(entry.changed_by.clone())
                .bind(entry.key_hash.clone())
                .bind(entry.action.clone())
                .bind(entry.table.clone())
                .bind(entry.object_id.clone())
                .bind(entry.before.clone())
                .bind(entry.after.clone());
            new += self.ledger.noted(insert.execute(&mut *transaction).await)?.rows_affected();
        }
        self.ledger.noted(transaction.commit().await)?;
        Ok(new)
    }
}

fn change(row: &Row) -> Result<StoredAudit, Refused> {
    Ok(StoredAudit {
        id: row.required("id")?,
        at: row.moment("updated_at")?.unwrap_or_default(),
        changed_by: row.text("changed_by").unwrap_or_default(),
        key_hash: row.text("changed_by_api_key").unwrap_or_default(),
        action: row.required("action")?,
        table: row.required("table_name")?,
        object_id: row.text("object_id").unwrap_or_default(),
        before: row.value("before_value").map(told).unwrap_or_default(),
        after: row.value("updated_values").map(told).unwrap_or_default(),
    })
}

fn deleted(row: &Row, table: &str, id: &str) -> Result<StoredAudit, Refused> {
    Ok(StoredAudit {
        id: row.required("id")?,
        at: row.moment("deleted_at")?.unwrap_or_default(),
        changed_by: row.text("litellm_changed_by").or_else(|| row.text("deleted_by")).unwrap_or_default(),
        key_hash: row.text("deleted_by_api_key").unwrap_or_default(),
        action: String::from("deleted"),
        table: table.to_owned(),
        object_id: row.required(id)?,
        before: row.whole().map(told).unwrap_or_default(),
        after: String::new(),
    })
}

fn told(mut value: Value) -> String {
    redact(&mut value);
    value.to_string()
}

fn redact(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, value) in members.iter_mut() {
                match SECRET.contains(&name.as_str()) && !value.is_null() {
                    true => *value = Value::from(REDACTED),
                    false => redact(value),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(redact),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_gone_at_whatever_depth() {
        let value = serde_json::json!({ "a": [{ "litellm_params": { "api_key": "x" }, "spend": 1 }], "password": null });
        assert_eq!(told(value), r#"{"a":[{"litellm_params":"REDACTED","spend":1}],"password":null}"#);
    }
}
