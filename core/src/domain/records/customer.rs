//! Customers: the end users that clients name in `user`.

use super::{Record, RecordKind};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Customer {
    pub id: String,
    pub alias: Option<String>,
    pub blocked: bool,
    /// Its limits are those of a budget.
    pub budget_id: Option<String>,
    /// Only told back.
    pub default_model: Option<String>,
    pub allowed_model_region: Option<String>,
    /// What is only told back.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Record for Customer {
    const KIND: RecordKind = RecordKind::Customer;

    fn id(&self) -> String {
        self.id.clone()
    }

    fn columns(&self) -> Vec<Option<String>> {
        vec![self.alias.clone(), self.budget_id.clone()]
    }
}
