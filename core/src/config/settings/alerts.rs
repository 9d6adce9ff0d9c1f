//! `general_settings.alerting` and what belongs to it: who is told, of what, and when.

use super::super::env::Env;
use super::super::problems::{Problems, did_you_mean};
use super::super::section::Section;
use super::super::tree::{Node, Value};
use super::env_node;
use secrecy::SecretString;
use std::time::Duration;

/// LiteLLM's defaults.
const THRESHOLD: Duration = Duration::from_secs(300);
const BUDGET_TTL: Duration = Duration::from_secs(86_400);
const OUTAGE_TTL: Duration = Duration::from_secs(60);
const MINOR: u32 = 5;
const MAJOR: u32 = 10;
/// LiteLLM's is half a day; here a day is told when it is over.
const DAILY: Duration = DAY;
const WEEKLY: Duration = Duration::from_secs(7 * DAY.as_secs());

const DAY: Duration = Duration::from_secs(86_400);

const SLACK: &str = "slack";
const WEBHOOK: &str = "webhook";

/// Kinds of alerts, by LiteLLM's names.
pub const ALERT_TYPES: [&str; 9] = [
    "budget_alerts",
    "cooldown_deployment",
    "daily_reports",
    "db_exceptions",
    "failed_tracking_spend",
    "llm_requests_hanging",
    "llm_too_slow",
    "outage_alerts",
    "spend_reports",
];

/// LiteLLM's others, of which nobody is told.
const OTHERS: [&str; 12] = [
    "fallback_reports",
    "internal_user_created",
    "internal_user_deleted",
    "internal_user_updated",
    "llm_exceptions",
    "new_internal_user_created",
    "new_model_added",
    "new_virtual_key_created",
    "region_outage_alerts",
    "team_created",
    "virtual_key_deleted",
    "virtual_key_updated",
];

/// Who is told of what.
#[derive(Clone, Debug)]
pub struct AlertSettings {
    /// `slack`, `webhook`; empty: nobody.
    pub alerting: Vec<String>,
    /// Of [`ALERT_TYPES`]; `None`: all.
    pub types: Option<Vec<String>>,
    /// Addresses of their own for some kinds of alerts, in Slack's form.
    pub by_type: Vec<(String, Vec<SecretString>)>,
    pub slack: Option<SecretString>,
    pub webhook: Option<SecretString>,
    /// What takes longer is slow, and hangs as long as it goes on.
    pub threshold: Duration,
    /// After which somebody is told again of a budget that does not begin anew.
    pub budget_ttl: Duration,
    /// In which failures of a deployment are counted, and how many make an outage.
    pub outage_ttl: Duration,
    pub minor_outage: u32,
    pub major_outage: u32,
    /// Days of a daily report, at least one.
    pub daily_report_days: i64,
    /// Days of a report of what was spent, at least one.
    pub spend_report_days: i64,
}

impl AlertSettings {
    pub(super) fn read(s: &Section, env: &Env, problems: &mut Problems) -> Self {
        let args = s.node("alerting_args");
        let arg = |name: &str| args.and_then(|args| args.get(name));
        let seconds = |name: &str, usual| arg(name).and_then(Node::as_duration).unwrap_or(usual);
        let count = |name: &str, usual: u32| {
            arg(name).and_then(Node::as_u64).map_or(usual, |n| u32::try_from(n).unwrap_or(u32::MAX))
        };
        let address = |name: &str| env.filled(name).map(SecretString::from);
        let usual_threshold =
            || env_node(env, "DEFAULT_SLACK_ALERTING_THRESHOLD").as_ref().and_then(Node::as_duration);
        let settings = Self {
            alerting: s.texts("alerting").unwrap_or_default(),
            types: s.texts("alert_types"),
            by_type: s.node("alert_to_webhook_url").map(by_type).unwrap_or_default(),
            slack: address("SLACK_WEBHOOK_URL"),
            webhook: address("WEBHOOK_URL"),
            threshold: s.seconds("alerting_threshold").or_else(usual_threshold).unwrap_or(THRESHOLD),
            budget_ttl: seconds("budget_alert_ttl", BUDGET_TTL),
            outage_ttl: seconds("outage_alert_ttl", OUTAGE_TTL),
            minor_outage: count("minor_outage_alert_threshold", MINOR),
            major_outage: count("major_outage_alert_threshold", MAJOR),
            daily_report_days: days(seconds("daily_report_frequency", DAILY)),
            spend_report_days: days(s.seconds("spend_report_frequency").unwrap_or(WEEKLY)),
        };
        settings.check(s, problems);
        settings
    }

    /// `router_settings.alerting_config`: Slack's address, and what is slow where `general_settings` do not say it.
    pub(in super::super) fn or_of_router(&mut self, router: &Section, general: &Section) {
        let config = router.node("alerting_config");
        let said = |name: &str| config.and_then(|config| config.get(name));
        let Some(address) = said("webhook_url").and_then(Node::as_text).filter(|url| !url.is_empty()) else {
            return;
        };
        self.slack = Some(SecretString::from(address));
        if !self.to_slack() {
            self.alerting.push(SLACK.to_owned());
        }
        let threshold = said("alerting_threshold").and_then(Node::as_duration);
        if let Some(threshold) = threshold.filter(|_| general.node("alerting_threshold").is_none()) {
            self.threshold = threshold;
        }
    }

