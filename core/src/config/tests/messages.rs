//! Problems: all at once, each at its line, with a cure.

use super::{good, lines, load};
use crate::config::When;
use crate::config::problems::{MAX_KEPT, Problems, Severity};
use crate::config::tree::MAX_DEPTH;

fn errors(text: &str) -> Vec<String> {
    let (config, problems) = load(text, &[]);
    assert!(config.is_none(), "loaded in spite of errors");
    lines(&problems, Severity::Error)
}

fn warnings(text: &str) -> Vec<String> {
    lines(&load(text, &[]).1, Severity::Warning)
}

#[test]
fn all_problems_come_at_once_each_with_its_line_and_cure() {
    let text = "\
model_list:
  - model_name: one
    litellm_params:
      model: azur/gpt-4o
      rpm: many
  - model_name: two
  - litellm_params: {model: openai/x}
  - model_name: three
    litellm_params:
      model: openai/x
      api_base: localhost
      input_cost_per_token: cheap
      extra_headers: {\"bad name\": x}
litellm_settings:
  drop_params: perhaps
  request_timeout: [1]
router_settings:
  routing_strategy: simple-shufle
  fallbacks: [one]
  num_retries: -1
weir_settings:
  trusted_proxies: [10.0.0.0/33]
general_settings: nothing
";
    assert_eq!(
        errors(text),
        [
            "config.yaml:4: model_list[0].litellm_params.model: no provider \"azur\"; did you mean \"azure\"?",
            "config.yaml:5: model_list[0].litellm_params.rpm: expected a whole number, 0 or more, found text",
            "config.yaml:6: model_list[1]: litellm_params is missing; add litellm_params with a model",
            "config.yaml:7: model_list[2]: model_name is missing; add the name that clients ask for",
            "config.yaml:11: model_list[3].litellm_params.api_base: not an http:// or https:// address",
            "config.yaml:12: model_list[3].litellm_params.input_cost_per_token: \
             expected US dollars per unit, a decimal number, found text",
            "config.yaml:13: model_list[3].litellm_params.extra_headers.bad name: not a header name",
            "config.yaml:15: litellm_settings.drop_params: expected true or false, found text",
            "config.yaml:16: litellm_settings.request_timeout: expected seconds, such as 30 or 500ms, found a list",
            "config.yaml:18: router_settings.routing_strategy: expected one of simple-shuffle, least-busy, \
             usage-based-routing, usage-based-routing-v2, latency-based-routing, cost-based-routing, \
             found \"simple-shufle\"; did you mean \"simple-shuffle\"?",
            "config.yaml:19: router_settings.fallbacks[0]: expected a map from a model to its fallbacks; \
             write {model: [other, …]}",
            "config.yaml:20: router_settings.num_retries: expected a whole number, 0 or more, found a number",
            "config.yaml:22: weir_settings.trusted_proxies[0]: not an address or network; write it as 10.0.0.0/8",
            "config.yaml:23: general_settings: expected a map, found text",
        ]
    );
}

#[test]
fn p34_unknown_settings_warn_and_say_what_was_meant() {
    let text = "\
genral_settings: {}
litellm_settings:
  drop_parms: true
  master_key: sk-1
router_settings:
  model_list: []
  qwertyuiop: 1
";
    assert_eq!(
        warnings(text),
        [
            "config.yaml:1: warning: genral_settings: unknown setting; did you mean \"general_settings\"?",
            "config.yaml:3: warning: litellm_settings.drop_parms: unknown setting; did you mean \"drop_params\"?",
            "config.yaml:4: warning: litellm_settings.master_key: unknown setting; it belongs in general_settings",
            "config.yaml:6: warning: router_settings.model_list: unknown setting; \
             it is a section of its own: move it to the top level",
            "config.yaml:7: warning: router_settings.qwertyuiop: unknown setting",
        ]
    );
}

#[test]
fn what_is_known_and_has_no_effect_is_a_note() {
    let (_, problems) = load("litellm_settings:\n  telemetry: true\nprompts: []\n", &[]);
    let notes = lines(&problems, Severity::Note);
    let telemetry = "litellm_settings.telemetry: known, not used yet; nothing is ever sent home";
    assert_eq!(notes[1], format!("config.yaml:2: note: {telemetry}"));
    let moot = "config.yaml:3: note: prompts: known, not used yet; prompts are not kept here: keep them in the application";
    assert!(notes[2].starts_with(moot), "{}", notes[2]);
}

#[test]
fn a_fallback_to_a_model_that_is_not_there_warns() {
    let models = "model_list: [{model_name: gpt-4o, litellm_params: {model: openai/gpt-4o}}]\n";
    let text = format!(
        "{models}router_settings:\n  fallbacks: [{{gpt-4o: [gpt-4p]}}]\n  model_group_alias: {{a: b}}\n"
    );
    assert_eq!(
        warnings(&text),
        [
            "config.yaml:3: warning: router_settings.fallbacks: no model \"gpt-4p\" in model_list; \
             did you mean \"gpt-4o\"?",
            "config.yaml:4: warning: router_settings.model_group_alias: no model \"b\" in model_list",
        ]
    );
    let wild = "model_list: [{model_name: \"openai/*\", litellm_params: {model: \"openai/*\"}}]\n\
                router_settings: {fallbacks: [{openai/a: [openai/b]}, {\"*\": [openai/c]}]}\n";
    assert_eq!(warnings(wild), Vec::<String>::new());
}

#[test]
fn a_provider_of_another_build_is_told_from_a_misspelt_one() {
    let text = "model_list: [{model_name: m, litellm_params: {model: bedrock/x}}]";
    assert_eq!(
        warnings(text),
        [
            "config.yaml:1: warning: model_list[0].litellm_params.model: provider \"bedrock\" is known, not served yet"
        ]
    );
}

#[test]
fn yaml_faults_name_their_line() {
    for (text, expected) in [
        ("a: 1\nb: [1, 2\n", "config.yaml:3: not valid YAML"),
        ("router_settings: {}\nrouter_settings: {}\n", "config.yaml:2: this key is written twice"),
        ("1: a\n\"1\": b\n", "config.yaml:2: this key is written twice"),
        ("a: !secret b\n", "config.yaml:1: unknown tag !secret"),
        ("a: 1\n---\nb: 2\n", "config.yaml:3: a second document begins here"),
        ("a: \u{1}\n", "config.yaml:1: control character"),
        ("? [a]\n: b\n", "config.yaml:1: a key must be text"),
        ("- a\n", "config.yaml:1: expected a map of sections, found a list"),
        ("just text", "config.yaml:1: expected a map of sections, found text"),
        ("a: &x 1\nb: {<<: *x}\n", "config.yaml:2: << merges maps"),
        ("a: *nowhere\n", "config.yaml:1: not valid YAML"),
    ] {
        let found = errors(text);
        assert!(found[0].starts_with(expected), "{text:?}: {found:?}");
    }
}

#[test]
fn an_empty_file_is_a_configuration_without_models() {
    for text in ["", "\n", "# nothing\n", "---\n", "model_list:\nlitellm_settings:\n", "{}", "\u{feff}"] {
        let config = good(text, &[]);
        assert!(config.models.is_empty(), "{text:?}");
    }
}

#[test]
fn too_deep_and_too_large_are_refused() {
    let deep = format!("a: {}{}", "[".repeat(MAX_DEPTH + 1), "]".repeat(MAX_DEPTH + 1));
    assert!(errors(&deep)[0].contains("nested deeper than"));
    let dashes = "- ".repeat(1_000_000);
    assert!(errors(&dashes)[0].contains("begins after column"));
    let wide: String = (0..1000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    assert!(errors(&wide)[0].contains("begins after column"));
    assert!(errors(&"[".repeat(1_000_000))[0].contains("recursion limit"));
    assert!(errors(&" ".repeat((16 << 20) + 1))[0].contains("larger than 16 MiB"));
}

#[test]
fn an_alias_bomb_is_refused() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let names = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb += &format!("a{level}: &a{level} [{names}]\n");
    }
    assert!(errors(&bomb)[0].contains("alias expansion"));
    let nested = format!("{}{}", "[&a x, ".repeat(200), "x,".repeat(1_000_000));
    assert!(errors(&nested)[0].contains("too many anchors"));
}

