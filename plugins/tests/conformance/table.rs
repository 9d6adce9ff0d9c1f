//! The outcome as a table: `CONFORMANCE.md`, kept beside the code.

use crate::limits::Lost;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    Answers,
    Requests,
}

/// What became of one recording on one way.
pub struct Outcome {
    pub part: Part,
    /// The client's API.
    pub client: &'static str,
    /// Who answered, or who was asked.
    pub column: String,
    pub features: Vec<String>,
    /// What did not survive, for a known reason.
    pub lost: Vec<Lost>,
    /// What went wrong without one.
    pub failure: Option<String>,
}

impl Outcome {
    pub fn key(&self) -> (Part, &str, &str, Option<&str>) {
        (self.part, self.client, &self.column, self.failure.as_deref())
    }
}

pub fn render(outcomes: &[Outcome]) -> String {
    String::new()
}
pub fn keep(text: &str) {}
