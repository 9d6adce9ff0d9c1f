//! Telling about organisations.

use crate::answer::{Object, Raw, raw};
use crate::budgets;
use crate::context::Context;
use crate::error::{Refusal, detail};
use crate::fields::{self, Field, Lens, field, moment};
use crate::input::{Fields, Params, Shape};
use crate::page::{self, Page, RECORDS};
use crate::teams::show as teams;
use axum::Json;
use serde_json::{Value, json};
use weir_core::domain::money::NanoUsd;
use weir_core::domain::records::{Budget, Kept, Organization, OrganizationMember, Team};
use weir_core::ports::records::{self, get_all};
use weir_core::ports::{Condition, Sort, SpendScope};

#[rustfmt::skip]
pub(super) static TABLE: &[Field<Organization>] = &[
    field("organization_alias", Lens::Text(|o| &mut o.alias), "null"),
    field("models", Lens::Texts(|o| &mut o.models), "[]"),
    field("metadata", Lens::Json(|o| &mut o.metadata), "{}"),
    field("model_rpm_limit", Lens::Meta(Shape::Object, |o| &mut o.metadata), "null"),
    field("model_tpm_limit", Lens::Meta(Shape::Object, |o| &mut o.metadata), "null"),
    field("object_permission", Lens::Extra(Shape::Object, |o| &mut o.extra), "null"),
    field("organization_id", Lens::Shown(|o| Some(raw(&o.id))), "null"),
    field("budget_id", Lens::Shown(|o| o.budget_id.as_ref().map(raw)), "null"),
];

#[rustfmt::skip]
static NAMES: &[&str] = &[
    "organization_id", "organization_alias", "budget_id", "spend", "metadata", "models", "created_by", "updated_by",
    "users", "litellm_budget_table", "object_permission", "object_permission_id", "created_at", "updated_at",
];

static SORTS: &[(&str, Sort)] =
    &[("organization_alias", Sort::Column("alias")), ("spend", Sort::Spend), ("created_at", Sort::CreatedAt)];

/// Organisations with what was spent; with members and teams where they are asked for.
pub(super) async fn told(
    context: &Context,
    organizations: &[Kept<Organization>],
    whole: bool,
) -> Result<Vec<Object>, Refusal> {
    let ids: Vec<String> = organizations.iter().map(|organization| organization.id.clone()).collect();
    let spent = context.services.spend.spent(SpendScope::Organization, &ids).await?;
    let budgets: Vec<String> = organizations.iter().filter_map(|o| o.budget_id.clone()).collect();
    let budgets = get_all::<Budget>(context.directory(), &budgets).await?;
    let mut all = Vec::new();
    for kept in organizations {
        let budget = budgets.iter().find(|budget| Some(&budget.id) == kept.budget_id.as_ref());
        let beside = |name: &str| -> Option<Raw> {
            match name {
                "spend" => Some(spent.get(&kept.id).copied().unwrap_or(NanoUsd::ZERO).json()),
                "litellm_budget_table" => budget.map(|budget| raw(&budgets::told(budget))),
                "created_by" => kept.created_by.as_ref().map(raw),
                "updated_by" => kept.updated_by.as_ref().map(raw),
                "created_at" => Some(moment(kept.created_at)),
                "updated_at" => Some(moment(kept.updated_at)),
                _ => None,
            }
        };
        let mut told = fields::show(TABLE, NAMES, &kept.record, beside);
        if whole {
            told.0.push(("members", raw(&members(context, &kept.id).await?)));
            told.0.push(("teams", raw(&teams_of(context, &kept.id).await?)));
        }
        all.push(told);
    }
    Ok(all)
}

async fn members(context: &Context, id: &str) -> Result<Vec<Object>, Refusal> {
    let here = vec![Condition::In("organization_id", vec![id.to_owned()])];
    let members = context.all::<OrganizationMember>(here).await?;
    Ok(members.iter().map(member).collect())
}

/// One membership.
pub(super) fn member(kept: &Kept<OrganizationMember>) -> Object {
    Object(vec![
        ("user_id", raw(&kept.user_id)),
        ("organization_id", raw(&kept.organization_id)),
        ("user_role", raw(kept.role.as_str())),
        ("spend", NanoUsd::ZERO.json()),
        ("budget_id", raw(&kept.budget_id)),
        ("created_at", moment(kept.created_at)),
        ("updated_at", moment(kept.updated_at)),
        ("user", raw(&Value::Null)),
        ("litellm_budget_table", raw(&Value::Null)),
    ])
}

async fn teams_of(context: &Context, id: &str) -> Result<Vec<Object>, Refusal> {
    let here = vec![Condition::In("organization_id", vec![id.to_owned()])];
    let teams = teams::Told::load_all(context, context.all::<Team>(here).await?).await?;
    Ok(teams.iter().map(teams::Told::row).collect())
}

/// # Errors
/// 404.
pub(super) async fn found(context: &Context, id: &str) -> Result<Kept<Organization>, Refusal> {
    let there = context.get::<Organization>(id).await?;
    there.ok_or_else(|| {
        detail(404, &json!({ "error": format!("Organization not found, passed organization_id={id}") }))
    })
}

/// All for who may see all; the caller's own else. In one answer, or a page.
pub(super) async fn list(context: Context, params: Params) -> Result<Json<Raw>, Refusal> {
    let page = Page::asked(&params, &RECORDS)?;
    let mut conditions = Vec::new();
    conditions.extend(page::searched(&params, &["id", "alias"]));
    conditions.extend(params.text("org_id").map(|id| Condition::In("id", vec![id])));
    conditions.extend(params.text("org_alias").map(|alias| Condition::Contains("alias", alias)));
    if !context.sees_all() {
        let known = context.caller.principal();
        let own = known.map(|known| known.memberships.iter().map(|m| m.organization_id.clone()).collect());
        conditions.push(Condition::In("id", own.unwrap_or_default()));
    }
    let query = page::sorted(page::query(page, conditions), &params, SORTS);
    let found = records::list::<Organization>(context.directory(), &query).await?;
    let rows = told(&context, &found.records, true).await?;
    Ok(Json(page::told(page, "organizations", &rows, found.total)))
}

pub(super) async fn info(context: Context, params: Params) -> Result<Json<Object>, Refusal> {
    let id = params.get("organization_id").unwrap_or_default();
    may_see(&context, id)?;
    let kept = found(&context, id).await?;
    let told = told(&context, std::slice::from_ref(&kept), true).await?.pop();
    told.map(Json).ok_or_else(|| Refusal::internal("the organization is gone"))
}

fn may_see(context: &Context, id: &str) -> Result<(), Refusal> {
    if context.sees_all() || context.administers(Some(id)) {
        return Ok(());
    }
    Err(Refusal::told(403, "auth_error", "organization_id", "Only admins of an organization can see it."))
}

/// LiteLLM's older form: several at once.
pub(super) async fn info_many(context: Context, mut sent: Fields) -> Result<Json<Vec<Object>>, Refusal> {
    let ids = sent.texts("organizations");
    sent.finish()?;
    for id in &ids {
        may_see(&context, id)?;
    }
    let organizations = get_all::<Organization>(context.directory(), &ids).await?;
    told(&context, &organizations, true).await.map(Json)
}
