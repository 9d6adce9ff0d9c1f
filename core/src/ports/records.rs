//! Records with their types: what handlers use of the [`Directory`].

use super::{Change, Directory, LedgerError, LedgerResult, RecordPage, RecordQuery, StoredRecord};
use crate::domain::records::{Kept, Record};
use crate::time::Micros;

/// A typed page.
#[derive(Clone, Debug)]
pub struct Page<T> {
    pub records: Vec<Kept<T>>,
    pub total: u64,
}

/// The record with this id.
pub async fn get<T: Record>(directory: &dyn Directory, id: &str) -> LedgerResult<Option<Kept<T>>> {
    let found = directory.find(T::KIND, &[id.to_owned()]).await?;
    found.into_iter().next().map(read).transpose()
}

/// Those of `ids` that are there, in no order.
pub async fn get_all<T: Record>(directory: &dyn Directory, ids: &[String]) -> LedgerResult<Vec<Kept<T>>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    directory.find(T::KIND, ids).await?.into_iter().map(read).collect()
}

/// A page of those that a query finds.
pub async fn list<T: Record>(directory: &dyn Directory, query: &RecordQuery) -> LedgerResult<Page<T>> {
    let RecordPage { records, total } = directory.list(T::KIND, query).await?;
    Ok(Page { records: records.into_iter().map(read).collect::<LedgerResult<_>>()?, total })
}

/// The change that makes a record.
pub fn insert<T: Record>(record: &T, now: Micros, by: Option<&str>) -> LedgerResult<Change> {
    let kept = Kept {
        record: record.clone(),
        version: 1,
        created_at: now,
        created_by: by.map(str::to_owned),
        updated_at: now,
        updated_by: by.map(str::to_owned),
    };
    stored(&kept).map(Change::Insert)
}

/// The change that writes `record` over the one that was read.
pub fn update<T: Record>(read: &Kept<T>, record: &T, now: Micros, by: Option<&str>) -> LedgerResult<Change> {
    let kept = Kept {
        record: record.clone(),
        version: read.version + 1,
        updated_at: now,
        updated_by: by.map(str::to_owned),
        ..read.clone()
    };
    stored(&kept).map(Change::Update)
}

/// The change that deletes a record.
pub fn delete<T: Record>(record: &T) -> Change {
    Change::Delete { kind: T::KIND, id: record.id() }
}

fn stored<T: Record>(kept: &Kept<T>) -> LedgerResult<StoredRecord> {
    Ok(StoredRecord {
        kind: T::KIND,
        id: kept.record.id(),
        columns: kept.record.columns(),
        document: serde_json::to_string(&kept.record).map_err(|e| LedgerError::Broken(e.to_string()))?,
        version: kept.version,
        created_at: kept.created_at,
        created_by: kept.created_by.clone(),
        updated_at: kept.updated_at,
        updated_by: kept.updated_by.clone(),
    })
}

fn read<T: Record>(stored: StoredRecord) -> LedgerResult<Kept<T>> {
    let broken = |e| LedgerError::Broken(format!("{} {}: {e}", T::KIND.row().table, stored.id));
    Ok(Kept {
        record: serde_json::from_str(&stored.document).map_err(broken)?,
        version: stored.version,
        created_at: stored.created_at,
        created_by: stored.created_by.clone(),
        updated_at: stored.updated_at,
        updated_by: stored.updated_by.clone(),
    })
}
