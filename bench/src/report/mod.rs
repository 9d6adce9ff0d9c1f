//! What a run found: one value, written three ways.
//!
//! `summary.rs` turns raw visits into medians and ratios, `shown.rs` is what cases show besides; `markdown.rs`,
//! `json.rs` and `html.rs` (with `svg.rs` and `curve.rs`) write them. Nothing is measured here.

mod curve;
pub mod html;
pub mod json;
pub mod markdown;
mod shown;
pub mod summary;
mod svg;

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use serde::Serialize;

pub use shown::{Curve, Line, Table};
pub use summary::{Row, Verdict};

use crate::guarantees::Section;
use crate::machine::Machine;
use crate::run::Visit;

#[derive(Debug, Clone, Serialize)]
pub struct Report {
    pub machine: Machine,
    /// The command line.
    pub command: String,
    pub rows: Vec<Row>,
    pub sections: Vec<Section>,
    pub visits: Vec<Visit>,
}

// --- impl Report ---

impl Report {
    pub fn new(command: String, visits: Vec<Visit>, sections: Vec<Section>) -> Report {
        Report { machine: Machine::here(), command, rows: summary::rows(&visits), sections, visits }
    }

    /// Some figure is beyond its limit.
    pub fn failed(&self) -> bool {
        let rows = self.rows.iter().flat_map(|row| &row.verdicts);
        let sections = self.sections.iter().flat_map(|section| &section.figures);
        rows.chain(sections.filter_map(|figure| figure.verdict.as_ref())).any(|verdict| !verdict.pass)
    }

    /// Writes `report.md`, `report.json` and `report.html`.
    pub fn write(&self, dir: &Path) -> anyhow::Result<()> {
        fs::create_dir_all(dir).with_context(|| format!("create {}", dir.display()))?;
        for (name, text) in [
            ("report.md", markdown::render(self)),
            ("report.json", json::render(self)?),
            ("report.html", html::render(self)),
        ] {
            let path = dir.join(name);
            fs::write(&path, text).with_context(|| format!("write {}", path.display()))?;
        }
        Ok(())
    }
}
