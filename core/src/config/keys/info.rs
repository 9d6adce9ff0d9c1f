//! `model_info`: facts about a model. Free-form; what is not acted on is shown by `/model/info` as it was written.

use super::Kind::{Bool, Int, List, Map, Seconds, Text, Texts};
use super::{Key, Open, is_price, own, used};

pub(super) const KEYS: &[Key] = &[
    used("access_groups", Texts),
    used("base_model", Text),
    used("id", Text),
    used("max_input_tokens", Int),
    used("max_output_tokens", Int),
    used("max_tokens", Int),
    used("mode", Text),
    used("disable_background_health_check", Bool),
    used("health_check_model", Text),
    used("health_check_timeout", Seconds),
    own("made_by_team", Bool, "An admin of its team made it: nothing of the operator's is used for it."),
    used("search_context_cost_per_query", Map),
    used("team_id", Text),
    used("team_public_model_name", Text),
    used("tiered_pricing", List),
];

/// Facts that LiteLLM's model map has, beside `supports_…`.
pub(super) const FACTS: &str = "
    created_at created_by db_model description key litellm_provider output_vector_size
    supported_openai_params supports_function_calling supports_vision tier updated_at updated_by version";

pub(super) fn open(name: &str) -> Option<Open> {
    if is_price(name) {
        return Some(Open::Price);
    }
    (name.starts_with("supports_") || FACTS.split_ascii_whitespace().any(|fact| fact == name))
        .then_some(Open::Fact)
}
