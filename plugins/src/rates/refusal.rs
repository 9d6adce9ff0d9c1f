//! Rate limits as clients read them: headers of every answer, and the refusal in LiteLLM's words.

use super::scopes::{Descriptor, Own, Scopes};
use super::{Full, Standing, heading};
use http::HeaderMap;
use std::sync::Arc;
use std::time::Duration;
use weir_core::domain::rates::Rate;
use weir_core::error::{ApiError, Kind};
use weir_core::time::Micros;

/// What an answer says of limits.
#[derive(Default)]
pub struct Told {
    /// How the caller's own limits are told of; their standings come first.
    own: Option<Arc<Own>>,
    standings: Vec<Standing>,
    /// Of requests and of tokens, the scope with the least left, as OpenAI names them.
    tightest: [Option<Tightest>; 2],
    /// What is left of the key's own limits for this model: requests, tokens.
    pub model_of_key: [Option<i64>; 2],
}

/// `x-ratelimit-limit-requests`, `-remaining-`, `-reset-`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tightest {
    pub(super) limit: i64,
    pub(super) remaining: i64,
    /// Seconds to the end of the window, rounded up.
    pub(super) reset: i64,
}

impl Told {
    /// Of a request that is counted in these scopes.
    pub fn of(scopes: &Scopes<'_>, standings: Vec<Standing>, now: Micros) -> Self {
        Self { own: scopes.own.clone(), ..Self::these(standings, now) }
    }

    fn these(standings: Vec<Standing>, now: Micros) -> Self {
        let mut told = Self::default();
        for standing in &standings {
            told.tighten(standing, now);
            told.note_model(standing);
        }
        told.standings = standings;
        told
    }

    /// Says by name, as LiteLLM does, what is left and what the limit is, in place of what a provider says by these names; and
    /// what is left in all, where the provider says nothing of it.
    pub fn write(&self, head: &mut HeaderMap) {
        heading::write(&self.standings, head);
        heading::write_in_all(self.tightest, head);
    }

    /// The same as lines of HTTP/1, each of which begins with the end of the line before it. `head`: what else is said, none of
    /// it by the names of scopes.
    pub fn lines(&self, head: &HeaderMap, out: &mut String) {
        match &self.own {
            Some(own) => own.heading.lines(&self.standings, out),
            None => heading::lines(&self.standings, out),
        }
        heading::lines_in_all(self.tightest, head, out);
    }

    fn note_model(&mut self, standing: &Standing) {
        if standing.descriptor != Descriptor::ModelPerKey {
            return;
        }
        match standing.rate {
            Rate::Requests => self.model_of_key[0] = Some(standing.remaining),
            Rate::Tokens => self.model_of_key[1] = Some(standing.remaining),
            Rate::Parallel => {}
        }
    }

    fn tighten(&mut self, standing: &Standing, now: Micros) {
        let place = match standing.rate {
            Rate::Requests => &mut self.tightest[0],
            Rate::Tokens => &mut self.tightest[1],
            Rate::Parallel => return,
        };
        let Standing { limit, remaining, .. } = *standing;
        if place.is_none_or(|tightest| remaining < tightest.remaining) {
            *place = Some(Tightest { limit, remaining, reset: seconds(standing.ends, now) });
        }
    }

    /// Of a request that was refused.
    pub fn full(full: &Full, ends: Micros, now: Micros) -> Self {
        let Full { descriptor, rate, limit, count, .. } = full;
        let remaining = (limit - count.of(*rate)).max(0);
        let standing = Standing { descriptor: *descriptor, rate: *rate, limit: *limit, remaining, ends };
        Self::these(vec![standing], now)
    }
}

fn seconds(ends: Micros, now: Micros) -> i64 {
    ends.0.saturating_sub(now.0).max(0).saturating_add(999_999) / 1_000_000
}

/// 429. `ends`: when it is worth coming again.
pub fn refusal(full: &Full, ends: Micros, now: Micros) -> ApiError {
    let Full { descriptor, id, rate, limit, count } = full;
    let begins = match descriptor {
        Descriptor::Group => format!("Model capacity reached for {id}"),
        Descriptor::Priority => {
            let priority = id.rsplit(':').next().unwrap_or_default();
            format!("Priority-based rate limit exceeded. Priority: {priority}")
        }
        _ => format!("Rate limit exceeded for {}: {id}", descriptor.as_str()),
    };
    let message = format!(
        "{begins}. Limit type: {}. Current limit: {limit}, Remaining: {}. Limit resets at: {}",
        rate.as_str(),
        (limit - count.of(*rate)).max(0),
        told(ends)
    );
    let wait = u64::try_from(seconds(ends, now)).unwrap_or(1).max(1);
    ApiError::new(Kind::RateLimited, message).with_retry_after(Duration::from_secs(wait))
}

/// `2026-11-23 11:57:23 UTC`
fn told(at: Micros) -> String {
    let text = at.rfc3339();
    let (date, time) = (text.get(..10).unwrap_or_default(), text.get(11..19).unwrap_or_default());
    format!("{date} {time} UTC")
}
