//! `/model/info`: every deployment that is in force, with what it costs and can.

use crate::answer::{Object, Raw, parsed, raw};
use crate::context::Context;
use crate::error::{Refusal, detail};
use crate::input::Params;
use axum::Json;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use weir_core::config::{Config, ModelEntry};
use weir_core::domain::money::FemtoUsd;
use weir_core::model::prices::{Ability, ModelFacts, ModelPrice, PriceKey};

/// Prices that LiteLLM shows whether there are any or not.
#[rustfmt::skip]
static PRICES: &[&str] = &[
    "input_cost_per_token", "input_cost_per_token_flex", "input_cost_per_token_priority",
    "cache_creation_input_token_cost", "cache_creation_input_token_cost_above_200k_tokens",
    "cache_read_input_token_cost", "cache_read_input_token_cost_above_200k_tokens",
    "cache_read_input_token_cost_flex", "cache_read_input_token_cost_priority",
    "cache_creation_input_token_cost_above_1hr", "input_cost_per_character",
    "input_cost_per_token_above_128k_tokens", "input_cost_per_token_above_200k_tokens", "input_cost_per_query",
    "input_cost_per_second", "input_cost_per_audio_token", "input_cost_per_image_token",
    "input_cost_per_token_batches", "output_cost_per_token_batches", "output_cost_per_token",
    "output_cost_per_token_flex", "output_cost_per_token_priority", "output_cost_per_audio_token",
    "output_cost_per_character", "output_cost_per_reasoning_token", "output_cost_per_token_above_128k_tokens",
    "output_cost_per_character_above_128k_tokens", "output_cost_per_token_above_200k_tokens",
    "output_cost_per_second", "output_cost_per_video_per_second", "output_cost_per_image",
    "output_cost_per_image_token", "citation_cost_per_token", "ocr_cost_per_page", "annotation_cost_per_page",
];

/// Facts that this gateway does not keep.
#[rustfmt::skip]
static UNKNOWN: &[&str] = &[
    "output_vector_size", "tiered_pricing", "supports_embedding_image_input", "supports_native_streaming",
    "search_context_cost_per_query", "tpm", "rpm",
];

/// What LiteLLM adds to parameters that say nothing of it.
pub(super) static DEFAULTS: &[&str] =
    &["use_in_pass_through", "use_litellm_proxy", "merge_reasoning_content_in_choices"];

/// A deployment with what is known of its model.
pub(super) struct Known<'c> {
    pub(super) entry: &'c ModelEntry,
    pub(super) facts: Option<ModelFacts<'c>>,
    /// The catalogue's, and the config's over it.
    pub(super) price: Option<ModelPrice>,
}

impl<'c> Known<'c> {
    pub(super) fn of(context: &'c Context, entry: &'c ModelEntry) -> Self {
        let base = entry.info.base_model.as_deref();
        let facts = context.catalogue.find(&entry.provider, &entry.upstream_model, base);
        let own: Vec<_> = entry.info.prices.iter().chain(&entry.params.prices).cloned().collect();
        let listed = facts.as_ref().and_then(|facts| facts.price.clone());
        let price = match own.is_empty() {
            true => listed,
            // One that is no number was refused when it was loaded.
            false => ModelPrice::with_overrides(listed.as_ref(), &own).ok(),
        };
        Self { entry, facts, price }
    }

    /// By LiteLLM's name of it.
    pub(super) fn price(&self, name: &str) -> Option<FemtoUsd> {
        self.price.as_ref()?.get(PriceKey::from_litellm(name)?)
    }

    fn cost(&self, name: &str) -> Option<Raw> {
        RawValue::from_string(self.price(name)?.to_string()).ok()
    }

    pub(super) fn can(&self, ability: Ability) -> bool {
        self.facts.as_ref().is_some_and(|facts| facts.can(ability))
    }

    pub(super) fn mode(&self) -> Option<&str> {
        let listed = self.facts.as_ref().map(|facts| facts.mode).filter(|mode| !mode.is_empty());
        self.entry.info.mode.as_deref().or(listed)
    }

    pub(super) fn max_input(&self) -> Option<u64> {
        self.entry.info.max_input_tokens.or(self.facts.as_ref()?.max_input_tokens)
    }

