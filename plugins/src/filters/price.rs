//! What the usage costs. Runs at finish, and earlier for plain answers, whose header tells the cost.

use super::FilterKind;
use crate::exchange::Exchange;
use crate::plugin::{Phase, Plugin};
use std::sync::Arc;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::usage::UsageSource;
use weir_core::model::prices;

pub static KIND: FilterKind =
    FilterKind { name: "price", phases: &[Phase::Finish], build: |_| Arc::new(Price) };

struct Price;

impl Plugin for Price {
    fn on_finish(&self, x: &mut Exchange) {
        let Some(deployment) = &x.answer.deployment else { return };
        if x.answer.usage_source == UsageSource::None {
            return;
        }
        x.answer.cost = match &deployment.price {
            Some(priced) => prices::total_cost(&priced.price, &x.answer.usage, prices::ServiceTier::Standard),
            None => NanoUsd::ZERO,
        };
        x.answer.unpriced = deployment.price.is_none();
        if x.answer.unpriced {
            deployment.warn_unpriced();
        }
    }
}
