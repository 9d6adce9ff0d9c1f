//! `/utils/supported_openai_params`: what the dialect of a model's provider takes, by OpenAI's names. The lists stand
//! with the dialects; here is only who speaks what.

use crate::dialects::{anthropic_messages, bedrock_converse, cohere, gemini, ollama_chat, openai_chat};
use crate::providers;
use crate::providers::vertex::Publisher;
use serde_json::{Value, json};
use weir_core::error::{ApiError, Kind};
use weir_core::model::prices::Catalogue;

type List = fn(&str) -> Vec<&'static str>;

/// Providers with a dialect of their own, by prefix, and by what the catalogue calls them. Others speak OpenAI's.
static SPOKEN: &[(&str, List)] = &[
    ("anthropic", anthropic_messages::supported_params),
    ("vertex_ai-anthropic_models", anthropic_messages::supported_params),
    ("bedrock", bedrock_converse::supported_params),
    ("bedrock_converse", bedrock_converse::supported_params),
    ("cohere", cohere::supported_params),
    ("cohere_chat", cohere::supported_params),
    ("gemini", gemini::supported_params),
    ("vertex_ai", vertex),
    ("vertex_ai_beta", vertex),
    ("azure_ai", foundry),
    ("vertex_ai-language-models", gemini::supported_params),
    ("ollama", ollama_chat::supported_params),
    ("ollama_chat", ollama_chat::supported_params),
];

/// Whose models are called so, where the catalogue does not list one, or no more.
static NAMES: &[(&str, &str)] = &[
    ("claude-", "anthropic"),
    ("gpt-", "openai"),
    ("o1", "openai"),
    ("o3", "openai"),
    ("o4", "openai"),
    ("gemini-", "gemini"),
    ("command-", "cohere"),
];

/// The answer for a model as LiteLLM names it, `provider/model`, or a name that the catalogue knows.
///
/// # Errors
/// 400 where nobody knows whose model it is.
pub fn supported_openai_params(model: &str, catalogue: &Catalogue) -> Result<Value, ApiError> {
    let unknown =
        || ApiError::new(Kind::BadRequest, format!("{{'error': 'Could not map model={}'}}", clip(model)));
    let list = supported_params(model, catalogue).ok_or_else(unknown)?;
    Ok(json!({ "supported_openai_params": list }))
}

/// The same as a list; `None` where nobody knows the model.
pub fn supported_params(model: &str, catalogue: &Catalogue) -> Option<Vec<&'static str>> {
    let (provider, bare) = owner(model, catalogue)?;
    let list = SPOKEN.iter().find(|(name, _)| *name == provider).map(|(_, list)| list(bare));
    Some(list.unwrap_or_else(|| openai_chat::supported_params(providers::row(provider), bare)))
}

/// Provider and model, as the provider calls it, of `provider/model` or of a name that is known; `None`: nobody's.
pub fn owner<'a>(model: &'a str, catalogue: &'a Catalogue) -> Option<(&'a str, &'a str)> {
    if let Some((prefix, bare)) = model.split_once('/').filter(|(prefix, _)| knows(prefix)) {
        return Some((prefix, bare));
    }
    let listed = catalogue.get(model).map(|facts| facts.provider);
    let by_name = || NAMES.iter().find(|(begin, _)| model.starts_with(begin)).map(|(_, provider)| *provider);
    Some((listed.or_else(by_name)?, model))
}

fn knows(prefix: &str) -> bool {
    providers::is_known(prefix) || SPOKEN.iter().any(|(name, _)| *name == prefix)
}

fn vertex(model: &str) -> Vec<&'static str> {
    match Publisher::of(model) {
        Publisher::Google => gemini::supported_params(model),
        Publisher::Anthropic => anthropic_messages::supported_params(model),
        Publisher::Mistral | Publisher::Ai21 | Publisher::Open => {
            openai_chat::supported_params(providers::row("vertex_ai"), model)
        }
    }
}

fn foundry(model: &str) -> Vec<&'static str> {
    if model.contains("claude") {
        return anthropic_messages::supported_params(model);
    }
    openai_chat::supported_params(providers::row("azure_ai"), model)
}

/// A name from outside, as much of it as an error needs.
fn clip(model: &str) -> &str {
    &model[..model.floor_char_boundary(256)]
}
