//! A provider for benchmarks: every reply was built before the first request, no body is parsed.
//!
//! The end of the path names the API and the operation: chat, `embeddings` and `models` of OpenAI, `messages`,
//! Bedrock's `converse` and `invoke`, `/api/chat` of Ollama; a file each. Options come from
//! [`Options`]; a request overrides them in the first segment of its path or in its query, so that one server
//! carries several bench cases: `/chunks=8,pace_us=5000/v1/chat/completions`, `/v1/embeddings?fail=10`.

mod anthropic;
mod bedrock;
mod ollama;
mod openai;
mod options;
mod replies;
mod scan;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use super::reply::Reply;
use super::seen::{Seen, Upstream};
pub use options::Options;
use replies::Replies;
pub use replies::{COMPLETION_TOKENS, MARK, PROMPT_TOKENS, marks};

/// Sets of overrides that are kept; requests with more than these get a status 400.
const MAX_VARIANTS: usize = 64;

/// The provider.
pub struct Canned {
    options: Options,
    replies: Arc<Replies>,
    variants: RwLock<HashMap<String, Arc<Replies>>>,
    count: AtomicU64,
}

// --- impl Canned ---

impl Canned {
    /// Builds every reply.
    pub fn new(options: Options) -> Canned {
        let replies = Arc::new(Replies::build(&options));
        Canned { options, replies, variants: RwLock::default(), count: AtomicU64::new(0) }
    }

    fn replies(&self, seen: &Seen) -> Option<Arc<Replies>> {
        match options::overrides(&seen.path) {
            None => Some(Arc::clone(&self.replies)),
            Some(text) => self.variant(text),
        }
    }

    fn variant(&self, text: &str) -> Option<Arc<Replies>> {
        let known = self.variants.read().unwrap_or_else(PoisonError::into_inner).get(text).cloned();
        known.or_else(|| self.build_variant(text))
    }

    fn build_variant(&self, text: &str) -> Option<Arc<Replies>> {
        let replies = Arc::new(Replies::build(&self.options.with(text)?));
        let mut variants = self.variants.write().unwrap_or_else(PoisonError::into_inner);
        if variants.len() >= MAX_VARIANTS {
            return None;
        }
        variants.insert(text.to_owned(), Arc::clone(&replies));
        Some(replies)
    }

    /// Failures are spread evenly: of any thousand requests in a row, exactly `per_mille` fail.
    fn fails(&self, per_mille: u32) -> bool {
        if per_mille == 0 {
            return false;
        }
        let (at, rate) = (self.count.fetch_add(1, Ordering::Relaxed) % 1000, u64::from(per_mille));
        at * rate / 1000 != (at + 1) * rate / 1000
    }
}

impl Upstream for Canned {
    fn answer(&self, seen: &Seen) -> Reply {
        let Some(replies) = self.replies(seen) else { return replies::bad_options() };
        if self.fails(replies.fail_per_mille) {
            return replies.failure.clone();
        }
        replies.pick(seen).clone()
    }
}
