//! Answers in Redis, see [`weir_core::ports::cache`]. What is put is written by one task, in turn; until it is, this
//! process finds it here. A Redis that is away, or slow, has no answers.

use super::Redis;
use super::there::There;
use async_trait::async_trait;
use bytes::Bytes;
use fred::interfaces::{ClientLike, KeysInterface};
use fred::prelude::{Expiration, Key};
use futures_util::{Stream, StreamExt};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use weir_core::domain::cached::CachedAnswer;
use weir_core::ports::cache::{AnswerCache, CacheError};
use weir_core::time;

/// Before the keys of all answers: others may keep something in the same Redis.
const PREFIX: &str = "weir:cache:";
const ALL: &str = "weir:cache:*";
/// Answers, and bytes of them, that are not written yet; more are not kept.
const QUEUE: usize = 1_024;
const QUEUED_BYTES: usize = 16 << 20;
/// Keys that are looked through at once, and how long looking through all of them may take.
const PAGE: u32 = 500;
const FLUSH: Duration = Duration::from_secs(30);

/// What all processes keep together.
pub struct SharedAnswers {
    redis: Redis,
    there: There,
    waiting: Mutex<Waiting>,
    written: mpsc::Sender<String>,
}

#[derive(Default)]
struct Waiting {
    answers: HashMap<String, Arc<CachedAnswer>>,
    bytes: usize,
}

impl SharedAnswers {
    /// Begins to write, on the runtime that it is called on.
    pub fn begin(redis: Redis) -> Arc<Self> {
        let (written, waiting) = mpsc::channel(QUEUE);
        let shared = Arc::new(Self { redis, there: There::default(), waiting: Mutex::default(), written });
        tokio::spawn(Arc::clone(&shared).write(waiting));
        shared
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn write(self: Arc<Self>, mut waiting: mpsc::Receiver<String>) {
        while let Some(key) = waiting.recv().await {
            let Some(answer) = self.waiting().answers.get(&key).cloned() else { continue };
            if !self.there.is_left_alone() {
                self.write_one(&key, &answer).await;
            }
            self.waiting().forget(&key);
        }
    }

    async fn write_one(&self, key: &str, answer: &CachedAnswer) {
        let left = answer.left(time::now()) / 1_000;
        if left <= 0 {
            return;
        }
        let expire = Some(Expiration::PX(left));
        let written: Result<(), _> =
            self.redis.client.set(named(key), answer.written(), expire, None, false).await;
        if let Err(error) = &written {
            tracing::debug!("Redis: {error}");
        }
        self.learn(written.is_ok());
    }

    fn learn(&self, there: bool) {
        match (self.there.learn(there), there) {
            (true, false) => tracing::warn!("Redis does not answer: no answers are cached"),
            (true, true) => tracing::info!("Redis answers again: answers are cached there"),
            _ => {}
        }
    }

    /// `None`: it has not answered in time.
    async fn read(&self, key: &str) -> Option<Option<Bytes>> {
        let asked = self.redis.client.get::<Option<Bytes>, _>(named(key));
        let told = tokio::time::timeout(self.redis.patience, asked).await.ok()?;
        told.inspect_err(|error| tracing::debug!("Redis: {error}")).ok()
    }

    async fn unlink(&self, keys: Vec<Key>) -> Result<(), CacheError> {
        // One by one, since a cluster takes no keys of different slots together.
        for key in keys {
            let _gone: i64 = self.redis.client.unlink(key).await.map_err(failed)?;
        }
        Ok(())
    }

    async fn unlink_all<S>(&self, keys: S) -> Result<(), CacheError>
    where
        S: Stream<Item = Result<Key, fred::error::Error>> + Send,
    {
        let mut keys = std::pin::pin!(keys);
        let all = async {
            while let Some(key) = keys.next().await {
                self.unlink(vec![key.map_err(failed)?]).await?;
            }
            Ok(())
        };
        let late = |_| Err(CacheError(String::from("Redis: it took too long; not all answers are gone")));
        tokio::time::timeout(FLUSH, all).await.unwrap_or_else(late)
    }
}

impl Waiting {
    /// Whether there is room for it.
    fn take(&mut self, key: &str, answer: &Arc<CachedAnswer>) -> bool {
        let size = answer.size();
        if self.bytes.saturating_add(size) > QUEUED_BYTES {
            return false;
        }
        self.forget(key);
        self.bytes += size;
        self.answers.insert(key.to_owned(), Arc::clone(answer));
        true
    }

