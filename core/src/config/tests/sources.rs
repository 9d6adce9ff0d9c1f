//! Where a configuration comes from: included files, the Helm form, the environment.

use super::{SERVED, good, lines, load};
use crate::config::env::Env;
use crate::config::load::Config;
use crate::config::problems::{Problems, Severity};
use secrecy::ExposeSecret;

fn files(files: &[(&str, &str)]) -> (Option<Config>, Problems) {
    let read = |path: &str| {
        let found = files.iter().find(|(name, _)| *name == path);
        found.map(|(_, text)| (*text).to_owned()).ok_or_else(|| "no such file".to_owned())
    };
    Config::load(files[0].0, &read, &Env::default(), SERVED)
}

const ONE: &str = "model_list: [{model_name: one, litellm_params: {model: openai/one}}]\n";
const TWO: &str = "model_list: [{model_name: two, litellm_params: {model: openai/two}}]\n";

#[test]
fn includes_extend_lists_and_replace_other_sections() {
    let main = format!("include: [parts/two.yaml]\n{ONE}router_settings: {{num_retries: 7}}\n");
    let two = format!("{TWO}router_settings: {{max_fallbacks: 9}}\n");
    let (config, problems) = files(&[("etc/main.yaml", &main), ("etc/parts/two.yaml", &two)]);
    let config = config.unwrap_or_else(|| panic!("{problems}"));
    let names: Vec<_> = config.models.iter().map(|m| m.name.as_str()).collect();
    assert_eq!(names, ["one", "two"]);
    assert_eq!((config.router.num_retries, config.router.max_fallbacks), (2, 9));
}

#[test]
fn a_problem_names_the_included_file() {
    let (config, problems) = files(&[
        ("main.yaml", "include: [more.yaml, gone.yaml]\n"),
        ("more.yaml", "\nrouter_settings:\n  num_retries: x\n"),
    ]);
    assert!(config.is_none());
    let errors = lines(&problems, Severity::Error);
    assert_eq!(errors[0], "main.yaml:1: include: gone.yaml cannot be read: no such file");
    assert!(errors[1].starts_with("more.yaml:3: router_settings.num_retries: expected"), "{errors:?}");
}

#[test]
fn includes_end() {
    let (_, problems) = files(&[("a", "include: [b]"), ("b", "include: [a]")]);
    assert_eq!(lines(&problems, Severity::Error), ["b:1: include: a includes itself"]);
    let (_, problems) = files(&[("a", "include: [x/../a]"), ("x/../a", "include: [x/../a]")]);
    assert!(problems.has_errors());
    let many = format!("include: [{}]", vec!["leaf"; 100].join(", "));
    let (_, problems) = files(&[("a", &many), ("leaf", "")]);
    assert!(problems.to_string().contains("more than 64 files"));
    let (_, problems) = files(&[("gone.yaml", "")]);
    assert!(!problems.has_errors());
}

#[test]
fn a_file_that_is_not_there_is_an_error() {
    let (config, problems) =
        Config::load("gone.yaml", &|_| Err("no such file".into()), &Env::default(), SERVED);
    assert!(config.is_none());
    assert_eq!(problems.to_string(), "gone.yaml: gone.yaml cannot be read: no such file\n");
}

#[test]
fn the_helm_form_is_unwrapped_and_the_charts_own_values_are_left_alone() {
    let text = "image: {tag: x}\nproxy_config:\n  router_settings: {num_retries: 4}\nlitellm_settings: {}\n";
    let (config, problems) = load(text, &[]);
    assert_eq!(config.unwrap().router.num_retries, 4);
    assert_eq!(
        lines(&problems, Severity::Warning),
        [
            "config.yaml:4: warning: litellm_settings: stands outside proxy_config, ignored; move it under proxy_config"
        ]
    );
}

#[test]
fn references_are_resolved_anywhere() {
    let text = "\
model_list:
  - model_name: os.environ/NAME
    litellm_params:
      model: openai/x
      rpm: os.environ/RPM
      extra_headers: {x-a: os.environ/HEADER}
litellm_settings: {callbacks: [os.environ/CALLBACK]}
";
    let vars = [("NAME", "mine"), ("RPM", "12"), ("HEADER", "h"), ("CALLBACK", "prometheus")];
    let config = good(text, &vars);
    let model = &config.models[0];
    assert_eq!((model.name.as_str(), model.params.rpm), ("mine", Some(12)));
    assert_eq!(model.params.extra_headers[0].1.expose_secret(), "h");
    assert_eq!(config.litellm.callbacks, ["prometheus"]);
}

