//! The budget that a key is told with (`litellm_budget_table`).

use crate::answer::{Raw, raw};
use crate::budgets;
use crate::context::Context;
use crate::error::Refusal;
use weir_core::domain::key::KeyRecord;
use weir_core::domain::records::{Budget, Limits};

/// The field of answers.
pub(super) const NAME: &str = "litellm_budget_table";

/// The one that it shares with others; else its own amount to warn at, which LiteLLM tells nowhere else.
pub(super) async fn told(context: &Context, key: &KeyRecord) -> Result<Option<Raw>, Refusal> {
    if let Some(id) = key.budget_id.as_deref() {
        return Ok(context.get::<Budget>(id).await?.map(|kept| raw(&budgets::row(&kept))));
    }
    Ok(key.limits.soft_budget.map(|soft| {
        let limits = Limits { soft_budget: Some(soft), ..Limits::default() };
        let mut told = budgets::told(&Budget { limits, ..Budget::default() });
        told.0.retain(|(name, _)| *name != "budget_id");
        raw(&told)
    }))
}
