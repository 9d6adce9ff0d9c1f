//! Budgets that begin anew with the clock: of all keys together, and of single models of a key or a team
//! (`model_max_budget`). They have no record of their own; see [`WindowBudget`].

use super::account::Near;
use super::{Budgets, Estimate, Scope};
use crate::deployment::Deployment;
use crate::exchange::Exchange;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use weir_core::config::{BudgetMode, LitellmSettings};
use weir_core::domain::key::Principal;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::period::{Period, TimeZone, WindowBudget};
use weir_core::domain::spend::{BudgetSeen, SpendScope};
use weir_core::error::ApiError;
use weir_core::time::Micros;

/// One budget in the period that is now.
pub struct Window {
    pub kind: SpendScope,
    /// The account's name.
    pub id: String,
    cap: NanoUsd,
    ends_at: Option<Micros>,
    /// How people call whom it is about.
    alias: Option<String>,
    near: Near,
}

impl Window {
    fn of(kind: SpendScope, budget: WindowBudget, whom: &[&str], now: Micros, zone: &TimeZone) -> Self {
        let ends_at = budget.end(now, zone);
        let id = WindowBudget::account(ends_at, whom);
        Self { kind, id, cap: budget.cap, ends_at, alias: None, near: Near::new() }
    }

    pub fn scope(&self) -> Scope<'_> {
        let alias = self.alias.as_deref();
        let (id, near) = (self.id.as_str(), Some(&self.near));
        Scope { kind: self.kind, id, cap: self.cap, resets_at: self.ends_at, alias, near }
    }
}

/// The budgets of one period that count requests of one caller for one model, as long as nothing of that changes.
pub struct Open {
    pub windows: Vec<Window>,
    /// From when they are right, and until when.
    from: Micros,
    until: Micros,
    /// What they follow from beside the caller.
    gateway: Option<WindowBudget>,
    zone: Option<String>,
}

impl Open {
    pub(super) fn of(known: &Principal, settings: &LitellmSettings, model: &str, now: Micros) -> Self {
        let windows = windows(known, settings, model, now);
        // Periods of several days end so many days after today, so that each day has ends of its own.
        let midnight = Period::Days(1).end(now, &settings.zone()).unwrap_or(now);
        let ends = windows.iter().filter_map(|window| window.ends_at);
        let until = ends.fold(midnight, Micros::min);
        Self { windows, from: now, until, gateway: settings.budget, zone: settings.timezone.clone() }
    }

    pub(super) fn is_right(&self, settings: &LitellmSettings, now: Micros) -> bool {
        (self.from..self.until).contains(&now)
            && self.gateway == settings.budget
            && self.zone == settings.timezone
    }
}

/// The name under which model budgets stand in a record.
const OF_MODELS: &str = "model_max_budget";

/// Whether any may apply: asked of every request, so that those without pay nothing more.
pub fn any(known: &Principal, settings: &LitellmSettings) -> bool {
    let of_budget = || known.budgets.key.as_ref().is_some_and(|budget| !budget.model_max_budget.is_empty());
    let of_team = || known.team.as_ref().is_some_and(|team| team.extra.contains_key(OF_MODELS));
    settings.budget.is_some() || known.key.extra.contains_key(OF_MODELS) || of_team() || of_budget()
}

/// What one session may cost. `session`: as the client calls it; another key's is another one.
pub fn of_session(
    known: &Principal,
    session: &str,
    cap: NanoUsd,
    settings: &LitellmSettings,
    now: Micros,
) -> Window {
    // So that sessions do not pile up for ever.
    let budget = WindowBudget { cap, period: Some(Period::Months(1)) };
    Window::of(SpendScope::Session, budget, &[&known.key.first_hash().hex(), session], now, &settings.zone())
}

/// What a session of the UI may cost (`max_ui_session_budget`).
pub fn of_ui(known: &Principal, settings: &LitellmSettings, now: Micros) -> Option<Window> {
    known.session.as_ref()?;
    Some(of_session(known, "ui", settings.ui_session_budget?, settings, now))
}

