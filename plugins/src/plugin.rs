//! A request filter. A plugin shows only the phases it uses; the chain asks only those.

use crate::exchange::{Attempt, Exchange};
use crate::watch::Watcher;
use async_trait::async_trait;
use weir_core::error::ApiError;

/// When a plugin wants to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Request,
    Attempt,
    Answer,
    Finish,
}

/// The phases of an exchange. Nothing here knows sockets: a plugin is tested with an `Exchange` alone.
#[async_trait]
pub trait Plugin: Send + Sync {
    /// Once, before any provider is asked. An error is the client's answer.
    async fn on_request(&self, _x: &mut Exchange) -> Result<(), ApiError> {
        Ok(())
    }

    /// Before the first byte of each attempt goes upstream.
    fn on_attempt(&self, _x: &mut Exchange, _attempt: &Attempt) -> Result<(), ApiError> {
        Ok(())
    }

    /// Once for each attempt, before its request is written: adds who looks at the answer while it passes, in the order in
    /// which they see it. An answer that nobody looks at passes as it comes.
    fn watch(&self, _x: &Exchange, _watchers: &mut Vec<Box<dyn Watcher>>) {}

    /// Exactly once, for success, refusal, upstream failure and cancel alike, before the client gets its last byte.
    fn on_finish(&self, _x: &mut Exchange) {}
}
