//! What deployments have of the router's settings, and of each other's sections.

use super::{good, lines, load};
use crate::config::Severity;
use secrecy::ExposeSecret;

#[test]
fn every_deployment_has_the_routers_parameters_that_it_does_not_say_itself() {
    let config = good(
        "model_list:\n  \
         - {model_name: a, litellm_params: {model: openai/a, timeout: 7}}\n  \
         - {model_name: b, litellm_params: {model: openai/b, litellm_credential_name: shared}}\n\
         credential_list: [{credential_name: shared, credential_values: {api_key: sk-shared}}]\n\
         router_settings: {default_litellm_params: {timeout: 9, api_key: sk-default, temperature: 0.20}}\n",
        &[],
    );
    let [a, b] = [&config.models[0].params, &config.models[1].params];
    let key = |params: &crate::config::Params| params.api_key.as_ref().unwrap().expose_secret().to_owned();
    assert_eq!([a, b].map(|params| params.timeout.unwrap().as_secs()), [7, 9]);
    assert_eq!([key(a), key(b)], ["sk-default", "sk-shared"], "a shared credential counts before");
    assert_eq!(a.defaults.get("temperature"), Some("0.20"));
}

#[test]
fn defaults_change_no_derived_id() {
    let of = |settings: &str| {
        let text =
            format!("model_list: [{{model_name: a, litellm_params: {{model: openai/a}}}}]\n{settings}");
        good(&text, &[]).models.remove(0).id
    };
    assert_eq!(of(""), of("router_settings: {default_litellm_params: {timeout: 9}}"));
}

const ONE_IS_WRONG: &str = "model_list:\n  \
     - {model_name: a, litellm_params: {model: nobody/a}}\n  \
     - {model_name: b, litellm_params: {model: openai/b, rpm: many}}\n  \
     - {model_name: c, litellm_params: {model: openai/c}}\n";

#[test]
fn a_wrong_entry_is_left_out_where_that_is_asked_for() {
    assert!(load(ONE_IS_WRONG, &[]).0.is_none());
    let text = format!("{ONE_IS_WRONG}router_settings: {{ignore_invalid_deployments: true}}\n");
    let (config, problems) = load(&text, &[]);
    let names: Vec<_> = config.unwrap().models.into_iter().map(|model| model.name).collect();
    assert_eq!(names, ["c"]);
    let warnings = lines(&problems, Severity::Warning);
    assert_eq!(warnings.len(), 2, "{problems}");
    assert!(warnings.iter().all(|line| line.contains("it is left out")), "{problems}");
}

#[test]
fn facts_may_stand_in_the_parameters_too() {
    let config = good(
        "model_list: [{model_name: a, litellm_params: {model: openai/a, model_info: {id: inner, mode: chat, note: n}}, \
         model_info: {id: own}}]",
        &[],
    );
    let entry = &config.models[0];
    assert_eq!((entry.id.as_str(), entry.info.mode.as_deref()), ("own", Some("chat")));
    assert_eq!(entry.info.rest.get("note"), Some("\"n\""));
}

#[test]
fn headers_have_two_names_and_a_proxy_is_a_provider() {
    let config = good(
        "model_list: [{model_name: a, litellm_params: {model: openai/a, use_litellm_proxy: true, headers: {X-A: 1, x-b: 2}, \
         extra_headers: {x-a: 3}}}]",
        &[],
    );
    let entry = &config.models[0];
    let headers =
        entry.params.extra_headers.iter().map(|(name, value)| (name.as_str(), value.expose_secret()));
    assert_eq!(headers.collect::<Vec<_>>(), [("x-b", "2"), ("x-a", "3")]);
    assert_eq!((entry.provider.as_str(), entry.upstream_model.as_str()), ("litellm_proxy", "openai/a"));
}

#[test]
fn checks_before_a_call_are_known_by_name() {
    let (config, problems) = load(
        "router_settings: {optional_pre_call_checks: [prompt_caching, enforce_model_rate_limits, \
         responses_api_deployment_check, forward_client_headers_by_model_group, promt_caching]}\n\
         litellm_settings: {model_group_settings: {forward_client_headers_to_llm_api: [a]}}\n",
        &[],
    );
    let checks = config.unwrap_or_else(|| panic!("{problems}")).router.checks;
    assert!(checks.prompt_caching == Some(1024) && checks.model_rate_limits);
    assert_eq!(checks.forwards_headers_of, ["a"]);
    let asked = "router_settings: {optional_pre_call_checks: [prompt_caching]}";
    let shorter = good(asked, &[("MINIMUM_PROMPT_CACHE_TOKEN_COUNT", "256")]);
    assert_eq!(shorter.router.checks.prompt_caching, Some(256));
    let text = problems.to_string();
    assert!(text.contains("there is no check \"promt_caching\"; did you mean \"prompt_caching\"?"), "{text}");
}

#[test]
fn the_router_may_ask_for_a_cache() {
    let of = |litellm: &str| {
        let text = format!("litellm_settings: {{{litellm}}}\nrouter_settings: {{cache_responses: true}}\n");
        good(&text, &[]).cache.is_some()
    };
    assert_eq!([of(""), of("cache: false")], [true, false]);
}

#[test]
fn a_mode_of_python_threads_is_said_to_have_no_effect() {
    let noted = |mode: bool| {
        let text = format!("router_settings: {{router_general_settings: {{async_only_mode: {mode}}}}}\n");
        load(&text, &[]).1.to_string().contains("async_only_mode has no effect")
    };
    assert_eq!([noted(true), noted(false)], [true, false]);
}

#[test]
fn a_mark_before_the_model_says_that_it_is_asked_for_responses() {
    let of = |model: &str| {
        let text = format!("model_list: [{{model_name: a, litellm_params: {{model: {model}}}}}]");
        let entry = good(&text, &[]).models.remove(0);
        (entry.provider, entry.upstream_model, entry.info.mode)
    };
    let (provider, model, mode) = of("openai/responses/gpt-5");
    assert_eq!((provider.as_str(), model.as_str(), mode.as_deref()), ("openai", "gpt-5", Some("responses")));
    let (_, model, mode) = of("openai/gpt-5");
    assert_eq!((model.as_str(), mode), ("gpt-5", None));
    assert_eq!(of("openai/responses/").1, "responses/");
}
