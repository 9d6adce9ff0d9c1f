//! `cost-based-routing`: the cheapest deployment, by what a token in and a token out cost. One without a known price is the
//! dearest; one that answers itself costs nothing.

use super::{View, lowest};
use rand::RngCore;
use std::sync::Arc;
use weir_core::model::prices::ServiceTier;
use weir_plugins::deployment::Deployment;

pub(super) fn pick(candidates: &[&Arc<Deployment>], _: &View<'_>, random: &mut dyn RngCore) -> Option<usize> {
    lowest(&candidates.iter().map(|d| price(d)).collect::<Vec<_>>(), random)
}

/// In femto-dollars.
fn price(deployment: &Deployment) -> i64 {
    let free = if deployment.mock.is_some() { 0 } else { i64::MAX };
    deployment.price.as_ref().map_or(free, |priced| {
        let rates = priced.price.rates(ServiceTier::Standard, 0);
        rates.input.0.saturating_add(rates.output.0)
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{group, seeded, view};
    use super::*;
    use weir_plugins::load::Loads;

    #[test]
    fn the_cheapest_is_asked_and_one_without_a_price_last() {
        let dear = "input_cost_per_token: 0.000002, output_cost_per_token: 0.000009";
        let cheap = "input_cost_per_token: 0.000003, output_cost_per_token: 0.000001";
        let group = group(&["", dear, cheap, "mock_response: hi"]);
        let (loads, mut random) = (Loads::default(), seeded());
        let all: Vec<_> = group.deployments.iter().collect();
        let mut pick = |of: &[&Arc<Deployment>]| pick(of, &view(&loads), &mut random);
        assert_eq!(pick(&all), Some(3));
        assert_eq!(pick(&all[..3]), Some(2));
        assert_eq!(pick(&all[..2]), Some(1));
        assert_eq!(pick(&all[..1]), Some(0));
    }
}
