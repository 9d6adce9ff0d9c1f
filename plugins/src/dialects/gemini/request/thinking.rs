//! How much the model thinks, by LiteLLM's rules: models before Gemini 3 have a budget of tokens, later ones have levels.

use super::super::model::Model;
use super::super::wire::ThinkingConfig;
use weir_core::chat::Reasoning;
use weir_core::config::ThinkingBudgets;
use weir_core::error::{ApiError, Kind};

/// The budget that leaves it to the model.
const DYNAMIC: i64 = -1;

/// Models with levels below `low` and between `low` and `high`.
static FINE_LEVELS: &[&str] = &["-flash"];
/// Models with a level between `low` and `high` only.
static MEDIUM_LEVEL: &[&str] = &["gemini-3.1-pro"];

/// `None`: nothing was said that Gemini can be told.
///
/// # Errors
/// An effort that nobody knows.
pub(super) fn write(
    reasoning: &Reasoning,
    model: Model<'_>,
    budgets: &ThinkingBudgets,
) -> Result<Option<ThinkingConfig>, ApiError> {
    if let Some(effort) = &reasoning.effort {
        return effort_config(effort, model, budgets).map(Some);
    }
    let config = if model.is_3() { by_default(reasoning) } else { by_budget(reasoning) };
    Ok(Some(config).filter(|c| *c != ThinkingConfig::default()))
}

fn effort_config(
    effort: &str,
    model: Model<'_>,
    budgets: &ThinkingBudgets,
) -> Result<ThinkingConfig, ApiError> {
    let effort = effort.to_ascii_lowercase();
    let off = matches!(effort.as_str(), "none" | "disable");
    let known =
        if model.is_3() { level(&effort, model).map(Ok) } else { budget(&effort, model, budgets).map(Err) };
    let Some(amount) = known else {
        return Err(ApiError::new(Kind::BadRequest, format!("Invalid reasoning effort: {effort}")));
    };
    Ok(ThinkingConfig {
        include_thoughts: Some(!off),
        thinking_level: amount.ok().map(str::to_owned),
        thinking_budget: amount.err(),
    })
}

