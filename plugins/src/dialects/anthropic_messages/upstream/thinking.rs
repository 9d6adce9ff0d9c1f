//! How much to think: a budget of tokens for older models, an effort for those that decide by themselves.

use super::model::Model;
use serde_json::{Value, json};
use weir_core::chat::Reasoning;
use weir_core::config::ThinkingBudgets;
use weir_core::error::{ApiError, Kind};

/// Anthropic's smallest budget. What is less becomes that.
const MIN_BUDGET: u64 = 1024;

/// `thinking` and `output_config.effort`.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Thinking {
    pub thinking: Option<Value>,
    pub effort: Option<String>,
    /// Tokens that come on top of those for the answer.
    pub budget: u64,
}

impl Thinking {
    pub(super) fn is_on(&self) -> bool {
        self.thinking.as_ref().is_some_and(|t| t["type"] != "disabled")
    }

    fn enabled(budget: u64) -> Self {
        let thinking = Some(json!({ "type": "enabled", "budget_tokens": budget }));
        Self { thinking, effort: None, budget }
    }

    /// `room`: about what it may take, so that a limit that nobody gave leaves some for the answer.
    fn adaptive(effort: Option<&str>, room: u64) -> Self {
        let effort = effort.map(str::to_owned);
        Self { thinking: Some(json!({ "type": "adaptive" })), effort, budget: room }
    }
}

/// As a client of this dialect said it.
pub(super) fn as_said(reasoning: &Reasoning) -> Thinking {
    let effort = reasoning.effort.clone();
    let thinking = match (reasoning.adaptive, reasoning.enabled) {
        (true, _) => Some(json!({ "type": "adaptive" })),
        (_, Some(true)) => Some(json!({ "type": "enabled" })),
        (_, Some(false)) => Some(json!({ "type": "disabled" })),
        (_, None) => None,
    };
    let thinking = thinking.map(|mut object| {
        if let Some(budget) = reasoning.budget {
            object["budget_tokens"] = json!(budget);
        }
        object
    });
    Thinking { thinking, effort, budget: reasoning.budget.unwrap_or(0) }
}

/// For a model of this dialect, from what another dialect says. `max_tokens` as the client gave it.
///
/// # Errors
/// 400 for an effort that nobody knows.
pub(super) fn translated(
    reasoning: &Reasoning,
    model: Model,
    max_tokens: Option<u64>,
    budgets: &ThinkingBudgets,
) -> Result<Thinking, ApiError> {
    let budget_of = |effort: &str| budget_of(effort, budgets);
    let effort = reasoning.effort.as_deref();
    if effort == Some("none") || reasoning.enabled == Some(false) {
        return Ok(off(reasoning, model));
    }
    let budget = match (reasoning.budget, effort) {
        (Some(budget), _) => budget,
        (None, Some(effort)) => budget_of(effort)?,
        (None, None) if reasoning.adaptive && model.thinks_adaptively() => {
            return Ok(Thinking::adaptive(None, budget_of("medium")?));
        }
        (None, None) if reasoning.adaptive || reasoning.enabled == Some(true) => budget_of("medium")?,
        (None, None) => return Ok(Thinking::default()),
    };
    // A budget is a cap, which only those that refuse it lose; an effort is what adaptive models ask for.
    if model.refuses_budgets() || (reasoning.budget.is_none() && model.thinks_adaptively()) {
        return Ok(Thinking::adaptive(Some(effort_for(effort, budget, model)), budget));
    }
    if reasoning.budget.is_some() {
        return Ok(Thinking::enabled(budget));
    }
    Ok(within(budget, max_tokens))
}

/// OpenAI's limit of output tokens includes reasoning, Anthropic's must be more than the budget. Too little to think
/// with is no thinking.
fn within(budget: u64, max_tokens: Option<u64>) -> Thinking {
    let room = max_tokens.map_or(budget, |max| budget.min(max.saturating_sub(1)));
    if room < MIN_BUDGET {
        return Thinking::default();
    }
    Thinking::enabled(room)
}

