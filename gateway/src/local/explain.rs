//! `/utils/explain`: what would become of a request of this key, if it were made now.

use super::utils::{query, refused};
use crate::intake;
use crate::routing::eligible::eligible;
use crate::routing::plan;
use crate::state::App;
use pingora::protocols::http::ServerSession;
use serde_json::{Value, json};
use std::sync::Arc;
use weir_core::domain::ids::new_entry_id;
use weir_core::domain::key::Caller;
use weir_core::domain::operation::{OPERATIONS, Operation};
use weir_core::error::{ApiError, Kind};
use weir_plugins::budgets::Estimate;
use weir_plugins::deployment::Deployment;
use weir_plugins::exchange::{Clock, Exchange};
use weir_plugins::filters::{estimated_input, unknown_model};
use weir_plugins::models::Group;
use weir_plugins::snapshot::Snapshot;
use weir_plugins::tier;

/// One deployment of the group.
struct Candidate {
    deployment: Arc<Deployment>,
    /// Why it would not be asked.
    why_not: Option<String>,
    told: Value,
}

pub(super) async fn explain(
    app: &App,
    down: &mut ServerSession,
    snapshot: &Arc<Snapshot>,
    caller: Caller,
) -> Result<Value, ApiError> {
    let operation = operation(&query(down, "call_type"))?;
    let (mut place, id) = (app.limits.enter()?, new_entry_id());
    let request = intake::read(&snapshot.config, down, &mut place, operation, None, id).await;
    let mut x = Exchange::new(id, Clock::start(), Arc::clone(snapshot), request.map_err(refused)?);
    x.caller = caller;
    app.explainer.aim(&mut x).await?;
    let group = x.target.group.clone().ok_or_else(|| unknown_model(&x.target.requested))?;
    let among = eligible(&x, &group, &app.routing).unwrap_or_default();
    let mut candidates = Vec::with_capacity(group.deployments.len());
    for deployment in &group.deployments {
        let fits = among.iter().any(|other| other.id == deployment.id);
        candidates.push(candidate(app, &x, deployment, fits).await?);
    }
    told(app, &x, &group, &candidates).await
}

/// `?call_type=aembedding`, or the path that it would be sent to; a chat where nothing is said.
fn operation(asked: &str) -> Result<Operation, ApiError> {
    if asked.is_empty() {
        return Ok(Operation::Chat);
    }
    let row = OPERATIONS.iter().find(|row| row.call_type == asked || row.route == asked);
    let unknown = || {
        let message =
            format!("No call is known as {asked:.100}; name a path such as /v1/embeddings in call_type");
        ApiError::new(Kind::BadRequest, message)
    };
    row.map(|row| row.operation).ok_or_else(unknown)
}

/// `fits`: it may be asked, but for its budgets.
async fn candidate(
    app: &App,
    x: &Exchange,
    deployment: &Arc<Deployment>,
    fits: bool,
) -> Result<Candidate, ApiError> {
    let budgets = app.explainer.budgets_of(x, deployment).await?;
    let spent = budgets.iter().find(|budget| budget.is_spent());
    let spent = spent.map(|budget| format!("the budget of {} is spent", budget.name()));
    let why_not = spent.or_else(|| (!fits).then(|| why_not(app, x, deployment)));
    let tier = tier::asked(x, deployment).unwrap_or_default();
    let rates = deployment.price.as_ref().map(|p| p.price.rates(tier, estimated_input(x)));
    let told = json!({
        "id": deployment.id,
        "provider": deployment.provider.prefix,
        "model": deployment.model_label,
        "eligible": why_not.is_none(),
        "reason": why_not,
        "order": deployment.order,
        "input_cost_per_token": rates.as_ref().map(|rates| rates.input.to_string()),
        "output_cost_per_token": rates.as_ref().map(|rates| rates.output.to_string()),
        "max_cost": deployment.price.as_ref().map(|_| Estimate::of_one(x, deployment).most.told()),
        "budgets": budgets.iter().map(|budget| budget.told()).collect::<Vec<_>>(),
    });
    Ok(Candidate { deployment: Arc::clone(deployment), why_not, told })
}

/// As the only one of its group, it is told why; else others are meant by what is asked.
fn why_not(app: &App, x: &Exchange, deployment: &Arc<Deployment>) -> String {
    let alone = Group { name: deployment.group.clone(), deployments: vec![Arc::clone(deployment)] };
    match eligible(x, &alone, &app.routing) {
        Err(error) => error.message().to_owned(),
        Ok(_) => String::from("other deployments of the group are for requests with such tags"),
    }
}

async fn told(app: &App, x: &Exchange, group: &Group, candidates: &[Candidate]) -> Result<Value, ApiError> {
    let chosen = chosen(app, x, group, candidates);
    let estimate = Estimate::of(x, group);
    let (budgets, limits) = (app.explainer.budgets(x).await?, app.explainer.limits(x));
    let spent =
        budgets.iter().filter(|b| b.is_spent()).map(|b| format!("the budget of {} is spent", b.name()));
    let full = limits.iter().filter(|limit| limit.remaining == 0);
    let full = full.map(|l| format!("no {} are left of {}", l.rate.as_str(), l.descriptor.as_str()));
    let mut fallbacks = plan::first_fallbacks(x, &group.name);
    fallbacks.reverse();
    Ok(json!({
        "model": x.target.requested,
        "model_group": group.name,
        "routing_strategy": x.snapshot.config.router.routing_strategy.name(),
        "deployments": candidates.iter().map(|candidate| &candidate.told).collect::<Vec<_>>(),
        "chosen": chosen.as_ref().ok(),
        "reason": chosen.as_ref().err(),
        "fallbacks": fallbacks,
        "refused_because": spent.chain(full).collect::<Vec<_>>(),
        "estimate": {
            "input_tokens": estimated_input(x),
            "min_cost": estimate.least.told(),
            "max_cost": estimate.most.told(),
        },
        "budgets": budgets.iter().map(|budget| budget.told()).collect::<Vec<_>>(),
        "limits": limits.iter().map(|limit| limit.told()).collect::<Vec<_>>(),
    }))
}

/// Whom a request would ask first. Where the strategy draws lots, the next one may ask another.
fn chosen(app: &App, x: &Exchange, group: &Group, candidates: &[Candidate]) -> Result<String, String> {
    let open = candidates.iter().filter(|candidate| candidate.why_not.is_none());
    let open: Vec<_> = open.map(|candidate| Arc::clone(&candidate.deployment)).collect();
    if open.is_empty() {
        return Err(String::from("no deployment of this group may be asked now"));
    }
    let open = Group { name: group.name.clone(), deployments: open };
    let chosen = plan::would_ask(x, &open, &app.routing);
    chosen.map(|deployment| deployment.id.clone()).map_err(|error| error.message().to_owned())
}
