//! Heads of answers.

use super::differences::differs;
use crate::client::Answer;
use serde_json::Value;
use weir_core::domain::money::NanoUsd;

/// Headers that clients and scripts read. Their values are compared where they are not of the moment. Not
/// `x-litellm-key-spend`: here keys of the ledger have it, there the master key too, with what the request itself costs.
static HEADERS: &[(&str, bool)] = &[
    ("x-litellm-call-id", false),
    ("x-litellm-model-id", false),
    ("x-litellm-version", true),
    ("x-litellm-model-group", true),
    ("x-litellm-attempted-retries", true),
    ("x-litellm-attempted-fallbacks", true),
    ("x-litellm-response-cost", false),
    ("x-litellm-response-cost-original", false),
    ("x-litellm-response-cost-discount-amount", true),
    ("x-litellm-response-cost-margin-amount", true),
    ("x-litellm-response-cost-margin-percent", true),
    ("x-litellm-model-api-base", false),
    ("x-litellm-response-duration-ms", false),
    ("x-litellm-overhead-duration-ms", false),
    ("x-ratelimit-limit-requests", true),
    ("x-ratelimit-remaining-tokens", true),
    ("llm_provider-x-request-id", true),
    ("llm_provider-openai-organization", true),
    ("content-type", true),
    ("location", false),
    ("access-control-allow-origin", true),
];

/// Those that say what the answer costs.
static COSTS: &[&str] = &["x-litellm-response-cost", "x-litellm-response-cost-original"];

/// Beside the cost, where it is told: a stream's is not known when its head is sent, nor that of a model without a price.
fn is_beside_cost(name: &str) -> bool {
    name.starts_with("x-litellm-response-cost-")
}

pub fn compare(case: &str, expected: &Value, answer: &Answer) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, exact) in HEADERS {
        let Some(want) = expected[*name].as_str() else { continue };
        let got = answer.header(name);
        if differs(case, "origin") && name.starts_with("access")
            || differs(case, "cost") && COSTS.contains(name)
            || differs(case, "limits") && name.starts_with("x-rate")
            || differs(case, "original") && name.ends_with("original")
            || differs(case, "took") && name.ends_with("duration-ms")
            || is_beside_cost(name) && answer.header("x-litellm-response-cost").is_empty()
        {
            continue;
        }
        let nano = |text: &str| NanoUsd::parse(text).ok();
        let cost = COSTS.contains(name) && nano(want) != nano(got);
        let json = *name == "content-type"
            && got.starts_with("application/json")
            && want.starts_with("application/json");
        if got.is_empty() || cost || *exact && got != want && !json {
            wrong.push(format!("header {name}: {got:?} instead of {want:?}"));
        }
    }
    wrong
}
