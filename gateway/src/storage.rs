//! What this process keeps outside of itself, and what it knows of it: ledger, journal, budgets, counters.

use crate::background::scribe::Queue;
use anyhow::Context;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use weir_core::config::{CachePlace, Config, RedisSettings};
use weir_core::ports::cache::AnswerCache;
use weir_core::ports::cooldowns::SharedCooldowns;
use weir_core::ports::meter::Meter;
use weir_core::ports::rates::SharedRates;
use weir_ledger::{
    CacheOptions, CooldownList, FileJournal, JournalOptions, KeyCache, LeaseBook, Ledger, LedgerOptions,
    Redis, SharedAnswers, SharedCounters, Writer, WriterOptions,
};
use weir_plugins::budgets::Budgets;
use weir_plugins::cache::Memory;
use weir_plugins::rates::RateLimits;

const TIDY: Duration = Duration::from_millis(250);
/// Rounds of tidying after which counters are looked through: ten seconds.
const COUNTERS_EVERY: u32 = 40;

/// LiteLLM's bound for a text in its logs.
const LONGEST_TEXT: usize = 2_048;

/// What the ledger's side of the process is made of.
pub struct Storage {
    pub ledger: Ledger,
    pub journal: Arc<FileJournal>,
    pub cache: Arc<KeyCache>,
    pub writer: Arc<Writer>,
    pub scribe: Arc<Queue>,
    pub budgets: Arc<Budgets>,
    pub rates: Arc<RateLimits>,
    /// `None`: each process cools deployments for itself.
    pub cooldowns: Option<Arc<dyn SharedCooldowns>>,
    /// `None`: answers are not cached.
    pub answers: Option<Arc<dyn AnswerCache>>,
}

/// Where the ledger is. Where schemas are not to be changed at start, `weir migrate` changes them.
pub fn ledger_options(config: &Config, folder: &Path) -> LedgerOptions {
    LedgerOptions {
        url: config.general.database_url.clone(),
        data_dir: folder.to_owned(),
        pool: config.general.database_connection_pool_limit,
        acquire: config.general.database_wait,
        migrate: !config.general.disable_schema_update,
    }
}

/// The database of record.
pub async fn ledger(config: &Config, folder: &Path) -> anyhow::Result<Ledger> {
    Ledger::open(ledger_options(config, folder)).await.context("the ledger cannot be opened")
}

/// `meter`: who wants to know how long it takes.
pub async fn open(config: &Config, folder: &Path, meter: &Arc<dyn Meter>) -> anyhow::Result<Storage> {
    let ledger = ledger(config, folder).await?.metered(Arc::clone(meter));
    let journal = JournalOptions {
        max_bytes: config.weir.journal_max_bytes,
        segment_bytes: config.weir.journal_segment_bytes,
        shards: config.weir.journal_shards,
    };
    let journal = Arc::new(FileJournal::open(folder, journal).context("the journal cannot be opened")?);
    let cache = CacheOptions { ttl: config.general.user_api_key_cache_ttl, ..CacheOptions::default() };
    let cache = Arc::new(KeyCache::new(Arc::new(ledger.clone()), cache).with_spend(Arc::new(ledger.clone())));
    let reclaim = config.weir.lease_reclaim_after;
    let options = WriterOptions { data_dir: folder.to_owned(), reclaim, ..WriterOptions::default() };
    let leases = Arc::new(LeaseBook::new(ledger.clone(), journal.name()));
    let writer = Arc::new(Writer::new(ledger.clone(), Arc::clone(&journal), Arc::clone(&leases), options));
    let budgets = Arc::new(Budgets::new(leases));
    let window = config.general.rate_limit_window;
    let redis = match &config.router.redis {
        Some(settings) => Some(redis(settings, config.weir.redis_timeout, meter)?),
        None => None,
    };
    let counters = |redis: &Redis| -> Arc<dyn SharedRates> { SharedCounters::begin(redis.clone(), window) };
    let list = |redis: &Redis| -> Arc<dyn SharedCooldowns> { CooldownList::begin(redis.clone()) };
    let rates = Arc::new(RateLimits::new(window, redis.as_ref().map(counters)));
    Ok(Storage {
        budgets,
        rates,
        cooldowns: redis.as_ref().map(list),
        answers: answers(config, meter)?,
        ledger,
        journal,
        cache,
        writer,
        scribe: Arc::new(Queue::new(longest_text(config))),
    })
}

/// Where processes count and cool together. It need not be there: it is asked again and again.
fn redis(settings: &RedisSettings, patience: Duration, meter: &Arc<dyn Meter>) -> anyhow::Result<Redis> {
    let redis = Redis::open(settings, patience).context("the settings of Redis cannot be used")?;
    tracing::info!("rate limits are counted in Redis ({}), and cooldowns are shared there", settings.told());
    Ok(redis.metered(Arc::clone(meter)))
}

/// Where answers are cached. With a connection of its own, so that no counter waits behind a long answer.
fn answers(config: &Config, meter: &Arc<dyn Meter>) -> anyhow::Result<Option<Arc<dyn AnswerCache>>> {
    let Some(settings) = &config.cache else { return Ok(None) };
    let answers: Arc<dyn AnswerCache> = match &settings.place {
        CachePlace::Memory => Arc::new(Memory::new(config.weir.cache_max_bytes)),
        CachePlace::Redis(redis) => {
            let opened = Redis::open(redis, redis.timeout.unwrap_or(config.weir.redis_timeout));
            tracing::info!("answers are cached in Redis ({})", redis.told());
            let opened = opened.context("the cache's Redis settings cannot be used")?;
            SharedAnswers::begin(opened.metered(Arc::clone(meter)))
        }
    };
    Ok(Some(answers))
}

/// Bytes of a text that is kept of what was said.
fn longest_text(config: &Config) -> usize {
    let set = config.env.filled("MAX_STRING_LENGTH_PROMPT_IN_DB").and_then(|text| text.parse().ok());
    set.unwrap_or(LONGEST_TEXT)
}

/// Slices of budgets that nobody here needs go back to where others find them; counters that are over are forgotten.
pub async fn tidy(budgets: Arc<Budgets>, rates: Arc<RateLimits>) {
    for round in 1_u32.. {
        tokio::time::sleep(TIDY).await;
        budgets.tidy().await;
        if round % COUNTERS_EVERY == 0 {
            rates.tidy(weir_core::time::now());
        }
    }
}
