//! Azure AI Foundry: models of many makers, as the resource's own API, behind endpoints of their own, or Claude.
//! Sources: Azure AI model inference REST reference; "Claude in Microsoft Foundry"; addresses as LiteLLM builds them.

use super::azure::{self, KeyHeader, authorize};
use super::wire::{Call, Fault, Wire, WireBuilder, base, without};
use super::{Auth, Quirk, Row};
use http::Uri;
use weir_core::chat::Dialect;
use weir_core::config::ModelEntry;
use weir_core::config::env::Env;
use weir_core::domain::operation::Operation;

pub(super) const ROW: Row = Row {
    prefix: "azure_ai",
    name: "Azure_ai",
    base: "",
    base_env: &["AZURE_AI_API_BASE"],
    key_env: &["AZURE_AI_API_KEY", "AZURE_API_KEY", "AZURE_OPENAI_API_KEY"],
    auth: Auth::Bearer,
    quirks: &[Quirk::ReasoningModels, Quirk::TextContent],
    operations: &[Operation::Chat, Operation::Embeddings, Operation::Rerank, Operation::Responses],
    wire,
};

/// The version of the resource's API where nobody names one.
const MODELS_VERSION: &str = "2024-05-01-preview";
const ANTHROPIC_VERSION: &str = "2023-06-01";
const MESSAGES: &str = "/v1/messages";
const RERANK: &str = "/v1/rerank";

/// Hosts of resources; these want the key in a header of its own.
static RESOURCES: &[&str] = &[
    ".services.ai.azure.com",
    ".openai.azure.com",
    ".cognitiveservices.azure.com",
    ".services.ai.azure.us",
    ".openai.azure.us",
];
/// Hosts of resources that serve OpenAI's models alone, by deployment.
static OPENAIS: &[&str] = &[".openai.azure.com", ".cognitiveservices.azure.com", ".openai.azure.us"];
/// Hosts of endpoints with one model each.
static ENDPOINTS: &[&str] = &[".inference.ai.azure.com", ".models.ai.azure.com"];

/// A base URL, taken apart.
struct Base {
    /// Without the query.
    url: String,
    host: String,
    query: Option<String>,
}

fn wire(row: &'static Row, entry: &ModelEntry, env: &Env) -> Result<Wire, Fault> {
    let base = Base::of(base(row, entry, env)?);
    if entry.upstream_model.to_ascii_lowercase().contains("claude") {
        return claude(row, &base, entry, env);
    }
    let below_v1 = base.url.contains("/openai/v1");
    if base.is_at(OPENAIS) && !below_v1 {
        return azure::wire(row, entry, env);
    }
    let mut wire = if below_v1 { v1(&base)? } else { inference(&base, entry)? };
    authorize(&mut wire, row, entry, env, base.key_header())?;
    wire.finish(entry)
}

/// Claude speaks its own dialect.
fn claude(row: &'static Row, base: &Base, entry: &ModelEntry, env: &Env) -> Result<Wire, Fault> {
    let root = base.url.split_once("/anthropic").map_or(&*base.url, |(root, _)| root);
    let root = without(without(root, "/models/chat/completions"), MESSAGES);
    let mut wire = WireBuilder::new(root)?;
    wire.door(Call::Chat(Dialect::AnthropicMessages), &format!("/anthropic{MESSAGES}"))?;
    let count = format!("/anthropic{MESSAGES}/count_tokens");
    wire.door(Call::Plain(Operation::CountTokens), &count)?;
    wire.header("anthropic-version", ANTHROPIC_VERSION)?;
    authorize(&mut wire, row, entry, env, KeyHeader::XApiKey)?;
    wire.finish(entry)
}

/// OpenAI's own API, below `…/openai/v1`.
fn v1(base: &Base) -> Result<WireBuilder, Fault> {
    let root = base.url.split_once("/openai/v1").map_or(&*base.url, |(root, _)| root);
    let mut wire = WireBuilder::new(root)?;
    let operations = [Operation::Chat, Operation::Embeddings, Operation::Responses];
    let query = base.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
    wire.openai(&operations, |path| format!("/openai/v1{path}{query}"))?;
    Ok(wire)
}

/// The inference API of a resource (`/models/…`), or of an endpoint with one model.
fn inference(base: &Base, entry: &ModelEntry) -> Result<WireBuilder, Fault> {
    let below = base.below();
    let chat = format!("{below}{}", Operation::Chat.row().openai_path);
    let root = without(without(&base.url, &chat), RERANK);
    let query = base.query(below, entry);
    let mut wire = WireBuilder::new(root)?;
    wire.openai(&[Operation::Chat, Operation::Embeddings], |path| format!("{below}{path}{query}"))?;
    // A base may have the first part of the path in it.
    let rerank = if root.ends_with("/v1") { "/rerank" } else { RERANK };
    wire.door(Call::Plain(Operation::Rerank), rerank)?;
    Ok(wire)
}

// --- Base ---

impl Base {
    fn of(written: String) -> Self {
        let (url, query) = match written.split_once('?') {
            Some((url, query)) => (url.trim_end_matches('/').to_owned(), Some(query.to_owned())),
            None => (written, None),
        };
        let host = url.parse::<Uri>().ok().and_then(|uri| uri.host().map(str::to_ascii_lowercase));
        Self { url, host: host.unwrap_or_default(), query: query.filter(|q| !q.is_empty()) }
    }

    fn is_at(&self, hosts: &[&str]) -> bool {
        hosts.iter().any(|end| self.host.ends_with(end))
    }

    fn key_header(&self) -> KeyHeader {
        if self.is_at(RESOURCES) { KeyHeader::ApiKey } else { KeyHeader::Bearer }
    }

    /// What stands between the base and OpenAI's path.
    fn below(&self) -> &'static str {
        match () {
            () if self.is_at(RESOURCES) => "/models",
            () if self.is_at(ENDPOINTS) && !self.url.contains("/chat/completions") => "/v1",
            () => "",
        }
    }

    /// The version that a resource must be told; endpoints need none.
    fn query(&self, below: &str, entry: &ModelEntry) -> String {
        let said = self.query.clone().filter(|query| query.contains("api-version="));
        let version = entry.params.api_version.clone().filter(|v| !v.is_empty());
        let version = version.or_else(|| (below == "/models").then(|| MODELS_VERSION.to_owned()));
        let added = said.is_none().then(|| version.map(|v| format!("api-version={v}"))).flatten();
        let parts: Vec<String> = self.query.clone().into_iter().chain(added).collect();
        if parts.is_empty() { String::new() } else { format!("?{}", parts.join("&")) }
    }
}

#[cfg(test)]
mod tests;
