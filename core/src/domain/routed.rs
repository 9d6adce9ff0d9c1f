//! What a key, or its team, says of how its requests are routed (`router_settings`). What they leave out is the operator's.

use serde_json::{Map, Value};
use std::time::Duration;

/// Where both the key and its team say something, the key's count alone, as with LiteLLM.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Routed {
    pub num_retries: Option<u32>,
    /// For an attempt at a deployment that says nothing of it, and for all attempts together.
    pub timeout: Option<Duration>,
    /// Shortest wait before a retry.
    pub retry_after: Option<Duration>,
    pub fallbacks: Lists,
    pub context_window_fallbacks: Lists,
    pub content_policy_fallbacks: Lists,
}

/// A group, or `*`, and the names of those that are asked after it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lists(Vec<(String, Vec<String>)>);

/// The member of a record that holds them.
const NAME: &str = "router_settings";
/// Retries that one request may have, whoever asks for them.
const MOST_RETRIES: u64 = 10;
const LONGEST: f64 = 86_400.0;

impl Routed {
    /// Of records with such members beside their own.
    pub fn of(key: &Map<String, Value>, team: Option<&Map<String, Value>>) -> Self {
        let said = |record: &Map<String, Value>| record.get(NAME)?.as_object().filter(says).map(Self::read);
        said(key).or_else(|| said(team?)).unwrap_or_default()
    }

    fn read(settings: &Map<String, Value>) -> Self {
        let retries = settings.get("num_retries").and_then(Value::as_u64);
        let lists = |name: &str| settings.get(name).map(Lists::read).unwrap_or_default();
        Self {
            num_retries: retries.and_then(|retries| u32::try_from(retries.min(MOST_RETRIES)).ok()),
            timeout: settings.get("timeout").and_then(seconds).filter(|timeout| !timeout.is_zero()),
            retry_after: settings.get("retry_after").and_then(seconds),
            fallbacks: lists("fallbacks"),
            context_window_fallbacks: lists("context_window_fallbacks"),
            content_policy_fallbacks: lists("content_policy_fallbacks"),
        }
    }
}

impl Lists {
    /// `[{group: [name, …]}, …]`; a single name may stand without its list.
    fn read(written: &Value) -> Self {
        let members = written.as_array().into_iter().flatten().filter_map(Value::as_object).flatten();
        Self(members.map(|(group, names)| (group.clone(), texts(names))).collect())
    }

    /// The names for this group, else those for all.
    pub fn of(&self, group: &str) -> Option<&[String]> {
        let of = |wanted: &str| self.0.iter().find(|(group, _)| group == wanted);
        of(group).or_else(|| of("*")).map(|(_, names)| names.as_slice())
    }
}

/// LiteLLM's clients send every setting that there is, and null for those that say nothing.
fn says(settings: &&Map<String, Value>) -> bool {
    let is_empty = |value: &Value| match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    };
    settings.values().any(|value| !is_empty(value))
}

fn seconds(value: &Value) -> Option<Duration> {
    let seconds = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())?;
    (0.0..=LONGEST).contains(&seconds).then(|| Duration::from_secs_f64(seconds))
}

fn texts(value: &Value) -> Vec<String> {
    let listed = value.as_array().into_iter().flatten().filter_map(Value::as_str);
    value.as_str().into_iter().chain(listed).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn record(settings: Value) -> Map<String, Value> {
        Map::from_iter([(NAME.to_owned(), settings)])
    }

    #[test]
    fn a_keys_settings_count_in_the_place_of_its_teams() {
        let team = record(json!({"num_retries": 3, "fallbacks": [{"a": ["b", "c"]}, {"*": "d"}]}));
        let of = |key: Value| Routed::of(&record(key), Some(&team));
        let teams = Routed::of(&Map::new(), Some(&team));
        assert_eq!(teams.num_retries, Some(3));
        assert_eq!(teams.fallbacks.of("a"), Some(&["b".to_owned(), "c".to_owned()][..]));
        assert_eq!(teams.fallbacks.of("other"), Some(&["d".to_owned()][..]));
        let silent = json!({"num_retries": null, "fallbacks": [], "model_group_alias": {}});
        assert_eq!(of(silent), teams, "says nothing");
        let own = of(json!({"timeout": "2.5", "retry_after": 1}));
        assert_eq!(
            (own.timeout, own.retry_after),
            (Some(Duration::from_millis(2500)), Some(Duration::from_secs(1)))
        );
        assert_eq!((own.num_retries, own.fallbacks.of("a")), (None, None));
    }

    #[test]
    fn what_cannot_be_understood_says_nothing() {
        for settings in [
            json!("text"),
            json!({"num_retries": -1, "timeout": 0, "retry_after": "soon"}),
            json!({"timeout": 1e300, "fallbacks": "a", "context_window_fallbacks": [7, "a"]}),
        ] {
            assert_eq!(Routed::of(&record(settings.clone()), None), Routed::default(), "{settings}");
        }
        assert_eq!(Routed::of(&record(json!({"num_retries": 1_000})), None).num_retries, Some(10));
    }
}
