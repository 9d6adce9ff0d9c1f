//! A ledger in memory, and the service over it.

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tower::ServiceExt;
use weir_admin::Services;
use weir_core::SecretString;
use weir_core::access::MasterKey;
use weir_core::domain::ids::{KeyHash, new_entry_id};
use weir_core::domain::key::{KeyRecord, mask};
use weir_core::domain::money::NanoUsd;
use weir_core::domain::operation::Operation;
use weir_core::domain::spend::{AttemptRecord, Entry, Status};
use weir_core::domain::usage::{Usage, UsageSource};
use weir_core::ports::{KeyLookup, KeyStore, LedgerError, LedgerResult, SpendFilter, SpendStore, Written};
use weir_core::time::{self, Micros};

pub const MASTER: &str = "sk-1234";

/// Keys and entries. Counts how often it was asked or changed through a handler.
#[derive(Default)]
pub struct Memory {
    keys: Mutex<BTreeMap<KeyHash, KeyRecord>>,
    entries: Mutex<Vec<Entry>>,
    forgotten: Mutex<Vec<KeyHash>>,
    calls: AtomicUsize,
    away: AtomicBool,
}

pub struct Rig {
    pub memory: Arc<Memory>,
    router: Router,
}

pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

// --- Memory ---

impl Memory {
    fn asked(&self) -> LedgerResult<()> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.there()
    }

    fn there(&self) -> LedgerResult<()> {
        let away = self.away.load(Ordering::Relaxed);
        if away { Err(LedgerError::Unavailable("password=hunter2".to_owned())) } else { Ok(()) }
    }

    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    pub fn go_away(&self) {
        self.away.store(true, Ordering::Relaxed);
    }

    pub fn put(&self, key: KeyRecord) {
        lock(&self.keys).insert(key.hash, key);
    }

    pub fn stored(&self, key: &str) -> Option<KeyRecord> {
        lock(&self.keys).get(&KeyHash::of(key)).cloned()
    }

    pub fn forgot(&self, key: &str) -> bool {
        lock(&self.forgotten).contains(&KeyHash::of(key))
    }

    pub fn book(&self, entry: Entry) {
        lock(&self.entries).push(entry);
    }
}

#[async_trait]
impl KeyStore for Memory {
    async fn key(&self, hash: &KeyHash) -> LedgerResult<Option<KeyRecord>> {
        self.asked()?;
        Ok(lock(&self.keys).get(hash).cloned())
    }

    async fn insert_key(&self, key: &KeyRecord) -> LedgerResult<()> {
        self.asked()?;
        let mut keys = lock(&self.keys);
        let alias_taken = key.alias.is_some() && keys.values().any(|other| other.alias == key.alias);
        if alias_taken || keys.contains_key(&key.hash) {
            return Err(LedgerError::Conflict("unique".to_owned()));
        }
        keys.insert(key.hash, key.clone());
        Ok(())
    }

    async fn delete_keys(&self, hashes: &[KeyHash], aliases: &[String]) -> LedgerResult<Vec<KeyHash>> {
        self.asked()?;
        let mut keys = lock(&self.keys);
        let named = |key: &KeyRecord| {
            hashes.contains(&key.hash) || key.alias.as_ref().is_some_and(|a| aliases.contains(a))
        };
        let gone: Vec<KeyHash> = keys.values().filter(|key| named(key)).map(|key| key.hash).collect();
        keys.retain(|hash, _| !gone.contains(hash));
        Ok(gone)
    }

    async fn key_spend(&self, hash: &KeyHash) -> LedgerResult<NanoUsd> {
        self.asked()?;
        Ok(lock(&self.entries).iter().filter(|e| e.key_hash == Some(*hash)).map(|e| e.cost).sum())
    }
}

#[async_trait]
impl KeyLookup for Memory {
    async fn lookup(&self, hash: &KeyHash) -> LedgerResult<Option<Arc<KeyRecord>>> {
        self.there()?;
        Ok(lock(&self.keys).get(hash).cloned().map(Arc::new))
    }

    async fn forget(&self, hash: &KeyHash) {
        lock(&self.forgotten).push(*hash);
    }
}

#[async_trait]
impl SpendStore for Memory {
    async fn write(&self, _: &[Entry]) -> LedgerResult<Written> {
        Err(LedgerError::Broken("admin writes no entries".to_owned()))
    }

    async fn entries(&self, filter: &SpendFilter) -> LedgerResult<Vec<Entry>> {
        self.asked()?;
        let mut found: Vec<Entry> =
            lock(&self.entries).iter().filter(|entry| matches(filter, entry)).cloned().collect();
        found.sort_by_key(|entry| std::cmp::Reverse((entry.started_at, entry.id)));
        let limit = filter.limit.clamp(1, 10_000) as usize;
        Ok(found.into_iter().skip(filter.offset as usize).take(limit).collect())
    }

