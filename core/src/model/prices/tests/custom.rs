use super::super::{ModelPrice, PriceFault, PriceKey, ServiceTier, cost};
use super::{custom, dollars, dollars_at, model, owned, plain, priced};
use crate::domain::usage::Usage;
use std::time::Duration;

const CACHED: Usage = Usage {
    input: 1_000,
    output: 100,
    cache_read: 400,
    audio_cache_read: 0,
    cache_write: 200,
    cache_write_1h: 100,
    reasoning: 50,
    audio_input: 0,
    audio_output: 0,
    image_input: 0,
    image_output: 0,
    searches: 0,
    tier: None,
};

#[test]
fn p12_custom_token_prices_cover_cached_tokens_and_no_token_twice() {
    let own = [("input_cost_per_token", "1e-6"), ("output_cost_per_token", "2e-6")];
    for base in [None, Some(model("claude-sonnet-4-5")), Some(model("gemini-2.5-pro"))] {
        // 1,000 × $1 + 100 × $2, whatever was cached or thought
        assert_eq!(dollars(&custom(base.as_ref(), &own), CACHED), "0.0012");
    }
    // Nor do the list's long prompts and tiers come back.
    let own = custom(Some(&model("gpt-5.4")), &own);
    assert_eq!(dollars_at(ServiceTier::Batch, &own, plain(300_000, 0)), "0.3");
}

#[test]
fn p12_custom_cache_prices_are_used() {
    let own = priced(&[
        ("input_cost_per_token", "1e-6"),
        ("output_cost_per_token", "2e-6"),
        ("cache_read_input_token_cost", "1e-7"),
        ("cache_creation_input_token_cost", "3e-6"),
        ("cache_creation_input_token_cost_above_1hr", "5e-6"),
        ("output_cost_per_reasoning_token", "4e-6"),
    ]);
    // 300 × $1 + 400 × $0.1 + 200 × $3 + 100 × $5 + 50 × $2 + 50 × $4
    assert_eq!(dollars(&own, CACHED), "0.00174");
}

#[test]
fn p12_one_custom_side_leaves_the_other_to_the_list() {
    let sonnet = model("claude-sonnet-4-5");
    // 1,000 × $1, then 100 × $15 as listed
    assert_eq!(dollars(&custom(Some(&sonnet), &[("input_cost_per_token", "1e-6")]), CACHED), "0.0025");
    // Listed: 300 × $3 + 400 × $0.3 + 200 × $3.75 + 100 × $6; own: 100 × $2
    assert_eq!(dollars(&custom(Some(&sonnet), &[("output_cost_per_token", "2e-6")]), CACHED), "0.00257");
    // Only the cache: 300 × $3 + 400 × $1 + 200 × $3.75 + 100 × $6 + 100 × $15
    assert_eq!(
        dollars(&custom(Some(&sonnet), &[("cache_read_input_token_cost", "1e-6")]), CACHED),
        "0.00415"
    );
}

#[test]
fn p12_a_custom_component_holds_at_every_band_and_tier() {
    let own = custom(Some(&model("gpt-5.4")), &[("cache_read_input_token_cost", "1e-6")]);
    let cached = |input| Usage { cache_read: input, ..plain(input, 0) };
    assert_eq!(dollars(&own, cached(300_000)), "0.3");
    assert_eq!(dollars_at(ServiceTier::Priority, &own, cached(100_000)), "0.1");
}

#[test]
fn p12_custom_bands_and_tiers() {
    let own = priced(&[
        ("input_cost_per_token", "1e-6"),
        ("input_cost_per_token_above_128k_tokens", "3e-6"),
        ("input_cost_per_token_flex", "5e-7"),
        ("input_cost_per_token_above_128k_tokens_flex", "2e-6"),
    ]);
    let at = |tier, input| dollars_at(tier, &own, plain(input, 0));
    assert_eq!(at(ServiceTier::Standard, 128_000), "0.128");
    assert_eq!(at(ServiceTier::Standard, 200_000), "0.6");
    assert_eq!(at(ServiceTier::Flex, 100_000), "0.05");
    assert_eq!(at(ServiceTier::Flex, 200_000), "0.4");
    // One band of a listed model, the rest as listed.
    let own = custom(Some(&model("gpt-5.4")), &[("input_cost_per_token_above_272k_tokens", "1e-6")]);
    assert_eq!(dollars(&own, plain(300_000, 0)), "0.3");
    assert_eq!(dollars(&own, plain(100_000, 0)), "0.25");
}

#[test]
fn p12_a_price_per_second_is_instead_of_tokens() {
    let own = custom(Some(&model("gpt-4o")), &[("input_cost_per_second", "0.002")]);
    let charged = cost(&own, &plain(1_000, 1_000), Some(Duration::from_millis(1_500)));
    assert_eq!(charged.total.to_string(), "0.003");
    assert!(!own.prices_tokens());
}

#[test]
fn p12_free_is_a_price() {
    let own =
        custom(Some(&model("gpt-4o")), &[("input_cost_per_token", "0"), ("output_cost_per_token", "0.0")]);
    assert_eq!(dollars(&own, plain(1_000, 1_000)), "0");
    assert!(own.prices_tokens());
}

#[test]
fn a_wrong_price_names_its_key() {
    for (key, value, named) in [
        ("input_cost_per_tokens", "1", true),
        ("input_cost_per_token_above_0k_tokens", "1", true),
        ("input_cost_per_token_above_-1k_tokens", "1", true),
        ("", "1", true),
        ("input_cost_per_token", "free", false),
        ("input_cost_per_token", "-1", false),
    ] {
        let pairs = owned(&[("output_cost_per_token", "1e-6"), (key, value)]);
        let (at, why) = ModelPrice::with_overrides(None, &pairs).unwrap_err();
        assert_eq!((at.as_str(), why == PriceFault::UnknownKey), (key, named), "{why}");
    }
}

#[test]
fn names_of_prices_go_in_and_out() {
    for name in [
        "input_cost_per_token",
        "cache_creation_input_token_cost_above_1hr",
        "cache_creation_input_token_cost_above_1hr_above_200k_tokens",
        "output_cost_per_token_above_272k_tokens_batches",
        "output_cost_per_second_1080p",
        "input_cost_per_video_per_second_above_8s_interval",
        "search_context_cost_per_query.search_context_size_low",
        "input_cost_per_audio_token_flex",
        "input_cost_per_token_ultrafast",
    ] {
        let key = PriceKey::from_litellm(name).unwrap_or_else(|| panic!("{name}"));
        assert_eq!(key.litellm(), name);
        assert_eq!(PriceKey::from_short(&key.to_string()), Some(key), "{name}");
    }
}
