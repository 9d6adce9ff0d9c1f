//! Making, changing and deleting organisations.

use super::show::{TABLE, found, told};
use crate::answer::Object;
use crate::budgets;
use crate::context::Context;
use crate::error::Refusal;
use crate::fields;
use crate::input::Fields;
use crate::work::Work;
use axum::Json;
use weir_core::domain::ids::new_entry_id;
use weir_core::domain::key::KeyRecord;
use weir_core::domain::records::{Budget, Kept, Member, Organization, OrganizationMember, Team};
use weir_core::ports::Condition;

pub(super) async fn new(context: Context, mut sent: Fields) -> Result<Json<Object>, Refusal> {
    if !context.is_admin() {
        let role = context.caller.role().map_or("unknown", |role| role.as_str());
        let message = format!("Only proxy admins can create new organizations. You are {role}");
        return Err(Refusal::told(401, "auth_error", "user_role", message));
    }
    let id = sent.text("organization_id").filter(|id| !id.is_empty());
    let named = sent.text("budget_id");
    let budget = budgets::sent(&mut sent)
        .unwrap_or_else(|| Budget { id: new_entry_id().to_string(), ..Budget::default() });
    let mut organization = Organization { metadata: "{}".to_owned(), ..Organization::default() };
    sent.must_have("organization_alias");
    fields::read(TABLE, &mut sent, &mut organization);
    sent.finish()?;
    organization.id = id.unwrap_or_else(|| new_entry_id().to_string());
    if context.get::<Organization>(&organization.id).await?.is_some() {
        let message = format!("Organization id = {} already exists.", organization.id);
        return Err(Refusal::wrapped(400, &message));
    }
    let mut work = Work::new(&context);
    organization.budget_id = budgets::of_holder(&context, &mut work, named, Some(budget)).await?;
    work.insert(&organization)?;
    work.commit().await?;
    whole(&context, &found(&context, &organization.id).await?, false).await
}

async fn whole(context: &Context, kept: &Kept<Organization>, members: bool) -> Result<Json<Object>, Refusal> {
    let told = told(context, std::slice::from_ref(kept), members).await?.pop();
    told.map(Json).ok_or_else(|| Refusal::internal("the organization is gone"))
}

pub(super) async fn update(context: Context, mut sent: Fields) -> Result<Json<Object>, Refusal> {
    let id = sent.required_text("organization_id");
    let named = sent.text("budget_id");
    let kept = context.get::<Organization>(&id).await?;
    let mut organization = kept.as_ref().map(|kept| kept.record.clone()).unwrap_or_default();
    fields::read(TABLE, &mut sent, &mut organization);
    let mut work = Work::new(&context);
    organization.budget_id = match named {
        Some(named) => budgets::of_holder(&context, &mut work, Some(named), None).await?,
        None => {
            budgets::change_of_holder(&context, &mut work, organization.budget_id.as_deref(), &mut sent)
                .await?
        }
    };
    sent.finish()?;
    let kept = match kept {
        Some(kept) => kept,
        None => found(&context, &id).await?,
    };
    work.update(&kept, &organization, "updated")?;
    work.commit().await?;
    whole(&context, &found(&context, &id).await?, true).await
}

/// Deletes organisations with their teams, keys and memberships.
pub(super) async fn delete(context: Context, mut sent: Fields) -> Result<Json<Vec<Object>>, Refusal> {
    let ids = sent.texts("organization_ids");
    sent.finish()?;
    if !context.is_admin() {
        return Err(Refusal::told(
            401,
            "auth_error",
            "user_role",
            "Only proxy admins can delete organizations.",
        ));
    }
    let mut organizations = Vec::new();
    for id in &ids {
        organizations.push(found(&context, id).await?);
    }
    let answer = told(&context, &organizations, true).await?;
    let theirs = || vec![Condition::In("organization_id", ids.clone())];
    let teams = context.all::<Team>(theirs()).await?;
    let of_teams = vec![Condition::In("team_id", teams.iter().map(|team| team.id.clone()).collect())];
    let mut work = Work::new(&context);
    organizations.iter().for_each(|organization| work.delete(&organization.record));
    teams.iter().for_each(|team| work.delete(&team.record));
    for member in context.all::<OrganizationMember>(theirs()).await? {
        work.delete(&member.record);
    }
    for member in context.all::<Member>(of_teams.clone()).await? {
        work.delete(&member.record);
    }
    let mut keys = context.all::<KeyRecord>(theirs()).await?;
    keys.extend(context.all::<KeyRecord>(of_teams).await?);
    keys.sort_by_key(|key| key.hash);
    keys.dedup_by_key(|key| key.hash);
    keys.iter().for_each(|key| work.delete(&key.record));
    work.commit().await?;
    Ok(Json(answer))
}