/// What requests with a tag may cost in a period (`tag_budget_config`).
pub fn of_tag(tag: &str, budget: WindowBudget, settings: &LitellmSettings, now: Micros) -> Window {
    Window::of(SpendScope::TagPeriod, budget, &[tag], now, &settings.zone())
}

/// Holds what a request may cost of the budgets of the deployment that is to be asked, and of its provider. Nothing is held
/// where it has none. What an earlier attempt held is given back.
///
/// # Errors
/// LiteLLM's 429: another deployment may have room.
pub async fn hold_of_deployment(
    budgets: &Budgets,
    x: &mut Exchange,
    deployment: &Deployment,
) -> Result<(), ApiError> {
    (x.deployment_hold, x.deployment_accounts) = (None, Vec::new());
    if deployment.budgets.is_empty() || x.caller.hash().is_none() || x.request.operation.counts() {
        return Ok(());
    }
    let config = Arc::clone(&x.snapshot.config);
    if config.general.keeping.without_budgets {
        return Ok(());
    }
    let open = of_deployment(deployment, &config.litellm, x.clock.started_at);
    x.deployment_accounts = open.iter().map(|window| (window.kind, window.id.clone())).collect();
    let estimate = match config.weir.budget_mode {
        BudgetMode::Hold => Estimate::of_one(x, deployment),
        BudgetMode::Litellm => Estimate::NOTHING,
    };
    let scopes: Vec<Scope<'_>> = open.iter().map(Window::scope).collect();
    match budgets.hold(&scopes, &estimate, Duration::ZERO).await {
        Ok(hold) => {
            note(&mut x.explained.budgets, hold.seen(&scopes));
            x.deployment_hold = Some(hold);
            Ok(())
        }
        Err(unspent) if unspent.is_for_want_of_the_ledger() && config.weir.serves_without_ledger => Ok(()),
        Err(unspent) => {
            note(&mut x.explained.budgets, unspent.seen());
            Err(unspent.crossed())
        }
    }
}

/// Budgets that are noted of all attempts together.
const MOST_SEEN: usize = 32;

/// Each budget once, as it was when it was looked at first.
fn note(all: &mut Vec<BudgetSeen>, seen: impl IntoIterator<Item = BudgetSeen>) {
    for one in seen {
        let known = all.iter().any(|other| other.scope == one.scope && other.id == one.id);
        if !known && all.len() < MOST_SEEN {
            all.push(one);
        }
    }
}

/// Budgets of a deployment and of its provider.
pub fn of_deployment(deployment: &Deployment, settings: &LitellmSettings, now: Micros) -> Vec<Window> {
    let zone = settings.zone();
    let budgets = deployment.budgets.iter();
    budgets.map(|(kind, whom, budget)| Window::of(*kind, *budget, &[whom], now, &zone)).collect()
}

/// Those that a request of this caller for this model counts against. `model`: as it was asked for.
fn windows(known: &Principal, settings: &LitellmSettings, model: &str, now: Micros) -> Vec<Window> {
    let zone = settings.zone();
    let mut all = Vec::new();
    if let Some(budget) = settings.budget {
        all.push(Window::of(SpendScope::Gateway, budget, &[], now, &zone));
    }
    if let Some(budget) = of_key(known, model) {
        let hash = known.key.first_hash().hex();
        let alias = known.key.alias.clone();
        let window = Window::of(SpendScope::KeyModel, budget, &[&hash, model], now, &zone);
        all.push(Window { alias, ..window });
    }
    let team = known.team.as_ref();
    if let Some((team, budget)) =
        team.and_then(|team| Some((team, of_model(team.extra.get(OF_MODELS)?, model)?)))
    {
        let window = Window::of(SpendScope::TeamModel, budget, &[&team.id, model], now, &zone);
        all.push(Window { alias: team.alias.clone(), ..window });
    }
    all
}

/// A shared budget's amounts replace the key's own, as in LiteLLM.
fn of_key(known: &Principal, model: &str) -> Option<WindowBudget> {
    match known.budgets.key.as_ref().filter(|budget| !budget.model_max_budget.is_empty()) {
        Some(shared) => find(|name| shared.model_max_budget.get(name), model),
        None => of_model(known.key.extra.get(OF_MODELS)?, model),
    }
}

