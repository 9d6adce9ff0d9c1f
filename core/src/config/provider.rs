//! Which provider a model name means.

use super::problems::did_you_mean;

/// Stands for "the provider that the requested name begins with", where a deployment's model is `*`.
pub const ANY: &str = "*";

/// Prefixes that LiteLLM serves. One that the running build does not serve is told apart from a misspelt one.
pub const KNOWN: &str = "
    ai21 ai21_chat aiml aiohttp_openai amazon_nova anthropic anthropic_text anyscale assemblyai auto_router aws_polly
    azure azure_ai azure_text baseten bedrock bedrock_converse bytez cerebras clarifai cloudflare codestral
    cohere cohere_chat cometapi compactifai custom custom_openai dashscope databricks datarobot deepgram
    deepinfra deepseek docker_model_runner elevenlabs empower exa_ai fal_ai featherless_ai fireworks_ai
    friendliai galadriel gemini gigachat github github_copilot gradient_ai groq heroku hosted_vllm
    huggingface hyperbolic infinity inception jina_ai lambda_ai langgraph lemonade litellm_agent litellm_proxy
    llamafile llamagate llm lm_studio maritalk meta_llama minimax mistral moonshot morph nebius nlp_cloud
    novita nscale nvidia_nim oci ollama ollama_chat oobabooga openai openai_like openrouter ovhcloud palm
    perplexity petals predibase publicai ragflow recraft replicate runwayml sagemaker sagemaker_chat
    sambanova sap snowflake stability text-completion-codestral text-completion-openai together_ai topaz
    triton v0 vercel_ai_gateway vertex_ai vertex_ai_beta vllm volcengine voyage wandb watsonx watsonx_text xai
    xiaomi_mimo xinference zai";

/// Bare names by how they begin, first match first. A beginning that ends in `-` or `.` also matches without it.
const GUESSES: &[(&str, &str)] = &[
    ("gpt-3.5-turbo-instruct", "text-completion-openai"),
    ("davinci-002", "text-completion-openai"),
    ("babbage-002", "text-completion-openai"),
    ("gpt-", "openai"),
    ("chatgpt-", "openai"),
    ("ft:gpt-", "openai"),
    ("o1-", "openai"),
    ("o3-", "openai"),
    ("o4-", "openai"),
    ("codex-", "openai"),
    ("computer-use-", "openai"),
    ("text-embedding-", "openai"),
    ("text-moderation-", "openai"),
    ("omni-moderation-", "openai"),
    ("dall-e-", "openai"),
    ("tts-", "openai"),
    ("whisper-", "openai"),
    ("sora-", "openai"),
    ("claude-", "anthropic"),
    ("gemini-", "gemini"),
    ("command-", "cohere"),
    ("embed-", "cohere"),
    ("rerank-", "cohere"),
    ("anthropic.", "bedrock"),
    ("us.anthropic.", "bedrock"),
    ("eu.anthropic.", "bedrock"),
    ("apac.anthropic.", "bedrock"),
    ("global.anthropic.", "bedrock"),
    ("amazon.", "bedrock"),
    ("us.amazon.", "bedrock"),
    ("cohere.", "bedrock"),
    ("meta.", "bedrock"),
    ("us.meta.", "bedrock"),
    ("mistral.", "bedrock"),
];

/// A model as the provider knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upstream<'a> {
    pub provider: &'a str,
    pub model: &'a str,
}

/// Why a model name means no provider, and what to do about it.
#[derive(Debug, PartialEq, Eq)]
pub struct NoProvider {
    pub message: String,
    pub cure: String,
}

