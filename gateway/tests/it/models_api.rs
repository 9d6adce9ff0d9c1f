//! Models, credentials and settings that are made over the API: in force at once, after a restart, and on other replicas.

use crate::rig::{CONFIG, MASTER, Rig, chat, database};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

async fn post(rig: &Rig, path: &str, body: Value) -> (u16, Value) {
    let answer = rig.post(path, MASTER, body).await;
    (answer.status, answer.json())
}

async fn made(rig: &Rig, body: Value) -> String {
    let (status, answer) = post(rig, "/model/new", body).await;
    assert_eq!(status, 200, "{answer}");
    answer["model_id"].as_str().unwrap().to_owned()
}

fn new_model(rig: &Rig) -> Value {
    json!({ "model_name": "made", "litellm_params": {
        "model": "openai/gpt-4o", "api_base": format!("{}/v1", rig.mock.url()), "api_key": "sk-made-fake" } })
}

async fn of_id(rig: &Rig, id: &str) -> Value {
    let answer = rig.get(&format!("/v1/model/info?litellm_model_id={id}"), MASTER).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["data"][0].clone()
}

#[tokio::test]
async fn p34_a_model_made_over_the_api_serves_at_once_and_after_a_restart() {
    let mut rig = Rig::start().await;
    let id = made(&rig, new_model(&rig)).await;
    assert_eq!(rig.chat("made", "hi").await.status, 200);
    assert_eq!(rig.mock.log().last().unwrap().headers["authorization"], "Bearer sk-made-fake");
    let shown = of_id(&rig, &id).await;
    assert_eq!(
        (&shown["model_info"]["db_model"], &shown["litellm_params"]["api_key"]),
        (&json!(true), &Value::Null)
    );

    rig.restart().await;
    assert_eq!(rig.chat("made", "hi").await.status, 200, "{}", rig.log());
    let (status, _) = post(&rig, "/model/delete", json!({ "id": id })).await;
    assert_eq!(status, 200);
    assert_eq!(rig.chat("made", "hi").await.status, 400);
    assert_eq!(post(&rig, "/model/delete", json!({ "id": id })).await.0, 400);
}

#[tokio::test]
async fn p35_keys_of_providers_are_sealed_in_the_ledger_and_told_to_nobody() {
    let rig = Rig::start().await;
    let mut body = new_model(&rig);
    body["litellm_params"]["api_key"] = json!("sk-most-secret-0001");
    body["litellm_params"]["litellm_credential_name"] = json!("shared");
    let values = json!({ "credential_name": "shared", "credential_values": { "aws_secret_access_key": "most-secret-0002" } });
    assert_eq!(post(&rig, "/credentials", values).await.0, 200);
    made(&rig, body).await;
    let (_, update) = post(
        &rig,
        "/config/update",
        json!({ "environment_variables": { "SOME_API_KEY": "most-secret-0003" } }),
    )
    .await;
    assert_eq!(update["message"], "Config updated successfully");
    for path in
        ["/v1/model/info", "/v2/model/info", "/credentials", "/audit?page_size=100", "/health?model=made"]
    {
        let told = rig.get(path, MASTER).await;
        assert!(told.status == 200 && !told.text().contains("most-secret"), "{path}: {}", told.text());
    }
    for file in std::fs::read_dir(rig.dir.path().join("data")).unwrap() {
        let path = file.unwrap().path();
        let Ok(bytes) = std::fs::read(&path) else { continue };
        assert!(memchr::memmem::find(&bytes, b"most-secret").is_none(), "{}", path.display());
    }
    assert!(!rig.log().contains("most-secret"));
}

