//! Budgets that end: LiteLLM's events, and their words.

use super::{Alert, Alerts, Level, later, named};
use crate::budgets::{Owner, Terms};
use serde::Serialize;
use serde_json::value::RawValue;
use weir_core::config::AlertSettings;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::spend::SpendScope;
use weir_core::time::Micros;

/// What was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reached {
    /// Somebody is told, and nothing is refused.
    Soft,
    /// So many percent.
    Part(i64),
    All,
}

/// A budget of which something was reached.
struct Standing<'a> {
    scope: SpendScope,
    /// Whose it is; empty for the gateway's own.
    id: &'a str,
    terms: &'a Terms,
    spent: NanoUsd,
    reached: Reached,
}

/// Percent of a budget at which somebody is told, from the top.
const PARTS: [i64; 2] = [95, 85];

/// LiteLLM's `WebhookEvent`.
#[derive(Serialize)]
struct Event<'a> {
    spend: Box<RawValue>,
    max_budget: Option<Box<RawValue>>,
    soft_budget: Option<Box<RawValue>>,
    token: Option<&'a str>,
    key_alias: Option<&'a str>,
    user_id: Option<&'a str>,
    user_email: Option<&'a str>,
    team_id: Option<&'a str>,
    team_alias: Option<&'a str>,
    organization_id: Option<&'a str>,
    customer_id: Option<&'a str>,
    projected_exceeded_date: Option<&'a str>,
    projected_spend: Option<&'a str>,
    event: &'static str,
    event_group: &'static str,
    event_message: &'a str,
}

impl Alerts {
    /// Looks at how somebody's budget stands. `spent`: since it began last.
    pub fn budget(&self, owner: &Owner, spent: NanoUsd, now: Micros, settings: &AlertSettings) {
        if !self.is_on() {
            return;
        }
        let terms = owner.terms();
        for reached in reached(&terms, spent) {
            let standing = Standing { scope: owner.scope, id: &owner.id, terms: &terms, spent, reached };
            self.raise(standing.alert(now, settings), settings);
        }
    }

    /// The same of all that keys may spend together.
    pub fn gateway_budget(
        &self,
        max: NanoUsd,
        resets_at: Option<Micros>,
        spent: NanoUsd,
        now: Micros,
        settings: &AlertSettings,
    ) {
        let terms = Terms { max: Some(max), resets_at, ..Terms::default() };
        for reached in reached(&terms, spent) {
            let standing = Standing { scope: SpendScope::Gateway, id: "", terms: &terms, spent, reached };
            self.raise(standing.alert(now, settings), settings);
        }
    }
}

/// The soft budget by itself, and the furthest of the others.
fn reached(terms: &Terms, spent: NanoUsd) -> impl Iterator<Item = Reached> + use<> {
    let soft = terms.soft.filter(|soft| spent >= *soft).map(|_| Reached::Soft);
    let max = terms.max.and_then(|max| {
        let share = |percent: i64| i128::from(spent.0) * 100 >= i128::from(max.0) * i128::from(percent);
        let part = || PARTS.into_iter().find(|percent| share(*percent)).map(Reached::Part);
        if share(100) { Some(Reached::All) } else { part() }
    });
    soft.into_iter().chain(max)
}

// --- impl Standing ---

