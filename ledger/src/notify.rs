//! Changes made by other replicas. Postgres tells within milliseconds; after a lost connection everything cached is
//! forgotten, since a change may have been missed. Where nobody tells (a pooler in between, another process on the
//! same file) a table of changes is looked at.

use crate::directory::CHANNEL;
use crate::store::{Ledger, broken};
use async_trait::async_trait;
use sqlx::Row;
use sqlx::postgres::{PgListener, PgPoolOptions};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use weir_core::ExposeSecret;
use weir_core::domain::records::{KINDS, RecordKind};
use weir_core::ports::LedgerResult;
use weir_core::time;

const RETRY: Duration = Duration::from_secs(1);
const POLL: Duration = Duration::from_millis(500);

/// A change may be committed that long after it was noted.
const LATE: i64 = 10 * 1_000_000;

/// Changes noted longer ago are of use to nobody.
const KEPT: i64 = 600 * 1_000_000;

/// More changes than this between two looks: everything is forgotten instead.
const MANY: i64 = 10_000;

/// Who wants to know.
#[async_trait]
pub trait Watcher: Send + Sync {
    async fn changed(&self, kind: RecordKind, id: &str);
    /// Anything may have changed.
    async fn lost(&self);
}

/// Hears of changes, for the life of the process.
pub async fn listen(ledger: Ledger, watcher: Arc<dyn Watcher>) {
    tokio::join!(hear_always(&ledger, watcher.as_ref()), look_always(&ledger, watcher.as_ref()));
}

async fn hear_always(ledger: &Ledger, watcher: &dyn Watcher) {
    while ledger.is_postgres() {
        if let Err(error) = hear(ledger, watcher).await {
            tracing::warn!("changes made by other replicas are not heard: {error}");
        }
        watcher.lost().await;
        tokio::time::sleep(RETRY).await;
    }
}

async fn hear(ledger: &Ledger, watcher: &dyn Watcher) -> Result<(), sqlx::Error> {
    let pool = PgPoolOptions::new().max_connections(1).connect(ledger.url().expose_secret()).await?;
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.listen(CHANNEL).await?;
    watcher.lost().await;
    while let Some(told) = listener.try_recv().await? {
        match told.payload().split_once(' ') {
            Some((table, id)) => changed(watcher, table, id).await,
            None => watcher.lost().await,
        }
    }
    Ok(())
}

/// A table that this version does not know concerns it in no way.
async fn changed(watcher: &dyn Watcher, table: &str, id: &str) {
    if let Some(row) = KINDS.iter().find(|row| row.table == table) {
        watcher.changed(row.kind, id).await;
    }
}

async fn look_always(ledger: &Ledger, watcher: &dyn Watcher) {
    let mut seen = Seen::default();
    loop {
        tokio::time::sleep(POLL).await;
        // An outage is told by everything else that is asked of the ledger.
        if let Ok(news) = look(ledger, &mut seen).await {
            match news {
                Some(news) => {
                    for (table, id) in news {
                        changed(watcher, &table, &id).await;
                    }
                }
                None => watcher.lost().await,
            }
        }
    }
}

/// Which changes were told already.
#[derive(Default)]
struct Seen {
    /// Nothing before this is looked at; `None` before the first look.
    from: Option<i64>,
    told: HashSet<i64>,
}

/// Changes since the last look; `None`: too many to tell.
async fn look(ledger: &Ledger, seen: &mut Seen) -> LedgerResult<Option<Vec<(String, String)>>> {
    let now = time::now().0;
    let from = seen.from.unwrap_or(now) - LATE;
    let rows =
        sqlx::query("SELECT seq, kind, id FROM record_change WHERE at >= $1 ORDER BY at, seq LIMIT $2")
            .bind(from)
            .bind(MANY)
            .fetch_all(&ledger.reader)
            .await;
    let rows = ledger.noted(rows)?;
    let first = seen.from.replace(now).is_none();
    let mut there = HashSet::with_capacity(rows.len());
    let mut news = Vec::new();
    for row in &rows {
        let seq: i64 = row.try_get("seq").map_err(broken)?;
        if !seen.told.contains(&seq) && !first {
            news.push((row.try_get("kind").map_err(broken)?, row.try_get("id").map_err(broken)?));
        }
        there.insert(seq);
    }
    seen.told = there;
    let many = i64::try_from(rows.len()).unwrap_or(i64::MAX) >= MANY;
    Ok((!many).then_some(news))
}

impl Ledger {
    /// Forgets changes that everybody has heard of.
    pub async fn prune_changes(&self) -> LedgerResult<()> {
        let old = sqlx::query("DELETE FROM record_change WHERE at < $1").bind(time::now().0 - KEPT);
        self.noted(old.execute(&self.writer).await).map(drop)
    }
}
