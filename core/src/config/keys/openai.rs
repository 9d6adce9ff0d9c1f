//! Parameters of OpenAI's API that a deployment may set as defaults.

use std::collections::HashSet;
use std::sync::LazyLock;

/// Chat, completions, embeddings, images, audio, moderations and responses; what says which model is called or
/// carries the input itself is left out.
pub(super) const PARAMS: &str = "
    audio background best_of cache_control dimensions echo encoding_format frequency_penalty function_call
    functions guided_choice guided_json guided_regex include input_fidelity instructions language logit_bias
    logprobs max_completion_tokens max_output_tokens max_tokens max_tool_calls metadata min_p modalities
    moderation n output_compression output_format parallel_tool_calls partial_images prediction
    presence_penalty prompt_cache_key prompt_cache_retention quality reasoning reasoning_effort
    repetition_penalty response_format safety_identifier seed service_tier size speed stop store stream
    stream_options style suffix temperature text thinking timestamp_granularities tool_choice tools top_k
    top_logprobs top_p truncation user verbosity voice web_search_options";

/// The same, to be looked up: it is asked about each member of each request that somebody is told of.
static NAMES: LazyLock<HashSet<&'static str>> = LazyLock::new(|| PARAMS.split_ascii_whitespace().collect());

pub fn is_openai_param(name: &str) -> bool {
    NAMES.contains(name)
}
