//! What the usage costs. Runs at finish, and earlier for plain answers, whose header tells the cost.

use super::FilterKind;
use crate::deployment::Deployment;
use crate::exchange::Exchange;
use crate::measure::{self, Measured};
use crate::plugin::{Phase, Plugin};
use crate::tier;
use std::sync::Arc;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::spend::{Charge, Status};
use weir_core::domain::usage::UsageSource;

pub static KIND: FilterKind =
    FilterKind { name: "price", phases: &[Phase::Finish], build: |_| Arc::new(Price) };

struct Price;

impl Plugin for Price {
    fn on_finish(&self, x: &mut Exchange) {
        settle_tier(x);
        price(x);
        x.explained.charges = charges(x);
        if let Some(known) = x.caller.principal() {
            known.spent.add(x.answer.cost);
        }
    }
}

/// What the answer says counts before what was asked: the provider may have had no room at that tier.
fn settle_tier(x: &mut Exchange) {
    if x.answer.usage_source != UsageSource::None {
        let asked = x.answer.deployment.as_ref().and_then(|deployment| tier::asked(x, deployment));
        x.answer.usage = x.answer.usage.or_at(asked);
    }
}

fn price(x: &mut Exchange) {
    if x.answer.cache_hit {
        return;
    }
    x.answer.cost = x.answer.outrun_cost();
    let Some(deployment) = &x.answer.deployment else { return };
    if let Some(raw) = &x.request.pass
        && (raw.fee().is_some() || x.answer.usage_source == UsageSource::None)
    {
        let served = x.answer.outcome == Some(Status::Success);
        x.answer.cost = raw.fee().filter(|_| served).unwrap_or(NanoUsd::ZERO);
        // What a call costs of which nothing is known, nobody can say.
        x.answer.unpriced = served && raw.fee().is_none() && !x.request.like().counts();
        return;
    }
    if x.answer.usage_source == UsageSource::None {
        return;
    }
    let (answer, measured) = (&x.answer, measured(x, deployment));
    let priced = deployment.price.as_ref();
    let cost = priced.and_then(|p| measure::cost(&p.price, &answer.usage, answer.usage_source, measured));
    x.answer.listed = cost.filter(|_| deployment.markup.is_some());
    x.answer.cost += cost.map_or(NanoUsd::ZERO, |listed| deployment.charged(listed));
    x.answer.unpriced = cost.is_none();
    if x.answer.unpriced {
        deployment.warn_unpriced();
    }
}

/// How the cost came about; nothing where it did not come from the price list.
fn charges(x: &Exchange) -> Vec<Charge> {
    let priced = x.answer.deployment.as_ref().and_then(|d| Some((d, d.price.as_ref()?)));
    let Some((deployment, priced)) = priced.filter(|_| x.answer.cost != NanoUsd::ZERO) else {
        return Vec::new();
    };
    if x.answer.usage_source == UsageSource::None
        || x.request.pass.as_ref().is_some_and(|raw| raw.fee().is_some())
    {
        return Vec::new();
    }
    let (usage, source) = (&x.answer.usage, x.answer.usage_source);
    let mut charges = measure::charges(&priced.price, usage, source, measured(x, deployment));
    if let Some((markup, listed)) = deployment.markup.zip(x.answer.listed) {
        charges.extend(markup.charges(listed));
    }
    charges
}

/// What was counted beside tokens. Chats of models that are paid by the second cost what the provider took.
fn measured(x: &Exchange, deployment: &Deployment) -> Option<Measured> {
    let by_time = deployment.price.as_ref().is_some_and(|p| !p.price.prices_tokens());
    let timed = || x.request.like().row().chat.map(|_| Measured::Time(x.answer.provider_time));
    x.answer.measured.or_else(|| timed().filter(|_| by_time))
}
