//! `litellm_settings.key_generation_settings`: who may make keys, and what each of them has to say.

use super::super::problems::{Problems, did_you_mean};
use super::super::section::Section;
use super::super::tree::Node;

/// Who makes keys, beside what a role may anyway. Empty: nothing is asked.
#[derive(Clone, Debug, Default)]
pub struct KeyGeneration {
    /// Keys of a team; roles are those in the team (`admin`, `user`).
    pub team: Makers,
    /// All others; roles are those of users (`proxy_admin`, `internal_user` …).
    pub personal: Makers,
}

#[derive(Clone, Debug, Default)]
pub struct Makers {
    /// `None`: any role that may.
    pub roles: Option<Vec<String>>,
    /// Fields that a request has to have, whoever sends it.
    pub required: Vec<String>,
}

const SETTING: &str = "key_generation_settings";
/// A kind of keys, and LiteLLM's name of the roles that make them.
static KINDS: [(&str, &str); 2] =
    [("team_key_generation", "allowed_team_member_roles"), ("personal_key_generation", "allowed_user_roles")];
const REQUIRED: &str = "required_params";

impl KeyGeneration {
    pub(super) fn read(s: &Section, problems: &mut Problems) -> Self {
        let Some(node) = s.node(SETTING) else { return Self::default() };
        for (name, _) in
            node.entries().iter().filter(|(name, _)| KINDS.iter().all(|(known, _)| known != name))
        {
            told_unknown(s, name, &KINDS.map(|(known, _)| known), problems);
        }
        let [team, personal] = KINDS.map(|(kind, roles)| makers(s, node.get(kind), roles, problems));
        Self { team, personal }
    }
}

fn makers(s: &Section, node: Option<&Node>, roles: &'static str, problems: &mut Problems) -> Makers {
    let Some(node) = node else { return Makers::default() };
    for (name, _) in node.entries().iter().filter(|(name, _)| name != roles && name != REQUIRED) {
        told_unknown(s, name, &[roles, REQUIRED], problems);
    }
    let texts = |name: &str| node.get(name).and_then(Node::as_texts);
    Makers { roles: texts(roles), required: texts(REQUIRED).unwrap_or_default() }
}

/// Nobody shall believe in a bound that is not there.
fn told_unknown(s: &Section, name: &str, known: &[&'static str], problems: &mut Problems) {
    let near = did_you_mean(name, known.iter().copied());
    let cure = if near.is_empty() { format!("it holds {}", known.join(", ")) } else { near };
    problems.error(&s.place(SETTING), format!("{name:?} is not understood"), cure);
}

#[cfg(test)]
mod tests {
    use crate::config::Config;
    use crate::config::env::Env;

    #[test]
    fn a_misspelt_bound_is_an_error() {
        for (settings, told) in [
            ("{team_key_generation: {allowed_team_member_roles: [admin], required_params: [tags]}}", None),
            ("{team_key_generations: {}}", Some("\"team_key_generations\" is not understood")),
            ("{personal_key_generation: {allowed_roles: []}}", Some("\"allowed_roles\" is not understood")),
        ] {
            let text = format!("litellm_settings: {{key_generation_settings: {settings}}}\n");
            let (config, problems) = Config::from_text(&text, &Env::default(), &[]);
            assert_eq!(config.is_none(), told.is_some(), "{problems}");
            assert!(told.is_none_or(|told| problems.to_string().contains(told)), "{problems}");
        }
    }
}
