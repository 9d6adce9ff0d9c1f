//! `/public/model_hub`: models that the operator shows to anybody, as `/model_group/info` has them.

use super::groups::group;
use crate::context::Context;
use crate::docs;
use axum::Json;
use serde_json::{Map, Value, json};
use std::collections::HashSet;

/// The API level, which LiteLLM's clients ask for.
const LITELLM: &str = "1.81.0";

pub(super) async fn models(context: Context) -> Json<Vec<Value>> {
    let config = (context.services.config)();
    let there: HashSet<&str> = config.models.iter().map(|entry| entry.name.as_str()).collect();
    let shown =
        config.hub.groups.iter().filter(|name| config.hub.shows(name) && there.contains(name.as_str()));
    Json(shown.map(|name| group(&context, &config, name)).collect())
}

pub(super) async fn about(context: Context) -> Json<Value> {
    let config = (context.services.config)();
    let link = |(title, link): (&str, &str)| {
        (title.to_owned(), serde_json::from_str::<Value>(link).unwrap_or_default())
    };
    let links: Map<String, Value> = config.hub.links.iter().map(link).collect();
    Json(json!({
        "docs_title": docs::title(&config.env),
        "custom_docs_description": config.env.filled("DOCS_DESCRIPTION"),
        "litellm_version": LITELLM,
        "useful_links": links,
    }))
}
