//! The prices of one model, and the operator's own in their place.

use super::component::{Component, Side};
use super::key::{PriceKey, ServiceTier};
use crate::domain::money::{FemtoUsd, NotMoney};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What one model charges. Cheap to clone. Two are equal when the same prices are listed.
#[derive(Clone, Debug)]
pub struct ModelPrice(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// What the price list says, sorted by key.
    listed: Vec<(PriceKey, FemtoUsd)>,
    /// What follows from it for tokens: one sheet per tier and band, sorted; the first is standard from 0.
    sheets: Vec<Sheet>,
    /// Price of a second of the exchange, where time is charged.
    second: Option<FemtoUsd>,
    /// Price of a web search.
    search: Option<FemtoUsd>,
}

#[derive(Debug)]
struct Sheet {
    tier: ServiceTier,
    /// In force for prompts of more than this many tokens.
    above: u64,
    rates: TokenRates,
}

/// The price per token of each kind, nothing left open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenRates {
    pub input: FemtoUsd,
    pub cache_read: FemtoUsd,
    pub audio_cache_read: FemtoUsd,
    pub cache_write: FemtoUsd,
    pub cache_write_1h: FemtoUsd,
    pub audio_input: FemtoUsd,
    pub image_input: FemtoUsd,
    pub output: FemtoUsd,
    pub reasoning: FemtoUsd,
    pub audio_output: FemtoUsd,
    pub image_output: FemtoUsd,
}

/// Why a price cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PriceFault {
    #[error("no such price")]
    UnknownKey,
    #[error(transparent)]
    NotMoney(#[from] NotMoney),
    #[error("a price cannot be negative: {0}")]
    Negative(String),
}

// --- ModelPrice ---

impl ModelPrice {
    /// From the prices that a list gives. A key given twice counts once, the last time.
    pub fn new(listed: impl IntoIterator<Item = (PriceKey, FemtoUsd)>) -> Self {
        let book: BTreeMap<_, _> = listed.into_iter().collect();
        let (sheets, second, search) = (sheets(&book), second(&book), search(&book));
        Self(Arc::new(Inner { listed: book.into_iter().collect(), sheets, second, search }))
    }

    /// The operator's prices in the place of a list's, by LiteLLM's key names; values are decimal dollars.
    ///
    /// What is replaced goes as far as what was said:
    /// - `input_cost_per_token` sets aside every other price of the input (cache, audio, image, long prompts, service
    ///   tiers, time), `output_cost_per_token` every other price of the output. Who negotiates a token price and names
    ///   no cache price pays it for cached tokens too: the list's cache price would be a discount that nobody gave.
    /// - A price per second sets aside the token prices: time is charged instead of tokens.
    /// - Any other price without band and tier replaces that component at every band and tier; one with them, only
    ///   itself.
    ///
    /// Fails on the first key that is unknown or whose value is no price, with that key.
    pub fn with_overrides(
        base: Option<&ModelPrice>,
        overrides: &[(String, String)],
    ) -> Result<ModelPrice, (String, PriceFault)> {
        let own = overrides
            .iter()
            .map(|(key, value)| own_price(key, value).map_err(|why| (key.clone(), why)))
            .collect::<Result<Vec<_>, _>>()?;
        let stays = |key: &PriceKey| !own.iter().any(|(replaced, _)| sets_aside(*replaced, *key));
        let kept = base.into_iter().flat_map(ModelPrice::listed).filter(|(key, _)| stays(key));
        Ok(Self::new(kept.chain(own.iter().copied())))
    }

    /// The prices as listed, sorted by key.
    pub fn listed(&self) -> impl Iterator<Item = (PriceKey, FemtoUsd)> + '_ {
        self.0.listed.iter().copied()
    }

    /// One price as listed.
    pub fn get(&self, key: PriceKey) -> Option<FemtoUsd> {
        let at = self.0.listed.binary_search_by_key(&key, |(k, _)| *k).ok()?;
        Some(self.0.listed[at].1)
    }

    /// The rates for a prompt of this many tokens. The band is chosen by the whole prompt, cached tokens included, and
    /// then holds for every token of the exchange. A tier without prices of its own is charged as standard.
    pub fn rates(&self, tier: ServiceTier, prompt_tokens: u64) -> TokenRates {
        let sheet =
            self.sheet(tier, prompt_tokens).or_else(|| self.sheet(ServiceTier::Standard, prompt_tokens));
        sheet.map(|s| s.rates).unwrap_or_default()
    }

    /// Whether tokens have a price here (maybe 0). A model sold by the image or the second only has none.
    pub fn prices_tokens(&self) -> bool {
        let tokens = |c: Component| matches!(c, Component::Input | Component::Output);
        self.0.listed.iter().any(|(key, _)| tokens(key.component))
    }

    /// What a second costs: the output's price, else the input's. Lists that give both mean the same second.
    pub fn second(&self) -> Option<FemtoUsd> {
        self.0.second
    }

    /// What a web search costs. Lists that tell sizes of context apart are read at the medium one, which is the
    /// providers' default: what came back does not say the size.
    pub fn search(&self) -> Option<FemtoUsd> {
        self.0.search
    }

    fn sheet(&self, tier: ServiceTier, prompt_tokens: u64) -> Option<&Sheet> {
        let fits = |s: &&Sheet| s.tier == tier && (s.above == 0 || prompt_tokens > s.above);
        self.0.sheets.iter().rev().find(fits)
    }
}

impl PartialEq for ModelPrice {
    fn eq(&self, other: &Self) -> bool {
        self.0.listed == other.0.listed
    }
}

