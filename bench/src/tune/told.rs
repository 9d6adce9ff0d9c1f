//! Tuning as text: every measurement, and what to write into the configuration.

use std::fmt;

use super::choice::{Trial, Verdict};
use super::knobs::Place;
use super::{CASES, Found, Tuned};
use crate::report::summary::median;

impl fmt::Display for Tuned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let machine = &self.machine;
        writeln!(f, "{}, {} cores, {} MiB\n", machine.cpu, machine.cores, machine.memory_mib)?;
        if !machine.optimised {
            writeln!(f, "This is a build without optimisation: its measurements mean nothing.\n")?;
        }
        writeln!(
            f,
            "{}, {} rounds of {:.1} s each.",
            CASES.join(" and "),
            self.rounds,
            self.time.as_secs_f64()
        )?;
        writeln!(f, "Load and provider are on this machine too, and take their share of it.\n")?;
        self.found.iter().try_for_each(|found| found.table(f))?;
        self.advice(f)
    }
}

impl Tuned {
    fn advice(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.found.iter().all(|found| found.choice.value == found.usual) {
            return writeln!(f, "Use the defaults: nothing else was better for sure.");
        }
        writeln!(f, "Use:\n")?;
        for (place, section) in
            [(Place::Flag, ""), (Place::General, "general_settings"), (Place::Weir, "weir_settings")]
        {
            let mine = || self.found.iter().filter(move |found| found.knob.place == place);
            if !section.is_empty() && mine().next().is_some() {
                writeln!(f, "{section}:")?;
            }
            mine().try_for_each(|found| found.line(f))?;
        }
        Ok(())
    }
}

impl Found {
    fn table(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| {} | req/s (from, to) | CPU µs/req | p99 ms | |", self.knob.name)?;
        writeln!(f, "|---|--:|--:|--:|---|")?;
        for (trial, verdict) in self.trials.iter().zip(&self.choice.verdicts) {
            let chosen = if trial.value == self.choice.value { " ← use" } else { "" };
            writeln!(f, "| {} | {} | {verdict}{chosen} |", trial.value, figures(trial))?;
        }
        writeln!(f)
    }

    /// As it is written into a configuration, or onto the command line.
    fn line(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, value) = (self.knob.name, &self.choice.value);
        let usual = if *value == self.usual { "    # the default" } else { "" };
        match self.knob.place {
            Place::Flag => writeln!(f, "weir serve --{name} {value}{usual}\n"),
            Place::General | Place::Weir => writeln!(f, "  {name}: {value}{usual}"),
        }
    }
}

/// Medians, with the smallest and the largest throughput.
fn figures(trial: &Trial) -> String {
    let all = || trial.rounds.iter();
    let middle = |values: Vec<f64>| median(values).unwrap_or(0.0);
    let speeds: Vec<f64> = all().map(|round| round.per_second).collect();
    let least = speeds.iter().copied().fold(f64::INFINITY, f64::min);
    let most = speeds.iter().copied().fold(0.0, f64::max);
    let cpu = middle(all().map(|round| round.cpu_us).collect());
    let p99 = middle(all().map(|round| round.p99_us).collect()) / 1_000.0;
    format!("{:.0} ({least:.0}, {most:.0}) | {cpu:.0} | {p99:.1}", middle(speeds))
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |ratio: f64| (ratio - 1.0) * 100.0;
        match self {
            Verdict::Usual => write!(f, "the default"),
            Verdict::Better(gain) => write!(f, "{:+.0} %, in every round", percent(*gain)),
            Verdict::NoBetter(gain) => write!(f, "{:+.0} %: not better for sure", percent(*gain)),
            Verdict::Late(ratio) => write!(f, "p99 is {ratio:.1} times as long"),
            Verdict::Failed(count) => write!(f, "{count} requests failed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::choice::{Round, choose};
    use super::super::knobs::KNOBS;
    use super::*;
    use crate::machine::Machine;

    fn found(name: &str, usual: &str, speeds: &[(&str, f64)]) -> Found {
        let round = |per_second| Round { per_second, cpu_us: 210.0, p99_us: 2_500.0, failed: 0 };
        let trials: Vec<Trial> = speeds
            .iter()
            .map(|(value, speed)| Trial { value: (*value).to_owned(), rounds: vec![round(*speed); 3] })
            .collect();
        let knob = KNOBS.iter().find(|knob| knob.name == name).unwrap();
        Found { knob, usual: usual.to_owned(), choice: choose(usual, &trials), trials }
    }

    fn told(found: Vec<Found>) -> String {
        Tuned { machine: Machine::here(), rounds: 3, time: Duration::from_secs(2), found }.to_string()
    }

    #[test]
    fn measurements_and_settings_stand_side_by_side() {
        let text = told(vec![
            found("num_workers", "2", &[("1", 900.0), ("2", 1000.0)]),
            found("work_stealing", "true", &[("true", 1000.0), ("false", 1200.0)]),
            found("journal_shards", "4", &[("1", 1200.0), ("4", 1200.0)]),
        ]);
        assert!(
            text.contains("| false | 1200 (1200, 1200) | 210 | 2.5 | +20 %, in every round ← use |"),
            "{text}"
        );
        assert!(text.contains("| 1 | 900 (900, 900) | 210 | 2.5 | -10 %: not better for sure |"), "{text}");
        let advice = text.split("Use:\n").nth(1).unwrap();
        assert!(advice.contains("weir serve --num_workers 2    # the default\n"), "{text}");
        assert!(
            advice
                .ends_with("weir_settings:\n  work_stealing: false\n  journal_shards: 4    # the default\n"),
            "{text}"
        );
    }

    #[test]
    fn where_nothing_is_better_the_defaults_are_advised() {
        let text = told(vec![found("work_stealing", "true", &[("true", 1000.0), ("false", 1001.0)])]);
        assert!(text.ends_with("Use the defaults: nothing else was better for sure.\n"), "{text}");
    }
}
