//! Who serves a model: address, credentials, quirks. A provider that speaks OpenAI's dialect at an ordinary address
//! is one row in `compatible.rs`; anything else is a file and its row here.

mod anthropic;
mod azure;
mod azure_ai;
pub mod bedrock;
pub mod cohere;
mod compatible;
pub mod gemini;
pub mod ollama;
pub mod vertex;
mod wire;

pub use compatible::COMPATIBLE;
pub use wire::{Call, Fault, Wire, WireBuilder};

use weir_core::config::ModelEntry;
use weir_core::config::env::Env;
use weir_core::domain::operation::Operation;

/// One provider. Everything that is only data.
#[derive(Debug)]
pub struct Row {
    /// What stands before the slash in `litellm_params.model`.
    pub prefix: &'static str,
    /// How LiteLLM's error messages call it: `<name>Exception`.
    pub name: &'static str,
    /// Default base URL; empty: the config or `base_env` must name one.
    pub base: &'static str,
    /// Variables that replace `base`, first set wins.
    pub base_env: &'static [&'static str],
    /// Variables that hold the key, first set wins.
    pub key_env: &'static [&'static str],
    pub auth: Auth,
    pub quirks: &'static [Quirk],
    pub operations: &'static [Operation],
    /// Which code builds the address.
    pub wire: BuildWire,
}

/// How the key travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// `authorization: Bearer …`; a missing key is a warning at load.
    Bearer,
    /// The same where a key is set; local servers often have none.
    OptionalBearer,
}

/// Where a provider departs from OpenAI's dialect. Named for the difference, never for the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quirk {
    /// Refuses `stream_options`; reports usage in its last chunk unasked.
    UsageUnasked,
    /// Knows `max_tokens` only.
    MaxTokensOnly,
    /// Reasoning models (o1, o3, o4, gpt-5) know `max_completion_tokens` only.
    ReasoningModels,
    /// Paths stand below this prefix of the base URL unless it is there already.
    PathBelow(&'static str),
    /// Refuses models that chat at `/completions`.
    CompletionsApart,
    /// Has organizations, which a header names.
    Organizations,
    /// Takes Anthropic's `cache_control` at messages and tools.
    CacheControl,
    /// Wants the model's thoughts back as `reasoning_content`.
    ReasoningContent,
    /// Wants the model's thoughts back as LiteLLM's `thinking_blocks`.
    ThinkingBlocks,
    /// Takes `reasoning_effort` for every model that reasons, and ignores it for others.
    Efforts,
    /// Takes Anthropic's `thinking.type` to turn reasoning on and off.
    ThinkingSwitch,
    /// Takes content as a string where it is text only.
    TextContent,
    /// Takes `web_search_options` for every model.
    WebSearch,
    /// Anthropic's version stands in the body, in this word, and the model in the path.
    VersionInBody(&'static str),
    /// Parameters it refuses.
    Unsupported(&'static [&'static str]),
}

/// Builds address and headers of one deployment.
pub type BuildWire = fn(&'static Row, &ModelEntry, &Env) -> Result<Wire, Fault>;

/// Rows that are not plain OpenAI-compatible ones.
static SPECIAL: &[Row] = &[
    anthropic::ROW,
    azure::ROW,
    azure_ai::ROW,
    bedrock::ROW,
    cohere::ROW,
    cohere::ROW_CHAT,
    cohere::ROW_JINA,
    cohere::ROW_VOYAGE,
    gemini::ROW,
    ollama::ROW,
    ollama::ROW_CHAT,
    vertex::ROW,
    vertex::ROW_BETA,
];

/// All providers.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    COMPATIBLE.iter().chain(SPECIAL)
}

/// The row of a prefix.
pub fn row(prefix: &str) -> Option<&'static Row> {
    rows().find(|row| row.prefix == prefix)
}

/// Providers of LiteLLM whose models may stand in a config although nothing here serves them yet.
pub static KNOWN: &[&str] = &["bedrock_converse", "sagemaker", "watsonx", "replicate"];

/// Whether a prefix names a provider, served or not.
pub fn is_known(prefix: &str) -> bool {
    row(prefix).is_some() || KNOWN.contains(&prefix)
}

impl Row {
    /// Address and headers for one deployment, checked once and for all.
    pub fn wire(&'static self, entry: &ModelEntry, env: &Env) -> Result<Wire, Fault> {
        (self.wire)(self, entry, env)
    }

    pub fn has(&self, quirk: Quirk) -> bool {
        self.quirks.contains(&quirk)
    }

    /// Parameters that this provider refuses.
    pub fn unsupported(&self) -> &'static [&'static str] {
        let found = self.quirks.iter().find_map(|q| match q {
            Quirk::Unsupported(names) => Some(*names),
            _ => None,
        });
        found.unwrap_or_default()
    }

    /// The version of Anthropic's API, where it stands in the body.
    pub fn version_in_body(&self) -> Option<&'static str> {
        self.quirks.iter().find_map(|q| match q {
            Quirk::VersionInBody(version) => Some(*version),
            _ => None,
        })
    }

    /// The prefix capitalised: the first half of LiteLLM's `exception_class` label.
    pub fn exception_prefix(&self) -> String {
        let mut chars = self.prefix.chars();
        chars.next().map(|c| c.to_uppercase().chain(chars).collect()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_variable_that_is_read_here_is_said_to_be_for_later() {
        use weir_core::config::keys::{EnvKey, env_key};
        for name in rows().flat_map(|row| row.base_env.iter().chain(row.key_env)) {
            assert!(!matches!(env_key(name), Some(EnvKey::Later | EnvKey::Moot(_))), "{name}");
        }
    }

    #[test]
    fn prefixes_are_unique_and_bases_are_urls() {
        let mut seen = std::collections::HashSet::new();
        for row in rows() {
            assert!(seen.insert(row.prefix), "{} stands twice", row.prefix);
            assert!(!KNOWN.contains(&row.prefix), "{} is served and said not to be", row.prefix);
            assert!(row.base.is_empty() || row.base.parse::<http::Uri>().is_ok(), "{}", row.base);
            assert!(!row.base.is_empty() || !row.base_env.is_empty(), "{} has no address", row.prefix);
            assert!(!row.operations.is_empty(), "{} does nothing", row.prefix);
        }
        assert!(COMPATIBLE.len() >= 25);
    }
}
