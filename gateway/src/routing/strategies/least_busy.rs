//! `least-busy`: the deployment with the fewest calls under way.

use super::{View, lowest};
use rand::RngCore;
use std::sync::Arc;
use weir_plugins::deployment::Deployment;

pub(super) fn pick(
    candidates: &[&Arc<Deployment>],
    view: &View<'_>,
    random: &mut dyn RngCore,
) -> Option<usize> {
    let running =
        |d: &&Arc<Deployment>| view.loads.seen(&d.id).map_or(0, |load| load.count(view.now).running);
    lowest(&candidates.iter().map(running).collect::<Vec<_>>(), random)
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{group, seeded, view};
    use super::*;
    use weir_core::domain::rates::Rates;
    use weir_plugins::load::Loads;

    #[test]
    fn calls_are_spread_evenly_and_go_where_one_has_ended() {
        let (group, loads, mut random) = (group(&["", "", ""]), Loads::default(), seeded());
        let all: Vec<_> = group.deployments.iter().collect();
        let mut running: [Vec<_>; 3] = Default::default();
        for _ in 0..9 {
            let view = view(&loads);
            let index = pick(&all, &view, &mut random).unwrap();
            running[index].push(loads.of(&all[index].id).take(&Rates::default(), 0, view.now).unwrap());
        }
        assert!(running.iter().all(|of| of.len() == 3));
        running[1].pop();
        assert_eq!(pick(&all, &view(&loads), &mut random), Some(1));
    }
}
