//! A request filter. A plugin shows only the phases it uses; the chain asks only those.

use crate::exchange::{Attempt, Exchange};
use async_trait::async_trait;
use weir_core::error::ApiError;

/// When a plugin wants to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Request,
    Attempt,
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

    /// Exactly once, for success, refusal, upstream failure and cancel alike, before the client gets its last byte.
    fn on_finish(&self, _x: &mut Exchange) {}
}
