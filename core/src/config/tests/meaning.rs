//! What settings mean.

use super::{good, lines, load};
use crate::config::load::Config;
use crate::config::problems::Severity;
use crate::config::{ClientParam, MetricsWhen, SslVerify, Strategy, StrategyArgs};
use crate::domain::money::{FemtoUsd, NanoUsd};
use crate::domain::period::{Period, TimeZone, WindowBudget};
use crate::time::Micros;
use secrecy::ExposeSecret;
use std::time::Duration;

fn model(params: &str) -> crate::config::ModelEntry {
    let text = format!("model_list: [{{model_name: m, litellm_params: {{model: openai/m, {params}}}}}]");
    good(&text, &[]).models.remove(0)
}

#[test]
fn p20_prices_keep_the_digits_that_were_written() {
    for written in
        ["0.000001", "1e-6", "2.50e-06", "0.1234567890123456789", "0", ".5", "\"0.000002\"", "9.75e-05"]
    {
        let entry = model(&format!("input_cost_per_token: {written}"));
        let text = &entry.params.prices[0].1;
        let digits = written.trim_matches('"');
        assert!(text == digits || *text == format!("0{digits}"), "{written} became {text}");
        assert!(FemtoUsd::parse(text).is_ok());
    }
    let anchored = "a: &p 0.000001\nmodel_list: [{model_name: m, litellm_params: {model: openai/m, \
                    input_cost_per_token: *p}}]";
    assert_eq!(
        FemtoUsd::parse(&good(anchored, &[]).models[0].params.prices[0].1),
        Ok(FemtoUsd(1_000_000_000))
    );
    let umlaut = "\"ä\": 1\nmodel_list: [{model_name: äöü, litellm_params: {model: openai/m, input_cost_per_token: 2.50e-06}}]";
    assert_eq!(good(umlaut, &[]).models[0].params.prices[0].1, "2.50e-06");
}

#[test]
fn defaults_are_filled_in() {
    let Config { router, general, weir, litellm, .. } = good("", &[]);
    assert_eq!(litellm.request_timeout, Duration::from_secs(6000));
    assert_eq!((router.num_retries, router.max_fallbacks), (2, 5));
    assert_eq!((router.timeout, router.cooldown_time), (Duration::from_secs(6000), Duration::from_secs(5)));
    assert_eq!(router.routing_strategy, Strategy::SimpleShuffle);
    assert_eq!(general.request_limit, 32 << 20);
    assert_eq!(general.user_api_key_cache_ttl, Duration::from_secs(60));
    assert!(general.store_model_in_db);
    assert_eq!((weir.journal_max_bytes, weir.inflight_bytes), (1 << 30, 96 << 20));
    assert_eq!(weir.metrics, MetricsWhen::OnCallback);
    assert_eq!(litellm.ssl_verify, SslVerify::On);
}

/// Often enough for an ingress that cuts connections which are silent for a minute.
#[test]
fn p23_an_idle_stream_is_kept_alive_every_fifteen_seconds() {
    let weir = good("", &[]).weir;
    assert_eq!(weir.keepalive_interval, Duration::from_secs(15));
}

#[test]
fn router_settings_win_over_litellm_settings() {
    let text = "\
litellm_settings: {num_retries: 3, request_timeout: 30, fallbacks: [{a: [b]}], default_fallbacks: [d]}
router_settings: {timeout: 10, fallbacks: [{x: [y, z]}, {w: v}]}
";
    let router = good(text, &[]).router;
    assert_eq!((router.num_retries, router.timeout), (3, Duration::from_secs(10)));
    let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(router.fallbacks, [("x".to_owned(), list(&["y", "z"])), ("w".to_owned(), list(&["v"]))]);
    assert_eq!(router.default_fallbacks, ["d"]);
    assert_eq!(good("router_settings: {num_retries: 0}", &[]).router.num_retries, 0);
}

