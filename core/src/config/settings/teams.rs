//! `litellm_settings.default_team_params`.

use super::super::problems::Problems;
use super::super::section::Section;
use super::super::tree::Node;
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

const SETTING: &str = "default_team_params";
static NAMES: &[&str] = &["models", "max_budget", "budget_duration", "tpm_limit", "rpm_limit"];

impl TeamDefaults {
    pub(super) fn read(s: &Section, problems: &mut Problems) -> Self {
        let Some(node) = s.node(SETTING) else { return Self::default() };
        let mut team = Self::default();
        for (name, value) in node.entries().iter().filter(|(_, value)| !value.is_null()) {
            if team.set(name, value).is_none() {
                let cure = format!("it holds {}", NAMES.join(", "));
                problems.error(
                    &value.place(format!("litellm_settings.{SETTING}.{name}")),
                    "not understood",
                    cure,
                );
            }
        }
        team
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
