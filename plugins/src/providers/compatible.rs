//! Providers that speak OpenAI's dialect below one base URL. Adding one is adding a row.

use super::wire::{Fault, Wire, WireBuilder, set};
use super::{Auth, Quirk, Row};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use weir_core::config::ModelEntry;
use weir_core::config::env::Env;
use weir_core::domain::operation::Operation;

/// What stands in a parameter of a query as it is.
const PARAMETER: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

const ALL: &[Operation] = &[
    Operation::Chat,
    Operation::Completions,
    Operation::Embeddings,
    Operation::Moderations,
    Operation::Images,
    Operation::ImageEdits,
    Operation::ImageVariations,
    Operation::Rerank,
    Operation::Speech,
    Operation::Transcriptions,
    Operation::Translations,
];
/// All, and OpenAI's Responses as they are.
const RESPONSES: &[Operation] = &[
    Operation::Chat,
    Operation::Completions,
    Operation::Embeddings,
    Operation::Responses,
    Operation::Moderations,
    Operation::Images,
    Operation::ImageEdits,
    Operation::ImageVariations,
    Operation::Rerank,
    Operation::Speech,
    Operation::Transcriptions,
    Operation::Translations,
    Operation::Realtime,
];
const CHAT: &[Operation] = &[Operation::Chat];
const CHAT_EMBED: &[Operation] = &[Operation::Chat, Operation::Embeddings];

const fn row(
    prefix: &'static str,
    name: &'static str,
    base: &'static str,
    key: &'static [&'static str],
) -> Row {
    Row {
        prefix,
        name,
        base,
        base_env: &[],
        key_env: key,
        auth: Auth::Bearer,
        quirks: &[],
        operations: ALL,
        wire,
    }
}

impl Row {
    const fn base_env(mut self, names: &'static [&'static str]) -> Row {
        self.base_env = names;
        self
    }

    /// A server of one's own: no default address, and maybe no key.
    const fn own_server(mut self, names: &'static [&'static str]) -> Row {
        self.auth = Auth::OptionalBearer;
        self.base_env(names)
    }

    const fn quirks(mut self, quirks: &'static [Quirk]) -> Row {
        self.quirks = quirks;
        self
    }

    const fn only(mut self, operations: &'static [Operation]) -> Row {
        self.operations = operations;
        self
    }
}

const OPENAI: &str = "https://api.openai.com/v1";
const OPENAI_BASES: &[&str] = &["OPENAI_BASE_URL", "OPENAI_API_BASE"];
/// The second is how LiteLLM misspells the first.
const AI21: &[&str] = &["AI21_API_KEY", "AI211_API_KEY"];
const TOGETHER: &[&str] =
    &["TOGETHERAI_API_KEY", "TOGETHER_API_KEY", "TOGETHER_AI_API_KEY", "TOGETHER_AI_TOKEN"];

