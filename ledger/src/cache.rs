//! Keys as the data plane sees them. Entries hold no spend, so nothing but a change of the key itself makes them stale.

use async_trait::async_trait;
use moka::Expiry;
use moka::future::Cache;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use weir_core::domain::ids::KeyHash;
use weir_core::domain::key::KeyRecord;
use weir_core::ports::{KeyLookup, KeyStore, LedgerError, LedgerResult};

/// Bounds of the cache.
#[derive(Clone, Copy, Debug)]
pub struct CacheOptions {
    /// How long a key is served from memory (`user_api_key_cache_ttl`).
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

/// A bounded, single-flight cache over a `KeyStore`.
pub struct KeyCache {
    store: Arc<dyn KeyStore>,
    known: Cache<KeyHash, Option<Arc<KeyRecord>>>,
    lookups: Semaphore,
    /// Raised by every change; a load that saw another epoch is not kept.
    epoch: AtomicU64,
}

/// Unknown keys are remembered briefly: long enough for a flood, short enough for a key made a moment later.
const UNKNOWN_TTL: Duration = Duration::from_secs(2);

/// How long a lookup may wait for its turn.
const TURN: Duration = Duration::from_secs(2);

struct Lifetime {
    known: Duration,
}

impl Expiry<KeyHash, Option<Arc<KeyRecord>>> for Lifetime {
    fn expire_after_create(
        &self,
        _: &KeyHash,
        value: &Option<Arc<KeyRecord>>,
        _: Instant,
    ) -> Option<Duration> {
        Some(if value.is_some() { self.known } else { UNKNOWN_TTL })
    }
}

impl KeyCache {
    pub fn new(store: Arc<dyn KeyStore>, options: CacheOptions) -> Self {
        let known = Cache::builder()
            .max_capacity(options.capacity)
            .expire_after(Lifetime { known: options.ttl })
            .build();
        Self { store, known, lookups: Semaphore::new(options.lookups.max(1)), epoch: AtomicU64::new(0) }
    }

    /// Forgets every key.
    pub fn forget_all(&self) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
        self.known.invalidate_all();
    }

    async fn load(&self, hash: &KeyHash) -> LedgerResult<Option<Arc<KeyRecord>>> {
        let turn = tokio::time::timeout(TURN, self.lookups.acquire()).await;
        let Ok(Ok(_turn)) = turn else {
            return Err(LedgerError::Unavailable(String::from("too many key lookups at once")));
        };
        self.store.key(hash).await.map(|found| found.map(Arc::new))
    }
}

#[async_trait]
impl KeyLookup for KeyCache {
    async fn lookup(&self, hash: &KeyHash) -> LedgerResult<Option<Arc<KeyRecord>>> {
        if let Some(known) = self.known.get(hash).await {
            return Ok(known);
        }
        let epoch = self.epoch.load(Ordering::Acquire);
        let loaded = self.known.try_get_with(*hash, self.load(hash)).await;
        if self.epoch.load(Ordering::Acquire) != epoch {
            // The key may have changed while it was read; the next request reads it again.
            self.known.invalidate(hash).await;
        }
        loaded.map_err(|error| LedgerError::Unavailable(error.to_string()))
    }

    async fn forget(&self, hash: &KeyHash) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
        self.known.invalidate(hash).await;
    }
}
