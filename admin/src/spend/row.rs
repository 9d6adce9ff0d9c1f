//! One entry as a row of LiteLLM's SpendLogs.

use crate::answer::{Object, Raw, parsed, raw};
use serde::ser::{Serialize, Serializer};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use weir_core::domain::breakdown::{Beside, Breakdown};
use weir_core::domain::money::{FemtoSum, NanoUsd};
use weir_core::domain::operation::Operation;
use weir_core::domain::spend::{AttemptRecord, BudgetSeen, Charge, Entry, Said, Status};
use weir_core::domain::usage::{Usage, UsageSource};
use weir_core::time::Micros;

/// Entries as a JSON array, written row by row so that not all of them are there twice. With what was said in them,
/// where it was kept.
pub(super) struct Rows<'a>(pub(super) &'a [Entry], pub(super) &'a [Said]);

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer
            .collect_seq(self.0.iter().map(|entry| row(entry, self.1.iter().find(|s| s.id == entry.id))))
    }
}

/// LiteLLM's three members for what was said.
fn said(said: Option<&Said>) -> [(&'static str, Raw); 3] {
    let none = || parsed("{}", "null");
    let Some(said) = said else {
        return [("messages", none()), ("response", none()), ("proxy_server_request", none())];
    };
    let request: BTreeMap<String, Raw> = serde_json::from_str(&said.request).unwrap_or_default();
    let messages = request.get("messages").or_else(|| request.get("input")).cloned();
    let response = if said.response.is_empty() { none() } else { parsed(&said.response, "null") };
    [
        ("messages", messages.unwrap_or_else(none)),
        ("response", response),
        ("proxy_server_request", parsed(&said.request, "{}")),
    ]
}

/// The same three by themselves.
pub(super) fn bodies(kept: &Said) -> Object {
    Object(said(Some(kept)).into())
}

fn row(entry: &Entry, kept: Option<&Said>) -> Object {
    let text = |value: &Option<String>| raw(value.as_deref().unwrap_or_default());
    let [messages, response, request] = said(kept);
    Object(vec![
        ("request_id", raw(entry.provider_id.as_ref().unwrap_or(&entry.call_id))),
        ("call_type", raw(entry.operation.row().call_type)),
        ("api_key", raw(&hash(entry))),
        ("spend", entry.cost.json()),
        ("total_tokens", raw(&entry.usage.total())),
        ("prompt_tokens", raw(&entry.usage.input)),
        ("completion_tokens", raw(&entry.usage.output)),
        ("startTime", raw(&entry.started_at.rfc3339())),
        ("endTime", raw(&entry.ended_at.rfc3339())),
        ("completionStartTime", raw(&entry.first_token_at.unwrap_or(entry.ended_at).rfc3339())),
        ("model", raw(&model(entry))),
        ("model_id", raw(&entry.deployment_id)),
        ("model_group", raw(&entry.model_group)),
        ("custom_llm_provider", raw(&entry.provider)),
        ("api_base", raw(&entry.api_base)),
        ("user", text(&entry.user_id)),
        ("metadata", raw(&metadata(entry))),
        ("cache_hit", raw(cache_hit(entry))),
        ("cache_key", raw(entry.cache_key.as_deref().unwrap_or("Cache OFF"))),
        ("request_tags", raw(&entry.tags)),
        ("team_id", text(&entry.team_id)),
        ("organization_id", text(&entry.organization_id)),
        ("end_user", text(&entry.end_user)),
        ("requester_ip_address", raw(&entry.client_ip)),
        messages,
        response,
        ("session_id", raw(entry.session_id.as_ref().unwrap_or(&entry.id.to_string()))),
        ("status", raw(if failed(entry) { "failure" } else { "success" })),
        ("mcp_namespaced_tool_name", Raw::default()),
        ("agent_id", Raw::default()),
        request,
    ])
}

/// LiteLLM's text for "it was not there" is None on plain answers and False on streams and failures.
fn cache_hit(entry: &Entry) -> &'static str {
    match entry.cache_hit {
        true => "True",
        false if failed(entry) || entry.stream => "False",
        false => "None",
    }
}

