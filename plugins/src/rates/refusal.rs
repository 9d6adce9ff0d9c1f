//! Rate limits as clients read them: headers of every answer, and the refusal in LiteLLM's words.

use super::scopes::{DESCRIPTORS, Descriptor, NAMES};
use super::{Full, Standing};
use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use std::sync::LazyLock;
use std::time::Duration;
use weir_core::domain::rates::Rate;
use weir_core::error::{ApiError, Kind};
use weir_core::time::Micros;

/// What an answer says of limits.
#[derive(Debug, Default)]
pub struct Told {
    standings: Vec<Standing>,
    /// Of requests and of tokens, the scope with the least left, as OpenAI names them.
    pub tightest: [Option<Tightest>; 2],
    /// What is left of the key's own limits for this model: requests, tokens.
    pub model_of_key: [Option<i64>; 2],
}

/// `x-ratelimit-limit-requests`, `-remaining-`, `-reset-`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tightest {
    pub limit: i64,
    pub remaining: i64,
    /// Seconds to the end of the window, rounded up.
    pub reset: i64,
}

/// Remaining and limit for each descriptor and rate. Static, since those cost nothing to copy.
static HEADERS: LazyLock<Vec<[HeaderName; 2]>> = LazyLock::new(|| {
    let name = |descriptor: &str, what: &str, rate: Rate| {
        let name = format!("x-ratelimit-{descriptor}-{what}-{}", rate.as_str());
        HeaderName::from_static(Box::leak(name.into_boxed_str()))
    };
    let both =
        |descriptor: &str, rate| [name(descriptor, "remaining", rate), name(descriptor, "limit", rate)];
    NAMES.iter().flat_map(|descriptor| Rate::ALL.map(|rate| both(descriptor, rate))).collect()
});

impl Told {
    pub fn of(standings: Vec<Standing>, now: Micros) -> Self {
        let mut told = Self::default();
        for standing in &standings {
            told.tighten(standing, now);
            told.note_model(standing);
        }
        told.standings = standings;
        told
    }

    /// By descriptor, as LiteLLM names them: remaining, then the limit.
    pub fn named(&self) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
        let numbers = self.standings.iter().flat_map(|standing| [standing.remaining, standing.limit]);
        self.names().zip(header_values(numbers, self.len()))
    }

    fn names(&self) -> impl Iterator<Item = HeaderName> {
        self.standings.iter().flat_map(|standing| {
            let at = standing.descriptor as usize * Rate::ALL.len() + standing.rate as usize;
            debug_assert!(at < DESCRIPTORS * Rate::ALL.len());
            HEADERS[at].clone()
        })
    }

    /// How many headers there are by name.
    pub fn len(&self) -> usize {
        self.standings.len() * 2
    }

    pub fn is_empty(&self) -> bool {
        self.standings.is_empty()
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
        Self::of(vec![Standing { descriptor: *descriptor, rate: *rate, limit: *limit, remaining, ends }], now)
    }
}

/// Numbers as values of headers, all in one piece of memory: there may be fifty of them.
fn header_values(numbers: impl Iterator<Item = i64>, count: usize) -> impl Iterator<Item = HeaderValue> {
    let mut digits = Vec::with_capacity(count * 12);
    let mut ends = Vec::with_capacity(count);
    for number in numbers {
        digits.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
        ends.push(digits.len());
    }
    let (digits, mut begin) = (Bytes::from(digits), 0);
    ends.into_iter().map(move |end| {
        let value = digits.slice(std::mem::replace(&mut begin, end)..end);
        HeaderValue::from_maybe_shared(value).unwrap_or_else(|_| HeaderValue::from_static(""))
    })
}

fn seconds(ends: Micros, now: Micros) -> i64 {
    ends.0.saturating_sub(now.0).max(0).saturating_add(999_999) / 1_000_000
}

/// 429. `ends`: when it is worth coming again.
pub fn refusal(full: &Full, ends: Micros, now: Micros) -> ApiError {
    let Full { descriptor, id, rate, limit, count } = full;
    let message = format!(
        "Rate limit exceeded for {}: {id}. Limit type: {}. Current limit: {limit}, Remaining: {}. Limit resets at: {}",
        descriptor.as_str(),
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
