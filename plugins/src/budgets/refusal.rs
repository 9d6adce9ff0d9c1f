//! Why a budget does not allow a request, in LiteLLM's words.

use super::Scope;
use serde_json::{Value, json};
use std::time::Duration;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::period::WindowBudget;
use weir_core::domain::spend::BudgetSeen;
use weir_core::error::{ApiError, Kind};
use weir_core::ports::{LedgerError, SpendScope};
use weir_core::time::Micros;

/// A budget that does not allow a request.
#[derive(Debug)]
pub struct Unspent {
    kind: SpendScope,
    id: String,
    cap: NanoUsd,
    resets_at: Option<Micros>,
    alias: Option<String>,
    why: Why,
}

#[derive(Debug)]
pub enum Why {
    /// So much is spent that this request does not fit.
    Exceeded(NanoUsd),
    /// It would fit, but for what other requests may still cost.
    Held(NanoUsd),
    /// The ledger is away, and what it had given is spent.
    Unavailable(String),
}

/// Longer than anybody waits for a retry.
const NEXT_PERIOD: Duration = Duration::from_secs(60);
/// When whoever waits for others' holds should come again.
const COME_AGAIN: Duration = Duration::from_secs(5);

impl Unspent {
    fn new(scope: &Scope<'_>, why: Why) -> Self {
        let Scope { kind, id, cap, resets_at, alias, .. } = *scope;
        Self { kind, id: id.to_owned(), cap, resets_at, alias: alias.map(str::to_owned), why }
    }

    pub(super) fn exceeded(scope: &Scope<'_>, spent: NanoUsd) -> Self {
        Self::new(scope, Why::Exceeded(spent))
    }

    pub(super) fn held(scope: &Scope<'_>, spent: NanoUsd) -> Self {
        Self::new(scope, Why::Held(spent))
    }

    pub(super) fn unavailable(scope: &Scope<'_>, error: &LedgerError) -> Self {
        Self::new(scope, Why::Unavailable(error.to_string()))
    }

    /// The ledger is away, so nothing can be asked of it.
    pub fn is_for_want_of_the_ledger(&self) -> bool {
        matches!(self.why, Why::Unavailable(_))
    }

    /// The budget as it was when it refused, for the entry; `None` where nobody could look.
    pub fn seen(&self) -> Option<BudgetSeen> {
        let (Why::Exceeded(spent) | Why::Held(spent)) = self.why else { return None };
        let Self { kind, cap, resets_at, .. } = *self;
        Some(BudgetSeen { scope: kind, id: self.id.clone(), cap, before: spent, resets_at, refused: true })
    }

    /// For the client. `status`: of a budget that is spent, where the operator wants another one than LiteLLM's.
    pub fn error(&self, status: Option<u16>) -> ApiError {
        match &self.why {
            // LiteLLM leaves out all deployments then.
            Why::Exceeded(_) | Why::Held(_) if self.kind == SpendScope::TagPeriod => self.crossed(),
            Why::Exceeded(spent) => {
                let error = ApiError::new(Kind::BudgetExceeded, self.words(*spent));
                let error = error.with_details("budget", self.facts(*spent));
                match status {
                    Some(status) => error.with_status(status),
                    None => error,
                }
            }
            Why::Held(spent) => {
                let message = format!(
                    "The budget of this {} is held by requests in progress ({} spent of {}); try again in a moment.",
                    self.kind.as_str(),
                    spent.told(),
                    self.cap.told()
                );
                ApiError::new(Kind::BudgetHeld, message).with_retry_after(COME_AGAIN)
            }
            Why::Unavailable(why) => {
                let message = format!(
                    "The budget of this {} cannot be checked, because the database is unreachable; try again later.",
                    self.kind.as_str()
                );
                ApiError::new(Kind::BudgetUnavailable, message).because(why)
            }
        }
    }

    /// Where deployments may not be asked. Nobody waits for a budget's next period.
    pub fn crossed(&self) -> ApiError {
        let (Why::Exceeded(spent) | Why::Held(spent)) = &self.why else { return self.error(None) };
        let (kind, id) = match self.kind {
            SpendScope::ProviderPeriod => ("provider", WindowBudget::whom(&self.id)),
            SpendScope::TagPeriod => ("tag", WindowBudget::whom(&self.id)),
            _ => ("deployment", WindowBudget::whom(&self.id)),
        };
        let (spent_so_far, cap) = (spent.told(), self.cap.told());
        let why = match self.why {
            Why::Exceeded(_) => format!("Exceeded budget for {kind} {id}: {spent_so_far} >= {cap}"),
            _ => format!("Requests under way hold the budget of {kind} {id}: {spent_so_far} spent of {cap}"),
        };
        let message = format!("No deployments available - crossed budget: {why}");
        ApiError::new(Kind::NoDeployment, message)
            .with_retry_after(NEXT_PERIOD)
            .with_details("budget", self.facts(*spent))
    }

    /// LiteLLM's message, which names whose budget it is where LiteLLM does.
    fn words(&self, spent: NanoUsd) -> String {
        let (spent, cap, id) = (spent.told(), self.cap.told(), &self.id);
        match self.kind {
            SpendScope::User => format!("ExceededBudget: User={id} over budget. Spend={spent}, Budget={cap}"),
            SpendScope::Customer => {
                format!("ExceededBudget: End User={id} over budget. Spend={spent}, Budget={cap}")
            }
            SpendScope::Team => {
                format!("Budget has been exceeded! Team={id} Current cost: {spent}, Max budget: {cap}")
            }
            SpendScope::Organization => {
                format!(
                    "Budget has been exceeded! Organization={id} Current cost: {spent}, Max budget: {cap}"
                )
            }
            SpendScope::Tag => {
                format!("Budget has been exceeded! Tag={id} Current cost: {spent}, Max budget: {cap}")
            }
            SpendScope::KeyModel | SpendScope::TeamModel => self.words_of_model(),
            _ => format!("Budget has been exceeded! Current cost: {spent}, Max budget: {cap}"),
        }
    }

    /// LiteLLM has words for keys only; a team's follow them.
    fn words_of_model(&self) -> String {
        let whom = WindowBudget::whom(&self.id);
        let (id, model) = whom.split_once(' ').unwrap_or((&whom, ""));
        let alias = self.alias.as_deref().unwrap_or("None");
        match self.kind {
            SpendScope::TeamModel => {
                format!("Team: {id}, team_alias: {alias}, exceeded budget for model={model}")
            }
            _ => format!("LiteLLM Virtual Key: {id}, key_alias: {alias}, exceeded budget for model={model}"),
        }
    }

    /// Whose budget it is, how it stands and when it begins again.
    fn facts(&self, spent: NanoUsd) -> Value {
        json!({
            "scope": self.kind.as_str(),
            "id": self.kind.whom(&self.id),
            "spent": spent.told(),
            "max_budget": self.cap.told(),
            "reset_at": self.resets_at.map(Micros::rfc3339),
        })
    }
}
