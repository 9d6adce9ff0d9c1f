//! Counters in Redis, see [`weir_core::ports::rates`]. Each is two keys in one hash slot and is changed by one script, so
//! that it is exact however many processes count, and works in a cluster; scripts for several counters go out together.

use super::Redis;
use super::there::There;
use async_trait::async_trait;
use fred::types::scripts::Script;
use futures_util::future::join_all;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use weir_core::domain::rates::{Count, Rate};
use weir_core::ports::rates::{RateAsk, RateSettle, SharedRates, Taken};
use weir_core::time::Micros;

/// How long the slot of a request is kept of which nobody hears; longer than [`RENEW`], so that it outlives a pause.
const LIFE: Duration = Duration::from_secs(60);
const RENEW: Duration = Duration::from_secs(10);
/// Requests that are over and not told yet.
const QUEUE: usize = 65_536;
/// Told at once.
const TOGETHER: usize = 256;

/// What all processes count in.
pub struct SharedCounters {
    redis: Redis,
    window: Duration,
    take: Script,
    over: mpsc::Sender<RateSettle>,
    /// Slots of requests under way, by counter.
    running: Mutex<HashMap<String, HashSet<String>>>,
    there: There,
}

impl SharedCounters {
    /// Begins to tell what is over, on the runtime that it is called on.
    pub fn begin(redis: Redis, window: Duration) -> Arc<Self> {
        let (over, settled) = mpsc::channel(QUEUE);
        let shared = Arc::new(Self {
            redis,
            window,
            take: Script::from_lua(include_str!("take.lua")),
            over,
            running: Mutex::default(),
            there: There::default(),
        });
        tokio::spawn(Arc::clone(&shared).tell(settled));
        tokio::spawn(Arc::clone(&shared).renew());
        shared
    }

    fn running(&self) -> MutexGuard<'_, HashMap<String, HashSet<String>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn one(&self, ask: &RateAsk, tokens: i64, slot: &str) -> Option<Taken> {
        let limit = |rate| ask.limits.of(rate).unwrap_or(-1).to_string();
        let [requests, of_tokens, parallel] = Rate::ALL.map(limit);
        let arguments = vec![
            self.window.as_millis().to_string(),
            tokens.to_string(),
            slot.to_owned(),
            LIFE.as_millis().to_string(),
            requests,
            of_tokens,
            parallel,
        ];
        let told =
            self.take.evalsha_with_reload(&self.redis.client, keys(&ask.name).to_vec(), arguments).await;
        let told: Vec<i64> = told.inspect_err(|error| tracing::debug!("Redis: {error}")).ok()?;
        let [full, began, requests, tokens, running] = *told else { return None };
        let count = Count { began: Micros(began.saturating_mul(1_000)), requests, tokens, running };
        let full = usize::try_from(full).ok().and_then(|full| Rate::ALL.get(full.checked_sub(1)?).copied());
        Some(Taken { count, full })
    }

    /// The request runs: its slots are renewed until it is over.
    fn run(&self, asks: &[RateAsk], taken: &[Taken], slot: &str) {
        let slots = asks
            .iter()
            .zip(taken)
            .filter(|(ask, taken)| taken.full.is_none() && ask.limits.parallel.is_some());
        for (ask, _) in slots {
            self.running().entry(ask.name.clone()).or_default().insert(slot.to_owned());
        }
    }

    /// It is counted elsewhere. Whoever has not answered may have counted it all the same: its slot at least is freed.
    fn take_back(&self, asks: &[RateAsk], answers: &[Option<Taken>], tokens: i64, slot: &str) {
        for (ask, taken) in
            asks.iter().zip(answers).filter(|(_, taken)| taken.is_none_or(|t| t.full.is_none()))
        {
            let began = taken.map(|taken| taken.count.began).unwrap_or_default();
            let (name, slot) = (ask.name.clone(), slot.to_owned());
            self.settle(RateSettle { name, began, slot, tokens: -tokens, undo: true });
        }
    }

    /// Says so once, and leaves it alone for a while.
    fn learn(&self, there: bool) {
        match (self.there.learn(there), there) {
            (true, false) => {
                tracing::warn!("Redis does not answer: each process counts rate limits for itself")
            }
            (true, true) => tracing::info!("Redis answers again: rate limits are counted there"),
            _ => {}
        }
    }

    async fn tell(self: Arc<Self>, mut over: mpsc::Receiver<RateSettle>) {
        let script = Script::from_lua(include_str!("settle.lua"));
        let mut some = Vec::with_capacity(TOGETHER);
        while over.recv_many(&mut some, TOGETHER).await > 0 {
            let told = some.drain(..).map(|settled| self.tell_one(&script, settled));
            join_all(told).await;
        }
    }

    async fn tell_one(&self, script: &Script, settled: RateSettle) {
        let arguments = vec![
            (settled.began.0 / 1_000).to_string(),
            settled.tokens.to_string(),
            settled.slot,
            i64::from(settled.undo).to_string(),
        ];
        let keys = keys(&settled.name).to_vec();
        let told: Result<i64, _> = script.evalsha_with_reload(&self.redis.client, keys, arguments).await;
        if let Err(error) = told {
            tracing::debug!("Redis: {error}");
        }
    }

    async fn renew(self: Arc<Self>) {
        let script = Script::from_lua(include_str!("renew.lua"));
        loop {
            tokio::time::sleep(RENEW).await;
            let running: Vec<(String, Vec<String>)> = self
                .running()
                .iter()
                .map(|(name, slots)| (name.clone(), slots.iter().cloned().collect()))
                .collect();
            for (name, slots) in running {
                let [_, under_way] = keys(&name);
                let arguments =
                    std::iter::once(LIFE.as_millis().to_string()).chain(slots).collect::<Vec<_>>();
                let told: Result<i64, _> =
                    script.evalsha_with_reload(&self.redis.client, vec![under_way], arguments).await;
                if let Err(error) = told {
                    tracing::debug!("Redis: {error}");
                }
            }
        }
    }
}

/// In braces stands what a cluster chooses the slot by.
fn keys(name: &str) -> [String; 2] {
    [format!("weir:rate:{{{name}}}:window"), format!("weir:rate:{{{name}}}:running")]
}

#[async_trait]
impl SharedRates for SharedCounters {
    async fn take(&self, asks: &[RateAsk], tokens: i64, slot: &str) -> Option<Vec<Taken>> {
        if self.there.is_left_alone() {
            return None;
        }
        let begun = Instant::now();
        let one = |ask| tokio::time::timeout(self.redis.patience, self.one(ask, tokens, slot));
        let answers: Vec<Option<Taken>> =
            join_all(asks.iter().map(one)).await.into_iter().map(|answer| answer.ok().flatten()).collect();
        let taken: Option<Vec<Taken>> = answers.iter().copied().collect();
        self.redis.took("take", begun, taken.is_some());
        self.learn(taken.is_some());
        match &taken {
            Some(taken) => self.run(asks, taken, slot),
            None => self.take_back(asks, &answers, tokens, slot),
        }
        taken
    }

    fn settle(&self, settled: RateSettle) {
        let mut running = self.running();
        if let Some(slots) = running.get_mut(&settled.name) {
            slots.remove(&settled.slot);
            if slots.is_empty() {
                running.remove(&settled.name);
            }
        }
        drop(running);
        if self.over.try_send(settled).is_err() {
            tracing::debug!("Redis is not told of a request that is over: too many are");
        }
    }

    fn are_there(&self) -> bool {
        self.there.is_there()
    }
}
