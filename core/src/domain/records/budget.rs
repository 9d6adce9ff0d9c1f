//! Budgets that several may be held to, each for itself.

use super::{Limits, Record, RecordKind, due};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Budget {
    pub id: String,
    #[serde(flatten)]
    pub limits: Limits,
    /// Per model: `{"gpt-4o": {"budget_limit": "0.01", "time_period": "1d"}}`.
    pub model_max_budget: Map<String, Value>,
    /// What is only told back.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Record for Budget {
    const KIND: RecordKind = RecordKind::Budget;

    fn id(&self) -> String {
        self.id.clone()
    }

    fn columns(&self) -> Vec<Option<String>> {
        vec![due(self.limits.budget_reset_at)]
    }
}
