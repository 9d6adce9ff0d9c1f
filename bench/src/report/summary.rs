//! Medians over rounds, and ratios between targets of the same round.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::cases::{Figure, JUDGED, RELAYED, limit};
use crate::run::Visit;

/// One target in one case. Every figure is the median over the rounds.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    pub case: String,
    pub target: String,
    pub cpu_us: Option<f64>,
    /// Median of the ratios of each round, not ratio of the medians: drift cancels.
    pub cpu_to_nginx: Option<f64>,
    /// Lowest and highest ratio of a round.
    pub cpu_spread: Option<(f64, f64)>,
    /// To the relayed case of the same target in the same round.
    pub cpu_to_relayed: Option<f64>,
    pub per_second: f64,
    pub p50_us: f64,
    pub p99_us: f64,
    pub p999_us: f64,
    pub first_p50_us: f64,
    pub first_p99_us: f64,
    /// Beyond `direct` in the same round.
    pub added_p50_us: Option<f64>,
    pub added_p99_us: Option<f64>,
    pub rss_mib: Option<f64>,
    pub peak_mib: Option<f64>,
    pub done: u64,
    /// Over all rounds.
    pub errors: BTreeMap<String, u64>,
    pub overruns: u64,
    pub verdicts: Vec<Verdict>,
}

/// A figure against its limit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    /// As in `2.10 × nginx, must be ≤ 2.3`.
    pub text: String,
    pub pass: bool,
}

/// In the order in which cases and targets were first visited.
pub fn rows(visits: &[Visit]) -> Vec<Row> {
    let mut seen: Vec<(&str, &str)> = Vec::new();
    let mut order: Vec<&str> = Vec::new();
    for visit in visits {
        if !seen.contains(&(&visit.case, &visit.target)) {
            seen.push((&visit.case, &visit.target));
        }
        if !order.contains(&visit.target.as_str()) {
            order.push(&visit.target);
        }
    }
    let place = |target: &str| order.iter().position(|name| *name == target);
    let mut cases: Vec<&str> = seen.iter().map(|(case, _)| *case).collect();
    cases.dedup();
    let mut rows = Vec::new();
    for case in cases {
        let mut targets: Vec<&str> =
            seen.iter().filter(|(at, _)| *at == case).map(|(_, target)| *target).collect();
        targets.sort_by_key(|target| place(target));
        rows.extend(targets.into_iter().map(|target| row(visits, case, target)));
    }
    rows
}

fn row(visits: &[Visit], case: &str, target: &str) -> Row {
    let own: Vec<&Visit> = of(visits, case, target);
    let nginx = of(visits, case, "nginx");
    let direct = of(visits, case, "direct");
    let ratios = paired(&own, &nginx, |own, nginx| Some(own.cpu_us? / nginx.cpu_us?));
    let figure = |get: fn(&Visit) -> f64| median(own.iter().map(|visit| get(visit)).collect()).unwrap_or(0.0);
    let option = |get: fn(&Visit) -> Option<f64>| median(own.iter().filter_map(|visit| get(visit)).collect());
    let added = |get: fn(&Visit) -> f64| {
        let beyond = paired(&own, &direct, |own, direct| Some(get(own) - get(direct)));
        median(beyond).filter(|_| target != "direct")
    };
    let mut row = Row {
        case: case.to_owned(),
        target: target.to_owned(),
        cpu_us: option(|visit| visit.cpu_us),
        cpu_to_nginx: median(ratios.clone()),
        cpu_spread: spread(&ratios),
        cpu_to_relayed: median(paired(&own, &of(visits, RELAYED, target), |own, relayed| {
            Some(own.cpu_us? / relayed.cpu_us?)
        })),
        per_second: figure(|visit| visit.per_second),
        p50_us: figure(|visit| visit.p50_us),
        p99_us: figure(|visit| visit.p99_us),
        p999_us: figure(|visit| visit.p999_us),
        first_p50_us: figure(|visit| visit.first_p50_us),
        first_p99_us: figure(|visit| visit.first_p99_us),
        added_p50_us: added(|visit| visit.p50_us),
        added_p99_us: added(|visit| visit.p99_us),
        rss_mib: option(|visit| visit.rss_kib.map(|kib| kib as f64 / 1024.0)),
        peak_mib: option(|visit| visit.peak_kib.map(|kib| kib as f64 / 1024.0)),
        done: own.iter().map(|visit| visit.done).sum(),
        errors: errors(&own),
        overruns: own.iter().map(|visit| visit.overruns).sum(),
        verdicts: Vec::new(),
    };
    if target == JUDGED {
        let plain = paired(&own, &of(visits, case, "weir-plain"), |own, plain| {
            ratio(own.per_second, plain.per_second)
        });
        row.verdicts = verdicts(&row, median(plain));
    }
    row
}

