//! Rate limits: requests and tokens in a window of time, and requests under way. `scopes.rs` says whose limits count,
//! `local.rs` counts in this process, a [`SharedRates`] for all of them; `heading.rs` tells in headers how they stand,
//! `priority.rs` is who goes first in a group, `refusal.rs` speaks LiteLLM's words. Where no limit is set, none of it runs.

mod heading;
mod local;
mod priority;
mod refusal;
mod scopes;
mod strain;

pub(crate) use local::Counter;
pub(crate) use priority::in_metadata as priority_of;
pub use refusal::{Told, refusal};
pub(crate) use scopes::OfCaller;
pub use scopes::{Descriptor, RateScope, Scopes};

use local::Local;
use smallvec::SmallVec;
use std::sync::Arc;
use std::time::Duration;
use strain::Strain;
use weir_core::domain::ids::EntryId;
use weir_core::domain::rates::{Count, Rate};
use weir_core::ports::rates::{RateAsk, RateSettle, SharedRates};
use weir_core::time::Micros;

/// All counters that this process counts in.
pub struct RateLimits {
    window: Duration,
    local: Local,
    shared: Option<Arc<dyn SharedRates>>,
    strain: Strain,
}

/// A scope that was full, and how it stood.
#[derive(Debug)]
pub struct Full {
    pub descriptor: Descriptor,
    pub id: String,
    pub rate: Rate,
    pub limit: i64,
    pub count: Count,
}

/// A request that is counted. Its slots are freed when it is dropped; what it was expected to use is then taken back.
pub struct Admitted {
    parts: SmallVec<[Part; 4]>,
    /// Tokens that each part was expected to use.
    held: i64,
    settled: bool,
}

struct Part {
    place: Place,
    began: Micros,
}

enum Place {
    Here(Arc<Counter>),
    Shared(Box<Slot>),
}

/// Where it is counted outside of this process.
struct Slot {
    rates: Arc<dyn SharedRates>,
    name: String,
    slot: String,
}

/// How a scope stands with this request in it.
#[derive(Debug)]
pub struct Standing {
    pub descriptor: Descriptor,
    pub rate: Rate,
    pub limit: i64,
    pub remaining: i64,
    pub ends: Micros,
}

impl RateLimits {
    /// `window`: how long what is counted counts.
    pub fn new(window: Duration, shared: Option<Arc<dyn SharedRates>>) -> Self {
        Self { window, local: Local::default(), shared, strain: Strain::default() }
    }

    pub fn window(&self) -> Duration {
        self.window
    }

    /// Counts a request in every scope or in none. `tokens`: what it is expected to use; `id`: of the request.
    ///
    /// # Errors
    /// The first scope that is full.
    pub async fn take(
        &self,
        scopes: &Scopes<'_>,
        tokens: i64,
        id: EntryId,
        now: Micros,
    ) -> Result<(Admitted, Vec<Standing>), Full> {
        if let Some(shared) = &self.shared {
            let asks: Vec<_> = scopes.iter().map(RateScope::ask).collect();
            let slot = id.to_string();
            if let Some(taken) = shared.take(&asks, tokens, &slot).await {
                // What all have counted so far is where this process goes on should they be lost.
                scopes
                    .iter()
                    .zip(&taken)
                    .for_each(|(scope, taken)| self.local.get(scope).learn(&taken.count));
                let place = |ask: RateAsk| {
                    let (rates, slot) = (Arc::clone(shared), slot.clone());
                    Place::Shared(Box::new(Slot { rates, name: ask.name, slot }))
                };
                let taken =
                    asks.into_iter().zip(taken).map(|(ask, taken)| (place(ask), taken.count, taken.full));
                return self.admit(scopes, taken, tokens);
            }
        }
        let taken = scopes.iter().map(|scope| {
            let counter = self.local.get(scope);
            let (count, full) = counter.take(&scope.limits, tokens, now, self.window);
            (Place::Here(counter), count, full)
        });
        self.admit(scopes, taken, tokens)
    }

    fn admit(
        &self,
        scopes: &Scopes<'_>,
        taken: impl Iterator<Item = (Place, Count, Option<Rate>)>,
        tokens: i64,
    ) -> Result<(Admitted, Vec<Standing>), Full> {
        let parts = SmallVec::with_capacity(scopes.len());
        let mut admitted = Admitted { parts, held: tokens, settled: false };
        let (mut standings, mut refused) = (Vec::with_capacity(scopes.len() * Rate::ALL.len()), None);
        for (scope, (place, count, full)) in scopes.iter().zip(taken) {
            if let Some(rate) = full {
                refused.get_or_insert((scope, rate, count));
                continue;
            }
            admitted.parts.push(Part { place, began: count.began });
            standings.extend(self.standings(scope, &count));
        }
        let Some((scope, rate, count)) = refused else { return Ok((admitted, standings)) };
        admitted.undo();
        let limit = scope.limits.of(rate).unwrap_or_default();
        Err(Full { descriptor: scope.descriptor, id: scope.id.to_string(), rate, limit, count })
    }

    fn standings(&self, scope: &RateScope<'_>, count: &Count) -> impl Iterator<Item = Standing> {
        let (count, ends) = (*count, count.ends(self.window));
        scope.told().map(move |(descriptor, rate, limit)| {
            let remaining = (limit - count.of(rate)).max(0);
            Standing { descriptor, rate, limit, remaining, ends }
        })
    }

    /// How scopes stand, as far as this process has heard. Nothing is counted.
    pub fn look(&self, scopes: &Scopes<'_>, now: Micros) -> Vec<Standing> {
        let mut standings = Vec::new();
        for scope in scopes.iter() {
            let count = self.counted(scope, now);
            standings.extend(self.standings(scope, &count));
        }
        standings
    }

    /// What is counted by now, as far as this process has heard.
    fn counted(&self, scope: &RateScope<'_>, now: Micros) -> Count {
        self.local.look(scope, now, self.window)
    }

    /// An attempt of this group has failed in a way that says something of the model.
    pub fn note_failure(&self, group: &str) {
        self.strain.note(group);
    }

    /// Whether a group has failed more often in the last minute than is usual.
    pub fn is_failing(&self, group: &str, usual: u64) -> bool {
        self.strain.is_on(group, usual)
    }

    /// Whether counters outside of this process are reached; `None`: there are none.
    pub fn shared(&self) -> Option<bool> {
        self.shared.as_ref().map(|shared| shared.are_there())
    }

    /// Forgets counters that count nothing any more. Called now and then.
    pub fn tidy(&self, now: Micros) {
        self.local.forget(now, self.window);
    }
}

impl Admitted {
    /// The truth: so many tokens were used.
    pub fn settle(mut self, tokens: i64) {
        self.close(tokens.saturating_sub(self.held), false);
    }

    /// It was no request.
    fn undo(mut self) {
        self.close(-self.held, true);
    }

    fn close(&mut self, tokens: i64, undo: bool) {
        if std::mem::replace(&mut self.settled, true) {
            return;
        }
        for Part { place, began } in self.parts.drain(..) {
            match place {
                Place::Here(counter) => counter.settle(began, tokens, undo),
                Place::Shared(shared) => {
                    let Slot { rates, name, slot } = *shared;
                    rates.settle(RateSettle { name, began, slot, tokens, undo });
                }
            }
        }
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.close(-self.held, false);
    }
}
