//! `/customer/*` and `/end_user/*`: the end users that clients name in `user`.

use crate::answer::{Object, Raw, raw};
use crate::budgets;
use crate::context::Context;
use crate::error::Refusal;
use crate::fields::{self, Field, Lens, field};
use crate::input::{Fields, Params, Shape};
use crate::page::{self, Page, RECORDS};
use crate::routes::{Access, route};
use crate::work::Work;
use axum::Json;
use axum::http::Method;
use axum::routing::{get, post};
use serde_json::Value;
use std::collections::HashMap;
use weir_core::access::{Grant, RouteClass};
use weir_core::domain::money::NanoUsd;
use weir_core::domain::records::{Budget, Customer, Kept};
use weir_core::ports::records::{self, get_all};
use weir_core::ports::{Dimension, Rollup, RollupQuery, Sort, SpendScope};

const M: RouteClass = RouteClass::Management;
const A: Grant = Grant::ADMIN;

#[rustfmt::skip]
pub(crate) static ROUTES: &[Access] = &[
    route(Method::POST, "/customer/new", M, A, || post(new)),
    route(Method::POST, "/customer/update", M, A, || post(update)),
    route(Method::POST, "/customer/delete", M, A, || post(delete)),
    route(Method::POST, "/customer/block", M, A, || post(block)),
    route(Method::POST, "/customer/unblock", M, A, || post(unblock)),
    route(Method::GET, "/customer/info", M, A, || get(info)),
    route(Method::GET, "/customer/list", M, A, || get(list)),
    route(Method::POST, "/end_user/new", M, A, || post(new)),
    route(Method::POST, "/end_user/update", M, A, || post(update)),
    route(Method::POST, "/end_user/delete", M, A, || post(delete)),
    route(Method::POST, "/end_user/block", M, A, || post(block)),
    route(Method::POST, "/end_user/unblock", M, A, || post(unblock)),
    route(Method::GET, "/end_user/info", M, A, || get(info)),
    route(Method::GET, "/end_user/list", M, A, || get(list)),
];

#[rustfmt::skip]
static TABLE: &[Field<Customer>] = &[
    field("alias", Lens::Text(|c| &mut c.alias), "null"),
    field("blocked", Lens::Flag(|c| &mut c.blocked), "false"),
    field("default_model", Lens::Text(|c| &mut c.default_model), "null"),
    field("allowed_model_region", Lens::Text(|c| &mut c.allowed_model_region), "null"),
    field("object_permission", Lens::Extra(Shape::Object, |c| &mut c.extra), "null"),
    field("user_id", Lens::Shown(|c| Some(raw(&c.id))), "null"),
    field("budget_id", Lens::Shown(|c| c.budget_id.as_ref().map(raw)), "null"),
];

static ROW: &[&str] = &[
    "user_id",
    "alias",
    "spend",
    "allowed_model_region",
    "default_model",
    "budget_id",
    "litellm_budget_table",
    "blocked",
];
static LISTED: &[&str] = &[
    "user_id",
    "blocked",
    "alias",
    "spend",
    "allowed_model_region",
    "default_model",
    "litellm_budget_table",
];

static SORTS: &[(&str, Sort)] =
    &[("alias", Sort::Column("alias")), ("user_id", Sort::Id), ("spend", Sort::Spend)];

/// Customers in one request.
const MAX: usize = 1_000;

// --- telling ---

