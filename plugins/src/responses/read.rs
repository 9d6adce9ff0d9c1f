//! Answers about a kept response, in OpenAI's form.

use super::Kept;
use serde_json::{Value, json};
use weir_core::error::{ApiError, Kind};

/// OpenAI's limits of a page.
const PAGE: usize = 20;
const LARGEST_PAGE: usize = 100;

/// The answer to `DELETE`.
pub fn deleted(id: &str) -> Value {
    json!({ "id": id, "object": "response", "deleted": true })
}

/// The answer to `GET …/input_items` with this query: newest first unless `order=asc`.
///
/// # Errors
/// 400 for a page that cannot be.
pub fn input_list(kept: Kept, query: &str) -> Result<Value, ApiError> {
    let mut items = identified(kept);
    let ask = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    if ask("order") != Some("asc") {
        items.reverse();
    }
    if let Some(after) = ask("after") {
        let at = items.iter().position(|item| item["id"] == after);
        items.drain(..at.map_or(0, |at| at + 1));
    }
    let limit = match ask("limit") {
        None => PAGE,
        Some(text) => text.parse().ok().filter(|n| (1..=LARGEST_PAGE).contains(n)).ok_or_else(bad_limit)?,
    };
    let has_more = items.len() > limit;
    items.truncate(limit);
    let id = |item: Option<&Value>| item.map(|item| item["id"].clone());
    let (first, last) = (id(items.first()), id(items.last()));
    Ok(json!({ "object": "list", "data": items, "first_id": first, "last_id": last, "has_more": has_more }))
}

fn bad_limit() -> ApiError {
    let message = format!("Invalid 'limit': send a number from 1 to {LARGEST_PAGE}.");
    ApiError::new(Kind::BadRequest, message).with_param("limit")
}

/// Clients send items without ids; here each has one, the same each time.
fn identified(kept: Kept) -> Vec<Value> {
    let response = kept.response["id"].as_str().unwrap_or_default().trim_start_matches("resp_").to_owned();
    let mut items = kept.input;
    for (index, item) in items.iter_mut().enumerate() {
        let Some(members) = item.as_object_mut() else { continue };
        members.entry("id").or_insert_with(|| format!("item_{response}_{index}").into());
        members.entry("type").or_insert_with(|| "message".into());
    }
    items
}
