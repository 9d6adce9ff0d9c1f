use http::Method;
use serde_json::{Value, json};

use crate::mock::testing::{Got, post, provider, scripted, send};

const PATH: &str = "/v1/responses";

fn ask(text: &str, more: Value) -> String {
    let mut body = json!({"model": "gpt-x", "input": text});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body.to_string()
}

/// Numbers without a gap, one id in every event that has one.
fn well_formed(got: &Got) -> Vec<Value> {
    let values = got.values();
    let numbers: Vec<_> = values.iter().map(|value| value["sequence_number"].as_u64()).collect();
    assert_eq!(numbers, (0..values.len() as u64).map(Some).collect::<Vec<_>>());
    values
}

#[tokio::test]
async fn a_response_is_as_recorded() {
    let body = ask("hi", json!({"instructions": "be brief", "previous_response_id": "resp_0"}));
    let got = post(&provider().await, PATH, &body).await;
    let value = got.json();
    assert_eq!(
        (&value["id"], &value["status"], &value["model"]),
        (&"resp_mock1".into(), &"completed".into(), &"gpt-x".into())
    );
    assert_eq!(
        (&value["instructions"], &value["previous_response_id"]),
        (&"be brief".into(), &"resp_0".into())
    );
    let text = json!({"type": "output_text", "text": "Hello from mock.", "annotations": [], "logprobs": []});
    assert_eq!(value["output"][0]["content"], json!([text]));
    assert_eq!(value["usage"]["total_tokens"], 18);
    assert_eq!(got.header("x-request-id"), "req_mock_1");
}

#[tokio::test]
async fn a_stream_has_the_events_of_the_table() {
    let got = post(&provider().await, PATH, &ask("hi", json!({"stream": true}))).await;
    let expected = "created in_progress output_item.added content_part.added output_text.delta output_text.delta \
        output_text.delta output_text.done content_part.done output_item.done completed";
    let kinds: Vec<_> = got.kinds().iter().map(|kind| kind.replace("response.", "")).collect();
    assert_eq!(kinds.join(" "), expected);
    let values = well_formed(&got);
    assert_eq!(
        (&values[0]["response"]["status"], &values[0]["response"]["usage"]),
        (&"in_progress".into(), &Value::Null)
    );
    assert_eq!(values[7]["text"], "Hello from mock.");
    assert_eq!(values[9]["item"], values[10]["response"]["output"][0]);
    let delta = concat!(
        "event: response.output_text.delta\n",
        r#"data: {"type":"response.output_text.delta","sequence_number":4,"item_id":"msg_mock1","output_index":0,"#,
        r#""content_index":0,"delta":"Hello","logprobs":[]}"#
    );
    assert!(got.text().contains(delta), "{}", got.text());
}

#[tokio::test]
async fn items_of_every_kind_are_the_same_in_both_forms() {
    let server = provider().await;
    let more = |stream: bool| {
        json!({"stream": stream, "tools": [{"type": "function", "name": "get_weather"}],
               "include": ["reasoning.encrypted_content"]})
    };
    for (word, kinds) in [
        ("__think", vec!["reasoning", "message"]),
        ("__tool", vec!["function_call"]),
        ("__tool __parallel __think", vec!["reasoning", "function_call", "function_call"]),
        ("__refusal", vec!["message"]),
    ] {
        let whole = post(&server, PATH, &ask(word, more(false))).await.json();
        let got = post(&server, PATH, &ask(word, more(true))).await;
        let values = well_formed(&got);
        let last = values.last().unwrap();
        assert_eq!(last["response"], whole, "{word}");
        let done: Vec<_> = values
            .iter()
            .filter(|value| value["type"] == "response.output_item.done")
            .map(|value| &value["item"])
            .collect();
        assert_eq!(done, whole["output"].as_array().unwrap().iter().collect::<Vec<_>>());
        assert_eq!(done.iter().map(|item| item["type"].as_str().unwrap()).collect::<Vec<_>>(), kinds);
        let arguments: String = values
            .iter()
            .filter(|value| value["type"] == "response.function_call_arguments.delta")
            .map(|value| value["delta"].as_str().unwrap())
            .collect();
        let wanted: String = done.iter().filter_map(|item| item["arguments"].as_str()).collect();
        assert_eq!(arguments, wanted);
    }
}