impl Standing<'_> {
    fn alert(&self, now: Micros, settings: &AlertSettings) -> Alert {
        let text = self.text();
        let ends = self.ends(now);
        Alert {
            kind: "budget_alerts",
            name: self.name(ends),
            until: ends.unwrap_or_else(|| later(now, settings.budget_ttl)),
            level: if self.reached == Reached::All { Level::High } else { Level::Medium },
            body: self.body(&text),
            text,
        }
    }

    fn ends(&self, now: Micros) -> Option<Micros> {
        self.terms.resets_at.filter(|at| *at > now)
    }

    /// Another budget, or another period of it, has another name, so that it is told of again.
    fn name(&self, ends: Option<Micros>) -> String {
        let whole = if self.reached == Reached::Soft { self.terms.soft } else { self.terms.max };
        format!(
            "budget:{}:{}:{}:{}:{}",
            self.scope.as_str(),
            named(self.id),
            self.reached.percent(),
            whole.unwrap_or_default().0,
            ends.unwrap_or_default().0
        )
    }

    fn text(&self) -> String {
        let (whose, spent) = (self.whose(), self.spent);
        let (max, soft) = (self.terms.max.unwrap_or_default(), self.terms.soft.unwrap_or_default());
        match self.reached {
            Reached::Soft => {
                format!(
                    "{whose}: the soft budget of {soft} $ is reached, {spent} $ are spent. Nothing is refused."
                )
            }
            Reached::Part(percent) => {
                format!("{whose}: {spent} $ of {max} $ are spent, more than {percent} %.")
            }
            Reached::All => format!("{whose} is spent: {spent} $ of {max} $. Requests are refused."),
        }
    }

    fn whose(&self) -> String {
        match (self.scope, self.terms.alias.as_deref()) {
            (SpendScope::Gateway, _) => String::from("The budget of all keys together"),
            (scope, Some(alias)) => format!("The budget of {} {alias} ({})", group(scope), short(self.id)),
            (scope, None) => format!("The budget of {} {}", group(scope), short(self.id)),
        }
    }

    fn body(&self, text: &str) -> String {
        let only = |of: SpendScope| (self.scope == of).then_some(self.id);
        let alias = |of: SpendScope| self.terms.alias.as_deref().filter(|_| self.scope == of);
        let (team, user) = self.id.split_once('\u{1f}').filter(|_| self.scope == SpendScope::Member).unzip();
        let event = Event {
            spend: self.spent.json(),
            max_budget: self.terms.max.map(NanoUsd::json),
            soft_budget: self.terms.soft.map(NanoUsd::json),
            token: only(SpendScope::Key),
            key_alias: alias(SpendScope::Key),
            user_id: only(SpendScope::User).or(user),
            user_email: alias(SpendScope::User).filter(|alias| alias.contains('@')),
            team_id: only(SpendScope::Team).or(team),
            team_alias: alias(SpendScope::Team),
            organization_id: only(SpendScope::Organization),
            customer_id: only(SpendScope::Customer),
            projected_exceeded_date: None,
            projected_spend: None,
            event: self.reached.event(),
            event_group: group(self.scope),
            event_message: text,
        };
        serde_json::to_string(&event).unwrap_or_default()
    }
}

/// A hash by its beginning.
fn short(id: &str) -> &str {
    const LONGEST: usize = 40;
    if id.len() > LONGEST { &id[..id.floor_char_boundary(12)] } else { id }
}

/// LiteLLM's names of entities.
fn group(scope: SpendScope) -> &'static str {
    match scope {
        SpendScope::Gateway => "proxy",
        SpendScope::Member => "team_member",
        SpendScope::Customer => "end_user",
        scope => scope.as_str(),
    }
}

impl Reached {
    fn event(self) -> &'static str {
        match self {
            Self::Soft => "soft_budget_crossed",
            Self::Part(_) => "threshold_crossed",
            Self::All => "budget_crossed",
        }
    }

    /// 0 for the soft budget.
    fn percent(self) -> i64 {
        match self {
            Self::Soft => 0,
            Self::Part(percent) => percent,
            Self::All => 100,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn of(max: Option<i64>, soft: Option<i64>, spent: i64) -> Vec<Reached> {
        let terms = Terms { max: max.map(NanoUsd), soft: soft.map(NanoUsd), ..Terms::default() };
        reached(&terms, NanoUsd(spent)).collect()
    }

    #[test]
    fn the_furthest_mark_and_the_soft_budget_are_told() {
        assert_eq!(of(Some(100), None, 84), []);
        assert_eq!(of(Some(100), None, 85), [Reached::Part(85)]);
        assert_eq!(of(Some(100), None, 95), [Reached::Part(95)]);
        assert_eq!(of(Some(100), None, 100), [Reached::All]);
        assert_eq!(of(Some(100), Some(50), 90), [Reached::Soft, Reached::Part(85)]);
        assert_eq!(of(None, Some(50), 50), [Reached::Soft]);
        assert_eq!(of(None, None, i64::MAX), []);
        assert_eq!(of(Some(i64::MAX), None, i64::MAX), [Reached::All], "no product overflows");
    }

    #[test]
    fn programs_read_litellms_event() {
        let terms = Terms {
            alias: Some(String::from("batch")),
            max: Some(NanoUsd(10_000_000_000)),
            ..Terms::default()
        };
        let (spent, reached) = (NanoUsd(8_600_000_001), Reached::Part(85));
        let standing = Standing { scope: SpendScope::Key, id: "abc", terms: &terms, spent, reached };
        let text = standing.body("words");
        assert!(text.contains("\"spend\":8.600000001"), "exact: {text}");
        let event: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(event["event"], json!("threshold_crossed"));
        assert_eq!((&event["event_group"], &event["token"]), (&json!("key"), &json!("abc")));
        assert_eq!((&event["key_alias"], &event["team_id"]), (&json!("batch"), &json!(null)));
        assert_eq!(event["max_budget"], json!(10));
    }
}
