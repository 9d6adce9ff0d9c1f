//! How the data plane sees keys.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests may fail loudly, and look at the environment"
)]

use async_trait::async_trait;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use weir_core::domain::ids::KeyHash;
use weir_core::domain::key::KeyRecord;
use weir_core::domain::money::NanoUsd;
use weir_core::ports::{KeyLookup, KeyStore, LedgerError, LedgerResult};
use weir_ledger::{CacheOptions, KeyCache};

#[expect(dead_code, reason = "only keys are needed here")]
mod common;

/// A store that counts, waits, and can be away.
#[derive(Default)]
struct Store {
    asked: AtomicUsize,
    at_once: AtomicUsize,
    most: AtomicUsize,
    key: Mutex<Option<KeyRecord>>,
    away: Mutex<bool>,
}

#[async_trait]
impl KeyStore for Store {
    async fn key(&self, _: &KeyHash) -> LedgerResult<Option<KeyRecord>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let now = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(20)).await;
        self.at_once.fetch_sub(1, Ordering::SeqCst);
        if *self.away.lock().unwrap() {
            return Err(LedgerError::Unavailable(String::from("away")));
        }
        Ok(self.key.lock().unwrap().clone())
    }

    async fn insert_key(&self, _: &KeyRecord) -> LedgerResult<()> {
        Ok(())
    }

    async fn delete_keys(&self, _: &[KeyHash], _: &[String]) -> LedgerResult<Vec<KeyHash>> {
        Ok(vec![])
    }

    async fn key_spend(&self, _: &KeyHash) -> LedgerResult<NanoUsd> {
        Ok(NanoUsd::ZERO)
    }
}

fn cache(store: &Arc<Store>, options: CacheOptions) -> KeyCache {
    KeyCache::new(store.clone(), options)
}

#[tokio::test]
async fn many_requests_with_one_key_are_one_lookup() {
    let store = Arc::new(Store { key: Mutex::new(Some(common::key("sk-a"))), ..Store::default() });
    let cache = cache(&store, CacheOptions::default());
    let hash = KeyHash::of("sk-a");
    let found = futures_util::future::join_all((0..100).map(|_| cache.lookup(&hash))).await;
    assert!(found.into_iter().all(|f| f.unwrap().is_some()));
    assert_eq!(store.asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_flood_of_unknown_keys_is_bounded() {
    let store = Arc::new(Store::default());
    let cache = cache(&store, CacheOptions { lookups: 4, ..CacheOptions::default() });
    let hashes: Vec<_> = (0..64).map(|n| KeyHash::of(&format!("sk-{n}"))).collect();
    let found = futures_util::future::join_all(hashes.iter().map(|hash| cache.lookup(hash))).await;
    assert!(found.iter().all(|f| matches!(f, Ok(None))));
    assert!(store.most.load(Ordering::SeqCst) <= 4);
    cache.lookup(&hashes[0]).await.unwrap();
    assert_eq!(store.asked.load(Ordering::SeqCst), 64, "unknown keys are remembered, briefly");
}

#[tokio::test]
async fn p19_a_forgotten_key_is_read_again() {
    let store = Arc::new(Store { key: Mutex::new(Some(common::key("sk-a"))), ..Store::default() });
    let cache = cache(&store, CacheOptions::default());
    let hash = KeyHash::of("sk-a");
    assert!(cache.lookup(&hash).await.unwrap().is_some());
    *store.key.lock().unwrap() = None;
    cache.forget(&hash).await;
    assert!(cache.lookup(&hash).await.unwrap().is_none());
}

#[tokio::test]
async fn p19_a_change_during_a_load_is_not_covered_up() {
    let store = Arc::new(Store { key: Mutex::new(Some(common::key("sk-a"))), ..Store::default() });
    let cache = Arc::new(cache(&store, CacheOptions::default()));
    let hash = KeyHash::of("sk-a");
    let (_, ()) = tokio::join!(cache.lookup(&hash), async {
        tokio::time::sleep(Duration::from_millis(5)).await;
        cache.forget(&hash).await;
    });
    *store.key.lock().unwrap() = None;
    assert!(cache.lookup(&hash).await.unwrap().is_none());
}

#[tokio::test]
async fn with_the_ledger_away_cached_keys_go_on() {
    let store = Arc::new(Store { key: Mutex::new(Some(common::key("sk-a"))), ..Store::default() });
    let cache = cache(&store, CacheOptions::default());
    let hash = KeyHash::of("sk-a");
    cache.lookup(&hash).await.unwrap();
    *store.away.lock().unwrap() = true;
    assert!(cache.lookup(&hash).await.unwrap().is_some());
    assert!(matches!(cache.lookup(&KeyHash::of("sk-b")).await, Err(LedgerError::Unavailable(_))));
}
