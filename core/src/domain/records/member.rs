//! Who belongs to what.

use super::team::Team;
use super::user::Role;
use super::{Record, RecordKind};
use serde::{Deserialize, Serialize};

/// What a member of a team may do there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TeamRole {
    Admin,
    #[default]
    User,
}

/// A user in a team.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Member {
    pub team_id: String,
    pub user_id: String,
    pub role: TeamRole,
    pub email: Option<String>,
    /// What this user may spend in this team, a budget's id.
    pub budget_id: Option<String>,
    /// Is one because a group of the identity provider names the team, and no longer than it does.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub by_group: bool,
}

/// A user in an organisation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrganizationMember {
    pub organization_id: String,
    pub user_id: String,
    pub role: Role,
    #[serde(default)]
    pub budget_id: Option<String>,
}

/// The id of a membership. The separator can stand in no id that is sent in JSON text without an escape.
pub fn member_id(group: &str, user: &str) -> String {
    format!("{group}\u{1f}{user}")
}

impl Member {
    /// A user in a team, as one begins there.
    pub fn of(team: &Team, user: &str) -> Self {
        Self {
            team_id: team.id.clone(),
            user_id: user.to_owned(),
            budget_id: team.member_budget_id.clone(),
            ..Self::default()
        }
    }
}

impl Record for Member {
    const KIND: RecordKind = RecordKind::Member;

    fn id(&self) -> String {
        member_id(&self.team_id, &self.user_id)
    }

    fn columns(&self) -> Vec<Option<String>> {
        vec![Some(self.team_id.clone()), Some(self.user_id.clone()), self.budget_id.clone()]
    }
}

impl Record for OrganizationMember {
    const KIND: RecordKind = RecordKind::OrganizationMember;

    fn id(&self) -> String {
        member_id(&self.organization_id, &self.user_id)
    }

    fn columns(&self) -> Vec<Option<String>> {
        vec![Some(self.organization_id.clone()), Some(self.user_id.clone())]
    }
}
