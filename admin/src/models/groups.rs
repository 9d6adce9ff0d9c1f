//! `/model_group/info`: what clients ask for by name, over all deployments of it.

use super::show::{Known, called, is_visible, visible};
use crate::context::Context;
use crate::error::Refusal;
use crate::input::Params;
use axum::Json;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use weir_core::config::{Config, ModelEntry};
use weir_core::model::prices::Ability;

/// Abilities that LiteLLM tells of a group.
static ABILITIES: &[Ability] = &[
    Ability::ParallelCalls,
    Ability::Vision,
    Ability::WebSearch,
    Ability::UrlContext,
    Ability::Reasoning,
    Ability::FunctionCalling,
];

pub(super) async fn info(context: Context, params: Params) -> Result<Json<Value>, Refusal> {
    let config: Arc<Config> = (context.services.config)();
    let wanted = params.get("model_group");
    let mut names: Vec<&str> = Vec::new();
    for name in visible(&context, &config).map(|entry| called(&context, entry)) {
        if wanted.is_none_or(|wanted| name == wanted) && !names.contains(&name) {
            names.push(name);
        }
    }
    let data: Vec<_> = names.iter().map(|name| group(&context, &config, name)).collect();
    Ok(Json(json!({ "data": data })))
}

pub(super) fn group(context: &Context, config: &Config, name: &str) -> Value {
    let here = |entry: &&ModelEntry| called(context, entry) == name && is_visible(context, entry);
    let entries = config.models.iter().filter(here);
    let all: Vec<Known<'_>> = entries.map(|entry| Known::of(context, entry)).collect();
    let providers: BTreeSet<&str> = all.iter().map(|known| known.entry.provider.as_str()).collect();
    let sum = |of: fn(&Known<'_>) -> Option<u64>| {
        let told: Vec<u64> = all.iter().filter_map(of).collect();
        (!told.is_empty()).then(|| told.iter().sum::<u64>())
    };
    let written = all.first().map_or("", |known| &known.entry.model_as_written);
    let mut told = json!({
        "model_group": name,
        "providers": providers,
        "max_input_tokens": all.iter().filter_map(Known::max_input).max().map(decimal),
        "max_output_tokens": all.iter().filter_map(Known::max_output).max().map(decimal),
        "input_cost_per_token": dearest(&all, "input_cost_per_token"),
        "output_cost_per_token": dearest(&all, "output_cost_per_token"),
        "input_cost_per_pixel": dearest(&all, "input_cost_per_pixel"),
        "mode": all.iter().find_map(Known::mode),
        "tpm": sum(|known| known.entry.params.tpm),
        "rpm": sum(|known| known.entry.params.rpm),
        "supported_openai_params": context.services.control.supported_params(written),
        "configurable_clientside_auth_params": null,
        "is_public_model_group": config.hub.shows(name),
        "health_status": null,
        "health_response_time": null,
        "health_checked_at": null,
    });
    for ability in ABILITIES {
        told[ability.litellm()] = json!(all.iter().any(|known| known.can(*ability)));
    }
    told
}

/// As LiteLLM writes numbers of tokens here.
fn decimal(tokens: u64) -> Value {
    serde_json::from_str(&format!("{tokens}.0")).unwrap_or_default()
}

/// What a token costs at most.
fn dearest(all: &[Known<'_>], name: &str) -> Option<Value> {
    let costs = all.iter().filter_map(|known| known.price(name));
    let dearest = costs.max()?;
    serde_json::from_str(&dearest.to_string()).ok()
}
