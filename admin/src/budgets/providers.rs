//! `/provider/budgets`: what providers, deployments and all keys together may cost in a period, and how that stands. LiteLLM
//! tells this to anybody, and of providers only; where nothing is configured it answers 500.

use crate::answer::{Object, Raw, raw};
use crate::context::Context;
use crate::error::Refusal;
use axum::Json;
use std::collections::BTreeMap;
use weir_core::config::Config;
use weir_core::domain::period::{Period, WindowBudget};
use weir_core::ports::SpendScope;
use weir_core::time;

type Told = BTreeMap<String, Object>;

pub(super) async fn list(context: Context) -> Result<Json<Object>, Refusal> {
    let config = (context.services.config)();
    let providers = config.router.provider_budgets.clone();
    let deployments = config.models.iter();
    let deployments =
        deployments.filter_map(|entry| Some((entry.id.clone(), entry.params.budget?))).collect();
    let providers = told(&context, &config, SpendScope::ProviderPeriod, providers).await?;
    let deployments = told(&context, &config, SpendScope::DeploymentPeriod, deployments).await?;
    let gateway = config.litellm.budget.map(|budget| (String::new(), budget)).into_iter().collect();
    let gateway = told(&context, &config, SpendScope::Gateway, gateway).await?.into_values().next();
    Ok(Json(Object(vec![
        ("providers", raw(&providers)),
        ("deployments", raw(&deployments)),
        ("gateway", raw(&gateway)),
    ])))
}

/// `budgets`: by whom they are about; that of the gateway is about nobody.
async fn told(
    context: &Context,
    config: &Config,
    scope: SpendScope,
    budgets: Vec<(String, WindowBudget)>,
) -> Result<Told, Refusal> {
    let (zone, now) = (config.litellm.zone(), time::now());
    let account = |(whom, budget): &(String, WindowBudget)| {
        let whom = Some(whom.as_str()).filter(|_| scope != SpendScope::Gateway);
        WindowBudget::account(budget.end(now, &zone), whom.as_slice())
    };
    let accounts: Vec<String> = budgets.iter().map(account).collect();
    let spent = context.services.spend.spent(scope, &accounts).await?;
    let one = |((whom, budget), account): ((String, WindowBudget), &String)| {
        let spent = spent.get(account).copied().unwrap_or_default();
        let ends: Option<Raw> = budget.end(now, &zone).map(|end| raw(&end.rfc3339()));
        let object = Object(vec![
            ("budget_limit", budget.cap.json()),
            ("time_period", raw(&budget.period.map(Period::told))),
            ("spend", spent.json()),
            ("budget_reset_at", ends.unwrap_or_default()),
        ]);
        (whom, object)
    };
    Ok(budgets.into_iter().zip(&accounts).map(one).collect())
}
