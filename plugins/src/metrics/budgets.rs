//! Budgets as the ledger knows them: what is left, the whole, and when it begins anew. Gauges that are set now and then,
//! not by requests.

use super::Metrics;
use super::family::Text;
use crate::budgets::Owner;
use std::collections::HashSet;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::spend::SpendScope;
use weir_core::metrics::Name;
use weir_core::time::Micros;

/// What is shown of whose budgets: what is left, the budget, the hours to its end; and the label that says whose.
static SHOWN: &[(SpendScope, [Name; 3], &str)] = &[
    (SpendScope::Key, [Name::KeyBudgetLeft, Name::KeyBudget, Name::KeyBudgetHours], "hashed_api_key"),
    (SpendScope::Team, [Name::TeamBudgetLeft, Name::TeamBudget, Name::TeamBudgetHours], "team"),
    (SpendScope::User, [Name::UserBudgetLeft, Name::UserBudget, Name::UserBudgetHours], "user"),
];

const MICROS_PER_HOUR: f64 = 3.6e9;

impl Metrics {
    /// Shows how somebody's budget stands. `spent`: since it began last.
    pub fn budget(&self, owner: &Owner, spent: NanoUsd, now: Micros) {
        let Some((_, [left, whole, hours], label)) = SHOWN.iter().find(|(scope, ..)| *scope == owner.scope)
        else {
            return;
        };
        let terms = owner.terms();
        // LiteLLM's gauges of budgets say nothing where others say `None`.
        let value = |name: &str| match name {
            name if name == *label => Text::from(&*owner.id),
            _ => Text::from(terms.alias.as_deref().unwrap_or_default()),
        };
        if owner.has_new_terms() {
            for name in [*left, *whole, *hours] {
                self.family(name).forget(&self.room, label, &|id| *id == *owner.id);
            }
        }
        let rest = terms.max.map_or(f64::INFINITY, |max| dollars(NanoUsd(max.0.saturating_sub(spent.0))));
        self.labelled_gauge(*left, &value).set(rest);
        if let Some(max) = terms.max {
            self.labelled_gauge(*whole, &value).set(dollars(max));
        }
        if let Some(at) = terms.resets_at {
            self.labelled_gauge(*hours, &value).set(at.since(now) as f64 / MICROS_PER_HOUR);
        }
    }

    /// Shows what is left of a provider's budget.
    pub fn provider_budget(&self, provider: &str, left: NanoUsd) {
        self.labelled_gauge(Name::ProviderBudgetLeft, &|_| Text::from(provider)).set(dollars(left));
    }

    /// Forgets all series of those who are no more.
    pub fn forget(&self, scope: SpendScope, ids: &HashSet<&str>) {
        let Some((_, _, label)) = SHOWN.iter().find(|(shown, ..)| *shown == scope) else { return };
        if ids.is_empty() {
            return;
        }
        let gone = |id: &str| ids.contains(id);
        self.families.iter().for_each(|family| family.forget(&self.room, label, &gone));
        self.workers.forget(label, &gone);
    }

    /// A deployment is configured no more: it has no state.
    pub fn forget_deployment(&self, id: &str) {
        self.family(Name::DeploymentState).forget(&self.room, "model_id", &|model| model == id);
    }
}

/// Gauges are floats, and exact below nine million dollars.
pub(super) fn dollars(amount: NanoUsd) -> f64 {
    amount.0 as f64 / 1e9
}
