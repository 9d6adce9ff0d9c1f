//! Prices of one deployment, as its entry has them: one for each kind of thing, steps by the size of the prompt, and
//! searches by the size of their context. All come out under the names that price lists have for them.

use super::keys::{Kind, Open};
use super::problems::{Place, Problems};
use super::section::Section;
use super::tree::Node;
use crate::model::prices::PriceKey;

/// Name of a price, and US dollars per unit as decimal text.
pub(super) type Prices = Vec<(String, String)>;

const SEARCHES: &str = "search_context_cost_per_query";
const STEPS: &str = "tiered_pricing";
const RANGE: &str = "range";

/// What is in force for small prompts is said last where it is said twice: a list of steps counts before a single price.
pub(super) fn read(s: &Section, problems: &mut Problems) -> Prices {
    let single = s.open(Open::Price).filter_map(|(name, node)| Some((name.clone(), node.as_decimal()?)));
    let mut prices: Prices = single.collect();
    searches(s, &mut prices, problems);
    steps(s, &mut prices, problems);
    prices
}

/// `{search_context_size_low: 0.03, …}`
fn searches(s: &Section, prices: &mut Prices, problems: &mut Problems) {
    for (size, node) in s.node(SEARCHES).map(Node::entries).unwrap_or_default() {
        let at = node.place(format!("{}.{size}", s.place(SEARCHES).path));
        let name = format!("{SEARCHES}.{size}");
        match PriceKey::from_litellm(&name) {
            Some(_) => put(prices, name, node, &at, problems),
            None => problems.error(
                &at,
                "unknown size of a search context",
                "write search_context_size_low, _medium or _high",
            ),
        }
    }
}

/// `[{range: [0, 32000], input_cost_per_token: …}, …]`: one step is chosen by the whole prompt, and every token of the
/// request costs what that step says.
fn steps(s: &Section, prices: &mut Prices, problems: &mut Problems) {
    for (index, step) in s.node(STEPS).map(Node::items).unwrap_or_default().iter().enumerate() {
        let path = format!("{}[{index}]", s.place(STEPS).path);
        let Some(above_k) = begins(step) else {
            let cure = "write range: [32000, 128000], in whole thousands of tokens";
            problems.error(&step.place(path), "nothing says where this step begins", cure);
            continue;
        };
        for (name, node) in step.entries().iter().filter(|(name, _)| name != RANGE) {
            let at = node.place(format!("{path}.{name}"));
            match PriceKey::from_litellm(name).filter(|key| key.above_k == 0) {
                Some(key) => put(prices, PriceKey { above_k, ..key }.litellm(), node, &at, problems),
                None => problems.error(&at, "no such price", "write input_cost_per_token and the like"),
            }
        }
    }
}

/// In thousands of tokens.
fn begins(step: &Node) -> Option<u32> {
    let tokens = step.get(RANGE)?.items().first()?.as_u64()?;
    tokens.is_multiple_of(1_000).then(|| u32::try_from(tokens / 1_000).ok())?
}

fn put(prices: &mut Prices, name: String, node: &Node, at: &Place, problems: &mut Problems) {
    match node.as_decimal().filter(|_| Kind::Price.accepts(node)) {
        Some(price) => prices.push((name, price)),
        None => {
            let message = format!("expected {}, found {}", Kind::Price.expected(), node.what());
            problems.error(at, message, "");
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;
    use crate::config::env::Env;
    use crate::domain::money::NanoUsd;
    use crate::domain::usage::Usage;
    use crate::model::prices::{ModelPrice, total_cost};

    fn load(params: &str) -> (Option<Config>, String) {
        let text =
            format!("model_list: [{{model_name: m, litellm_params: {{model: dashscope/m, {params}}}}}]");
        let (config, problems) = Config::from_text(&text, &Env::default(), &["dashscope"]);
        (config, problems.to_string())
    }

    fn price(params: &str) -> ModelPrice {
        let (config, problems) = load(params);
        let entry = config.unwrap_or_else(|| panic!("{problems}")).models.remove(0);
        ModelPrice::with_overrides(None, &entry.params.prices).unwrap()
    }

    #[test]
    fn a_step_is_chosen_by_the_whole_prompt_and_to_the_last_nanodollar() {
        let price = price(
            "tiered_pricing: [{range: [0, 32000], input_cost_per_token: 1.2e-6, output_cost_per_token: 0.000006}, \
             {range: [32000.0, 128000], input_cost_per_token: 2.4e-6, output_cost_per_token: 0.000012}]",
        );
        let cost = |input, output| total_cost(&price, &Usage { input, output, ..Usage::default() });
        assert_eq!(cost(32_000, 1), NanoUsd(32_000 * 1_200 + 6_000));
        assert_eq!(cost(32_001, 1), NanoUsd(32_001 * 2_400 + 12_000));
    }

    #[test]
    fn steps_count_before_a_single_price() {
        let price = price(
            "input_cost_per_token: 1, tiered_pricing: [{range: [0, 1000], input_cost_per_token: 0.000001}]",
        );
        let usage = Usage { input: 10, ..Usage::default() };
        assert_eq!(total_cost(&price, &usage), NanoUsd(10_000));
    }

    #[test]
    fn a_search_costs_what_a_context_of_medium_size_does() {
        let price = price(
            "search_context_cost_per_query: {search_context_size_low: 0.03, search_context_size_medium: 0.035}",
        );
        let usage = Usage { searches: 2, ..Usage::default() };
        assert_eq!(total_cost(&price, &usage), NanoUsd(70_000_000));
    }

    #[test]
    fn what_cannot_be_charged_exactly_is_refused() {
        for (params, says) in [
            ("tiered_pricing: [{input_cost_per_token: 1}]", "where this step begins"),
            ("tiered_pricing: [{range: [1500, 2000], input_cost_per_token: 1}]", "whole thousands"),
            ("tiered_pricing: [{range: [0, 2000], input_price: 1}]", "no such price"),
            ("tiered_pricing: [{range: [0, 2000], input_cost_per_token: dear}]", "US dollars"),
            ("tiered_pricing: [{range: [0, 2000], input_cost_per_token: -1}]", "US dollars"),
            ("search_context_cost_per_query: {huge: 1}", "unknown size of a search"),
        ] {
            let (config, problems) = load(params);
            assert!(config.is_none() && problems.contains(says), "{params}: {problems}");
        }
    }
}
