//! `usage-based-routing` and `-v2`: the deployment that has used the fewest tokens in this minute. What calls under way are
//! expected to use is used, so that many at once do not all go to the same one.

use super::{View, lowest};
use rand::RngCore;
use std::sync::Arc;
use weir_plugins::deployment::Deployment;

pub(super) fn pick(
    candidates: &[&Arc<Deployment>],
    view: &View<'_>,
    random: &mut dyn RngCore,
) -> Option<usize> {
    let used = |d: &&Arc<Deployment>| view.loads.seen(&d.id).map_or(0, |load| load.count(view.now).tokens);
    lowest(&candidates.iter().map(used).collect::<Vec<_>>(), random)
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{group, seeded, view};
    use super::*;
    use weir_core::config::StrategyArgs;
    use weir_core::domain::rates::Rates;
    use weir_core::time::Micros;
    use weir_plugins::load::Loads;

    #[test]
    fn the_one_that_used_least_in_this_minute_is_next() {
        let (group, loads, mut random) = (group(&["", ""]), Loads::default(), seeded());
        let all: Vec<_> = group.deployments.iter().collect();
        let view = view(&loads);
        let call = |index: usize| loads.of(&all[index].id).take(&Rates::default(), 10, view.now).unwrap();
        call(0).settle(500, None, &StrategyArgs::default());
        call(1).settle(100, None, &StrategyArgs::default());
        assert_eq!(pick(&all, &view, &mut random), Some(1));
        let held = loads.of(&all[1].id).take(&Rates::default(), 450, view.now);
        assert_eq!(pick(&all, &view, &mut random), Some(0), "what is expected counts too");
        drop(held);
        call(1).settle(900, None, &StrategyArgs::default());
        assert_eq!(pick(&all, &view, &mut random), Some(0));
        let later = View { now: Micros(view.now.0 + 61_000_000), ..view };
        let chosen: Vec<_> = (0..50).map(|_| pick(&all, &later, &mut random)).collect();
        assert!(chosen.contains(&Some(0)) && chosen.contains(&Some(1)), "the minute is over");
    }
}
