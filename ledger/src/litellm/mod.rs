//! From LiteLLM and back. `import` reads its Postgres tables and changes nothing in them; `export` writes ours into them.
//!
//! Start at `tables.rs`: what becomes of each table. `source.rs` reads pages of rows as JSON, `row.rs` reads columns of a
//! row. `take.rs` turns rows into records with the conversions of `keys.rs`, `teams.rs`, `people.rs` and `settings.rs`;
//! `secrets.rs` opens what is encrypted. `logs.rs` makes entries of SpendLogs, `daily.rs` fills in days that have no logs
//! any more, `audit.rs` keeps who changed what. `report.rs` tells all of it. `export/` goes the other way.
//!
//! What was spent: LiteLLM keeps, beside the logs, the `spend` of each key, team, user … since its last reset. Budgets
//! go on from there: a record is inserted together with its spend. The logs of the time before would count once more,
//! so they are booked as history (`Counts::Before` of `spend/write.rs`): in reports, and against no budget. With that
//! it does not matter in which order things come, whether an import breaks off, or how often it is done.

mod audit;
mod daily;
mod export;
mod keys;
mod logs;
mod people;
mod report;
mod row;
mod secrets;
mod settings;
mod source;
mod tables;
mod take;
mod teams;

pub use export::export;
pub use report::{Refusals, Report, TableReport};
pub use secrets::Sealer;
pub use source::Place;

use crate::store::Ledger;
use secrets::Secrets;
use source::Source;
use take::{Context, Take};
use weir_core::SecretString;
use weir_core::domain::records::RecordKind;
use weir_core::ports::{Directory, LedgerResult, RecordQuery, SpendFilter, SpendStore};
use weir_core::time;

/// What of a database is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Parts {
    #[default]
    All,
    /// Keys, and all else that requests need.
    Records,
    /// What was spent and changed before, for reports.
    History,
}

/// What to import, and how.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    pub from: Place,
    /// Nothing is written, in neither place; the report is the same.
    pub dry_run: bool,
    /// Secrets that LiteLLM may have encrypted with, the likeliest first: `LITELLM_SALT_KEY`, then the master key.
    pub keys: Vec<SecretString>,
    pub parts: Parts,
}

/// Takes what is not there yet. May be repeated.
///
/// # Errors
/// `from` is no database of LiteLLM's, or one of the two databases is away. What was taken until then stays.
pub async fn import(ledger: &Ledger, options: &ImportOptions, sealer: &dyn Sealer) -> LedgerResult<Report> {
    let source = Source::read(&options.from).await?;
    let context = Context {
        now: time::now(),
        secrets: Secrets::new(&options.keys, sealer),
        aliases: keys::shared_aliases(&source).await?,
    };
    let report = Report { dry_run: options.dry_run, ..Report::default() };
    let mut take = Take { ledger, source: &source, context, dry_run: options.dry_run, report };
    if options.parts != Parts::History {
        take.all_records().await?;
    }
    if options.parts != Parts::Records {
        take.history().await?;
    }
    Ok(take.report)
}

/// Whether this ledger has never been used and `place` is a database of LiteLLM's: then it is worth an import.
pub async fn is_first_start(ledger: &Ledger, place: &Place) -> LedgerResult<bool> {
    for kind in [RecordKind::Key, RecordKind::Team, RecordKind::User] {
        if ledger.list(kind, &RecordQuery::default()).await?.total > 0 {
            return Ok(false);
        }
    }
    if ledger.count(&SpendFilter::default(), 1).await? > 0 {
        return Ok(false);
    }
    Ok(Source::read(place).await.is_ok_and(|source| source.has(keys::KEYS.table.name)))
}
