//! Customers and tags as requests need them. Most gateways have none, and most names that clients send are of none: both
//! is remembered, so that a request asks the ledger for what may be there only.

use moka::future::Cache;
use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use weir_core::domain::records::{Budget, Customer, Limits, Record, RecordKind, Tag};
use weir_core::memo::Kept;
use weir_core::ports::records::get;
use weir_core::ports::{Directory, Holder, LedgerResult, RecordQuery};
use weir_core::time::{self, Micros};

/// How long a name is believed; a change is heard of sooner.
const TTL: Duration = Duration::from_secs(60);
/// How long what is known counts while the ledger is away. As long as keys are.
const STALE_TTL: Duration = Duration::from_secs(12 * 3_600);
/// How long a ledger that is away is left alone.
const AWAY: Duration = Duration::from_secs(1);
/// How long it is believed that there are none at all, in microseconds.
const NONE_FOR: i64 = 10 * 1_000_000;
const CAPACITY: u64 = 100_000;
/// Names that are at hand, which costs a fifth of a look into the cache.
const MOST_NEAR: usize = 4_096;

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// Those of one kind.
struct Known {
    kind: RecordKind,
    by_name: Cache<String, Found>,
    /// Some of them, as they were found there lately.
    near: RwLock<Near>,
    /// Loads under way, and their outcome for those who came meanwhile.
    loads: Cache<String, Found>,
    none_until: AtomicI64,
    /// Raised by every change; what was read in another epoch is not kept.
    epoch: AtomicU64,
    /// What was found in an earlier epoch is read again before it is believed.
    doubted: AtomicU64,
    /// Nobody asks a ledger that is away before this moment.
    away_until: AtomicI64,
}

/// What was found, when, and in which epoch.
#[derive(Clone)]
struct Found {
    holder: Option<Arc<Holder>>,
    at: Micros,
    epoch: u64,
}

/// Where there are more names than places, those that came first stay a while: names that are new all the time would
/// leave nothing at hand.
#[derive(Default)]
struct Near {
    by_name: HashMap<Box<str>, Found>,
    /// When it was empty last.
    begun: Micros,
}

impl Near {
    fn keep(&mut self, id: &str, found: &Found, now: Micros) {
        if self.by_name.len() >= MOST_NEAR {
            if now.since(self.begun) < micros(TTL) {
                return;
            }
            (self.by_name, self.begun) = (HashMap::new(), now);
        }
        self.by_name.insert(id.into(), found.clone());
    }
}

pub(crate) struct HolderCache {
    directory: Arc<dyn Directory>,
    customers: Known,
    tags: Known,
    /// That limit whoever has no budget.
    budgets: Known,
}

impl Known {
    fn new(kind: RecordKind) -> Self {
        let cache = |ttl| Cache::builder().max_capacity(CAPACITY).time_to_live(ttl).build();
        Self {
            kind,
            by_name: cache(STALE_TTL),
            near: RwLock::default(),
            loads: cache(AWAY),
            none_until: AtomicI64::new(0),
            epoch: AtomicU64::new(0),
            doubted: AtomicU64::new(0),
            away_until: AtomicI64::new(0),
        }
    }

    fn are_none(&self, now: Micros) -> bool {
        self.none_until.load(Ordering::Acquire) > now.0
    }

    async fn forget(&self, id: &str) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
        self.none_until.store(0, Ordering::Release);
        self.by_name.invalidate(id).await;
        // Whoever found it there until now must not put it near again.
        self.epoch.fetch_add(1, Ordering::AcqRel);
        self.near.write().unwrap_or_else(PoisonError::into_inner).by_name.remove(id);
    }

    /// What is at hand and believed.
    fn at_hand(&self, id: &str, now: Micros) -> Option<Found> {
        let near = self.near.read().unwrap_or_else(PoisonError::into_inner);
        near.by_name.get(id).filter(|found| self.believes(found, now)).cloned()
    }

    /// `epoch`: before it was found.
    fn put_near(&self, id: &str, found: &Found, epoch: u64, now: Micros) {
        let mut near = self.near.write().unwrap_or_else(PoisonError::into_inner);
        if self.epoch.load(Ordering::Acquire) == epoch {
            near.keep(id, found, now);
        }
    }

    fn doubt_all(&self) {
        let epoch = self.epoch.fetch_add(1, Ordering::AcqRel) + 1;
        self.doubted.fetch_max(epoch, Ordering::AcqRel);
        self.none_until.store(0, Ordering::Release);
    }

    fn believes(&self, found: &Found, now: Micros) -> bool {
        found.epoch >= self.doubted.load(Ordering::Acquire) && now.since(found.at) < micros(TTL)
    }

    fn is_away(&self, now: Micros) -> bool {
        self.away_until.load(Ordering::Acquire) > now.0
    }

    async fn learn(&self, id: &str, found: &Found) {
        self.loads.invalidate(id).await;
        if self.epoch.load(Ordering::Acquire) == found.epoch {
            self.by_name.insert(id.to_owned(), found.clone()).await;
        }
    }
}

