//! Callbacks of a key or a team: `metadata.logging`, as LiteLLM keeps them. The key's stand in for the team's, and the
//! team's for those that the operator gives it (`default_team_settings`).
//!
//! Credentials of keys and teams are their own: what the environment holds is sent to no address that a key names, and a
//! variable that they name (`os.environ/…`) is not looked up.

use super::callback::Events;
use super::{Callback, Tools};
use moka::sync::Cache;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::Arc;
use weir_core::config::TeamCallbacks;
use weir_core::config::keys::CALLBACK;
use weir_core::config::problems::Problems;
use weir_core::config::section::Section;
use weir_core::config::tree;
use weir_core::domain::key::Principal;

/// What one key or team says of callbacks.
#[derive(Default)]
pub(super) struct Own {
    pub(super) to: Vec<Arc<Callback>>,
    /// Nobody is told what its requests say.
    pub(super) silent: bool,
}

/// Those that were met, by what the metadata says.
pub(super) struct Owns {
    tools: Tools,
    met: Cache<String, Arc<Own>>,
    /// What the operator says, by the id of the team.
    teams: HashMap<String, Arc<Own>>,
}

/// Keys and teams whose callbacks are remembered.
const MOST: u64 = 1_000;
/// Callbacks of one.
const MOST_EACH: usize = 16;

#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    logging: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    callback_name: String,
    #[serde(default)]
    callback_type: Kind,
    #[serde(default)]
    callback_vars: Map<String, Value>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Success,
    Failure,
    #[default]
    SuccessAndFailure,
}

impl Owns {
    pub(super) fn new(tools: Tools, problems: &mut Problems) -> Self {
        let said = tools.config.litellm.team_callbacks.iter();
        let teams = said.map(|team| (team.team.clone(), Arc::new(of_team(&tools, team, problems)))).collect();
        Self { tools, met: Cache::new(MOST), teams }
    }

    /// `None`: it names none. Costs two looks for a word where that is so.
    pub(super) fn of(&self, known: &Principal) -> Option<Arc<Own>> {
        let team = known.team.as_ref().map(|team| team.metadata.as_str());
        [Some(known.key.metadata.as_str()), team]
            .into_iter()
            .flatten()
            .find_map(|metadata| self.said(metadata))
            .or_else(|| self.teams.get(known.key.team_id.as_deref()?).cloned())
    }

    fn said(&self, metadata: &str) -> Option<Arc<Own>> {
        if !metadata.contains("\"logging\"") {
            return None;
        }
        let own = self.met.get(metadata).unwrap_or_else(|| {
            let own = Arc::new(self.read(metadata));
            self.met.insert(metadata.to_owned(), Arc::clone(&own));
            own
        });
        (own.silent || !own.to.is_empty()).then_some(own)
    }

    fn read(&self, metadata: &str) -> Own {
        let Ok(Metadata { logging }) = serde_json::from_str(metadata) else {
            tracing::warn!("callbacks of a key or team cannot be read, and are ignored");
            return Own::default();
        };
        let mut own = Own::default();
        for entry in logging.into_iter().take(MOST_EACH) {
            let mut problems = Problems::default();
            let vars = vars(&entry, &mut problems);
            // Also where the entry itself is not heard.
            own.silent |= vars.bool("turn_off_message_logging") == Some(true);
            if let Some(host) = self.forbidden(&entry) {
                tracing::warn!(
                    "a callback of a key or team names {host}, which weir_settings.callback_hosts does not list: it is ignored"
                );
                continue;
            }
            let events = entry.callback_type.events();
            own.to.extend(
                Callback::of_key(&self.tools, &entry.callback_name, events, &vars, &mut problems)
                    .map(Arc::new),
            );
            problems.iter().for_each(|problem| tracing::warn!("{problem}"));
        }
        own
    }

