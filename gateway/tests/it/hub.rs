//! What anybody may read without a key, and models that nobody wrote down.

use crate::client;
use crate::demands::with;
use crate::rig::{CONFIG, MASTER, Rig};
use serde_json::{Value, json};

async fn anybody(rig: &Rig, path: &str) -> Value {
    let answer = client::send("GET", &format!("{}{path}", rig.url), &[], "").await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer.json()
}

#[tokio::test]
async fn the_public_hub_shows_the_models_that_are_named_and_no_others() {
    let named = "litellm_settings: {public_model_groups: [priced, nowhere], \
                 public_model_groups_links: {Guide: \"https://guide.test\"}, ";
    let rig = Rig::config(CONFIG).replace("litellm_settings: {", named).env("DOCS_TITLE", "Our models");
    let rig = rig.start().await;
    let shown = anybody(&rig, "/public/model_hub").await;
    assert_eq!(shown.as_array().map(Vec::len), Some(1), "{shown}");
    assert_eq!(
        (&shown[0]["model_group"], &shown[0]["is_public_model_group"]),
        (&json!("priced"), &json!(true))
    );
    assert_eq!(shown[0]["input_cost_per_token"].as_f64(), Some(0.000_001), "{shown}");
    assert!(!shown.to_string().contains("sk-upstream-fake"), "{shown}");
    let about = anybody(&rig, "/public/model_hub/info").await;
    assert_eq!((&about["docs_title"], &about["litellm_version"]), (&json!("Our models"), &json!("1.81.0")));
    assert_eq!(about["useful_links"], json!({"Guide": "https://guide.test"}));
    assert_eq!(anybody(&rig, "/openapi.json").await["info"]["title"], "Our models");
    let groups = rig.get("/model_group/info", MASTER).await.json();
    let public = |name: &str| {
        let all = groups["data"].as_array().unwrap();
        all.iter().find(|group| group["model_group"] == name).unwrap()["is_public_model_group"].clone()
    };
    assert_eq!((public("priced"), public("gpt-4o")), (json!(true), json!(false)));
    let closed = Rig::start().await;
    assert_eq!(anybody(&closed, "/public/model_hub").await, json!([]));
}

#[tokio::test]
async fn providers_whose_keys_are_in_the_environment_serve_their_models_where_that_is_wanted() {
    let asked = async |rig: &Rig| {
        let listed = rig.get("/v1/models", MASTER).await.text();
        (listed.contains("\"groq/*\""), listed.contains("\"anthropic/*\""))
    };
    let on = with("infer_model_from_keys: true").env("GROQ_API_KEY", "gsk-not-real").start().await;
    assert_eq!(asked(&on).await, (true, false));
    let off = Rig::config(CONFIG).env("GROQ_API_KEY", "gsk-not-real").start().await;
    assert_eq!(asked(&off).await, (false, false));
}

#[tokio::test]
async fn people_who_come_to_the_root_are_sent_where_the_operator_wants_them() {
    let rig = Rig::config(CONFIG).env("ROOT_REDIRECT_URL", "/ui/").start().await;
    let answer = client::send("GET", &format!("{}/", rig.url), &[], "").await;
    assert_eq!((answer.status, answer.header("location")), (307, "/ui/"));
    assert_eq!(client::send("GET", &format!("{}/docs", rig.url), &[], "").await.status, 200);
}
