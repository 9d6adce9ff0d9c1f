//! What a request would be held to, and how that stands. Nothing is held, counted or booked.

use crate::budgets::{Scope, Window, of_deployment};
use crate::deployment::Deployment;
use crate::exchange::{Exchange, Named};
use crate::filters::{aim, all_budgets, all_limits, named, open_budgets, relaxed};
use crate::policy::Policy;
use crate::rates::{RateLimits, Standing};
use crate::services::Services;
use serde_json::{Value, json};
use std::sync::Arc;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::rates::Rate;
use weir_core::error::{ApiError, Kind};
use weir_core::ports::{Holders, LedgerError, SpendScope, SpendStore};
use weir_core::time::Micros;

/// Looks things up for requests that are not made.
pub struct Explainer {
    holders: Arc<dyn Holders>,
    rates: Arc<RateLimits>,
    spend: Arc<dyn SpendStore>,
}

/// A budget as it is booked.
#[derive(Debug)]
pub struct Budget {
    kind: SpendScope,
    whom: String,
    cap: NanoUsd,
    spent: NanoUsd,
    resets_at: Option<Micros>,
}

impl Explainer {
    pub fn new(services: &Services, spend: Arc<dyn SpendStore>) -> Self {
        Self { holders: Arc::clone(&services.holders), rates: Arc::clone(&services.rates), spend }
    }

    /// Finds what is asked for, and who beside the key, as the filters would.
    ///
    /// # Errors
    /// There is no such model, or the caller may not use it.
    pub async fn aim(&self, x: &mut Exchange) -> Result<(), ApiError> {
        aim(x)?;
        let named = named(self.holders.as_ref(), x).await;
        x.target.region = named.customer.as_ref().and_then(|(_, holder)| holder.region.clone());
        x.holders = Some(Box::new(named));
        Ok(())
    }

    /// Of everybody whom the request would cost something.
    ///
    /// # Errors
    /// The ledger is away.
    pub async fn budgets(&self, x: &Exchange) -> Result<Vec<Budget>, ApiError> {
        let known = x.caller.principal();
        let policy = known.map(Policy::of).unwrap_or_default();
        let open = open_budgets(x, known, &policy);
        let nobody = Named::default();
        let named = x.holders.as_deref().unwrap_or(&nobody);
        let of_caller = known.map(|known| (known, policy.budgets.ids(known)));
        let all = all_budgets(of_caller, named, &open, x.clock.started_at);
        self.standing(&all).await
    }

    /// Of a deployment and its provider.
    ///
    /// # Errors
    /// The ledger is away.
    pub async fn budgets_of(&self, x: &Exchange, deployment: &Deployment) -> Result<Vec<Budget>, ApiError> {
        let open = of_deployment(deployment, &x.snapshot.config.litellm, x.clock.started_at);
        let scopes: Vec<Scope<'_>> = open.iter().map(Window::scope).collect();
        self.standing(&scopes).await
    }

    async fn standing(&self, scopes: &[Scope<'_>]) -> Result<Vec<Budget>, ApiError> {
        let mut budgets = Vec::with_capacity(scopes.len());
        for scope in scopes {
            let spent = self.spend.spent(scope.kind, &[scope.id.to_owned()]).await.map_err(away)?;
            budgets.push(Budget {
                kind: scope.kind,
                whom: scope.kind.whom(scope.id),
                cap: scope.cap,
                spent: spent.get(scope.id).copied().unwrap_or_default(),
                resets_at: scope.resets_at,
            });
        }
        Ok(budgets)
    }

    /// Rate limits that the request would be counted by, and what is left of them, as far as this process has heard.
    pub fn limits(&self, x: &Exchange) -> Vec<Standing> {
        let relaxed = relaxed(x, &self.rates);
        let scopes = all_limits(x.caller.principal(), x.holders.as_deref(), &x.target.requested, relaxed);
        self.rates.look(&scopes, x.clock.now())
    }
}

fn away(error: LedgerError) -> ApiError {
    ApiError::new(Kind::LedgerUnavailable, "Budgets cannot be checked, because the database is unreachable.")
        .because(error)
}

impl Budget {
    /// Nothing is left of it.
    pub fn is_spent(&self) -> bool {
        self.spent >= self.cap
    }

    /// Whose it is, in words.
    pub fn name(&self) -> String {
        format!("{} {}", self.kind.as_str(), self.whom).trim_end().to_owned()
    }

    pub fn told(&self) -> Value {
        let left = NanoUsd(self.cap.0.saturating_sub(self.spent.0).max(0));
        json!({
            "scope": self.kind.as_str(),
            "id": self.whom,
            "spent": self.spent.told(),
            "max_budget": self.cap.told(),
            "remaining": left.told(),
            "reset_at": self.resets_at.map(Micros::rfc3339),
        })
    }
}

impl Standing {
    /// In words for people who ask how they stand.
    pub fn told(&self) -> Value {
        // Requests under way are over when they are over.
        let ends = (self.rate != Rate::Parallel).then(|| self.ends.rfc3339());
        json!({
            "scope": self.descriptor.as_str(),
            "of": self.rate.as_str(),
            "limit": self.limit,
            "remaining": self.remaining,
            "reset_at": ends,
        })
    }
}
