//! The page that Prometheus reads, in its text format, version 0.0.4: written a piece at a time, since that of ten thousand
//! keys is fifty megabytes long.

use super::Metrics;
use super::cells::{Cell, Histogram};
use super::family::{Family, Values};
use std::fmt::Write;
use std::sync::{Arc, LazyLock};
use std::vec;
use weir_core::domain::money::NanoUsd;
use weir_core::metrics::{Kind, LATENCY_BUCKETS, Row};

/// The pieces of a page. Writing one takes a moment, all of them as long as there are series: not for a worker.
pub struct Page {
    metrics: Arc<Metrics>,
    /// How many families have begun, and what is left of the last one.
    begun: usize,
    left: vec::IntoIter<(Values, Cell)>,
    /// What the process tells of itself, which comes last.
    process: String,
    /// Of the series that is written.
    labels: String,
}

/// A piece is not much longer.
const PIECE: usize = 256 * 1024;

/// What the closing line of a bucket begins with, by its upper bound as LiteLLM writes it: `1.0`, not `1`.
static BOUNDS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let bounds = LATENCY_BUCKETS.iter().map(|bound| format!("{bound:?}"));
    bounds.chain([String::from("+Inf")]).map(|bound| format!("le=\"{bound}\"}} ")).collect()
});

impl Page {
    pub(super) fn new(metrics: Arc<Metrics>, process: String) -> Self {
        Self { metrics, begun: 0, left: Vec::new().into_iter(), process, labels: String::new() }
    }

    /// The next series, or how the next metric begins. False: that was all.
    fn more(&mut self, out: &mut String) -> bool {
        let families = &self.metrics.families;
        let family = self.begun.checked_sub(1).and_then(|at| families.get(at));
        if let Some((family, (values, cell))) = family.zip(self.left.next()) {
            self.labels.clear();
            named(&mut self.labels, family, &values);
            series(out, family.row, &self.labels, &cell);
            return true;
        }
        if let Some(family) = families.get(self.begun) {
            self.begun += 1;
            if family.is_shown() {
                head(out, family.row);
                self.left = family.all().into_iter();
            }
            return true;
        }
        out.push_str(&std::mem::take(&mut self.process));
        false
    }
}

impl Iterator for Page {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let mut out = String::with_capacity(PIECE + PIECE / 8);
        while out.len() < PIECE && self.more(&mut out) {}
        (!out.is_empty()).then_some(out)
    }
}

/// Writing to text cannot fail.
fn head(out: &mut String, row: &Row) {
    let kind = match row.kind {
        Kind::Counter | Kind::Money => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram => "histogram",
    };
    let _ = writeln!(out, "# HELP {} {}\n# TYPE {} {kind}", row.name, row.help, row.name);
}

/// `a="x",b="y"`
fn named(out: &mut String, family: &Family, values: &Values) {
    for (at, (name, value)) in family.labels.iter().zip(values.iter()).enumerate() {
        out.push_str(if at > 0 { "," } else { "" });
        out.push_str(name);
        out.push_str("=\"");
        escaped(out, value);
        out.push('"');
    }
}

fn escaped(out: &mut String, value: &str) {
    if !value.contains(['\\', '"', '\n']) {
        return out.push_str(value);
    }
    for c in value.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
}

fn series(out: &mut String, row: &Row, labels: &str, cell: &Cell) {
    match cell {
        Cell::Counter(counter) if row.kind == Kind::Money => {
            let spent = NanoUsd(i64::try_from(counter.get()).unwrap_or(i64::MAX));
            line(out, row.name, "", labels, format_args!("{spent}"));
        }
        Cell::Counter(counter) => line(out, row.name, "", labels, format_args!("{}", counter.get())),
        Cell::Gauge(gauge) => line(out, row.name, "", labels, format_args!("{}", Number(gauge.get()))),
        Cell::Histogram(histogram) => buckets(out, row.name, labels, histogram),
    }
}

/// Most of a page are these lines, so they are put together without a formatter.
fn buckets(out: &mut String, name: &str, labels: &str, histogram: &Histogram) {
    let comma = if labels.is_empty() { "" } else { "," };
    let (mut so_far, mut digits) = (0_u64, itoa::Buffer::new());
    for (count, bound) in histogram.counts().zip(BOUNDS.iter()) {
        so_far = so_far.saturating_add(count);
        for part in [name, "_bucket{", labels, comma, bound.as_str(), digits.format(so_far), "\n"] {
            out.push_str(part);
        }
    }
    line(out, name, "_sum", labels, format_args!("{}", Number(histogram.sum())));
    line(out, name, "_count", labels, format_args!("{so_far}"));
}

fn line(out: &mut String, name: &str, suffix: &str, labels: &str, value: std::fmt::Arguments<'_>) {
    let (open, close) = if labels.is_empty() { ("", "") } else { ("{", "}") };
    let _ = writeln!(out, "{name}{suffix}{open}{labels}{close} {value}");
}

/// As Prometheus writes what is no finite number.
struct Number(f64);

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            number if number.is_nan() => f.write_str("NaN"),
            f64::INFINITY => f.write_str("+Inf"),
            f64::NEG_INFINITY => f.write_str("-Inf"),
            number => write!(f, "{number}"),
        }
    }
}
