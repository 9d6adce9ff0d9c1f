//! Records as rows of LiteLLM's, in JSON.

use super::super::row::Row;
use super::tables::{Origin, Out};
use crate::store::broken;
use serde::Serialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use weir_core::domain::key::MASTER_USER;
use weir_core::domain::money::NanoUsd;
use weir_core::ports::{LedgerResult, StoredRecord};
use weir_core::time::Micros;

pub(super) type Raw = Box<RawValue>;

/// A row, by column.
pub(super) type Json = BTreeMap<&'static str, Raw>;

pub(super) fn raw(value: &(impl Serialize + ?Sized)) -> LedgerResult<Raw> {
    serde_json::value::to_raw_value(value).map_err(broken)
}

/// `beside`: what LiteLLM keeps in this row, and we elsewhere.
pub(super) fn row(
    out: &Out,
    record: &StoredRecord,
    spent: NanoUsd,
    beside: Option<&Json>,
) -> LedgerResult<Json> {
    let document = Row::parse(&record.document)?;
    let values = out.columns.iter().map(|(name, from)| {
        let value = match from {
            Origin::Spend => spent.json(),
            Origin::Beside(name) => match beside.and_then(|beside| beside.get(name)) {
                Some(value) => value.clone(),
                None => raw(&())?,
            },
            from => value(from, record, &document)?,
        };
        Ok((*name, value))
    });
    values.collect()
}

fn value(from: &Origin, record: &StoredRecord, document: &Row) -> LedgerResult<Raw> {
    match from {
        Origin::Id => raw(&record.id),
        Origin::Same(name) => text(document.raw(name).unwrap_or("null")),
        Origin::Or(name, absent) => text(document.raw(name).unwrap_or(absent)),
        Origin::In(name, member, absent) => text(inside(document, name)?.raw(member).unwrap_or(absent)),
        Origin::Money(name) => match number(document, name) {
            Some(nanos) => Ok(NanoUsd(nanos).json()),
            None => raw(&()),
        },
        Origin::Moment(name) => moment(number(document, name)),
        Origin::MomentIn(name, member) => moment(number(&inside(document, name)?, member)),
        Origin::Json(name) => text(&document.object_text(name)),
        Origin::CreatedAt => moment(Some(record.created_at.0)),
        Origin::CreatedBy => raw(record.created_by.as_deref().unwrap_or(MASTER_USER)),
        Origin::UpdatedAt => moment(Some(record.updated_at.0)),
        Origin::UpdatedBy => raw(record.updated_by.as_deref().unwrap_or(MASTER_USER)),
        // Known to the caller only.
        Origin::Spend | Origin::Beside(_) => raw(&()),
    }
}

fn inside(document: &Row, name: &str) -> LedgerResult<Row> {
    Row::parse(document.raw(name).unwrap_or("{}"))
}

fn number(document: &Row, name: &str) -> Option<i64> {
    document.number(name).ok().flatten()
}

fn text(json: &str) -> LedgerResult<Raw> {
    RawValue::from_string(json.to_owned()).map_err(broken)
}

pub(super) fn moment(at: Option<i64>) -> LedgerResult<Raw> {
    raw(&at.map(|at| Micros(at).rfc3339()))
}

#[cfg(test)]
mod tests {
    use super::super::tables::OUT;
    use super::*;
    use weir_core::domain::key::KeyRecord;
    use weir_core::domain::records::{Limits, Record, RecordKind};

    #[test]
    fn amounts_are_dollars_and_times_are_times() {
        let limits = Limits { max_budget: Some(NanoUsd(10_500_000_001)), ..Limits::default() };
        let key = KeyRecord { limits, expires_at: Some(Micros(1_000_000)), ..KeyRecord::new("sk-a") };
        let record = StoredRecord {
            kind: RecordKind::Key,
            id: key.id(),
            columns: key.columns(),
            document: serde_json::to_string(&key).unwrap(),
            version: 1,
            created_at: Micros(0),
            created_by: None,
            updated_at: Micros(0),
            updated_by: None,
        };
        let out = OUT.iter().find(|out| out.kind == RecordKind::Key).unwrap();
        let row = row(out, &record, NanoUsd(97_500), None).unwrap();
        for (column, value) in [
            ("max_budget", "10.500000001"),
            ("spend", "0.0000975"),
            ("expires", "\"1970-01-01T00:00:01.000000Z\""),
            ("metadata", "{}"),
            ("auto_rotate", "false"),
            ("created_by", "\"default_user_id\""),
            ("object_permission_id", "null"),
        ] {
            assert_eq!(row[column].get(), value, "{column}");
        }
    }

    #[test]
    fn keys_of_tables_are_columns_of_them() {
        for out in OUT {
            let named = |name: &str| out.columns.iter().any(|(column, _)| *column == name);
            assert!(out.key.iter().all(|name| named(name)), "{}", out.table);
        }
    }
}
