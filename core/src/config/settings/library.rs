//! What `litellm_settings` says of every deployment and of how providers are asked: attributes of LiteLLM's library, which
//! count where a deployment says nothing of its own.

use super::super::env::Env;
use super::super::models::ModelEntry;
use super::super::params;
use super::super::problems::Problems;
use super::super::section::Section;
use super::super::tree::Node;
use super::{ThinkingBudgets, env_u64};
use secrecy::SecretString;

#[derive(Clone, Debug, Default)]
pub struct Library {
    /// Another model in place of one that is written in `litellm_params.model` (`model_alias_map`).
    aliases: Vec<(String, String)>,
    api_base: Option<String>,
    api_version: Option<String>,
    /// Who pays, of OpenAI's (else `OPENAI_ORGANIZATION`).
    organization: Option<String>,
    /// For what (else `OPENAI_PROJECT`).
    project: Option<String>,
    /// Valid names, in lower case, and values.
    headers: Vec<(String, SecretString)>,
    /// Google's settings as JSON text (`vertex_ai_safety_settings`).
    safety: Option<String>,
    /// Output tokens that are asked for where a provider wants a limit and the request has none (`max_tokens`, else
    /// `DEFAULT_ANTHROPIC_CHAT_MAX_TOKENS`, else `DEFAULT_MAX_TOKENS`).
    pub max_tokens: Option<u64>,
    /// What embeddings of Cohere's are for, where the request does not say (`COHERE_DEFAULT_EMBEDDING_INPUT_TYPE`).
    pub input_type: Option<String>,
    /// Providers are asked at IPv4 addresses only.
    pub force_ipv4: bool,
    /// File with a certificate and its key, for providers that want to know who is calling (`ssl_certificate`).
    pub certificate: Option<String>,
    /// Providers are told whose key it is (`add_user_information_to_llm_headers`).
    pub tells_callers: bool,
    /// Groups whose providers get the client's headers; may hold `*` (`model_group_settings`).
    pub forwarding: Vec<String>,
    /// Where only an effort is asked for, the thoughts are told too (`reasoning_auto_summary`).
    pub summarizes_thoughts: bool,
    /// What an effort is in tokens.
    pub budgets: ThinkingBudgets,
}

/// Providers that LiteLLM reaches by the library's `api_base`; the others have addresses of their own.
static REACHED: &[&str] = &[
    "anthropic",
    "azure",
    "cohere",
    "cohere_chat",
    "gemini",
    "ollama",
    "ollama_chat",
    "openai",
    "text-completion-openai",
    "vertex_ai",
    "vertex_ai_beta",
];

static ORGANIZED: &[&str] = &["openai", "text-completion-openai"];
static GOOGLE: &[&str] = &["gemini", "vertex_ai", "vertex_ai_beta"];

impl Library {
    pub(super) fn read(s: &Section, env: &Env, problems: &mut Problems) -> Self {
        let text = |name: &str| s.text(name).filter(|text| !text.is_empty());
        let bool = |name: &str| s.bool(name).unwrap_or(false);
        let or_env =
            |name: &str, variable: &str| text(name).or_else(|| env.filled(variable).map(str::to_owned));
        let most = |variable: &str| env_u64(env, variable);
        let usual_most = || most("DEFAULT_ANTHROPIC_CHAT_MAX_TOKENS").or_else(|| most("DEFAULT_MAX_TOKENS"));
        // The environment counts between both settings, and where the provider is built.
        let of_env = env.filled("AZURE_API_VERSION").is_some();
        let usual = text("AZURE_DEFAULT_API_VERSION").filter(|_| !of_env);
        Self {
            aliases: aliases(s, problems),
            api_base: params::address(s, "api_base", problems),
            api_version: text("api_version").or(usual),
            organization: or_env("organization", "OPENAI_ORGANIZATION"),
            project: or_env("project", "OPENAI_PROJECT"),
            headers: params::headers(s, &["headers"], problems),
            safety: s.node("vertex_ai_safety_settings").map(Node::to_json),
            max_tokens: s.int("max_tokens").or_else(usual_most).filter(|most| *most > 0),
            input_type: text("COHERE_DEFAULT_EMBEDDING_INPUT_TYPE"),
            force_ipv4: bool("force_ipv4"),
            certificate: text("ssl_certificate"),
            tells_callers: bool("add_user_information_to_llm_headers"),
            forwarding: forwarding(s),
            summarizes_thoughts: bool("reasoning_auto_summary"),
            budgets: ThinkingBudgets::read(env),
        }
    }

    /// The model that is meant by a written one.
    pub(in super::super) fn model(&self, written: String) -> String {
        let other = self.aliases.iter().find(|(name, _)| *name == written);
        other.map_or(written, |(_, model)| model.clone())
    }

    /// Lays it under what a deployment says.
    pub fn fill(&self, entry: &mut ModelEntry) {
        let ModelEntry { provider, upstream_model, params, .. } = entry;
        let provider = provider.as_str();
        under(&mut params.api_base, self.api_base.as_ref().filter(|_| REACHED.contains(&provider)));
        under(&mut params.api_version, self.api_version.as_ref().filter(|_| provider.starts_with("azure")));
        if ORGANIZED.contains(&provider) {
            under(&mut params.organization, self.organization.as_ref());
            under(&mut params.project, self.project.as_ref());
        }
        for (name, value) in &self.headers {
            if params.extra_headers.iter().all(|(own, _)| own != name) {
                params.extra_headers.push((name.clone(), value.clone()));
            }
        }
        // Claude and embeddings on Vertex AI know no such settings.
        let chats = upstream_model.starts_with("gemini") && !upstream_model.contains("embedding");
        if let Some(safety) = self.safety.as_ref().filter(|_| chats && GOOGLE.contains(&provider)) {
            params.extra_body.set_default("safetySettings", safety);
        }
    }
}

fn forwarding(s: &Section) -> Vec<String> {
    let groups =
        s.node("model_group_settings").and_then(|node| node.get("forward_client_headers_to_llm_api"));
    groups.and_then(Node::as_texts).unwrap_or_default()
}

fn under(own: &mut Option<String>, other: Option<&String>) {
    if let Some(other) = other.filter(|_| own.as_ref().is_none_or(String::is_empty)) {
        *own = Some(other.clone());
    }
}

fn aliases(s: &Section, problems: &mut Problems) -> Vec<(String, String)> {
    const NAME: &str = "model_alias_map";
    let mut all = Vec::new();
    for (name, node) in s.node(NAME).map(Node::entries).unwrap_or_default() {
        match node.as_text().filter(|model| !model.is_empty()) {
            Some(model) => all.push((name.clone(), model.to_owned())),
            None => {
                let place = node.place(format!("{}.{name}", s.place(NAME).path));
                problems.error(&place, "is no model", "write provider/model, such as openai/gpt-4o");
            }
        }
    }
    all
}
