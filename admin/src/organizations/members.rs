//! Members of organisations.

use super::show::{found, member};
use crate::answer::{Object, raw};
use crate::budgets;
use crate::context::Context;
use crate::error::{Problem, Refusal, detail};
use crate::input::{Fields, Shape};
use crate::users;
use crate::work::Work;
use axum::Json;
use serde::Deserialize;
use serde_json::{Value, json};
use weir_core::domain::records::{Kept, OrganizationMember, Role, User, member_id};
use weir_core::ports::Condition;

#[derive(Deserialize)]
struct Wanted {
    role: String,
    #[serde(default)]
    user_id: Option<String>,
    #[serde(default)]
    user_email: Option<String>,
}

/// Whether the caller may change the members of this organisation.
///
/// # Errors
/// 403.
pub(crate) fn may_change(context: &Context, id: &str) -> Result<(), Refusal> {
    if context.is_admin() || context.administers(Some(id)) {
        return Ok(());
    }
    Err(Refusal::told(
        403,
        "auth_error",
        "organization_id",
        "Only admins of an organization can change its members.",
    ))
}

fn role(text: &str) -> Result<Role, Refusal> {
    let known = [Role::OrgAdmin, Role::InternalUser, Role::InternalUserViewer];
    Role::parse(text).filter(|role| known.contains(role)).ok_or_else(|| {
        let message = "Input should be 'org_admin', 'internal_user' or 'internal_user_viewer'";
        Problem::new("literal_error", vec!["body".into(), "role".into()], message, text.into()).into()
    })
}

pub(super) async fn add(context: Context, mut sent: Fields) -> Result<Json<Object>, Refusal> {
    let id = sent.required_text("organization_id");
    let given = sent.required("member", Shape::Any);
    let amount = sent.money("max_budget_in_organization");
    sent.finish()?;
    let given = given.map(|given| given.get().to_owned()).unwrap_or_default();
    let wanted: Vec<Wanted> = serde_json::from_str(&given)
        .or_else(|_| serde_json::from_str(&given).map(|one| vec![one]))
        .map_err(|_| {
            Problem::new(
                "value_error",
                vec!["body".into(), "member".into()],
                "Input should be a member: {role, user_id, user_email}",
                Value::Null,
            )
        })?;
    may_change(&context, &id)?;
    found(&context, &id).await?;
    let mut work = Work::new(&context);
    let (mut users, mut ids) = (Vec::new(), Vec::new());
    for one in &wanted {
        let (user, new) = users::wanted(&context, one.user_id.as_deref(), one.user_email.as_deref()).await?;
        if new {
            work.insert(&user)?;
        }
        let mut place = OrganizationMember {
            organization_id: id.clone(),
            user_id: user.id.clone(),
            role: role(&one.role)?,
            budget_id: None,
        };
        if let Some(amount) = amount {
            let budget = budgets::own(amount, None, work.now, &context);
            work.insert(&budget)?;
            place.budget_id = Some(budget.id);
        }
        if context.get::<OrganizationMember>(&member_id(&id, &user.id)).await?.is_some() {
            let message = format!("User {} is a member of organization {id} already", user.id);
            return Err(detail(400, &json!({ "error": message })));
        }
        work.insert(&place)?;
        ids.push(member_id(&id, &user.id));
        users.push(user.id);
    }
    work.commit().await?;
    let places = weir_core::ports::records::get_all::<OrganizationMember>(context.directory(), &ids).await?;
    Ok(Json(Object(vec![
        ("organization_id", raw(&id)),
        ("updated_users", raw(&users::told_all(&context, users).await?)),
        ("updated_organization_memberships", raw(&places.iter().map(member).collect::<Vec<_>>())),
    ])))
}

async fn place(context: &Context, id: &str, user: &str) -> Result<Kept<OrganizationMember>, Refusal> {
    let there = context.get::<OrganizationMember>(&member_id(id, user)).await?;
    there.ok_or_else(|| {
        detail(404, &json!({ "error": format!("User {user} is no member of organization {id}") }))
    })
}

/// The user who is named, by id or by address.
async fn whom(context: &Context, id: Option<String>, email: Option<String>) -> Result<String, Refusal> {
    match (id, email) {
        (Some(id), _) => Ok(id),
        (None, None) => Ok(String::new()),
        (None, Some(email)) => {
            let there = context.all::<User>(vec![Condition::In("email", vec![email.clone()])]).await?;
            let there = there.into_iter().next().map(|user| user.record.id);
            there.ok_or_else(|| detail(404, &json!({ "error": format!("No user has the address {email}") })))
        }
    }
}

pub(super) async fn update(context: Context, mut sent: Fields) -> Result<Json<Object>, Refusal> {
    let id = sent.required_text("organization_id");
    let (user, email) = (sent.text("user_id"), sent.text("user_email"));
    let given = sent.text("role");
    let amount = sent.money("max_budget_in_organization");
    sent.finish()?;
    may_change(&context, &id)?;
    let user = whom(&context, user, email).await?;
    let kept = place(&context, &id, &user).await?;
    let mut changed = kept.record.clone();
    if let Some(given) = given {
        changed.role = role(&given)?;
    }
    let mut work = Work::new(&context);
    if let Some(amount) = amount {
        let budget = budgets::own(amount, None, work.now, &context);
        work.insert(&budget)?;
        changed.budget_id = Some(budget.id);
    }
    work.update(&kept, &changed, "updated")?;
    work.commit().await?;
    Ok(Json(member(&place(&context, &id, &user).await?)))
}

pub(super) async fn delete(context: Context, mut sent: Fields) -> Result<Json<Object>, Refusal> {
    let id = sent.required_text("organization_id");
    let (user, email) = (sent.text("user_id"), sent.text("user_email"));
    sent.finish()?;
    may_change(&context, &id)?;
    let user = whom(&context, user, email).await?;
    let kept = place(&context, &id, &user).await?;
    let mut work = Work::new(&context);
    work.delete(&kept.record);
    work.commit().await?;
    let mut told = member(&kept);
    told.0.push(("organization", raw(&Value::Null)));
    Ok(Json(told))
}
