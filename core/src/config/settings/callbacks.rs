//! How callbacks are set up: `callback_settings`, and LiteLLM's older places for some of them.

use super::super::keys::CALLBACK;
use super::super::problems::Problems;
use super::super::section::{Section, join};
use super::super::tree::{Node, Value};

/// Settings by the name of their callback.
#[derive(Clone, Debug, Default)]
pub struct CallbackSettings(Vec<(String, Section)>);

/// Maps of `litellm_settings` that belong to callbacks.
static OLDER: &[(&str, &[&str])] = &[
    ("aws_sqs_callback_params", &["sqs"]),
    ("datadog_params", &["datadog"]),
    ("s3_callback_params", &["s3", "s3_v2"]),
];

/// The same of single settings, with their name in the table.
static SINGLE: &[(&str, &str, &[&str])] = &[
    ("dynamodb_table_name", "dynamodb_table_name", &["dynamodb"]),
    ("generic_logger_headers", "headers", &["generic_api", "custom_callback"]),
    ("langfuse_default_tags", "langfuse_default_tags", &["langfuse"]),
];

impl CallbackSettings {
    /// `top`: the section `callback_settings`, which may stand in `litellm_settings` too.
    pub(in super::super) fn read(top: &Node, litellm: &Section, problems: &mut Problems) -> Self {
        let mut all = Self::default();
        let inner = litellm.node("callback_settings").cloned().unwrap_or_default();
        for (node, path) in [(top, "callback_settings"), (&inner, "litellm_settings.callback_settings")] {
            for (name, settings) in node.entries() {
                let read = Section::read(settings, &CALLBACK, &join(path, name), problems);
                all.lay(name, read.entries(), &read);
            }
        }
        for (setting, names) in OLDER {
            let Some(node) = litellm.node(setting).filter(|node| matches!(node.value, Value::Map(_))) else {
                continue;
            };
            let read = Section::read(node, &CALLBACK, &join("litellm_settings", setting), problems);
            names.iter().for_each(|name| all.lay(name, read.entries(), &read));
        }
        for (setting, own, names) in SINGLE {
            let Some(node) = litellm.node(setting) else { continue };
            let entry = [((*own).to_owned(), node.clone())];
            names.iter().for_each(|name| all.lay(name, &entry, &Section::empty(&CALLBACK)));
        }
        all
    }

    /// What is written first counts. `at`: the section that says where it stands.
    fn lay(&mut self, name: &str, entries: &[(String, Node)], at: &Section) {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, section)) => section.fill(entries),
            None => {
                let mut section = at.clone();
                section.fill(entries);
                self.0.push((name.to_owned(), section));
            }
        }
    }

    /// Those of one callback; empty where nothing is said.
    pub fn of(&self, name: &str) -> Section {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map_or_else(|| Section::empty(&CALLBACK), |(_, section)| section.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::load::Config;
    use crate::config::env::Env;

    #[test]
    fn settings_are_found_wherever_litellm_keeps_them() {
        let text = "\
callback_settings: {generic_api: {endpoint: \"http://a.test\"}, mine: {callback_type: generic_api}}
litellm_settings:
  generic_logger_headers: {authorization: Bearer s3cr3t}
  s3_callback_params: {s3_bucket_name: b, s3_aws_secret_access_key: s3cr3t}
  callback_settings: {generic_api: {endpoint: \"http://b.test\", log_format: ndjson}}
";
        let (config, problems) = Config::from_text(text, &Env::default(), &[]);
        let config = config.unwrap_or_else(|| panic!("{problems}"));
        let generic = config.callbacks.of("generic_api");
        assert_eq!(generic.text("endpoint").as_deref(), Some("http://a.test"), "what is first counts");
        assert_eq!(generic.text("log_format").as_deref(), Some("ndjson"));
        assert!(generic.node("headers").is_some_and(|headers| headers.get("authorization").is_some()));
        assert_eq!(config.callbacks.of("s3_v2").text("s3_bucket_name").as_deref(), Some("b"));
        assert_eq!(config.callbacks.of("mine").text("callback_type").as_deref(), Some("generic_api"));
        assert!(config.callbacks.of("otel").entries().is_empty());
        assert!(!format!("{config:?}").contains("s3cr3t"));
    }
}
