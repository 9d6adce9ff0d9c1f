//! `litellm_params`: one way to reach one upstream model. Parameters of OpenAI's API and prices may stand here too.

use super::Kind::{Any, Bool, BoolOrText, Int, List, Map, Number, Seconds, Secret, Text, Texts};
use super::{Key, Open, is_openai_param, is_price, moot, own, used};

const BY_MEANING: &str =
    "no model is chosen by what a request means; name the model, or choose by tags or order";
const FILES: &str = "files and batches are not served; use the provider's own API, passed through";
const VECTORS: &str = "vector stores are not served; use the provider's own API, passed through";

pub(super) const KEYS: &[Key] = &[
    used("additional_drop_params", Texts),
    used("allowed_openai_params", Texts),
    used("api_base", Text),
    used("api_key", Secret),
    used("api_version", Text),
    used("azure_ad_token", Secret),
    used("base_url", Text),
    used("client_id", Text),
    used("client_secret", Secret),
    used("configurable_clientside_auth_params", List),
    used("custom_llm_provider", Text),
    used("drop_params", Bool),
    used("extra_body", Map),
    used("extra_headers", Map),
    own("hedge_after_ms", Int, "As in `weir_settings`, of this deployment."),
    used("litellm_credential_name", Text),
    used("max_parallel_requests", Int),
    used("max_retries", Int),
    used("mock_delay", Seconds),
    used("mock_response", Any),
    used("model", Text),
    used("order", Int),
    used("organization", Text),
    used("rpm", Int),
    used("ssl_verify", BoolOrText),
    used("stream_timeout", Seconds),
    used("tags", Texts),
    used("tenant_id", Text),
    used("timeout", Seconds),
    used("tpm", Int),
    used("weight", Number),
    moot("auto_router_config", Text, BY_MEANING),
    moot("auto_router_config_path", Text, BY_MEANING),
    moot("auto_router_default_model", Text, BY_MEANING),
    moot("auto_router_embedding_model", Text, BY_MEANING),
    used("aws_access_key_id", Text),
    used("aws_bedrock_runtime_endpoint", Text),
    used("aws_external_id", Text),
    used("aws_profile_name", Text),
    used("aws_region_name", Text),
    used("aws_role_name", Text),
    used("aws_secret_access_key", Secret),
    used("aws_session_name", Text),
    used("aws_session_token", Secret),
    used("aws_sts_endpoint", Text),
    used("aws_web_identity_token", Secret),
    used("azure_authority_host", Text),
    used("azure_scope", Text),
    used("budget_duration", Text),
    used("cache_control_injection_points", Any),
    used("cooldown_time", Seconds),
    moot(
        "custom_tokenizer",
        Any,
        "tokens are counted with OpenAI's vocabularies where a provider reports none; ask the provider's own counter",
    ),
    moot("gcs_bucket_name", Text, FILES),
    used("headers", Map),
    used("input_type", Text),
    moot(
        "litellm_trace_id",
        Text,
        "a trace is of requests, not of a deployment; send x-litellm-trace-id with those that belong together",
    ),
    used("max_budget", Number),
    used("max_file_size_mb", Number),
    used("merge_reasoning_content_in_choices", Bool),
    moot("milvus_text_field", Text, VECTORS),
    used("mock_timeout", Bool),
    used("model_info", Map),
    used("num_retries", Int),
    used("region_name", Text),
    moot("s3_bucket_name", Text, FILES),
    moot("s3_encryption_key_id", Text, FILES),
    used("search_context_cost_per_query", Map),
    used("tiered_pricing", List),
    used("silent_model", Text),
    used("use_in_pass_through", Bool),
    used("use_litellm_proxy", Bool),
    moot("vector_store_id", Text, VECTORS),
    used("vertex_credentials", Any),
    used("vertex_location", Text),
    used("vertex_project", Text),
    moot(
        "watsonx_region_name",
        Text,
        "watsonx is not served; name its address in api_base of an openai_like model",
    ),
];

pub(super) fn open(name: &str) -> Option<Open> {
    if is_price(name) {
        return Some(Open::Price);
    }
    is_openai_param(name).then_some(Open::OpenAi)
}
