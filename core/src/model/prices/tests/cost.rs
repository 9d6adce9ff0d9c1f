use super::super::{Catalogue, ModelPrice, ServiceTier, cost, total_cost};
use super::{dollars, dollars_at, model, plain, priced};
use crate::domain::money::NanoUsd;
use crate::domain::usage::Usage;
use std::time::Duration;

#[test]
fn p12_the_recorded_answers_cost_what_litellm_charged_for_them() {
    assert_eq!(dollars(&model("gpt-4o"), plain(11, 7)), "0.0000975");
    let own = priced(&[("input_cost_per_token", "0.000001"), ("output_cost_per_token", "2e-06")]);
    assert_eq!(dollars(&own, plain(11, 7)), "0.000025");
}

/// Each worked out from the provider's prices for a million tokens.
#[test]
fn p12_provider_examples() {
    let cases = [
        // 6,000 × $1.25 + 4,000 cached × $0.125 + 1,000 × $10
        ("gpt-5", Usage { cache_read: 4_000, ..plain(10_000, 1_000) }, "0.018"),
        // 100 × $3 + 2,000 read × $0.30 + 3,000 written × $3.75 + 4,000 for an hour × $6 + 500 × $15
        (
            "claude-sonnet-4-5",
            Usage { cache_read: 2_000, cache_write: 3_000, cache_write_1h: 4_000, ..plain(9_100, 500) },
            "0.04365",
        ),
        // The same without a price for an hour's write: it is charged as a write. 1,000 × $3.75
        (
            "anthropic.claude-sonnet-4-20250514-v1:0",
            Usage { cache_write_1h: 1_000, ..plain(1_000, 0) },
            "0.00375",
        ),
        // 100 × $2.50 + 200 audio × $32 + 50 × $10 + 250 audio × $64
        ("gpt-audio", Usage { audio_input: 200, audio_output: 250, ..plain(300, 300) }, "0.02315"),
        // 1,000 × $0.30 + 500 audio × $1 + 200 × $2.50, thinking included
        ("gemini-2.5-flash", Usage { audio_input: 500, reasoning: 150, ..plain(1_500, 200) }, "0.0013"),
        // 100 × $0.40 + 100 × $1.20 + 900 of reasoning × $4
        ("dashscope/qwen-plus-2025-04-28", Usage { reasoning: 900, ..plain(100, 1_000) }, "0.00376"),
        // Reasoning without a price of its own is output: 1,000 × $1.10 + 1,000 × $4.40
        ("o3-mini", Usage { reasoning: 800, ..plain(1_000, 1_000) }, "0.0055"),
        // 60 × $5 + 40 of a picture × $10 + 1,000 drawn × $40
        ("gpt-image-1", Usage { image_input: 40, image_output: 1_000, ..plain(100, 1_000) }, "0.0407"),
        // 100 × $2 + 80 spoken × $12 + 1,120 drawn × $120
        ("gemini-3-pro-image-preview", Usage { image_output: 1_120, ..plain(100, 1_200) }, "0.13556"),
        // 100 × $0.60 + 300 cached × $0.06 + 100 cached audio × $0.30 + 500 audio × $10 + 50 × $2.40 + 150 audio × $20
        (
            "azure/gpt-realtime-2.1-mini",
            Usage {
                cache_read: 400,
                audio_cache_read: 100,
                audio_input: 500,
                audio_output: 150,
                ..plain(1_000, 200)
            },
            "0.008228",
        ),
        // A picture without a price of its own is input: 300 × $2.50
        ("gpt-4o", Usage { image_input: 255, ..plain(300, 0) }, "0.00075"),
        // 1,000 × $3 + 100 × $15 + 2 searches × $10 for a thousand
        ("claude-sonnet-4-5", Usage { searches: 2, ..plain(1_000, 100) }, "0.0245"),
        // Three sizes of context, of which nothing is told: the medium one. 10 × $1 + 10 × $1 + 1 × $8 for a thousand
        ("perplexity/sonar", Usage { searches: 1, ..plain(10, 10) }, "0.00802"),
        // No price for searches
        ("gpt-4o", Usage { searches: 5, ..plain(11, 7) }, "0.0000975"),
        // A model without a price for cached tokens: all 1,000 × $32 audio + 0
        ("gpt-audio", Usage { audio_input: 1_000, ..plain(1_000, 0) }, "0.032"),
        // 3 × $0.02 for a million: 60 nano-dollars
        ("text-embedding-3-small", plain(3, 0), "0.00000006"),
    ];
    for (name, usage, expected) in cases {
        assert_eq!(dollars(&model(name), usage), expected, "{name} {usage:?}");
    }
}

