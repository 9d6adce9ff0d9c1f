//! Keys as the data plane sees them. Entries hold no spend, so nothing but a change of the key, or of what stands
//! behind it, makes them stale.

use crate::directory::{behind, principal, signed_in};
use crate::holders::HolderCache;
use crate::notify::Watcher;
use async_trait::async_trait;
use moka::future::Cache;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use weir_core::domain::ids::KeyHash;
use weir_core::domain::key::{KeyRecord, Principal};
use weir_core::domain::records::{RecordKind, member_id};
use weir_core::ports::{
    Directory, Holder, Holders, KeyLookup, LedgerError, LedgerResult, SpendScope, SpendStore,
};

/// Bounds of the cache.
#[derive(Clone, Copy, Debug)]
pub struct CacheOptions {
    /// How long a key is served from memory without being read again (`user_api_key_cache_ttl`).
    pub ttl: Duration,
    /// Keys kept at most, unknown ones included.
    pub capacity: u64,
    /// Lookups in the ledger at one time.
    pub lookups: usize,
}

impl Default for CacheOptions {
    fn default() -> Self {
        Self { ttl: Duration::from_secs(60), capacity: 100_000, lookups: 16 }
    }
}

/// A bounded, single-flight cache over the directory.
pub struct KeyCache {
    directory: Arc<dyn Directory>,
    options: CacheOptions,
    known: Cache<KeyHash, Loaded>,
    /// Loads under way, and their outcome for those who came meanwhile.
    loads: Cache<KeyHash, Loaded>,
    turns: Semaphore,
    /// Raised by every change; a load that saw another epoch is not kept.
    epoch: AtomicU64,
    /// What was loaded in an earlier epoch is read again before it is believed.
    doubted: AtomicU64,
    outage: Outage,
    holders: HolderCache,
    spend: Option<Arc<dyn SpendStore>>,
}

/// What a hash is of. No text is both a key and the token of a session, so one cache holds both.
#[derive(Clone, Copy)]
enum Of {
    Key,
    Session,
}

/// What was found, and when.
#[derive(Clone)]
struct Loaded {
    found: Option<Arc<Principal>>,
    at: Instant,
    epoch: u64,
}

/// Unknown keys are remembered briefly: long enough for a flood, short enough for a key made a moment later.
const UNKNOWN_TTL: Duration = Duration::from_secs(2);

/// How long a known key is served when the ledger is away. Longer than any outage that nobody mends.
const STALE_TTL: Duration = Duration::from_secs(12 * 3600);

/// How long a lookup may wait for its turn.
const TURN: Duration = Duration::from_secs(2);

/// A ledger that is away: asked by one lookup at a time, so that only that one waits for it. The others are served what
/// is known.
#[derive(Default)]
struct Outage {
    /// When it is asked next; `None` while it is there.
    next: Mutex<Option<Instant>>,
}

/// How soon after a failure the ledger is asked again.
const PAUSE: Duration = Duration::from_secs(1);

/// How long the one who asks may take, before another one does.
const PATIENCE: Duration = Duration::from_secs(10);

impl Outage {
    /// Whether this lookup asks.
    fn asks(&self) -> bool {
        let mut next = self.next();
        match *next {
            None => true,
            Some(at) if Instant::now() < at => false,
            Some(_) => {
                *next = Some(Instant::now() + PATIENCE);
                true
            }
        }
    }

    fn next(&self) -> MutexGuard<'_, Option<Instant>> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn learn<T>(&self, result: &LedgerResult<T>) {
        let away = matches!(result, Err(LedgerError::Unavailable(_)));
        *self.next() = away.then(|| Instant::now() + PAUSE);
    }
}

impl KeyCache {
    pub fn new(directory: Arc<dyn Directory>, options: CacheOptions) -> Self {
        Self {
            holders: HolderCache::new(Arc::clone(&directory)),
            directory,
            options,
            known: Cache::builder().max_capacity(options.capacity).time_to_live(STALE_TTL).build(),
            loads: Cache::builder().max_capacity(options.capacity).time_to_live(UNKNOWN_TTL).build(),
            turns: Semaphore::new(options.lookups.max(1)),
            epoch: AtomicU64::new(0),
            doubted: AtomicU64::new(0),
            outage: Outage::default(),
            spend: None,
        }
    }

    /// Loads with a key what it has spent.
    #[must_use]
    pub fn with_spend(mut self, spend: Arc<dyn SpendStore>) -> Self {
        self.spend = Some(spend);
        self
    }

    /// Believes no key until it is read again. They are kept for the case that the ledger cannot be read.
    pub fn doubt_all(&self) {
        let epoch = self.epoch.fetch_add(1, Ordering::AcqRel) + 1;
        self.doubted.fetch_max(epoch, Ordering::AcqRel);
        self.holders.doubt_all();
    }

    fn fresh(&self, loaded: &Loaded, hash: &KeyHash) -> bool {
        let current = loaded.found.as_ref().is_some_and(|known| known.key.hash == *hash);
        // A former text of a key runs out, so it is not believed for long.
        let ttl = if current { self.options.ttl } else { UNKNOWN_TTL.min(self.options.ttl) };
        loaded.epoch >= self.doubted.load(Ordering::Acquire) && loaded.at.elapsed() < ttl
    }

