//! Answers in this process's memory, bounded by their bytes. What is asked for least goes first.

use async_trait::async_trait;
use std::sync::Arc;
use std::time::{Duration, Instant};
use weir_core::domain::cached::CachedAnswer;
use weir_core::ports::cache::{AnswerCache, CacheError};
use weir_core::time;

/// What an entry of the map takes beside its key and its answer, more or less.
const BESIDE: usize = 200;

pub struct Memory {
    kept: moka::sync::Cache<String, Arc<CachedAnswer>>,
}

/// An answer is forgotten when it is over.
struct Over;

impl Memory {
    pub fn new(bytes: u64) -> Self {
        let weight = |key: &String, answer: &Arc<CachedAnswer>| {
            u32::try_from(key.len() + answer.size() + BESIDE).unwrap_or(u32::MAX)
        };
        let kept = moka::sync::Cache::builder().max_capacity(bytes).weigher(weight).expire_after(Over);
        Self { kept: kept.build() }
    }
}

impl Over {
    fn left(answer: &CachedAnswer) -> Option<Duration> {
        Some(Duration::from_micros(u64::try_from(answer.left(time::now())).unwrap_or_default()))
    }
}

impl moka::Expiry<String, Arc<CachedAnswer>> for Over {
    fn expire_after_create(&self, _: &String, answer: &Arc<CachedAnswer>, _: Instant) -> Option<Duration> {
        Self::left(answer)
    }

    fn expire_after_update(
        &self,
        _: &String,
        answer: &Arc<CachedAnswer>,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Self::left(answer)
    }
}

#[async_trait]
impl AnswerCache for Memory {
    fn place(&self) -> &'static str {
        "local"
    }

    async fn get(&self, key: &str) -> Option<Arc<CachedAnswer>> {
        self.kept.get(key).filter(|answer| answer.left(time::now()) > 0)
    }

    fn put(&self, key: &str, answer: Arc<CachedAnswer>) {
        self.kept.insert(key.to_owned(), answer);
    }

    async fn delete(&self, keys: &[String]) -> Result<(), CacheError> {
        keys.iter().for_each(|key| self.kept.invalidate(key));
        Ok(())
    }

    async fn flush(&self) -> Result<(), CacheError> {
        self.kept.invalidate_all();
        Ok(())
    }

    async fn ping(&self) -> Result<(), CacheError> {
        Ok(())
    }

    async fn info(&self) -> Result<Option<Vec<(String, String)>>, CacheError> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use weir_core::domain::usage::{Usage, UsageSource};
    use weir_core::time::Micros;

    fn answer(bytes: usize, seconds: i64) -> Arc<CachedAnswer> {
        let at = time::now();
        Arc::new(CachedAnswer {
            at,
            until: Micros(at.0 + seconds * 1_000_000),
            deployment_id: String::new(),
            group: String::new(),
            usage: Usage::default(),
            usage_source: UsageSource::None,
            body: Bytes::from(vec![0; bytes]),
        })
    }

    #[tokio::test]
    async fn answers_are_there_until_they_are_over_or_forgotten() {
        let memory = Memory::new(1 << 20);
        memory.put("a", answer(10, 60));
        memory.put("b", answer(10, 60));
        memory.put("over", answer(10, 0));
        assert!(memory.get("a").await.is_some() && memory.get("c").await.is_none());
        assert!(memory.get("over").await.is_none());
        memory.delete(&[String::from("a"), String::from("c")]).await.unwrap();
        assert!(memory.get("a").await.is_none() && memory.get("b").await.is_some());
        memory.flush().await.unwrap();
        assert!(memory.get("b").await.is_none());
        memory.put("b", answer(10, 60));
        assert!(memory.get("b").await.is_some(), "what comes after a flush stays");
    }

    #[test]
    fn p49_memory_is_bounded_by_bytes() {
        let memory = Memory::new(100_000);
        for n in 0..1_000 {
            memory.put(&n.to_string(), answer(1_000, 60));
        }
        memory.kept.run_pending_tasks();
        assert!(memory.kept.weighted_size() <= 100_000, "{}", memory.kept.weighted_size());
        assert!(memory.kept.entry_count() > 10);
    }
}