    fn forget(&mut self, key: &str) {
        if let Some(answer) = self.answers.remove(key) {
            self.bytes -= answer.size();
        }
    }
}

fn named(key: &str) -> String {
    format!("{PREFIX}{key}")
}

fn failed(error: fred::error::Error) -> CacheError {
    CacheError(format!("Redis: {error}"))
}

#[async_trait]
impl AnswerCache for SharedAnswers {
    fn place(&self) -> &'static str {
        "redis"
    }

    async fn get(&self, key: &str) -> Option<Arc<CachedAnswer>> {
        let here = self.waiting().answers.get(key).cloned();
        if let Some(answer) = here {
            return Some(answer).filter(|answer| answer.left(time::now()) > 0);
        }
        if self.there.is_left_alone() {
            return None;
        }
        let begun = Instant::now();
        let told = self.read(key).await;
        self.redis.took("get", begun, told.is_some());
        self.learn(told.is_some());
        let answer = CachedAnswer::read(&told??)?;
        (answer.left(time::now()) > 0).then(|| Arc::new(answer))
    }

    fn put(&self, key: &str, answer: Arc<CachedAnswer>) {
        if self.there.is_left_alone() || !self.waiting().take(key, &answer) {
            return;
        }
        if self.written.try_send(key.to_owned()).is_err() {
            self.waiting().forget(key);
        }
    }

    async fn delete(&self, keys: &[String]) -> Result<(), CacheError> {
        keys.iter().for_each(|key| self.waiting().forget(key));
        self.unlink(keys.iter().map(|key| Key::from(named(key))).collect()).await
    }

    async fn flush(&self) -> Result<(), CacheError> {
        *self.waiting() = Waiting::default();
        let client = &self.redis.client;
        if client.is_clustered() {
            return self.unlink_all(client.scan_cluster_buffered(ALL.to_owned(), Some(PAGE), None)).await;
        }
        self.unlink_all(client.scan_buffered(ALL.to_owned(), Some(PAGE), None)).await
    }

    async fn ping(&self) -> Result<(), CacheError> {
        let _pong: String = self.redis.client.ping(None).await.map_err(failed)?;
        Ok(())
    }

    async fn info(&self) -> Result<Option<Vec<(String, String)>>, CacheError> {
        let told: String = self.redis.client.info(None).await.map_err(failed)?;
        let facts =
            told.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(':'));
        Ok(Some(facts.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_core::domain::usage::{Usage, UsageSource};
    use weir_core::time::Micros;

    fn answer(bytes: usize) -> Arc<CachedAnswer> {
        Arc::new(CachedAnswer {
            at: Micros(0),
            until: Micros(1),
            deployment_id: String::new(),
            group: String::new(),
            usage: Usage::default(),
            usage_source: UsageSource::None,
            body: Bytes::from(vec![0; bytes]),
        })
    }

    #[test]
    fn p49_what_waits_is_bounded() {
        let mut waiting = Waiting::default();
        let half = answer(QUEUED_BYTES / 2 - 1_024);
        assert!(waiting.take("a", &half) && waiting.take("b", &half));
        assert!(!waiting.take("c", &answer(4_096)), "it is full");
        waiting.forget("a");
        assert!(waiting.take("c", &answer(4_096)));
        ["a", "b", "c"].iter().for_each(|key| waiting.forget(key));
        assert_eq!(waiting.bytes, 0);
    }
}
