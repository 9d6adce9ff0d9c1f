//! How budgets stand, and whether anything needs somebody: looked at every few seconds, for metrics and alerts. Where
//! neither is on, nothing is looked at. What is told of whole days is in `reports.rs`.

use crate::state::App;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use weir_core::config::{AlertSettings, Config};
use weir_core::domain::key::KeyRecord;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::period::WindowBudget;
use weir_core::domain::records::{Record, Team, User};
use weir_core::domain::spend::SpendScope;
use weir_core::ports::records::{get_all, list};
use weir_core::ports::{Directory, LedgerResult, LedgerState, RecordQuery, Sort, SpendStore};
use weir_core::time::{self, Micros};
use weir_plugins::budgets::{Owner, Terms, scope_of};

/// Between two looks.
const LOOK: Duration = Duration::from_secs(3);
/// After which everything is looked at, whoever has sent something or not.
const MINUTES: u32 = 5;
/// A batch that the ledger does not take for so long is worth an alert.
const NOT_BOOKED: Duration = Duration::from_secs(120);
/// Looks at the ledger in a row that must fail before it is called away.
const AWAY: u32 = 3;
/// Records in one page.
const PAGE: u32 = 1_000;
const SECOND: i64 = 1_000_000;

/// Who looks.
pub struct Standing {
    pub app: Arc<App>,
    pub directory: Arc<dyn Directory>,
    pub spend: Arc<dyn SpendStore>,
}

/// What is remembered between two looks.
#[derive(Default)]
struct Round {
    /// Looks until everything is looked at.
    left: u32,
    away: u32,
}