#[tokio::test]
async fn a_credential_is_shared_by_the_models_that_name_it() {
    let rig = Rig::start().await;
    let credential =
        |key: &str| json!({ "credential_name": "shared", "credential_values": { "api_key": key } });
    assert_eq!(post(&rig, "/credentials", credential("sk-one-fake")).await.0, 200);
    let (status, again) = post(&rig, "/credentials", credential("sk-two-fake")).await;
    let words = again["error"]["message"].as_str().unwrap_or_default();
    assert!(status == 409 && words.contains("Unique constraint failed"), "Terraform reads this: {again}");
    let mut body = new_model(&rig);
    body["litellm_params"] = json!({ "model": "openai/gpt-4o", "api_base": format!("{}/v1", rig.mock.url()),
        "litellm_credential_name": "shared" });
    let id = made(&rig, body).await;
    rig.chat("made", "hi").await;
    assert_eq!(rig.mock.log().last().unwrap().headers["authorization"], "Bearer sk-one-fake");
    let of = rig.get(&format!("/credentials/by_model/{id}"), MASTER).await.json();
    assert_eq!(of["credential_values"], json!({ "api_key": "*****" }));
    let deleted = rig.delete("/credentials/shared", MASTER).await;
    assert_eq!(deleted.status, 200);
    assert_eq!(rig.chat("made", "hi").await.status, 401, "without its credential it has no key");
}

#[tokio::test]
async fn a_credential_is_made_of_what_a_model_has_that_was_made_over_the_api() {
    let rig = Rig::start().await;
    let id = made(&rig, new_model(&rig)).await;
    let from = |name: &str, id: &str| json!({ "credential_name": name, "model_id": id });
    assert_eq!(post(&rig, "/credentials", from("made-of", &id)).await.0, 200);
    let told = rig.get("/credentials/by_name/made-of", MASTER).await.json();
    assert_eq!(told["credential_values"], json!({ "api_base": "*****", "api_key": "*****" }), "{told}");
    let mut body = new_model(&rig);
    body["model_name"] = json!("second");
    body["litellm_params"] = json!({ "model": "openai/gpt-4o", "litellm_credential_name": "made-of" });
    made(&rig, body).await;
    rig.chat("second", "hi").await;
    assert_eq!(rig.mock.log().last().unwrap().headers["authorization"], "Bearer sk-made-fake");
    assert_eq!(post(&rig, "/credentials", from("x", "nobody")).await.0, 404);
    let config = rig.get("/v2/model/info?model=azure-gpt4", MASTER).await.json();
    let of_files = config["data"][0]["model_info"]["id"].as_str().unwrap();
    let (status, answer) = post(&rig, "/credentials", from("x", of_files)).await;
    assert!(status == 400 && answer.to_string().contains("credential_values"), "{answer}");
}

/// The guide's script, and LiteLLM's own form.
#[tokio::test]
async fn a_model_of_the_file_is_changed_by_an_override_that_goes_again() {
    let rig = Rig::start().await;
    let config = rig.get("/v2/model/info?model=azure-gpt4", MASTER).await.json();
    let id = config["data"][0]["model_info"]["id"].as_str().unwrap().to_owned();
    let (status, answer) =
        post(&rig, "/model/update", json!({ "model_id": id, "base_model": "azure/gpt-4" })).await;
    assert_eq!(status, 200, "{answer}");
    let changed = of_id(&rig, &id).await;
    assert_eq!(
        (&changed["model_name"], &changed["model_info"]["base_model"]),
        (&json!("azure-gpt4"), &json!("azure/gpt-4"))
    );
    assert_eq!(changed["model_info"]["db_model"], false);
    let priced = rig.chat("azure-gpt4", "hi").await;
    // azure/gpt-4: 11 × $30 + 7 × $60 for a million.
    assert_eq!(priced.header("x-litellm-response-cost"), "0.00075");

    let nested = json!({ "model_info": { "id": id, "base_model": "azure/gpt-4o" } });
    assert_eq!(post(&rig, "/model/update", nested).await.0, 200);
    assert_eq!(of_id(&rig, &id).await["model_info"]["base_model"], "azure/gpt-4o");
    assert_eq!(post(&rig, "/model/delete", json!({ "id": id })).await.0, 200);
    assert_eq!(of_id(&rig, &id).await["model_info"]["base_model"], Value::Null);
    assert_eq!(rig.chat("azure-gpt4", "hi").await.status, 200);
}

async fn named(rig: &Rig, name: &str, key: &str) -> Value {
    let answer = rig.get(&format!("/v2/model/info?model={name}"), key).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["data"][0].clone()
}

