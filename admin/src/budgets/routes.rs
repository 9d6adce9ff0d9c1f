//! `/budget/*`.

use super::checked;
use crate::answer::{Object, Raw, raw};
use crate::context::Context;
use crate::duration;
use crate::error::{Refusal, detail};
use crate::fields::{self, Field, Lens, field, moment};
use crate::input::{Fields, Params};
use crate::routes::{Access, route};
use crate::work::Work;
use axum::Json;
use axum::http::Method;
use axum::routing::{get, post};
use serde_json::{Value, json};
use weir_core::access::{Grant, RouteClass};
use weir_core::domain::ids::new_entry_id;
use weir_core::domain::records::{Budget, Kept};
use weir_core::ports::records::get_all;
use weir_core::time::Micros;

const M: RouteClass = RouteClass::Management;

pub(crate) static ROUTES: &[Access] = &[
    route(Method::POST, "/budget/new", M, Grant::ADMIN, || post(new)),
    route(Method::POST, "/budget/update", M, Grant::ADMIN, || post(update)),
    route(Method::POST, "/budget/delete", M, Grant::ADMIN, || post(delete)),
    route(Method::POST, "/budget/info", M, Grant::ADMIN, || post(info)),
    route(Method::GET, "/budget/list", M, Grant::ADMIN, || get(list)),
    route(Method::GET, "/budget/settings", M, Grant::ADMIN, || get(settings)),
    route(Method::GET, "/provider/budgets", RouteClass::Spend, Grant::VIEWER, || get(super::providers::list)),
];

/// When spend counts from zero again.
const RESET_AT: &str = "budget_reset_at";

#[rustfmt::skip]
pub(crate) static TABLE: &[Field<Budget>] = &[
    field("max_budget", Lens::Money(|b| &mut b.limits.max_budget), "null"),
    field("soft_budget", Lens::Money(|b| &mut b.limits.soft_budget), "null"),
    field("max_parallel_requests", Lens::Count(|b| &mut b.limits.max_parallel_requests), "null"),
    field("tpm_limit", Lens::Count(|b| &mut b.limits.tpm_limit), "null"),
    field("rpm_limit", Lens::Count(|b| &mut b.limits.rpm_limit), "null"),
    field("budget_duration", Lens::Text(|b| &mut b.limits.budget_duration), "null"),
    field("model_max_budget", Lens::Map(|b| &mut b.model_max_budget), "null"),
    field("budget_id", Lens::Shown(|b| Some(raw(&b.id))), "null"),
    field(RESET_AT, Lens::Moment(|b| &mut b.limits.budget_reset_at), "null"),
];

/// A budget alone, with LiteLLM's names of who may be held to it.
#[rustfmt::skip]
static ROW: &[&str] = &[
    "budget_id", "max_budget", "soft_budget", "max_parallel_requests", "tpm_limit", "rpm_limit", "model_max_budget",
    "budget_duration", "budget_reset_at", "created_at", "created_by", "updated_at", "updated_by", "organization",
    "keys", "end_users", "tags", "team_membership", "organization_membership",
];

pub(crate) fn row(kept: &Kept<Budget>) -> Object {
    let beside = |name: &str| -> Option<Raw> {
        match name {
            "model_max_budget" if kept.model_max_budget.is_empty() => Some(raw(&Value::Null)),
            "created_at" => Some(moment(kept.created_at)),
            "updated_at" => Some(moment(kept.updated_at)),
            "created_by" => kept.created_by.as_ref().map(raw),
            "updated_by" => kept.updated_by.as_ref().map(raw),
            _ => None,
        }
    };
    fields::show(TABLE, ROW, &kept.record, beside)
}

/// A budget of its own begins when it is made: its first period is whole, unless its end was said (`by_hand`).
pub(crate) fn begin(budget: &mut Budget, by_hand: bool, now: Micros) -> Result<(), Refusal> {
    super::period(&budget.limits)?;
    if by_hand {
        return Ok(());
    }
    let duration = budget.limits.budget_duration.as_deref().filter(|text| !text.is_empty());
    let end = duration.map(|text| duration::after(now, text)).transpose().map_err(Refusal::internal)?;
    budget.limits.budget_reset_at = end;
    Ok(())
}

/// What a change says of a period's end.
pub(super) struct Ends {
    /// There is another period, or none any more.
    resets: bool,
    /// It was said; null says nothing.
    by_hand: bool,
}

impl Ends {
    pub(super) fn said(sent: &Fields) -> Self {
        Self { resets: sent.has("budget_duration"), by_hand: sent.said(RESET_AT).is_some() }
    }