#[test]
fn a_thousand_problems_are_shown_and_the_rest_is_counted() {
    let text: String = (0..2 * MAX_KEPT).map(|n| format!("zzzzzzzz{n}: 1\n")).collect();
    let (config, problems) = load(&(text + "router_settings: {num_retries: x}\n"), &[]);
    assert!(config.is_none(), "an error that is not shown counts all the same");
    assert_eq!(problems.iter().count(), MAX_KEPT);
    assert!(problems.to_string().ends_with("more problems\n"));
}

#[test]
fn a_message_stays_on_its_line() {
    let (_, problems): (_, Problems) = load("\"a\\nconfig.yaml:1: fine\": 1\n", &[]);
    assert_eq!(problems.to_string().lines().count(), problems.iter().count());
    let (_, problems) = load(&format!("{}: 1", "k".repeat(1000)), &[]);
    assert!(problems.iter().all(|p| p.to_string().len() < 500));
}

#[test]
fn a_guardrail_says_what_is_missing() {
    let text = "\
guardrails:
  - guardrail_name: one
    litellm_params: {guardrail: presidio, mode: precall, defualt_on: true}
  - litellm_params: {guardrail: presidio, mode: pre_call}
  - guardrail_name: two
    litellm_params: {mode: {tags: {a: pre_call}, default: [post_call, logging_only]}}
  - guardrail_name: three
    litellm_params: {guardrail: presidio}
";
    assert_eq!(
        errors(text),
        [
            "config.yaml:3: guardrails[0].litellm_params.mode: no mode \"precall\"; did you mean \"pre_call\"?",
            "config.yaml:4: guardrails[1]: guardrail_name is missing; add the name that requests and keys use",
            "config.yaml:6: guardrails[2].litellm_params: litellm_params.guardrail is missing; \
             name a kind, such as litellm_content_filter",
            "config.yaml:8: guardrails[3].litellm_params: litellm_params.mode is missing; \
             add one or more of pre_call, during_call, post_call, logging_only",
        ]
    );
    assert!(warnings(text)[0].contains("defualt_on: unknown setting; did you mean \"default_on\"?"));
}

