//! Makes a catalogue from LiteLLM's price map (`model_prices_and_context_window.json`, or the same from an address).
//!
//! Prices pass as decimal text; what cannot be a price is left out and reported, never guessed.

use super::catalogue::Ability;
use super::key::PriceKey;
use super::price::price;
use crate::domain::money::FemtoUsd;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Not a price map.
#[derive(Debug, thiserror::Error)]
#[error("not a price map (an object of model names to objects): {0}")]
pub struct ImportError(#[from] serde_json::Error);

/// What became of a price map.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// Models that are in the catalogue now, and how many of them have a price.
    pub models: usize,
    pub priced: usize,
    /// Entries that are no models, or have a name that does not fit into a line.
    pub skipped: Vec<String>,
    /// Price keys that the catalogue has no place for, and how often they stand in the map.
    pub not_carried: BTreeMap<String, usize>,
    /// Model and key of prices that are no decimal amounts, or negative.
    pub unreadable: Vec<(String, String)>,
}

type Fields<'a> = BTreeMap<String, &'a RawValue>;
type Prices = BTreeMap<PriceKey, FemtoUsd>;

const REMARKS: &str = "\
# name, provider, mode, most input tokens, most output tokens, abilities, prices\n\
# dollars for a million tokens, characters or pixels, for one of anything else; :f flex :p priority :b batch :u ultrafast\n\
# made by `weir prices import`\n";

/// Words that make a key a matter of prices, so that one nobody knows is at least counted.
const PRICE_WORDS: &[&str] = &["cost", "pricing", "multiplier", "provider_specific_entry"];

/// The documentation of the format that stands in the map as if it were a model.
const SAMPLE: &str = "sample_spec";

/// The catalogue's text for a price map, sorted, and what was left out of it.
pub fn import(json_text: &str) -> Result<(String, ImportReport), ImportError> {
    let map: BTreeMap<String, Fields<'_>> = serde_json::from_str(json_text)?;
    let mut report = ImportReport::default();
    let mut out = String::from(REMARKS);
    for (name, fields) in &map {
        if name == SAMPLE || !writable(name) || provider(fields).is_none() {
            report.skipped.push(name.chars().take(80).collect());
            continue;
        }
        line(&mut out, name, fields, &mut report);
    }
    Ok((out, report))
}

fn line(out: &mut String, name: &str, fields: &Fields<'_>, report: &mut ImportReport) {
    let prices = prices(name, fields, report);
    report.models += 1;
    report.priced += usize::from(!prices.is_empty());
    let abilities: String =
        Ability::ALL.iter().filter(|a| says_true(fields, a.litellm())).map(|a| a.letter()).collect();
    let columns = [
        name.to_owned(),
        provider(fields).unwrap_or_default(),
        word(fields, "mode").unwrap_or_default(),
        tokens(fields, "max_input_tokens"),
        tokens(fields, "max_output_tokens"),
        abilities,
        prices.iter().map(pair).collect::<Vec<_>>().join(" "),
    ];
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{}", columns.join("\t"));
}

fn pair((key, price): (&PriceKey, &FemtoUsd)) -> String {
    format!("{key}={}", key.component.row().unit.text(*price))
}

// --- fields ---

fn text(fields: &Fields<'_>, key: &str) -> Option<String> {
    fields.get(key).and_then(|raw| serde_json::from_str(raw.get()).ok())
}

/// A text that fits into a column.
fn word(fields: &Fields<'_>, key: &str) -> Option<String> {
    text(fields, key).filter(|text| writable(text))
}

fn provider(fields: &Fields<'_>) -> Option<String> {
    word(fields, "litellm_provider")
}

fn writable(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 256
        && !text.starts_with('#')
        && !text.chars().any(|c| c.is_control() || c == ' ')
}

fn says_true(fields: &Fields<'_>, key: &str) -> bool {
    fields.get(key).is_some_and(|raw| raw.get() == "true")
}

/// Some maps write counts as `8192.0`.
fn tokens(fields: &Fields<'_>, key: &str) -> String {
    let written = fields.get(key).map_or("", |raw| raw.get().trim_end_matches(".0"));
    written.parse::<u64>().map_or_else(|_| String::new(), |count| count.to_string())
}

// --- prices ---

fn prices(name: &str, fields: &Fields<'_>, report: &mut ImportReport) -> Prices {
    let mut book = Prices::new();
    let mut take = |key: &str, raw: &RawValue, above_k: u32| {
        let Some(found) = PriceKey::from_litellm(key) else { return not_carried(report, key) };
        // Inside `tiered_pricing` the step is the band.
        let place = if above_k == 0 { found } else { PriceKey { above_k, ..found } };
        match decimal(raw) {
            Some(price) => _ = book.entry(place).or_insert(price),
            None if raw.get() == "null" => {}
            None => report.unreadable.push((name.to_owned(), key.to_owned())),
        }
    };
    for (key, raw) in fields {
        match serde_json::from_str::<Fields<'_>>(raw.get()) {
            Ok(nested) if key.contains("cost") => {
                nested.iter().for_each(|(inner, raw)| take(&format!("{key}.{inner}"), raw, 0));
            }
            _ if key == TIERS => {}
            _ => take(key, raw, 0),
        }
    }
    for step in steps(fields) {
        match begins(&step) {
            Some(above_k) => step.iter().for_each(|(key, raw)| take(key, raw, above_k)),
            None => take(TIERS, RawValue::NULL, 0),
        }
    }
    book
}

fn not_carried(report: &mut ImportReport, key: &str) {
    if PRICE_WORDS.iter().any(|word| key.contains(word)) {
        *report.not_carried.entry(key.chars().take(80).collect()).or_default() += 1;
    }
}

/// The number as it is written, or inside quotes.
fn decimal(raw: &RawValue) -> Option<FemtoUsd> {
    let quoted = raw.get().trim_matches('"');
    price(quoted).ok()
}

const TIERS: &str = "tiered_pricing";

/// The steps of `tiered_pricing`. The providers that sell like this (Alibaba's Model Studio and its resellers) choose
/// one step by the whole prompt and charge every token of the request at it: that is a band.
fn steps<'a>(fields: &Fields<'a>) -> Vec<Fields<'a>> {
    fields.get(TIERS).and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
}

/// Where a step begins, in thousands of prompt tokens. None for steps of anything else (`max_results_range`).
fn begins(step: &Fields<'_>) -> Option<u32> {
    let range: Vec<&RawValue> = serde_json::from_str(step.get("range")?.get()).ok()?;
    let tokens: u32 = range.first()?.get().trim_end_matches(".0").parse().ok()?;
    tokens.is_multiple_of(1000).then_some(tokens / 1000)
}
