//! Rows that become records: read page by page, and inserted where there is none of that id yet, one transaction for a
//! page. What was spent under a record is set in the transaction that inserts it, and never again: from then on it counts
//! here.

use super::report::Report;
use super::row::{Refused, Row, refused};
use super::secrets::Secrets;
use super::source::{Source, Table};
use crate::store::Ledger;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap, HashSet};
use weir_core::domain::money::NanoUsd;
use weir_core::domain::records::{Limits, Record, RecordKind};
use weir_core::ports::{Change, Directory, LedgerError, LedgerResult, SpendScope, StoredRecord};
use weir_core::time::Micros;

/// A table whose rows become records.
pub(super) struct Part {
    pub(super) table: Table,
    pub(super) convert: fn(&Context<'_>, &Row) -> Result<Vec<Taken>, Refused>,
    /// What of it has no counterpart.
    pub(super) notes: &'static [&'static str],
}

/// What conversions look at beside the row.
pub(super) struct Context<'a> {
    pub(super) now: Micros,
    pub(super) secrets: Secrets<'a>,
    /// Aliases that several keys have, and which of these keeps it.
    pub(super) aliases: HashMap<String, String>,
}

/// A record that a row becomes.
pub(super) struct Taken {
    record: StoredRecord,
    spent: Option<(SpendScope, NanoUsd)>,
    /// The part of the report that counts it; `None`: that of the table.
    counted: Option<&'static str>,
    notes: Vec<String>,
}

/// Rows in one transaction.
const PAGE: u32 = 500;

const TAKEN_NAME: &str = "something else has this id, alias or sign-on id here";

// --- what conversions make ---

impl Taken {
    pub(super) fn new<T: Record>(context: &Context<'_>, row: &Row, record: &T) -> Result<Self, Refused> {
        let record = stored(record, row, context.now)?;
        Ok(Self { record, spent: None, counted: None, notes: Vec::new() })
    }

    /// With the row's `spend`, as of now.
    pub(super) fn spending(self, scope: SpendScope, row: &Row) -> Result<Self, Refused> {
        let spent = row.money("spend")?.map(|amount| (scope, amount));
        Ok(Self { spent, ..self })
    }

    pub(super) fn counted(self, table: &'static str) -> Self {
        Self { counted: Some(table), ..self }
    }

    /// Something about it that whoever imports should know.
    pub(super) fn noting(mut self, note: Option<String>) -> Self {
        self.notes.extend(note);
        self
    }

    fn changes(&self) -> impl Iterator<Item = Change> {
        let spent = self.spent.map(|(scope, amount)| {
            let id = Some(self.record.id.clone());
            Change::Spent { scope, id, amount }
        });
        std::iter::once(Change::Insert(self.record.clone())).chain(spent)
    }
}

fn stored<T: Record>(record: &T, row: &Row, now: Micros) -> Result<StoredRecord, Refused> {
    let created_at = row.moment("created_at")?.unwrap_or(now);
    Ok(StoredRecord {
        kind: T::KIND,
        id: record.id(),
        columns: record.columns(),
        document: serde_json::to_string(record).map_err(|error| refused(error.to_string()))?,
        version: 1,
        created_at,
        created_by: row.text("created_by"),
        updated_at: row.moment("updated_at")?.unwrap_or(created_at),
        updated_by: row.text("updated_by"),
    })
}

pub(super) fn limits(row: &Row) -> Result<Limits, Refused> {
    Ok(Limits {
        max_budget: row.money("max_budget")?,
        soft_budget: row.money("soft_budget")?,
        budget_duration: row.text("budget_duration"),
        budget_reset_at: row.moment("budget_reset_at")?,
        tpm_limit: row.number("tpm_limit")?,
        rpm_limit: row.number("rpm_limit")?,
        max_parallel_requests: row.number("max_parallel_requests")?,
    })
}

