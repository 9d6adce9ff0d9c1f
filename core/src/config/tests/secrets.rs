//! Nothing that is shown contains a secret.

use super::load;
use crate::config::env::Env;
use crate::config::file::ConfigFile;
use crate::config::problems::Problems;
use crate::config::tree::parse;

const MARK: &str = "s3cr3t";

/// A secret in every place that can hold one, from the file and from the environment.
const TEXT: &str = "\
credential_list:
  - {credential_name: c, credential_values: {api_key: s3cr3t-1}}
environment_variables: {OPENAI_API_KEY: s3cr3t-2}
model_list:
  - model_name: m
    litellm_params:
      model: azure/m
      api_key: s3cr3t-3
      azure_ad_token: s3cr3t-4
      client_secret: s3cr3t-5
      aws_secret_access_key: s3cr3t-6
      extra_headers: {authorization: Bearer s3cr3t-7}
      extra_body: {key: s3cr3t-8}
      metadata: {key: os.environ/SECRET}
      made_up_key: s3cr3t-9
  - model_name: n
    litellm_params: {model: openai/n, litellm_credential_name: c}
    model_info: {note: s3cr3t-10}
general_settings: {master_key: s3cr3t-11, database_url: \"postgres://u:s3cr3t-12@h/d\"}
";

const VARS: &[(&str, &str)] = &[("SECRET", "s3cr3t-13"), ("PROXY_MASTER_KEY", "s3cr3t-14")];

#[test]
fn p35_a_configuration_shows_no_secret() {
    let (config, problems) = load(TEXT, VARS);
    let config = config.unwrap_or_else(|| panic!("{problems}"));
    let shown = format!("{config:?} {:#?} {problems} {problems:?} {:?}", config.models, config.env);
    assert!(!shown.contains(MARK), "{shown}");
    let tree = parse(TEXT, 0).unwrap();
    let file = ConfigFile::read(&tree, &mut Problems::default());
    assert!(!format!("{tree:?} {file:?}").contains(MARK));
}

#[test]
fn p35_a_message_about_a_wrong_value_does_not_quote_it() {
    let text = "\
model_list:
  - {model_name: m, litellm_params: {model: os.environ/A, api_base: os.environ/A, rpm: os.environ/A, weight: os.environ/A}}
  - {model_name: n, litellm_params: {model: openai/n, api_base: \"https://u:s3cr3t@h\", extra_headers: {a: \"s3cr3t\\n\"}}}
router_settings: {routing_strategy: os.environ/A, fallbacks: [os.environ/A]}
weir_settings: {metrics: os.environ/A, drain_delay: s3cr3t, trusted_proxies: [os.environ/A]}
general_settings: {master_key: [s3cr3t], max_request_size_mb: s3cr3t}
";
    let (config, problems) = load(text, &[("A", "s3cr3t")]);
    assert!(config.is_none() && problems.iter().count() >= 9, "{problems}");
    assert!(!problems.to_string().contains(MARK), "{problems}");
}

#[test]
fn the_processes_environment_is_not_shown() {
    assert_eq!(format!("{:?}", Env::of([("A", MARK)])), "Env(1 variables)");
}
