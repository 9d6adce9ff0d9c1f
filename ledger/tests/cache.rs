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
use weir_core::domain::records::RecordKind;
use weir_core::ports::records::insert;
use weir_core::ports::{
    AuditEntry, AuditPage, AuditQuery, Change, Directory, KeyLookup, LedgerError, LedgerResult, RecordPage,
    RecordQuery, StoredRecord,
};
use weir_core::time::Micros;
use weir_ledger::{CacheOptions, KeyCache, Watcher};

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
impl Directory for Store {
    async fn find(&self, kind: RecordKind, ids: &[String]) -> LedgerResult<Vec<StoredRecord>> {
        if kind != RecordKind::Key {
            return Ok(vec![]);
        }
        self.asked.fetch_add(1, Ordering::SeqCst);
        let now = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(20)).await;
        self.at_once.fetch_sub(1, Ordering::SeqCst);
        if *self.away.lock().unwrap() {
            return Err(LedgerError::Unavailable(String::from("away")));
        }
        let key = self.key.lock().unwrap().clone().filter(|key| ids.contains(&key.hash.hex()));
        Ok(key.iter().filter_map(stored).collect())
    }

    async fn list(&self, _: RecordKind, _: &RecordQuery) -> LedgerResult<RecordPage> {
        Ok(RecordPage::default())
    }

    async fn commit(&self, _: &[Change], _: &[AuditEntry]) -> LedgerResult<()> {
        Ok(())
    }

    async fn audit(&self, _: &AuditQuery) -> LedgerResult<AuditPage> {
        Ok(AuditPage::default())
    }
}

fn stored(key: &KeyRecord) -> Option<StoredRecord> {
    match insert(key, Micros(1), None).unwrap() {
        Change::Insert(stored) => Some(stored),
        _ => None,
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
    cache.forget(RecordKind::Key, &hash.hex()).await;
    assert!(cache.lookup(&hash).await.unwrap().is_none());
}

#[tokio::test]
async fn p19_a_change_during_a_load_is_not_covered_up() {
    let store = Arc::new(Store { key: Mutex::new(Some(common::key("sk-a"))), ..Store::default() });
    let cache = Arc::new(cache(&store, CacheOptions::default()));
    let hash = KeyHash::of("sk-a");
    let (_, ()) = tokio::join!(cache.lookup(&hash), async {
        tokio::time::sleep(Duration::from_millis(5)).await;
        cache.forget(RecordKind::Key, &hash.hex()).await;
    });
    *store.key.lock().unwrap() = None;
    assert!(cache.lookup(&hash).await.unwrap().is_none());
}

#[tokio::test]
async fn p8_with_the_ledger_away_cached_keys_go_on() {
    let store = Arc::new(Store { key: Mutex::new(Some(common::key("sk-a"))), ..Store::default() });
    let cache = cache(&store, CacheOptions { ttl: Duration::from_millis(50), ..CacheOptions::default() });
    let hash = KeyHash::of("sk-a");
    cache.lookup(&hash).await.unwrap();
    tokio::time::sleep(Duration::from_millis(60)).await;
    *store.away.lock().unwrap() = true;
    assert!(cache.lookup(&hash).await.unwrap().is_some());
    assert!(matches!(cache.lookup(&KeyHash::of("sk-b")).await, Err(LedgerError::Unavailable(_))));
}

#[tokio::test]
async fn p8_an_outage_that_is_noticed_takes_no_cached_key_away_and_makes_none_wait() {
    let store = Arc::new(Store { key: Mutex::new(Some(common::key("sk-a"))), ..Store::default() });
    let cache = cache(&store, CacheOptions::default());
    let hash = KeyHash::of("sk-a");
    cache.lookup(&hash).await.unwrap();
    *store.away.lock().unwrap() = true;
    cache.lost().await;
    for _ in 0..20 {
        assert!(cache.lookup(&hash).await.unwrap().is_some());
    }
    assert_eq!(store.asked.load(Ordering::SeqCst), 2, "a ledger that is away is not asked for every request");
    // What has changed meanwhile is in force when it is back.
    *store.away.lock().unwrap() = false;
    *store.key.lock().unwrap() = None;
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert!(cache.lookup(&hash).await.unwrap().is_none());
}
