//! What one provider and model take.

use super::super::request::{MaxTokens, max_tokens, reasons};
use crate::dialects::Asked;
use crate::providers::{self, Quirk, Row};

#[derive(Clone, Copy)]
pub(super) struct Target<'a> {
    row: Option<&'static Row>,
    pub model: &'a str,
}

// --- Target ---

impl<'a> Target<'a> {
    pub(super) fn of(asked: &Asked<'a>) -> Self {
        Self { row: providers::row(asked.provider), model: asked.model }
    }

    pub(super) fn by_row(row: Option<&'static Row>, model: &'a str) -> Self {
        Self { row, model }
    }

    pub(super) fn has(&self, quirk: Quirk) -> bool {
        self.row.is_some_and(|row| row.has(quirk))
    }

    pub(super) fn unsupported(&self) -> &'static [&'static str] {
        self.row.map(|row| row.unsupported()).unwrap_or_default()
    }

    /// OpenAI's own API, at OpenAI or Azure.
    pub(super) fn is_openai(&self) -> bool {
        self.has(Quirk::ReasoningModels)
    }

    /// One of OpenAI's reasoning models, wherever it runs.
    pub(super) fn reasons(&self) -> bool {
        reasons(self.base_name())
    }

    /// The chat models of the family take all parameters. Of those after `gpt-5` (`gpt-5.4`) some do, by their default
    /// effort: these are left to the provider.
    pub(super) fn is_lax(&self) -> bool {
        self.model.contains("-chat") || self.model.starts_with("gpt-5.")
    }

    /// The old ones know no effort below `low`.
    pub(super) fn knows_minimal(&self) -> bool {
        !self.base_name().starts_with('o') && !self.base_name().contains("gpt-oss")
    }

    /// Whether an effort may be sent that the client did not name itself.
    pub(super) fn takes_effort(&self) -> bool {
        self.reasons() || self.base_name().contains("gpt-oss") || self.has(Quirk::Efforts)
    }

    pub(super) fn limit_name(&self) -> &'static str {
        match self.row.map(|row| max_tokens(row, self.model)) {
            Some(MaxTokens::New) => "max_completion_tokens",
            Some(MaxTokens::Old | MaxTokens::AsWritten) | None => "max_tokens",
        }
    }

    /// The model without the vendor that routers put before it.
    fn base_name(&self) -> &'a str {
        self.model.rsplit('/').next().unwrap_or(self.model)
    }
}
