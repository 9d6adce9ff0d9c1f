//! `background_health_checks`: deployments are asked whether they are well without anybody asking.

use crate::rig::{MASTER, Rig};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

const CONFIG: &str = r#"
model_list:
  - model_name: well
    litellm_params: {model: openai/gpt-4o, api_base: "MOCK/v1", api_key: sk-upstream-fake}
    model_info: {id: well}
  - model_name: ill
    litellm_params: {model: openai/gpt-4o, api_base: "http://127.0.0.1:9", api_key: sk-upstream-fake}
    model_info: {id: ill}
  - model_name: quiet
    litellm_params: {model: openai/quiet, api_base: "MOCK/v1", api_key: sk-upstream-fake}
    model_info: {id: quiet, disable_background_health_check: true}
  - model_name: openai/*
    litellm_params: {model: openai/*, api_base: "MOCK/v1", api_key: sk-upstream-fake}
    model_info: {id: any, health_check_model: openai/gpt-4o-mini, health_check_timeout: 7}
  - model_name: other/*
    litellm_params: {model: openai/*, api_base: "MOCK/v1", api_key: sk-upstream-fake}
general_settings: {master_key: os.environ/LITELLM_MASTER_KEY, background_health_checks: true, health_check_interval: 1}
weir_settings: {drain_delay: 0.2}
"#;

async fn health(rig: &Rig, query: &str) -> Value {
    let answer = rig.get(&format!("/health{query}"), MASTER).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

async fn until(rig: &Rig, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..200 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{}", rig.log());
}

fn models_asked(rig: &Rig) -> BTreeSet<String> {
    let model = |body: Value| body["model"].as_str().unwrap_or_default().to_owned();
    rig.mock.take_log().iter().map(|seen| model(seen.json())).collect()
}

fn ids(list: &Value) -> BTreeSet<&str> {
    list.as_array().unwrap().iter().map(|row| row["model_id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn deployments_are_asked_in_the_background_and_health_tells_what_they_said() {
    let rig = Rig::config(CONFIG).start().await;
    let known = async || {
        let told = health(&rig, "").await;
        (told["healthy_count"].clone(), told["unhealthy_count"].clone()) == (json!(2), json!(1))
    };
    until(&rig, known).await;
    let told = health(&rig, "").await;
    assert_eq!(ids(&told["healthy_endpoints"]), BTreeSet::from(["any", "well"]));
    let ill = &told["unhealthy_endpoints"][0];
    assert!(ill["model_id"] == "ill" && ill["error"].as_str().unwrap().contains("Connection"), "{ill}");
    assert_eq!(health(&rig, "?model=well").await["healthy_count"], 1);
    assert_eq!(health(&rig, "?model=quiet").await["healthy_count"], 0, "nobody asks it");
    let expected = BTreeSet::from(["gpt-4o", "gpt-4o-mini"].map(str::to_owned));
    assert_eq!(models_asked(&rig), expected);
    until(&rig, async || !models_asked(&rig).is_empty()).await;

    let states = rig.get("/model/deployments/state", MASTER).await.json();
    let of = |id: &str| {
        let rows = states["data"].as_array().unwrap();
        rows.iter().find(|row| row["model_id"] == id).unwrap()["check"].clone()
    };
    assert_eq!((&of("well")["error"], &of("well")["status"]), (&Value::Null, &json!(200)));
    assert!(of("ill")["error"].is_string() && of("quiet").is_null(), "{states}");
    let checked = rig.get("/model/deployments/state?state=checked", MASTER).await.json();
    assert_eq!(ids(&checked["data"]), BTreeSet::from(["any", "ill", "well"]));

    rig.write_config(&CONFIG.replace("background_health_checks: true", "background_health_checks: false"));
    until(&rig, async || health(&rig, "?model=quiet").await["healthy_count"] == 1).await;
    assert!(models_asked(&rig).contains("quiet"), "without them who asks has it asked");
}

#[tokio::test]
async fn what_a_check_goes_by_is_shown_as_it_was_written() {
    let rig = Rig::config(CONFIG).start().await;
    let told = rig.get("/v1/model/info?litellm_model_id=any", MASTER).await.json();
    let info = &told["data"][0]["model_info"];
    assert_eq!(
        (&info["health_check_model"], &info["health_check_timeout"]),
        (&json!("openai/gpt-4o-mini"), &json!(7))
    );
}

#[tokio::test]
async fn health_tells_no_more_than_who_is_well_where_details_are_off() {
    let rig = Rig::config(&CONFIG.replace("background_health_checks: true", "health_check_details: false"));
    let rig = rig.start().await;
    let told = health(&rig, "?model=ill").await;
    let names: BTreeSet<&str> =
        told["unhealthy_endpoints"][0].as_object().unwrap().keys().map(String::as_str).collect();
    let expected = ["checked_at", "model", "model_id", "model_name", "response_time_ms", "status"];
    assert_eq!(names, BTreeSet::from(expected));
}
