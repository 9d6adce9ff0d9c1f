//! A user as one is told: with teams, and what was spent.

use super::table::{LISTED, ROW, TABLE};
use crate::answer::{Object, Raw, raw};
use crate::context::Context;
use crate::error::Refusal;
use crate::fields::{self, moment};
use std::collections::HashMap;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::records::{Kept, Member, OrganizationMember, User};
use weir_core::ports::records::get_all;
use weir_core::ports::{Condition, SpendScope};

pub(crate) struct Told {
    pub(crate) user: Kept<User>,
    pub(crate) teams: Vec<String>,
    memberships: Vec<OrganizationMember>,
    spend: NanoUsd,
}

impl Told {
    pub(crate) async fn load(context: &Context, user: Kept<User>) -> Result<Self, Refusal> {
        let mut all = Self::load_all(context, vec![user]).await?;
        all.pop().ok_or_else(|| Refusal::internal("a user is gone"))
    }

    /// For many users at once.
    pub(crate) async fn load_all(context: &Context, users: Vec<Kept<User>>) -> Result<Vec<Self>, Refusal> {
        let ids: Vec<String> = users.iter().map(|user| user.id.clone()).collect();
        let spent = context.services.spend.spent(SpendScope::User, &ids).await?;
        let mut teams: HashMap<String, Vec<String>> = HashMap::new();
        for member in context.all::<Member>(vec![Condition::In("user_id", ids.clone())]).await? {
            teams.entry(member.user_id.clone()).or_default().push(member.record.team_id);
        }
        let mut places: HashMap<String, Vec<OrganizationMember>> = HashMap::new();
        for place in context.all::<OrganizationMember>(vec![Condition::In("user_id", ids)]).await? {
            places.entry(place.user_id.clone()).or_default().push(place.record);
        }
        let told = users.into_iter().map(|user| Self {
            teams: teams.remove(&user.id).unwrap_or_default(),
            memberships: places.remove(&user.id).unwrap_or_default(),
            spend: spent.get(&user.id).copied().unwrap_or_default(),
            user,
        });
        Ok(told.collect())
    }

    pub(crate) fn listed(&self) -> Object {
        fields::show(TABLE, LISTED, &self.user.record, |name| self.beside(name))
    }

    pub(crate) fn row(&self) -> Object {
        fields::show(TABLE, ROW, &self.user.record, |name| self.beside(name))
    }

    /// The same with the organisations the user has a role in, none too.
    pub(crate) fn whole(&self) -> Object {
        fields::show(TABLE, ROW, &self.user.record, |name| match name {
            "organization_memberships" => Some(raw(&self.memberships)),
            name => self.beside(name),
        })
    }

    fn beside(&self, name: &str) -> Option<Raw> {
        match name {
            "spend" => Some(self.spend.json()),
            "teams" => Some(raw(&self.teams)),
            "organization_memberships" if !self.memberships.is_empty() => Some(raw(&self.memberships)),
            "created_at" => Some(moment(self.user.created_at)),
            "updated_at" => Some(moment(self.user.updated_at)),
            _ => None,
        }
    }
}

/// Users as other resources tell of them, in the order of `ids`.
pub(crate) async fn told_all(context: &Context, ids: Vec<String>) -> Result<Vec<Object>, Refusal> {
    let mut users = get_all::<User>(context.directory(), &ids).await?;
    users.sort_by_key(|user| ids.iter().position(|id| *id == user.id));
    Ok(Told::load_all(context, users).await?.iter().map(Told::listed).collect())
}