    pub(super) fn put(&self, before: &Budget, budget: &mut Budget, now: Micros) -> Result<(), Refusal> {
        if !self.by_hand {
            budget.limits.budget_reset_at = before.limits.budget_reset_at;
        }
        if self.resets { begin(budget, self.by_hand, now) } else { Ok(()) }
    }
}

async fn new(context: Context, mut sent: Fields) -> Result<Json<Object>, Refusal> {
    let id = sent.text("budget_id").filter(|id| !id.is_empty());
    let mut budget = Budget::default();
    fields::read(TABLE, &mut sent, &mut budget);
    sent.finish()?;
    checked(&budget.limits)?;
    budget.id = id.unwrap_or_else(|| new_entry_id().to_string());
    if context.get::<Budget>(&budget.id).await?.is_some() {
        let message = format!("Budget with id {} already exists", budget.id);
        return Err(Refusal::told(400, "bad_request_error", "budget_id", message));
    }
    let mut work = Work::new(&context);
    let by_hand = budget.limits.budget_reset_at.is_some();
    begin(&mut budget, by_hand, work.now)?;
    work.insert(&budget)?;
    work.commit().await?;
    found(&context, &budget.id).await.map(|kept| Json(row(&kept)))
}

async fn found(context: &Context, id: &str) -> Result<Kept<Budget>, Refusal> {
    let budget = context.get::<Budget>(id).await?;
    budget
        .ok_or_else(|| Refusal::told(404, "not_found", "budget_id", format!("Budget id={id} does not exist")))
}

async fn update(context: Context, mut sent: Fields) -> Result<Json<Object>, Refusal> {
    let id = sent.required_text("budget_id");
    let ends = Ends::said(&sent);
    let kept = context.get::<Budget>(&id).await?;
    let mut budget = kept.as_ref().map(|kept| kept.record.clone()).unwrap_or_default();
    fields::read(TABLE, &mut sent, &mut budget);
    sent.finish()?;
    checked(&budget.limits)?;
    let kept = match kept {
        Some(kept) => kept,
        None => found(&context, &id).await?,
    };
    let mut work = Work::new(&context);
    ends.put(&kept, &mut budget, work.now)?;
    work.update(&kept, &budget, "updated")?;
    work.commit().await?;
    found(&context, &id).await.map(|kept| Json(row(&kept)))
}

async fn delete(context: Context, mut sent: Fields) -> Result<Json<Object>, Refusal> {
    let id = sent.required_text("id");
    sent.finish()?;
    let kept = found(&context, &id).await?;
    let mut work = Work::new(&context);
    work.delete(&kept.record);
    work.commit().await?;
    Ok(Json(row(&kept)))
}

async fn info(context: Context, mut sent: Fields) -> Result<Json<Vec<Object>>, Refusal> {
    let ids = sent.texts("budgets");
    sent.finish()?;
    if ids.is_empty() {
        let message = "Specify list of budget id's to query. Passed in=[]";
        return Err(detail(400, &json!({ "error": message })));
    }
    let budgets = get_all::<Budget>(context.directory(), &ids).await?;
    Ok(Json(budgets.iter().map(row).collect()))
}

async fn list(context: Context) -> Result<Json<Vec<Object>>, Refusal> {
    Ok(Json(context.all::<Budget>(Vec::new()).await?.iter().map(row).collect()))
}

/// What may be set, with what is set.
async fn settings(context: Context, params: Params) -> Result<Json<Vec<Value>>, Refusal> {
    static FIELDS: &[(&str, &str, &str)] = &[
        ("max_budget", "Float", "Requests are refused when this amount of US dollars is spent."),
        ("soft_budget", "Float", "Tells when this amount of US dollars is spent, and refuses nothing."),
        ("max_parallel_requests", "Integer", "Requests at one time."),
        ("tpm_limit", "Integer", "Tokens a minute."),
        ("rpm_limit", "Integer", "Requests a minute."),
        (
            "budget_duration",
            "String",
            "After which time spend counts from zero again: 30s, 30m, 24h, 30d, 1mo.",
        ),
        ("model_max_budget", "Object", "Amounts for single models."),
    ];
    let kept = found(&context, params.get("budget_id").unwrap_or_default()).await?;
    let told = FIELDS.iter().map(|(name, kind, description)| {
        let value = fields::show(TABLE, &[*name], &kept.record, |_| None).0.pop().map(|(_, value)| value);
        json!({ "field_name": name, "field_type": kind, "field_description": description, "field_value": value,
            "stored_in_db": true, "field_default_value": null, "premium_field": false, "nested_fields": null })
    });
    Ok(Json(told.collect()))
}