#[tokio::test]
async fn p47_a_deployment_says_where_it_is_written_and_what_was_changed() {
    let rig = Rig::start().await;
    let before = named(&rig, "azure-gpt4", MASTER).await;
    let source = &before["weir"]["source"];
    assert_eq!((&source["from"], &source["line"]), (&json!("file"), &json!(5)), "{source}");
    assert!(source["file"].as_str().unwrap().ends_with("config.yaml"), "{source}");
    assert_eq!(before["weir"]["changed"], json!({}));

    let change = json!({ "model_info": { "id": before["model_info"]["id"], "base_model": "azure/gpt-4" }, "litellm_params": { "rpm": 5 } });
    assert_eq!(post(&rig, "/model/update", change).await.0, 200);
    let after = named(&rig, "azure-gpt4", MASTER).await;
    let ledger = json!({ "from": "ledger" });
    assert_eq!(after["weir"]["source"], before["weir"]["source"]);
    assert_eq!(
        after["weir"]["changed"],
        json!({ "litellm_params.rpm": ledger, "model_info.base_model": ledger })
    );

    let id = made(&rig, new_model(&rig)).await;
    let new = of_id(&rig, &id).await;
    assert_eq!((&new["weir"]["source"], &new["weir"]["changed"]), (&ledger, &json!({})));
    let key = rig.key(json!({})).await;
    let told = named(&rig, "azure-gpt4", &key).await;
    assert_eq!(told["weir"]["source"], Value::Null, "paths of the server are for admins");
}

#[tokio::test]
async fn p47_a_price_says_where_it_comes_from() {
    let rig = Rig::start().await;
    let set = json!({ "input_cost_per_token": "litellm_params", "output_cost_per_token": "litellm_params" });
    for (name, from, key, prices) in [
        ("gpt-4o", "catalogue", json!("gpt-4o"), json!({})),
        ("priced", "config", Value::Null, set),
        ("unpriced", "unpriced", Value::Null, json!({})),
        ("openai/*", "pattern", Value::Null, json!({})),
    ] {
        let price = named(&rig, name, MASTER).await["weir"]["price"].clone();
        assert_eq!(price, json!({ "from": from, "key": key, "set": prices }), "{name}");
    }
    let mut body = new_model(&rig);
    body["model_info"] = json!({ "output_cost_per_token": 0.5 });
    let id = made(&rig, body).await;
    let price = of_id(&rig, &id).await["weir"]["price"].clone();
    let set = json!({ "output_cost_per_token": "model_info" });
    assert_eq!(
        price,
        json!({ "from": "config", "key": "gpt-4o", "set": set }),
        "the rest is the catalogue's"
    );
}

#[tokio::test]
async fn what_could_not_serve_is_refused_with_a_cure_and_changes_nothing() {
    let rig = Rig::start().await;
    for (params, word) in [
        (json!({ "model": "nobody/x" }), "nobody"),
        (json!({ "model": "openai/x", "timeout": "soon" }), "timeout"),
        (json!({ "model": "openai/x", "api_base": "ftp://h" }), "api_base"),
        (json!({ "api_key": "k" }), "model is missing"),
    ] {
        let (status, answer) =
            post(&rig, "/model/new", json!({ "model_name": "bad", "litellm_params": params })).await;
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        assert!(status == 400 && message.contains(word), "{status} {answer}");
    }
    let (status, answer) =
        post(&rig, "/config/update", json!({ "router_settings": { "num_retries": "many" } })).await;
    assert!(
        status == 400 && answer["error"]["message"].as_str().unwrap().contains("num_retries"),
        "{answer}"
    );
    assert_eq!(rig.chat("bad", "hi").await.status, 400);
    assert_eq!(rig.chat("gpt-4o", "hi").await.status, 200);
}

#[tokio::test]
async fn settings_over_the_api_are_in_force_at_once_and_what_opens_everything_is_not_kept() {
    let rig = Rig::start().await;
    let body = json!({ "model": "gpt-4o", "messages": [{ "role": "user", "content": "hi" }], "made_up": 1 });
    assert_eq!(rig.post("/v1/chat/completions", MASTER, &body).await.status, 200);
    let settings = json!({ "router_settings": { "model_group_alias": { "alias": "gpt-4o" } },
        "general_settings": { "master_key": "sk-other", "database_url": "postgresql://x" } });
    assert_eq!(post(&rig, "/config/update", settings).await.0, 200);
    assert_eq!(rig.chat("alias", "hi").await.status, 200);
    assert_eq!(rig.get("/config/list", MASTER).await.status, 200, "the master key is what it was");
    let info = rig.get("/config/field/info?field_name=master_key", MASTER).await;
    assert_eq!(info.status, 400, "{}", info.text());
    let field = json!({ "field_name": "model_group_alias", "config_type": "router_settings" });
    assert_eq!(post(&rig, "/config/field/delete", field).await.0, 200);
    assert_eq!(rig.chat("alias", "hi").await.status, 400);
}

