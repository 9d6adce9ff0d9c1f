//! Ids of function calls. Other dialects cannot do without them, Gemini only learned them with version 3.

use std::hash::{DefaultHasher, Hash, Hasher};

/// Ids that begin like this were made up here and mean nothing to Google.
const MADE_UP: &str = "call_gem_";

/// Between an id and the signature of its call, in LiteLLM's ids: its clients send them back.
const SIGNATURE_FOLLOWS: &str = "__thought__";

/// An id for the n-th call of an answer. `seed`: what tells this answer from others. Stays below the 40 characters that
/// OpenAI allows.
pub(super) fn made_up(seed: u64, n: usize) -> String {
    format!("{MADE_UP}{seed:016x}_{n}")
}

/// A seed from whatever is unique to an answer.
pub(super) fn seed(unique: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    unique.hash(&mut hasher);
    hasher.finish()
}

/// The id as Google knows it: without a signature; `None` where we made it up.
pub(super) fn for_google(id: &str) -> Option<String> {
    let (id, _) = split(id);
    (!id.is_empty() && !id.starts_with(MADE_UP)).then(|| id.to_owned())
}

/// The signature that travelled inside an id.
pub(super) fn signature(id: &str) -> Option<&str> {
    split(id).1
}

fn split(id: &str) -> (&str, Option<&str>) {
    id.split_once(SIGNATURE_FOLLOWS).map_or((id, None), |(id, signature)| (id, Some(signature)))
}
