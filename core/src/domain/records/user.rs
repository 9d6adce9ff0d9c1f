//! Users, and what they may do.

use super::{Limits, Record, RecordKind, due};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What a user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    ProxyAdmin,
    ProxyAdminViewer,
    OrgAdmin,
    InternalUser,
    InternalUserViewer,
    /// A key that belongs to a team and to no user.
    Team,
    Customer,
}

impl Role {
    pub fn as_str(self) -> &'static str {
        match self {
            Role::ProxyAdmin => "proxy_admin",
            Role::ProxyAdminViewer => "proxy_admin_viewer",
            Role::OrgAdmin => "org_admin",
            Role::InternalUser => "internal_user",
            Role::InternalUserViewer => "internal_user_viewer",
            Role::Team => "team",
            Role::Customer => "customer",
        }
    }

    /// The reverse of [`Role::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        use Role as R;
        let all = [
            R::ProxyAdmin,
            R::ProxyAdminViewer,
            R::OrgAdmin,
            R::InternalUser,
            R::InternalUserViewer,
            R::Team,
            R::Customer,
        ];
        all.into_iter().find(|role| role.as_str() == text)
    }
}

/// Somebody who owns keys and may sign in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct User {
    pub id: String,
    pub alias: Option<String>,
    pub email: Option<String>,
    /// The subject at the identity provider.
    pub sso_id: Option<String>,
    /// What a provisioning system calls the user: SCIM's `userName`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    /// The provisioning system's own id: SCIM's `externalId`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// `None` is as good as `internal_user_viewer` without anything to view.
    pub role: Option<Role>,
    /// Empty: all. Holds for keys without a team.
    pub models: Vec<String>,
    #[serde(flatten)]
    pub limits: Limits,
    pub blocked: bool,
    /// A JSON object as text, as the admin sent it.
    pub metadata: String,
    /// argon2id, never the password itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_hash: Option<String>,
    /// What is only told back.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Record for User {
    const KIND: RecordKind = RecordKind::User;

    fn id(&self) -> String {
        self.id.clone()
    }

    fn columns(&self) -> Vec<Option<String>> {
        let role = self.role.map(|role| role.as_str().to_owned());
        let resets = due(self.limits.budget_reset_at);
        // Whatever their case, two names are one.
        let name = self.user_name.as_ref().map(|name| name.to_lowercase());
        let external = self.external_id.clone();
        vec![self.email.clone(), self.sso_id.clone(), role, self.alias.clone(), resets, external, name]
    }
}
