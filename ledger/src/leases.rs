//! Slices of budgets, see [`weir_core::ports::leases`]. A process takes them in its own name; what it books is taken off
//! them, what it leaves behind goes back when its journal is booked, or when nobody has heard of it for long.

use crate::spend::write::{placeholder, sized};
use crate::store::{Engine, Ledger, broken};
use async_trait::async_trait;
use sqlx::{Any, AssertSqlSafe, Row, Transaction};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::RwLock;
use weir_core::domain::money::NanoUsd;
use weir_core::ports::leases::{Lease, LeaseAsk, Leases};
use weir_core::ports::{LedgerResult, SpendScope};
use weir_core::time;

/// Locks the row, and tells how it stands.
const LOOK: &str = "INSERT INTO spent (scope, id, total, base, leased) VALUES ($1, $2, 0, 0, 0) \
    ON CONFLICT (scope, id) DO UPDATE SET leased = spent.leased \
    RETURNING CAST(total - base AS BIGINT) AS settled, CAST(leased AS BIGINT) AS leased";
/// The same of ids whose heir this one is: requests of a key's former text may still be under way.
const LOOK_BACK: &str = "SELECT CAST(COALESCE(SUM(total - base), 0) AS BIGINT) AS settled, \
    CAST(COALESCE(SUM(leased), 0) AS BIGINT) AS leased FROM spent WHERE scope = $1 AND heir = $2";
const RAISE: &str = "UPDATE spent SET leased = leased + $3 WHERE scope = $1 AND id = $2";
const GRANT: &str = "INSERT INTO lease (instance, scope, id, granted) VALUES ($4, $1, $2, $3) \
    ON CONFLICT (instance, scope, id) DO UPDATE SET granted = lease.granted + excluded.granted";
const STILL_SEEN: &str = "UPDATE instance SET seen_at = $2 WHERE id = $1";
const SEEN: &str = "INSERT INTO instance (id, seen_at) VALUES ($1, $2) \
    ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at";
static FREE: &[&str] = &[
    "UPDATE spent SET leased = leased - COALESCE((SELECT l.granted FROM lease l \
        WHERE l.instance = $1 AND l.scope = spent.scope AND l.id = spent.id), 0) \
     WHERE (scope, id) IN (SELECT l.scope, l.id FROM lease l WHERE l.instance = $1)",
    "DELETE FROM lease WHERE instance = $1",
    "DELETE FROM instance WHERE id = $1",
];

/// Of what is left, this part is given at once: few come back soon, and nobody is left without.
const SHARE: i64 = 16;

/// A process that nobody has heard of for so long must not spend any more. Much shorter than the time after which its
/// slices are given to others.
const OURS: Duration = Duration::from_secs(300);