/// Finds the provider of `model`: the one named by `custom_llm_provider`, else the text before the first `/`,
/// else a guess from the name. `served` are the prefixes of this build.
pub fn of<'a>(
    model: &'a str,
    explicit: Option<&'a str>,
    served: &[&str],
) -> Result<Upstream<'a>, NoProvider> {
    if let Some(provider) = explicit {
        let model = model.strip_prefix(provider).and_then(|rest| rest.strip_prefix('/')).unwrap_or(model);
        return if is_known(provider, served) {
            Ok(Upstream { provider, model })
        } else {
            Err(no(provider, served))
        };
    }
    if model == ANY {
        return Ok(Upstream { provider: ANY, model });
    }
    match model.split_once('/') {
        Some((provider, model)) if is_known(provider, served) && !model.is_empty() => {
            Ok(Upstream { provider, model })
        }
        Some((provider, "")) if is_known(provider, served) => Err(NoProvider {
            message: format!("no model after {provider:?}"),
            cure: format!("write {provider}/ and the model's name"),
        }),
        Some((provider, _)) => Err(no(provider, served)),
        None => guess(model).map(|provider| Upstream { provider, model }).ok_or_else(|| NoProvider {
            message: format!("no provider known for {model:?}"),
            cure: format!("write it with one, such as \"openai/{model}\""),
        }),
    }
}

fn no(provider: &str, served: &[&str]) -> NoProvider {
    let candidates = served.iter().copied().chain(KNOWN.split_ascii_whitespace());
    NoProvider { message: format!("no provider {provider:?}"), cure: did_you_mean(provider, candidates) }
}

fn is_known(provider: &str, served: &[&str]) -> bool {
    served.contains(&provider) || KNOWN.split_ascii_whitespace().any(|known| known == provider)
}

/// The provider of a bare name.
pub fn guess(model: &str) -> Option<&'static str> {
    let begins = |start: &str| model.starts_with(start) || start.strip_suffix(['-', '.']) == Some(model);
    GUESSES.iter().find(|(start, _)| begins(start)).map(|(_, provider)| *provider)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(model: &str) -> Option<(&str, &str)> {
        of(model, None, &["openai", "mine"]).ok().map(|up| (up.provider, up.model))
    }

    #[test]
    fn the_prefix_names_the_provider_and_the_rest_is_the_model() {
        assert_eq!(parts("openai/gpt-4o"), Some(("openai", "gpt-4o")));
        assert_eq!(parts("openrouter/openai/gpt-4o"), Some(("openrouter", "openai/gpt-4o")));
        assert_eq!(parts("bedrock/us.anthropic.claude-3:0"), Some(("bedrock", "us.anthropic.claude-3:0")));
        assert_eq!(parts("openai/*"), Some(("openai", "*")));
        assert_eq!(parts("mine/x"), Some(("mine", "x")));
        assert_eq!(parts("*"), Some((ANY, "*")));
    }

    #[test]
    fn a_bare_name_is_guessed_from() {
        for (model, provider) in [
            ("gpt-4o", "openai"),
            ("o1", "openai"),
            ("o3-mini", "openai"),
            ("gpt-3.5-turbo-instruct", "text-completion-openai"),
            ("text-embedding-3-small", "openai"),
            ("claude-3-opus-20240229", "anthropic"),
            ("gemini-2.0-flash", "gemini"),
            ("command-r", "cohere"),
            ("anthropic.claude-3-sonnet-20240229-v1:0", "bedrock"),
        ] {
            assert_eq!(parts(model), Some((provider, model)));
        }
        assert_eq!(parts("o10"), None);
        assert_eq!(parts("my-model"), None);
    }

    #[test]
    fn what_names_no_provider_says_what_to_write() {
        assert_eq!(of("azur/gpt", None, &[]).unwrap_err().cure, "did you mean \"azure\"?");
        assert_eq!(of("mime/x", None, &["mine"]).unwrap_err().cure, "did you mean \"mine\"?");
        assert!(of("my-model", None, &[]).unwrap_err().cure.contains("openai/my-model"));
        assert!(of("openai/", None, &[]).is_err());
    }

    #[test]
    fn an_explicit_provider_wins_over_the_name() {
        let up = of("openai/gpt-4o", Some("azure"), &[]).unwrap();
        assert_eq!((up.provider, up.model), ("azure", "openai/gpt-4o"));
        let up = of("azure/gpt-4o", Some("azure"), &[]).unwrap();
        assert_eq!((up.provider, up.model), ("azure", "gpt-4o"));
        assert!(of("gpt-4o", Some("nobody"), &[]).is_err());
    }
}