/// The hash of the key; empty for a caller that was refused before one was recognised.
pub(super) fn hash(entry: &Entry) -> String {
    entry.key_hash.map(|hash| hash.hex()).unwrap_or_default()
}

/// The upstream model with its provider; what was asked for where no deployment was reached.
pub(crate) fn model(entry: &Entry) -> String {
    let (provider, model) = (&entry.provider, &entry.model);
    if model.is_empty() {
        return entry.model_requested.clone();
    }
    let prefixed = model.strip_prefix(provider.as_str()).is_some_and(|rest| rest.starts_with('/'));
    if provider.is_empty() || prefixed { model.clone() } else { format!("{provider}/{model}") }
}

/// LiteLLM knows success and failure only; `weir.status` says what kind of failure.
fn failed(entry: &Entry) -> bool {
    entry.status != Status::Success
}

/// LiteLLM's members, and under `weir` what explains the entry.
fn metadata(entry: &Entry) -> Object {
    let null = Raw::default;
    let mut members = vec![
        ("batch_models", null()),
        ("usage_object", usage(entry)),
        ("user_api_key", raw(&hash(entry))),
        ("cost_breakdown", cost(entry)),
        ("applied_guardrails", if failed(entry) { null() } else { parsed("[]", "null") }),
        ("user_api_key_alias", raw(&entry.key_alias)),
        ("user_api_key_org_id", null()),
        ("requester_ip_address", raw(&entry.client_ip)),
        ("user_api_key_team_id", raw(&entry.team_id)),
        ("user_api_key_user_id", raw(&entry.user_id)),
        ("guardrail_information", null()),
        ("model_map_information", null()),
        ("mcp_tool_call_metadata", null()),
        ("additional_usage_values", raw(&additional(entry))),
        ("cold_storage_object_key", null()),
        ("user_api_key_team_alias", raw(&entry.team_alias)),
        ("litellm_overhead_time_ms", null()),
        ("vector_store_request_metadata", null()),
    ];
    if !entry.metadata.is_empty() {
        members.push(("requester_metadata", parsed(&entry.metadata, "null")));
    }
    if failed(entry) {
        members.push(("status", raw("failure")));
        members.push(("error_information", raw(&error(entry))));
    }
    members.push(("weir", raw(&weir(entry))));
    Object(members)
}

fn usage(entry: &Entry) -> Raw {
    let usage = &entry.usage;
    if entry.usage_source == UsageSource::None {
        return Raw::default();
    }
    let mut object = json!({
        "total_tokens": usage.total(),
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "prompt_tokens_details": null,
        "completion_tokens_details": null,
    });
    if has_details(entry) {
        object["prompt_tokens_details"] = with(prompt_details(usage), &["text_tokens", "image_tokens"]);
        object["completion_tokens_details"] =
            with(completion_details(usage), &["text_tokens", "image_tokens"]);
    }
    let written = usage.cache_write.saturating_add(usage.cache_write_1h);
    if written > 0 {
        object["cache_creation_input_tokens"] = written.into();
        object["cache_read_input_tokens"] = usage.cache_read.into();
    }
    raw(&object)
}

fn additional(entry: &Entry) -> Value {
    if entry.usage_source == UsageSource::None {
        return json!({});
    }
    let details =
        has_details(entry).then(|| (prompt_details(&entry.usage), completion_details(&entry.usage)));
    let (prompt, completion) = details.unwrap_or_default();
    json!({ "prompt_tokens_details": prompt, "completion_tokens_details": completion })
}

/// Embeddings have no kinds of tokens.
fn has_details(entry: &Entry) -> bool {
    entry.operation != Operation::Embeddings
}

fn prompt_details(usage: &Usage) -> Value {
    json!({ "audio_tokens": usage.audio_input, "cached_tokens": usage.cache_read })
}

fn completion_details(usage: &Usage) -> Value {
    json!({
        "audio_tokens": usage.audio_output,
        "reasoning_tokens": usage.reasoning,
        "accepted_prediction_tokens": 0,
        "rejected_prediction_tokens": 0,
    })
}

/// The same with null for kinds that are not counted.
fn with(mut details: Value, uncounted: &[&str]) -> Value {
    uncounted.iter().for_each(|name| details[*name] = Value::Null);
    details
}

