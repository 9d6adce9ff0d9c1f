//! A ledger in memory.

use async_trait::async_trait;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use weir_core::domain::ids::KeyHash;
use weir_core::domain::key::{KeyRecord, Principal};
use weir_core::domain::money::NanoUsd;
use weir_core::domain::records::{Kept, OrganizationMember, Record, RecordKind, Team, User};
use weir_core::domain::spend::{Entry, Said};
use weir_core::ports::records::insert;
use weir_core::ports::{
    AuditEntry, AuditPage, AuditQuery, Change, Condition, Directory, KeyLookup, LatencyRow, LedgerError,
    LedgerResult, RecordPage, RecordQuery, RollupQuery, RollupRow, SpendFilter, SpendScope, SpendStore,
    StoredAudit, StoredRecord, Sums, Written,
};
use weir_core::time;

type Records = BTreeMap<(RecordKind, String), StoredRecord>;

/// Records and entries. Counts how often it was asked or changed through a handler.
#[derive(Default)]
pub struct Memory {
    records: Mutex<Records>,
    audit: Mutex<Vec<AuditEntry>>,
    entries: Mutex<Vec<Entry>>,
    forgotten: Mutex<Vec<String>>,
    /// From former ids of keys to those that they have now.
    heirs: Mutex<HashMap<String, String>>,
    calls: AtomicUsize,
    /// Rows of sums, as far as the query wants them.
    sums: AtomicUsize,
    away: AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Memory {
    fn asked(&self) -> LedgerResult<()> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.there()
    }

    fn there(&self) -> LedgerResult<()> {
        let away = self.away.load(Ordering::Relaxed);
        if away { Err(LedgerError::Unavailable("password=hunter2".to_owned())) } else { Ok(()) }
    }

    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    pub fn sum_to(&self, rows: usize) {
        self.sums.store(rows, Ordering::Relaxed);
    }

    pub fn go_away(&self) {
        self.away.store(true, Ordering::Relaxed);
    }

    pub fn put<T: Record>(&self, record: &T) {
        apply(&mut lock(&self.records), &insert(record, time::now(), None).unwrap()).unwrap();
    }

    pub fn stored(&self, key: &str) -> Option<KeyRecord> {
        self.kept::<KeyRecord>(&KeyHash::of(key).hex()).map(|kept| kept.record)
    }

    pub fn kept<T: Record>(&self, id: &str) -> Option<Kept<T>> {
        let stored = lock(&self.records).get(&(T::KIND, id.to_owned())).cloned()?;
        Some(Kept {
            record: serde_json::from_str(&stored.document).unwrap(),
            version: stored.version,
            created_at: stored.created_at,
            created_by: stored.created_by,
            updated_at: stored.updated_at,
            updated_by: stored.updated_by,
        })
    }

    pub fn forgot(&self, key: &str) -> bool {
        lock(&self.forgotten).contains(&KeyHash::of(key).hex())
    }

    pub fn audited(&self) -> Vec<AuditEntry> {
        lock(&self.audit).clone()
    }

    pub fn book(&self, entry: Entry) {
        lock(&self.entries).push(entry);
    }
}

fn apply(records: &mut Records, change: &Change) -> LedgerResult<()> {
    let conflict = || Err(LedgerError::Conflict("unique".to_owned()));
    match change {
        Change::Insert(new) => {
            let alias = |record: &StoredRecord| record.columns.first().cloned().flatten();
            let taken = new.kind == RecordKind::Key
                && alias(new).is_some()
                && records.values().any(|old| old.kind == new.kind && alias(old) == alias(new));
            let key = (new.kind, new.id.clone());
            if taken || records.contains_key(&key) {
                return conflict();
            }
            records.insert(key, new.clone());
        }
        Change::Update(new) => match records.get_mut(&(new.kind, new.id.clone())) {
            Some(old) if old.version == new.version - 1 => *old = new.clone(),
            _ => return conflict(),
        },
        Change::Delete { kind, id } => drop(records.remove(&(*kind, id.clone()))),
        Change::Rename { .. } | Change::Spent { .. } | Change::Reset { .. } => {}
    }
    Ok(())
}