#[tokio::test]
async fn p31_an_access_group_opens_its_models_to_keys() {
    let rig = Rig::start().await;
    let group = json!({ "access_group": "cheap", "model_names": ["gpt-4o", "demo"] });
    let (status, answer) = post(&rig, "/access_group/new", group).await;
    assert_eq!((status, &answer["models_updated"]), (200, &json!(2)), "{answer}");
    let key = rig.key(json!({ "models": ["cheap"] })).await;
    let ask = |model: &str| rig.post("/v1/chat/completions", &key, chat(model, "hi"));
    assert_eq!((ask("gpt-4o").await.status, ask("priced").await.status), (200, 401));
    let deleted = rig.delete("/access_group/cheap/delete", MASTER).await;
    assert_eq!(deleted.status, 200, "{}", deleted.text());
    assert_eq!(ask("gpt-4o").await.status, 401);
}

#[tokio::test]
async fn health_asks_the_providers_and_says_who_is_well() {
    let rig = Rig::start().await;
    let well = rig.get("/health?model=gpt-4o", MASTER).await.json();
    assert_eq!((&well["healthy_count"], &well["unhealthy_count"]), (&json!(1), &json!(0)), "{well}");
    assert_eq!(well["healthy_endpoints"][0]["model"], "openai/gpt-4o");
    let asked = rig.mock.take_log();
    assert_eq!(asked.len(), 1);
    let ill = rig.get("/health?model=refused", MASTER).await.json();
    let told = ill["unhealthy_endpoints"][0]["error"].as_str().unwrap_or_default();
    assert!(ill["unhealthy_count"] == 1 && told.contains("Connection"), "{ill}");
    let all =
        futures_util::future::join_all((0..20).map(|_| rig.get("/health?model=emb-small", MASTER))).await;
    assert!(all.iter().all(|answer| answer.json()["healthy_count"] == 1));
    assert_eq!(rig.mock.take_log().len(), 1, "who asks meanwhile waits for the same result");
    let key = rig.key(json!({})).await;
    assert_ne!(rig.get("/health", &key).await.status, 200, "calls cost money");
}

#[tokio::test]
async fn models_stay_in_the_file_where_the_operator_wants_it_so() {
    let config = CONFIG.replace("general_settings: {", "general_settings: {store_model_in_db: false, ");
    let rig = Rig::config(&config).start().await;
    let (status, answer) = post(&rig, "/model/new", new_model(&rig)).await;
    assert!(
        status == 500 && answer["error"]["message"].as_str().unwrap().contains("STORE_MODEL_IN_DB"),
        "{answer}"
    );
    assert_eq!(post(&rig, "/config/update", json!({ "router_settings": {} })).await.0, 500);
}

/// Two processes on one ledger.
#[tokio::test]
async fn p34_other_replicas_serve_a_new_model_within_a_second() {
    let Some(url) = database().await else { return };
    let env = |config: &str| Rig::config(config).env("DATABASE_URL", &url);
    let (one, two) = (env(CONFIG).start().await, env(CONFIG).start().await);
    let id = made(&one, new_model(&one)).await;
    let wait = async |wanted: u16| {
        let started = Instant::now();
        while two.chat("made", "hi").await.status != wanted {
            assert!(started.elapsed() < Duration::from_secs(5), "{}", two.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        started.elapsed()
    };
    let came = wait(200).await;
    assert_eq!(post(&one, "/model/delete", json!({ "id": id })).await.0, 200);
    let went = wait(400).await;
    println!("a model came after {came:?} and went after {went:?}");
    assert!(came < Duration::from_secs(1) && went < Duration::from_secs(1), "{came:?} {went:?}");
}