/// Columns that are only told back, where something stands in them.
pub(super) fn extra(row: &Row, columns: &[&str]) -> Map<String, Value> {
    let filled = |value: &Value| match value {
        Value::Object(members) => !members.is_empty(),
        Value::Array(list) => !list.is_empty(),
        _ => true,
    };
    let named = columns.iter().filter_map(|column| Some(((*column).to_owned(), row.value(column)?)));
    named.filter(|(_, value)| filled(value)).collect()
}

// --- taking ---

/// An import under way.
pub(super) struct Take<'a> {
    pub(super) ledger: &'a Ledger,
    pub(super) source: &'a Source,
    pub(super) context: Context<'a>,
    pub(super) dry_run: bool,
    pub(super) report: Report,
}

impl Take<'_> {
    /// Takes all rows of a table.
    pub(super) async fn records(&mut self, part: &Part) -> LedgerResult<()> {
        let name = part.table.name;
        if !self.source.has(name) {
            return Ok(());
        }
        part.notes.iter().for_each(|note| self.report.at(name).note(*note));
        let mut after: Option<Vec<String>> = None;
        loop {
            let page = self.source.page(&part.table, None, after.as_deref(), PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(part.table.place(last));
            let taken = self.converted(part, &page);
            self.keep(name, taken).await?;
        }
    }

    fn converted(&mut self, part: &Part, page: &[Row]) -> Vec<Taken> {
        let mut all = Vec::with_capacity(page.len());
        for row in page {
            match (part.convert)(&self.context, row) {
                Ok(taken) => all.extend(taken),
                Err(Refused(why)) => {
                    let report = self.report.at(part.table.name);
                    report.rows += 1;
                    report.refuse(&why, 1, Some(&part.table.id(row)));
                }
            }
        }
        all
    }

    /// Inserts those that are not there yet.
    async fn keep(&mut self, table: &'static str, taken: Vec<Taken>) -> LedgerResult<()> {
        let mut there = self.there(&taken).await?;
        let mut new = Vec::with_capacity(taken.len());
        for one in taken {
            let report = self.report.at(one.counted.unwrap_or(table));
            report.rows += 1;
            match there.insert((one.record.kind, one.record.id.clone())) {
                true => new.push(one),
                false => report.there += 1,
            }
        }
        if self.commit(&new).await? {
            new.iter().for_each(|one| self.count(table, one));
            return Ok(());
        }
        for one in new {
            match self.commit(std::slice::from_ref(&one)).await? {
                true => self.count(table, &one),
                false => {
                    let report = self.report.at(one.counted.unwrap_or(table));
                    report.refuse(TAKEN_NAME, 1, Some(&one.record.id));
                }
            }
        }
        Ok(())
    }

    fn count(&mut self, table: &str, one: &Taken) {
        let report = self.report.at(one.counted.unwrap_or(table));
        report.taken += 1;
        one.notes.iter().for_each(|note| report.note(note.clone()));
    }

    /// Which of them are there already.
    async fn there(&self, taken: &[Taken]) -> LedgerResult<HashSet<(RecordKind, String)>> {
        let mut ids: BTreeMap<RecordKind, Vec<String>> = BTreeMap::new();
        for one in taken {
            ids.entry(one.record.kind).or_default().push(one.record.id.clone());
        }
        let mut there = HashSet::new();
        for (kind, ids) in ids {
            let found = self.ledger.find(kind, &ids).await?;
            there.extend(found.into_iter().map(|record| (kind, record.id)));
        }
        Ok(there)
    }

    /// Whether they could be inserted; not one of them where one is in the way of another record.
    async fn commit(&self, new: &[Taken]) -> LedgerResult<bool> {
        if self.dry_run || new.is_empty() {
            return Ok(true);
        }
        let changes: Vec<Change> = new.iter().flat_map(Taken::changes).collect();
        match self.ledger.commit(&changes, &[]).await {
            Ok(()) => Ok(true),
            Err(LedgerError::Conflict(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