fn renamed(heirs: &mut HashMap<String, String>, change: &Change) {
    let Change::Rename { from, to, .. } = change else { return };
    for heir in heirs.values_mut() {
        if *heir == *from {
            heir.clone_from(to);
        }
    }
    heirs.remove(to);
    heirs.insert(from.clone(), to.clone());
}

fn meets(record: &StoredRecord, condition: &Condition) -> bool {
    condition.holds(&|name| match record.kind.row().columns.iter().position(|column| *column == name) {
        Some(at) => record.columns[at].clone(),
        None if name == "created_by" => record.created_by.clone(),
        None => Some(record.id.clone()),
    })
}

#[async_trait]
impl Directory for Memory {
    async fn find(&self, kind: RecordKind, ids: &[String]) -> LedgerResult<Vec<StoredRecord>> {
        self.asked()?;
        let records = lock(&self.records);
        Ok(ids.iter().filter_map(|id| records.get(&(kind, id.clone())).cloned()).collect())
    }

    async fn list(&self, kind: RecordKind, query: &RecordQuery) -> LedgerResult<RecordPage> {
        self.asked()?;
        let records = lock(&self.records);
        let here = records.values().filter(|record| record.kind == kind);
        let mut found: Vec<_> =
            here.filter(|record| query.conditions.iter().all(|c| meets(record, c))).cloned().collect();
        found.sort_by_key(|record| (record.created_at, record.id.clone()));
        if query.descending {
            found.reverse();
        }
        let total = found.len() as u64;
        let page = found.into_iter().skip(query.offset as usize).take(query.limit as usize);
        Ok(RecordPage { records: page.collect(), total })
    }

    async fn commit(&self, changes: &[Change], audit: &[AuditEntry]) -> LedgerResult<()> {
        self.asked()?;
        let mut records = lock(&self.records);
        let mut changed = records.clone();
        changes.iter().try_for_each(|change| apply(&mut changed, change))?;
        *records = changed;
        changes.iter().for_each(|change| renamed(&mut lock(&self.heirs), change));
        lock(&self.audit).extend(audit.iter().cloned());
        Ok(())
    }

    async fn audit(&self, query: &AuditQuery) -> LedgerResult<AuditPage> {
        self.asked()?;
        let asked = |entry: &&AuditEntry| {
            query.kind.is_none_or(|kind| kind == entry.kind)
                && query.action.as_deref().is_none_or(|action| action == entry.action)
        };
        let found: Vec<StoredAudit> = lock(&self.audit).iter().rev().filter(asked).map(stored).collect();
        let total = found.len() as u64;
        let page = found.into_iter().skip(query.offset as usize).take(query.limit as usize);
        Ok(AuditPage { entries: page.collect(), total })
    }
}

fn stored(entry: &AuditEntry) -> StoredAudit {
    let entry = entry.clone();
    StoredAudit {
        id: entry.id,
        at: entry.at,
        changed_by: entry.changed_by,
        key_hash: entry.key_hash,
        action: entry.action.to_owned(),
        table: entry.kind.row().litellm.to_owned(),
        object_id: entry.object_id,
        before: entry.before,
        after: entry.after,
    }
}

#[async_trait]
impl KeyLookup for Memory {
    async fn lookup(&self, hash: &KeyHash) -> LedgerResult<Option<Arc<Principal>>> {
        self.there()?;
        let Some(key) = self.kept::<KeyRecord>(&hash.hex()) else { return Ok(None) };
        let mut known = Principal::of(key.record);
        known.user =
            known.key.user_id.as_deref().and_then(|id| self.kept::<User>(id)).map(|kept| kept.record);
        known.team =
            known.key.team_id.as_deref().and_then(|id| self.kept::<Team>(id)).map(|kept| kept.record);
        known.memberships = lock(&self.records)
            .values()
            .filter(|stored| stored.kind == RecordKind::OrganizationMember)
            .map(|stored| serde_json::from_str::<OrganizationMember>(&stored.document).unwrap())
            .filter(|member| Some(&member.user_id) == known.key.user_id.as_ref())
            .collect();
        Ok(Some(Arc::new(known)))
    }

