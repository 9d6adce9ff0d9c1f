//! The service over a ledger in memory.

use crate::memory::Memory;
use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tower::ServiceExt;
use weir_admin::Services;
use weir_core::SecretString;
use weir_core::access::MasterKey;
use weir_core::config::env::Env;
use weir_core::config::{AddedModel, Additions, Config};
use weir_core::domain::ids::{KeyHash, new_entry_id};
use weir_core::domain::key::{KeyRecord, Principal};
use weir_core::domain::money::NanoUsd;
use weir_core::domain::operation::Operation;
use weir_core::domain::spend::{AttemptRecord, Entry, Status};
use weir_core::domain::usage::{Usage, UsageSource};
use weir_core::error::ApiError;
use weir_core::model::prices::Catalogue;
use weir_core::ports::LedgerState;
use weir_core::ports::cache::AnswerCache;
use weir_core::ports::control::{CallbackState, Checked, Control, Probe, ReplicaState, Unusable};
use weir_core::ports::cooldowns::Coolings;
use weir_core::ports::identity::{Fetch, Fetched};
use weir_core::time::Micros;

pub const MASTER: &str = "sk-1234";

pub struct Rig {
    pub memory: Arc<Memory>,
    router: Router,
}

pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
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

    /// Over a configuration, with these variables.
    pub fn configured(text: &str, vars: &[(&str, &str)]) -> Self {
        let memory = Arc::new(Memory::default());
        let config = Arc::new(configured(text, vars));
        let config = Arc::new(move || Arc::clone(&config));
        let services = Services { config, ..services(&memory, Some(MASTER)) };
        Self { router: weir_admin::router(Arc::new(services)), memory }
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
    let config = Arc::new(config());
    let catalogue = Arc::new(Catalogue::embedded());
    Services {
        directory: Arc::<Memory>::clone(memory),
        lookup: Arc::<Memory>::clone(memory),
        bearers: None,
        spend: Arc::<Memory>::clone(memory),
        config: Arc::new(move || Arc::clone(&config)),
        master: Arc::new(move || master.clone()),
        control: Arc::new(Still),
        http: Arc::new(Nobody),
        audited: None,
        catalogue: Arc::new(move || Arc::clone(&catalogue)),
    }
}

/// There are no other servers.
struct Nobody;

#[async_trait]
impl Fetch for Nobody {
    async fn fetch(&self, request: Request<String>) -> Result<Fetched, String> {
        Err(format!("nobody is at {}", request.uri()))
    }
}

/// A gateway that runs on as it is. What changes it is tested over the real one.
struct Still;

#[async_trait]
impl Control for Still {
    async fn refresh(&self) {}

    fn try_out(&self, _added: &Additions) -> Result<(), Unusable> {
        Ok(())
    }

    fn seal(&self, _purpose: &str, text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    fn open(&self, _purpose: &str, sealed: &str) -> Option<String> {
        Some(sealed.to_owned())
    }

    fn may_use(&self, _known: &Principal, _model: &str) -> bool {
        true
    }

    fn supported_params(&self, _model: &str) -> Vec<&'static str> {
        Vec::new()
    }

    fn count_tokens(&self, _model: &str, _messages: &str) -> Option<u64> {
        Some(8)
    }

    async fn apply_guardrail(
        &self,
        _name: &str,
        text: &str,
        _: Option<&str>,
        _: &[String],
    ) -> Result<String, ApiError> {
        Ok(text.to_owned())
    }

    async fn probe(&self, _deployment: &str) -> Probe {
        Probe { took: Duration::ZERO, error: String::new(), status: 200 }
    }

    async fn probe_new(&self, _model: AddedModel, _mode: Option<&str>) -> Result<Probe, Unusable> {
        Ok(self.probe("").await)
    }

    fn checks(&self) -> Option<HashMap<String, Checked>> {
        None
    }

    async fn coolings(&self) -> Coolings {
        Coolings::default()
    }

    fn callbacks(&self) -> Vec<CallbackState> {
        let state = |name: &str| CallbackState { name: name.to_owned(), ..CallbackState::default() };
        let failing = CallbackState {
            told_of: vec!["success"],
            dropped: 3,
            failing_since: Some(Micros(1_700_000_000_000_000)),
            last_error: "it answered 503".to_owned(),
            waiting_bytes: 4_096,
            ..state("langfuse")
        };
        let unusable = CallbackState { unusable: "no address; set one".to_owned(), ..state("otel") };
        vec![CallbackState { delivered: 9, ..state("generic_api") }, failing, unusable, state("s3")]
    }

    fn replica(&self) -> ReplicaState {
        ReplicaState {
            name: "one".to_owned(),
            ledger: LedgerState::Degraded,
            ledger_failures: 2,
            waiting: 7,
            lag: Duration::from_millis(90_500),
            journal_bytes: 4_096,
            journal_max_bytes: 1 << 30,
            shed: 5,
            unpriced: 11,
            callbacks_dropped: 3,
            alerts_dropped: 1,
        }
    }

    async fn test_service(&self, name: &str) -> Option<Result<String, String>> {
        match name {
            "generic_api" => Some(Ok(format!("Mock LLM request made - check {name}."))),
            "langfuse" => Some(Err("it answered 401".to_owned())),
            _ => None,
        }
    }

    async fn fetch_prices(&self) -> Result<usize, Unusable> {
        Ok(1)
    }

    fn cache(&self) -> Option<Arc<dyn AnswerCache>> {
        None
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
    KeyRecord::new(key)
}

/// A chat that went well: 11 tokens in, 7 out.
pub fn entry(started_at: Micros, cost: i64) -> Entry {
    let ended_at = Micros(started_at.0 + 15_000);
    Entry {
        ended_at,
        call_id: "call-1".to_owned(),
        provider_id: Some("chatcmpl-1".to_owned()),
        status: Status::Success,
        http_status: 200,
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
        attempts: vec![attempt(started_at, ended_at)],
        tags: vec!["proj-x".to_owned()],
        client_ip: "127.0.0.1".to_owned(),
        user_agent: "test/1".to_owned(),
        ..Entry::begun(new_entry_id(), started_at, Operation::Chat)
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

/// Of whom nothing is said.
fn config() -> Config {
    configured("model_list: []", &[])
}

fn configured(text: &str, vars: &[(&str, &str)]) -> Config {
    let env = Env::of([("LITELLM_MASTER_KEY", MASTER)]).with(vars.iter().copied());
    Config::from_text(text, &env, &["openai"]).0.unwrap()
}
