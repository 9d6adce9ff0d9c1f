//! `/tag/*`: words that spend is sorted by.

use crate::answer::{Object, Raw, raw};
use crate::budgets;
use crate::context::Context;
use crate::error::{Refusal, detail};
use crate::fields::{self, Field, Lens, field, moment};
use crate::input::{Fields, Shape};
use crate::routes::{Access, route};
use crate::work::Work;
use axum::Json;
use axum::http::Method;
use axum::routing::{get, post};
use serde_json::json;
use std::collections::BTreeMap;
use weir_core::access::{Grant, RouteClass};
use weir_core::domain::records::{Budget, Kept, Tag};
use weir_core::ports::records::get_all;
use weir_core::ports::{Dimension, Rollup, RollupQuery};

const M: RouteClass = RouteClass::Management;

pub(crate) static ROUTES: &[Access] = &[
    route(Method::POST, "/tag/new", M, Grant::ADMIN, || post(new)),
    route(Method::POST, "/tag/update", M, Grant::ADMIN, || post(update)),
    route(Method::POST, "/tag/delete", M, Grant::ADMIN, || post(delete)),
    route(Method::POST, "/tag/info", M, Grant::ADMIN, || post(info)),
    route(Method::GET, "/tag/list", M, Grant::VIEWER.and(Grant::ORG_ADMIN), || get(list)),
    route(Method::GET, "/tag/distinct", M, Grant::ADMIN, || get(distinct)),
];

static TABLE: &[Field<Tag>] = &[
    field("description", Lens::Text(|t| &mut t.description), "null"),
    field("models", Lens::Texts(|t| &mut t.models), "[]"),
    field("model_info", Lens::Extra(Shape::Object, |t| &mut t.extra), "{}"),
    field("name", Lens::Shown(|t| Some(raw(&t.name))), "null"),
];

static NAMES: &[&str] =
    &["name", "description", "models", "model_info", "created_at", "updated_at", "created_by"];

/// What LiteLLM says of tags that only came with requests.
const DYNAMIC: &str =
    "This is just a spend tag that was passed dynamically in a request. It does not control any LLM models.";

/// `budget_id` where there is one.
fn told(kept: &Kept<Tag>) -> Object {
    let beside = |name: &str| -> Option<Raw> {
        match name {
            "created_at" => Some(moment(kept.created_at)),
            "updated_at" => Some(moment(kept.updated_at)),
            "created_by" => kept.created_by.as_ref().map(raw),
            _ => None,
        }
    };
    let mut told = fields::show(TABLE, NAMES, &kept.record, beside);
    told.0.extend(kept.budget_id.as_ref().map(|id| ("budget_id", raw(id))));
    told
}

/// The same of several, each with its whole budget.
async fn with_budgets(context: &Context, tags: &[Kept<Tag>]) -> Result<Vec<Object>, Refusal> {
    let ids: Vec<String> = tags.iter().filter_map(|tag| tag.budget_id.clone()).collect();
    let there = get_all::<Budget>(context.directory(), &ids).await?;
    let with = |tag: &Kept<Tag>| {
        let mut told = told(tag);
        let budget = there.iter().find(|budget| Some(&budget.id) == tag.budget_id.as_ref());
        told.0.extend(budget.map(|budget| ("litellm_budget_table", raw(&budgets::row(budget)))));
        told
    };
    Ok(tags.iter().map(with).collect())
}

async fn found(context: &Context, name: &str) -> Result<Kept<Tag>, Refusal> {
    let tag = context.get::<Tag>(name).await?;
    tag.ok_or_else(|| detail(404, &json!(format!("Tag {name} not found"))))
}

async fn answer(context: &Context, name: &str, done: &str) -> Result<Json<Object>, Refusal> {
    let kept = found(context, name).await?;
    let message = format!("Tag {name} {done} successfully");
    Ok(Json(Object(vec![("message", raw(&message)), ("tag", raw(&told(&kept)))])))
}