/// Gemini 3 cannot be told not to think at all.
fn level(effort: &str, model: Model<'_>) -> Option<&'static str> {
    let says = |names: &[&str]| names.iter().any(|name| model.says(name));
    let (fine, medium) = (says(FINE_LEVELS), says(MEDIUM_LEVEL));
    match effort {
        "minimal" | "none" | "disable" if fine => Some("minimal"),
        "minimal" | "none" | "disable" | "low" => Some("low"),
        "medium" if fine || medium => Some("medium"),
        "medium" | "high" | "xhigh" | "max" => Some("high"),
        _ => None,
    }
}

fn budget(effort: &str, model: Model<'_>, budgets: &ThinkingBudgets) -> Option<i64> {
    let tokens = match effort {
        "none" | "disable" => budgets.off,
        "minimal" => least(model, budgets),
        "xhigh" | "max" => budgets.high,
        _ => budgets.of(effort)?,
    };
    Some(i64::try_from(tokens).unwrap_or(i64::MAX))
}

/// By the first name that fits.
fn least(model: Model<'_>, budgets: &ThinkingBudgets) -> u64 {
    let own = [
        ("gemini-2.5-flash-lite", budgets.minimal_flash_lite),
        ("gemini-2.5-pro", budgets.minimal_pro),
        ("gemini-2.5-flash", budgets.minimal_flash),
    ];
    own.iter().find(|(name, _)| model.says(name)).map_or(budgets.minimal, |(_, tokens)| *tokens)
}

/// Anthropic's `thinking` for models with levels: on or off, the model decides how much.
fn by_default(reasoning: &Reasoning) -> ThinkingConfig {
    let on = reasoning.enabled.or(reasoning.budget.map(|b| b > 0)).or(reasoning.adaptive.then_some(true));
    ThinkingConfig { include_thoughts: on, ..ThinkingConfig::default() }
}

fn by_budget(reasoning: &Reasoning) -> ThinkingConfig {
    let budget = reasoning.budget.map(|b| i64::try_from(b).unwrap_or(i64::MAX));
    let budget = budget.or(reasoning.adaptive.then_some(DYNAMIC));
    let on = reasoning.enabled.unwrap_or(budget.is_some()) && budget != Some(0);
    ThinkingConfig { include_thoughts: on.then_some(true), thinking_budget: budget, thinking_level: None }
}

/// A client's `thinkingConfig`.
pub(super) fn read(config: ThinkingConfig) -> Reasoning {
    let budget = config.thinking_budget;
    Reasoning {
        effort: config.thinking_level.map(|level| level.to_ascii_lowercase()),
        budget: budget.and_then(|b| u64::try_from(b).ok()),
        enabled: config.include_thoughts.filter(|_| budget != Some(0)).or(budget.map(|b| b != 0)),
        adaptive: budget.is_some_and(|b| b < 0),
        summary: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn usual(reasoning: &Reasoning, model: &str) -> Result<Option<ThinkingConfig>, ApiError> {
        write(reasoning, Model::of(model), &ThinkingBudgets::default())
    }

    fn effort(model: &str, effort: &str) -> Value {
        let reasoning = Reasoning { effort: Some(effort.into()), ..Reasoning::default() };
        serde_json::to_value(usual(&reasoning, model).unwrap()).unwrap()
    }

    #[test]
    fn efforts_are_budgets_before_gemini_3() {
        for (model, word, budget) in [
            ("gemini-2.5-flash-lite", "minimal", 512),
            ("gemini-2.5-pro", "minimal", 128),
            ("gemini-2.5-flash", "minimal", 1),
            ("gemini-flash-latest", "minimal", 128),
            ("gemini-2.5-pro", "low", 1024),
            ("gemini-2.5-pro", "medium", 2048),
            ("gemini-2.5-pro", "high", 4096),
        ] {
            let expected = json!({ "includeThoughts": true, "thinkingBudget": budget });
            assert_eq!(effort(model, word), expected, "{model} {word}");
        }
        assert_eq!(
            effort("gemini-2.5-flash", "none"),
            json!({ "includeThoughts": false, "thinkingBudget": 0 })
        );
    }

    #[test]
    fn efforts_are_the_tokens_that_the_operator_says() {
        let budgets = ThinkingBudgets { off: 128, minimal_pro: 200, medium: 3000, ..Default::default() };
        for (word, tokens) in [("none", 128), ("minimal", 200), ("low", 1024), ("medium", 3000)] {
            let reasoning = Reasoning { effort: Some(word.into()), ..Reasoning::default() };
            let config = write(&reasoning, Model::of("gemini-2.5-pro"), &budgets).unwrap().unwrap();
            assert_eq!(config.thinking_budget, Some(tokens), "{word}");
        }
    }

    #[test]
    fn efforts_are_levels_from_gemini_3_on() {
        for (model, word, level, thoughts) in [
            ("gemini-3-pro-preview", "minimal", "low", true),
            ("gemini-3-pro-preview", "medium", "high", true),
            ("gemini-3.1-pro-preview", "medium", "medium", true),
            ("gemini-3-flash-preview", "minimal", "minimal", true),
            ("gemini-3-flash-preview", "medium", "medium", true),
            ("gemini-3-pro-preview", "none", "low", false),
            ("gemini-3-flash-preview", "none", "minimal", false),
        ] {
            let expected = json!({ "includeThoughts": thoughts, "thinkingLevel": level });
            assert_eq!(effort(model, word), expected, "{model} {word}");
        }
    }

    #[test]
    fn an_unknown_effort_is_the_clients_mistake() {
        let reasoning = Reasoning { effort: Some("much".into()), ..Reasoning::default() };
        for model in ["gemini-2.5-pro", "gemini-3-pro"] {
            assert_eq!(usual(&reasoning, model).unwrap_err().status(), 400);
        }
    }

    #[test]
    fn budgets_come_back() {
        for config in [
            ThinkingConfig { thinking_budget: Some(0), ..ThinkingConfig::default() },
            ThinkingConfig { thinking_budget: Some(-1), include_thoughts: Some(true), thinking_level: None },
            ThinkingConfig { thinking_budget: Some(77), include_thoughts: Some(true), thinking_level: None },
            ThinkingConfig { include_thoughts: Some(true), ..ThinkingConfig::default() },
        ] {
            let written = usual(&read(config.clone()), "gemini-2.5-pro").unwrap();
            assert_eq!(written, Some(config));
        }
    }
}