pub(crate) fn of<'a>(visits: &'a [Visit], case: &str, target: &str) -> Vec<&'a Visit> {
    visits.iter().filter(|visit| visit.case == case && visit.target == target).collect()
}

/// One value per round in which both were visited.
pub(crate) fn paired(
    own: &[&Visit],
    other: &[&Visit],
    value: impl Fn(&Visit, &Visit) -> Option<f64>,
) -> Vec<f64> {
    let partner = |visit: &Visit| other.iter().find(|other| other.round == visit.round).copied();
    own.iter().filter_map(|visit| value(visit, partner(visit)?)).collect()
}

fn verdicts(row: &Row, governed_to_plain: Option<f64>) -> Vec<Verdict> {
    let milli = |us: Option<f64>| us.map(|us| us / 1000.0);
    let mut verdicts: Vec<Verdict> = [
        (Figure::CpuRatio, row.cpu_to_nginx, "× nginx"),
        (Figure::CpuToRelayed, row.cpu_to_relayed, "× relayed"),
        (Figure::AddedP50, milli(row.added_p50_us), "ms added p50"),
        (Figure::AddedP99, milli(row.added_p99_us), "ms added p99"),
    ]
    .into_iter()
    .filter_map(|(figure, value, unit)| Some(Verdict::at_most(value?, limit(&row.case, figure)?, unit)))
    .collect();
    if let (Some(value), Some(limit)) = (governed_to_plain, limit(&row.case, Figure::Governed)) {
        verdicts.push(Verdict::at_least(value, limit, "of plain"));
    }
    if !row.errors.is_empty() {
        let text = format!("{} errors", row.errors.values().sum::<u64>());
        verdicts.push(Verdict { text, pass: false });
    }
    verdicts
}

fn errors(visits: &[&Visit]) -> BTreeMap<String, u64> {
    let mut sum = BTreeMap::new();
    for (kind, count) in visits.iter().flat_map(|visit| &visit.errors) {
        *sum.entry(kind.clone()).or_default() += count;
    }
    sum
}

pub(crate) fn ratio(above: f64, below: f64) -> Option<f64> {
    (below > 0.0).then(|| above / below)
}

pub(crate) fn spread(values: &[f64]) -> Option<(f64, f64)> {
    let low = values.iter().copied().reduce(f64::min)?;
    Some((low, values.iter().copied().reduce(f64::max)?))
}

/// The middle value; of an even number, the mean of the two in the middle.
pub fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    if values.len() % 2 == 1 { Some(upper) } else { Some(f64::midpoint(values[middle - 1], upper)) }
}

/// Whole numbers without a fraction; milliseconds with three digits.
pub(crate) fn with_unit(value: f64, unit: &str) -> String {
    let digits = if value.fract() == 0.0 { 0 } else { 2 + usize::from(unit.starts_with("ms")) };
    let text = format!("{value:.digits$} {unit}");
    text.trim_end().to_owned()
}

// --- impl Verdict ---

impl Verdict {
    pub fn at_most(value: f64, limit: f64, unit: &str) -> Verdict {
        Verdict { text: format!("{}, must be ≤ {limit}", with_unit(value, unit)), pass: value <= limit }
    }