/// Customers with what was spent, and with their budgets as `show` tells them.
async fn told(
    context: &Context,
    customers: &[&Customer],
    names: &[&'static str],
    show: fn(&Kept<Budget>) -> Object,
) -> Result<Vec<Object>, Refusal> {
    let ids: Vec<String> = customers.iter().map(|customer| customer.id.clone()).collect();
    let spent = context.services.spend.spent(SpendScope::Customer, &ids).await?;
    let budgets: Vec<String> = customers.iter().filter_map(|customer| customer.budget_id.clone()).collect();
    let budgets = get_all::<Budget>(context.directory(), &budgets).await?;
    let budgets: HashMap<&str, &Kept<Budget>> =
        budgets.iter().map(|budget| (budget.id.as_str(), budget)).collect();
    let told = customers.iter().map(|customer| {
        let beside = |name: &str| -> Option<Raw> {
            match name {
                "spend" => Some(spent.get(&customer.id).copied().unwrap_or(NanoUsd::ZERO).json()),
                "litellm_budget_table" => {
                    let budget = customer.budget_id.as_deref().and_then(|id| budgets.get(id));
                    Some(budget.map_or_else(|| raw(&Value::Null), |budget| raw(&show(budget))))
                }
                _ => None,
            }
        };
        fields::show(TABLE, names, *customer, beside)
    });
    Ok(told.collect())
}

async fn row(context: &Context, id: &str) -> Result<Json<Object>, Refusal> {
    let kept = context.get::<Customer>(id).await?.ok_or_else(|| not_there(id))?;
    let told = told(context, &[&kept.record], ROW, budgets::row).await?.pop();
    told.map(Json).ok_or_else(|| not_there(id))
}

fn bare(kept: &[Kept<Customer>]) -> Vec<&Customer> {
    kept.iter().map(|kept| &kept.record).collect()
}

/// Whether a request has named this customer. With LiteLLM that makes one; here it only counts.
async fn is_named(context: &Context, id: &str) -> Result<bool, Refusal> {
    let query = RollupQuery {
        of: Rollup::Customers,
        by: vec![Dimension::Customer],
        only: vec![(Dimension::Customer, vec![id.to_owned()])],
        from: 0,
        until: i64::MAX,
        limit: 1,
        ..RollupQuery::default()
    };
    Ok(!context.services.spend.rollup(&query).await?.is_empty())
}

fn not_there(id: &str) -> Refusal {
    Refusal::told(404, "not_found", "end_user_id", format!("End User Id={id} does not exist in db"))
}

fn listed(budget: &Kept<Budget>) -> Object {
    budgets::told(&budget.record)
}

async fn info(context: Context, params: Params) -> Result<Json<Object>, Refusal> {
    let id = params.get("end_user_id").unwrap_or_default();
    let kept = context.get::<Customer>(id).await?;
    if kept.is_none() && !is_named(&context, id).await? {
        return Err(not_there(id));
    }
    let named = || Customer { id: id.to_owned(), ..Customer::default() };
    let customer = kept.map_or_else(named, |kept| kept.record);
    let told = told(&context, &[&customer], LISTED, listed).await?.pop();
    told.map(Json).ok_or_else(|| not_there(id))
}

/// All of them, or a page.
async fn list(context: Context, params: Params) -> Result<Json<Raw>, Refusal> {
    let page = Page::asked(&params, &RECORDS)?;
    let searched = page::searched(&params, &["id", "alias"]);
    let query = page::sorted(page::query(page, searched.into_iter().collect()), &params, SORTS);
    let found = records::list::<Customer>(context.directory(), &query).await?;
    let rows = told(&context, &bare(&found.records), LISTED, listed).await?;
    Ok(Json(page::told(page, "customers", &rows, found.total)))
}

// --- changing ---

async fn new(context: Context, mut sent: Fields) -> Result<Json<Object>, Refusal> {
    let id = sent.required_text("user_id");
    let named = sent.text("budget_id");
    let budget = budgets::sent(&mut sent);
    let spend = sent.money("spend").filter(|spend| *spend > NanoUsd::ZERO);
    let mut customer = Customer { id: id.clone(), ..Customer::default() };
    fields::read(TABLE, &mut sent, &mut customer);
    sent.finish()?;
    if context.get::<Customer>(&id).await?.is_some() {
        let message = format!("Customer already exists, passed user_id={id}. Please pass a new user_id.");
        return Err(Refusal::told(400, "bad_request", "user_id", message));
    }
    let mut work = Work::new(&context);
    customer.budget_id = budgets::of_holder(&context, &mut work, named, budget).await?;
    work.insert(&customer)?;
    if let Some(spend) = spend {
        work.spent(SpendScope::Customer, Some(id.clone()), spend);
    }
    work.commit().await?;
    row(&context, &id).await
}

async fn update(context: Context, mut sent: Fields) -> Result<Json<Object>, Refusal> {
    let id = sent.required_text("user_id");
    let named = sent.text("budget_id");
    let kept = context.get::<Customer>(&id).await?;
    let mut customer = kept.as_ref().map(|kept| kept.record.clone()).unwrap_or_default();
    fields::read(TABLE, &mut sent, &mut customer);
    let mut work = Work::new(&context);
    customer.budget_id = match named {
        Some(named) => budgets::of_holder(&context, &mut work, Some(named), None).await?,
        None => {
            budgets::change_of_holder(&context, &mut work, customer.budget_id.as_deref(), &mut sent).await?
        }
    };
    sent.finish()?;
    if kept.is_none() && !is_named(&context, &id).await? {
        return Err(not_there(&id));
    }
    match kept {
        Some(kept) => work.update(&kept, &customer, "updated")?,
        None => work.insert(&Customer { id: id.clone(), ..customer })?,
    }
    work.commit().await?;
    row(&context, &id).await
}

fn named(sent: &mut Fields) -> Result<Vec<String>, Refusal> {
    let ids = sent.texts("user_ids");
    if ids.len() > MAX {
        return Err(Refusal::wrapped(400, &format!("at most {MAX} customers can be named at once")));
    }
    Ok(ids)
}

async fn delete(context: Context, mut sent: Fields) -> Result<Json<Object>, Refusal> {
    let ids = named(&mut sent)?;
    sent.finish()?;
    let customers = get_all::<Customer>(context.directory(), &ids).await?;
    if let Some(id) = ids.iter().find(|id| !customers.iter().any(|customer| customer.id == **id)) {
        return Err(not_there(id));
    }
    let mut work = Work::new(&context);
    customers.iter().for_each(|customer| work.delete(&customer.record));
    work.commit().await?;
    let quoted: Vec<String> = ids.iter().map(|id| format!("'{id}'")).collect();
    let message = format!("Successfully deleted customers with ids: [{}]", quoted.join(", "));
    Ok(Json(Object(vec![("deleted_customers", raw(&customers.len())), ("message", raw(&message))])))
}

async fn block(context: Context, sent: Fields) -> Result<Json<Object>, Refusal> {
    switch(context, sent, true, "blocked_users").await
}

async fn unblock(context: Context, sent: Fields) -> Result<Json<Object>, Refusal> {
    switch(context, sent, false, "unblocked_users").await
}

/// Customers that nobody told of yet are made, so that they can be blocked before their first request.
async fn switch(
    context: Context,
    mut sent: Fields,
    blocked: bool,
    name: &'static str,
) -> Result<Json<Object>, Refusal> {
    let ids = named(&mut sent)?;
    sent.finish()?;
    let there = get_all::<Customer>(context.directory(), &ids).await?;
    let mut work = Work::new(&context);
    for id in &ids {
        match there.iter().find(|customer| customer.id == *id) {
            Some(kept) => {
                let action = if blocked { "blocked" } else { "unblocked" };
                work.update(kept, &Customer { blocked, ..kept.record.clone() }, action)?;
            }
            None => work.insert(&Customer { id: id.clone(), blocked, ..Customer::default() })?,
        }
    }
    work.commit().await?;
    let now = get_all::<Customer>(context.directory(), &ids).await?;
    Ok(Json(Object(vec![(name, raw(&told(&context, &bare(&now), ROW, budgets::row).await?))])))
}
