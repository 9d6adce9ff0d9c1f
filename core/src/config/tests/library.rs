//! What `litellm_settings` says of every deployment.

use super::{SERVED, good, load};
use crate::config::env::Env;
use crate::config::load::Config;
use crate::config::{Listed, ModelEntry, ThinkingBudgets};
use secrecy::ExposeSecret;

const PROVIDERS: &[&str] = &["openai", "azure", "groq", "anthropic", "gemini", "vertex_ai", "bedrock"];

/// The only model of a file, with these settings of the library.
fn model(settings: &str, params: &str, env: &[(&str, &str)]) -> ModelEntry {
    let text = format!(
        "litellm_settings: {{{settings}}}\nmodel_list: [{{model_name: m, litellm_params: {{{params}}}}}]\n"
    );
    let (config, problems) = Config::from_text(&text, &Env::of(env.iter().copied()), PROVIDERS);
    config.unwrap_or_else(|| panic!("{problems}")).models.remove(0)
}

#[test]
fn what_a_deployment_does_not_say_the_library_says() {
    let settings =
        "api_base: \"http://all.test/v1\", organization: org-all, headers: {X-Team: all, x-more: m}";
    let plain = model(settings, "model: openai/m", &[]).params;
    assert_eq!(
        (plain.api_base.as_deref(), plain.organization.as_deref()),
        (Some("http://all.test/v1"), Some("org-all"))
    );
    let own =
        "model: openai/m, api_base: \"http://own.test\", organization: org-own, extra_headers: {x-team: own}";
    let own = model(settings, own, &[]).params;
    assert_eq!(
        (own.api_base.as_deref(), own.organization.as_deref()),
        (Some("http://own.test"), Some("org-own"))
    );
    let headers: Vec<_> = own.extra_headers.iter().map(|(n, v)| (n.as_str(), v.expose_secret())).collect();
    assert_eq!(headers, [("x-team", "own"), ("x-more", "m")]);
    let other = model(settings, "model: groq/m", &[]).params;
    assert_eq!((other.api_base, other.organization), (None, None), "it has an address of its own");
    let (config, problems) = load("litellm_settings: {headers: {\"bad name\": x}}", &[]);
    assert!(
        config.is_none() && problems.to_string().contains("litellm_settings.headers.bad name"),
        "{problems}"
    );
}

#[test]
fn what_the_library_does_not_say_variables_say() {
    let vars = [
        ("OPENAI_ORGANIZATION", "org-env"),
        ("OPENAI_PROJECT", "proj-env"),
        ("DEFAULT_SOFT_BUDGET", "7.50"),
        ("DEFAULT_MAX_TOKENS", "900"),
        ("DEFAULT_REASONING_EFFORT_HIGH_THINKING_BUDGET", "10000"),
        ("DEFAULT_REASONING_EFFORT_LOW_THINKING_BUDGET", "few"),
    ];
    let asks = |settings: &str, model_of: &str| {
        let params = model(settings, &format!("model: {model_of}"), &vars).params;
        (params.organization.unwrap_or_default(), params.project.unwrap_or_default())
    };
    let pair = |organization: &str, project: &str| (organization.to_owned(), project.to_owned());
    assert_eq!(asks("", "openai/m"), pair("org-env", "proj-env"));
    assert_eq!(asks("organization: org, project: proj", "openai/m"), pair("org", "proj"));
    assert_eq!(asks("", "openai/m, organization: own"), pair("own", "proj-env"));
    assert_eq!(asks("", "groq/m"), pair("", ""));
    let litellm = |settings: &str, vars: &[(&str, &str)]| {
        good(&format!("litellm_settings: {{{settings}}}"), vars).litellm
    };
    let all = litellm("", &vars);
    assert_eq!(all.default_key.get("soft_budget"), Some("7.50"));
    assert_eq!((all.library.max_tokens, litellm("", &[]).library.max_tokens), (Some(900), None));
    let (budgets, usual) = (all.library.budgets, ThinkingBudgets::default());
    assert_eq!(budgets, ThinkingBudgets { high: 10_000, ..usual }, "what is no number is not set");
    assert_eq!((budgets.of("max"), usual.of("max"), usual.of("much")), (Some(40_000), Some(16_384), None));
    let said = litellm("max_tokens: 5, default_soft_budget: 1", &vars);
    assert_eq!((said.library.max_tokens, said.default_key.get("soft_budget")), (Some(5), Some("1")));
    let of_claude = [("DEFAULT_MAX_TOKENS", "900"), ("DEFAULT_ANTHROPIC_CHAT_MAX_TOKENS", "800")];
    assert_eq!(litellm("", &of_claude).library.max_tokens, Some(800));
}