    pub(super) fn max_output(&self) -> Option<u64> {
        let own = self.entry.info.max_output_tokens.or(self.entry.info.max_tokens);
        own.or(self.facts.as_ref()?.max_output_tokens)
    }

    fn info(&self, context: &Context) -> Members {
        let mut told = Members::default();
        told.put("id", raw(&self.entry.id));
        told.put("db_model", raw(&self.entry.from_ledger));
        self.written(&mut told);
        if self.facts.is_some() || self.price.is_some() {
            self.listed(context, &mut told);
        }
        told
    }

    /// What the entry says of itself.
    fn written(&self, told: &mut Members) {
        let info = &self.entry.info;
        told.text("base_model", info.base_model.as_deref());
        if !info.access_groups.is_empty() {
            told.put("access_groups", raw(&info.access_groups));
        }
        for (name, json) in info.rest.iter().filter(|(name, _)| *name != "db_model") {
            told.put(name, parsed(json, "null"));
        }
    }

    /// What the catalogue says, where the entry says nothing.
    fn listed(&self, context: &Context, told: &mut Members) {
        let null = || parsed("null", "null");
        let (facts, written) = (self.facts.as_ref(), &self.entry.model_as_written);
        told.unless("key", raw(facts.map_or(written.as_str(), |facts| facts.name)));
        told.unless("max_tokens", raw(&self.entry.info.max_tokens.or(self.max_output())));
        told.unless("max_input_tokens", raw(&self.max_input()));
        told.unless("max_output_tokens", raw(&self.max_output()));
        for name in PRICES {
            told.unless(name, self.cost(name).unwrap_or_else(null));
        }
        let beyond = self.price.iter().flat_map(ModelPrice::listed).map(|(key, _)| key.litellm());
        for name in beyond.filter(|name| !PRICES.contains(&name.as_str())) {
            told.unless(&name, self.cost(&name).unwrap_or_else(null));
        }
        told.unless(
            "litellm_provider",
            raw(facts.map_or(self.entry.provider.as_str(), |facts| facts.provider)),
        );
        told.unless("mode", raw(&self.mode()));
        for ability in Ability::ALL {
            told.unless(ability.litellm(), if self.can(*ability) { raw(&true) } else { null() });
        }
        UNKNOWN.iter().for_each(|name| told.unless(name, null()));
        told.unless("supported_openai_params", raw(&context.services.control.supported_params(written)));
    }

    fn shown(&self, context: &Context) -> Object {
        Object(vec![
            ("model_name", raw(called(context, self.entry))),
            ("litellm_params", raw(&params(self.entry))),
            ("model_info", raw(&self.info(context))),
            ("weir", raw(&self.beside(context))),
        ])
    }

    /// What LiteLLM does not tell: where the deployment comes from, for whoever may look at everything, and its price.
    fn beside(&self, context: &Context) -> Object {
        let mut told = vec![("price", raw(&self.price_source()))];
        if context.sees_all() {
            told.push(("source", raw(&self.entry.provenance.entry.json())));
            told.push(("changed", raw(&self.entry.provenance.changed_json())));
        }
        Object(told)
    }

    /// `from`: `config` where any price is set there, with where each stands; else `catalogue`, `unpriced`, or
    /// `pattern`: what is asked for has the price of its own name. `key`: the catalogue's name of what it prices.
    fn price_source(&self) -> Value {
        let set = self.set_prices();
        let is_listed =
            |facts: &&ModelFacts<'_>| facts.price.iter().any(|price| price.listed().next().is_some());
        let key = self.facts.as_ref().filter(is_listed).map(|facts| facts.name);
        let from = match key {
            _ if !set.is_empty() => "config",
            Some(_) => "catalogue",
            None if self.entry.upstream_model.contains('*') => "pattern",
            None => "unpriced",
        };
        json!({ "from": from, "key": key, "set": set })
    }

    /// Prices of the config, and the section that each stands in; what is in both counts as `litellm_params` has it.
    fn set_prices(&self) -> Map<String, Value> {
        let (info, params) = (&self.entry.info.prices, &self.entry.params.prices);
        let of = |(name, _): &(String, String), section: &str| (name.clone(), Value::from(section));
        let of_info = info.iter().map(|price| of(price, "model_info"));
        of_info.chain(params.iter().map(|price| of(price, "litellm_params"))).collect()
    }
}

