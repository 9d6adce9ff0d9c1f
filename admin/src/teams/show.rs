//! A team as it is told: with its members, and what was spent.

use super::table::{ROW, TABLE, TEAM};
use crate::answer::{Object, Raw, raw};
use crate::context::Context;
use crate::deleted::Deleted;
use crate::error::Refusal;
use crate::fields::{self, moment};
use serde_json::{Value, json};
use std::collections::HashMap;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::records::{Budget, Kept, Member, Team, TeamRole};
use weir_core::ports::records::get_all;
use weir_core::ports::{Condition, SpendScope};

/// A team with what stands beside it.
pub(crate) struct Told {
    pub(crate) team: Kept<Team>,
    pub(crate) members: Vec<Kept<Member>>,
    spend: NanoUsd,
}

/// A team that is gone.
pub(super) fn former(gone: &Deleted<Team>) -> Object {
    let mut told = fields::show(TABLE, TEAM, &gone.record, |name| match name {
        "members_with_roles" => Some(raw::<[Value]>(&[])),
        name => gone.beside(name),
    });
    gone.sign(&mut told);
    told
}

impl Told {
    pub(crate) async fn load(context: &Context, team: Kept<Team>) -> Result<Self, Refusal> {
        let mut all = Self::load_all(context, vec![team]).await?;
        all.pop().ok_or_else(|| Refusal::internal("a team is gone"))
    }

    /// For many teams at once: a few questions to the ledger, not a few for each.
    pub(crate) async fn load_all(context: &Context, teams: Vec<Kept<Team>>) -> Result<Vec<Self>, Refusal> {
        let ids: Vec<String> = teams.iter().map(|team| team.id.clone()).collect();
        let spent = context.services.spend.spent(SpendScope::Team, &ids).await?;
        let mut members: HashMap<String, Vec<Kept<Member>>> = HashMap::new();
        for member in context.all::<Member>(vec![Condition::In("team_id", ids)]).await? {
            members.entry(member.team_id.clone()).or_default().push(member);
        }
        let told = teams.into_iter().map(|team| Self {
            members: members.remove(&team.id).unwrap_or_default(),
            spend: spent.get(&team.id).copied().unwrap_or_default(),
            team,
        });
        Ok(told.collect())
    }

    /// As most answers tell it.
    pub(crate) fn team(&self) -> Object {
        fields::show(TABLE, TEAM, &self.team.record, |name| self.beside(name))
    }

    /// As answers to changes tell it.
    pub(crate) fn row(&self) -> Object {
        fields::show(TABLE, ROW, &self.team.record, |name| self.beside(name))
    }

    fn beside(&self, name: &str) -> Option<Raw> {
        match name {
            "spend" => Some(self.spend.json()),
            "members_with_roles" => Some(raw(&self.roles())),
            "created_at" => Some(moment(self.team.created_at)),
            "updated_at" => Some(moment(self.team.updated_at)),
            // Where LiteLLM's clients look for a team's own names for models.
            "litellm_model_table" if !self.team.model_aliases.is_empty() => {
                Some(raw(&json!({ "model_aliases": self.team.model_aliases })))
            }
            _ => None,
        }
    }

    pub(crate) fn roles(&self) -> Vec<Value> {
        self.members.iter().map(|member| role(member)).collect()
    }

    /// Members that have a budget, with it.
    pub(crate) async fn memberships(&self, context: &Context) -> Result<Vec<Object>, Refusal> {
        let ids: Vec<String> = self.members.iter().filter_map(|member| member.budget_id.clone()).collect();
        let budgets = get_all::<Budget>(context.directory(), &ids).await?;
        let keys: Vec<String> =
            self.members.iter().map(|m| weir_core::domain::records::Record::id(&m.record)).collect();
        let spent = context.services.spend.spent(SpendScope::Member, &keys).await?;
        let with_budget = self.members.iter().filter_map(|member| Some((member, member.budget_id.as_ref()?)));
        let told = with_budget.map(|(member, id)| {
            let budget = budgets.iter().find(|budget| budget.id == *id);
            let spend = spent.get(&weir_core::domain::records::Record::id(&member.record));
            Object(vec![
                ("user_id", raw(&member.user_id)),
                ("team_id", raw(&member.team_id)),
                ("budget_id", raw(id)),
                ("spend", spend.copied().unwrap_or_default().json()),
                (
                    "litellm_budget_table",
                    budget.map_or_else(|| raw(&Value::Null), |b| raw(&crate::budgets::told(b))),
                ),
            ])
        });
        Ok(told.collect())
    }
}

fn role(member: &Member) -> Value {
    let role = if member.role == TeamRole::Admin { "admin" } else { "user" };
    json!({ "user_id": member.user_id, "user_email": member.email, "role": role })
}
