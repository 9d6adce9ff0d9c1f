//! How many tokens a model may think for that is asked for an effort and knows budgets only: LiteLLM's variables, and its
//! numbers where they are not set.

use super::super::env::Env;
use super::env_u64;

/// Tokens by the effort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThinkingBudgets {
    /// For models of Gemini's that shall not think.
    pub off: u64,
    pub minimal: u64,
    /// `minimal` of Gemini 2.5, whose models have least budgets of their own.
    pub minimal_flash: u64,
    pub minimal_flash_lite: u64,
    pub minimal_pro: u64,
    pub low: u64,
    pub medium: u64,
    pub high: u64,
}

impl ThinkingBudgets {
    /// Efforts that have a budget, from little to much.
    pub const EFFORTS: [&str; 6] = ["minimal", "low", "medium", "high", "xhigh", "max"];

    pub(super) fn read(env: &Env) -> Self {
        let or = |usual: u64, name: &str| env_u64(env, name).unwrap_or(usual);
        Self {
            off: or(0, "DEFAULT_REASONING_EFFORT_DISABLE_THINKING_BUDGET"),
            minimal: or(128, "DEFAULT_REASONING_EFFORT_MINIMAL_THINKING_BUDGET"),
            minimal_flash: or(1, "DEFAULT_REASONING_EFFORT_MINIMAL_THINKING_BUDGET_GEMINI_2_5_FLASH"),
            minimal_flash_lite: or(
                512,
                "DEFAULT_REASONING_EFFORT_MINIMAL_THINKING_BUDGET_GEMINI_2_5_FLASH_LITE",
            ),
            minimal_pro: or(128, "DEFAULT_REASONING_EFFORT_MINIMAL_THINKING_BUDGET_GEMINI_2_5_PRO"),
            low: or(1024, "DEFAULT_REASONING_EFFORT_LOW_THINKING_BUDGET"),
            medium: or(2048, "DEFAULT_REASONING_EFFORT_MEDIUM_THINKING_BUDGET"),
            high: or(4096, "DEFAULT_REASONING_EFFORT_HIGH_THINKING_BUDGET"),
        }
    }

    /// `None`: nobody knows this effort. LiteLLM has no numbers above `high`: each is twice the one before.
    pub fn of(&self, effort: &str) -> Option<u64> {
        match effort {
            "minimal" => Some(self.minimal),
            "low" => Some(self.low),
            "medium" => Some(self.medium),
            "high" => Some(self.high),
            "xhigh" => Some(self.high.saturating_mul(2)),
            "max" => Some(self.high.saturating_mul(4)),
            _ => None,
        }
    }
}

/// LiteLLM's numbers.
impl Default for ThinkingBudgets {
    fn default() -> Self {
        Self::read(&Env::default())
    }
}