    pub fn at_least(value: f64, limit: f64, unit: &str) -> Verdict {
        Verdict { text: format!("{}, must be ≥ {limit}", with_unit(value, unit)), pass: value >= limit }
    }

    pub fn word(&self) -> &'static str {
        if self.pass { "pass" } else { "FAIL" }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::report) fn visit(round: usize, case: &str, target: &str, cpu: f64) -> Visit {
        Visit {
            round,
            case: case.to_owned(),
            target: target.to_owned(),
            warm_up: 0,
            done: 10,
            errors: BTreeMap::new(),
            overruns: 0,
            connects: 1,
            seconds: 1.0,
            per_second: 1000.0 / cpu,
            cpu_us: Some(cpu),
            cpu_source: None,
            rss_kib: Some(2048),
            peak_kib: Some(4096),
            p50_us: cpu * 2.0,
            p99_us: cpu * 3.0,
            p999_us: cpu * 4.0,
            max_us: cpu * 5.0,
            first_p50_us: cpu,
            first_p99_us: cpu,
        }
    }

    #[test]
    fn ratios_are_taken_within_a_round() {
        // The machine is twice as slow in the second round, and four times in the third.
        let visits: Vec<Visit> = [1.0, 2.0, 4.0]
            .into_iter()
            .enumerate()
            .flat_map(|(round, drift)| {
                [("direct", 10.0), ("nginx", 20.0), ("weir-plain", 40.0), (JUDGED, 44.0)]
                    .map(|(target, cpu)| visit(round, "chat-1k", target, cpu * drift))
            })
            .collect();
        let rows = rows(&visits);
        assert_eq!(rows.len(), 4);
        let governed = &rows[3];
        assert_eq!((governed.cpu_us, governed.cpu_to_nginx), (Some(88.0), Some(2.2)));
        assert_eq!(governed.added_p50_us, Some(136.0));
        let words: Vec<(&str, bool)> =
            governed.verdicts.iter().map(|verdict| (verdict.text.as_str(), verdict.pass)).collect();
        assert_eq!(words, [("2.20 × nginx, must be ≤ 2.3", true), ("0.91 of plain, must be ≥ 0.85", true)]);
        assert!(rows[0].added_p50_us.is_none() && rows[1].verdicts.is_empty());
    }

    #[test]
    fn a_translated_case_is_compared_with_the_relayed_one_of_its_target() {
        let visits: Vec<Visit> = [1.0, 3.0]
            .into_iter()
            .enumerate()
            .flat_map(|(round, drift)| {
                [(RELAYED, JUDGED, 20.0), (RELAYED, "nginx", 1.0), ("chat-anthropic-16k", JUDGED, 40.0)]
                    .map(|(case, target, cpu)| visit(round, case, target, cpu * drift))
            })
            .collect();
        let rows = rows(&visits);
        let translated = rows.iter().find(|row| row.case == "chat-anthropic-16k").unwrap();
        assert_eq!(translated.cpu_to_relayed, Some(2.0));
        assert_eq!(translated.verdicts[0].text, "2 × relayed, must be ≤ 2.5");
    }

    #[test]
    fn a_figure_beyond_its_limit_or_an_error_fails() {
        let mut visits = vec![visit(0, "chat-1k", "nginx", 10.0), visit(0, "chat-1k", JUDGED, 24.0)];
        assert!(!rows(&visits)[1].verdicts[0].pass);
        visits[1] = visit(0, "chat-1k", JUDGED, 22.0);
        visits[1].errors.insert("timeout".to_owned(), 1);
        assert_eq!(
            rows(&visits)[1].verdicts.iter().map(|verdict| verdict.pass).collect::<Vec<_>>(),
            [true, false]
        );
    }

    #[test]
    fn medians() {
        for (values, wanted) in [
            (vec![], None),
            (vec![3.0], Some(3.0)),
            (vec![9.0, 1.0], Some(5.0)),
            (vec![5.0, 1.0, 9.0], Some(5.0)),
        ] {
            assert_eq!(median(values), wanted);
        }
    }
}