#[test]
fn p12_a_long_prompt_changes_every_price_of_the_request() {
    let gemini = model("gemini-2.5-pro");
    // 200,000 × $1.25 + 1,000 × $10; one token more: 200,001 × $2.50 + 1,000 × $15
    assert_eq!(dollars(&gemini, plain(200_000, 1_000)), "0.26");
    assert_eq!(dollars(&gemini, plain(200_001, 1_000)), "0.5150025");
    // Cached tokens make a prompt long too: 50,000 × $2.50 + 250,000 × $0.25
    assert_eq!(dollars(&gemini, Usage { cache_read: 250_000, ..plain(300_000, 0) }), "0.1875");
    // Reasoning follows the output into the band.
    assert_eq!(dollars(&gemini, Usage { reasoning: 1_000, ..plain(200_001, 1_000) }), "0.5150025");
    // Alibaba's steps: $1 up to 32,000, $1.80 above, $6 above 256,000
    let qwen = model("dashscope/qwen3-coder-plus");
    assert_eq!(dollars(&qwen, plain(32_000, 0)), "0.032");
    assert_eq!(dollars(&qwen, plain(100_000, 0)), "0.18");
    assert_eq!(dollars(&qwen, Usage { cache_read: 300_000, ..plain(300_000, 0) }), "0.18");
}

#[test]
fn p12_service_tiers_have_their_own_prices() {
    let usage = Usage { cache_read: 4_000, ..plain(10_000, 1_000) };
    let at = |name: &str, tier, usage| dollars_at(tier, &model(name), usage);
    assert_eq!(at("gpt-5", ServiceTier::Priority, usage), "0.036");
    assert_eq!(at("gpt-5", ServiceTier::Flex, usage), "0.009");
    assert_eq!(at("gpt-5", ServiceTier::Batch, usage), "0.009");
    // 1,000 × $0.15 + 500 audio × $1, which has no flex price + 200 × $1.25, thinking included
    let spoken = Usage { audio_input: 500, reasoning: 150, ..plain(1_500, 200) };
    assert_eq!(at("gemini-2.5-flash", ServiceTier::Flex, spoken), "0.0009");
    // No priority for long prompts: the long prompt's ordinary price, 300,000 × $5.
    assert_eq!(at("gpt-5.4", ServiceTier::Priority, plain(300_000, 0)), "1.5");
    // A tier that a model does not have is charged as standard.
    assert_eq!(at("whisper-1", ServiceTier::Flex, plain(5, 5)), "0");
    assert_eq!(at("gpt-4o", ServiceTier::Flex, plain(11, 7)), "0.0000975");
    // No batch price for cached tokens ($0.30): never dearer than the batch's input ($0.10 here).
    let batch = priced(&[
        ("input_cost_per_token", "4e-7"),
        ("cache_read_input_token_cost", "3e-7"),
        ("input_cost_per_token_batches", "1e-7"),
    ]);
    let cached = Usage { cache_read: 1_000_000, ..plain(1_000_000, 0) };
    assert_eq!(dollars_at(ServiceTier::Batch, &batch, cached), "0.1");
}

#[test]
fn p12_time_is_charged_where_tokens_are_not() {
    let charged = |price: &ModelPrice, usage: Usage, millis| {
        cost(price, &usage, Some(Duration::from_millis(millis))).total.to_string()
    };
    // $0.0001 a second, listed for input and output alike: one second is one second.
    assert_eq!(charged(&model("whisper-1"), Usage::default(), 61_500), "0.00615");
    // A zero beside the price is a blank.
    assert_eq!(charged(&model("assemblyai/best"), Usage::default(), 10_000), "0.0003333");
    // Tokens where they were reported, never both.
    let both = model("gpt-4o-transcribe");
    assert_eq!(charged(&both, plain(100, 10), 60_000), dollars(&both, plain(100, 10)));
    assert_eq!(charged(&both, Usage::default(), 60_000), "0.006");
    // Time without a price costs nothing and is not listed.
    let timed = cost(&model("gpt-4o"), &Usage::default(), Some(Duration::MAX));
    assert_eq!((timed.total, timed.lines.len()), (NanoUsd::ZERO, 0));
}

#[test]
fn p12_a_cost_can_be_explained() {
    let usage = Usage { cache_read: 4, reasoning: 5, ..plain(10, 7) };
    let explained = cost(&model("gpt-5"), &usage, None);
    let lines: Vec<_> = explained.lines.iter().map(|l| (l.label, l.quantity, l.price.to_string())).collect();
    let expected = [
        ("input", 6, "0.00000125"),
        ("cache_read", 4, "0.000000125"),
        ("output", 2, "0.00001"),
        ("reasoning", 5, "0.00001"),
    ];
    assert_eq!(lines, expected.map(|(label, quantity, price)| (label, quantity, price.to_owned())));
    assert_eq!(explained.total.to_string(), "0.000078");
}

