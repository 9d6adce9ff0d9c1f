//! Everything, with the raw figures of every visit, for other programs.

use super::Report;

pub fn render(report: &Report) -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(report)? + "\n")
}
