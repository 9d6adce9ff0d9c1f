//! Who belongs to what.

use super::team::Team;
use super::user::{Role, User};
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

/// Who comes into a team and who leaves one, now that an identity provider says of a user which groups they are in.
#[derive(Debug, Default, PartialEq)]
pub struct Moves {
    pub joins: Vec<Member>,
    pub leaves: Vec<Member>,
}

impl Moves {
    /// `named`: the teams among those groups. `there`: all memberships of the user. Memberships that somebody else gave
    /// stay, unless the provider's word is the `whole` truth.
    pub fn of(user: &User, named: &[Team], there: Vec<Member>, whole: bool) -> Self {
        let is_in = |team: &&Team| there.iter().any(|member| member.team_id == team.id);
        let fresh =
            |team: &Team| Member { email: user.email.clone(), by_group: true, ..Member::of(team, &user.id) };
        let joins = named.iter().filter(|team| !is_in(team)).map(fresh).collect();
        let stays = |member: &Member| named.iter().any(|team| team.id == member.team_id);
        let leaves =
            there.into_iter().filter(|member| (whole || member.by_group) && !stays(member)).collect();
        Self { joins, leaves }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn team(id: &str) -> Team {
        Team { id: id.into(), ..Team::default() }
    }

    fn ids(members: &[Member]) -> Vec<&str> {
        members.iter().map(|member| member.team_id.as_str()).collect()
    }

    #[test]
    fn who_is_in_a_team_for_a_group_leaves_with_it() {
        let user = User { id: "ann".into(), ..User::default() };
        let there = || {
            let by_group = |id: &str| Member { by_group: true, ..Member::of(&team(id), "ann") };
            vec![by_group("red"), by_group("blue"), Member::of(&team("by-hand"), "ann")]
        };
        let moves = Moves::of(&user, &[team("red"), team("green")], there(), false);
        assert_eq!((ids(&moves.joins), ids(&moves.leaves)), (vec!["green"], vec!["blue"]));
        assert!(moves.joins.iter().all(|member| member.by_group && member.user_id == "ann"));
        let moves = Moves::of(&user, &[team("red")], there(), true);
        assert_eq!((ids(&moves.joins), ids(&moves.leaves)), (vec![], vec!["blue", "by-hand"]));
        assert_eq!(Moves::of(&user, &[], Vec::new(), true), Moves::default());
    }
}
