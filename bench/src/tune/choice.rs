//! What follows from measurements: another value than the usual one only where it is better in every round, and by more
//! than a machine differs from itself.

use crate::report::summary::median;

/// A value, and what was measured with it, round by round.
#[derive(Debug, Clone)]
pub struct Trial {
    pub value: String,
    pub rounds: Vec<Round>,
}

#[derive(Debug, Clone, Copy)]
pub struct Round {
    pub per_second: f64,
    pub cpu_us: f64,
    pub p99_us: f64,
    pub failed: u64,
}

#[derive(Debug, Clone)]
pub struct Choice {
    pub value: String,
    /// In the order of the trials.
    pub verdicts: Vec<Verdict>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Verdict {
    /// In force where nothing is set.
    Usual,
    /// Requests per second, over the usual value's in the same round; the median.
    Better(f64),
    /// The same, and not better for sure.
    NoBetter(f64),
    /// Requests at the slow end take so many times as long as with the usual value.
    Late(f64),
    /// So many requests failed.
    Failed(u64),
}

/// What counts as better.
const MARGIN: f64 = 1.03;
/// Throughput is not bought with more than this.
const LATE: f64 = 1.5;

/// Of the values that are better the best one; where several are as good as it, the first of them.
pub fn choose(usual: &str, trials: &[Trial]) -> Choice {
    let base = trials.iter().find(|trial| trial.value == usual);
    let verdicts: Vec<Verdict> = trials.iter().map(|trial| judge(trial, base)).collect();
    let gain = |verdict: &Verdict| if let Verdict::Better(gain) = verdict { Some(*gain) } else { None };
    let best = verdicts.iter().filter_map(gain).fold(0.0, f64::max);
    let as_good = |verdict: &Verdict| gain(verdict).is_some_and(|gain| gain * MARGIN >= best);
    let chosen = trials.iter().zip(&verdicts).find(|(_, verdict)| as_good(verdict));
    let value = chosen.map_or_else(|| usual.to_owned(), |(trial, _)| trial.value.clone());
    Choice { value, verdicts }
}

fn judge(trial: &Trial, base: Option<&Trial>) -> Verdict {
    let Some(base) = base.filter(|base| base.value != trial.value) else { return Verdict::Usual };
    let failed = trial.rounds.iter().map(|round| round.failed).sum();
    if failed > 0 {
        return Verdict::Failed(failed);
    }
    let late = middle(ratios(trial, base, |round| round.p99_us));
    let gains = ratios(trial, base, |round| round.per_second);
    let always = !gains.is_empty() && gains.iter().all(|gain| *gain > 1.0);
    let gain = middle(gains);
    match (always && gain >= MARGIN, late > LATE) {
        (true, true) => Verdict::Late(late),
        (true, false) => Verdict::Better(gain),
        (false, _) => Verdict::NoBetter(gain),
    }
}

/// Over the usual value in the same round.
fn ratios(trial: &Trial, base: &Trial, of: impl Fn(&Round) -> f64) -> Vec<f64> {
    let ratios = trial.rounds.iter().zip(&base.rounds).map(|(one, other)| of(one) / of(other));
    ratios.filter(|ratio| ratio.is_finite()).collect()
}

fn middle(values: Vec<f64>) -> f64 {
    median(values).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A value with its requests per second in each round.
    fn trial(value: &str, per_second: &[f64]) -> Trial {
        let round =
            |per_second: &f64| Round { per_second: *per_second, cpu_us: 200.0, p99_us: 1_000.0, failed: 0 };
        Trial { value: value.to_owned(), rounds: per_second.iter().map(round).collect() }
    }

    #[test]
    fn what_is_better_in_every_round_is_chosen() {
        let trials = [
            trial("1", &[500.0, 510.0, 490.0]),
            trial("2", &[1000.0, 1020.0, 980.0]),
            trial("4", &[1200.0, 1250.0, 1190.0]),
        ];
        let choice = choose("2", &trials);
        assert_eq!(choice.value, "4");
        let [Verdict::NoBetter(less), Verdict::Usual, Verdict::Better(gain)] = choice.verdicts[..] else {
            panic!("{choice:?}")
        };
        assert!((less - 0.5).abs() < 0.01 && (gain - 1.214).abs() < 0.01, "{choice:?}");
    }

    #[test]
    fn what_is_better_once_is_noise() {
        let trials = [trial("a", &[1000.0, 1000.0, 1000.0]), trial("b", &[1500.0, 1100.0, 990.0])];
        assert_eq!(choose("a", &trials).value, "a");
        let trials = [trial("a", &[1000.0, 900.0]), trial("b", &[1010.0, 915.0])];
        assert_eq!(choose("a", &trials).value, "a", "and so is one or two in a hundred");
    }

    /// The machine slows down by half while it is measured: both slow down, and the ratio tells.
    #[test]
    fn rounds_are_compared_with_themselves() {
        let trials = [trial("a", &[1000.0, 700.0, 500.0]), trial("b", &[1100.0, 770.0, 550.0])];
        assert_eq!(choose("a", &trials).value, "b");
    }

    #[test]
    fn of_values_that_are_as_good_the_one_that_takes_least_is_chosen() {
        let trials =
            [trial("2", &[1000.0, 1000.0]), trial("4", &[1490.0, 1490.0]), trial("8", &[1500.0, 1500.0])];
        assert_eq!(choose("2", &trials).value, "4");
    }

    #[test]
    fn throughput_is_bought_neither_with_failures_nor_with_waiting() {
        let mut broken = trial("b", &[2000.0, 2000.0]);
        broken.rounds[1].failed = 3;
        let mut late = trial("c", &[2000.0, 2000.0]);
        late.rounds.iter_mut().for_each(|round| round.p99_us = 2_000.0);
        let choice = choose("a", &[trial("a", &[1000.0, 1000.0]), broken, late]);
        assert_eq!(choice.value, "a");
        assert_eq!(choice.verdicts, [Verdict::Usual, Verdict::Failed(3), Verdict::Late(2.0)]);
    }

    #[test]
    fn without_measurements_nothing_is_changed() {
        assert_eq!(choose("a", &[]).value, "a");
        assert_eq!(choose("a", &[trial("a", &[]), trial("b", &[])]).value, "a");
        assert_eq!(choose("a", &[trial("a", &[0.0]), trial("b", &[100.0])]).value, "a");
    }
}
