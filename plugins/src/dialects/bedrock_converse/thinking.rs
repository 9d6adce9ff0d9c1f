//! How much a model shall think, in the words of each family.

use super::Model;
use serde_json::json;
use weir_core::chat::{Object, Reasoning, Request};
use weir_core::config::ThinkingBudgets;

/// Claude's smallest budget. What is less becomes that.
const LEAST: u64 = 1024;
/// What a budget leaves for the answer where the client sets no limit (LiteLLM's number).
const ANSWER: u64 = 4096;

/// Members of `additionalModelRequestFields`. Gives the request a limit of tokens where a budget needs one.
pub(super) fn fields(request: &mut Request, model: &Model<'_>, budgets: &ThinkingBudgets) -> Object {
    let Some(reasoning) = request.reasoning.clone() else { return Object::new() };
    let off = reasoning.enabled == Some(false) || reasoning.effort.as_deref() == Some("none");
    if off {
        return Object::new();
    }
    if model.is_nova_2() {
        let effort = match reasoning.effort.as_deref() {
            Some("minimal" | "low") => "low",
            Some("high" | "xhigh" | "max") => "high",
            _ => "medium",
        };
        return object(json!({ "reasoningConfig": { "type": "enabled", "maxReasoningEffort": effort } }));
    }
    if model.claude.is_none() && (model.is_gpt_oss() || !model.is_opaque()) {
        let effort = reasoning.effort.map(|e| if e == "minimal" { "low".to_owned() } else { e });
        return effort.map(|effort| object(json!({ "reasoning_effort": effort }))).unwrap_or_default();
    }
    claude(request, &reasoning, model, budgets)
}

/// Whether these fields make a Claude think, which forbids to force a tool.
pub(super) fn thinks(fields: &Object) -> bool {
    fields.contains_key("thinking")
}

fn claude(
    request: &mut Request,
    reasoning: &Reasoning,
    model: &Model<'_>,
    budgets: &ThinkingBudgets,
) -> Object {
    let adaptive = reasoning.adaptive || (reasoning.budget.is_none() && reasoning.effort.is_some());
    // From 4.7 on there is no budget any more: the model decides.
    if model.claude_since(4, 7) || (model.claude_since(4, 6) && adaptive) {
        return adaptive_fields(reasoning, model);
    }
    let Some(budget) = budget(request, reasoning, budgets) else { return Object::new() };
    request.max_tokens = request.max_tokens.or(Some(budget.saturating_add(ANSWER)));
    object(json!({ "thinking": { "type": "enabled", "budget_tokens": budget } }))
}

fn adaptive_fields(reasoning: &Reasoning, model: &Model<'_>) -> Object {
    let mut fields = object(json!({ "thinking": { "type": "adaptive" } }));
    let effort = match reasoning.effort.as_deref() {
        Some("minimal") => Some("low"),
        Some("xhigh") if !model.claude_since(4, 7) => Some("max"),
        other => other,
    };
    if let Some(effort) = effort {
        fields.insert("output_config".to_owned(), json!({ "effort": effort }));
    }
    fields
}

/// The client's budget as it is; one that follows from an effort stays below the limit of tokens, or is none.
fn budget(request: &Request, reasoning: &Reasoning, budgets: &ThinkingBudgets) -> Option<u64> {
    if let Some(budget) = reasoning.budget {
        return Some(budget.max(LEAST));
    }
    let effort = reasoning.effort.as_deref().unwrap_or("medium");
    let budget = budgets.of(effort)?.max(LEAST);
    let below = request.max_tokens.map_or(u64::MAX, |max| max.saturating_sub(1));
    Some(budget.min(below)).filter(|budget| *budget >= LEAST)
}

fn object(value: serde_json::Value) -> Object {
    match value {
        serde_json::Value::Object(object) => object,
        _ => Object::new(),
    }
}