#[test]
fn what_a_strategy_goes_by_is_read() {
    let args = |text: &str| {
        good(&format!("router_settings: {{routing_strategy_args: {text}}}"), &[]).router.routing_strategy_args
    };
    let hour = Duration::from_secs(3_600);
    let usual = StrategyArgs { ttl: hour, lowest_latency_buffer: 0.0, max_latency_list_size: 10 };
    assert_eq!(args("{}"), usual);
    let all = args("{ttl: 10, lowest_latency_buffer: 0.5, max_latency_list_size: 3}");
    let ttl = Duration::from_secs(10);
    assert_eq!(all, StrategyArgs { ttl, lowest_latency_buffer: 0.5, max_latency_list_size: 3 });
    assert_eq!(args("{rolling_window_size: 1000}").max_latency_list_size, 100);
    assert_eq!(
        args("{rolling_window_size: 0, ttl: soon}"),
        StrategyArgs { max_latency_list_size: 1, ..usual }
    );
}

#[test]
fn failures_are_allowed_by_their_class_or_at_all() {
    let text = "router_settings: {allowed_fails: 5, allowed_fails_policy: {TimeoutErrorAllowedFails: 2, \
                RateLimitErrorAllowedFails: 0, RateLimitErrorRetries: 9}}";
    let router = good(text, &[]).router;
    let allowed = ["Timeout", "RateLimitError", "InternalServerError"].map(|c| router.allowed_fails_of(c));
    assert_eq!(allowed, [Some(2), Some(0), Some(5)]);
    assert_eq!(good("", &[]).router.allowed_fails_of("Timeout"), None);
}

#[test]
fn p17_budgets_of_gateway_providers_and_deployments_have_amount_and_period() {
    let text = "litellm_settings: {max_budget: 100.5, budget_duration: 1mo}\n\
                router_settings: {provider_budget_config: {openai: {budget_limit: 2, time_period: 1d}, \
                azure: {max_budget: 0.000000001, budget_duration: 30m}}}";
    let config = good(text, &[]);
    let budget = |cap, period| WindowBudget { cap: NanoUsd(cap), period: Period::parse(period) };
    assert_eq!(config.litellm.budget, Some(budget(100_500_000_000, "1mo")));
    let of_providers =
        [("openai".to_owned(), budget(2_000_000_000, "1d")), ("azure".to_owned(), budget(1, "30m"))];
    assert_eq!(config.router.provider_budgets, of_providers);
    assert_eq!(model("max_budget: 3, budget_duration: 1w").params.budget, Some(budget(3_000_000_000, "1w")));
    let none = good("litellm_settings: {budget_duration: 1d}", &[]);
    assert_eq!((none.litellm.budget, none.router.provider_budgets.len()), (None, 0));
    let bad = [
        "litellm_settings: {max_budget: 1}",
        "litellm_settings: {max_budget: 1, budget_duration: soon}",
        "router_settings: {provider_budget_config: {openai: {budget_limit: 1}}}",
        "router_settings: {provider_budget_config: {openai: {budget_limit: -1, time_period: 1d}}}",
    ];
    for text in bad {
        let errors = lines(&load(text, &[]).1, Severity::Error);
        assert_eq!(errors.len(), 1, "{text}: {errors:?}");
    }
}

#[test]
fn aliases_may_be_hidden() {
    let text = "router_settings: {model_group_alias: {a: two, b: {model: two, hidden: true}}}";
    let aliases = good(text, &[]).router.model_group_alias;
    let shown: Vec<_> = aliases.iter().map(|a| (a.name.as_str(), a.model.as_str(), a.hidden)).collect();
    assert_eq!(shown, [("a", "two", false), ("b", "two", true)]);
}

