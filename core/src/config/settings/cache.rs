//! `litellm_settings.cache` and `cache_params`: which answers are kept, where, and for how long.

use super::super::env::Env;
use super::super::keys;
use super::super::problems::{Problems, did_you_mean};
use super::super::section::Section;
use super::super::tree::Value;
use super::{RedisSettings, RouterSettings};
use crate::domain::operation::Operation;
use std::time::Duration;

/// LiteLLM's, in memory.
const MEMORY_TTL: Duration = Duration::from_secs(600);
/// LiteLLM keeps them for ever there.
const REDIS_TTL: Duration = Duration::from_secs(86_400);

/// What is kept where nothing else is said, under LiteLLM's names of its functions.
pub const CALL_TYPES: [&str; 12] = [
    "completion",
    "acompletion",
    "embedding",
    "aembedding",
    "atranscription",
    "transcription",
    "atext_completion",
    "text_completion",
    "arerank",
    "rerank",
    "responses",
    "aresponses",
];

/// Places of LiteLLM's where Weir keeps no answers.
const NOT_OFFERED: [&str; 6] = ["redis-semantic", "qdrant-semantic", "s3", "gcs", "azure-blob", "disk"];
const OFFERED: [&str; 2] = ["local", "redis"];

/// How answers are kept. There is none of it where they are not.
#[derive(Clone, Debug)]
pub struct CacheSettings {
    /// Needs a restart, unlike the others.
    pub place: CachePlace,
    /// How long an answer is good for, where its request says nothing else.
    pub ttl: Duration,
    /// What keys begin with, where the request says nothing else.
    pub namespace: Option<String>,
    /// Of [`CALL_TYPES`].
    pub call_types: Vec<String>,
    /// Whether requests have to ask for it (`mode: default_off`).
    pub on_demand: bool,
}

#[derive(Clone, Debug)]
pub enum CachePlace {
    Memory,
    Redis(RedisSettings),
}

impl CacheSettings {
    /// Of the router: the Redis that processes count in, and whether it asks for a cache. `None`: answers are not kept.
    pub(in super::super) fn read(
        litellm: &Section,
        router: &RouterSettings,
        env: &Env,
        problems: &mut Problems,
    ) -> Option<Self> {
        let (s, shared) = (params(litellm, problems), router.redis.as_ref());
        if !litellm.bool("cache").unwrap_or(router.cache_responses) {
            if litellm.node("cache_params").is_some() && litellm.node("cache").is_none() {
                problems.warn(s.at(), "has no effect by itself", "add cache: true");
            }
            return None;
        }
        let redis = RedisSettings::of_cache(&s, shared, env, problems);
        let place = place(&s, redis, problems)?;
        let (own, library, usual) = match place {
            CachePlace::Memory => ("default_in_memory_ttl", "default_in_memory_ttl", MEMORY_TTL),
            CachePlace::Redis(_) => ("default_in_redis_ttl", "default_redis_ttl", REDIS_TTL),
        };
        let ttl = s.seconds("ttl").or_else(|| s.seconds(own)).or_else(|| litellm.seconds(library));
        Some(Self {
            place,
            ttl: ttl.unwrap_or(usual),
            namespace: s.text("namespace").filter(|name| !name.is_empty()),
            call_types: call_types(&s, problems),
            on_demand: s.text("mode").as_deref() == Some("default_off"),
        })
    }

    /// Whether answers to this operation are kept at all. LiteLLM has two names of each, one with an `a` before it.
    pub fn keeps(&self, operation: Operation) -> bool {
        let name = operation.row().call_type;
        let other = name.strip_prefix('a').unwrap_or(name);
        self.call_types.iter().any(|named| named == name || named == other)
    }
}

fn params(litellm: &Section, problems: &mut Problems) -> Section {
    let node = litellm.node("cache_params").filter(|node| matches!(node.value, Value::Map(_)));
    match node {
        Some(node) => Section::read(node, &keys::CACHE, keys::CACHE.name, problems),
        None => Section::empty(&keys::CACHE),
    }
}

fn place(s: &Section, redis: Option<RedisSettings>, problems: &mut Problems) -> Option<CachePlace> {
    let kind = s.text("type");
    match (kind.as_deref(), redis) {
        (Some("local"), _) => Some(CachePlace::Memory),
        (None | Some("redis"), Some(redis)) => Some(CachePlace::Redis(redis)),
        (None, None) => {
            let message = "no Redis is named: each process keeps answers in its memory";
            problems.warn(s.at(), message, "add type: local if that is what you want, or REDIS_HOST");
            Some(CachePlace::Memory)
        }
        (Some("redis"), None) => {
            let cure = "add host, or set REDIS_HOST or REDIS_URL";
            problems.error(&s.place("type"), "no Redis is named", cure);
            None
        }
        (Some(other), _) if NOT_OFFERED.contains(&other) => {
            let message = format!("a cache in {other} is not supported, so no answers are cached");
            problems.warn(&s.place("type"), message, "use local or redis");
            None
        }
        (Some(other), _) => {
            let near = did_you_mean(other, OFFERED.iter().chain(&NOT_OFFERED).copied());
            let cure = if near.is_empty() { String::from("use local or redis") } else { near };
            problems.error(&s.place("type"), format!("there is no cache of type {other:?}"), cure);
            None
        }
    }
}

fn call_types(s: &Section, problems: &mut Problems) -> Vec<String> {
    const NAME: &str = "supported_call_types";
    let Some(named) = s.texts(NAME) else { return CALL_TYPES.map(str::to_owned).to_vec() };
    for name in named.iter().filter(|name| !CALL_TYPES.contains(&name.as_str())) {
        let near = did_you_mean(name, CALL_TYPES);
        problems.warn(&s.place(NAME), format!("answers of {name:?} are never cached"), near);
    }
    named.into_iter().filter(|name| CALL_TYPES.contains(&name.as_str())).collect()
}
