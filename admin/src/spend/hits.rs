//! `/global/activity/cache_hits`: what came from the cache of answers. Sums do not tell hits apart, so these are counted
//! among the newest entries of the time that is asked for, as many as one look reads; Prometheus has all of them.

use super::global::{known_keys, over};
use super::row::hash;
use super::scope::{Days, sums};
use crate::context::Context;
use crate::error::Refusal;
use crate::input::Params;
use axum::Json;
use serde_json::{Value, json};
use std::collections::HashMap;
use weir_core::domain::spend::{Entry, Status};
use weir_core::ports::{Dimension, Rollup, SpendFilter};
use weir_core::time::Micros;

/// Entries that are looked at for one answer.
const LOOKED_AT: u32 = 10_000;

/// Key, operation and model, as the sums name them.
type Name = (String, String, String);

/// Hits, and the tokens of their answers.
#[derive(Default)]
struct Hits {
    number: i64,
    output: i64,
}

/// Rows by key, operation and model.
pub(super) async fn cache_hits(context: Context, params: Params) -> Result<Json<Vec<Value>>, Refusal> {
    let days = Days::asked(&params)?.unwrap_or_else(Days::last);
    let (from, until) = (Micros::of_day(days.from), Micros::of_day(days.until.saturating_add(1)));
    let by = [Dimension::Key, Dimension::CallType, Dimension::Model];
    let rows = sums(&context, over(days, Rollup::Keys, &by)).await?;
    let hits = hits(&context, from, until).await?;
    let known = known_keys(&context, rows.iter().map(|row| row.name(0).to_owned()).collect()).await?;
    let told = rows.iter().map(|row| {
        let alias = known.get(row.name(0)).and_then(|key| key.alias.as_deref()).unwrap_or("Unnamed Key");
        let name = (row.name(0).to_owned(), row.name(1).to_owned(), row.name(2).to_owned());
        let (number, output) = hits.get(&name).map_or((0, 0), |hits| (hits.number, hits.output));
        json!({ "api_key": alias, "call_type": row.name(1), "model": row.name(2), "total_rows": row.sums.requests,
            "cache_hit_true_rows": number, "cached_completion_tokens": output,
            "generated_completion_tokens": row.sums.output.saturating_sub(output) })
    });
    Ok(Json(told.collect()))
}

async fn hits(context: &Context, from: Micros, until: Micros) -> Result<HashMap<Name, Hits>, Refusal> {
    let filter = SpendFilter {
        status: Some(Status::Success),
        from: Some(from),
        until: Some(until),
        limit: LOOKED_AT,
        ..SpendFilter::default()
    };
    let mut hits: HashMap<Name, Hits> = HashMap::new();
    for entry in context.services.spend.entries(&filter).await?.iter().filter(|entry| entry.cache_hit) {
        let of_name = hits.entry(name(entry)).or_default();
        of_name.number += 1;
        let output = i64::try_from(entry.usage.output).unwrap_or(i64::MAX);
        of_name.output = of_name.output.saturating_add(output);
    }
    Ok(hits)
}

fn name(entry: &Entry) -> Name {
    (hash(entry), entry.operation.row().call_type.to_owned(), entry.model.clone())
}
