//! `logging_only`: what is kept of a request and its answer is masked, what passes is not.

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
    pub async fn hide(&self, mut value: Value, side: Side) -> Value {
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
}