    async fn forget(&self, _: RecordKind, id: &str) {
        lock(&self.forgotten).push(id.to_owned());
    }
}

#[async_trait]
impl SpendStore for Memory {
    async fn write(&self, _: &[Entry]) -> LedgerResult<Written> {
        Err(LedgerError::Broken("admin writes no entries".to_owned()))
    }

    async fn entries(&self, filter: &SpendFilter) -> LedgerResult<Vec<Entry>> {
        self.asked()?;
        let mut found: Vec<Entry> =
            lock(&self.entries).iter().filter(|entry| matches(filter, entry)).cloned().collect();
        found.sort_by_key(|entry| std::cmp::Reverse((entry.started_at, entry.id)));
        let limit = filter.limit.clamp(1, 10_000) as usize;
        Ok(found.into_iter().skip(filter.offset as usize).take(limit).collect())
    }

    async fn count(&self, filter: &SpendFilter, most: u32) -> LedgerResult<u64> {
        self.asked()?;
        let entries = lock(&self.entries);
        Ok(entries.iter().filter(|entry| matches(filter, entry)).take(most as usize).count() as u64)
    }

    async fn rollup(&self, query: &RollupQuery) -> LedgerResult<Vec<RollupRow>> {
        // What they say is tried over the real ledger.
        self.asked()?;
        let rows = self.sums.load(Ordering::Relaxed).min(query.limit as usize);
        Ok(vec![RollupRow { names: Vec::new(), sums: Sums::default() }; rows])
    }

    async fn latencies(&self, _: &RollupQuery) -> LedgerResult<Vec<LatencyRow>> {
        self.asked()?;
        Ok(Vec::new())
    }

    async fn rollup_rows(&self, query: &RollupQuery) -> LedgerResult<u64> {
        self.rollup(query).await.map(|rows| rows.len() as u64)
    }

    async fn spent(&self, scope: SpendScope, ids: &[String]) -> LedgerResult<HashMap<String, NanoUsd>> {
        self.asked()?;
        let entries = lock(&self.entries);
        let of = |entry: &Entry| match scope {
            SpendScope::Key => entry.key_hash.map(|hash| hash.hex()),
            SpendScope::Team => entry.team_id.clone(),
            SpendScope::User => entry.user_id.clone(),
            SpendScope::Customer => entry.end_user.clone(),
            _ => None,
        };
        let sum = |id: &String| entries.iter().filter(|e| of(e).as_ref() == Some(id)).map(|e| e.cost).sum();
        Ok(ids.iter().map(|id| (id.clone(), sum(id))).collect())
    }

    async fn heir(&self, _: SpendScope, id: &str) -> LedgerResult<Option<String>> {
        self.asked()?;
        Ok(lock(&self.heirs).get(id).cloned())
    }

    async fn total_spend(&self) -> LedgerResult<NanoUsd> {
        self.asked()?;
        Ok(lock(&self.entries).iter().map(|entry| entry.cost).sum())
    }

    async fn keep_said(&self, _: &[Said]) -> LedgerResult<()> {
        Ok(())
    }

    async fn said(&self, _: &[Entry]) -> LedgerResult<Vec<Said>> {
        Ok(Vec::new())
    }
}

fn matches(filter: &SpendFilter, entry: &Entry) -> bool {
    let same = |wanted: &Option<String>, found: &Option<String>| wanted.is_none() || wanted == found;
    let named = |id: &String| {
        *id == entry.id.to_string() || *id == entry.call_id || entry.provider_id.as_ref() == Some(id)
    };
    (filter.key_hash.is_none() || filter.key_hash == entry.key_hash)
        && same(&filter.user_id, &entry.user_id)
        && same(&filter.team_id, &entry.team_id)
        && filter.http_status.is_none_or(|status| status == entry.http_status)
        && filter.request_id.as_ref().is_none_or(named)
        && filter.from.is_none_or(|from| entry.started_at >= from)
        && filter.until.is_none_or(|until| entry.started_at < until)
}
