//! What was taken, what was not, and why.

use std::collections::BTreeMap;
use std::fmt;

/// The answer to an import or an export.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Nothing was changed: this is what would have happened.
    pub dry_run: bool,
    /// In the order of work.
    pub tables: Vec<TableReport>,
    /// What holds for more than one table.
    pub notes: Vec<String>,
}

/// One table. `rows` is the sum of `taken`, `there` and all that is in `refused`.
#[derive(Clone, Debug, Default)]
pub struct TableReport {
    pub table: String,
    pub rows: u64,
    pub taken: u64,
    /// Were there already, and stayed as they are.
    pub there: u64,
    /// By reason.
    pub refused: BTreeMap<String, Refusals>,
    /// Of this table: which columns have no counterpart, and the like.
    pub notes: Vec<String>,
}

/// Rows that were not taken for one reason.
#[derive(Clone, Debug, Default)]
pub struct Refusals {
    pub rows: u64,
    /// The first few of them, by id.
    pub examples: Vec<String>,
}

const EXAMPLES: usize = 3;

impl Report {
    /// The named table's part, which is begun where there is none.
    pub(super) fn at(&mut self, table: &str) -> &mut TableReport {
        let at = self.tables.iter().position(|known| known.table == table).unwrap_or(self.tables.len());
        if at == self.tables.len() {
            self.tables.push(TableReport { table: table.to_owned(), ..TableReport::default() });
        }
        &mut self.tables[at]
    }

    /// The named table's part.
    pub fn table(&self, table: &str) -> Option<&TableReport> {
        self.tables.iter().find(|known| known.table == table)
    }

    /// Rows that were taken, of all tables.
    pub fn taken(&self) -> u64 {
        self.tables.iter().map(|table| table.taken).sum()
    }

    pub(super) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }
}

impl TableReport {
    pub(super) fn refuse(&mut self, why: &str, rows: u64, example: Option<&str>) {
        if rows == 0 {
            return;
        }
        let refusals = self.refused.entry(why.to_owned()).or_default();
        refusals.rows += rows;
        let room = refusals.examples.len() < EXAMPLES;
        refusals.examples.extend(example.filter(|_| room).map(str::to_owned));
    }

    /// Told once, however often it is said.
    pub(super) fn note(&mut self, note: impl Into<String>) {
        let note = note.into();
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.dry_run {
            writeln!(f, "Nothing was changed: this is what would have been done.")?;
        }
        self.tables.iter().try_for_each(|table| write!(f, "{table}"))?;
        self.notes.iter().try_for_each(|note| writeln!(f, "{note}"))
    }
}

impl fmt::Display for TableReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} of {} taken", self.table, self.taken, self.rows)?;
        match self.there {
            0 => writeln!(f)?,
            there => writeln!(f, ", {there} there already")?,
        }
        for (why, refusals) in &self.refused {
            let examples = refusals.examples.join(", ");
            let examples = if examples.is_empty() { examples } else { format!(" ({examples})") };
            writeln!(f, "  {} not taken: {why}{examples}", refusals.rows)?;
        }
        self.notes.iter().try_for_each(|note| writeln!(f, "  {note}"))
    }
}
