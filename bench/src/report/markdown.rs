//! Tables for people and for commits.

use std::fmt::Write as _;

use super::{Report, Row, Table, Verdict};
use crate::guarantees::Section;

pub(super) const UNOPTIMISED: &str =
    "**Built without optimisation: these figures show that it works, not what it costs.**";

pub fn render(report: &Report) -> String {
    let mut out = String::from("# weir-bench\n\n");
    machine(&mut out, report);
    let mut cases: Vec<&str> = report.rows.iter().map(|row| row.case.as_str()).collect();
    cases.dedup();
    for case in cases {
        table(&mut out, case, report.rows.iter().filter(|row| row.case == case));
    }
    for one in &report.sections {
        section(&mut out, one);
    }
    out
}

fn machine(out: &mut String, report: &Report) {
    let machine = &report.machine;
    let commit = if machine.commit.is_empty() { "unknown" } else { &machine.commit };
    let _ = writeln!(
        out,
        "{} · {} cores · {} MiB · Linux {} · {} · commit {commit}\n\n`{}`\n\nMedians over rounds; ratios are medians \
         of the ratios of each round. CPU is user + system of the target's processes per request.",
        machine.cpu, machine.cores, machine.memory_mib, machine.kernel, machine.date, report.command
    );
    if !machine.optimised {
        let _ = writeln!(out, "\n{UNOPTIMISED}");
    }
}

fn table<'a>(out: &mut String, case: &str, rows: impl Iterator<Item = &'a Row>) {
    let _ = write!(
        out,
        "\n## {case}\n\n| target | CPU µs/req | × nginx (min–max) | req/s | p50 ms | p99 ms | p99.9 ms | first byte p50 / p99 ms \
         | added p50 / p99 ms | RSS / peak MiB | errors | verdict |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|---|\n"
    );
    for row in rows {
        let _ = writeln!(
            out,
            "| {} | {} | {} | {:.0} | {} | {} | {} | {} / {} | {} | {} | {} | {} |",
            row.target,
            number(row.cpu_us, 1),
            ratio(row),
            row.per_second,
            milli(row.p50_us),
            milli(row.p99_us),
            milli(row.p999_us),
            milli(row.first_p50_us),
            milli(row.first_p99_us),
            pair(row.added_p50_us.map(|us| us / 1000.0), row.added_p99_us.map(|us| us / 1000.0), 3),
            pair(row.rss_mib, row.peak_mib, 0),
            errors(row),
            row.verdicts.iter().map(verdict).collect::<Vec<_>>().join("; "),
        );
    }
}

fn section(out: &mut String, section: &Section) {
    let _ = write!(
        out,
        "\n## {}\n\n{}\n\n| figure | value | verdict |\n|---|--:|---|\n",
        section.name, section.about
    );
    for figure in &section.figures {
        let judged = figure.verdict.as_ref().map(verdict).unwrap_or_default();
        let _ = writeln!(out, "| {} | {} | {judged} |", figure.name, figure.shown());
    }
    section.tables.iter().for_each(|table| rows(out, table));
    for note in &section.notes {
        let _ = write!(out, "\n{note}\n");
    }
}

fn rows(out: &mut String, table: &Table) {
    let _ = write!(out, "\n| {} |\n|{}\n", table.head.join(" | "), "--:|".repeat(table.head.len()));
    for cells in &table.rows {
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
}

pub(super) fn verdict(verdict: &Verdict) -> String {
    format!("{} ({})", verdict.word(), verdict.text)
}

pub(super) fn ratio(row: &Row) -> String {
    match (row.cpu_to_nginx, row.cpu_spread) {
        (Some(ratio), Some((low, high))) => format!("{ratio:.2} ({low:.2}–{high:.2})"),
        _ => "–".to_owned(),
    }
}

/// Kinds and counts; what an open loop did not send stands beside them.
pub(super) fn errors(row: &Row) -> String {
    let mut kinds: Vec<String> = row.errors.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    if row.overruns > 0 {
        kinds.push(format!("{} overruns", row.overruns));
    }
    if kinds.is_empty() { "0".to_owned() } else { kinds.join(", ") }
}

pub(super) fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.digits$}"))
}

pub(super) fn pair(one: Option<f64>, other: Option<f64>, digits: usize) -> String {
    if one.is_none() && other.is_none() {
        return "–".to_owned();
    }
    format!("{} / {}", number(one, digits), number(other, digits))
}

pub(super) fn milli(us: f64) -> String {
    format!("{:.3}", us / 1000.0)
}