/// Base URLs and key variables are those of the providers' own documentation and of LiteLLM 1.81.
#[rustfmt::skip]
pub static COMPATIBLE: &[Row] = &[
    row("openai", "OpenAI", OPENAI, &["OPENAI_API_KEY"]).base_env(OPENAI_BASES)
        .quirks(&[Quirk::ReasoningModels, Quirk::CompletionsApart, Quirk::Organizations]).only(RESPONSES),
    row("text-completion-openai", "OpenAI", OPENAI, &["OPENAI_API_KEY"]).base_env(OPENAI_BASES)
        .quirks(&[Quirk::Organizations]),
    row("openai_like", "OpenAILike", "", &["OPENAI_LIKE_API_KEY"]).own_server(&["OPENAI_LIKE_API_BASE"]),
    row("custom_openai", "CustomOpenai", "", &["OPENAI_LIKE_API_KEY"]).own_server(&["OPENAI_LIKE_API_BASE"]),
    row("hosted_vllm", "Hosted_vllm", "", &["HOSTED_VLLM_API_KEY"]).own_server(&["HOSTED_VLLM_API_BASE"]),
    row("vllm", "Vllm", "", &["HOSTED_VLLM_API_KEY"]).own_server(&["HOSTED_VLLM_API_BASE"]),
    row("lemonade", "Lemonade", "http://localhost:8000/api/v1", &["LEMONADE_API_KEY"]).own_server(&["LEMONADE_API_BASE"]).only(CHAT),
    row("lm_studio", "Lm_studio", "http://localhost:1234/v1", &["LM_STUDIO_API_KEY"]).own_server(&["LM_STUDIO_API_BASE"]),
    row("llamafile", "Llamafile", "http://127.0.0.1:8080/v1", &["LLAMAFILE_API_KEY"]).own_server(&["LLAMAFILE_API_BASE"]),
    row("xinference", "Xinference", "http://127.0.0.1:9997/v1", &["XINFERENCE_API_KEY"]).own_server(&["XINFERENCE_API_BASE"]),
    row("docker_model_runner", "Docker_model_runner", "http://localhost:12434/engines/v1", &["DOCKER_MODEL_RUNNER_API_KEY"])
        .own_server(&["DOCKER_MODEL_RUNNER_API_BASE"]),
    row("litellm_proxy", "Litellm_proxy", "", &["LITELLM_PROXY_API_KEY"]).own_server(&["LITELLM_PROXY_API_BASE"])
        .quirks(&[
            Quirk::CacheControl, Quirk::ReasoningContent, Quirk::ThinkingBlocks, Quirk::Efforts, Quirk::WebSearch,
        ]),
    // Through their OpenAI-compatible endpoints, until their own dialects are spoken.
    // Hosted, in alphabetical order.
    row("ai21", "Ai21", "https://api.ai21.com/studio/v1", AI21).only(CHAT),
    row("ai21_chat", "Ai21_chat", "https://api.ai21.com/studio/v1", AI21).only(CHAT),
    row("aiml", "Aiml", "https://api.aimlapi.com/v1", &["AIML_API_KEY"]),
    row("amazon_nova", "Amazon_nova", "https://api.nova.amazon.com/v1", &["AMAZON_NOVA_API_KEY"])
        .base_env(&["AMAZON_NOVA_API_BASE"]).only(CHAT),
    row("baseten", "Baseten", "https://inference.baseten.co/v1", &["BASETEN_API_KEY"]).only(CHAT),
    row("cerebras", "Cerebras", "https://api.cerebras.ai/v1", &["CEREBRAS_API_KEY"]).base_env(&["CEREBRAS_API_BASE"]).only(CHAT),
    row("codestral", "Codestral", "https://codestral.mistral.ai/v1", &["CODESTRAL_API_KEY"])
        .quirks(&[Quirk::UsageUnasked, Quirk::MaxTokensOnly]).only(CHAT),
    row("cometapi", "Cometapi", "https://api.cometapi.com/v1", &["COMETAPI_KEY", "COMETAPI_API_KEY"])
        .base_env(&["COMETAPI_API_BASE"]),
    row("compactifai", "Compactifai", "https://api.compactif.ai/v1", &["COMPACTIFAI_API_KEY"]).only(CHAT),
    row("dashscope", "Dashscope", "https://dashscope-intl.aliyuncs.com/compatible-mode/v1", &["DASHSCOPE_API_KEY"])
        .base_env(&["DASHSCOPE_API_BASE"]).quirks(&[Quirk::CacheControl]),
    row("databricks", "Databricks", "", &["DATABRICKS_API_KEY"]).base_env(&["DATABRICKS_API_BASE"]),
    row("deepinfra", "Deepinfra", "https://api.deepinfra.com/v1/openai", &["DEEPINFRA_API_KEY"]).base_env(&["DEEPINFRA_API_BASE"]),
    row("deepseek", "Deepseek", "https://api.deepseek.com/v1", &["DEEPSEEK_API_KEY"])
        .base_env(&["DEEPSEEK_API_BASE"]).only(CHAT)
        .quirks(&[Quirk::ReasoningContent, Quirk::ThinkingSwitch, Quirk::TextContent, Quirk::MaxTokensOnly]),
    row("featherless_ai", "Featherless_ai", "https://api.featherless.ai/v1", &["FEATHERLESS_AI_API_KEY"]),
    row("fireworks_ai", "Fireworks_ai", "https://api.fireworks.ai/inference/v1", &["FIREWORKS_API_KEY", "FIREWORKS_AI_API_KEY"])
        .base_env(&["FIREWORKS_API_BASE"]),
    row("friendliai", "Friendliai", "https://api.friendli.ai/serverless/v1", &["FRIENDLI_TOKEN", "FRIENDLIAI_API_KEY"]),
    row("github", "Github", "https://models.github.ai/inference", &["GITHUB_API_KEY", "GITHUB_TOKEN"]).base_env(&["GITHUB_API_BASE"]),
    row("groq", "Groq", "https://api.groq.com/openai/v1", &["GROQ_API_KEY"]).base_env(&["GROQ_API_BASE"]).only(CHAT)
        .quirks(&[Quirk::Unsupported(&["logit_bias", "logprobs", "top_logprobs"])]),
    row("huggingface", "Huggingface", "https://router.huggingface.co/v1", &["HUGGINGFACE_API_KEY", "HF_TOKEN"]).only(CHAT),
    row("hyperbolic", "Hyperbolic", "https://api.hyperbolic.xyz/v1", &["HYPERBOLIC_API_KEY"]),
    row("lambda_ai", "Lambda_ai", "https://api.lambda.ai/v1", &["LAMBDA_API_KEY"]),
    row("meta_llama", "Meta_llama", "https://api.llama.com/compat/v1", &["LLAMA_API_KEY"]).only(CHAT),
    row("minimax", "Minimax", "https://api.minimax.io/v1", &["MINIMAX_API_KEY"]).base_env(&["MINIMAX_API_BASE"])
        .quirks(&[Quirk::CacheControl]).only(CHAT),
    row("mistral", "Mistral", "https://api.mistral.ai/v1", &["MISTRAL_API_KEY"]).base_env(&["MISTRAL_API_BASE"])
        .quirks(&[Quirk::UsageUnasked, Quirk::MaxTokensOnly, Quirk::Unsupported(&["logit_bias", "logprobs", "user"])])
        .only(CHAT_EMBED),
    row("moonshot", "Moonshot", "https://api.moonshot.ai/v1", &["MOONSHOT_API_KEY"]).base_env(&["MOONSHOT_API_BASE"])
        .quirks(&[Quirk::ReasoningContent]),
    row("morph", "Morph", "https://api.morphllm.com/v1", &["MORPH_API_KEY"]),
    row("nebius", "Nebius", "https://api.studio.nebius.ai/v1", &["NEBIUS_API_KEY"]).base_env(&["NEBIUS_API_BASE"]),
    row("novita", "Novita", "https://api.novita.ai/v3/openai", &["NOVITA_API_KEY"]),
    row("nscale", "Nscale", "https://inference.api.nscale.com/v1", &["NSCALE_API_KEY"]),
    row("nvidia_nim", "Nvidia_nim", "https://integrate.api.nvidia.com/v1", &["NVIDIA_NIM_API_KEY"]).base_env(&["NVIDIA_NIM_API_BASE"]),
    row("openrouter", "Openrouter", "https://openrouter.ai/api/v1", &["OPENROUTER_API_KEY", "OR_API_KEY"]).base_env(&["OPENROUTER_API_BASE"])
        .quirks(&[Quirk::CacheControl, Quirk::ReasoningContent, Quirk::Efforts, Quirk::Sites("OR_SITE_URL", "OR_APP_NAME")]),
    row("ovhcloud", "Ovhcloud", "https://oai.endpoints.kepler.ai.cloud.ovh.net/v1", &["OVHCLOUD_API_KEY"])
        .base_env(&["OVHCLOUD_API_BASE"]),
    row("perplexity", "Perplexity", "https://api.perplexity.ai", &["PERPLEXITYAI_API_KEY", "PERPLEXITY_API_KEY"])
        .quirks(&[Quirk::WebSearch, Quirk::UsageUnasked, Quirk::MaxTokensOnly]).only(CHAT),
    row("sambanova", "Sambanova", "https://api.sambanova.ai/v1", &["SAMBANOVA_API_KEY"]).base_env(&["SAMBANOVA_API_BASE"])
        .quirks(&[Quirk::TextContent]),
    row("together_ai", "Together_ai", "https://api.together.xyz/v1", TOGETHER)
        .base_env(&["TOGETHERAI_API_BASE", "TOGETHER_AI_API_BASE"]),
    row("v0", "V0", "https://api.v0.dev/v1", &["V0_API_KEY"]).only(CHAT),
    row("vercel_ai_gateway", "Vercel_ai_gateway", "https://ai-gateway.vercel.sh/v1", &["VERCEL_AI_GATEWAY_API_KEY", "AI_GATEWAY_API_KEY"])
        .base_env(&["VERCEL_AI_GATEWAY_API_BASE"])
        .quirks(&[Quirk::CacheControl, Quirk::Efforts, Quirk::Sites("VERCEL_SITE_URL", "VERCEL_APP_NAME")]),
    row("volcengine", "Volcengine", "https://ark.cn-beijing.volces.com/api/v3", &["VOLCENGINE_API_KEY", "ARK_API_KEY"]),
    row("wandb", "Wandb", "https://api.inference.wandb.ai/v1", &["WANDB_API_KEY"]).base_env(&["WANDB_API_BASE"]).only(CHAT),
    row("xai", "Xai", "https://api.x.ai/v1", &["XAI_API_KEY"]).base_env(&["XAI_API_BASE"]).only(RESPONSES),
    row("zai", "Zai", "https://api.z.ai/api/paas/v4", &["ZAI_API_KEY"]).only(CHAT)
        .quirks(&[Quirk::ReasoningContent, Quirk::ThinkingSwitch]),
];