/// Amounts by scope and id, sorted so that writers that meet take locks in the same order.
pub(crate) type Amounts = BTreeMap<(&'static str, String), i64>;

/// The slices of this process.
pub struct LeaseBook {
    ledger: Ledger,
    instance: String,
    granted: Mutex<HashMap<(&'static str, String), Slice>>,
    /// When the ledger heard of this process last, in microseconds.
    seen: AtomicI64,
    /// How often the ledger has given the slices to others, because it had not heard of this process for too long.
    lost: AtomicU64,
    /// Shared by those who take or return slices; alone has it who begins anew, when all that is known of them goes.
    life: RwLock<()>,
}

/// Of one budget.
#[derive(Clone, Copy, Default)]
struct Slice {
    /// As the ledger has it.
    held: i64,
    /// What was booked beyond it since somebody asked.
    beyond: i64,
}

/// Budgets that are remembered without a slice of them.
const REMEMBERED: usize = 100_000;

impl LeaseBook {
    /// `instance`: a name that no other process has.
    pub fn new(ledger: Ledger, instance: String) -> Self {
        Self {
            ledger,
            instance,
            granted: Mutex::default(),
            seen: AtomicI64::new(0),
            lost: AtomicU64::new(0),
            life: RwLock::new(()),
        }
    }

    fn granted(&self) -> MutexGuard<'_, HashMap<(&'static str, String), Slice>> {
        self.granted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the ledger that this process lives.
    ///
    /// # Errors
    /// The ledger is away.
    pub async fn renew(&self) -> LedgerResult<()> {
        if !self.is_still_there().await? {
            self.begin().await?;
        }
        Ok(())
    }

    /// Whether the ledger knows this process; then it has heard of it now.
    async fn is_still_there(&self) -> LedgerResult<bool> {
        let now = time::now().0;
        let still = sqlx::query(STILL_SEEN).bind(self.instance.clone()).bind(now);
        let still = self.ledger.noted(still.execute(&self.ledger.writer).await)?.rows_affected() > 0;
        if still {
            self.seen.store(now, Ordering::Release);
        }
        Ok(still)
    }

    /// For the first time, or again after the slices were given to others. Several may find out at once: the first does it,
    /// and what was taken since stays.
    async fn begin(&self) -> LedgerResult<()> {
        let _alone = self.life.write().await;
        if self.is_still_there().await? {
            return Ok(());
        }
        let is_known = self.seen.load(Ordering::Acquire) > 0;
        if is_known {
            // With what was taken since they were.
            self.free(&self.instance).await?;
            self.lost.fetch_add(1, Ordering::AcqRel);
        }
        let now = time::now().0;
        let seen = sqlx::query(SEEN).bind(self.instance.clone()).bind(now);
        self.ledger.noted(seen.execute(&self.ledger.writer).await)?;
        self.seen.store(now, Ordering::Release);
        Ok(())
    }

    /// Frees the slices of processes that nobody has heard of for this long. Answers of how many.
    ///
    /// # Errors
    /// The ledger is away.
    pub async fn reclaim(&self, after: Duration) -> LedgerResult<usize> {
        let after = i64::try_from(after.as_micros()).unwrap_or(i64::MAX);
        let dead = sqlx::query("SELECT id FROM instance WHERE seen_at < $1 AND id <> $2")
            .bind(time::now().0.saturating_sub(after))
            .bind(self.instance.clone());
        let dead = self.ledger.noted(dead.fetch_all(&self.ledger.reader).await)?;
        for row in &dead {
            let id: String = row.try_get("id").map_err(broken)?;
            self.free(&id).await?;
        }
        Ok(dead.len())
    }

    /// Frees all slices of a process whose entries are all booked.
    ///
    /// # Errors
    /// The ledger is away.
    pub async fn free(&self, instance: &str) -> LedgerResult<()> {
        let mut transaction = self.ledger.noted(self.ledger.writer.begin().await)?;
        for statement in FREE {
            let done = sqlx::query(*statement).bind(instance.to_owned()).execute(&mut *transaction).await;
            self.ledger.noted(done)?;
        }
        self.ledger.noted(transaction.commit().await)?;
        if instance == self.instance {
            self.granted().clear();
        }
        Ok(())
    }

    /// The same for this process, at its end.
    ///
    /// # Errors
    /// The ledger is away.
    pub async fn close(&self) -> LedgerResult<()> {
        self.free(&self.instance).await
    }

    async fn grant(&self, ask: &LeaseAsk<'_>) -> LedgerResult<Lease> {
        if self.seen.load(Ordering::Acquire) == 0 {
            self.renew().await?;
        }
        let _life = self.life.read().await;
        let ledger = &self.ledger;
        let scope = ask.scope.as_str();
        let beyond = self.beyond(scope, ask.id);
        let forgiven = beyond.min(ask.owed.0);
        let (least, wanted) = (ask.least.0 - forgiven, ask.wanted.0 - forgiven);
        let mut transaction = ledger.noted(ledger.writer.begin().await)?;
        let (mut settled, mut leased) = look(ledger, &mut transaction, LOOK, ask).await?;
        if ask.scope == SpendScope::Key {
            let before = look(ledger, &mut transaction, LOOK_BACK, ask).await?;
            (settled, leased) = (settled.saturating_add(before.0), leased.saturating_add(before.1));
        }
        let room = ask.cap.0.saturating_sub(settled).saturating_sub(leased);
        let granted = if room < least { 0 } else { room.min(wanted.max(room / SHARE).max(least)) };
        if granted > 0 {
            let raise = sqlx::query(RAISE).bind(scope).bind(ask.id.to_owned()).bind(granted);
            ledger.noted(raise.execute(&mut *transaction).await)?;
            let grant = sqlx::query(GRANT).bind(scope).bind(ask.id.to_owned()).bind(granted);
            ledger.noted(grant.bind(self.instance.clone()).execute(&mut *transaction).await)?;
        }
        ledger.noted(transaction.commit().await)?;
        let mut slices = self.granted();
        let slice = slices.entry((scope, ask.id.to_owned())).or_default();
        slice.held += granted;
        // More than is owed was booked without a hold. What is booked since the look is forgiven by the next one.
        slice.beyond = slice.beyond.saturating_sub(beyond);
        Ok(Lease { granted: NanoUsd(granted), settled: NanoUsd(settled), forgiven: NanoUsd(forgiven) })
    }

    fn beyond(&self, scope: &'static str, id: &str) -> i64 {
        self.granted().get(&(scope, id.to_owned())).map_or(0, |slice| slice.beyond)
    }

    // --- for the writer ---

    /// What of these amounts is paid out of slices.
    pub(crate) fn paid(&self, spent: &BTreeMap<(&'static str, String), NanoUsd>) -> Amounts {
        let granted = self.granted();
        if granted.is_empty() {
            return Amounts::new();
        }
        let paid = |(place, amount): (&(&'static str, String), &NanoUsd)| {
            let held = granted.get(place)?.held;
            Some((place.clone(), held.min(amount.0))).filter(|(_, paid)| *paid > 0)
        };
        spent.iter().filter_map(paid).collect()
    }

    /// Takes it off, in the transaction of the entries.
    pub(crate) async fn pay(
        &self,
        transaction: &mut Transaction<'_, Any>,
        paid: &Amounts,
    ) -> LedgerResult<()> {
        let paid: Vec<_> = paid.iter().collect();
        for some in sized(&paid) {
            for statement in
                [less_spent(self.ledger.engine, some.len()), less_lease(self.ledger.engine, some.len())]
            {
                let mut query = sqlx::query(AssertSqlSafe(statement));
                for ((scope, id), amount) in some {
                    query = query.bind((*scope).to_owned()).bind(id.clone()).bind(**amount);
                }
                let query = query.bind(self.instance.clone());
                self.ledger.noted(query.execute(&mut **transaction).await)?;
            }
        }
        Ok(())
    }

    fn returned(&self, paid: &Amounts) {
        let mut slices = self.granted();
        for (place, amount) in paid {
            if let Some(slice) = slices.get_mut(place) {
                slice.held -= amount;
            }
        }
    }

    /// That transaction is committed. `spent`: all of it, paid or not.
    pub(crate) fn settled(&self, spent: &BTreeMap<(&'static str, String), NanoUsd>, paid: &Amounts) {
        let mut slices = self.granted();
        if slices.is_empty() {
            return;
        }
        for (place, amount) in spent {
            let Some(slice) = slices.get_mut(place) else { continue };
            let paid = paid.get(place).copied().unwrap_or(0);
            slice.held -= paid;
            slice.beyond = slice.beyond.saturating_add(amount.0 - paid);
        }
        if slices.len() > REMEMBERED {
            slices.retain(|_, slice| slice.held > 0 || slice.beyond > 0);
        }
    }
}

/// What is settled of a budget, and what is leased.
async fn look(
    ledger: &Ledger,
    transaction: &mut Transaction<'_, Any>,
    statement: &'static str,
    ask: &LeaseAsk<'_>,
) -> LedgerResult<(i64, i64)> {
    let look = sqlx::query(statement).bind(ask.scope.as_str()).bind(ask.id.to_owned());
    let row = ledger.noted(look.fetch_one(&mut **transaction).await)?;
    Ok((row.try_get("settled").map_err(broken)?, row.try_get("leased").map_err(broken)?))
}

/// Rows of scope, id and amount. Both engines call the columns of `VALUES` so; Postgres must be told what a number is.
fn rows(engine: Engine, count: usize) -> String {
    let row = |at: usize| {
        let place = |n| placeholder(engine, at * 3 + n);
        format!("({}, {}, CAST({} AS BIGINT))", place(1), place(2), place(3))
    };
    (0..count).map(row).collect::<Vec<_>>().join(", ")
}

/// Of what is still ours: what others got meanwhile is not taken off theirs.
fn less_spent(engine: Engine, count: usize) -> String {
    format!(
        "UPDATE spent SET leased = CASE WHEN leased > v.column3 THEN leased - v.column3 ELSE 0 END \
         FROM (VALUES {}) AS v WHERE spent.scope = v.column1 AND spent.id = v.column2 AND EXISTS (\
         SELECT 1 FROM lease l WHERE l.scope = spent.scope AND l.id = spent.id AND l.instance = {})",
        rows(engine, count),
        placeholder(engine, count * 3 + 1)
    )
}

fn less_lease(engine: Engine, count: usize) -> String {
    format!(
        "UPDATE lease SET granted = granted - v.column3 FROM (VALUES {}) AS v \
         WHERE lease.scope = v.column1 AND lease.id = v.column2 AND lease.instance = {}",
        rows(engine, count),
        placeholder(engine, count * 3 + 1)
    )
}

#[async_trait]
impl Leases for LeaseBook {
    async fn lease(&self, ask: &LeaseAsk<'_>) -> LedgerResult<Lease> {
        self.ledger.timed("lease", self.grant(ask)).await
    }

    async fn give_back(&self, scope: SpendScope, id: &str, amount: NanoUsd) -> LedgerResult<()> {
        let back = BTreeMap::from([((scope.as_str(), id.to_owned()), amount)]);
        let _life = self.life.read().await;
        let paid = self.paid(&back);
        if paid.is_empty() {
            return Ok(());
        }
        let mut transaction = self.ledger.noted(self.ledger.writer.begin().await)?;
        self.pay(&mut transaction, &paid).await?;
        self.ledger.noted(transaction.commit().await)?;
        self.returned(&paid);
        Ok(())
    }

    fn are_ours(&self) -> bool {
        let seen = self.seen.load(Ordering::Acquire);
        let since = time::now().0.saturating_sub(seen);
        // Who has never asked has nothing that could be anybody else's.
        seen == 0 || u128::try_from(since).is_ok_and(|micros| micros < OURS.as_micros())
    }

    fn lost(&self) -> u64 {
        self.lost.load(Ordering::Acquire)
    }
}
