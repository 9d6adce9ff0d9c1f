//! Names of prices. LiteLLM builds them from a quantity, a tier and a service level, so that no list is complete.

/// What is counted, in US dollars for one.
pub(super) const PRICES: &str = "
    cache_creation_input_audio_token_cost cache_creation_input_token_cost cache_read_input_audio_token_cost
    cache_read_input_image_token_cost cache_read_input_token_cost citation_cost_per_token
    input_cost_per_audio_per_second input_cost_per_audio_token input_cost_per_character input_cost_per_image
    input_cost_per_image_token input_cost_per_pixel input_cost_per_query input_cost_per_request
    input_cost_per_second input_cost_per_token input_cost_per_token_cache_hit input_cost_per_video_per_second
    output_cost_per_audio_per_second output_cost_per_audio_token output_cost_per_character
    output_cost_per_image output_cost_per_image_token output_cost_per_pixel output_cost_per_reasoning_token
    output_cost_per_request output_cost_per_second output_cost_per_token output_cost_per_video_per_second";

const LEVELS: [&str; 3] = ["_batches", "_flex", "_priority"];

/// Whether this names a price: a quantity, then perhaps `_above_200k_tokens`, then perhaps `_priority`.
pub fn is_price(name: &str) -> bool {
    let name = LEVELS.iter().find_map(|level| name.strip_suffix(level)).unwrap_or(name);
    let quantity = name.split_once("_above_").map_or(name, |(quantity, _)| quantity);
    PRICES.split_ascii_whitespace().any(|price| price == quantity)
}