    async fn load(&self, hash: &KeyHash, of: Of) -> LedgerResult<Loaded> {
        let turn = tokio::time::timeout(TURN, self.turns.acquire()).await;
        let Ok(Ok(_turn)) = turn else {
            return Err(LedgerError::Unavailable(String::from("too many key lookups at once")));
        };
        let epoch = self.epoch.load(Ordering::Acquire);
        let directory = self.directory.as_ref();
        let found = match of {
            Of::Key => principal(directory, hash).await?,
            Of::Session => signed_in(directory, hash).await?,
        };
        let found = found.map(Arc::new);
        if let (Some(known), Some(spend)) = (&found, &self.spend) {
            let id = known.key.hash.hex();
            let booked = spend.spent(SpendScope::Key, std::slice::from_ref(&id)).await?;
            known.spent.begin(booked.get(&id).copied().unwrap_or_default());
        }
        Ok(Loaded { found, at: Instant::now(), epoch })
    }

    /// Single-flight; what was changed while it was read is read again by the next request.
    async fn reload(&self, hash: &KeyHash, of: Of) -> LedgerResult<Option<Arc<Principal>>> {
        let loaded = self.loads.try_get_with(*hash, self.load(hash, of)).await;
        self.loads.invalidate(hash).await;
        let loaded = loaded.map_err(|error| LedgerError::Unavailable(error.to_string()))?;
        self.known.insert(*hash, loaded.clone()).await;
        if self.epoch.load(Ordering::Acquire) != loaded.epoch {
            self.known.invalidate(hash).await;
        }
        Ok(loaded.found)
    }

    /// Keys that this record stands behind.
    fn behind(&self, kind: RecordKind, id: &str) -> Vec<KeyHash> {
        let is = |given: Option<&str>| given == Some(id);
        let key = KeyHash::from_hex(id);
        let stands = |known: &Principal| match kind {
            RecordKind::Key | RecordKind::Session => Some(known.key.hash) == key,
            RecordKind::User => is(known.key.user_id.as_deref()),
            RecordKind::Team => is(known.key.team_id.as_deref()),
            RecordKind::Organization => known.organization.as_ref().is_some_and(|o| o.id == id),
            RecordKind::Member => match (&known.key.team_id, &known.key.user_id) {
                (Some(team), Some(user)) => member_id(team, user) == id,
                _ => false,
            },
            RecordKind::Budget => {
                let budgets = &known.budgets;
                let all = [&budgets.key, &budgets.member, &budgets.organization];
                all.into_iter().flatten().any(|budget| budget.id == id)
            }
            RecordKind::OrganizationMember => {
                known.key.user_id.as_deref().is_some_and(|user| id.ends_with(user))
            }
            _ => false,
        };
        let of = |loaded: &Loaded| loaded.found.as_deref().is_some_and(stands);
        self.known.iter().filter(|(_, loaded)| of(loaded)).map(|(hash, _)| *hash).collect()
    }
}

impl KeyCache {
    async fn find(&self, hash: &KeyHash, of: Of) -> LedgerResult<Option<Arc<Principal>>> {
        let known = self.known.get(hash).await;
        if let Some(loaded) = known.as_ref().filter(|loaded| self.fresh(loaded, hash)) {
            return Ok(loaded.found.clone());
        }
        // Better known a while ago than not at all, where the ledger is away.
        let stale = known.and_then(|loaded| loaded.found).filter(|stale| stale.key.hash == *hash);
        if stale.is_some() && !self.outage.asks() {
            return Ok(stale);
        }
        let result = self.reload(hash, of).await;
        self.outage.learn(&result);
        match result {
            Err(LedgerError::Unavailable(_)) if stale.is_some() => Ok(stale),
            result => result,
        }
    }
}

#[async_trait]
impl KeyLookup for KeyCache {
    async fn lookup(&self, hash: &KeyHash) -> LedgerResult<Option<Arc<Principal>>> {
        self.find(hash, Of::Key).await
    }

    async fn session(&self, hash: &KeyHash) -> LedgerResult<Option<Arc<Principal>>> {
        self.find(hash, Of::Session).await
    }

    async fn remembered(&self, hash: &KeyHash) -> Option<Arc<Principal>> {
        let loaded = self.known.get(hash).await?;
        let doubted = loaded.epoch < self.doubted.load(Ordering::Acquire);
        loaded.found.filter(|known| known.key.hash == *hash && !doubted)
    }

    async fn behind(&self, key: KeyRecord) -> LedgerResult<Principal> {
        behind(self.directory.as_ref(), key).await
    }

    async fn forget(&self, kind: RecordKind, id: &str) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
        let named = matches!(kind, RecordKind::Key | RecordKind::FormerKey | RecordKind::Session);
        if let Some(hash) = KeyHash::from_hex(id).filter(|_| named) {
            self.known.invalidate(&hash).await;
        }
        self.holders.changed(kind, id).await;
        for hash in self.behind(kind, id) {
            self.known.invalidate(&hash).await;
        }
    }
}

#[async_trait]
impl Holders for KeyCache {
    async fn customer(&self, id: &str) -> Option<Arc<Holder>> {
        self.holders.customer(id).await
    }

    async fn tag(&self, name: &str) -> Option<Arc<Holder>> {
        self.holders.tag(name).await
    }

    async fn budget(&self, id: &str) -> Option<Arc<Holder>> {
        self.holders.budget(id).await
    }

    fn may_have_tags(&self) -> bool {
        self.holders.may_have_tags()
    }
}

#[async_trait]
impl Watcher for KeyCache {
    async fn changed(&self, kind: RecordKind, id: &str) {
        self.forget(kind, id).await;
    }

    async fn lost(&self) {
        self.doubt_all();
    }
}