/// The total is what is booked; its parts are each rounded for themselves, and null where nothing was noted.
fn cost(entry: &Entry) -> Raw {
    if entry.usage_source == UsageSource::None {
        return Raw::default();
    }
    let parts = Breakdown::of(&entry.explained.charges);
    let beside = parts.and_then(|parts| parts.beside);
    let part = |of: fn(Breakdown) -> NanoUsd| parts.map_or_else(Raw::default, |parts| of(parts).json());
    let listed = parts.filter(|_| beside.is_some()).map_or(entry.cost, |parts| parts.listed);
    // Shares are not noted, only what they came to.
    let share = || if beside.is_some() { Raw::default() } else { NanoUsd::ZERO.json() };
    let Beside { discount, margin } = beside.unwrap_or_default();
    raw(&Object(vec![
        ("input_cost", part(|parts| parts.input)),
        ("total_cost", entry.cost.json()),
        ("output_cost", part(|parts| parts.output)),
        ("original_cost", listed.json()),
        ("margin_percent", share()),
        ("discount_amount", discount.json()),
        ("tool_usage_cost", parts.map(|parts| parts.tools).unwrap_or_default().json()),
        ("discount_percent", share()),
        ("margin_fixed_amount", share()),
        ("margin_total_amount", margin.json()),
    ]))
}

fn error(entry: &Entry) -> Value {
    json!({
        "traceback": "",
        "error_code": entry.http_status.to_string(),
        "error_class": entry.error,
        "llm_provider": entry.provider,
        "error_message": entry.error_message,
    })
}

fn weir(entry: &Entry) -> Object {
    let explained = &entry.explained;
    Object(vec![
        ("entry_id", raw(&entry.id.to_string())),
        ("call_id", raw(&entry.call_id)),
        ("status", raw(entry.status.as_str())),
        ("http_status", raw(&entry.http_status)),
        ("stream", raw(&entry.stream)),
        ("model_requested", raw(&entry.model_requested)),
        ("usage_source", raw(source(entry.usage_source))),
        ("unpriced", raw(&entry.unpriced)),
        ("price_version", raw(&entry.price_version)),
        ("service_tier", raw(entry.usage.tier_name().unwrap_or("standard"))),
        ("user_agent", raw(&entry.user_agent)),
        ("attempts", raw(&entry.attempts.iter().map(attempt).collect::<Vec<_>>())),
        ("considered", raw(&explained.considered)),
        ("charges", raw(&explained.charges.iter().map(charge).collect::<Vec<_>>())),
        ("budgets", raw(&explained.budgets.iter().map(|seen| budget(seen, entry)).collect::<Vec<_>>())),
    ])
}

/// `price` is for `per` of it; `cost` is rounded for itself.
fn charge(charge: &Charge) -> Object {
    let mut sum = FemtoSum::default();
    sum.add_per(charge.quantity, charge.per, charge.price);
    Object(vec![
        ("label", raw(&charge.label)),
        ("quantity", raw(&charge.quantity)),
        ("price", charge.price.json()),
        ("per", raw(&charge.per)),
        ("cost", sum.round().json()),
    ])
}

fn budget(seen: &BudgetSeen, entry: &Entry) -> Object {
    let after = seen.before + entry.counted(seen.scope, &seen.id);
    Object(vec![
        ("scope", raw(seen.scope.as_str())),
        ("id", raw(&seen.scope.whom(&entry.whose(seen)))),
        ("cap", seen.cap.json()),
        ("before", seen.before.json()),
        ("after", after.json()),
        ("reset_at", raw(&seen.resets_at.map(Micros::rfc3339))),
        ("refused", raw(&seen.refused)),
    ])
}

fn source(source: UsageSource) -> &'static str {
    match source {
        UsageSource::None => "none",
        UsageSource::Reported => "reported",
        UsageSource::Estimated => "estimated",
    }
}

fn attempt(attempt: &AttemptRecord) -> Value {
    json!({
        "number": attempt.number,
        "model_group": attempt.model_group,
        "model_id": attempt.deployment_id,
        "status": attempt.status,
        "error": attempt.error,
        "started_at": attempt.started_at.rfc3339(),
        "ended_at": attempt.ended_at.rfc3339(),
    })
}