impl Eq for ModelPrice {}

// --- overrides ---

fn own_price(key: &str, value: &str) -> Result<(PriceKey, FemtoUsd), PriceFault> {
    let key = PriceKey::from_litellm(key).ok_or(PriceFault::UnknownKey)?;
    Ok((key, price(value)?))
}

/// A decimal number of dollars that is not below zero.
pub(super) fn price(text: &str) -> Result<FemtoUsd, PriceFault> {
    let price = FemtoUsd::parse(text)?;
    if price.0 < 0 {
        return Err(PriceFault::Negative(text.to_owned()));
    }
    Ok(price)
}

/// Whether the operator's price under `own` sets aside the list's under `listed`.
fn sets_aside(own: PriceKey, listed: PriceKey) -> bool {
    if own != PriceKey::standard(own.component) {
        return own == listed;
    }
    let side = listed.component.row().side;
    match own.component {
        Component::Input => matches!(side, Side::Input | Side::Time),
        Component::Output => matches!(side, Side::Output | Side::Time),
        Component::InputSecond | Component::OutputSecond | Component::Second => side != Side::Fee,
        other => other == listed.component,
    }
}

// --- what follows from a list ---

type Book = BTreeMap<PriceKey, FemtoUsd>;

/// The price of a component at a tier and band: its own there; else the band's standard price, as providers drop
/// tiers for long prompts; else the same of the next smaller band.
struct Spot<'a> {
    book: &'a Book,
    tier: ServiceTier,
    above_k: u32,
}

impl Spot<'_> {
    fn own(&self, component: Component) -> Option<FemtoUsd> {
        self.book.get(&PriceKey { tier: self.tier, above_k: self.above_k, component }).copied()
    }

    fn inherited(&self, component: Component) -> Option<FemtoUsd> {
        let found = |(key, price): (&PriceKey, &FemtoUsd)| {
            let fits = key.component == component && key.above_k <= self.above_k;
            (fits && matches!(key.tier, t if t == self.tier || t == ServiceTier::Standard))
                .then_some(((key.above_k, key.tier != ServiceTier::Standard), *price))
        };
        self.book.iter().filter_map(found).max_by_key(|(rank, _)| *rank).map(|(_, price)| price)
    }

    /// A component that is a special case of another. Where the list gives both the same standard price it only
    /// repeats itself (`output_cost_per_reasoning_token` in Gemini's entries), and the special case follows the other
    /// to a tier or band that names only that.
    fn special(&self, component: Component, of: Component, general: FemtoUsd) -> FemtoUsd {
        let standard = |c| self.book.get(&PriceKey::standard(c));
        let repeats = standard(component).is_some() && standard(component) == standard(of);
        let inherited = if repeats { None } else { self.inherited(component) };
        self.own(component).or(inherited).unwrap_or(general)
    }

    /// The first of these that has a price: a model without a price for text speaks or draws only.
    fn first_of(&self, components: &[Component]) -> FemtoUsd {
        components.iter().find_map(|c| self.inherited(*c)).unwrap_or_default()
    }

    fn rates(&self) -> TokenRates {
        use Component as C;
        let input = self.first_of(&[C::Input, C::ImageInput, C::AudioInput]);
        let output = self.first_of(&[C::Output, C::ImageOutput, C::AudioOutput]);
        let cache_write = self.special(C::CacheWrite, C::Input, input);
        let cache_read = self.cache_read(input);
        TokenRates {
            input,
            cache_read,
            audio_cache_read: self.special(C::AudioCacheRead, C::CacheRead, cache_read),
            cache_write,
            cache_write_1h: self.special(C::CacheWrite1h, C::CacheWrite, cache_write),
            audio_input: self.special(C::AudioInput, C::Input, input),
            image_input: self.special(C::ImageInput, C::Input, input),
            output,
            reasoning: self.special(C::Reasoning, C::Output, output),
            audio_output: self.special(C::AudioOutput, C::Output, output),
            image_output: self.special(C::ImageOutput, C::Output, output),
        }
    }

    /// Batch prices often leave out the cache: the standard price of a read must not make it dearer than no cache.
    fn cache_read(&self, input: FemtoUsd) -> FemtoUsd {
        let read = self.special(Component::CacheRead, Component::Input, input);
        if self.own(Component::CacheRead).is_some() { read } else { read.min(input) }
    }
}

fn sheets(book: &Book) -> Vec<Sheet> {
    let mut tiers = BTreeSet::from([ServiceTier::Standard]);
    let mut bands = BTreeSet::from([0]);
    for key in book.keys() {
        tiers.insert(key.tier);
        bands.insert(key.above_k);
    }
    let sheet = |tier, above_k| Sheet {
        tier,
        above: u64::from(above_k) * 1000,
        rates: Spot { book, tier, above_k }.rates(),
    };
    tiers.iter().flat_map(|tier| bands.iter().map(move |above_k| sheet(*tier, *above_k))).collect()
}

fn second(book: &Book) -> Option<FemtoUsd> {
    let kinds = [Component::OutputSecond, Component::InputSecond, Component::Second];
    let prices = kinds.iter().filter_map(|c| book.get(&PriceKey::standard(*c)).copied());
    // A zero beside a price is a blank in the list, not a gift.
    prices.clone().find(|p| p.0 > 0).or(prices.clone().next())
}

fn search(book: &Book) -> Option<FemtoUsd> {
    let sizes = [Component::SearchMedium, Component::SearchLow, Component::SearchHigh];
    sizes.iter().find_map(|size| book.get(&PriceKey::standard(*size)).copied())
}