impl Standing {
    /// Runs for the life of the process.
    pub async fn run(self) {
        let mut round = Round::default();
        loop {
            let config = Arc::clone(&self.app.snapshot.load().config);
            if self.app.watched.is_on() {
                self.look_at_all(&config, &mut round).await;
                self.look(&config).await;
            }
            if self.app.alerts.is_on() {
                self.look_around(&config.general.alerts, &mut round).await;
            }
            round.left = round.left.saturating_sub(1);
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Everybody's records may have changed without a word: budgets begin anew.
    async fn look_at_all(&self, config: &Config, round: &mut Round) {
        if round.left > 0 {
            return;
        }
        round.left = looks_for_all(config);
        self.app.watched.all_changed();
        if !config.litellm.metrics.all_budgets || !self.app.metrics.recording() {
            return;
        }
        let all = [
            self.enter_all::<KeyRecord>(of_key).await,
            self.enter_all::<Team>(of_team).await,
            self.enter_all::<User>(of_user).await,
        ];
        for error in all.into_iter().filter_map(Result::err) {
            tracing::debug!("budgets are not all shown yet: {error}");
            round.left = 0;
        }
    }

    async fn enter_all<T: Record>(&self, terms: fn(&T) -> Option<Terms>) -> LedgerResult<()> {
        let Some(scope) = scope_of(T::KIND) else { return Ok(()) };
        let query = RecordQuery { sort: Sort::Id, limit: PAGE, ..RecordQuery::default() };
        for offset in (0..).step_by(PAGE as usize) {
            let page = list::<T>(self.directory.as_ref(), &RecordQuery { offset, ..query.clone() }).await?;
            for kept in &page.records {
                if let Some(terms) = terms(&kept.record) {
                    self.app.watched.learn(scope, &kept.record.id(), terms);
                }
            }
            if page.records.len() < PAGE as usize {
                break;
            }
        }
        Ok(())
    }

    /// Those who have sent something, and those whose records were changed.
    async fn look(&self, config: &Config) {
        if let Err(error) = self.read_again().await {
            // They are marked again with the next look at all.
            tracing::debug!("records of budgets are not read: {error}");
        }
        if let Err(error) = self.read_spent(config).await {
            tracing::debug!("budgets are not read: {error}");
        }
    }

    /// Records that were changed, or are gone.
    async fn read_again(&self) -> LedgerResult<()> {
        let stale = self.app.watched.stale();
        self.read_some::<KeyRecord>(&stale, of_key).await?;
        self.read_some::<Team>(&stale, of_team).await?;
        self.read_some::<User>(&stale, of_user).await
    }

    async fn read_some<T: Record>(
        &self,
        stale: &[Arc<Owner>],
        terms: fn(&T) -> Option<Terms>,
    ) -> LedgerResult<()> {
        let Some(scope) = scope_of(T::KIND) else { return Ok(()) };
        let owners: Vec<_> = stale.iter().filter(|owner| owner.scope == scope).collect();
        let ids: Vec<String> = owners.iter().map(|owner| owner.id.to_string()).collect();
        let found = get_all::<T>(self.directory.as_ref(), &ids).await?;
        let found: HashMap<String, Option<Terms>> =
            found.iter().map(|kept| (kept.record.id(), terms(&kept.record))).collect();
        let mut gone = HashSet::new();
        for owner in owners {
            match found.get(&*owner.id) {
                Some(Some(terms)) if !owner.is_fresh() => {
                    self.app.watched.learn(scope, &owner.id, terms.clone());
                }
                // Its own record does not say it all, or nothing new.
                Some(_) => {}
                None => {
                    self.app.watched.forget(owner);
                    gone.insert(&*owner.id);
                }
            }
        }
        // All at once: every series is looked at.
        self.app.metrics.forget(scope, &gone);
        Ok(())
    }

    async fn read_spent(&self, config: &Config) -> LedgerResult<()> {
        let (now, alerts) = (time::now(), &config.general.alerts);
        let mut by_scope: HashMap<SpendScope, Vec<Arc<Owner>>> = HashMap::new();
        for owner in self.app.watched.due() {
            by_scope.entry(owner.scope).or_default().push(owner);
        }
        for (scope, owners) in by_scope {
            let ids: Vec<String> = owners.iter().map(|owner| owner.id.to_string()).collect();
            let spent = self.spend.spent(scope, &ids).await?;
            for owner in owners {
                let spent = spent.get(&*owner.id).copied().unwrap_or_default();
                if self.app.metrics.recording() {
                    self.app.metrics.budget(&owner, spent, now);
                }
                self.app.alerts.budget(&owner, spent, now, alerts);
            }
        }
        self.read_windows(config, now).await
    }

    /// Budgets that have no record: of all keys together, and of providers.
    async fn read_windows(&self, config: &Config, now: Micros) -> LedgerResult<()> {
        let zone = config.litellm.zone();
        if let Some(budget) = config.litellm.budget.filter(|_| self.app.alerts.is_on()) {
            let end = budget.end(now, &zone);
            let spent = self.spent_of(SpendScope::Gateway, WindowBudget::account(end, &[])).await?;
            self.app.alerts.gateway_budget(budget.cap, end, spent, now, &config.general.alerts);
        }
        if !self.app.metrics.recording() {
            return Ok(());
        }
        for (provider, budget) in self.providers() {
            let account = WindowBudget::account(budget.end(now, &zone), &[&provider]);
            let spent = self.spent_of(SpendScope::ProviderPeriod, account).await?;
            self.app.metrics.provider_budget(&provider, NanoUsd(budget.cap.0.saturating_sub(spent.0)));
        }
        Ok(())
    }

    async fn spent_of(&self, scope: SpendScope, account: String) -> LedgerResult<NanoUsd> {
        let spent = self.spend.spent(scope, std::slice::from_ref(&account)).await?;
        Ok(spent.get(&account).copied().unwrap_or_default())
    }

    /// Providers that have a budget.
    fn providers(&self) -> HashMap<String, WindowBudget> {
        let snapshot = self.app.snapshot.load();
        let budgets = snapshot.models.deployments().flat_map(|deployment| &deployment.budgets);
        let of_providers = budgets.filter(|(scope, ..)| *scope == SpendScope::ProviderPeriod);
        of_providers.map(|(_, provider, budget)| (provider.clone(), *budget)).collect()
    }

    // --- what else needs somebody ---

    async fn look_around(&self, settings: &AlertSettings, round: &mut Round) {
        self.app.alerts.look_for_hanging(settings);
        let is_away = self.app.ledger.state() == LedgerState::Degraded;
        round.away = if is_away { round.away.saturating_add(1) } else { 0 };
        if round.away >= AWAY {
            self.app.alerts.ledger_away(settings);
        }
        let waits = self.app.journal.stats().lag();
        if waits > NOT_BOOKED {
            self.app.alerts.not_booked(settings, waits);
        }
        let failing = self.app.desk.states(&self.app.snapshot.load().callbacks);
        self.app.alerts.callbacks_failed(settings, &failing, time::now());
        self.report(settings).await;
    }
}

/// How many looks there are between two at everything, as LiteLLM's variable says it.
fn looks_for_all(config: &Config) -> u32 {
    const NAME: &str = "PROMETHEUS_BUDGET_METRICS_REFRESH_INTERVAL_MINUTES";
    let minutes = config.env.filled(NAME).and_then(|text| text.parse().ok()).unwrap_or(MINUTES);
    let seconds = i64::from(minutes.clamp(1, 1_440)) * 60;
    let look = i64::try_from(LOOK.as_micros()).unwrap_or(SECOND);
    u32::try_from(seconds * SECOND / look).unwrap_or(1).max(1)
}

/// `None`: a shared budget replaces its own amounts, which its next request tells.
fn of_key(key: &KeyRecord) -> Option<Terms> {
    key.budget_id.is_none().then(|| Terms::of(key.alias.as_deref(), &key.limits))
}

fn of_team(team: &Team) -> Option<Terms> {
    Some(Terms::of(team.alias.as_deref(), &team.limits))
}

fn of_user(user: &User) -> Option<Terms> {
    Some(Terms::of(user.email.as_deref().or(user.alias.as_deref()), &user.limits))
}
