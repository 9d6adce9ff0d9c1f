//! The ledger entry of an exchange, from what is known so far.

use crate::deployment::Deployment;
use crate::exchange::Exchange;
use weir_core::domain::key::Principal;
use weir_core::domain::spend::{Entry, Status};
use weir_core::model::prices::ServiceTier;
use weir_core::time::Micros;

/// What does not change any more once the caller and the model are known. Says `Interrupted`, which is what it will be
/// if nothing follows.
pub fn draft(x: &Exchange) -> Entry {
    let key = x.caller.key();
    let known = x.caller.principal();
    Entry {
        call_id: x.request.call_id.clone(),
        stream: x.request.stream,
        key_hash: x.caller.hash(),
        key_alias: key.and_then(|k| k.alias.clone()),
        user_id: x.caller.user_id().map(str::to_owned),
        team_id: key.and_then(|k| k.team_id.clone()),
        end_user: customer(x).filter(|_| x.snapshot.config.litellm.tracks_customers),
        model_requested: clip(&x.target.requested, 256),
        tags: tags(x),
        metadata: metadata(x),
        client_ip: x.request.client_ip.map(|ip| ip.to_string()).unwrap_or_default(),
        user_agent: clip(x.header("user-agent"), 256),
        organization_id: known.and_then(organization),
        team_alias: known.and_then(|known| known.team.as_ref()?.alias.clone()),
        session_id: session(x),
        accounts: x.accounts.clone(),
        ..Entry::begun(x.id, x.clock.started_at, x.request.operation)
    }
}

/// The entry as it stands now.
pub fn fill(entry: &mut Entry, x: &Exchange, deployment: Option<&Deployment>, ended_at: Micros) {
    let error = x.answer.error.as_ref();
    entry.ended_at = ended_at;
    entry.first_token_at = x.answer.first_token_at;
    entry.provider_id = x.answer.provider_id.as_deref().map(|id| clip(id, 256));
    entry.status = x.answer.outcome.unwrap_or(Status::Interrupted);
    entry.http_status = x.answer.status;
    entry.error = error.map(|e| e.class().to_owned()).unwrap_or_default();
    entry.error_message = error.map(|e| clip(e.message(), 2_000)).unwrap_or_default();
    entry.usage = x.answer.usage;
    entry.usage.tier = entry.usage.tier.filter(|tier| *tier != ServiceTier::Standard && !x.answer.cache_hit);
    entry.usage_source = x.answer.usage_source;
    entry.cost = x.answer.cost;
    entry.unpriced = x.answer.unpriced;
    entry.cache_hit = x.answer.cache_hit;
    entry.cache_key = x.caching.as_ref().map(|caching| clip(&caching.key, 256));
    entry.attempts.clone_from(&x.attempts);
    let accounts = || x.accounts.iter().chain(&x.deployment_accounts);
    if !entry.accounts.iter().eq(accounts()) {
        entry.accounts = accounts().cloned().collect();
    }
    entry.outrun.clone_from(&x.answer.outrun);
    let group = x.group_name();
    if entry.model_group != group {
        entry.model_group = clip(group, 256);
    }
    if let Some(deployment) = deployment.filter(|d| d.id != entry.deployment_id) {
        served_by(entry, deployment);
        // Of a model that no list knows the deployment has no name; the entry may hold any.
        let named = x.request.pass.as_ref().filter(|pass| !pass.routed).and_then(|p| p.meant.model.as_ref());
        if let Some(named) = named {
            entry.model = clip(&named.name, 256);
        }
    }
}

fn served_by(entry: &mut Entry, deployment: &Deployment) {
    entry.model.clone_from(&deployment.model_label);
    deployment.provider.prefix.clone_into(&mut entry.provider);
    entry.deployment_id.clone_from(&deployment.id);
    entry.api_base.clone_from(&deployment.wire.api_base);
    entry.price_version = deployment.price.as_ref().map(|p| p.version.clone()).unwrap_or_default();
}

/// The customer that a request names, as it is booked, where customers are: what is held for it must be held under the same
/// name.
pub fn customer(x: &Exchange) -> Option<String> {
    x.end_user().map(|name| clip(&name, 256))
}

/// Text from outside is bounded before it is stored, and holds no NUL, which Postgres cannot keep.
fn clip(text: &str, limit: usize) -> String {
    let text = &text[..text.floor_char_boundary(limit)];
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text.to_owned() }
}

const MAX_TAGS: usize = 64;
const MAX_METADATA: usize = 16 * 1024;

/// Whose the key is, or its team.
pub(crate) fn organization(known: &Principal) -> Option<String> {
    let of_team = || known.team.as_ref()?.organization_id.clone();
    known.key.organization_id.clone().or_else(of_team)
}

/// The client's own session, by header or in its metadata.
pub fn session(x: &Exchange) -> Option<String> {
    let header = x.header("x-litellm-session-id");
    if !header.is_empty() {
        return Some(clip(header, 256));
    }
    let raw = x.request.body.raw("metadata").filter(|raw| raw.contains("\"session_id\""))?;
    let parsed: Sessioned = serde_json::from_str(raw).ok()?;
    parsed.session_id.map(|id| clip(&id, 256))
}