#[tokio::test]
async fn a_response_may_be_incomplete_or_break_off() {
    let server = provider().await;
    let values = post(&server, PATH, &ask("__length", json!({"stream": true}))).await.values();
    let last = values.last().unwrap();
    assert_eq!(
        (&last["type"], &last["response"]["incomplete_details"]["reason"]),
        (&"response.incomplete".into(), &"max_output_tokens".into())
    );
    let kinds = post(&server, PATH, &ask("__errmid", json!({"stream": true}))).await.kinds();
    assert_eq!((kinds.len(), kinds[6].as_str()), (7, "error"));
}

#[tokio::test]
async fn stored_responses_are_found_by_any_id_under_both_hosts() {
    let server = provider().await;
    for path in [PATH, "/responses", "/openai/responses", "/openai/v1/responses"] {
        assert_eq!(post(&server, path, "{}").await.json()["object"], "response", "{path}");
        let at = |rest: &str| format!("{path}/resp_7{rest}?api-version=2025-04-01-preview");
        let stored = send(&server, Method::GET, &at(""), "").await.json();
        assert_eq!((&stored["id"], &stored["model"]), (&"resp_7".into(), &"gpt".into()));
        let gone = send(&server, Method::DELETE, &at(""), "").await;
        assert_eq!(gone.json(), json!({"id": "resp_7", "object": "response", "deleted": true}));
        assert_eq!(gone.header("openai-organization"), "");
        assert_eq!(post(&server, &at("/cancel"), "").await.json()["status"], "cancelled");
        assert_eq!(send(&server, Method::GET, &at("/input_items"), "").await.json()["object"], "list");
    }
}

#[tokio::test]
async fn a_custom_tool_gets_free_text_and_ids_carry_the_place() {
    let server = scripted(
        r#"[{"calls": [{"name": "apply_patch", "arguments": "*** Begin\n"}]},
            {"calls": [{"name": "shell", "arguments": {"command": ["ls"]}}]}, {"text": "Done."}]"#,
    )
    .await;
    let tools = json!([{"type": "custom", "name": "apply_patch"}, {"type": "function", "name": "shell"}]);
    let first = post(&server, PATH, &ask("go", json!({"tools": tools}))).await.json();
    let item = &first["output"][0];
    assert_eq!((&item["type"], &item["input"]), (&"custom_tool_call".into(), &"*** Begin\n".into()));
    let mut previous = first["id"].clone();
    for kind in ["function_call", "message"] {
        let result = json!([{"type": "function_call_output", "call_id": "x", "output": "ok"}]);
        let body = json!({"model": "m", "tools": tools, "input": result, "previous_response_id": previous});
        let next = post(&server, PATH, &body.to_string()).await.json();
        assert_eq!(next["output"][0]["type"], kind);
        previous = next["id"].clone();
    }
}

#[tokio::test]
async fn images_audio_and_moderations() {
    let server = provider().await;
    for path in ["/v1/images/generations", "/v1/images/edits", "/openai/deployments/d/images/generations"] {
        assert_eq!(post(&server, path, "{}").await.json()["data"][0]["b64_json"], "aGk=", "{path}");
    }
    let speech = post(&server, "/v1/audio/speech", "{}").await;
    assert_eq!((speech.text(), speech.header("content-type")), ("ID3mockmp3bytes", "audio/mpeg"));
    assert_eq!(post(&server, "/v1/audio/transcriptions", "{}").await.json()["usage"]["total_tokens"], 18);
    let moderated = post(&server, "/v1/moderations", r#"{"input":"x __err=500"}"#).await.json();
    assert_eq!(
        (&moderated["model"], &moderated["results"][0]["category_scores"]["hate"]),
        (&"omni-moderation-latest".into(), &json!(0.01))
    );
    assert_eq!(post(&server, "/v1/images/generations", r#"{"prompt":"__err=400"}"#).await.status, 400);
}
