//! `additionalModelRequestFields`: what Bedrock hands to the model unseen. Members of the request that nobody knows go
//! there too, as LiteLLM does.

use super::{Model, betas, support, thinking, tools};
use crate::dialects::dialect::Asked;
use serde_json::{Value, json};
use weir_core::chat::{Object, Request};

/// Members of Converse itself that clients and configs pass through.
const TOP_LEVEL: &[&str] = &[
    "guardrailConfig",
    "performanceConfig",
    "requestMetadata",
    "serviceTier",
    "additionalModelResponseFieldPaths",
    "promptVariables",
    "outputConfig",
];

/// Takes from `request.extra` what stands at the top of Converse's body.
pub(super) fn top_level(request: &mut Request) -> Object {
    let mut taken = Object::new();
    for name in TOP_LEVEL {
        if let Some(value) = request.extra.shift_remove(*name).filter(|v| !v.is_null()) {
            taken.insert((*name).to_owned(), value);
        }
    }
    if let Some(tier) = request.service_tier.take().filter(|_| !taken.contains_key("serviceTier")) {
        // OpenAI's `auto` is what Bedrock calls `default`.
        let tier = if tier == "auto" { "default".to_owned() } else { tier };
        taken.insert("serviceTier".to_owned(), json!({ "type": tier }));
    }
    taken
}

/// The rest of `request.extra` and what the model's family wants.
pub(super) fn fields(request: &mut Request, model: &Model<'_>, asked: &Asked<'_>) -> Object {
    let mut fields = Object::new();
    let own = request.extra.shift_remove("additionalModelRequestFields");
    let body_betas = request.extra.shift_remove("anthropic_beta");
    fields.append(&mut std::mem::take(&mut request.extra));
    if let Some(Value::Object(mut own)) = own {
        fields.append(&mut own);
    }
    fields.append(&mut support::allowed_unknown(request));
    fields.append(&mut thinking::fields(request, model, &asked.params.budgets));
    top_k(request, model, &mut fields);
    parallel(request, model, &mut fields);
    let (tools, tool_betas) = tools::of_the_model(request);
    if !tools.is_empty() {
        fields.insert("tools".to_owned(), Value::Array(tools));
    }
    let betas = betas(body_betas.as_ref(), asked, tool_betas, model);
    if !betas.is_empty() {
        fields.insert("anthropic_beta".to_owned(), json!(betas));
    }
    fields
}

fn top_k(request: &mut Request, model: &Model<'_>, fields: &mut Object) {
    let Some(top_k) = request.top_k.take() else { return };
    if model.is_nova() {
        fields.insert("inferenceConfig".to_owned(), json!({ "topK": top_k }));
    } else if model.claude.is_some() || model.is_opaque() {
        fields.insert("top_k".to_owned(), json!(top_k));
    }
}

/// Converse cannot say "one tool at a time"; Claude from 4.5 on takes it in its own words.
fn parallel(request: &Request, model: &Model<'_>, fields: &mut Object) {
    use weir_core::chat::ToolChoice::{Named, Required};
    if request.parallel_tool_calls != Some(false) || request.tools.is_empty() || !model.claude_since(4, 5) {
        return;
    }
    let mut choice = match &request.tool_choice {
        Some(Named(name)) => json!({ "type": "tool", "name": name }),
        Some(Required) => json!({ "type": "any" }),
        _ => json!({ "type": "auto" }),
    };
    choice["disable_parallel_tool_use"] = Value::Bool(true);
    fields.insert("tool_choice".to_owned(), choice);
}

fn betas(
    body: Option<&Value>,
    asked: &Asked<'_>,
    of_tools: Vec<&'static str>,
    model: &Model<'_>,
) -> Vec<&'static str> {
    let headers = asked.headers.get_all("anthropic-beta").iter().filter_map(|value| value.to_str().ok());
    let body = body.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    betas::allowed(headers.chain(body).chain(of_tools), model)
}
