//! Answers that are kept to be given again. The answer is looked for before a provider is asked, and kept when the exchange
//! was a success. Of several requests that are the same one asks; the gateway lets the others wait for it.

use super::FilterKind;
use crate::cache::{Asked, Caching, Flights, Room, Turn, is_whole, key, may_keep, reply};
use crate::exchange::Exchange;
use crate::plugin::{Flow, Phase, Plugin};
use crate::services::Services;
use async_trait::async_trait;
use std::sync::Arc;
use weir_core::config::CacheScope;
use weir_core::domain::cached::CachedAnswer;
use weir_core::domain::operation::Operation;
use weir_core::domain::spend::Status;
use weir_core::error::ApiError;
use weir_core::ports::cache::AnswerCache;
use weir_core::time;

pub static KIND: FilterKind = FilterKind {
    name: "cache",
    phases: &[Phase::Request, Phase::Finish],
    build: |s| Arc::new(Cached::new(s)),
};

/// Bytes of all answers under way that are collected to be kept.
const COLLECTED: usize = 32 << 20;

struct Cached {
    answers: Option<Arc<dyn AnswerCache>>,
    flights: Arc<Flights>,
    room: Arc<Room>,
}

impl Cached {
    fn new(services: &Services) -> Self {
        Self { answers: services.answers.clone(), flights: Arc::default(), room: Room::new(COLLECTED) }
    }

    /// Looks for a kept answer; where there is none, this request asks, or waits for one that does.
    async fn look(&self, answers: &dyn AnswerCache, caching: &mut Caching) -> Option<Arc<CachedAnswer>> {
        if caching.asked().reads() {
            self.take_turn(caching);
            let found = if caching.follows() { None } else { answers.get(&caching.key).await };
            if let Some(found) = found.filter(|found| caching.asked().accepts(found, time::now())) {
                caching.hit(&found);
                return Some(found);
            }
        }
        if !caching.asked().no_store {
            caching.begin(&self.room);
        }
        None
    }

    /// Before it looks: whoever follows would find nothing until the one that leads is done. An answer that is not kept
    /// is nobody else's.
    fn take_turn(&self, caching: &mut Caching) {
        if caching.asked().no_store {
            return;
        }
        match self.flights.turn(&caching.key) {
            Turn::Lead(lead) => caching.lead(lead),
            Turn::Follow(follow) => caching.follow(follow),
        }
    }
}

#[async_trait]
impl Plugin for Cached {
    fn is_idle(&self) -> bool {
        self.answers.is_none()
    }

    async fn on_request(&self, x: &mut Exchange) -> Result<Flow, ApiError> {
        let Some(answers) = &self.answers else { return Ok(Flow::Continue) };
        if x.guarded.as_ref().is_some_and(|guarded| guarded.is_masked()) {
            return Ok(Flow::Continue);
        }
        let Some(mut caching) = wanted(x) else { return Ok(Flow::Continue) };
        let found = self.look(answers.as_ref(), &mut caching).await;
        x.caching = Some(Box::new(caching));
        Ok(found.map_or(Flow::Continue, |found| Flow::Answer(reply(x, &found))))
    }

    fn on_finish(&self, x: &mut Exchange) {
        let Some(mut caching) = x.caching.take() else { return };
        let (lead, kept) = caching.end(|body, at, until| {
            let deployment = x.answer.deployment.as_ref().filter(|_| is_kept(x, &body))?;
            Some(CachedAnswer {
                at,
                until,
                deployment_id: deployment.id.clone(),
                group: deployment.group.clone(),
                usage: x.answer.usage,
                usage_source: x.answer.usage_source,
                body,
            })
        });
        if let (Some(answers), Some(kept)) = (&self.answers, kept) {
            // Kept first: whoever comes when nobody leads any more finds it.
            answers.put(&caching.key, Arc::clone(&kept));
            if let Some(lead) = lead {
                lead.land(kept);
            }
        }
        // Metrics and the answer's head tell of it.
        x.caching = Some(caching);
    }
}

/// What the cache has to do with a request; `None`: nothing.
fn wanted(x: &Exchange) -> Option<Caching> {
    if x.target.own.is_some() {
        return None; // who answers a client with its own credentials answers nobody else
    }
    let config = &x.snapshot.config;
    let settings = config.cache.as_ref().filter(|settings| settings.keeps(x.request.operation))?;
    if !may_keep(x)
        || x.request.operation == Operation::Responses && config.weir.cache_scope != CacheScope::Key
    {
        // The id of a response belongs to the key that it was made for.
        return None;
    }
    let asked = Asked::of(&x.request.body)?;
    if settings.on_demand && !asked.use_cache {
        return None;
    }
    let namespace =
        asked.namespace.as_deref().or(settings.namespace.as_deref()).unwrap_or_default().to_owned();
    let hashed = key(x, &namespace)?;
    let key = if namespace.is_empty() { hashed } else { format!("{namespace}:{hashed}") };
    Some(Caching::new(key, asked, settings.ttl))
}

/// A whole success, as long as the request wanted it.
fn is_kept(x: &Exchange, body: &[u8]) -> bool {
    let answer = &x.answer;
    let success = answer.outcome == Some(Status::Success) && answer.status == 200;
    success && !answer.cache_hit && x.limit_output.is_none() && is_whole(x, body)
}
