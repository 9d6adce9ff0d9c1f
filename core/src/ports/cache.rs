//! Where answers are kept to be given again: in this process, or where all processes find them.

use crate::domain::cached::CachedAnswer;
use async_trait::async_trait;
use std::sync::Arc;

/// Why something could not be done to the cache. The text is for its operator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CacheError(pub String);

/// Kept answers, by a key that tells all requests apart that may not share one. Nothing of it is needed to serve: what is
/// lost is asked for again.
#[async_trait]
pub trait AnswerCache: Send + Sync {
    /// LiteLLM's name of the place: `local` or `redis`.
    fn place(&self) -> &'static str;

    /// `None`: there is none, it is over, or nobody can say within the time that a request waits.
    async fn get(&self, key: &str) -> Option<Arc<CachedAnswer>>;

    /// Returns at once, and is done soon; [`AnswerCache::get`] of this process finds it from now on. It may be dropped
    /// where there is no room.
    fn put(&self, key: &str, answer: Arc<CachedAnswer>);

    /// Forgets some; those that are not there are no error.
    ///
    /// # Errors
    /// It cannot be reached.
    async fn delete(&self, keys: &[String]) -> Result<(), CacheError>;

    /// Forgets all answers, and nothing else that is kept in the same place.
    ///
    /// # Errors
    /// It cannot be reached.
    async fn flush(&self) -> Result<(), CacheError>;

    /// # Errors
    /// It cannot be reached.
    async fn ping(&self) -> Result<(), CacheError>;

    /// Facts that the server tells of itself, by name; `None`: there is no server.
    ///
    /// # Errors
    /// It cannot be reached.
    async fn info(&self) -> Result<Option<Vec<(String, String)>>, CacheError>;
}
