//! A request filter. A plugin shows only the phases it uses; the chain asks only those.

use crate::deployment::Deployment;
use crate::exchange::{Attempt, Exchange};
use crate::watch::Watcher;
use async_trait::async_trait;
use bytes::Bytes;
use std::sync::Arc;
use weir_core::domain::usage::{Usage, UsageSource};
use weir_core::error::ApiError;

/// When a plugin wants to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Request,
    Attempt,
    Answer,
    Finish,
}

/// What becomes of a request after a filter.
#[derive(Debug)]
pub enum Flow {
    /// The next filter is asked.
    Continue,
    /// This is the answer. Neither another filter nor a provider is asked.
    Answer(Reply),
}

/// A success that no provider is asked for. It is booked, at no cost.
#[derive(Clone, Debug)]
pub struct Reply {
    /// In the client's dialect: a JSON object, or all events of a stream where the request wants one.
    pub body: Bytes,
    /// Whose answer it is said to be; `None`: the first deployment of the group.
    pub deployment: Option<Arc<Deployment>>,
    pub usage: Usage,
    pub usage_source: UsageSource,
    /// It was answered before, and is booked as a hit.
    pub cached: bool,
}

/// The phases of an exchange. Nothing here knows sockets: a plugin is tested with an `Exchange` alone.
#[async_trait]
pub trait Plugin: Send + Sync {
    /// Whether it has nothing to do as long as this process runs. The chain leaves it out then.
    fn is_idle(&self) -> bool {
        false
    }

    /// Once, before any provider is asked. An error is the client's answer.
    async fn on_request(&self, _x: &mut Exchange) -> Result<Flow, ApiError> {
        Ok(Flow::Continue)
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
