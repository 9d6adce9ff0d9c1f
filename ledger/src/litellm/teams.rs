//! Teams and who is in them. A team's `members_with_roles` says who is a member; a row of memberships says what a member
//! has spent and may spend, and stays behind when somebody leaves.

use super::keys::PERMISSION;
use super::row::{Refused, Row, refused};
use super::source::{Table, beside};
use super::take::{Context, Part, Taken, extra, limits};
use serde::Deserialize;
use weir_core::domain::records::{Member, Team, TeamRole};
use weir_core::ports::SpendScope;

const ALIASES: &str = "SELECT m.aliases FROM @LiteLLM_ModelTable m WHERE m.id = t.model_id";

/// Members of whom there is no row of memberships.
const PLAIN: &str = "SELECT json_agg(e) FROM jsonb_array_elements( \
        CASE jsonb_typeof(t.members_with_roles) WHEN 'array' THEN t.members_with_roles ELSE '[]' END) e \
    WHERE NOT EXISTS (SELECT FROM @LiteLLM_TeamMembership m WHERE m.team_id = t.team_id AND m.user_id = e ->> 'user_id')";

/// What the team says of a row of memberships.
const MEMBER: &str = "SELECT e FROM @LiteLLM_TeamTable o, jsonb_array_elements( \
        CASE jsonb_typeof(o.members_with_roles) WHEN 'array' THEN o.members_with_roles ELSE '[]' END) e \
    WHERE o.team_id = t.team_id AND e ->> 'user_id' = t.user_id LIMIT 1";

/// The part of the report that counts members without a row of memberships.
const MEMBERS: &str = "LiteLLM_TeamTable.members_with_roles";

const INVITED: &str = "members that are known by e-mail only are no users yet: add them again";

pub(super) static TEAMS: Part = Part {
    table: Table {
        name: "LiteLLM_TeamTable",
        key: &[("team_id", "TEXT")],
        #[rustfmt::skip]
        columns: &[
            "team_id", "team_alias", "organization_id", "metadata", "max_budget", "spend", "models",
            "max_parallel_requests", "tpm_limit", "rpm_limit", "budget_duration", "budget_reset_at", "blocked",
            "created_at", "updated_at", "model_max_budget", "team_member_permissions", "router_settings",
        ],
        beside: &[
            beside("model_aliases", ALIASES),
            beside("plain_members", PLAIN),
            beside("object_permission", PERMISSION),
        ],
    },
    convert: team,
    notes: &["admins, members (the old lists) and model_spend have no counterpart"],
};

pub(super) static MEMBERSHIPS: Part = Part {
    table: Table {
        name: "LiteLLM_TeamMembership",
        key: &[("user_id", "TEXT"), ("team_id", "TEXT")],
        columns: &["user_id", "team_id", "spend", "budget_id"],
        beside: &[beside("member", MEMBER)],
    },
    convert: membership,
    notes: &[],
};

/// A member as a team lists it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Listed {
    role: Option<String>,
    user_id: Option<String>,
    user_email: Option<String>,
}

impl Listed {
    fn member(self, team_id: &str, budget_id: Option<String>) -> Option<Member> {
        Some(Member {
            team_id: team_id.to_owned(),
            user_id: self.user_id.filter(|id| !id.is_empty())?,
            role: if self.role.as_deref() == Some("admin") { TeamRole::Admin } else { TeamRole::User },
            email: self.user_email.filter(|email| !email.is_empty()),
            budget_id,
            ..Member::default()
        })
    }
}

fn team(context: &Context<'_>, row: &Row) -> Result<Vec<Taken>, Refused> {
    let id = row.required("team_id")?;
    let member_budget =
        row.object("metadata").get("team_member_budget_id").and_then(|id| id.as_str().map(str::to_owned));
    let team = Team {
        id: id.clone(),
        alias: row.text("team_alias"),
        organization_id: row.text("organization_id"),
        external_id: None,
        models: row.texts("models"),
        limits: limits(row)?,
        blocked: row.flag("blocked"),
        metadata: row.object_text("metadata"),
        model_aliases: row.object("model_aliases"),
        member_permissions: row.texts("team_member_permissions"),
        member_budget_id: member_budget.clone(),
        extra: extra(row, &["router_settings", "model_max_budget", "object_permission"]),
    };
    let taken = Taken::new(context, row, &team)?.spending(SpendScope::Team, row)?;
    let listed = row.value("plain_members").and_then(|list| serde_json::from_value::<Vec<Listed>>(list).ok());
    let listed = listed.unwrap_or_default();
    let invited = listed.iter().any(|listed| listed.user_id.is_none());
    let mut all = vec![taken.noting(invited.then(|| INVITED.to_owned()))];
    for member in listed.into_iter().filter_map(|listed| listed.member(&id, member_budget.clone())) {
        all.push(Taken::new(context, row, &member)?.counted(MEMBERS));
    }
    Ok(all)
}

fn membership(context: &Context<'_>, row: &Row) -> Result<Vec<Taken>, Refused> {
    let team = row.required("team_id")?;
    let listed = row.value("member").and_then(|member| serde_json::from_value::<Listed>(member).ok());
    let member = listed.and_then(|listed| listed.member(&team, row.text("budget_id")));
    let member = member.ok_or_else(|| refused("the user is no member of this team any more"))?;
    Ok(vec![Taken::new(context, row, &member)?.spending(SpendScope::Member, row)?])
}
