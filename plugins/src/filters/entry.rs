//! The ledger entry of an exchange, from what is known so far.

use crate::deployment::Deployment;
use crate::exchange::Exchange;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::spend::{Entry, Status};
use weir_core::domain::usage::{Usage, UsageSource};
use weir_core::time::Micros;

/// What does not change any more once the caller and the model are known. Says `Interrupted`, which is what it will be
/// if nothing follows.
pub fn draft(x: &Exchange) -> Entry {
    let key = x.caller.key();
    Entry {
        id: x.id,
        started_at: x.clock.started_at,
        ended_at: x.clock.started_at,
        first_token_at: None,
        call_id: x.request.call_id.clone(),
        provider_id: None,
        operation: x.request.operation,
        stream: x.request.stream,
        status: Status::Interrupted,
        http_status: 0,
        error: String::new(),
        error_message: String::new(),
        key_hash: x.caller.hash(),
        key_alias: key.and_then(|k| k.alias.clone()),
        user_id: x.caller.user_id().map(str::to_owned),
        team_id: key.and_then(|k| k.team_id.clone()),
        end_user: x.end_user().map(|u| clip(&u, 256)),
        model_requested: clip(&x.target.requested, 256),
        model_group: String::new(),
        model: String::new(),
        provider: String::new(),
        deployment_id: String::new(),
        api_base: String::new(),
        usage: Usage::default(),
        usage_source: UsageSource::None,
        cost: NanoUsd::ZERO,
        price_version: String::new(),
        unpriced: false,
        attempts: Vec::new(),
        tags: tags(x),
        metadata: metadata(x),
        client_ip: x.request.client_ip.map(|ip| ip.to_string()).unwrap_or_default(),
        user_agent: clip(x.header("user-agent"), 256),
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
    entry.usage_source = x.answer.usage_source;
    entry.cost = x.answer.cost;
    entry.unpriced = x.answer.unpriced;
    entry.attempts.clone_from(&x.attempts);
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

/// Text from outside is bounded before it is stored, and holds no NUL, which Postgres cannot keep.
fn clip(text: &str, limit: usize) -> String {
    let text = &text[..text.floor_char_boundary(limit)];
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text.to_owned() }
}

const MAX_TAGS: usize = 64;
const MAX_METADATA: usize = 16 * 1024;

/// `x-litellm-tags` (comma separated) replaces the body's `metadata.tags`, as in LiteLLM.
fn tags(x: &Exchange) -> Vec<String> {
    let header = x.header("x-litellm-tags");
    if !header.is_empty() {
        let parts = header.split(',').map(str::trim).filter(|t| !t.is_empty());
        return parts.take(MAX_TAGS).map(|t| clip(t, 128)).collect();
    }
    let Some(raw) = x.request.body.raw("metadata").filter(|raw| raw.contains("\"tags\"")) else {
        return Vec::new();
    };
    let parsed: Result<Tagged, _> = serde_json::from_str(raw);
    parsed.unwrap_or_default().tags.into_iter().take(MAX_TAGS).map(|t| clip(&t, 128)).collect()
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
    use super::clip;

    #[test]
    fn text_is_cut_between_characters_and_holds_no_nul() {
        assert_eq!(clip("aé漢", 3), "aé");
        assert_eq!(clip("aé漢", 2), "a");
        assert_eq!(clip("a\0b", 9), "a\u{fffd}b");
    }
}
