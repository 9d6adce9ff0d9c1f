//! Bars, drawn as text. Colours come from the page's style sheet.

use std::fmt::Write as _;

pub(super) const WIDTH: f64 = 640.0;
const LABEL: f64 = 130.0;
const VALUE: f64 = 90.0;
const BAR: f64 = 22.0;

pub(super) struct Bar<'a> {
    pub(super) label: &'a str,
    pub(super) value: f64,
    /// Lowest and highest of the rounds, drawn as a thin line.
    pub(super) spread: Option<(f64, f64)>,
    /// Drawn in the accent colour.
    pub(super) judged: bool,
}

/// Horizontal bars from zero, with an upright line at `limit`.
pub(super) fn bars(title: &str, unit: &str, bars: &[Bar<'_>], limit: Option<f64>) -> String {
    let most = bars.iter().map(|bar| bar.spread.map_or(bar.value, |(_, high)| high.max(bar.value)));
    let most = most.chain(limit).fold(f64::MIN_POSITIVE, f64::max);
    let x = |value: f64| LABEL + (WIDTH - LABEL - VALUE) * (value.max(0.0) / most);
    let height = BAR * bars.len() as f64 + 30.0;
    let mut out = open(title, height);
    for (number, bar) in bars.iter().enumerate() {
        one(&mut out, bar, 24.0 + BAR * number as f64, unit, &x);
    }
    if let Some(limit) = limit {
        let at = x(limit);
        let _ = write!(
            out,
            "<line class=\"limit\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"18\" y2=\"{height}\"/>\
             <text class=\"limit\" x=\"{at:.1}\" y=\"14\" text-anchor=\"middle\">must {limit}</text>"
        );
    }
    out + "</svg>"
}

/// The beginning of a picture, with its title.
pub(super) fn open(title: &str, height: f64) -> String {
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{0}\"><text class=\"title\" x=\"0\" \
         y=\"14\">{0}</text>",
        escape(title)
    )
}

fn one(out: &mut String, bar: &Bar<'_>, y: f64, unit: &str, x: &impl Fn(f64) -> f64) {
    let (middle, end) = (y + BAR / 2.0, x(bar.value));
    let class = if bar.judged { "bar judged" } else { "bar" };
    let _ = write!(
        out,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text><rect class=\"{class}\" x=\"{LABEL}\" \
         y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>",
        LABEL - 8.0,
        middle + 4.0,
        escape(bar.label),
        y + 2.0,
        end - LABEL,
        BAR - 4.0
    );
    let mut after = end;
    if let Some((low, high)) = bar.spread {
        after = after.max(x(high));
        let (low, high) = (x(low), x(high));
        let _ = write!(
            out,
            "<line class=\"spread\" x1=\"{low:.1}\" x2=\"{high:.1}\" y1=\"{middle:.1}\" y2=\"{middle:.1}\"/>"
        );
    }
    let _ = write!(
        out,
        "<text x=\"{:.1}\" y=\"{:.1}\">{:.2} {unit}</text>",
        after + 6.0,
        middle + 4.0,
        bar.value
    );
}

/// Text inside an element or a quoted attribute.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