fn of_model(all: &Value, model: &str) -> Option<WindowBudget> {
    find(|name| all.get(name), model)
}

/// By the model as it was asked for, else by what follows its last slash. An amount of zero is none, as in LiteLLM.
fn find<'a>(get: impl Fn(&str) -> Option<&'a Value>, model: &str) -> Option<WindowBudget> {
    let short = model.rsplit('/').next().unwrap_or(model);
    let written = get(model).or_else(|| get(short))?;
    let of = |names: [&str; 2]| {
        names.into_iter().find_map(|name| written.get(name)).filter(|value| !value.is_null())
    };
    let cap = NanoUsd::parse(&text(of(["budget_limit", "max_budget"])?)).ok().filter(|cap| cap.0 > 0)?;
    let period = of(["time_period", "budget_duration"]).and_then(|period| Period::parse(&text(period)));
    Some(WindowBudget { cap, period })
}

/// Numbers may be written as text.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Policy;
    use serde_json::json;
    use weir_core::config::{Config, Env};
    use weir_core::domain::key::KeyRecord;

    fn cap(all: &Value, model: &str) -> Option<(i64, Option<Period>)> {
        of_model(all, model).map(|budget| (budget.cap.0, budget.period))
    }

    #[test]
    fn budgets_of_models_are_read_as_litellm_reads_them() {
        let all = json!({
            "gpt-4o": { "budget_limit": "0.01", "time_period": "1d" }, "o3": { "max_budget": 1e-5, "budget_duration": "1mo" },
            "free": { "budget_limit": 0 }, "odd": 7, "ever": { "max_budget": 2 },
        });
        assert_eq!(cap(&all, "gpt-4o"), Some((10_000_000, Period::parse("1d"))));
        assert_eq!(
            cap(&all, "openai/gpt-4o"),
            Some((10_000_000, Period::parse("1d"))),
            "without the provider"
        );
        assert_eq!(cap(&all, "o3"), Some((10_000, Period::parse("1mo"))));
        assert_eq!(cap(&all, "ever"), Some((2_000_000_000, None)));
        for none in ["free", "odd", "gpt-4o-mini"] {
            assert_eq!(cap(&all, none), None, "{none}");
        }
    }

    #[test]
    fn p17_what_is_kept_of_a_period_ends_with_it() {
        let text = "litellm_settings: {timezone: Europe/Berlin}";
        let config = Config::from_text(text, &Env::default(), &[]).0.unwrap();
        let mut key = KeyRecord::new("sk-of-models");
        let budget = |period: &str| json!({"budget_limit": 1, "time_period": period});
        let all = json!({"hourly": budget("1h"), "weekly": budget("7d"), "odd": budget("10d"), "ever": {"budget_limit": 1}});
        key.extra.insert(OF_MODELS.to_owned(), all);
        let known = Principal::of(key);
        let at = |time: &str| Micros::parse_rfc3339(time).unwrap();
        let open = |model: &str, time: &str| {
            Policy::of(&known).budgets.open(&known, &config.litellm, model, at(time))
        };
        let ids = |windows: &[Window]| windows.iter().map(|window| window.id.clone()).collect::<Vec<_>>();
        for time in [
            "2026-11-25T21:10:00Z",
            "2026-11-25T21:59:59.999999Z",
            "2026-11-25T22:00:00Z",
            "2026-11-25T23:00:00Z", // midnight in Berlin
            "2026-11-29T23:00:00Z",
            "2026-11-25T22:30:00Z", // a clock that was set back
        ] {
            for model in ["hourly", "weekly", "odd", "ever", "none"] {
                let now = windows(&known, &config.litellm, model, at(time));
                assert_eq!(ids(&open(model, time).windows), ids(&now), "{model} at {time}");
            }
        }
        let first = open("weekly", "2026-11-25T22:31:00Z");
        assert!(Arc::ptr_eq(&first, &open("weekly", "2026-11-25T22:59:00Z")), "it is worked out once");
    }
}