#[test]
fn a_variable_that_is_not_set_counts_as_absent_and_warns() {
    let text = "\
model_list:
  - model_name: m
    litellm_params:
      model: openai/m
      api_key: os.environ/OPENAI_KEY
general_settings:
  master_key: os.environ/NOBODY
";
    let (config, problems) = load(text, &[("OPENAI_API_KEY", "sk-1")]);
    let config = config.unwrap();
    assert!(config.models[0].params.api_key.is_none() && config.general.master_key.is_none());
    let warnings = lines(&problems, Severity::Warning);
    assert_eq!(warnings.len(), 2);
    assert_eq!(
        warnings[1],
        "config.yaml:7: warning: general_settings.master_key: environment variable NOBODY is not set; \
         set NOBODY, or remove this line"
    );
    assert!(
        warnings[0].starts_with("config.yaml:5: warning: model_list[0].litellm_params.api_key: environment")
    );
}

#[test]
fn environment_variables_lie_over_the_processes_own() {
    let text = "\
environment_variables:
  A: from-file
  B: os.environ/OUTSIDE
  N: 10
  T: true
  GONE: os.environ/NOBODY
litellm_settings: {callbacks: [os.environ/A, os.environ/B, os.environ/C, os.environ/N, os.environ/T]}
";
    let config = good(text, &[("A", "outer"), ("C", "c"), ("OUTSIDE", "b")]);
    assert_eq!(config.litellm.callbacks, ["from-file", "b", "c", "10", "True"]);
    assert_eq!(config.env.get("A"), Some("from-file"), "providers look here for their keys");
    assert_eq!(config.env.get("GONE"), None);
}

#[test]
fn the_master_key_comes_from_the_file_then_litellms_variable_then_the_charts() {
    let key = |text: &str, vars: &[(&str, &str)]| {
        good(text, vars).general.master_key.map(|key| key.expose_secret().to_owned())
    };
    let vars = [("LITELLM_MASTER_KEY", "sk-env"), ("PROXY_MASTER_KEY", "sk-chart")];
    assert_eq!(key("general_settings: {master_key: sk-file}", &vars).as_deref(), Some("sk-file"));
    assert_eq!(key("", &vars).as_deref(), Some("sk-env"));
    assert_eq!(key("", &vars[1..]).as_deref(), Some("sk-chart"));
    assert_eq!(key("general_settings: {master_key: \"\"}", &vars).as_deref(), Some("sk-env"));
    assert_eq!(key("", &[("LITELLM_MASTER_KEY", ""), vars[1]]).as_deref(), Some("sk-chart"));
    let reference = "general_settings: {master_key: os.environ/LITELLM_MASTER_KEY}";
    assert_eq!(key(reference, &vars[1..]).as_deref(), Some("sk-chart"));
    assert_eq!(key("", &[]), None);
}

#[test]
fn the_database_url_is_the_files_then_the_variables_then_made_of_parts() {
    let url = |text: &str, vars: &[(&str, &str)]| {
        good(text, vars).general.database_url.map(|url| url.expose_secret().to_owned())
    };
    let mut vars = vec![("DATABASE_HOST", "db"), ("DATABASE_USERNAME", "u@x"), ("DATABASE_NAME", "n")];
    assert_eq!(url("", &vars).as_deref(), Some("postgresql://u%40x@db/n"));
    vars.extend([("DATABASE_PASSWORD", "p:/?#ü"), ("DATABASE_PORT", "5433"), ("DATABASE_SCHEMA", "s")]);
    let whole = "postgresql://u%40x:p%3A%2F%3F%23%C3%BC@db:5433/n?schema=s";
    assert_eq!(url("", &vars).as_deref(), Some(whole));
    let reference = "general_settings: {database_url: os.environ/DATABASE_URL}";
    assert_eq!(url(reference, &vars).as_deref(), Some(whole));
    assert_eq!(url("", &vars[1..]), None, "without a host there is no URL");
    vars[0].1 = "fe80::1";
    assert!(url("", &vars).unwrap().contains("@[fe80::1]:5433/"));
    vars.push(("DATABASE_URL", "postgres://whole"));
    assert_eq!(url("", &vars).as_deref(), Some("postgres://whole"));
    assert_eq!(url("general_settings: {database_url: x}", &vars).as_deref(), Some("x"));
}