/// Base URL + the operation's path, key as bearer.
pub(super) fn wire(row: &'static Row, entry: &ModelEntry, env: &Env) -> Result<Wire, Fault> {
    let mut base = super::wire::base(row, entry, env)?;
    for quirk in row.quirks {
        if let Quirk::PathBelow(prefix) = quirk
            && !base.ends_with(prefix)
        {
            base.push_str(prefix);
        }
    }
    let mut wire = WireBuilder::new(&base)?;
    wire.openai(row.operations, |path| named(path, entry))?;
    super::wire::bearer(&mut wire, row, entry, env)?;
    let asking = [
        ("openai-organization", entry.params.organization.clone()),
        ("openai-project", entry.params.project.clone()),
    ];
    for (name, value) in asking.into_iter().chain(site(row, env)) {
        if let Some(value) = value {
            wire.header(name, &value)?;
        }
    }
    wire.finish(entry)
}

/// Which site and which application asks, where the provider lists them.
fn site(row: &Row, env: &Env) -> Vec<(&'static str, Option<String>)> {
    let names = row.quirks.iter().find_map(|quirk| match quirk {
        Quirk::Sites(site, application) => Some([("http-referer", *site), ("x-title", *application)]),
        _ => None,
    });
    names.into_iter().flatten().map(|(header, variable)| (header, set(env, variable))).collect()
}

/// A session has no body that could name its model.
pub(super) fn named(path: &str, entry: &ModelEntry) -> String {
    if path != Operation::Realtime.row().openai_path {
        return path.to_owned();
    }
    format!("{path}?model={}", model(entry))
}

/// The model as a parameter.
pub(super) fn model(entry: &ModelEntry) -> String {
    utf8_percent_encode(&entry.upstream_model, PARAMETER).to_string()
}