    pub fn to_slack(&self) -> bool {
        self.alerting.iter().any(|name| name == SLACK)
    }

    pub fn to_webhook(&self) -> bool {
        self.alerting.iter().any(|name| name == WEBHOOK)
    }

    /// Whether anybody is told of this kind.
    pub fn tells(&self, kind: &str) -> bool {
        self.types.as_ref().is_none_or(|types| types.iter().any(|name| name == kind))
    }

    fn check(&self, s: &Section, problems: &mut Problems) {
        let apart = s.seconds("spend_report_frequency").unwrap_or(WEEKLY);
        if apart != DAY.saturating_mul(u32::try_from(self.spend_report_days).unwrap_or(u32::MAX)) {
            let message = format!("reports are of whole days: {} d", self.spend_report_days);
            problems.warn(&s.place("spend_report_frequency"), message, "write it like 7d");
        }
        for name in self.alerting.iter().filter(|name| ![SLACK, WEBHOOK].contains(&name.as_str())) {
            let message = format!("nobody is told by {name:?}");
            problems.warn(&s.place("alerting"), message, "use slack or webhook");
        }
        let lacks = |wanted: bool, address: &Option<SecretString>| wanted && address.is_none();
        if lacks(self.to_slack(), &self.slack) && self.by_type.is_empty() {
            problems.warn(&s.place("alerting"), "slack has no address", "set SLACK_WEBHOOK_URL");
        }
        if lacks(self.to_webhook(), &self.webhook) {
            problems.warn(&s.place("alerting"), "webhook has no address", "set WEBHOOK_URL");
        }
        for name in self.types.iter().flatten().filter(|name| !ALERT_TYPES.contains(&name.as_str())) {
            let at = s.place("alert_types");
            match OTHERS.contains(&name.as_str()) {
                true => problems.note(&at, format!("there are no alerts of {name:?} yet")),
                false => problems.warn(
                    &at,
                    format!("there is no alert type {name:?}"),
                    did_you_mean(name, ALERT_TYPES.iter().copied()),
                ),
            }
        }
    }
}

/// Whole days, a part of one counts as one; nobody waits longer than a year.
fn days(time: Duration) -> i64 {
    i64::try_from(time.as_secs().div_ceil(DAY.as_secs())).unwrap_or(i64::MAX).clamp(1, 366)
}

/// One address or several for each kind.
fn by_type(map: &Node) -> Vec<(String, Vec<SecretString>)> {
    let one = |node: &Node| match &node.value {
        Value::Text(text) if !text.is_empty() => Some(SecretString::from(text.as_str())),
        _ => None,
    };
    let addresses = |node: &Node| match node.items() {
        [] => one(node).into_iter().collect(),
        items => items.iter().filter_map(one).collect(),
    };
    map.entries().iter().map(|(kind, node)| (kind.clone(), addresses(node))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn read(settings: &str) -> (AlertSettings, String) {
        let text = format!("general_settings: {{{settings}}}\n");
        let (config, problems) = Config::from_text(&text, &Env::default(), &[]);
        (config.unwrap_or_else(|| panic!("{problems}")).general.alerts, problems.to_string())
    }

    #[test]
    fn reports_are_of_whole_days() {
        for (settings, days, told) in [
            ("", (1, 7), false),
            ("spend_report_frequency: 30d", (1, 30), false),
            ("spend_report_frequency: 12h", (1, 1), true),
            ("alerting_args: {daily_report_frequency: 43200}", (1, 7), false),
            ("alerting_args: {daily_report_frequency: 172800}", (2, 7), false),
        ] {
            let (alerts, problems) = read(settings);
            assert_eq!((alerts.daily_report_days, alerts.spend_report_days), days, "{settings}");
            assert_eq!(problems.contains("whole days"), told, "{problems}");
        }
    }

    #[test]
    fn a_router_may_name_slacks_address() {
        let read = |general: &str| {
            let text = format!(
                "general_settings: {{{general}}}\nrouter_settings: {{alerting_config: {{webhook_url: \"http://s.test/x\", \
                 alerting_threshold: 30}}}}\n"
            );
            let (config, problems) = Config::from_text(&text, &Env::default(), &[]);
            config.unwrap_or_else(|| panic!("{problems}")).general.alerts
        };
        let alerts = read("");
        assert!(alerts.to_slack() && alerts.slack.is_some());
        assert_eq!(alerts.threshold, Duration::from_secs(30));
        assert_eq!(read("alerting_threshold: 7").threshold, Duration::from_secs(7));
    }

    #[test]
    fn spend_reports_are_told() {
        let (alerts, problems) = read("alert_types: [spend_reports]");
        assert!(alerts.tells("spend_reports") && !problems.contains("spend_reports"), "{problems}");
    }
}
