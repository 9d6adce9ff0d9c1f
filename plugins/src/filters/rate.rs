//! Rate limits: the request is counted before it is sent, and its tokens are settled with what it did use.

use super::FilterKind;
use crate::budgets::asked_output;
use crate::exchange::{Exchange, Named};
use crate::plugin::{Flow, Phase, Plugin};
use crate::rates::{Descriptor, RateLimits, Scopes, Told, refusal};
use crate::tokens;
use async_trait::async_trait;
use std::sync::Arc;
use weir_core::config::TokenRate;
use weir_core::domain::key::Principal;
use weir_core::domain::rates::{Dynamic, Rate};
use weir_core::domain::spend::AttemptRecord;
use weir_core::domain::usage::Usage;
use weir_core::error::ApiError;
use weir_core::time::Micros;

pub static KIND: FilterKind = FilterKind {
    name: "rate_limits",
    phases: &[Phase::Request, Phase::Finish],
    build: |s| Arc::new(Limited { rates: Arc::clone(&s.rates) }),
};

struct Limited {
    rates: Arc<RateLimits>,
}

/// Output tokens that are held for a request at most: who may say more seldom does.
const MOST_OUTPUT: u64 = 4_096;

#[async_trait]
impl Plugin for Limited {
    async fn on_request(&self, x: &mut Exchange) -> Result<Flow, ApiError> {
        if x.request.operation.counts() {
            return Ok(Flow::Continue);
        }
        let (caller, named) = (x.caller.clone(), x.holders.take());
        let relaxed = relaxed(x, &self.rates);
        let mut all = all_scopes(caller.principal(), named.as_deref(), &x.target.requested, relaxed);
        let now = x.clock.started_at;
        if let Some((priorities, group)) =
            x.snapshot.config.litellm.priorities.as_ref().zip(x.target.group.as_ref())
        {
            all.share(priorities, group, caller.principal(), &self.rates, now);
        }
        if all.is_empty() {
            return Ok(Flow::Continue);
        }
        match self.rates.take(&all, expected(x), x.id, now).await {
            Ok((admitted, standings)) => {
                x.rate_limits = Some(Box::new(Told::of(&all, standings, now)));
                x.admitted = Some(admitted);
                Ok(Flow::Continue)
            }
            Err(full) => {
                // Who runs too much at once may come again at any moment, but LiteLLM names the window too.
                let ends = match full.rate {
                    Rate::Parallel => Micros(now.0.saturating_add(micros(&self.rates))),
                    _ => full.count.ends(self.rates.window()),
                };
                x.rate_limits = Some(Box::new(Told::full(&full, ends, now)));
                Err(refusal(&full, ends, now))
            }
        }
    }

    fn on_finish(&self, x: &mut Exchange) {
        for failed in x.attempts.iter().filter(|attempt| says_of_model(attempt)) {
            self.rates.note_failure(&failed.model_group);
        }
        if let Some(admitted) = x.admitted.take() {
            let rate = x.snapshot.config.general.token_rate_limit_type;
            // Tokens of an answer that was there already are no load.
            let used = if x.answer.cache_hit { 0 } else { used(&x.answer.usage, rate) };
            admitted.settle(used);
        }
    }
}

/// Whether the provider was too busy, or not well.
fn says_of_model(attempt: &AttemptRecord) -> bool {
    attempt.status == 429 || attempt.is_outage()
}

/// Limits of the key that do not count now, as its model does not fail.
pub(crate) fn relaxed(x: &Exchange, rates: &RateLimits) -> Dynamic {
    let dynamic = x.caller.principal().map(|known| known.model_rates().dynamic).unwrap_or_default();
    let usual = x.snapshot.config.general.usual_failures;
    if dynamic.any() && rates.is_failing(x.group_name(), usual) { Dynamic::default() } else { dynamic }
}

/// All limits that a request is counted by.
pub(crate) fn all_scopes<'a>(
    known: Option<&Principal>,
    named: Option<&'a Named>,
    model: &str,
    relaxed: Dynamic,
) -> Scopes<'a> {
    let mut all = Scopes::of(known, model, relaxed);
    if let Some(named) = named {
        named.customer.iter().for_each(|(id, holder)| all.add(Descriptor::EndUser, id, holder));
        named.tags.iter().for_each(|(id, holder)| all.add(Descriptor::Tag, id, holder));
    }
    all
}

fn micros(rates: &RateLimits) -> i64 {
    i64::try_from(rates.window().as_micros()).unwrap_or(i64::MAX)
}

/// By the bytes of the body and by the output that it asks for.
fn expected(x: &Exchange) -> i64 {
    let input = tokens::from_bytes(x.request.body.bytes().len());
    let output = asked_output(&x.request.body).unwrap_or_default().min(MOST_OUTPUT);
    let expected = match x.snapshot.config.general.token_rate_limit_type {
        TokenRate::Total => input + output,
        TokenRate::Input => input,
        TokenRate::Output => output,
    };
    i64::try_from(expected).unwrap_or(i64::MAX)
}

/// What was read from a cache is no load, as LiteLLM has it.
fn used(usage: &Usage, rate: TokenRate) -> i64 {
    let input = usage.input.saturating_sub(usage.cache_read);
    let used = match rate {
        TokenRate::Total => input.saturating_add(usage.output),
        TokenRate::Input => input,
        TokenRate::Output => usage.output,
    };
    i64::try_from(used).unwrap_or(i64::MAX)
}
