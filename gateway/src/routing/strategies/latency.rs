//! `latency-based-routing`: one of the fastest deployments, by the average of their last answers. One that was not asked
//! yet, or not for long, counts as the fastest, so that it is tried.

use super::View;
use rand::{Rng, RngCore};
use std::sync::Arc;
use weir_plugins::deployment::Deployment;

pub(super) fn pick(
    candidates: &[&Arc<Deployment>],
    view: &View<'_>,
    random: &mut dyn RngCore,
) -> Option<usize> {
    let known = |d: &Arc<Deployment>| view.loads.seen(&d.id)?.latency(view.stream, view.args.ttl);
    let latencies: Vec<f64> = candidates.iter().copied().map(|d| known(d).unwrap_or_default()).collect();
    let best = latencies.iter().copied().reduce(f64::min)?;
    let enough = best * (1.0 + view.args.lowest_latency_buffer);
    let fast: Vec<usize> = (0..latencies.len()).filter(|index| latencies[*index] <= enough).collect();
    fast.get(random.random_range(0..fast.len().max(1))).copied()
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{group, seeded, view};
    use super::*;
    use std::time::Duration;
    use weir_core::config::StrategyArgs;
    use weir_core::domain::rates::Rates;
    use weir_plugins::load::{Loads, Sample};

    /// Asks so often; each answer takes what its deployment takes. How often each was asked.
    fn asked(times: usize, latencies: &[Sample], args: StrategyArgs, stream: bool) -> Vec<usize> {
        let group = group(&vec![""; latencies.len()]);
        let (loads, mut random) = (Loads::default(), seeded());
        let all: Vec<_> = group.deployments.iter().collect();
        let mut asked = vec![0; latencies.len()];
        for _ in 0..times {
            let view = View { args: &args, stream, ..view(&loads) };
            let index = pick(&all, &view, &mut random).unwrap();
            let running = loads.of(&all[index].id).take(&Rates::default(), 0, view.now).unwrap();
            running.settle(10, Some(latencies[index]), &args);
            asked[index] += 1;
        }
        asked
    }

    #[test]
    fn a_slow_deployment_is_left_within_twenty_requests() {
        let whole = [Sample::Whole(2.0), Sample::Whole(0.1)];
        assert_eq!(asked(20, &whole, StrategyArgs::default(), false), [1, 19]);
        let streams = [Sample::First(0.1), Sample::First(2.0), Sample::TimedOut];
        assert_eq!(asked(20, &streams, StrategyArgs::default(), true), [18, 1, 1]);
    }

    #[test]
    fn within_the_buffer_all_are_asked() {
        let args = StrategyArgs { lowest_latency_buffer: 0.5, ..StrategyArgs::default() };
        let asked = asked(200, &[Sample::Whole(1.0), Sample::Whole(1.4), Sample::Whole(1.6)], args, false);
        assert!(asked[0] > 50 && asked[1] > 50 && asked[2] == 1, "{asked:?}");
    }

    #[test]
    fn what_is_old_is_forgotten() {
        let args = StrategyArgs { ttl: Duration::ZERO, ..StrategyArgs::default() };
        let asked = asked(200, &[Sample::Whole(9.0), Sample::Whole(0.1)], args, false);
        assert!(asked.iter().all(|n| *n > 50), "{asked:?}");
    }
}
