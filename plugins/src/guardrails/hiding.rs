//! What is kept of a request and its answer is masked where what passes is not: by guardrails of the mode `logging_only`, and
//! where something was put back into the answer that the model has not seen.

use super::check::{About, Side};
use super::select::Chosen;
use super::texts::Leaves;
use crate::metrics::Metrics;
use serde_json::Value;
use std::sync::Arc;
use weir_core::config::When;

/// Masks before something is kept.
pub struct Hiding {
    pub chosen: Vec<Chosen>,
    pub about: Arc<About>,
    pub metrics: Arc<Metrics>,
}

impl Hiding {
    /// The value as it may be kept: null where a guardrail does not want that, or cannot say.
    pub async fn hide(&self, value: Value, side: Side) -> Value {
        let mut value = self.masked_again(value, side);
        for chosen in &self.chosen {
            let leaves = Leaves::with_thoughts(value);
            let asked = chosen.asked(&self.about, side, leaves.texts.clone(), Vec::new());
            value = match chosen.rail.run(&asked, When::LoggingOnly, &self.metrics).await {
                Ok(Some(masked)) => leaves.write(masked),
                Ok(None) => {
                    let same = leaves.texts.clone();
                    leaves.write(same)
                }
                Err(error) => {
                    tracing::debug!("not kept: {error}");
                    return Value::Null;
                }
            };
        }
        value
    }

    /// Whether there is anything to mask on this side.
    pub fn looks_at(&self, side: Side) -> bool {
        !self.chosen.is_empty() || side == Side::Answer && !self.about.masked.is_empty()
    }

    /// A request is kept as it went out.
    fn masked_again(&self, value: Value, side: Side) -> Value {
        if side == Side::Request || self.about.masked.is_empty() {
            return value;
        }
        let leaves = Leaves::with_thoughts(value);
        let hidden = self.about.masked.hidden(&leaves.texts);
        leaves.write(hidden)
    }
}
