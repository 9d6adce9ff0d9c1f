//! The name of one price: which component, from which prompt size on, at which service tier.

use super::component::Component;
use std::fmt;

/// How fast the provider promises to be. Batch and flex are cheaper, priority and ultrafast dearer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ServiceTier {
    #[default]
    Standard,
    Flex,
    Priority,
    Batch,
    Ultrafast,
}

/// Tier, suffix of LiteLLM's keys, mark in the catalogue. Standard has neither.
const SUFFIXES: &[(ServiceTier, &str, &str)] = &[
    (ServiceTier::Flex, "_flex", ":f"),
    (ServiceTier::Priority, "_priority", ":p"),
    (ServiceTier::Batch, "_batches", ":b"),
    (ServiceTier::Ultrafast, "_ultrafast", ":u"),
];

impl ServiceTier {
    /// The `service_tier` of OpenAI-style requests and answers; anything unknown is standard.
    pub fn from_name(name: &str) -> Self {
        let named = |tier: &Self| tier.name().is_some_and(|word| word.eq_ignore_ascii_case(name));
        SUFFIXES.iter().map(|(tier, ..)| *tier).find(named).unwrap_or_default()
    }

    /// What `from_name` reads; `None` for the standard tier, which needs no words.
    pub fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::Standard => return None,
            Self::Flex => "flex",
            Self::Priority => "priority",
            Self::Batch => "batch",
            Self::Ultrafast => "ultrafast",
        })
    }
}

/// Sorts by tier, then band, then component: the ordinary prices of a model come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PriceKey {
    pub tier: ServiceTier,
    /// In force when the prompt has more than this many thousand tokens; 0 is always in force.
    pub above_k: u32,
    pub component: Component,
}

impl PriceKey {
    /// The ordinary price of a component.
    pub const fn standard(component: Component) -> Self {
        Self { tier: ServiceTier::Standard, above_k: 0, component }
    }

    /// Reads LiteLLM's spelling, such as `input_cost_per_token_above_200k_tokens_priority`.
    pub fn from_litellm(name: &str) -> Option<Self> {
        let (rest, tier) = SUFFIXES
            .iter()
            .find_map(|(tier, suffix, _)| name.strip_suffix(suffix).map(|rest| (rest, *tier)))
            .unwrap_or((name, ServiceTier::Standard));
        if let Some(component) = Component::from_litellm(rest) {
            return Some(Self { tier, above_k: 0, component });
        }
        // From the right: `cache_creation_…_above_1hr_above_200k_tokens` has two of them.
        let (rest, band) = rest.strip_suffix("k_tokens")?.rsplit_once("_above_")?;
        Some(Self { tier, above_k: band_size(band)?, component: Component::from_litellm(rest)? })
    }

    /// LiteLLM's spelling, the reverse of [`PriceKey::from_litellm`].
    pub fn litellm(self) -> String {
        let suffix = self.suffix().map_or("", |(_, litellm, _)| *litellm);
        let name = self.component.row().litellm;
        match self.above_k {
            0 => format!("{name}{suffix}"),
            k => format!("{name}_above_{k}k_tokens{suffix}"),
        }
    }

    /// Reads the catalogue's spelling, such as `in>200k:p`.
    pub(super) fn from_short(name: &str) -> Option<Self> {
        let (rest, tier) = SUFFIXES
            .iter()
            .find_map(|(tier, _, mark)| name.strip_suffix(mark).map(|rest| (rest, *tier)))
            .unwrap_or((name, ServiceTier::Standard));
        let (rest, above_k) = match rest.split_once('>') {
            Some((rest, band)) => (rest, band_size(band.strip_suffix('k')?)?),
            None => (rest, 0),
        };
        Some(Self { tier, above_k, component: Component::from_short(rest)? })
    }

    fn suffix(self) -> Option<&'static (ServiceTier, &'static str, &'static str)> {
        SUFFIXES.iter().find(|(tier, ..)| *tier == self.tier)
    }
}

/// The catalogue's spelling.
impl fmt::Display for PriceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.component.row().short)?;
        if self.above_k > 0 {
            write!(f, ">{}k", self.above_k)?;
        }
        f.write_str(self.suffix().map_or("", |(_, _, mark)| *mark))
    }
}

/// A positive number of thousands, plainly written.
fn band_size(text: &str) -> Option<u32> {
    let size: u32 = text.parse().ok()?;
    (size > 0 && text.len() <= 7 && text.bytes().all(|b| b.is_ascii_digit())).then_some(size)
}
