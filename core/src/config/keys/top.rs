//! The sections themselves, and the small maps in them.

use super::Kind::{Any, Bool, List, Map, Text, Texts};
use super::{Key, moot, own, used};

const AGENTS: &str = "there is no A2A gateway here: ask agents at their own addresses; see OUT_OF_SCOPE.md";
const FILES: &str = "there is no Files or Fine-tuning API here: a provider's own is passed through below its prefix \
    (/openai/v1/files); see OUT_OF_SCOPE.md";
const MCP: &str = "there is no MCP gateway here: run an MCP server beside this one; see OUT_OF_SCOPE.md";

pub(super) const KEYS: &[Key] = &[
    used("model_list", List),
    used("litellm_settings", Map),
    used("router_settings", Map),
    used("general_settings", Map),
    own("weir_settings", Map, "Settings that LiteLLM does not have."),
    used("environment_variables", Map),
    used("include", Texts),
    used("credential_list", List),
    used("guardrails", List),
    used("callback_settings", Map),
    used("proxy_config", Map),
    used("default_vertex_config", Map),
    moot("agent_list", Any, AGENTS),
    moot(
        "assistant_settings",
        Any,
        "there is no Assistants API here: use /v1/responses; see OUT_OF_SCOPE.md",
    ),
    moot("files_settings", Any, FILES),
    moot("finetune_settings", Any, FILES),
    moot("mcp_servers", Any, MCP),
    moot("mcp_tools", Any, MCP),
    moot("prompts", Any, "prompts are not kept here: keep them in the application; see OUT_OF_SCOPE.md"),
    moot("search_tools", Any, "there is no Search API here: models search themselves (web_search_options)"),
    moot(
        "vector_store_registry",
        Any,
        "there are no vector stores here: use the provider's own; see OUT_OF_SCOPE.md",
    ),
    moot("worker_config", Any, "LiteLLM hands its flags to workers in it; `weir --help` has the flags"),
];

pub(super) const MODEL: &[Key] =
    &[used("model_name", Text), used("litellm_params", Map), used("model_info", Map)];

pub(super) const CREDENTIAL: &[Key] =
    &[used("credential_name", Text), used("credential_values", Map), used("credential_info", Map)];

pub(super) const ALIAS: &[Key] = &[used("model", Text), used("hidden", Bool)];
