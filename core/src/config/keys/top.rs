//! The sections themselves, and the small maps in them.

use super::Kind::{Any, Bool, List, Map, Text, Texts};
use super::{Key, later, own, used};

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
    later("agent_list", Any),
    later("assistant_settings", Any),
    later("default_vertex_config", Any),
    later("files_settings", Any),
    later("finetune_settings", Any),
    later("mcp_servers", Any),
    later("mcp_tools", Any),
    later("prompts", Any),
    later("search_tools", Any),
    later("vector_store_registry", Any),
    later("worker_config", Any),
];

pub(super) const MODEL: &[Key] =
    &[used("model_name", Text), used("litellm_params", Map), used("model_info", Map)];

pub(super) const CREDENTIAL: &[Key] =
    &[used("credential_name", Text), used("credential_values", Map), used("credential_info", Map)];

pub(super) const ALIAS: &[Key] = &[used("model", Text), used("hidden", Bool)];
