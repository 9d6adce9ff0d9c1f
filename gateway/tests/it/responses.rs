//! The state of the Responses API: ids that any replica can read and only their owner may use, and conversations that
//! go on where the provider keeps them and where it does not.

use crate::client::Answer;
use crate::rig::{MASTER, Rig};
use serde_json::{Value, json};
use weir_bench::mock::Provider;

const CONFIG: &str = r#"
model_list:
  - model_name: native
    litellm_params: {model: openai/gpt-4o, api_base: "MOCK/v1", api_key: k}
  - model_name: bridged
    litellm_params: {model: anthropic/claude-sonnet-4-5, api_base: "MOCK", api_key: k}
litellm_settings: {num_retries: 0}
general_settings: {master_key: os.environ/LITELLM_MASTER_KEY}
"#;

async fn rig() -> Rig {
    Rig::config(CONFIG).over(Provider::new()).await
}

fn ask(model: &str, say: &str) -> Value {
    json!({ "model": model, "input": say })
}

async fn create(rig: &Rig, key: &str, body: Value) -> Value {
    let answer = rig.post("/v1/responses", key, body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

fn events(answer: &Answer) -> Vec<Value> {
    let text = answer.text();
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    data.filter_map(|json| serde_json::from_str(json).ok()).collect()
}

fn id(response: &Value) -> String {
    response["id"].as_str().unwrap().to_owned()
}

/// The last request that the provider got.
fn sent(rig: &Rig) -> (String, String, Value) {
    let seen = rig.mock.log().pop().unwrap();
    let body = if seen.body.is_empty() { Value::Null } else { seen.json() };
    (seen.method.to_string(), seen.path.clone(), body)
}

/// By the catalogue, by LiteLLM's mark, and by what the operator says of it.
const RESPONDING: &str = r#"
model_list:
  - model_name: listed
    litellm_params: {model: openai/o1-pro, api_base: "MOCK/v1", api_key: k}
  - model_name: marked
    litellm_params: {model: openai/responses/gpt-4o, api_base: "MOCK/v1", api_key: k}
  - model_name: said
    litellm_params: {model: openai/my-own, api_base: "MOCK/v1", api_key: k}
    model_info: {mode: responses}
litellm_settings: {num_retries: 0}
general_settings: {master_key: os.environ/LITELLM_MASTER_KEY}
"#;

#[tokio::test]
async fn p20_models_that_take_nothing_but_responses_are_asked_for_those_whatever_the_client_speaks() {
    let rig = Rig::config(RESPONDING).over(Provider::new()).await;
    for (model, upstream) in [("listed", "o1-pro"), ("marked", "gpt-4o"), ("said", "my-own")] {
        let chat = rig.chat(model, "Say hello").await;
        let (_, path, body) = sent(&rig);
        assert_eq!((path.as_str(), &body["model"]), ("/v1/responses", &json!(upstream)), "{model}");
        let told = chat.json()["choices"][0]["message"]["content"].as_str().unwrap_or_default().to_owned();
        assert!(!told.is_empty(), "{model}: {}", chat.text());
        assert_eq!(rig.stream(model, "Say hello").await.content(), told, "{model}");
        let body = json!({ "model": model, "max_tokens": 99, "messages": [{ "role": "user", "content": "Say hello" }] });
        let message = rig.post("/v1/messages", MASTER, body).await.text();
        assert!(message.contains(&told), "{model}: {message}");
        let native = create(&rig, MASTER, ask(model, "Say hello")).await.to_string();
        assert!(native.contains(&told), "{model}: {native}");
    }
}

/// As LiteLLM's setting has it; without it p26 holds.
#[tokio::test]
async fn responses_are_everybodys_where_the_operator_says_so() {
    let open =
        CONFIG.replace("general_settings: {", "general_settings: {disable_responses_id_security: true, ");
    let rig = Rig::config(&open).over(Provider::new()).await;
    let (one, other) = (rig.key(json!({})).await, rig.key(json!({})).await);
    for model in ["native", "bridged"] {
        let made = id(&create(&rig, &one, ask(model, "Say hello")).await);
        let path = format!("/v1/responses/{made}");
        assert_eq!(rig.get(&path, &other).await.status, 200, "{model}");
        assert_eq!(rig.get(&path, "sk-nobody").await.status, 401, "{model}: strangers stay out");
        let mut further = ask(model, "Say it again");
        further["previous_response_id"] = made.into();
        create(&rig, &other, further).await;
    }
}

#[tokio::test]
async fn p26_a_native_response_is_found_by_its_owner_alone_also_after_a_restart() {
    let mut rig = rig().await;
    let (owner, other) = (rig.key(json!({})).await, rig.key(json!({})).await);
    let made = create(&rig, &owner, ask("native", "Say hello")).await;
    let id = id(&made);
    assert!(id.starts_with("resp_") && !id.contains("mock"), "{id}");
    rig.restart().await;
    for path in
        [format!("/v1/responses/{id}"), format!("/responses/{id}"), format!("/openai/v1/responses/{id}")]
    {
        let got = rig.get(&path, &owner).await;
        assert_eq!((got.status, &got.json()["id"]), (200, &json!(id)), "{}", got.text());
        assert_eq!(sent(&rig).1, "/v1/responses/resp_mock1");
        assert_eq!(rig.get(&path, MASTER).await.status, 200);
        let refused = rig.get(&path, &other).await;
        assert_eq!(refused.status, 404, "{}", refused.text());
        assert_eq!(refused.json()["error"]["type"], "invalid_request_error");
    }
    let items = rig.get(&format!("/v1/responses/{id}/input_items"), &owner).await;
    assert_eq!(items.json()["object"], "list", "{}", items.text());
    let cancelled = rig.post(&format!("/v1/responses/{id}/cancel"), &owner, "").await;
    assert_eq!(cancelled.json()["status"], "cancelled", "{}", cancelled.text());
    assert_eq!(cancelled.json()["id"], json!(id));
    assert_eq!(rig.delete(&format!("/v1/responses/{id}"), &other).await.status, 404);
    let deleted = rig.delete(&format!("/v1/responses/{id}"), &owner).await;
    assert_eq!(deleted.json(), json!({ "id": id, "object": "response", "deleted": true }));
    let (method, path, _) = sent(&rig);
    assert_eq!((method.as_str(), path.as_str()), ("DELETE", "/v1/responses/resp_mock1"));
}

#[tokio::test]
async fn p26_a_native_conversation_goes_on_under_the_providers_id() {
    let rig = rig().await;
    let (owner, other) = (rig.key(json!({})).await, rig.key(json!({})).await);
    let mut first = ask("native", "Say hello");
    first["stream"] = true.into();
    let streamed = rig.post("/v1/responses", &owner, first).await;
    assert!(!streamed.text().contains("resp_mock1"), "{}", streamed.text());
    let ids: Vec<Value> =
        events(&streamed).iter().map(|e| e["response"]["id"].clone()).filter(|id| !id.is_null()).collect();
    assert!(ids.len() > 1 && ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    let mut next = ask("native", "again");
    next["previous_response_id"] = ids[0].clone();
    let answer = create(&rig, &owner, next.clone()).await;
    assert_eq!(sent(&rig).2["previous_response_id"], "resp_mock1");
    assert_eq!(answer["previous_response_id"], ids[0], "{answer}");
    let before = rig.mock.seen_count();
    let refused = rig.post("/v1/responses", &other, next.clone()).await;
    assert_eq!(refused.status, 404, "{}", refused.text());
    next["model"] = "bridged".into();
    assert_eq!(rig.post("/v1/responses", &owner, next).await.status, 400);
    assert_eq!(rig.mock.seen_count(), before);
}

#[tokio::test]
async fn a_relayed_answer_differs_from_the_providers_in_its_id_alone() {
    let rig = rig().await;
    let made = rig.post("/v1/responses", MASTER, ask("native", "Say hello")).await;
    let direct = crate::client::send(
        "POST",
        &format!("{}/v1/responses", rig.mock.url()),
        &[("content-type", "application/json")],
        json!({ "model": "gpt-4o", "input": "Say hello" }).to_string(),
    )
    .await;
    assert_eq!(made.text().replace(&id(&made.json()), "resp_mock1"), direct.text());
}

#[tokio::test]
async fn p26_a_bridged_conversation_goes_on_streamed_and_not_after_a_restart() {
    let mut rig = rig().await;
    let (owner, other) = (rig.key(json!({})).await, rig.key(json!({})).await);
    let first = create(&rig, &owner, ask("bridged", "first question")).await;
    let mut next = ask("bridged", "second question");
    next["previous_response_id"] = first["id"].clone();
    next["stream"] = true.into();
    rig.restart().await;
    let streamed = rig.post("/v1/responses", &owner, next.clone()).await;
    let last = events(&streamed).pop().unwrap();
    assert_eq!(last["type"], "response.completed", "{}", streamed.text());
    let roles: Vec<Value> = messages(&rig).iter().map(|m| m["role"].clone()).collect();
    assert_eq!(roles, ["user", "assistant", "user"]);
    let mut third = ask("bridged", "third question");
    third["previous_response_id"] = last["response"]["id"].clone();
    create(&rig, &owner, third.clone()).await;
    assert_eq!(messages(&rig).len(), 5);
    assert!(messages(&rig)[2].to_string().contains("second question"));
    // The same conversation with a provider that keeps its own.
    third["model"] = "native".into();
    create(&rig, &owner, third.clone()).await;
    let (_, _, body) = sent(&rig);
    assert_eq!(body["input"].as_array().map(Vec::len), Some(5), "{body}");
    assert_eq!(body["previous_response_id"], Value::Null);
    assert_eq!(rig.post("/v1/responses", &other, third).await.status, 404);
}

fn messages(rig: &Rig) -> Vec<Value> {
    sent(rig).2["messages"].as_array().cloned().unwrap_or_default()
}

#[tokio::test]
async fn p26_a_bridged_response_is_read_and_deleted_by_its_owner_alone() {
    let rig = rig().await;
    let (owner, other) = (rig.key(json!({})).await, rig.key(json!({})).await);
    let made = create(&rig, &owner, ask("bridged", "a question nobody else may read")).await;
    let path = format!("/v1/responses/{}", id(&made));
    for question in [path.clone(), format!("{path}/input_items")] {
        assert_eq!(rig.get(&question, &other).await.status, 404, "{question}");
    }
    assert_eq!(rig.get(&path, &owner).await.json(), made);
    assert_eq!(rig.get(&path, MASTER).await.json(), made);
    let items = rig.get(&format!("{path}/input_items"), &owner).await.json();
    assert_eq!(items["data"][0]["content"][0]["text"], "a question nobody else may read", "{items}");
    assert_eq!(items["first_id"], items["data"][0]["id"]);
    assert_eq!(rig.post(&format!("{path}/cancel"), &owner, "").await.status, 400);
    let ledger = std::fs::read(rig.data().join("ledger.db")).unwrap();
    let log = std::fs::read(rig.data().join("ledger.db-wal")).unwrap_or_default();
    let readable = |bytes: &[u8]| bytes.windows(20).any(|w| w == b"question nobody else");
    assert!(!readable(&ledger) && !readable(&log), "what was said stands in the ledger");
    assert_eq!(rig.delete(&path, &other).await.status, 404);
    assert_eq!(rig.delete(&path, &owner).await.json()["deleted"], true);
    assert_eq!(rig.get(&path, &owner).await.status, 404);
}

#[tokio::test]
async fn p26_a_key_with_a_new_text_reads_what_it_made_and_others_do_not() {
    let rig = rig().await;
    let (first, other) = (rig.key(json!({})).await, rig.key(json!({})).await);
    let change = async |key: &str| {
        let made = rig.post(&format!("/key/{key}/regenerate"), MASTER, json!({})).await;
        made.json()["key"].as_str().unwrap_or_else(|| panic!("{}", made.text())).to_owned()
    };
    let mut made = Vec::new();
    let mut key = first.clone();
    for _ in 0..3 {
        for model in ["native", "bridged"] {
            made.push(id(&create(&rig, &key, ask(model, "Say hello")).await));
        }
        key = change(&key).await;
    }
    for id in &made {
        let path = format!("/v1/responses/{id}");
        assert_eq!(rig.get(&path, &key).await.status, 200, "{path}");
        assert_eq!(rig.get(&path, &other).await.status, 404, "{path}");
        assert_eq!(rig.get(&path, &first).await.status, 401, "the first text is none any more");
    }
    let mut next = ask("bridged", "again");
    next["previous_response_id"] = json!(made[1]);
    create(&rig, &key, next).await;
}

#[tokio::test]
async fn what_is_not_to_be_stored_is_not_found() {
    let rig = rig().await;
    let mut body = ask("bridged", "forget this");
    body["store"] = false.into();
    let made = create(&rig, MASTER, body).await;
    assert_eq!(rig.get(&format!("/v1/responses/{}", id(&made)), MASTER).await.status, 404);
    for unknown in ["resp_unknown", "resp_", "x", "resp_QUJD"] {
        assert_eq!(rig.get(&format!("/v1/responses/{unknown}"), MASTER).await.status, 404, "{unknown}");
    }
    assert_eq!(rig.get("/v1/responses/resp_1", "sk-nobody").await.status, 401);
}
