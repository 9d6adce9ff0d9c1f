//! What may be set of a key, a team or a user.

use super::resources::Resource;
use anyhow::{Context, bail};
use clap::Args;
use serde_json::{Map, Value};
use weir_core::domain::money::NanoUsd;

#[derive(Args, Default)]
pub(super) struct Fields {
    /// The id of a new team or user; generated when left out.
    #[arg(long = "id", value_name = "ID")]
    new_id: Option<String>,
    /// A readable name.
    #[arg(long)]
    alias: Option<String>,
    /// The team of a key.
    #[arg(long)]
    team: Option<String>,
    /// The user of a key.
    #[arg(long)]
    user: Option<String>,
    /// The email address of a user.
    #[arg(long)]
    email: Option<String>,
    /// The role of a user: proxy_admin, proxy_admin_viewer, internal_user …
    #[arg(long)]
    role: Option<String>,
    /// The models that may be used, separated by commas.
    #[arg(long, value_delimiter = ',')]
    models: Option<Vec<String>>,
    /// The budget, in US dollars.
    #[arg(long)]
    max_budget: Option<String>,
    /// How often the budget starts again: 30d, 1mo …
    #[arg(long)]
    budget_duration: Option<String>,
    /// How long a key is valid; -1 for ever.
    #[arg(long, allow_hyphen_values = true)]
    duration: Option<String>,
    /// Requests per minute.
    #[arg(long)]
    rpm: Option<u64>,
    /// Tokens per minute.
    #[arg(long)]
    tpm: Option<u64>,
    /// Any other field, as JSON or text: --set metadata='{"a": 1}'. May be repeated; null clears the field.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    set: Vec<String>,
}

impl Fields {
    /// The members of a request; what is not given is not among them.
    pub(super) fn body(&self, resource: &Resource) -> anyhow::Result<Map<String, Value>> {
        let text = |value: &Option<String>| value.as_deref().map(Value::from);
        if resource.id == "key" && self.new_id.is_some() {
            bail!("everybody on this machine could see a key given here; let the gateway generate it");
        }
        let money = self.max_budget.as_deref().map(dollars).transpose()?;
        let given = [
            (resource.id, text(&self.new_id)),
            (resource.alias, text(&self.alias)),
            ("team_id", text(&self.team)),
            ("user_id", text(&self.user)),
            ("user_email", text(&self.email)),
            ("user_role", text(&self.role)),
            ("models", self.models.clone().map(Value::from)),
            ("max_budget", money),
            ("budget_duration", text(&self.budget_duration)),
            ("duration", text(&self.duration)),
            ("rpm_limit", self.rpm.map(Value::from)),
            ("tpm_limit", self.tpm.map(Value::from)),
        ];
        let mut body: Map<String, Value> =
            given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
        for set in &self.set {
            let Some((name, value)) = set.split_once('=') else { bail!("--set {set:?}: write NAME=VALUE") };
            body.insert(name.trim().to_owned(), serde_json::from_str(value).unwrap_or_else(|_| value.into()));
        }
        Ok(body)
    }
}

/// An amount, checked here: a float of a shell script may be anything.
fn dollars(text: &str) -> anyhow::Result<Value> {
    let exact = NanoUsd::parse(text.trim()).ok().filter(|amount| amount.0 >= 0);
    let Some(exact) = exact else {
        bail!("--max-budget {text:?} is no amount of dollars: write it like 12.50")
    };
    serde_json::from_str(exact.json().get()).context("--max-budget")
}

#[cfg(test)]
mod tests {
    use super::super::resources::{KEYS, TEAMS};
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_is_given_is_sent() {
        let fields = Fields {
            alias: Some("ci".into()),
            max_budget: Some("12.50".into()),
            models: Some(vec!["a".into(), "b".into()]),
            set: vec!["metadata={\"a\": 1}".into(), "soft_budget=null".into(), "note=plain=text".into()],
            ..Fields::default()
        };
        let expected = json!({
            "key_alias": "ci", "models": ["a", "b"], "max_budget": 12.5, "metadata": {"a": 1}, "soft_budget": null,
            "note": "plain=text",
        });
        assert_eq!(Value::Object(fields.body(&KEYS).unwrap()), expected);
        assert_eq!(fields.body(&TEAMS).unwrap()["team_alias"], "ci");
    }

    #[test]
    fn an_amount_that_is_none_is_refused_here() {
        for bad in ["-1", "ten", "", "NaN"] {
            let fields = Fields { max_budget: Some(bad.into()), ..Fields::default() };
            assert!(fields.body(&KEYS).is_err(), "{bad}");
        }
        let fields = Fields { set: vec!["no-value".into()], ..Fields::default() };
        assert!(fields.body(&KEYS).is_err());
    }
}