    /// A host that the operator has not allowed, among what names one.
    fn forbidden(&self, entry: &Entry) -> Option<String> {
        let listed = &self.tools.config.weir.callback_hosts;
        let own = self.tools.env.filled("LANGFUSE_HOST").map(host);
        let allowed = |host: &str| {
            LANGFUSE.contains(&host)
                || own == Some(host)
                || listed.iter().any(|one| one.eq_ignore_ascii_case(host))
        };
        let named =
            entry.callback_vars.iter().filter(|(name, _)| ADDRESSES.iter().any(|part| name.contains(part)));
        let mut hosts = named.filter_map(|(_, value)| value.as_str()).map(host);
        hosts.find(|host| !allowed(host)).map(str::to_owned)
    }
}

/// Langfuse's own cloud.
const LANGFUSE: [&str; 3] = ["cloud.langfuse.com", "us.cloud.langfuse.com", "hipaa.cloud.langfuse.com"];
/// Variables that are addresses have one of these in their names.
const ADDRESSES: [&str; 4] = ["host", "endpoint", "url", "base"];

/// The host of an address, with a scheme or without.
fn host(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let place = authority.rsplit('@').next().unwrap_or_default();
    match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((v6, _)) => v6,
        None => place.split(':').next().unwrap_or_default(),
    }
}

/// Each name once, with all that it is told.
fn of_team(tools: &Tools, team: &TeamCallbacks, problems: &mut Problems) -> Own {
    let silent = team.vars.bool("turn_off_message_logging") == Some(true);
    let mut own = Own { to: Vec::new(), silent };
    let success = team.success.iter().map(|name| (name, team.failure.contains(name), true));
    let failure = team.failure.iter().filter(|name| !team.success.contains(name));
    let all = success.chain(failure.map(|name| (name, true, false)));
    for (name, failure, success) in all.take(MOST_EACH) {
        let made = Callback::of_team(tools, name, Events { success, failure }, &team.vars, problems);
        own.to.extend(made.map(Arc::new));
    }
    own
}

/// The entry's variables as settings; their text is YAML as well.
fn vars(entry: &Entry, problems: &mut Problems) -> Section {
    let text = serde_json::to_string(&entry.callback_vars).unwrap_or_default();
    let node = tree::parse(&text, 0).unwrap_or_default();
    Section::read(&node, &CALLBACK, "metadata.logging", problems)
}

impl Kind {
    fn events(self) -> Events {
        match self {
            Kind::Success => Events { success: true, failure: false },
            Kind::Failure => Events { success: false, failure: true },
            Kind::SuccessAndFailure => Events::ALL,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Poster;
    use weir_core::config::{Config, Env};

    #[test]
    fn what_a_key_does_not_want_told_is_not_told_where_its_host_is_not_listed() {
        let env = Arc::new(Env::default());
        let config = Arc::new(Config::from_text("litellm_settings: {}", &env, &[]).0.unwrap());
        let http = Poster::new(&env);
        let owns = Owns::new(Tools { config, env, http }, &mut Problems::default());
        let metadata = r#"{"logging":[{"callback_name":"langfuse",
            "callback_vars":{"langfuse_host":"http://10.0.0.1","turn_off_message_logging":true}}]}"#;
        let own = owns.said(metadata).unwrap();
        assert!(own.silent && own.to.is_empty());
    }

    #[test]
    fn p36_a_host_is_found_however_it_is_written() {
        for (address, expected) in [
            ("https://cloud.langfuse.com", "cloud.langfuse.com"),
            ("cloud.langfuse.com/x", "cloud.langfuse.com"),
            ("http://cloud.langfuse.com@10.0.0.1:80/", "10.0.0.1"),
            ("http://10.0.0.1#@cloud.langfuse.com", "10.0.0.1"),
            ("http://10.0.0.1\\@cloud.langfuse.com", "10.0.0.1"),
            ("http://[::1]:3000/", "::1"),
        ] {
            assert_eq!(host(address), expected, "{address}");
        }
    }
}
