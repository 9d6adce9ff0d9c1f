//! Teams.

use super::{Limits, Record, RecordKind, due};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Keys and members that share models, budgets and limits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Team {
    pub id: String,
    pub alias: Option<String>,
    pub organization_id: Option<String>,
    /// A provisioning system's own id: SCIM's `externalId`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// Empty: all.
    pub models: Vec<String>,
    #[serde(flatten)]
    pub limits: Limits,
    pub blocked: bool,
    /// A JSON object as text, as the admin sent it.
    pub metadata: String,
    /// Names that only this team calls models by.
    pub model_aliases: Map<String, Value>,
    /// Key routes that members who are no admins may call.
    pub member_permissions: Vec<String>,
    /// What a new member is limited to, a budget's id.
    pub member_budget_id: Option<String>,
    /// What is only told back.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Record for Team {
    const KIND: RecordKind = RecordKind::Team;

    fn id(&self) -> String {
        self.id.clone()
    }

    fn columns(&self) -> Vec<Option<String>> {
        let (alias, organization) = (self.alias.clone(), self.organization_id.clone());
        vec![alias, organization, due(self.limits.budget_reset_at), self.external_id.clone()]
    }
}
