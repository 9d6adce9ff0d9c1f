//! `litellm_settings.default_team_params` and `default_team_settings`.

use super::super::keys::CALLBACK;
use super::super::problems::Problems;
use super::super::section::Section;
use super::super::tree::{Node, Value};
use crate::domain::money::NanoUsd;
use crate::domain::period::{Period, TimeZone};
use crate::domain::records::{Limits, Team};
use crate::time::Micros;

/// What a team gets that an identity provider makes.
#[derive(Clone, Debug, Default)]
pub struct TeamDefaults {
    models: Vec<String>,
    limits: Limits,
}

/// Callbacks that the operator gives a team.
#[derive(Clone, Debug)]
pub struct TeamCallbacks {
    pub team: String,
    pub success: Vec<String>,
    pub failure: Vec<String>,
    /// Their settings, in place of the gateway's own.
    pub vars: Section,
}

const SETTING: &str = "default_team_params";
const LIST: &str = "default_team_settings";
/// The entry of the list that is of no team, but of those that an identity provider makes.
const DEFAULTS: &str = "default-settings";
static NAMES: &[&str] = &["models", "max_budget", "budget_duration", "tpm_limit", "rpm_limit"];

impl TeamDefaults {
    pub(super) fn read(s: &Section, problems: &mut Problems) -> Self {
        let mut team = Self::default();
        let listed = list(s).iter().find(|item| team_of(item) == Some(DEFAULTS));
        for (name, value) in listed.map(Node::entries).unwrap_or_default() {
            if NAMES.contains(&name.as_str()) {
                team.take(LIST, name, value, problems);
            }
        }
        for (name, value) in s.node(SETTING).map(Node::entries).unwrap_or_default() {
            team.take(SETTING, name, value, problems);
        }
        team
    }

    fn take(&mut self, setting: &str, name: &str, value: &Node, problems: &mut Problems) {
        if !value.is_null() && self.set(name, value).is_none() {
            let place = value.place(format!("litellm_settings.{setting}.{name}"));
            problems.error(&place, "not understood", format!("it holds {}", NAMES.join(", ")));
        }
    }

    fn set(&mut self, name: &str, value: &Node) -> Option<()> {
        let number = || i64::try_from(value.as_u64()?).ok();
        match name {
            "models" => self.models = value.as_texts()?,
            "max_budget" => {
                let amount = NanoUsd::parse(&value.as_decimal()?).ok().filter(|amount| amount.0 >= 0)?;
                self.limits.max_budget = Some(amount);
            }
            "budget_duration" => {
                let text = value.as_text().filter(|text| Period::parse(text).is_some())?;
                self.limits.budget_duration = Some(text.to_owned());
            }
            "tpm_limit" => self.limits.tpm_limit = Some(number()?),
            "rpm_limit" => self.limits.rpm_limit = Some(number()?),
            _ => return None,
        }
        Some(())
    }

    /// A team of this id, whose first period begins now.
    pub fn team(&self, id: String, now: Micros, zone: &TimeZone) -> Team {
        let period = self.limits.budget_duration.as_deref().and_then(Period::parse);
        let budget_reset_at = period.and_then(|period| period.end(now, zone));
        let limits = Limits { budget_reset_at, ..self.limits.clone() };
        Team { id, models: self.models.clone(), limits, metadata: String::from("{}"), ..Team::default() }
    }
}

// --- TeamCallbacks ---

impl TeamCallbacks {
    pub(super) fn read(s: &Section, problems: &mut Problems) -> Vec<Self> {
        let mut all = Vec::new();
        for (at, item) in list(s).iter().enumerate() {
            let path = format!("litellm_settings.{LIST}[{at}]");
            match team_of(item) {
                None => {
                    problems.error(&item.place(path), "team_id is missing", "say whose settings these are")
                }
                Some(DEFAULTS) => {}
                Some(team) => all.push(Self::of(team, item, &path, problems)),
            }
        }
        all
    }

    fn of(team: &str, item: &Node, path: &str, problems: &mut Problems) -> Self {
        let texts = |name: &str| item.get(name).and_then(Node::as_texts).unwrap_or_default();
        let vars = item.get("callback_vars").cloned().unwrap_or_else(|| beside(item));
        Self {
            team: team.to_owned(),
            success: texts("success_callback"),
            failure: texts("failure_callback"),
            vars: Section::read(&vars, &CALLBACK, path, problems),
        }
    }
}

fn list(s: &Section) -> &[Node] {
    s.node(LIST).map(Node::items).unwrap_or_default()
}

fn team_of(item: &Node) -> Option<&str> {
    item.get("team_id").and_then(Node::as_text).filter(|team| !team.is_empty())
}

/// What stands beside the names of callbacks.
fn beside(item: &Node) -> Node {
    const NAMES: [&str; 3] = ["team_id", "success_callback", "failure_callback"];
    let rest = item.entries().iter().filter(|(name, _)| !NAMES.contains(&name.as_str()));
    Node { value: Value::Map(rest.cloned().collect()), ..item.clone() }
}
