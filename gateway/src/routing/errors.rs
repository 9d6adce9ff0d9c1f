//! What clients are told when nobody can be asked, or nobody answered, in LiteLLM's words.

use super::cooldown::Cooldowns;
use std::time::Duration;
use weir_core::domain::rates::Rate;
use weir_core::error::{ApiError, Kind};
use weir_core::time::Micros;
use weir_plugins::exchange::Exchange;
use weir_plugins::fallbacks;
use weir_plugins::load::{Loads, left_of};
use weir_plugins::models::Group;

/// All of a group are left alone; what to wait for is the first that may be asked again.
pub(super) fn all_cooled(x: &Exchange, group: &Group, cooldowns: &Cooldowns) -> ApiError {
    let cooled: Vec<_> =
        group.deployments.iter().filter_map(|d| Some((d.id.as_str(), cooldowns.left(d)?))).collect();
    let soonest = cooled.iter().map(|(_, left)| *left).min().unwrap_or_default();
    let wait = whole_seconds(soonest);
    let seconds = wait.as_secs();
    let checks = if x.snapshot.config.router.enable_pre_call_checks { "True" } else { "False" };
    let message = format!(
        "No deployments available for selected model, Try again in {seconds} seconds. Passed model={}. \
         pre-call-checks={checks}, cooldown_list={}",
        x.target.requested,
        listed(cooled.iter().map(|(id, _)| *id))
    );
    ApiError::new(Kind::NoDeployment, message).with_retry_after(wait)
}

/// Rounded up, at least one.
fn whole_seconds(wait: Duration) -> Duration {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    Duration::from_secs(seconds.max(1))
}

/// All that may be asked are at a limit of their own.
pub(super) fn all_full(group: &Group, loads: &Loads, now: Micros) -> ApiError {
    let waits = group.deployments.iter().filter_map(|d| {
        let count = loads.seen(&d.id)?.count(now);
        Some(match d.limits.full(&count)? {
            Rate::Parallel => Duration::from_secs(1),
            Rate::Requests | Rate::Tokens => left_of(&count, now),
        })
    });
    let error = ApiError::new(Kind::NoDeployment, "No deployments available for selected model.");
    match waits.min() {
        Some(wait) => error.with_retry_after(whole_seconds(wait)),
        None => error,
    }
}

/// No deployment takes so much. Fallbacks for such requests are asked.
pub(super) fn too_long(input: u64, most: u64) -> ApiError {
    let message = format!(
        "litellm.ContextWindowExceededError: Context Window exceeded for given call. No models have context window large \
         enough for this call. It has about {input} input tokens, the largest takes {most}."
    );
    ApiError::new(Kind::BadRequest, message).with_class("ContextWindowExceededError")
}

/// No deployment takes such a file.
pub(super) fn file_too_large(size: u64, most: u64) -> ApiError {
    let megabytes = |bytes: u64| bytes as f64 / 1_048_576.0;
    let message = format!(
        "File size is too large. Please check your file size. Passed file size: {:.2} MB. Max file size: {:.2} MB",
        megabytes(size),
        megabytes(most)
    );
    ApiError::new(Kind::BadRequest, message).with_param("file")
}

pub(super) fn not_in_region(x: &Exchange, region: &str) -> ApiError {
    let message = format!(
        "No deployments available for selected model in the region that its user is bound to. Passed model={}. \
         allowed_model_region={region}",
        x.target.requested
    );
    ApiError::new(Kind::NoDeployment, message)
}

pub(super) fn not_for_tags(x: &Exchange, tags: &[String]) -> ApiError {
    let message = format!(
        "Not allowed to access model due to tags configuration. Passed model={} and tags={}",
        x.target.requested,
        listed(tags.iter().map(String::as_str))
    );
    ApiError::new(Kind::ModelDenied, message).with_type("None").with_param("None")
}

/// A time-out that no other attempt may follow says so, and what to do about it.
pub fn in_time(x: &Exchange, error: ApiError) -> ApiError {
    if error.kind() != Kind::UpstreamTimeout || !x.is_late() {
        return error;
    }
    let seconds = x.patience().as_secs_f64();
    error.amend(|message| {
        format!(
            "{message} The {seconds:?} seconds for all attempts are over (`timeout` of router_settings, else \
             request_timeout); a shorter `timeout` of a deployment leaves time to ask another"
        )
    })
}

/// Says which group was asked last, which others might have been, and how often it was tried.
pub fn explain(x: &Exchange, error: ApiError) -> ApiError {
    if fallbacks::are_off(x) {
        return error;
    }
    let group = x.group_name();
    let others = super::plan::available(x, group);
    let others =
        if others.is_empty() { String::from("None") } else { listed(others.iter().map(String::as_str)) };
    let retried = match x.target.retries {
        0 => String::new(),
        times => {
            format!(" LiteLLM Retried: {times} times, LiteLLM Max Retries: {}", x.target.max_retries)
        }
    };
    error.amend(|message| {
        format!("{message}. Received Model Group={group}\nAvailable Model Group Fallbacks={others}{retried}")
    })
}

/// `['a', 'b']`, as Python shows a list.
pub(super) fn listed<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let quoted: Vec<String> = names.map(|name| format!("'{name}'")).collect();
    format!("[{}]", quoted.join(", "))
}