    async fn total_spend(&self) -> LedgerResult<NanoUsd> {
        self.asked()?;
        Ok(lock(&self.entries).iter().map(|entry| entry.cost).sum())
    }
}

fn matches(filter: &SpendFilter, entry: &Entry) -> bool {
    let same = |wanted: &Option<String>, found: &Option<String>| wanted.is_none() || wanted == found;
    let named = |id: &String| {
        *id == entry.id.to_string() || *id == entry.call_id || entry.provider_id.as_ref() == Some(id)
    };
    (filter.key_hash.is_none() || filter.key_hash == entry.key_hash)
        && same(&filter.user_id, &entry.user_id)
        && same(&filter.team_id, &entry.team_id)
        && filter.request_id.as_ref().is_none_or(named)
        && filter.from.is_none_or(|from| entry.started_at >= from)
        && filter.until.is_none_or(|until| entry.started_at < until)
}

// --- Rig ---

impl Rig {
    pub fn new() -> Self {
        Self::with_master(Some(MASTER))
    }

    pub fn with_master(master: Option<&str>) -> Self {
        let memory = Arc::new(Memory::default());
        let router = weir_admin::router(Arc::new(services(&memory, master)));
        Self { memory, router }
    }

    /// One request with the key as a bearer; an empty `key` sends none, an empty `body` has none.
    pub async fn call(&self, method: &str, path: &str, key: &str, body: &str) -> Answer {
        let bearer = format!("Bearer {key}");
        let headers: &[(&str, &str)] = if key.is_empty() { &[] } else { &[("authorization", &bearer)] };
        self.send(method, path, headers, body).await
    }

    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let request = Request::builder().method(method).uri(path);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let request = request.body(Body::from(body.to_owned())).unwrap_or_default();
        let response = self.router.clone().oneshot(request).await.unwrap_or_default();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Answer { status: parts.status.as_u16(), headers: parts.headers, text }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, MASTER, "").await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.call("POST", path, MASTER, &body.to_string()).await
    }

    /// A key made through the API.
    pub async fn key(&self, body: &Value) -> String {
        let answer = self.post("/key/generate", body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["key"].as_str().unwrap_or_default().to_owned()
    }
}

pub fn services(memory: &Arc<Memory>, master: Option<&str>) -> Services {
    let master = master.map(|key| MasterKey::new(&SecretString::from(key)));
    Services {
        keys: Arc::<Memory>::clone(memory),
        lookup: Arc::<Memory>::clone(memory),
        spend: Arc::<Memory>::clone(memory),
        master: Arc::new(move || master.clone()),
    }
}

impl Answer {
    /// The body; null when it is no JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

// --- examples ---

pub fn record(key: &str) -> KeyRecord {
    KeyRecord {
        hash: KeyHash::of(key),
        masked: mask(key),
        alias: None,
        user_id: None,
        team_id: None,
        models: Vec::new(),
        metadata: "{}".to_owned(),
        max_budget: None,
        expires_at: None,
        blocked: false,
        created_at: time::now(),
        created_by: None,
    }
}

/// A chat that went well: 11 tokens in, 7 out.
pub fn entry(started_at: Micros, cost: i64) -> Entry {
    let ended_at = Micros(started_at.0 + 15_000);
    Entry {
        id: new_entry_id(),
        started_at,
        ended_at,
        first_token_at: None,
        call_id: "call-1".to_owned(),
        provider_id: Some("chatcmpl-1".to_owned()),
        operation: Operation::Chat,
        stream: false,
        status: Status::Success,
        http_status: 200,
        error: String::new(),
        error_message: String::new(),
        key_hash: Some(KeyHash::of("sk-spender")),
        key_alias: Some("spender".to_owned()),
        user_id: Some("u1".to_owned()),
        team_id: Some("t1".to_owned()),
        end_user: Some("cust-0".to_owned()),
        model_requested: "gpt-4o".to_owned(),
        model_group: "gpt-4o".to_owned(),
        model: "gpt-4o".to_owned(),
        provider: "openai".to_owned(),
        deployment_id: "d1".to_owned(),
        api_base: "http://127.0.0.1:9100/v1".to_owned(),
        usage: Usage { input: 11, output: 7, ..Usage::default() },
        usage_source: UsageSource::Reported,
        cost: NanoUsd(cost),
        price_version: "2026-01".to_owned(),
        unpriced: false,
        attempts: vec![attempt(started_at, ended_at)],
        tags: vec!["proj-x".to_owned()],
        metadata: String::new(),
        client_ip: "127.0.0.1".to_owned(),
        user_agent: "test/1".to_owned(),
    }
}

fn attempt(started_at: Micros, ended_at: Micros) -> AttemptRecord {
    AttemptRecord {
        number: 1,
        deployment_id: "d1".to_owned(),
        model_group: "gpt-4o".to_owned(),
        status: 200,
        error: String::new(),
        started_at,
        ended_at,
    }
}