#[test]
fn the_mode_of_a_guardrail_may_depend_on_tags() {
    let text = "\
guardrails:
  - guardrail_name: one
    litellm_params: {guardrail: k, mode: {tags: {a: pre_call}, default: [post_call, logging_only]}}
  - guardrail_name: two
    litellm_params: {guardrail: k, mode: during_call, default_on: true, fail_on_error: false}
";
    let entries = good(text, &[]).guardrails;
    assert_eq!(entries[0].modes.of(&[]), [When::PostCall, When::LoggingOnly]);
    assert_eq!(entries[0].modes.of(&["a".to_owned()]), [When::PreCall]);
    assert_eq!(entries[1].modes.of(&[]), [When::DuringCall]);
    let flags = |at: usize| (entries[at].default_on, entries[at].fail_on_error);
    assert_eq!((flags(0), flags(1)), ((false, true), (true, false)));
    let twice = text.replace("two", "one");
    assert!(errors(&twice)[0].contains("another guardrail is called \"one\""), "{:?}", errors(&twice));
}

#[test]
fn metrics_that_there_are_not_are_named_and_wished_labels_are_known() {
    let text = "
litellm_settings:
  custom_prometheus_metadata_labels: [metadata.cost-center]
  custom_prometheus_tags: [night]
  prometheus_metrics_config:
    - group: spend
      metrics: [litellm_spend_metric, litellm_spent_metric]
      include_labels: [team, metadata_cost_center, tag_night, colour]
";
    let told = warnings(text).join("\n");
    assert!(told.contains("there is no metric \"litellm_spent_metric\""), "{told}");
    assert!(told.contains("there is no label \"colour\""), "{told}");
    assert!(!told.contains("cost_center") && !told.contains("tag_night"), "{told}");
}