async fn new(context: Context, mut sent: Fields) -> Result<Json<Object>, Refusal> {
    let name = sent.required_text("name");
    let named = sent.text("budget_id");
    let budget = budgets::sent(&mut sent);
    let mut tag = Tag { name: name.clone(), ..Tag::default() };
    fields::read(TABLE, &mut sent, &mut tag);
    sent.finish()?;
    if context.get::<Tag>(&name).await?.is_some() {
        return Err(detail(400, &json!(format!("Tag {name} already exists"))));
    }
    let mut work = Work::new(&context);
    tag.budget_id = budgets::of_holder(&context, &mut work, named, budget).await?;
    work.insert(&tag)?;
    work.commit().await?;
    answer(&context, &name, "created").await
}

async fn update(context: Context, mut sent: Fields) -> Result<Json<Object>, Refusal> {
    let name = sent.required_text("name");
    let named = sent.text("budget_id");
    let kept = context.get::<Tag>(&name).await?;
    let mut tag = kept.as_ref().map(|kept| kept.record.clone()).unwrap_or_default();
    fields::read(TABLE, &mut sent, &mut tag);
    let mut work = Work::new(&context);
    tag.budget_id = match named {
        Some(named) => budgets::of_holder(&context, &mut work, Some(named), None).await?,
        None => budgets::change_of_holder(&context, &mut work, tag.budget_id.as_deref(), &mut sent).await?,
    };
    sent.finish()?;
    let kept = match kept {
        Some(kept) => kept,
        None => found(&context, &name).await?,
    };
    work.update(&kept, &tag, "updated")?;
    work.commit().await?;
    answer(&context, &name, "updated").await
}

async fn delete(context: Context, mut sent: Fields) -> Result<Json<Object>, Refusal> {
    let name = sent.required_text("name");
    sent.finish()?;
    let kept = found(&context, &name).await?;
    let mut work = Work::new(&context);
    work.delete(&kept.record);
    work.commit().await?;
    Ok(Json(Object(vec![("message", raw(&format!("Tag {name} deleted successfully")))])))
}

async fn info(context: Context, mut sent: Fields) -> Result<Json<BTreeMap<String, Raw>>, Refusal> {
    let names = sent.texts("names");
    sent.finish()?;
    let tags = get_all::<Tag>(context.directory(), &names).await?;
    if let Some(name) = names.iter().find(|name| !tags.iter().any(|tag| tag.name == **name)) {
        return Err(detail(404, &json!(format!("Tags not found: ['{name}']"))));
    }
    let told = with_budgets(&context, &tags).await?;
    Ok(Json(tags.iter().zip(told).map(|(tag, told)| (tag.name.clone(), raw(&told))).collect()))
}

/// Tags that were made, then those that only came with requests.
async fn list(context: Context) -> Result<Json<Vec<Object>>, Refusal> {
    let tags = context.all::<Tag>(Vec::new()).await?;
    let mut all = with_budgets(&context, &tags).await?;
    for (name, first, last) in seen(&context).await? {
        if !tags.iter().any(|tag| tag.name == name) {
            all.push(Object(vec![
                ("name", raw(&name)),
                ("description", raw(DYNAMIC)),
                ("models", raw(&serde_json::Value::Null)),
                ("created_at", raw(&first)),
                ("updated_at", raw(&last)),
            ]));
        }
    }
    Ok(Json(all))
}

/// Tags of requests, with the first and the last day.
async fn seen(context: &Context) -> Result<Vec<(String, String, String)>, Refusal> {
    let query = RollupQuery {
        of: Rollup::Tags,
        by: vec![Dimension::Tag, Dimension::Day],
        from: 0,
        until: i64::MAX,
        limit: 100_000,
        ..RollupQuery::default()
    };
    let mut seen: BTreeMap<String, (String, String)> = BTreeMap::new();
    for row in context.services.spend.rollup(&query).await? {
        let [name, day] = <[String; 2]>::try_from(row.names).unwrap_or_default();
        let day = crate::spend::day_text(&day);
        let days = seen.entry(name).or_insert_with(|| (day.clone(), day.clone()));
        days.0 = days.0.clone().min(day.clone());
        days.1 = days.1.clone().max(day);
    }
    Ok(seen.into_iter().map(|(name, (first, last))| (name, first, last)).collect())
}

async fn distinct(context: Context) -> Result<Json<Object>, Refusal> {
    let tags: Vec<_> = seen(&context).await?.into_iter().map(|(name, ..)| json!({ "tag": name })).collect();
    Ok(Json(Object(vec![("results", raw(&tags))])))
}
