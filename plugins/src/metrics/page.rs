//! The page that Prometheus reads: its text format, version 0.0.4.

use super::cells::{Cell, Histogram};
use super::family::{Family, Values};
use std::fmt::Write;
use std::sync::LazyLock;
use weir_core::domain::money::NanoUsd;
use weir_core::metrics::{Kind, LATENCY_BUCKETS, Row};

/// Upper bounds as LiteLLM writes them: `1.0`, not `1`.
static BOUNDS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let bounds = LATENCY_BUCKETS.iter().map(|bound| format!("{bound:?}"));
    bounds.chain([String::from("+Inf")]).collect()
});

/// Head and series of a metric. Writing to text cannot fail.
pub(super) fn write(out: &mut String, family: &Family) {
    let row = family.row;
    let kind = match row.kind {
        Kind::Counter | Kind::Money => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram => "histogram",
    };
    let _ = writeln!(out, "# HELP {} {}\n# TYPE {} {kind}", row.name, row.help, row.name);
    let mut labels = String::new();
    for (values, cell) in family.all() {
        labels.clear();
        named(&mut labels, family, &values);
        series(out, row, &labels, &cell);
    }
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

fn buckets(out: &mut String, name: &str, labels: &str, histogram: &Histogram) {
    let comma = if labels.is_empty() { "" } else { "," };
    let mut so_far = 0;
    for (count, bound) in histogram.counts().zip(BOUNDS.iter()) {
        so_far += count;
        let _ = writeln!(out, "{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {so_far}");
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