impl HolderCache {
    pub(crate) fn new(directory: Arc<dyn Directory>) -> Self {
        let [customers, tags, budgets] =
            [RecordKind::Customer, RecordKind::Tag, RecordKind::Budget].map(Known::new);
        Self { directory, customers, tags, budgets }
    }

    pub(crate) async fn customer(&self, id: &str) -> Option<Arc<Holder>> {
        self.find(&self.customers, id).await
    }

    pub(crate) async fn tag(&self, name: &str) -> Option<Arc<Holder>> {
        self.find(&self.tags, name).await
    }

    pub(crate) async fn budget(&self, id: &str) -> Option<Arc<Holder>> {
        self.find(&self.budgets, id).await
    }

    pub(crate) fn may_have_tags(&self) -> bool {
        !self.tags.are_none(time::now())
    }

    pub(crate) async fn changed(&self, kind: RecordKind, id: &str) {
        match kind {
            RecordKind::Customer => self.customers.forget(id).await,
            RecordKind::Tag => self.tags.forget(id).await,
            // Whoever it limits.
            RecordKind::Budget => self.doubt_all(),
            _ => {}
        }
    }

    pub(crate) fn doubt_all(&self) {
        self.customers.doubt_all();
        self.tags.doubt_all();
        self.budgets.doubt_all();
    }

    /// While the ledger is away, what was known counts on; whom nobody knows is limited by nothing: requests go on.
    async fn find(&self, known: &Known, id: &str) -> Option<Arc<Holder>> {
        let now = time::now();
        if known.are_none(now) {
            return None;
        }
        if let Some(found) = known.at_hand(id, now) {
            return found.holder;
        }
        let epoch = known.epoch.load(Ordering::Acquire);
        let before = known.by_name.get(id).await;
        if let Some(found) = before.as_ref().filter(|found| known.believes(found, now)) {
            known.put_near(id, found, epoch, now);
            return found.holder.clone();
        }
        if known.is_away(now) {
            return before.and_then(|found| found.holder);
        }
        match known.loads.try_get_with_by_ref(id, self.load(known, id)).await {
            Ok(found) => {
                known.learn(id, &found).await;
                found.holder
            }
            Err(error) => {
                tracing::debug!("{id} is not looked up: {error}");
                known.away_until.store(time::now().0 + micros(AWAY), Ordering::Release);
                before.and_then(|found| found.holder)
            }
        }
    }

    async fn load(&self, known: &Known, id: &str) -> LedgerResult<Found> {
        let (at, epoch) = (time::now(), known.epoch.load(Ordering::Acquire));
        let found = match known.kind {
            RecordKind::Tag => self.holder::<Tag>(id, |tag| (false, None, tag.budget_id.clone())).await?,
            RecordKind::Budget => {
                self.holder::<Budget>(id, |budget| (false, None, Some(budget.id.clone()))).await?
            }
            _ => {
                let told = |c: &Customer| (c.blocked, c.allowed_model_region.clone(), c.budget_id.clone());
                self.holder::<Customer>(id, told).await?
            }
        };
        if found.is_none() && self.are_none(known).await? {
            known.none_until.store(time::now().0 + NONE_FOR, Ordering::Release);
        }
        Ok(Found { holder: found.map(Arc::new), at, epoch })
    }

    async fn holder<T: Record>(
        &self,
        id: &str,
        told: impl Fn(&T) -> (bool, Option<String>, Option<String>),
    ) -> LedgerResult<Option<Holder>> {
        let Some(kept) = get::<T>(self.directory.as_ref(), id).await? else { return Ok(None) };
        let (blocked, region, budget) = told(&kept);
        let budget = match budget {
            Some(budget) => get::<Budget>(self.directory.as_ref(), &budget).await?,
            None => None,
        };
        let budgeted = budget.is_some();
        let limits = budget.map_or_else(Limits::default, |kept| kept.record.limits);
        let region = region.filter(|region| !region.is_empty());
        Ok(Some(Holder { blocked, limits, region, budgeted, kept: Kept::default() }))
    }

    async fn are_none(&self, known: &Known) -> LedgerResult<bool> {
        let query = RecordQuery { limit: 1, ..RecordQuery::default() };
        Ok(self.directory.list(known.kind, &query).await?.records.is_empty())
    }
}
