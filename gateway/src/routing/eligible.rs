//! Which deployments of a group may be asked at all: those that are not left alone, that take what is asked, that are for
//! such requests, and that are not at a limit of their own. What is not configured is not looked at.

use super::Routing;
use super::errors;
use smallvec::SmallVec;
use std::sync::Arc;
use weir_core::config::RouterSettings;
use weir_core::error::ApiError;
use weir_core::time::Micros;
use weir_plugins::deployment::Deployment;
use weir_plugins::exchange::Exchange;
use weir_plugins::filters::{asked_tags, estimated_input, unpriced};
use weir_plugins::load::Loads;
use weir_plugins::models::Group;

/// Never empty where it is an answer.
pub type Candidates<'g> = SmallVec<[&'g Arc<Deployment>; 8]>;

/// Whoever may be asked now, in the order of the config.
///
/// # Errors
/// Why nobody may.
pub fn eligible<'g>(x: &Exchange, group: &'g Group, routing: &Routing) -> Result<Candidates<'g>, ApiError> {
    let router = &x.snapshot.config.router;
    let warm = group.deployments.iter().filter(|d| !routing.cooldowns.is_cooled(d));
    let mut left: Candidates<'g> = warm.collect();
    if left.is_empty() {
        return Err(errors::all_cooled(x, group, &routing.cooldowns));
    }
    if x.snapshot.config.weir.block_unpriced {
        left.retain(|d| d.is_priced());
        if left.is_empty() {
            return Err(unpriced(&group.name));
        }
    }
    if x.request.form.is_some() {
        small_enough(x, &mut left)?;
    }
    if router.enable_pre_call_checks {
        in_region(x, &mut left)?;
        wide_enough(x, &mut left)?;
    }
    if router.enable_tag_filtering {
        for_tags(x, &mut left, router)?;
    }
    if left.iter().any(|d| d.limits.any()) {
        let now = x.clock.now();
        left.retain(|d| has_room(d, &routing.loads, now));
        if left.is_empty() {
            return Err(errors::all_full(group, &routing.loads, now));
        }
    }
    Ok(left)
}

fn has_room(deployment: &Deployment, loads: &Loads, now: Micros) -> bool {
    if !deployment.limits.any() {
        return true;
    }
    let load = loads.seen(&deployment.id);
    load.is_none_or(|load| deployment.limits.full(&load.count(now)).is_none())
}

/// A deployment may take smaller files than others do.
fn small_enough(x: &Exchange, left: &mut Candidates<'_>) -> Result<(), ApiError> {
    let files = x.request.form.iter().flat_map(|form| form.files());
    let largest = files.map(|(_, file)| file.len() as u64).max().unwrap_or_default();
    let most = left.iter().filter_map(|d| d.max_file).max().unwrap_or_default();
    left.retain(|d| d.max_file.is_none_or(|most| largest <= most));
    if left.is_empty() { Err(errors::file_too_large(largest, most)) } else { Ok(()) }
}

/// Whoever is bound to a region gets nothing from a deployment that is not known to be there.
fn in_region(x: &Exchange, left: &mut Candidates<'_>) -> Result<(), ApiError> {
    let Some(region) = &x.target.region else { return Ok(()) };
    left.retain(|d| d.region.as_deref().is_some_and(|at| is_within(at, region)));
    if left.is_empty() { Err(errors::not_in_region(x, region)) } else { Ok(()) }
}

/// Regions are told as they are, or by the part of the world that their names begin with (`eu-west-1`, `europe-west4`).
fn is_within(at: &str, region: &str) -> bool {
    let (at, region) = (at.to_ascii_lowercase(), region.to_ascii_lowercase());
    let rest = at.strip_prefix(&region);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        || region == "eu" && at.starts_with("europe")
}

/// By the bytes of the body first; only what may be too long by that is read and counted.
fn wide_enough(x: &Exchange, left: &mut Candidates<'_>) -> Result<(), ApiError> {
    let narrowest = left.iter().filter_map(|d| d.max_input).min();
    if narrowest.is_none_or(|most| estimated_input(x) <= most) {
        return Ok(());
    }
    let Some(input) = counted_input(x) else { return Ok(()) };
    let widest = left.iter().filter_map(|d| d.max_input).max().unwrap_or_default();
    left.retain(|d| d.max_input.is_none_or(|most| input <= most));
    if left.is_empty() { Err(errors::too_long(input, widest)) } else { Ok(()) }
}

/// Without what pictures and files take as bytes. `None`: it is no chat, or not understood.
fn counted_input(x: &Exchange) -> Option<u64> {
    x.request.operation.row().chat?;
    let read = x.request.client().read_request(&x.request.body, &x.request.headers);
    Some(weir_plugins::count::count(&read.ok()?))
}

/// Deployments with this tag are for requests that no other is for.
const DEFAULT: &str = "default";

fn for_tags(x: &Exchange, left: &mut Candidates<'_>, router: &RouterSettings) -> Result<(), ApiError> {
    let asked = asked_tags(x);
    let is_default = |d: &Deployment| d.tags.iter().any(|tag| tag == DEFAULT);
    if asked.is_empty() {
        if left.iter().any(|d| is_default(d)) {
            left.retain(|d| is_default(d));
        }
        return Ok(());
    }
    let any = router.tag_filtering_match_any;
    let has = |d: &Deployment, tag: &String| d.tags.contains(tag);
    let fits = |d: &Deployment| match any {
        true => asked.iter().any(|tag| has(d, tag)),
        false => asked.iter().all(|tag| has(d, tag)),
    };
    if left.iter().any(|d| fits(d)) {
        left.retain(|d| fits(d));
        return Ok(());
    }
    left.retain(|d| is_default(d));
    if left.is_empty() { Err(errors::not_for_tags(x, &asked)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::is_within;

    #[test]
    fn regions_are_parts_of_the_world_or_themselves() {
        for (at, region) in
            [("eu", "eu"), ("eu-west-1", "eu"), ("europe-west4", "EU"), ("us-east-1", "us-east-1")]
        {
            assert!(is_within(at, region), "{at} {region}");
        }
        for (at, region) in [("us-east-1", "eu"), ("eureka", "eu"), ("eu", "eu-west-1"), ("global", "eu")] {
            assert!(!is_within(at, region), "{at} {region}");
        }
    }
}
