//! `simple-shuffle`: a random deployment, weighed.

use super::View;
use rand::{Rng, RngCore};
use std::sync::Arc;
use weir_plugins::deployment::{Deployment, Shares};

/// What may be a weight, in LiteLLM's order: the first that the first candidate has counts for all, and who has none of it
/// gets nothing.
static WEIGHTS: [fn(&Shares) -> Option<u64>; 3] = [|s| s.weight, |s| s.rpm, |s| s.tpm];

pub(super) fn pick(candidates: &[&Arc<Deployment>], _: &View<'_>, random: &mut dyn RngCore) -> Option<usize> {
    let first = candidates.first()?;
    let weight = WEIGHTS.iter().find(|weight| weight(&first.shares).is_some());
    let of = |d: &Arc<Deployment>| weight.map_or(1, |weight| weight(&d.shares).unwrap_or_default());
    let total: u64 = candidates.iter().copied().map(of).sum();
    if total == 0 {
        return Some(random.random_range(0..candidates.len()));
    }
    let mut ticket = random.random_range(0..total);
    candidates.iter().copied().position(|d| {
        let weight = of(d);
        let drawn = ticket < weight;
        ticket = ticket.saturating_sub(weight);
        drawn
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{group, seeded, view};
    use super::*;
    use weir_plugins::load::Loads;

    const PICKS: u32 = 10_000;

    fn shares(params: &[&str]) -> Vec<u32> {
        let (group, loads, mut random) = (group(params), Loads::default(), seeded());
        let all: Vec<_> = group.deployments.iter().collect();
        let mut shares = vec![0; all.len()];
        for _ in 0..PICKS {
            shares[pick(&all, &view(&loads), &mut random).unwrap()] += 1;
        }
        shares
    }

    /// Within three standard deviations of what the weights say.
    fn agree(params: &[&str], weights: &[f64]) {
        let shares = shares(params);
        let total: f64 = weights.iter().sum();
        for (share, weight) in shares.iter().zip(weights) {
            let chance = weight / total;
            let (expected, deviation) =
                (f64::from(PICKS) * chance, (f64::from(PICKS) * chance * (1.0 - chance)).sqrt());
            let off = (f64::from(*share) - expected).abs();
            assert!(
                off <= 3.0 * deviation,
                "{params:?}: {shares:?}, expected {expected:.0} ± {deviation:.0}"
            );
        }
    }

    #[test]
    fn weights_are_chances() {
        agree(&["weight: 9", "weight: 1"], &[9.0, 1.0]);
        agree(&["weight: 0.5", "weight: 0.3", "weight: 0.2"], &[5.0, 3.0, 2.0]);
        agree(&["weight: 0", "weight: 1", "weight: 1"], &[0.0, 1.0, 1.0]);
    }

    #[test]
    fn what_the_first_one_has_counts_for_all() {
        agree(&["rpm: 300", "rpm: 100"], &[3.0, 1.0]);
        agree(&["tpm: 10", "tpm: 40"], &[1.0, 4.0]);
        agree(&["rpm: 1, weight: 2", "rpm: 1000, weight: 1"], &[2.0, 1.0]);
        agree(&["weight: 1", "rpm: 1000"], &[1.0, 0.0]);
        agree(&["", "weight: 9"], &[1.0, 1.0]);
        agree(&["weight: 0", "weight: 0"], &[1.0, 1.0]);
    }
}
