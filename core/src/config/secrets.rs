//! `general_settings.key_management_system`: which secrets are asked of whom before the configuration is read.

use super::env::Env;
use super::include::{Files, ReadFile};
use super::problems::{Place, Problems};
use super::resolve::{self, PREFIX};
use super::section::Section;
use super::tree::{Node, Value};
use super::{Aws, Config};
use std::collections::BTreeSet;

/// Who keeps secrets.
#[derive(Clone, Debug)]
pub enum Keeper {
    /// AWS Secrets Manager.
    Aws(Box<Aws>),
    /// HashiCorp Vault, its key/value store of version 2. Where it is, and who asks, is said by `HCP_VAULT_ADDR` and
    /// its like.
    Vault,
}

/// What a secret manager is to be asked.
#[derive(Clone, Debug)]
pub struct SecretsWanted {
    pub keeper: Keeper,
    /// The one secret of AWS that holds all of them, as a JSON object of texts.
    pub primary: Option<String>,
    /// What they are called, there and as variables. Each once.
    pub names: Vec<String>,
    /// Nothing else may be taken, also of what the primary secret holds (`hosted_keys`).
    pub only_these: bool,
    /// The environment, with `environment_variables` on top.
    pub env: Env,
}

/// LiteLLM's names of those that are asked here.
static AWS: &str = "aws_secret_manager";
static VAULT: &str = "hashicorp_vault";

/// Variables that count without being referred to.
static OWN: &[&str] =
    &["DATABASE_URL", "LITELLM_MASTER_KEY", "LITELLM_SALT_KEY", "UI_PASSWORD", "UI_USERNAME"];

/// Secrets that are asked for one by one.
const MOST: usize = 500;

impl Config {
    /// What the file at `source`, with all it includes, wants of a secret manager. `None`: nothing, or it cannot be read,
    /// which loading it tells.
    pub fn secrets_wanted(source: &str, read: ReadFile<'_>, env: &Env) -> Option<SecretsWanted> {
        let mut problems = Problems::default();
        let mut root = Files::new(read).load(source, &Place::default(), &mut problems)?;
        let general = root.get("general_settings")?;
        let system = general.get("key_management_system")?.as_text()?.to_owned();
        let settings = general.get("key_management_settings").cloned();
        let mut names: BTreeSet<String> = OWN.iter().map(|name| (*name).to_owned()).collect();
        referred(&root, &mut names);
        let env = resolve::environment(&mut root, env, &mut problems);
        let said = |name: &str| text(settings.as_ref()?, name, &env);
        let keeper = match system.as_str() {
            name if name == AWS => Keeper::Aws(Box::new(access(&said))),
            name if name == VAULT => Keeper::Vault,
            _ => return None,
        };
        let primary = said("primary_secret_name").filter(|_| matches!(keeper, Keeper::Aws(_)));
        let hosted = settings.as_ref().and_then(|settings| settings.get("hosted_keys")?.as_texts());
        let only_these = hosted.is_some();
        let names = hosted.unwrap_or_else(|| names.into_iter().collect());
        let names = names.into_iter().take(MOST).collect();
        Some(SecretsWanted { keeper, primary, names, only_these, env })
    }
}

fn access(text: &dyn Fn(&str) -> Option<String>) -> Aws {
    Aws {
        region: text("aws_region_name"),
        profile: text("aws_profile_name"),
        role: text("aws_role_name"),
        session_name: text("aws_session_name"),
        external_id: text("aws_external_id"),
        sts_endpoint: text("aws_sts_endpoint"),
        ..Aws::default()
    }
}

/// As written, or a variable's.
fn text(settings: &Node, name: &str, env: &Env) -> Option<String> {
    let written = settings.get(name)?.as_text()?;
    let said = written.strip_prefix(PREFIX).map_or(Some(written), |name| env.get(name.trim()));
    said.filter(|text| !text.is_empty()).map(str::to_owned)
}

/// The name of every `os.environ/NAME`.
fn referred(node: &Node, names: &mut BTreeSet<String>) {
    match &node.value {
        Value::Text(text) => names.extend(text.strip_prefix(PREFIX).map(|name| name.trim().to_owned())),
        Value::List(items) => items.iter().for_each(|item| referred(item, names)),
        Value::Map(entries) => entries.iter().for_each(|(_, value)| referred(value, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The manager that is named; a warning about one that is asked nothing here.
pub(super) fn system(s: &Section, problems: &mut Problems) -> Option<String> {
    const NAME: &str = "key_management_system";
    let named = s.text(NAME).filter(|name| !name.is_empty())?;
    if ![AWS, VAULT, "local"].contains(&named.as_str()) {
        let cure = format!("it may be {AWS} or {VAULT}; secrets of others can be given as variables");
        problems.warn(&s.place(NAME), "this secret manager is not asked", cure);
    }
    Some(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(general: &str, env: &[(&str, &str)]) -> Option<SecretsWanted> {
        let text = format!(
            "model_list: [{{model_name: m, litellm_params: {{model: openai/m, api_key: os.environ/KEY_OF_M}}}}]\n\
             environment_variables: {{REGION: eu-west-1, MORE: os.environ/DEEPER}}\ngeneral_settings: {{{general}}}\n"
        );
        let read = |_: &str| Ok(text.clone());
        Config::secrets_wanted("config.yaml", &read, &Env::of(env.iter().copied()))
    }

    #[test]
    fn every_variable_that_is_referred_to_is_asked_for() {
        let settings =
            "key_management_settings: {aws_region_name: os.environ/REGION, primary_secret_name: all}";
        let wanted = wanted(&format!("key_management_system: aws_secret_manager, {settings}"), &[]).unwrap();
        for name in ["KEY_OF_M", "DEEPER", "LITELLM_MASTER_KEY", "REGION"] {
            assert!(wanted.names.iter().any(|n| n == name), "{name}: {:?}", wanted.names);
        }
        assert_eq!((wanted.primary.as_deref(), wanted.only_these), (Some("all"), false));
        assert_eq!(wanted.env.get("REGION"), Some("eu-west-1"));
        let Keeper::Aws(aws) = wanted.keeper else { panic!("AWS was named") };
        assert_eq!(aws.region.as_deref(), Some("eu-west-1"));
    }

    #[test]
    fn hosted_keys_are_all_there_are_and_others_managers_are_asked_nothing() {
        let hosted = "key_management_system: hashicorp_vault, key_management_settings: {hosted_keys: [A, B]}";
        let asked = wanted(hosted, &[]).unwrap();
        assert_eq!((asked.names.join(" ").as_str(), asked.only_these), ("A B", true));
        assert!(wanted("key_management_system: azure_key_vault", &[]).is_none());
        assert!(wanted("master_key: sk-1", &[]).is_none());
    }
}