#[test]
fn a_deployments_parameters_are_read() {
    let entry = model(
        "api_base: \"https://x.test/v1\", timeout: 1.5, weight: 0.7, mock_response: {a: [1, null]}, temperature: 0.20, \
         stop: [a, b], extra_body: {z: 1.0, a: true}, extra_headers: {X-A: 1, x-b: true}, tags: [t], ssl_verify: false, \
         configurable_clientside_auth_params: [api_key, {api_base: \"^https://ok\"}], azure_scope: r",
    );
    let params = entry.params;
    assert_eq!((entry.provider.as_str(), entry.upstream_model.as_str()), ("openai", "m"));
    assert_eq!(params.timeout, Some(Duration::from_millis(1500)));
    assert_eq!(params.weight, Some(0.7));
    assert_eq!(params.mock_response.as_deref(), Some(r#"{"a":[1,null]}"#));
    let defaults: Vec<_> = params.defaults.iter().collect();
    assert_eq!(defaults, [("temperature", "0.20"), ("stop", r#"["a","b"]"#)]);
    assert_eq!(params.extra_body.iter().collect::<Vec<_>>(), [("z", "1.0"), ("a", "true")]);
    let headers: Vec<_> = params.extra_headers.iter().map(|(n, v)| (n.as_str(), v.expose_secret())).collect();
    assert_eq!(headers, [("x-a", "1"), ("x-b", "true")]);
    assert_eq!(params.ssl_verify, Some(SslVerify::Off));
    let clientside = &params.configurable_clientside_auth_params;
    assert_eq!(clientside[0], ClientParam { name: "api_key".into(), pattern: None });
    assert_eq!(clientside[1].pattern.as_deref(), Some("^https://ok"));
    assert_eq!(params.entra.scope.as_deref(), Some("r"));
}

#[test]
fn parameters_of_a_provider_are_set_and_misspelt_settings_are_not() {
    let defaults = model("num_ctx: 4096, api_bse: x").params.defaults;
    assert_eq!(defaults.iter().collect::<Vec<_>>(), [("num_ctx", "4096")]);
}

#[test]
fn merge_keys_and_anchors_share_parameters() {
    let text = "\
shared: &shared {api_base: \"https://x.test\", rpm: 5}
model_list:
  - model_name: m
    litellm_params: {<<: *shared, model: openai/m, rpm: 6}
";
    let config = good(text, &[]);
    assert_eq!(config.models[0].params.api_base.as_deref(), Some("https://x.test"));
    assert_eq!(config.models[0].params.rpm, Some(6));
}

#[test]
fn a_shared_credential_fills_in_what_is_not_written() {
    let text = "\
credential_list:
  - credential_name: c
    credential_values: {api_key: sk-c, api_base: \"https://c.test\"}
model_list:
  - model_name: m
    litellm_params: {model: openai/m, api_base: \"https://own.test\", litellm_credential_name: c}
  - model_name: n
    litellm_params: {model: openai/n, litellm_credential_name: d}
";
    let (config, problems) = load(text, &[]);
    let params = &config.unwrap().models[0].params;
    assert_eq!(params.api_key.as_ref().map(|key| key.expose_secret()), Some("sk-c"));
    assert_eq!(params.api_base.as_deref(), Some("https://own.test"));
    assert!(lines(&problems, Severity::Warning)[0].contains("no credential \"d\" in credential_list"));
}

#[test]
fn ids_are_stable_and_unique() {
    let entry = |params: &str| format!("  - {{model_name: m, litellm_params: {params}}}\n");
    let id = |params: &str| good(&format!("model_list:\n{}", entry(params)), &[]).models[0].id.clone();
    let first = id("{model: openai/m, api_key: a}");
    assert_eq!(first.len(), 64);
    assert_eq!(first, id("{api_key: a, model: openai/m}"), "the order of keys does not matter");
    assert_ne!(first, id("{model: openai/m, api_key: b}"));
    let twice = format!("model_list:\n{0}{0}{0}", entry("{model: openai/m}"));
    let (config, problems) = load(&twice, &[]);
    let ids: Vec<_> = config.unwrap().models.into_iter().map(|m| m.id).collect();
    assert_eq!(ids[1..], [format!("{}-2", ids[0]), format!("{}-3", ids[0])]);
    assert_eq!(lines(&problems, Severity::Warning).len(), 2);
    let given = "model_list: [{model_name: m, litellm_params: {model: openai/m}, model_info: {id: mine}}]";
    assert_eq!(good(given, &[]).models[0].id, "mine");
}

#[test]
fn model_info_is_kept_as_it_was_written() {
    let text = "model_list: [{model_name: m, litellm_params: {model: azure/m}, model_info: {base_model: azure/gpt-4o, \
                mode: chat, max_tokens: 10, access_groups: [beta], supports_vision: true, note: {b: 1.50, a: 2}}}]";
    let info = good(text, &[]).models.remove(0).info;
    assert_eq!(info.base_model.as_deref(), Some("azure/gpt-4o"));
    assert_eq!((info.max_tokens, info.access_groups), (Some(10), vec!["beta".to_owned()]));
    let rest: Vec<_> = info.rest.iter().collect();
    assert_eq!(rest, [("supports_vision", "true"), ("note", r#"{"b":1.50,"a":2}"#)]);
}

#[test]
fn teams_get_what_either_setting_says() {
    let text = "litellm_settings: {default_team_params: {max_budget: 5}, default_team_settings: \
                [{team_id: default-settings, max_budget: 100, tpm_limit: 7}, {team_id: t, success_callback: [otel], \
                failure_callback: [otel], callback_vars: {langfuse_host: \"https://x.test\"}}]}";
    let litellm = good(text, &[]).litellm;
    let limits = litellm.default_team.team("new".to_owned(), Micros(0), &TimeZone::UTC).limits;
    assert_eq!((limits.max_budget, limits.tpm_limit), (Some(NanoUsd(5_000_000_000)), Some(7)));
    let [of_team] = &litellm.team_callbacks[..] else { panic!("{:?}", litellm.team_callbacks) };
    assert_eq!(
        (of_team.team.as_str(), &of_team.success, &of_team.failure),
        ("t", &vec!["otel".to_owned()], &vec!["otel".to_owned()])
    );
    assert_eq!(of_team.vars.text("langfuse_host").as_deref(), Some("https://x.test"));
    let errors = lines(
        &load("litellm_settings: {default_team_settings: [{success_callback: [otel]}]}", &[]).1,
        Severity::Error,
    );
    assert!(errors[0].contains("team_id is missing"), "{errors:?}");
}

#[test]
fn certificates_are_checked_as_the_file_says_then_the_environment() {
    let verify = |text: &str, vars: &[(&str, &str)]| good(text, vars).litellm.ssl_verify;
    assert_eq!(verify("litellm_settings: {ssl_verify: false}", &[]), SslVerify::Off);
    assert_eq!(verify("litellm_settings: {ssl_verify: /ca.pem}", &[]), SslVerify::CaFile("/ca.pem".into()));
    assert_eq!(verify("", &[("SSL_VERIFY", "False")]), SslVerify::Off);
    assert_eq!(verify("", &[("SSL_CERT_FILE", "/ca.pem")]), SslVerify::CaFile("/ca.pem".into()));
    assert_eq!(verify("litellm_settings: {ssl_verify: true}", &[("SSL_VERIFY", "False")]), SslVerify::On);
}

#[test]
fn weirs_own_settings_are_read() {
    let text = "weir_settings: {trusted_proxies: [10.0.0.0/8, \"::1\"], metrics: always, inflight_bytes: 32MB, \
                drain_delay: 500ms, h2c: true}";
    let weir = good(text, &[]).weir;
    assert_eq!(
        weir.trusted_proxies.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["10.0.0.0/8", "::1/128"]
    );
    assert_eq!((weir.metrics, weir.inflight_bytes, weir.h2c), (MetricsWhen::Always, 32 << 20, true));
    assert_eq!(weir.drain_delay, Duration::from_millis(500));
}

#[test]
fn endpoints_of_the_operator_are_read_with_the_environment_in_their_headers() {
    let text = r#"
general_settings:
  pass_through_endpoints:
    - path: some/where/
      target: https://host.test/base?a=1
      auth: true
      cost_per_request: 0.002
      headers: {Authorization: "Bearer os.environ/THEIR_KEY", X-Whole: os.environ/THEIR_KEY, X-Number: 7}
    - {path: /some/where, target: "https://other.test", auth: true}
    - {path: /open, target: "https://other.test"}
"#;
    let (config, problems) = load(text, &[("THEIR_KEY", "k-1")]);
    let endpoints = config.unwrap().general.pass_through;
    let first = &endpoints[0];
    assert_eq!((first.path.as_str(), first.id.as_str()), ("/some/where", "/some/where"));
    assert_eq!(first.cost_per_request.unwrap().to_string(), "0.002");
    let headers: Vec<_> =
        first.headers.iter().map(|(name, value)| (name.as_str(), value.expose_secret())).collect();
    assert_eq!(headers, [("authorization", "Bearer k-1"), ("x-whole", "k-1"), ("x-number", "7")]);
    assert!(!format!("{first:?}").contains("k-1"), "a secret is shown");
    assert_eq!(endpoints.len(), 2, "the second of the same path does not count");
    let text = problems.to_string();
    assert!(text.contains("this path is listed twice"), "{text}");
    assert!(text.contains("anybody may call /open without a key"), "{text}");
}

#[test]
fn an_endpoint_that_leads_nowhere_is_an_error() {
    for (entry, says) in [
        ("{path: /, target: \"http://a.test\"}", "expected a path"),
        ("{target: \"http://a.test\"}", "expected a path"),
        ("{path: /a, target: a.test}", "expected an http or https address"),
        ("{path: /a, target: \"http://user@a.test\"}", "expected an http or https address"),
        ("{path: /a, target: \"http://a.test\", headers: {\"a b\": c}}", "cannot be sent as a header"),
    ] {
        let (config, problems) =
            load(&format!("general_settings: {{pass_through_endpoints: [{entry}]}}"), &[]);
        assert!(config.is_none() && problems.to_string().contains(says), "{entry}: {problems}");
    }
}

#[test]
fn what_litellm_says_in_another_section_counts_where_weirs_own_says_nothing() {
    for (text, serves) in [
        ("general_settings: {allow_requests_on_db_unavailable: true}", true),
        (
            "general_settings: {allow_requests_on_db_unavailable: true}\nweir_settings: {on_ledger_loss: refuse}",
            false,
        ),
        ("weir_settings: {on_ledger_loss: serve}", true),
        ("general_settings: {}", false),
    ] {
        assert_eq!(good(text, &[]).weir.serves_without_ledger, serves, "{text}");
    }
}

#[test]
fn p37_forwarded_addresses_need_somebody_who_is_trusted() {
    let told = |more: &str| {
        let text = format!("general_settings: {{use_x_forwarded_for: true}}\n{more}");
        lines(&load(&text, &[]).1, Severity::Warning).concat()
    };
    assert!(told("").contains("use_x_forwarded_for: nobody is trusted to say it"), "{}", told(""));
    assert!(!told("weir_settings: {trusted_proxies: [10.0.0.0/8]}").contains("nobody is trusted"));
}

#[test]
fn without_spend_logs_entries_stay_and_what_was_said_goes() {
    let text = "general_settings: {disable_spend_logs: true, store_prompts_in_spend_logs: true}";
    let (config, problems) = load(text, &[]);
    let general = config.unwrap().general;
    assert_eq!((general.store_prompts_in_spend_logs, general.keeping.retention), (false, None));
    let told = lines(&problems, Severity::Warning).concat();
    assert!(told.contains("entries stay") && told.contains("maximum_spend_logs_retention_period"), "{told}");
}
