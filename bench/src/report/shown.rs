//! What a case may show beside its figures: tables, and lines over a few places.

use serde::Serialize;

#[derive(Debug, Clone, Serialize)]
pub struct Table {
    pub head: Vec<&'static str>,
    /// As many cells each as the head has.
    pub rows: Vec<Vec<String>>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Curve {
    pub title: String,
    pub unit: &'static str,
    /// What the places along the bottom are.
    pub along: &'static str,
    pub at: Vec<String>,
    pub lines: Vec<Line>,
    /// Level lines that the others should not cross.
    pub limits: Vec<f64>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Line {
    pub label: String,
    /// One for each place, from the first on.
    pub values: Vec<f64>,
}
