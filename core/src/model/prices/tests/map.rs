//! The built-in catalogue against the price map it was made from. The map lies in the folder that holds the
//! references (`WEIR_SHARED`, else `../shared` beside the checkout); without it these tests say so and pass, except
//! in CI.

use super::super::{COMPONENTS, Catalogue, Component, PriceKey, import};
use crate::domain::money::FemtoUsd;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

type Map<'a> = BTreeMap<String, BTreeMap<String, &'a RawValue>>;

/// What the map says about money and the catalogue does not: no US dollars, one-off sales forms, multipliers.
const NOT_CARRIED: &[&str] = &[
    "guardrail_cost_per_unit", // by a policy's kind, not by a model
    "input_dbu_cost_per_token",
    "output_dbu_cost_per_token",
    "off_peak_pricing", // hours of the day: charged as peak
    "provider_specific_entry",
    "regional_endpoint_uplift_multiplier",
    "regional_processing_uplift_multiplier_eu",
    "regional_processing_uplift_multiplier_us",
    "tiered_pricing", // by search results
    // Service tiers of one provider each.
    "cache_creation_input_token_cost_above_272k_tokens_decisions",
    "cache_creation_input_token_cost_decisions",
    "cache_read_input_token_cost_above_272k_tokens_decisions",
    "cache_read_input_token_cost_decisions",
    "input_cost_per_token_above_272k_tokens_decisions",
    "input_cost_per_token_decisions",
    "output_cost_per_token_above_272k_tokens_decisions",
    "output_cost_per_token_decisions",
    "cache_read_input_token_cost_balanced",
    "input_cost_per_token_balanced",
    "output_cost_per_token_balanced",
];

#[expect(clippy::disallowed_methods, reason = "a test helper reads the process's own environment")]
fn env(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The price map, or None (said aloud) where the folder is absent.
fn map_text() -> Option<String> {
    let shared = env("WEIR_SHARED").map_or_else(|| project().join("../../shared"), PathBuf::from);
    let path = shared.join("compat/model_prices.json");
    let text = std::fs::read_to_string(&path).ok();
    if text.is_none() {
        assert!(env("CI").as_deref() != Some("true"), "{} is needed", path.display());
        println!("skipped: {} is absent", path.display());
    }
    text
}

/// `BLESS=1` writes the catalogue anew.
#[test]
fn the_catalogue_is_what_the_import_makes() {
    let Some(json) = map_text() else { return };
    let (made, report) = import(&json).unwrap();
    if env("BLESS").is_some() {
        std::fs::write(project().join("src/model/catalogue.tsv"), &made).unwrap();
        println!("{report:#?}");
        return;
    }
    assert!(made == Catalogue::embedded().text(), "the catalogue is out of date: run this test with BLESS=1");
    Catalogue::parse(made).unwrap();
    assert_eq!(report.unreadable, []);
    assert_eq!(report.skipped, ["fallback_generalizations", "sample_spec"]);
    let left_out: BTreeSet<_> = report.not_carried.keys().map(|key| key.split('.').next().unwrap()).collect();
    assert_eq!(left_out, NOT_CARRIED.iter().copied().collect());
}

#[test]
fn p12_every_price_of_the_map_is_in_the_catalogue() {
    let Some(json) = map_text() else { return };
    let map: Map<'_> = serde_json::from_str(&json).unwrap();
    let catalogue = Catalogue::embedded();
    let mut compared = 0;
    for (name, fields) in map.iter().filter(|(_, fields)| fields.contains_key("litellm_provider")) {
        let Some(facts) = catalogue.get(name) else {
            assert_eq!(name, "sample_spec");
            continue;
        };
        for (key, value) in fields {
            let number = value.get().starts_with(|c: char| c.is_ascii_digit());
            if !number || !key.contains("cost") || NOT_CARRIED.contains(&key.as_str()) {
                continue;
            }
            let listed = facts.price.as_ref().and_then(|p| p.get(PriceKey::from_litellm(key)?));
            assert_eq!(listed, FemtoUsd::parse(value.get()).ok(), "{name} {key}");
            compared += 1;
        }
    }
    assert!(compared > 15_000, "{compared} prices");
}

#[test]
fn steps_and_searches_are_unfolded() {
    let json = r#"{"q": {"litellm_provider": "x", "mode": "chat", "max_input_tokens": 8192.0, "supports_vision": true,
        "supports_reasoning": false, "cache_read_input_token_cost": null, "rpm": 3,
        "search_context_cost_per_query": {"search_context_size_low": 0.01},
        "tiered_pricing": [{"range": [0, 32000.0], "input_cost_per_token": 5e-08},
                           {"range": [32000.0, 1e6], "input_cost_per_token": "2.5E-7"},
                           {"max_results_range": [0, 25], "input_cost_per_query": 0.005}],
        "input_cost_per_moon": 1, "output_cost_per_token": -1}}"#;
    let (made, report) = import(json).unwrap();
    assert_eq!(made.lines().last(), Some("q\tx\tchat\t8192\t\tv\tin=0.05 wsl=0.01 in>32k=0.25"));
    assert_eq!((report.models, report.priced), (1, 1));
    assert_eq!(report.unreadable, [("q".to_owned(), "output_cost_per_token".to_owned())]);
    let left_out: Vec<_> = report.not_carried.into_iter().collect();
    assert_eq!(left_out, [("input_cost_per_moon".to_owned(), 1), ("tiered_pricing".to_owned(), 1)]);
}

#[test]
fn p14_what_is_no_map_is_refused_and_odd_entries_are_left_out() {
    for text in ["", "[]", "null", "{\"a\": 1}", "{\"a\": {}", "<html>"] {
        assert!(import(text).is_err(), "{text}");
    }
    let json = r##"{"a b": {"litellm_provider": "x"}, "#c": {"litellm_provider": "x"}, "d\te": {"litellm_provider": "x"},
        "f": {"litellm_provider": "x\n"}, "g": {}, "": {"litellm_provider": "x"}, "é": {"litellm_provider": "x"}}"##;
    let (made, report) = import(json).unwrap();
    assert_eq!((report.models, report.skipped.len()), (1, 6));
    assert_eq!(Catalogue::parse(made).unwrap().get("é").unwrap().provider, "x");
}

#[test]
fn rows_stand_in_the_order_of_the_enum_and_names_are_unique() {
    let mut names = BTreeSet::new();
    for (index, row) in COMPONENTS.iter().enumerate() {
        assert_eq!(row.component as usize, index);
        assert!(names.insert(row.short) && names.insert(row.litellm), "{} {}", row.short, row.litellm);
        assert!(!row.short.contains(['>', ':', '=', ' ']), "{}", row.short);
    }
    assert_eq!(Component::from_litellm("input_cost_per_token_cache_hit"), Some(Component::CacheRead));
}
