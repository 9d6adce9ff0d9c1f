//! What new keys get where a request says nothing, and what no key may have more of: `default_key_generate_params` and
//! `upperbound_key_generate_params` of `litellm_settings`.

use crate::duration;
use crate::error::{Refusal, detail};
use crate::input::Fields;
use serde_json::json;
use weir_core::config::LitellmSettings;
use weir_core::domain::money::NanoUsd;
use weir_core::time;

/// What may have a default. LiteLLM looks at nothing else, but has a setting of its own for soft budgets.
static DEFAULTED: &[&str] = &[
    "max_budget",
    "soft_budget",
    "user_id",
    "team_id",
    "max_parallel_requests",
    "tpm_limit",
    "rpm_limit",
    "budget_duration",
    "duration",
    "models",
    "metadata",
];

/// What may have a bound.
static NUMBERS: &[&str] = &["max_budget", "max_parallel_requests", "tpm_limit", "rpm_limit"];
static TIMES: &[&str] = &["budget_duration", "duration"];

/// For a key that is made: what is not said is the default, else as much as is allowed.
pub(super) fn of_new(settings: &LitellmSettings, sent: &mut Fields) -> Result<(), Refusal> {
    for (name, value) in settings.default_key.iter().filter(|(name, _)| DEFAULTED.contains(name)) {
        sent.fill(name, value);
    }
    for (name, most) in bounds(settings) {
        sent.fill(name, most);
    }
    kept(settings, sent)
}

/// For a key that is changed: null would be without bound.
pub(super) fn of_changed(settings: &LitellmSettings, sent: &mut Fields) -> Result<(), Refusal> {
    for (name, most) in bounds(settings) {
        if sent.has(name) {
            sent.fill(name, most);
        }
    }
    kept(settings, sent)
}

fn bounds(settings: &LitellmSettings) -> impl Iterator<Item = (&str, &str)> {
    let bounded =
        settings.upperbound_key.iter().filter(|(name, _)| NUMBERS.contains(name) || TIMES.contains(name));
    bounded.filter(|(_, most)| *most != "null")
}

fn kept(settings: &LitellmSettings, sent: &Fields) -> Result<(), Refusal> {
    for (name, most) in bounds(settings) {
        let Some(value) = sent.said(name) else { continue };
        let (value, most) = (value.trim_matches('"'), most.trim_matches('"'));
        let over = if NUMBERS.contains(&name) { is_more(value, most) } else { is_longer(value, most) };
        if over {
            let message =
                format!("{name} is over max limit set in config - user_value={value}; max_value={most}");
            return Err(detail(400, &json!({ "error": message })));
        }
    }
    Ok(())
}

/// Money and counts alike, as decimal text. What is no amount is more than any: it is not let through.
fn is_more(value: &str, most: &str) -> bool {
    let Ok(most) = NanoUsd::parse(most) else { return false };
    NanoUsd::parse(value).map_or(true, |value| value > most)
}

/// `-1` is for ever. What is no time is told by whoever reads it.
fn is_longer(value: &str, most: &str) -> bool {
    let now = time::now();
    let Ok(most) = duration::after(now, most) else { return false };
    value == "-1" || value.is_empty() || duration::after(now, value).is_ok_and(|end| end > most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_and_times_are_compared_and_for_ever_is_longest() {
        for (value, most, over) in
            [("10", "10.0", false), ("10.01", "10", true), ("99999999999999", "10", true), ("x", "10", true)]
        {
            assert_eq!(is_more(value, most), over, "{value} of {most}");
        }
        for (value, most, over) in
            [("7d", "1w", false), ("8d", "1w", true), ("-1", "1w", true), ("60s", "1m", false)]
        {
            assert_eq!(is_longer(value, most), over, "{value} of {most}");
        }
    }
}