#[test]
fn p12_a_sum_is_rounded_once() {
    // 0.4 nano-dollars in and out: 0.8 together, not 0 + 0.
    let cheap = priced(&[("input_cost_per_token", "4e-10"), ("output_cost_per_token", "4e-10")]);
    assert_eq!(total_cost(&cheap, &plain(1, 1)), NanoUsd(1));
    assert_eq!(total_cost(&cheap, &plain(1, 0)), NanoUsd(0));
}

const COUNTS: [u64; 4] = [0, 3, 1_000, 400_000];

/// Usages of all sorts, many of them impossible: parts larger than their whole.
fn usages() -> impl Iterator<Item = Usage> {
    (0..4_u32.pow(6)).map(|n| {
        let pick = |digit: u32| COUNTS[(n / 4_u32.pow(digit)) as usize % 4];
        Usage {
            input: pick(0),
            output: pick(1),
            cache_read: pick(2),
            audio_cache_read: pick(2) / 3,
            cache_write: pick(3),
            cache_write_1h: pick(3) / 2,
            reasoning: pick(4),
            audio_input: pick(5),
            audio_output: pick(5),
            image_input: pick(5) / 3,
            image_output: pick(4) / 3,
            searches: 0,
            tier: None,
        }
    })
}

#[test]
fn p12_every_token_is_charged_once_even_if_a_usage_contradicts_itself() {
    let price = model("gpt-5");
    for usage in usages() {
        let explained = cost(&price, &usage, None);
        let counted: u64 = explained.lines.iter().map(|line| line.quantity).sum();
        let cached = usage.cache_read + usage.cache_write + usage.cache_write_1h;
        assert_eq!(counted, usage.input.max(cached) + usage.output.max(usage.reasoning), "{usage:?}");
        assert_eq!(explained.total, total_cost(&price, &usage), "{usage:?}");
    }
}

#[test]
fn p12_no_number_is_too_large() {
    let huge = u64::MAX;
    let all = Usage {
        input: huge,
        output: huge,
        cache_read: huge,
        audio_cache_read: huge,
        cache_write: huge,
        cache_write_1h: huge,
        reasoning: huge,
        audio_input: huge,
        audio_output: huge,
        image_input: huge,
        image_output: huge,
        searches: huge,
        tier: None,
    };
    assert_eq!(total_cost(&model("gpt-4o"), &all), NanoUsd(i64::MAX));
}

/// A token charged twice would cost more than the dearest rate for every token, one left out less than the cheapest.
#[test]
fn p12_no_model_charges_less_than_nothing_or_a_token_twice() {
    let tiers = [ServiceTier::Standard, ServiceTier::Flex, ServiceTier::Priority, ServiceTier::Batch];
    let samples: Vec<_> = usages().step_by(37).collect();
    for facts in Catalogue::embedded().models() {
        let Some(price) = facts.price else { continue };
        for (usage, tier) in samples.iter().zip(tiers.iter().cycle()) {
            let usage = usage.or_at(Some(*tier));
            let charged = i128::from(total_cost(&price, &usage).0) * 1_000_000;
            let (least, most) = bounds(&price, &usage, *tier);
            assert!(least >= 0, "{} {usage:?}", facts.name);
            let fits = (least - 500_000..=most + 500_000).contains(&charged);
            assert!(fits, "{} {usage:?}: {least} <= {charged} <= {most}", facts.name);
        }
    }
}

/// All tokens at the cheapest and at the dearest rate, in femto-dollars.
fn bounds(price: &ModelPrice, usage: &Usage, tier: ServiceTier) -> (i128, i128) {
    let prompt = usage.input.max(usage.cache_read + usage.cache_write + usage.cache_write_1h);
    let rates = price.rates(tier, prompt);
    let cached = [rates.cache_read, rates.audio_cache_read, rates.cache_write, rates.cache_write_1h];
    let fresh = [rates.input, rates.audio_input, rates.image_input];
    let input: Vec<i64> = cached.iter().chain(&fresh).map(|r| r.0).collect();
    let output = [rates.output, rates.reasoning, rates.audio_output, rates.image_output].map(|r| r.0);
    let answer = i128::from(usage.output.max(usage.reasoning));
    let at = |of: fn(&[i64]) -> i64| {
        i128::from(prompt) * i128::from(of(&input)) + answer * i128::from(of(&output))
    };
    (at(|r| r.iter().copied().min().unwrap()), at(|r| r.iter().copied().max().unwrap()))
}
