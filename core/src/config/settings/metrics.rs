//! Which metrics are shown, and with which labels: settings of LiteLLM's prometheus callback. What is read here counts from
//! the next start on.

use super::super::problems::{Problems, did_you_mean};
use super::super::section::Section;
use super::super::tree::Node;
use crate::metrics::{Row, TABLE, metadata_label, tag_label};

/// `litellm_settings.prometheus_*` and its kin.
#[derive(Clone, Debug, Default)]
pub struct MetricsSettings {
    /// LiteLLM's metrics that are shown, where not all are (`prometheus_metrics_config`).
    pub shown: Option<Vec<ShownMetric>>,
    /// Members of a request's or a key's metadata that become labels (`custom_prometheus_metadata_labels`).
    pub metadata_labels: Vec<String>,
    /// Tags that become labels, with `*` for any text (`custom_prometheus_tags`).
    pub tags: Vec<String>,
    /// Customers are told apart.
    pub end_users: bool,
    /// Budgets of all keys, teams and users are shown from the start, not only of those that have sent something.
    pub all_budgets: bool,
    /// What answers to `prometheus_system`: metrics of Redis, the ledger, queues and the parts of a request.
    pub service_callback: Vec<String>,
}

/// A metric that is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownMetric {
    /// As the table calls it.
    pub name: &'static str,
    /// Those of its labels that are shown; `None`: all.
    pub labels: Option<Vec<String>>,
}

impl MetricsSettings {
    pub(super) fn read(s: &Section, problems: &mut Problems) -> Self {
        let bool = |name: &str| s.bool(name).unwrap_or(false);
        let texts = |name: &str| s.texts(name).unwrap_or_default();
        let metadata_labels = texts("custom_prometheus_metadata_labels");
        let tags = texts("custom_prometheus_tags");
        let own = metadata_labels.iter().map(|name| metadata_label(name));
        let own: Vec<String> = own.chain(tags.iter().map(|tag| tag_label(tag))).collect();
        let hidden =
            bool("disable_end_user_cost_tracking_prometheus_only") || bool("disable_end_user_cost_tracking");
        Self {
            shown: s.node("prometheus_metrics_config").map(|node| shown(s, node, &own, problems)),
            metadata_labels,
            tags,
            end_users: bool("enable_end_user_cost_tracking_prometheus_only") && !hidden,
            all_budgets: bool("prometheus_initialize_budget_metrics"),
            service_callback: texts("service_callback"),
        }
    }

    /// Whether metrics of services beside the gateway are shown.
    pub fn system(&self) -> bool {
        self.service_callback.iter().any(|name| name == "prometheus_system")
    }
}

/// The metrics of all groups. One that two groups name is shown as the later says, as in LiteLLM. `own`: labels that the
/// operator wishes for.
fn shown(s: &Section, groups: &Node, own: &[String], problems: &mut Problems) -> Vec<ShownMetric> {
    let mut all: Vec<ShownMetric> = Vec::new();
    for group in groups.items() {
        let labels = group.get("include_labels").and_then(Node::as_texts);
        for name in group.get("metrics").and_then(Node::as_texts).unwrap_or_default() {
            let Some(row) = TABLE.iter().find(|row| row.is_called(&name)) else {
                unknown(s, "metric", &name, TABLE.iter().map(|row| row.name), problems);
                continue;
            };
            let others: Vec<&String> = labels.iter().flatten().filter(|label| !own.contains(label)).collect();
            check(s, row, &others, problems);
            all.retain(|metric| metric.name != row.name);
            all.push(ShownMetric { name: row.name, labels: labels.clone() });
        }
    }
    all
}

fn check(s: &Section, row: &Row, labels: &[&String], problems: &mut Problems) {
    let known = |label: &str| TABLE.iter().any(|row| row.labels.contains(&label));
    for label in labels.iter().filter(|label| !known(label)) {
        unknown(s, "label", label, row.labels.iter().copied(), problems);
    }
}

fn unknown(
    s: &Section,
    what: &str,
    name: &str,
    known: impl Iterator<Item = &'static str>,
    problems: &mut Problems,
) {
    let at = s.place("prometheus_metrics_config");
    let cure = match did_you_mean(name, known) {
        cure if cure.is_empty() => format!("leave it out, or name a {what} that /metrics shows"),
        cure => cure,
    };
    problems.warn(&at, format!("there is no {what} {name:?}"), cure);
}
