//! Customers and tags as requests need them. Most gateways have none, and most names that clients send are of none: both
//! is remembered, so that a request asks the ledger for what may be there only.

use moka::future::Cache;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use weir_core::domain::records::{Budget, Customer, Limits, Record, RecordKind, Tag};
use weir_core::ports::records::get;
use weir_core::ports::{Directory, Holder, LedgerResult, RecordQuery};
use weir_core::time;

/// How long a name is believed; a change is heard of sooner.
const TTL: Duration = Duration::from_secs(60);
/// How long it is believed that there are none at all, in microseconds.
const NONE_FOR: i64 = 10 * 1_000_000;
const CAPACITY: u64 = 100_000;

/// Those of one kind.
struct Known {
    kind: RecordKind,
    by_name: Cache<String, Option<Arc<Holder>>>,
    none_until: AtomicI64,
}

pub(crate) struct HolderCache {
    directory: Arc<dyn Directory>,
    customers: Known,
    tags: Known,
}

impl Known {
    fn new(kind: RecordKind) -> Self {
        let by_name = Cache::builder().max_capacity(CAPACITY).time_to_live(TTL).build();
        Self { kind, by_name, none_until: AtomicI64::new(0) }
    }

    fn are_none(&self) -> bool {
        self.none_until.load(Ordering::Acquire) > time::now().0
    }

    async fn forget(&self, id: &str) {
        self.none_until.store(0, Ordering::Release);
        self.by_name.invalidate(id).await;
    }

    fn forget_all(&self) {
        self.none_until.store(0, Ordering::Release);
        self.by_name.invalidate_all();
    }
}

impl HolderCache {
    pub(crate) fn new(directory: Arc<dyn Directory>) -> Self {
        let (customers, tags) = (Known::new(RecordKind::Customer), Known::new(RecordKind::Tag));
        Self { directory, customers, tags }
    }

    pub(crate) async fn customer(&self, id: &str) -> Option<Arc<Holder>> {
        self.find(&self.customers, id).await
    }

    pub(crate) async fn tag(&self, name: &str) -> Option<Arc<Holder>> {
        self.find(&self.tags, name).await
    }

    pub(crate) fn may_have_tags(&self) -> bool {
        !self.tags.are_none()
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
        self.customers.forget_all();
        self.tags.forget_all();
    }

    /// While the ledger is away, whom nobody knows is limited by nothing: requests go on.
    async fn find(&self, known: &Known, id: &str) -> Option<Arc<Holder>> {
        if known.are_none() {
            return None;
        }
        let found = known.by_name.try_get_with_by_ref(id, self.load(known, id)).await;
        found.inspect_err(|error| tracing::debug!("{id} is not looked up: {error}")).ok().flatten()
    }

    async fn load(&self, known: &Known, id: &str) -> LedgerResult<Option<Arc<Holder>>> {
        let found = match known.kind {
            RecordKind::Tag => self.holder::<Tag>(id, |tag| (false, tag.budget_id.clone())).await?,
            _ => self.holder::<Customer>(id, |c| (c.blocked, c.budget_id.clone())).await?,
        };
        if found.is_none() && self.are_none(known).await? {
            known.none_until.store(time::now().0 + NONE_FOR, Ordering::Release);
        }
        Ok(found.map(Arc::new))
    }

    async fn holder<T: Record>(
        &self,
        id: &str,
        told: impl Fn(&T) -> (bool, Option<String>),
    ) -> LedgerResult<Option<Holder>> {
        let Some(kept) = get::<T>(self.directory.as_ref(), id).await? else { return Ok(None) };
        let (blocked, budget) = told(&kept);
        let budget = match budget {
            Some(budget) => get::<Budget>(self.directory.as_ref(), &budget).await?,
            None => None,
        };
        let limits = budget.map_or_else(Limits::default, |kept| kept.record.limits);
        Ok(Some(Holder { blocked, limits }))
    }

    async fn are_none(&self, known: &Known) -> LedgerResult<bool> {
        let query = RecordQuery { limit: 1, ..RecordQuery::default() };
        Ok(self.directory.list(known.kind, &query).await?.records.is_empty())
    }
}
