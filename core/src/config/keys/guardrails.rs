//! `guardrails`: one entry, and the parameters of all kinds. A kind reads those that are its own.

use super::Kind::{Any, Bool, List, Map, Number, Seconds, Secret, Text, Texts};
use super::{Key, moot, own, used};

const ELSEWHERE: &str =
    "it is of a kind that is not served; use generic_guardrail_api in front of that service";

pub(super) const ENTRY: &[Key] = &[
    used("guardrail_id", Text),
    used("guardrail_name", Text),
    used("litellm_params", Map),
    used("guardrail_info", Map),
];

pub(super) const PARAMS: &[Key] = &[
    used("guardrail", Text),
    used("mode", Any),
    used("default_on", Bool),
    used("fail_on_error", Bool),
    used("violation_message_template", Text),
    own("timeout", Seconds, "How long a service may take to answer one check. 10 seconds."),
    used("api_base", Text),
    used("api_key", Secret),
    used("model", Text),
    used("headers", Map),
    used("additional_provider_specific_params", Map),
    // Bedrock's.
    used("guardrailIdentifier", Text),
    used("guardrailVersion", Text),
    used("disable_exception_on_block", Bool),
    used("mask_request_content", Bool),
    used("mask_response_content", Bool),
    used("aws_access_key_id", Text),
    used("aws_secret_access_key", Secret),
    used("aws_session_token", Secret),
    used("aws_region_name", Text),
    used("aws_profile_name", Text),
    used("aws_role_name", Text),
    used("aws_session_name", Text),
    used("aws_external_id", Text),
    used("aws_web_identity_token", Secret),
    used("aws_sts_endpoint", Text),
    used("aws_bedrock_runtime_endpoint", Text),
    // Presidio's.
    used("presidio_analyzer_api_base", Text),
    used("presidio_anonymizer_api_base", Text),
    used("presidio_language", Text),
    used("presidio_filter_scope", Text),
    used("presidio_score_thresholds", Map),
    used("pii_entities_config", Map),
    used("presidio_ad_hoc_recognizers", Any),
    used("presidio_run_on", Text),
    used("output_parse_pii", Bool),
    used("mock_redacted_text", Map),
    // The content filter's.
    used("patterns", List),
    used("blocked_words", List),
    used("blocked_words_file", Text),
    used("pattern_redaction_format", Text),
    used("keyword_redaction_tag", Text),
    used("categories", List),
    used("severity_threshold", Text),
    // Of `hide-secrets`.
    used("detect_secrets_config", Map),
    // Of `tool_permission`.
    used("rules", List),
    used("default_action", Text),
    used("on_disallowed_action", Text),
    // Of LiteLLM's other kinds.
    moot(
        "experimental_use_latest_role_message_only",
        Bool,
        "all that is said is looked at: what was said earlier reaches the model as well",
    ),
    moot("breakdown", Any, ELSEWHERE),
    moot("category_thresholds", Any, ELSEWHERE),
    moot("dev_info", Any, ELSEWHERE),
    moot("metadata", Any, ELSEWHERE),
    moot("payload", Any, ELSEWHERE),
    moot("project_id", Any, ELSEWHERE),
    moot("guard_name", Text, ELSEWHERE),
    moot("additional_params", Any, ELSEWHERE),
    moot("profile_name", Any, ELSEWHERE),
    moot("threshold", Number, ELSEWHERE),
    moot("tags", Texts, "a guardrail is bound to tags by its mode; write mode: {tags: {TAG: pre_call}}"),
];
