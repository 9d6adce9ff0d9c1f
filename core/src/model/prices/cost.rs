//! Quantity times price. Every token is charged once, at one price.

use super::price::ModelPrice;
use crate::domain::money::{FemtoSum, FemtoUsd, NanoUsd};
use crate::domain::usage::Usage;
use smallvec::SmallVec;
use std::time::Duration;

/// What something cost, and how that came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cost {
    pub total: NanoUsd,
    /// What was consumed, kinds with nothing left out.
    pub lines: SmallVec<[CostLine; 4]>,
}

/// One kind of thing that was charged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CostLine {
    pub label: &'static str,
    pub quantity: u64,
    /// For `per` of it.
    pub price: FemtoUsd,
    /// 1 for tokens; time is counted in microseconds and priced by the second.
    pub per: u64,
}

/// The cost of an exchange in tokens, at the tier of its usage. No allocation.
pub fn total_cost(price: &ModelPrice, usage: &Usage) -> NanoUsd {
    sum(&charges(price, usage, None))
}

/// The cost of an exchange and its composition. `seconds` is the time that models without token prices charge for:
/// the length of the audio or video, or how long the provider took. A model that has token prices too is charged by
/// time only when no tokens were reported.
pub fn cost(price: &ModelPrice, usage: &Usage, seconds: Option<Duration>) -> Cost {
    let lines = charges(price, usage, seconds);
    Cost { total: sum(&lines), lines: lines.into_iter().filter(|line| line.quantity > 0).collect() }
}

const KINDS: usize = 13;

fn charges(p: &ModelPrice, usage: &Usage, seconds: Option<Duration>) -> [CostLine; KINDS] {
    let split = Split::of(usage);
    let rates = p.rates(usage.tier.unwrap_or_default(), split.prompt());
    let time = seconds.filter(|_| !p.prices_tokens() || usage.total() == 0);
    let micros = time.map_or(0, |t| u64::try_from(t.as_micros()).unwrap_or(u64::MAX));
    let line = |label, quantity, price| CostLine { label, quantity, price, per: 1 };
    [
        line("input", split.input, rates.input),
        line("cache_read", split.cache_read, rates.cache_read),
        line("audio_cache_read", split.audio_cache_read, rates.audio_cache_read),
        line("cache_write", split.cache_write, rates.cache_write),
        line("cache_write_1h", split.cache_write_1h, rates.cache_write_1h),
        line("audio_input", split.audio_input, rates.audio_input),
        line("image_input", split.image_input, rates.image_input),
        line("output", split.output, rates.output),
        line("reasoning", split.reasoning, rates.reasoning),
        line("audio_output", split.audio_output, rates.audio_output),
        line("image_output", split.image_output, rates.image_output),
        // Without a price for searches they are part of the tokens.
        line("searches", p.search().map_or(0, |_| usage.searches), p.search().unwrap_or_default()),
        // Without a price for time there is nothing to count.
        CostLine { label: "time", quantity: p.second().map_or(0, |_| micros), ..second(p) },
    ]
}

fn second(price: &ModelPrice) -> CostLine {
    CostLine { price: price.second().unwrap_or_default(), per: 1_000_000, ..CostLine::default() }
}

fn sum(lines: &[CostLine]) -> NanoUsd {
    let mut sum = FemtoSum::default();
    for line in lines.iter().filter(|line| line.quantity > 0) {
        sum.add_per(line.quantity, line.per, line.price);
    }
    sum.round()
}

/// The tokens of a usage, each in one place.
///
/// Parts that together exceed their whole are believed, and the whole is taken to be their sum: cache reads beyond
/// `input`, reasoning beyond `output`. Audio and pictures go last, because their cached tokens are counted in both.
struct Split {
    input: u64,
    cache_read: u64,
    audio_cache_read: u64,
    cache_write: u64,
    cache_write_1h: u64,
    audio_input: u64,
    image_input: u64,
    output: u64,
    reasoning: u64,
    audio_output: u64,
    image_output: u64,
}

impl Split {
    fn of(u: &Usage) -> Self {
        let audio_cache_read = u.audio_cache_read.min(u.cache_read);
        let cached = u.cache_read.saturating_add(u.cache_write).saturating_add(u.cache_write_1h);
        let uncached = u.input.saturating_sub(cached);
        let audio_input = u.audio_input.min(uncached);
        let image_input = u.image_input.min(uncached - audio_input);
        let spoken = u.output.saturating_sub(u.reasoning);
        let audio_output = u.audio_output.min(spoken);
        let image_output = u.image_output.min(spoken - audio_output);
        Self {
            input: uncached - audio_input - image_input,
            cache_read: u.cache_read - audio_cache_read,
            audio_cache_read,
            cache_write: u.cache_write,
            cache_write_1h: u.cache_write_1h,
            audio_input,
            image_input,
            output: spoken - audio_output - image_output,
            reasoning: u.reasoning,
            audio_output,
            image_output,
        }
    }

    /// The whole prompt.
    fn prompt(&self) -> u64 {
        let cached = [self.cache_read, self.audio_cache_read, self.cache_write, self.cache_write_1h];
        let all = cached.into_iter().chain([self.input, self.audio_input, self.image_input]);
        all.fold(0, u64::saturating_add)
    }
}