/// What a deployment costs, as far as it is known.
pub(crate) fn price_of(context: &Context, entry: &ModelEntry) -> Option<ModelPrice> {
    Known::of(context, entry).price
}

/// The parameters of a deployment as far as they may be told.
pub(crate) fn shown_params(entry: &ModelEntry) -> Map<String, Value> {
    let read = |(name, json): (&str, &str)| (name.to_owned(), serde_json::from_str(json).unwrap_or_default());
    entry.shown.iter().map(read).collect()
}

fn params(entry: &ModelEntry) -> BTreeMap<String, Raw> {
    let mut told: BTreeMap<String, Raw> =
        entry.shown.iter().map(|(name, json)| (name.to_owned(), parsed(json, "null"))).collect();
    for name in DEFAULTS {
        told.entry((*name).to_owned()).or_insert_with(|| raw(&false));
    }
    told
}

/// Members in the order they were put, numbers as they are written.
#[derive(Default)]
struct Members(Vec<(String, Raw)>);

impl Serialize for Members {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl Members {
    fn put(&mut self, name: &str, value: Raw) {
        self.0.push((name.to_owned(), value));
    }

    fn text(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.put(name, raw(value));
        }
    }

    fn unless(&mut self, name: &str, value: Raw) {
        if !self.0.iter().any(|(known, _)| known == name) {
            self.put(name, value);
        }
    }
}

// --- routes ---

/// Whether the caller may know of a model: whoever sees everything, or whose key may use it.
pub(super) fn sees(context: &Context, name: &str) -> bool {
    let control = &context.services.control;
    context.sees_all() || context.caller.principal().is_none_or(|known| control.may_use(known, name))
}

/// Deployments that the caller may know of.
pub(super) fn visible<'c>(context: &'c Context, config: &'c Config) -> impl Iterator<Item = &'c ModelEntry> {
    config.models.iter().filter(|entry| is_visible(context, entry))
}

pub(super) fn is_visible(context: &Context, entry: &ModelEntry) -> bool {
    let of_another = entry.info.team.as_ref().is_some_and(|team| !is_of(context, team));
    context.sees_all() || !of_another && sees(context, called(context, entry))
}

/// What the caller calls a deployment: its team may have another name for it.
pub(super) fn called<'e>(context: &Context, entry: &'e ModelEntry) -> &'e str {
    let public = entry.info.team_public_name.as_ref().filter(|_| !context.sees_all());
    public.unwrap_or(&entry.name)
}

fn is_of(context: &Context, team: &str) -> bool {
    context.caller.key().and_then(|key| key.team_id.as_deref()) == Some(team)
}

/// `/v1/model/info?litellm_model_id=`
pub(super) async fn info(context: Context, params: Params) -> Result<Json<Object>, Refusal> {
    let config: Arc<Config> = (context.services.config)();
    let Some(id) = params.get("litellm_model_id") else {
        let all = visible(&context, &config).map(|entry| Known::of(&context, entry).shown(&context));
        return Ok(data(&all.collect::<Vec<_>>()));
    };
    let found = visible(&context, &config).find(|entry| entry.id == id);
    let missing = || detail(400, &json!({ "error": format!("Model id = {id} not found on litellm proxy") }));
    let entry = found.ok_or_else(missing)?;
    Ok(data(&[Known::of(&context, entry).shown(&context)]))
}

/// `/v2/model/info?model=&modelId=&search=`
pub(super) async fn search(context: Context, params: Params) -> Result<Json<Object>, Refusal> {
    let config: Arc<Config> = (context.services.config)();
    let (name, id) = (params.get("model"), params.get("modelId"));
    let part = params.get("search").map(str::to_lowercase);
    let wanted = |entry: &&ModelEntry| {
        name.is_none_or(|name| called(&context, entry) == name)
            && id.is_none_or(|id| entry.id == id)
            && part.as_ref().is_none_or(|part| called(&context, entry).to_lowercase().contains(part))
    };
    let found = visible(&context, &config).filter(wanted);
    let all: Vec<_> = found.map(|entry| Known::of(&context, entry).shown(&context)).collect();
    Ok(data(&all))
}

fn data(models: &[Object]) -> Json<Object> {
    Json(Object(vec![("data", raw(models))]))
}
