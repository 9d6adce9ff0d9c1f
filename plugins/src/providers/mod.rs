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
    /// Counts requests by site and application; variables that name them.
    Sites(&'static str, &'static str),
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
    use weir_core::chat::Dialect;
    use weir_core::config::Config;

    #[test]
    fn no_variable_that_is_read_here_is_said_to_count_for_nothing() {
        use weir_core::config::keys::{EnvKey, env_key};
        for name in rows().flat_map(|row| row.base_env.iter().chain(row.key_env)) {
            assert!(!matches!(env_key(name), Some(EnvKey::Moot(_))), "{name}");
        }
    }

    /// The only deployment of a file.
    fn built(params: &str, vars: &[(&str, &str)]) -> Wire {
        let text = format!("model_list: [{{model_name: m, litellm_params: {{{params}}}}}]");
        let env = Env::of(vars.iter().copied());
        let served: Vec<&str> = rows().map(|row| row.prefix).collect();
        let (config, problems) = Config::from_text(&text, &env, &served);
        let config = config.unwrap_or_else(|| panic!("{problems}"));
        let entry = &config.models[0];
        row(&entry.provider).unwrap().wire(entry, &env).unwrap()
    }

    #[test]
    fn variables_name_addresses_and_keys_where_a_deployment_names_none() {
        for (provider, base, key) in [
            ("amazon_nova", "AMAZON_NOVA_API_BASE", "AMAZON_NOVA_API_KEY"),
            ("cometapi", "COMETAPI_API_BASE", "COMETAPI_KEY"),
            ("lemonade", "LEMONADE_API_BASE", "LEMONADE_API_KEY"),
            ("minimax", "MINIMAX_API_BASE", "MINIMAX_API_KEY"),
            ("nebius", "NEBIUS_API_BASE", "NEBIUS_API_KEY"),
            ("openrouter", "OPENROUTER_API_BASE", "OR_API_KEY"),
            ("ovhcloud", "OVHCLOUD_API_BASE", "OVHCLOUD_API_KEY"),
            ("together_ai", "TOGETHERAI_API_BASE", "TOGETHER_AI_TOKEN"),
            ("vercel_ai_gateway", "VERCEL_AI_GATEWAY_API_BASE", "VERCEL_AI_GATEWAY_API_KEY"),
            ("wandb", "WANDB_API_BASE", "WANDB_API_KEY"),
        ] {
            let vars = [(base, "https://env.test/v1"), (key, "of-env")];
            let wire = built(&format!("model: {provider}/x"), &vars);
            assert_eq!(
                (wire.api_base.as_str(), wire.headers["authorization"].to_str().unwrap()),
                ("https://env.test/v1", "Bearer of-env"),
                "{provider}"
            );
            let said = format!("model: {provider}/x, api_base: \"https://own.test\", api_key: own");
            let wire = built(&said, &vars);
            assert_eq!(
                (wire.api_base.as_str(), wire.headers["authorization"].to_str().unwrap()),
                ("https://own.test", "Bearer own"),
                "{provider}"
            );
        }
    }

    #[test]
    fn who_asks_is_told_where_a_provider_counts_by_it() {
        let vars = [
            ("OPENAI_ORGANIZATION", "org"),
            ("OPENAI_PROJECT", "proj"),
            ("OR_SITE_URL", "https://site.test"),
            ("OR_APP_NAME", "app"),
            ("VERCEL_SITE_URL", "https://other.test"),
        ];
        let names = ["openai-organization", "openai-project", "http-referer", "x-title"];
        for (model, told) in [
            ("openai/m", ["org", "proj", "", ""]),
            ("openai/m, organization: own", ["own", "proj", "", ""]),
            ("openrouter/a/m", ["", "", "https://site.test", "app"]),
            ("vercel_ai_gateway/a/m", ["", "", "https://other.test", ""]),
            ("groq/m", ["", "", "", ""]),
        ] {
            let wire = built(&format!("model: {model}, api_key: k"), &vars);
            let said = names.map(|name| wire.headers.get(name).map_or("", |value| value.to_str().unwrap()));
            assert_eq!(said, told, "{model}");
        }
    }

    #[test]
    fn anthropics_base_is_completed_unless_it_is_said_to_be_whole() {
        let paths = |base: &str, whole: &str| {
            let params = format!("model: anthropic/m, api_key: k, api_base: \"{base}\"");
            let wire = built(&params, &[("LITELLM_ANTHROPIC_DISABLE_URL_SUFFIX", whole)]);
            let calls = [Call::Chat(Dialect::AnthropicMessages), Call::Plain(Operation::CountTokens)];
            calls.map(|call| wire.uri(call, true).unwrap().to_string())
        };
        let usual = ["/relay/v1/messages", "/relay/v1/messages/count_tokens"];
        for base in ["https://a.test/relay", "https://a.test/relay/v1", "https://a.test/relay/v1/messages"] {
            assert_eq!(paths(base, "false"), usual, "{base}");
        }
        assert_eq!(paths("https://a.test/relay/chat", "true"), ["/relay/chat", "/relay/chat/count_tokens"]);
        assert_eq!(paths("https://a.test/", "true")[0], "/");
        assert_eq!(paths("", "true"), ["/v1/messages", "/v1/messages/count_tokens"], "Anthropic's own");
    }

    #[test]
    fn azures_responses_have_a_version_of_their_own_where_none_is_said() {
        let path = |operation: Operation, more: &str, vars: &[(&str, &str)]| {
            let params = format!("model: azure/m, api_key: k, api_base: \"https://a.test\"{more}");
            let mut all = vec![("AZURE_DEFAULT_RESPONSES_API_VERSION", "of-responses")];
            all.extend_from_slice(vars);
            let row = operation.row();
            let call = row.chat.map_or(Call::Plain(operation), Call::Chat);
            built(&params, &all).uri(call, false).unwrap().to_string()
        };
        let responses = |more: &str, vars: &[(&str, &str)]| path(Operation::Responses, more, vars);
        let at = |version: &str| format!("/openai/responses?api-version={version}");
        assert_eq!(responses("", &[]), at("of-responses"));
        assert_eq!(responses("", &[("AZURE_API_VERSION", "of-env")]), at("of-env"));
        assert_eq!(responses(", api_version: own", &[]), at("own"));
        assert!(!path(Operation::Chat, "", &[]).contains("of-responses"));
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
