//! Answers that are kept to be given again. `key.rs` says which requests are the same, `asked.rs` what a request wants of
//! the cache, `flights.rs` lets one of several at once ask for all, `room.rs` bounds what is collected; `memory.rs` keeps
//! answers in this process, a [`weir_core::ports::cache::AnswerCache`] elsewhere. Where nothing is configured, none of it
//! runs.

mod asked;
mod flights;
mod key;
mod memory;
mod room;

pub use asked::Asked;
pub use flights::{Flights, Follow, Lead, Turn};
pub use key::key;
pub use memory::Memory;
pub use room::Room;

use crate::costed;
use crate::exchange::Exchange;
use crate::plugin::Reply;
use bytes::Bytes;
use room::Collected;
use std::sync::Arc;
use std::time::Duration;
use weir_core::chat::Dialect;
use weir_core::domain::cached::CachedAnswer;
use weir_core::domain::operation::Operation;
use weir_core::time::{self, Micros};

/// What the cache has to do with one exchange.
pub struct Caching {
    /// As it is told to clients: 64 hex digits, with the namespace before them.
    pub key: String,
    asked: Asked,
    ttl: Duration,
    /// Others wait for this one's answer.
    lead: Option<Lead>,
    /// This one waits for another's.
    follow: Option<Follow>,
    /// The answer as far as it is there; `None`: it is not kept.
    collected: Option<Collected>,
}

impl Caching {
    /// An exchange of which nothing is kept yet. `ttl`: how long an answer is good for, where the request does not say.
    pub fn new(key: String, asked: Asked, ttl: Duration) -> Self {
        Self { key, ttl: asked.ttl.unwrap_or(ttl), asked, lead: None, follow: None, collected: None }
    }

    pub(crate) fn asked(&self) -> &Asked {
        &self.asked
    }

    pub(crate) fn lead(&mut self, lead: Lead) {
        self.lead = Some(lead);
    }

    pub(crate) fn follow(&mut self, follow: Follow) {
        self.follow = Some(follow);
    }

    /// From now on the answer is collected.
    pub(crate) fn begin(&mut self, room: &Arc<Room>) {
        self.collected = Some(Collected::new(room));
    }

    /// Takes what the client is sent.
    pub fn collect(&mut self, bytes: &[u8]) {
        if let Some(collected) = &mut self.collected {
            collected.take(bytes);
        }
    }

    /// Whether another's answer is waited for.
    pub fn follows(&self) -> bool {
        self.follow.is_some()
    }

    /// Waits for the answer that another asks for; `None`: it has none to share. Cancel safe.
    pub async fn followed(&mut self) -> Option<Arc<CachedAnswer>> {
        let answer = self.follow.as_mut()?.answer().await;
        self.follow = None;
        answer.filter(|answer| self.asked.accepts(answer, time::now()))
    }

    /// Nothing of this exchange is kept.
    pub fn forget(&mut self) {
        self.collected = None;
    }

    /// This exchange is answered from the cache: nothing of it is kept, and whoever waits for it has the same answer.
    pub(crate) fn hit(&mut self, answer: &Arc<CachedAnswer>) {
        self.forget();
        if let Some(lead) = self.lead.take() {
            lead.land(Arc::clone(answer));
        }
    }

    /// The exchange is over: what is to be kept, if anything, and who leads those that wait for it.
    pub(crate) fn end(
        &mut self,
        made: impl FnOnce(Bytes, Micros, Micros) -> Option<CachedAnswer>,
    ) -> (Option<Lead>, Option<Arc<CachedAnswer>>) {
        let lead = self.lead.take();
        let Some(body) = self.collected.take().and_then(Collected::whole) else { return (lead, None) };
        let (at, ttl) = (time::now(), i64::try_from(self.ttl.as_micros()).unwrap_or(i64::MAX));
        (lead, made(body, at, Micros(at.0.saturating_add(ttl))).map(Arc::new))
    }
}

/// A kept answer, as an answer to this request.
pub fn reply(x: &Exchange, kept: &CachedAnswer) -> Reply {
    let tells_cost = x.request.stream && x.snapshot.config.litellm.cost_in_streams;
    Reply {
        body: if tells_cost { costed::free(&kept.body) } else { kept.body.clone() },
        deployment: x.snapshot.models.made(&kept.deployment_id, &kept.group),
        usage: kept.usage,
        usage_source: kept.usage_source,
        cached: true,
    }
}

/// Whether a success is worth keeping: it is whole, and nothing is still to come of it.
pub(crate) fn is_whole(x: &Exchange, body: &[u8]) -> bool {
    // A provider may answer a stream's request with JSON.
    let events = [&b"data:"[..], b"event:", b":"].iter().any(|begin| body.starts_with(begin));
    if events != x.request.stream || x.request.listed {
        return false;
    }
    if x.request.operation != Operation::Responses {
        return true;
    }
    match x.request.stream {
        true => memchr::memmem::find(body, b"response.completed").is_some(),
        false => is_completed(body),
    }
}

fn is_completed(body: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Told {
        status: Option<String>,
    }
    let told: Option<Told> = serde_json::from_slice(body).ok();
    told.is_some_and(|told| told.status.is_none_or(|status| status == "completed"))
}

/// Whether a key may be made of a request at all: who asks is known, and the answer is all that comes of it.
pub(crate) fn may_keep(x: &Exchange) -> bool {
    let request = &x.request;
    let known = request.pass.is_none() && x.caller.hash().is_some() && !request.body.is_true("background");
    known && request.errors() == Dialect::OpenAiChat
}
