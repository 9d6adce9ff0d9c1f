//! Lines over a few places, drawn as text. Colours come from the page's style sheet.

use std::fmt::Write as _;

use super::shown::{Curve, Line};
use super::svg::{WIDTH, escape, open};

const HEIGHT: f64 = 320.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 100.0;
const TOP: f64 = 58.0;
const BOTTOM: f64 = 40.0;
/// The style sheet has so many colours; more lines use them again.
const COLOURS: usize = 5;
/// Entries of the legend in one row.
const LEGEND: usize = 3;

/// From places and values to points of the picture.
struct Frame {
    low: f64,
    high: f64,
    places: usize,
}

pub(super) fn curve(curve: &Curve) -> String {
    let frame = Frame::of(curve);
    let mut out = open(&curve.title, HEIGHT);
    for limit in &curve.limits {
        level(&mut out, *limit, curve.unit, &frame);
    }
    for (number, place) in curve.at.iter().enumerate() {
        let (x, y) = (frame.x(number), HEIGHT - BOTTOM + 18.0);
        let _ = write!(out, "<text x=\"{x:.1}\" y=\"{y}\" text-anchor=\"middle\">{}</text>", escape(place));
    }
    let _ = write!(out, "<text x=\"{LEFT}\" y=\"{}\">{}</text>", HEIGHT - 4.0, escape(curve.along));
    for (number, line) in curve.lines.iter().enumerate() {
        draw(&mut out, line, number, curve.unit, &frame);
    }
    out + "</svg>"
}

fn level(out: &mut String, limit: f64, unit: &str, frame: &Frame) {
    let (y, end) = (frame.y(limit), WIDTH - RIGHT);
    let _ = write!(
        out,
        "<line class=\"limit\" x1=\"{LEFT}\" x2=\"{end}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/><text class=\"limit\" \
         x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{limit} {unit}</text>",
        LEFT - 8.0,
        y + 4.0
    );
}

fn draw(out: &mut String, line: &Line, number: usize, unit: &str, frame: &Frame) {
    let colour = number % COLOURS;
    let points: Vec<(f64, f64)> =
        line.values.iter().enumerate().map(|(at, value)| (frame.x(at), frame.y(*value))).collect();
    let path: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let _ = write!(out, "<polyline class=\"curve c{colour}\" points=\"{}\"/>", path.join(" "));
    for ((x, y), value) in points.iter().zip(&line.values) {
        let _ = write!(
            out,
            "<circle class=\"dot c{colour}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"><title>{}: {value} {unit}</title></circle>",
            escape(&line.label)
        );
    }
    let (x, y) = (LEFT + 180.0 * (number % LEGEND) as f64, 30.0 + 14.0 * (number / LEGEND) as f64);
    let _ = write!(
        out,
        "<circle class=\"dot c{colour}\" cx=\"{x:.1}\" cy=\"{:.1}\" r=\"4\"/><text x=\"{:.1}\" y=\"{y:.1}\">{}</text>",
        y - 4.0,
        x + 8.0,
        escape(&line.label)
    );
}

// --- impl Frame ---

impl Frame {
    /// All values and limits, with some air above and below.
    fn of(curve: &Curve) -> Frame {
        let values = || curve.lines.iter().flat_map(|line| &line.values).chain(&curve.limits).copied();
        let (low, high) =
            (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
        let (low, high) = if low <= high { (low, high) } else { (0.0, 1.0) };
        let air = ((high - low) * 0.15).max(high.abs() * 1e-6).max(f64::MIN_POSITIVE);
        Frame { low: low - air, high: high + air, places: curve.at.len() }
    }

    fn x(&self, place: usize) -> f64 {
        LEFT + (WIDTH - LEFT - RIGHT) * place as f64 / self.places.saturating_sub(1).max(1) as f64
    }

    fn y(&self, value: f64) -> f64 {
        TOP + (HEIGHT - TOP - BOTTOM) * (self.high - value) / (self.high - self.low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(values: Vec<f64>, limits: Vec<f64>) -> String {
        let line = Line { label: String::from("a<b"), values };
        let at = ["1", "8"].map(str::to_owned).to_vec();
        curve(&Curve { title: String::from("t"), unit: "$", along: "streams", at, lines: vec![line], limits })
    }

    #[test]
    fn what_is_more_stands_higher_and_a_limit_is_level() {
        let text = drawn(vec![0.5, 1.0], vec![1.0]);
        let points = text.split("points=\"").nth(1).unwrap().split('"').next().unwrap();
        let heights: Vec<f64> =
            points.split(' ').map(|point| point.split_once(',').unwrap().1.parse().unwrap()).collect();
        assert!(heights[0] > heights[1], "{points}");
        assert!(text.contains(&format!("y1=\"{:.1}\" y2=\"{:.1}\"", heights[1], heights[1])), "{text}");
        assert!(text.contains("a&lt;b") && !text.contains("a<b"));
    }

    #[test]
    fn nothing_and_one_and_the_same_value_can_be_drawn() {
        for values in [vec![], vec![1.0], vec![2.0, 2.0]] {
            let text = drawn(values, Vec::new());
            assert!(text.ends_with("</svg>") && !text.contains("NaN") && !text.contains("inf"), "{text}");
        }
    }
}
