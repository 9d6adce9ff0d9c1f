//! `infer_model_from_keys`: providers whose keys are in the environment serve all of their models, as `openai/*` in a
//! `model_list` would have them.

use crate::models::unwritten;
use crate::providers::{self, Row};
use weir_core::config::env::Env;
use weir_core::config::{Config, ModelEntry};

/// Adds what the operator has not written, where that is wanted.
pub(crate) fn add(config: &mut Config, env: &Env) {
    if !config.general.infer_models {
        return;
    }
    for row in providers::rows().filter(|row| is_set_up(row, env)) {
        let name = format!("{}/*", row.prefix);
        if config.models.iter().all(|entry| entry.name != name) {
            let mut entry = pattern(row, name);
            config.litellm.library.fill(&mut entry);
            config.models.push(entry);
        }
    }
}

/// A key alone does not say where a provider is that has no address of its own.
fn is_set_up(row: &Row, env: &Env) -> bool {
    let set = |names: &[&str]| names.iter().any(|name| env.filled(name).is_some());
    set(row.key_env) && (!row.base.is_empty() || set(row.base_env))
}

fn pattern(row: &Row, name: String) -> ModelEntry {
    ModelEntry { name, ..unwritten(format!("inferred/{}", row.prefix), row.prefix, "*") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(general: &str, models: &str) -> Vec<String> {
        let text = format!("model_list: [{models}]\ngeneral_settings: {{{general}}}");
        let env = Env::of([("GROQ_API_KEY", "x"), ("OPENAI_API_KEY", "x"), ("AZURE_API_KEY", "x")]);
        let mut config = Config::from_text(&text, &env, &["openai", "groq"]).0.unwrap();
        add(&mut config, &env);
        config.models.into_iter().map(|entry| entry.name).collect()
    }

    #[test]
    fn keys_of_the_environment_open_their_providers_where_that_is_wanted() {
        let written = "{model_name: openai/*, litellm_params: {model: openai/*}}";
        assert_eq!(names("", written), ["openai/*"]);
        let inferred = names("infer_model_from_keys: true", written);
        assert_eq!(
            inferred.iter().filter(|name| *name == "openai/*").count(),
            1,
            "the operator's own counts"
        );
        assert!(inferred.iter().any(|name| name == "groq/*"), "{inferred:?}");
        assert!(!inferred.iter().any(|name| name == "azure/*"), "nobody knows where it is: {inferred:?}");
        assert!(!inferred.iter().any(|name| name == "anthropic/*"), "it has no key: {inferred:?}");
    }

    #[test]
    fn what_all_deployments_have_these_have_too() {
        let text =
            "general_settings: {infer_model_from_keys: true}\nlitellm_settings: {organization: org-all}";
        let env = Env::of([("OPENAI_API_KEY", "x")]);
        let mut config = Config::from_text(text, &env, &["openai"]).0.unwrap();
        add(&mut config, &env);
        let openai = config.models.iter().find(|entry| entry.name == "openai/*").unwrap();
        assert_eq!(openai.params.organization.as_deref(), Some("org-all"));
    }
}