#[test]
fn the_version_of_azures_api_is_the_first_that_is_said() {
    let version = |settings: &str, params: &str, env: &[(&str, &str)]| {
        model(settings, &format!("model: azure/m, {params}"), env).params.api_version
    };
    let env = [("AZURE_API_VERSION", "of-env")];
    let both = "api_version: of-all, AZURE_DEFAULT_API_VERSION: usual";
    assert_eq!(version(both, "api_version: own", &env).as_deref(), Some("own"));
    assert_eq!(version(both, "", &env).as_deref(), Some("of-all"));
    assert_eq!(version("AZURE_DEFAULT_API_VERSION: usual", "", &[]).as_deref(), Some("usual"));
    assert_eq!(
        version("AZURE_DEFAULT_API_VERSION: usual", "", &env),
        None,
        "the environment's, where it is built"
    );
    assert_eq!(model(both, "model: openai/m", &[]).params.api_version, None);
}

#[test]
fn a_model_may_stand_for_another_one_everywhere() {
    let aliases = "model_alias_map: {short: openai/gpt-4o, openai/old: azure/new}";
    for (written, meant) in
        [("short", ("openai", "gpt-4o")), ("openai/old", ("azure", "new")), ("openai/x", ("openai", "x"))]
    {
        let entry = model(aliases, &format!("model: {written}"), &[]);
        assert_eq!((entry.provider.as_str(), entry.upstream_model.as_str()), meant);
        assert_eq!(entry.model_as_written, written);
    }
}

#[test]
fn safety_settings_are_for_googles_models_that_chat() {
    let settings = "vertex_ai_safety_settings: [{category: HARM_CATEGORY_HARASSMENT, threshold: BLOCK_NONE}]";
    let safety = |params: &str| {
        model(settings, params, &[]).params.extra_body.get("safetySettings").map(str::to_owned)
    };
    let all = r#"[{"category":"HARM_CATEGORY_HARASSMENT","threshold":"BLOCK_NONE"}]"#;
    assert_eq!(safety("model: gemini/gemini-2.5-pro").as_deref(), Some(all));
    assert_eq!(
        safety("model: vertex_ai/gemini-2.5-pro, extra_body: {safetySettings: []}").as_deref(),
        Some("[]")
    );
    for other in ["vertex_ai/claude-sonnet-4", "gemini/gemini-embedding-001", "openai/gpt-4o"] {
        assert_eq!(safety(&format!("model: {other}")), None, "{other}");
    }
}

#[test]
fn credentials_may_stand_among_litellms_settings() {
    let settings = "credential_list: [{credential_name: mine, credential_values: {api_key: sk-shared}}]";
    let entry = model(settings, "model: openai/m, litellm_credential_name: mine", &[]);
    assert_eq!(entry.params.api_key.unwrap().expose_secret(), "sk-shared");
    let text = "litellm_settings: {credential_list: [{credential_values: {}}]}";
    let (_, problems) = load(text, &[]);
    assert!(
        problems.to_string().contains("litellm_settings.credential_list[0]: credential_name is missing"),
        "{problems}"
    );
}

#[test]
fn older_and_second_names_count_where_the_first_are_not_said() {
    let settings = |text: &str| good(&format!("litellm_settings: {{{text}}}"), &[]);
    let amount =
        |text: &str| settings(text).litellm.internal_user_budget.map(|budget| budget.0 / 1_000_000_000);
    assert_eq!(amount("default_max_internal_user_budget: 3"), Some(3));
    assert_eq!(amount("default_max_internal_user_budget: 3, max_internal_user_budget: 5"), Some(5));
    assert_eq!(settings("model_fallbacks: [a]").router.default_fallbacks, ["a"]);
    assert_eq!(settings("model_fallbacks: [a], default_fallbacks: [b]").router.default_fallbacks, ["b"]);
    assert_eq!(settings("allowed_fails: 2").router.allowed_fails, Some(2));
    let router = "litellm_settings: {allowed_fails: 2}\nrouter_settings: {allowed_fails: 7}";
    assert_eq!(good(router, &[]).router.allowed_fails, Some(7));
    assert_eq!(settings("default_soft_budget: 20").litellm.default_key.get("soft_budget"), Some("20"));
    let own = "default_soft_budget: 20, default_key_generate_params: {soft_budget: 1}";
    assert_eq!(settings(own).litellm.default_key.get("soft_budget"), Some("1"));
    let blocked = |text: &str| settings(&format!("blocked_user_list: {text}")).litellm.blocked_users;
    assert_eq!(blocked("[a, b]"), Listed::Words(vec!["a".into(), "b".into()]));
    assert_eq!(blocked("/users.txt"), Listed::File("/users.txt".into()));
}

#[test]
fn presidios_settings_are_laid_under_its_guardrails_alone() {
    let guardrail = |kind: &str| {
        format!("{{guardrail_name: {kind}, litellm_params: {{guardrail: {kind}, mode: pre_call}}}}")
    };
    let all = [guardrail("presidio"), guardrail("hide-secrets")].join(", ");
    let text = format!("guardrails: [{all}]\nlitellm_settings: {{output_parse_pii: true}}");
    let (config, problems) = Config::from_text(&text, &Env::default(), SERVED);
    let guardrails = config.unwrap_or_else(|| panic!("{problems}")).guardrails;
    let parsed: Vec<_> = guardrails.iter().map(|entry| entry.params.bool("output_parse_pii")).collect();
    assert_eq!(parsed, [Some(true), None]);
}
