//! How one of several deployments is chosen: a table, and a file for each row.

mod cost;
mod latency;
mod least_busy;
mod shuffle;
mod usage;

use rand::{Rng, RngCore};
use std::sync::Arc;
use weir_core::config::{Strategy, StrategyArgs};
use weir_core::time::Micros;
use weir_plugins::deployment::Deployment;
use weir_plugins::load::Loads;

/// One strategy.
pub struct Row {
    pub strategy: Strategy,
    /// Whether it goes by what is going on, which is then noted of every call.
    pub watches: bool,
    /// One of the candidates by its index; `None` only where there are none.
    pub pick: Pick,
}

pub type Pick = fn(&[&Arc<Deployment>], &View<'_>, &mut dyn RngCore) -> Option<usize>;

/// What a strategy may go by beside the deployments themselves.
pub struct View<'a> {
    pub loads: &'a Loads,
    pub args: &'a StrategyArgs,
    /// Whether the client wants a stream.
    pub stream: bool,
    pub now: Micros,
}

const fn row(strategy: Strategy, watches: bool, pick: Pick) -> Row {
    Row { strategy, watches, pick }
}

/// In the order of [`Strategy`].
#[rustfmt::skip]
static TABLE: &[Row] = &[
    row(Strategy::SimpleShuffle, false, shuffle::pick),
    row(Strategy::LeastBusy,     true,  least_busy::pick),
    row(Strategy::UsageBased,    true,  usage::pick),
    row(Strategy::LatencyBased,  true,  latency::pick),
    row(Strategy::CostBased,     false, cost::pick),
];

/// The row of a strategy.
pub fn of(strategy: Strategy) -> &'static Row {
    let row = &TABLE[strategy as usize];
    debug_assert_eq!(row.strategy, strategy);
    row
}

/// The candidate with the lowest key, a random one of several.
fn lowest<K: PartialOrd>(keys: &[K], random: &mut dyn RngCore) -> Option<usize> {
    let mut best: Option<(usize, u32)> = None;
    for (index, key) in keys.iter().enumerate() {
        best = match best {
            Some((of, _)) if *key < keys[of] => Some((index, 1)),
            Some((of, equal)) if *key == keys[of] => {
                // Each of so many equals stays with the same chance.
                let stays = random.random_range(0..=equal) > 0;
                Some((if stays { of } else { index }, equal + 1))
            }
            None => Some((index, 1)),
            worse => worse,
        };
    }
    best.map(|(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{group, seeded, view};
    use super::*;

    #[test]
    fn rows_stand_in_the_order_of_the_enum() {
        for (index, row) in TABLE.iter().enumerate() {
            assert_eq!(row.strategy as usize, index);
        }
        assert_eq!(TABLE.len(), Strategy::CostBased as usize + 1);
    }

    #[test]
    fn every_strategy_chooses_one_where_there_is_one() {
        let loads = Loads::default();
        let many = group(&["", "", ""]);
        for row in TABLE {
            assert_eq!((row.pick)(&[], &view(&loads), &mut seeded()), None);
            let all: Vec<_> = many.deployments.iter().collect();
            assert_eq!((row.pick)(&all[..1], &view(&loads), &mut seeded()), Some(0));
            let mut random = seeded();
            let mut chosen = [0_u32; 3];
            for _ in 0..300 {
                chosen[(row.pick)(&all, &view(&loads), &mut random).unwrap()] += 1;
            }
            // A hundred are expected; six standard deviations either way.
            assert!(chosen.iter().all(|n| (51..149).contains(n)), "{:?}: {chosen:?}", row.strategy);
        }
    }
}
