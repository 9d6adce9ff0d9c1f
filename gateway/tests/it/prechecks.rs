//! `optional_pre_call_checks` and what else the router does only where it is asked to.

use crate::rig::{MASTER, Rig, chat};
use serde_json::{Value, json};
use std::collections::HashSet;

/// Four deployments of one group, and more of the router's settings.
fn config(params: &str, router: &str) -> String {
    let models: String = (0..4)
        .map(|at| {
            format!(
                "  - {{model_name: m, litellm_params: {{model: openai/m, api_base: \"MOCK/v1\", api_key: sk-x, {params}}}, \
                 model_info: {{id: d{at}}}}}\n"
            )
        })
        .collect();
    format!(
        "model_list:\n{models}litellm_settings: {{num_retries: 0}}\nrouter_settings: {{disable_cooldowns: true, {router}}}\n\
         general_settings: {{master_key: os.environ/LITELLM_MASTER_KEY}}\n"
    )
}

/// A conversation whose last word is marked for the provider's cache.
fn marked(system: &str, turns: usize) -> Value {
    let mut messages = vec![json!({"role": "system", "content": system.repeat(600)})];
    for turn in 0..turns {
        messages.push(json!({"role": "user", "content": format!("question {turn}")}));
        messages.push(json!({"role": "assistant", "content": format!("answer {turn}")}));
    }
    let mark = json!({"type": "ephemeral"});
    let last = json!([{"type": "text", "text": format!("question {turns}"), "cache_control": mark}]);
    messages.push(json!({"role": "user", "content": last}));
    json!({"model": "m", "messages": messages})
}

async fn asked(rig: &Rig, body: Value) -> String {
    let answer = rig.post("/v1/chat/completions", MASTER, body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.header("x-litellm-model-id").to_owned()
}

#[tokio::test]
async fn a_conversation_stays_where_its_beginning_is_cached() {
    let rig = Rig::config(&config("", "optional_pre_call_checks: [prompt_caching]")).start().await;
    let mut homes = HashSet::new();
    for rules in (0..12).map(|number| format!("Rule {number}. ")) {
        let home = asked(&rig, marked(&rules, 0)).await;
        for turn in 1..6 {
            assert_eq!(asked(&rig, marked(&rules, turn)).await, home, "{rules}, turn {turn}");
        }
        homes.insert(home);
    }
    assert!(homes.len() > 1, "conversations are spread as ever: {homes:?}");
}

#[tokio::test]
async fn without_the_check_a_conversation_goes_anywhere() {
    let rig = Rig::config(&config("", "num_retries: 0")).start().await;
    let mut homes = HashSet::new();
    for turn in 0..40 {
        homes.insert(asked(&rig, marked("Be kind. ", turn)).await);
    }
    assert!(homes.len() > 1, "{homes:?}");
}

#[tokio::test]
async fn limits_of_deployments_are_kept_to_where_that_is_asked_for() {
    for (check, refused) in
        [("optional_pre_call_checks: [enforce_model_rate_limits]", 2), ("num_retries: 0", 0)]
    {
        let rig = Rig::config(&config("rpm: 1", check)).start().await;
        let mut statuses = Vec::new();
        for _ in 0..6 {
            statuses.push(rig.chat("m", "hi").await.status);
        }
        let limited = statuses.iter().filter(|status| **status == 429).count();
        assert_eq!(limited, refused, "{check}: {statuses:?}");
    }
}

#[tokio::test]
async fn any_model_is_passed_on_where_the_router_says_so() {
    let keys = "environment_variables: {OPENAI_API_KEY: sk-environment, OPENAI_API_BASE: \"MOCK/v1\"}\n";
    let all = "router_general_settings: {pass_through_all_models: true}";
    let rig = Rig::config(&(config("", all) + keys));
    let rig = rig.replace("{num_retries: 0}", "{num_retries: 0, organization: org-all}").start().await;
    for (model, sent) in [("openai/unheard-of", "unheard-of"), ("gpt-4o-mini", "gpt-4o-mini")] {
        assert_eq!(rig.chat(model, "hi").await.status, 200, "{model}");
        let seen = rig.mock.take_log().remove(0);
        assert_eq!(seen.json()["model"], sent);
        assert_eq!(seen.header("authorization"), "Bearer sk-environment");
        assert_eq!(seen.header("openai-organization"), "org-all", "what all deployments have");
    }
    assert_eq!(rig.chat("unheard-of", "hi").await.status, 400, "nobody knows whose it is");
    let key = rig.key(json!({"models": ["m"]})).await;
    let denied = rig.post("/v1/chat/completions", &key, chat("openai/unheard-of", "hi")).await;
    assert_eq!(denied.status, 401, "{}", denied.text());
    let listed = rig.get("/v1/models", MASTER).await.json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 1, "{listed}");
    let rig = Rig::config(&(config("", "num_retries: 0") + keys)).start().await;
    assert_eq!(rig.chat("openai/unheard-of", "hi").await.status, 400);
}

#[tokio::test]
async fn p36_a_model_that_is_passed_on_is_asked_with_the_key_that_a_client_brings() {
    let keys = "environment_variables: {OPENAI_API_KEY: sk-environment, OPENAI_API_BASE: \"MOCK/v1\", \
                OPENAI_ORGANIZATION: org, OPENAI_PROJECT: proj}\n";
    let all = "router_general_settings: {pass_through_all_models: true}";
    let left = "{allow_client_side_credentials: true, master_key:";
    let rig = Rig::config(&(config("", all) + keys)).replace("{master_key:", left).start().await;
    let key = rig.key(json!({})).await;
    let mut body = chat("openai/unheard-of", "hi");
    assert_eq!(rig.post("/v1/chat/completions", &key, &body).await.status, 200);
    let seen = rig.mock.take_log().remove(0);
    assert_eq!((seen.header("openai-organization"), seen.header("openai-project")), ("org", "proj"));
    body["api_key"] = "sk-of-the-client".into();
    let answer = rig.post("/v1/chat/completions", &key, body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let seen = rig.mock.take_log().remove(0);
    assert_eq!(seen.header("authorization"), "Bearer sk-of-the-client");
    assert_eq!((seen.header("openai-organization"), seen.header("openai-project")), ("", ""));
}