#[derive(serde::Deserialize)]
struct Sessioned {
    session_id: Option<String>,
}

/// What spend is sorted by. `x-litellm-tags` (comma separated) or a list in the body's `tags` replace the body's
/// `metadata.tags` and the key's; otherwise those add up. Who asked is always among them, as with LiteLLM.
pub fn tags(x: &Exchange) -> Vec<String> {
    x.tags.clone().unwrap_or_else(|| read_tags(x))
}

fn read_tags(x: &Exchange) -> Vec<String> {
    let settings = &x.snapshot.config.litellm;
    let mut tags = asked_tags(x);
    let headers = settings.extra_spend_tag_headers.iter().map(|name| (name, x.header(name)));
    let said = headers.filter(|(_, value)| !value.is_empty());
    tags.extend(said.map(|(name, value)| clip(&format!("{name}: {value}"), 128)));
    if !settings.disable_add_user_agent_to_request_tags {
        tags.extend(agent_tags(x.header("user-agent")));
    }
    let mut tags = once(tags);
    tags.truncate(MAX_TAGS);
    tags
}

/// What is said twice counts once, and not twice against its budget.
fn once(tags: Vec<String>) -> Vec<String> {
    let mut once = Vec::with_capacity(tags.len());
    for tag in tags {
        if !once.contains(&tag) {
            once.push(tag);
        }
    }
    once
}

/// The same without who asked.
pub fn asked_tags(x: &Exchange) -> Vec<String> {
    let header = x.header("x-litellm-tags");
    if !header.is_empty() {
        let parts = header.split(',').map(str::trim).filter(|t| !t.is_empty());
        return parts.take(MAX_TAGS).map(|t| clip(t, 128)).collect();
    }
    if let Some(raw) = x.request.body.raw("tags") {
        return clipped(serde_json::from_str(raw).unwrap_or_default());
    }
    let mut tags = x.request.body.raw("metadata").map(tagged).unwrap_or_default();
    if let Some(key) = x.caller.key() {
        let own = tagged(&key.metadata).into_iter().filter(|tag| !tags.contains(tag)).collect::<Vec<_>>();
        tags.extend(own);
    }
    tags
}

/// Whether the request says tags itself, wherever it may.
pub(super) fn says_tags(x: &Exchange) -> bool {
    let body = &x.request.body;
    let among_metadata = || body.raw("metadata").is_some_and(|metadata| !tagged(metadata).is_empty());
    !x.header("x-litellm-tags").is_empty() || body.raw("tags").is_some() || among_metadata()
}

/// `tags` of an object that is text, if there are any.
fn tagged(object: &str) -> Vec<String> {
    if !object.contains("\"tags\"") {
        return Vec::new();
    }
    clipped(serde_json::from_str::<Tagged>(object).unwrap_or_default().tags)
}

fn clipped(tags: Vec<String>) -> Vec<String> {
    tags.into_iter().take(MAX_TAGS).map(|tag| clip(&tag, 128)).collect()
}

/// `User-Agent: name` and `User-Agent: name/version`.
fn agent_tags(agent: &str) -> impl Iterator<Item = String> {
    let first = agent.split_whitespace().next().unwrap_or_default();
    let name = first.split('/').next().unwrap_or_default();
    let tag = |text: &str| format!("User-Agent: {}", clip(text, 100));
    let (name, whole) = (Some(name).filter(|n| !n.is_empty()), Some(first).filter(|f| f.contains('/')));
    name.map(tag).into_iter().chain(whole.map(tag))
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Tagged {
    tags: Vec<String>,
}

fn metadata(x: &Exchange) -> String {
    let raw = x.request.body.raw("metadata").unwrap_or_default();
    if raw.starts_with('{') && raw.len() <= MAX_METADATA { raw.to_owned() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::{agent_tags, clip, once};

    #[test]
    fn who_asked_is_a_tag() {
        let tags = |agent: &str| agent_tags(agent).collect::<Vec<_>>();
        assert_eq!(tags("curl/8.1 (x)"), ["User-Agent: curl", "User-Agent: curl/8.1"]);
        assert_eq!(tags("mine"), ["User-Agent: mine"]);
        assert!(tags("").is_empty());
    }

    #[test]
    fn a_tag_that_is_said_twice_is_one() {
        let said = ["a", "b", "a", "User-Agent: curl"].map(str::to_owned).to_vec();
        assert_eq!(once(said), ["a", "b", "User-Agent: curl"]);
    }

    #[test]
    fn text_is_cut_between_characters_and_holds_no_nul() {
        assert_eq!(clip("aé漢", 3), "aé");
        assert_eq!(clip("aé漢", 2), "a");
        assert_eq!(clip("a\0b", 9), "a\u{fffd}b");
    }
}
