//! `cost_discount_config` and `cost_margin_config`: what is charged for a provider's models, compared to their prices.

use super::super::problems::Problems;
use super::super::section::Section;
use super::super::tree::Node;
use crate::domain::markup::Markup;
use crate::domain::money::NanoUsd;

/// By provider prefix. Empty: prices are charged as they are.
#[derive(Clone, Debug, Default)]
pub struct CostSettings {
    discounts: Vec<(String, i64)>,
    margins: Vec<(String, Margin)>,
}

/// A part in billions, and an amount for each request.
#[derive(Clone, Copy, Debug, Default)]
struct Margin {
    share: i64,
    fixed: NanoUsd,
}

const DISCOUNT: &str = "cost_discount_config";
const MARGIN: &str = "cost_margin_config";
/// Whom a margin is for that names no provider.
const GLOBAL: &str = "global";

impl CostSettings {
    pub(super) fn read(s: &Section, problems: &mut Problems) -> Self {
        let discounts = each(s, DISCOUNT, "write a part of one, such as {openai: 0.05}", problems, |node| {
            share(node).filter(|share| *share <= Markup::WHOLE)
        });
        let cure = "write {openai: 0.1} or {openai: {percentage: 0.1, fixed_amount: 0.001}}";
        Self { discounts, margins: each(s, MARGIN, cure, problems, margin) }
    }

    /// What is charged for models of a provider; `None`: their prices.
    pub fn of(&self, provider: &str) -> Option<Markup> {
        let discount = found(&self.discounts, provider);
        let margin = found(&self.margins, provider).or_else(|| found(&self.margins, GLOBAL));
        if discount.is_none() && margin.is_none() {
            return None;
        }
        let margin = margin.unwrap_or_default();
        Some(Markup { discount: discount.unwrap_or_default(), margin: margin.share, fixed: margin.fixed })
    }
}

fn found<T: Copy>(list: &[(String, T)], provider: &str) -> Option<T> {
    list.iter().find(|(name, _)| name == provider).map(|(_, value)| *value)
}

fn each<T>(
    s: &Section,
    name: &str,
    cure: &str,
    problems: &mut Problems,
    read: impl Fn(&Node) -> Option<T>,
) -> Vec<(String, T)> {
    let mut list = Vec::new();
    for (provider, node) in s.node(name).map(Node::entries).unwrap_or_default() {
        match read(node) {
            Some(value) => list.push((provider.clone(), value)),
            None => {
                let place = node.place(format!("{}.{provider}", s.place(name).path));
                problems.error(&place, "cannot be reckoned with", cure);
            }
        }
    }
    list
}

/// A part of one, exact to nine digits; not negative, and at most a hundredfold.
fn share(node: &Node) -> Option<i64> {
    let share = NanoUsd::parse(&node.as_decimal()?).ok()?.0;
    Some(share).filter(|share| (0..=100 * Markup::WHOLE).contains(share))
}

fn margin(node: &Node) -> Option<Margin> {
    if node.as_decimal().is_some() {
        return Some(Margin { share: share(node)?, fixed: NanoUsd::ZERO });
    }
    let (part, fixed) = (node.get("percentage"), node.get("fixed_amount"));
    if part.is_none() && fixed.is_none() {
        return None;
    }
    let amount = |node: &Node| NanoUsd::parse(&node.as_decimal()?).ok().filter(|amount| amount.0 >= 0);
    Some(Margin { share: part.map_or(Some(0), share)?, fixed: fixed.map_or(Some(NanoUsd::ZERO), amount)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::config::env::Env;

    fn read(settings: &str) -> Result<CostSettings, String> {
        let (config, problems) =
            Config::from_text(&format!("litellm_settings: {{{settings}}}\n"), &Env::default(), &[]);
        config.map(|config| config.litellm.costs).ok_or_else(|| problems.to_string())
    }

    #[test]
    fn a_provider_has_its_own_share_else_the_global_margin() {
        let costs = read(
            "cost_discount_config: {openai: 0.05}, \
             cost_margin_config: {global: 0.1, azure: {percentage: 0.08, fixed_amount: 0.0005}}",
        );
        let costs = costs.unwrap();
        let of = |provider: &str| costs.of(provider).map(|m| (m.discount, m.margin, m.fixed.0));
        assert_eq!(of("openai"), Some((50_000_000, 100_000_000, 0)));
        assert_eq!(of("azure"), Some((0, 80_000_000, 500_000)));
        assert_eq!(of("gemini"), Some((0, 100_000_000, 0)));
        assert!(read("").unwrap().of("openai").is_none());
    }

    #[test]
    fn what_is_no_share_is_told() {
        for wrong in [
            "cost_discount_config: {openai: 1.5}",
            "cost_discount_config: {openai: -0.1}",
            "cost_margin_config: {openai: x}",
            "cost_margin_config: {openai: {}}",
            "cost_margin_config: {openai: {fixed_amount: -1}}",
        ] {
            let told = read(wrong).unwrap_err();
            assert!(told.contains(".openai: cannot be reckoned with; write "), "{wrong}: {told}");
        }
    }
}
