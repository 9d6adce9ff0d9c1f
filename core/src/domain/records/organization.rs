//! Organisations: teams under one roof.

use super::{Record, RecordKind};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Organization {
    pub id: String,
    pub alias: Option<String>,
    /// Its limits are those of a budget.
    pub budget_id: Option<String>,
    /// Empty: all.
    pub models: Vec<String>,
    /// A JSON object as text, as the admin sent it.
    pub metadata: String,
    /// What is only told back.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Record for Organization {
    const KIND: RecordKind = RecordKind::Organization;

    fn id(&self) -> String {
        self.id.clone()
    }

    fn columns(&self) -> Vec<Option<String>> {
        vec![self.alias.clone(), self.budget_id.clone()]
    }
}