/// Silence means no thinking, too; only an explicit "off" is repeated, where the model takes it.
fn off(reasoning: &Reasoning, model: Model) -> Thinking {
    let repeated = reasoning.enabled == Some(false) && model.can_think() && !model.always_thinks;
    Thinking { thinking: repeated.then(|| json!({ "type": "disabled" })), ..Thinking::default() }
}

fn budget_of(effort: &str, budgets: &ThinkingBudgets) -> Result<u64, ApiError> {
    budgets.of(effort).map(|budget| budget.max(MIN_BUDGET)).ok_or_else(|| {
        let known = ThinkingBudgets::EFFORTS.join(", ");
        let message = format!("reasoning_effort: {effort:?} is unknown; one of none, {known}");
        ApiError::new(Kind::BadRequest, message)
    })
}

/// Efforts that adaptive models know.
fn effort_for(said: Option<&str>, budget: u64, model: Model) -> &'static str {
    match said {
        Some("minimal" | "low") => "low",
        Some("medium") => "medium",
        Some("xhigh") if model.refuses_budgets() => "xhigh",
        Some("max") => "max",
        Some(_) => "high",
        None if budget <= 1024 => "low",
        None if budget <= 2048 => "medium",
        None => "high",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(effort: &str, model: &str, max: Option<u64>) -> Thinking {
        let reasoning = Reasoning { effort: Some(effort.to_owned()), ..Reasoning::default() };
        translated(&reasoning, Model::of(model), max, &ThinkingBudgets::default()).unwrap()
    }

    #[test]
    fn efforts_are_budgets_or_efforts_by_the_model() {
        assert_eq!(of("high", "claude-sonnet-4-20250514", None), Thinking::enabled(4096));
        assert_eq!(of("minimal", "claude-opus-4-6", None), Thinking::adaptive(Some("low"), 1024));
        assert_eq!(of("none", "claude-opus-4-5", None), Thinking::default());
        assert!(
            translated(
                &Reasoning { effort: Some("huge".into()), ..Reasoning::default() },
                Model::of("claude-opus-4-5"),
                None,
                &ThinkingBudgets::default()
            )
            .is_err()
        );
    }

    #[test]
    fn efforts_are_the_tokens_that_the_operator_says() {
        let budgets = ThinkingBudgets { low: 700, high: 9000, ..ThinkingBudgets::default() };
        let of = |effort: &str| {
            let reasoning = Reasoning { effort: Some(effort.to_owned()), ..Reasoning::default() };
            translated(&reasoning, Model::of("claude-sonnet-4"), None, &budgets).unwrap()
        };
        assert_eq!(of("high"), Thinking::enabled(9000));
        assert_eq!(of("low"), Thinking::enabled(1024), "Anthropic takes no less");
    }

    #[test]
    fn thinking_stays_below_the_limit_of_output() {
        assert_eq!(of("high", "claude-sonnet-4", Some(3000)), Thinking::enabled(2999));
        assert_eq!(of("high", "claude-sonnet-4", Some(100)), Thinking::default());
    }

    #[test]
    fn budgets_become_efforts_where_they_are_refused() {
        let budget = Reasoning { budget: Some(2000), enabled: Some(true), ..Reasoning::default() };
        let usual = ThinkingBudgets::default();
        let on = |model: &str| translated(&budget, Model::of(model), None, &usual).unwrap();
        assert_eq!(on("claude-opus-4-6"), Thinking::enabled(2000));
        assert_eq!(on("claude-opus-4-8"), Thinking::adaptive(Some("medium"), 2000));
        let off = Reasoning { enabled: Some(false), ..Reasoning::default() };
        assert_eq!(translated(&off, Model::of("claude-fable-5"), None, &usual).unwrap(), Thinking::default());
    }
}
