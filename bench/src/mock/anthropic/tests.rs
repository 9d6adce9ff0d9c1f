use http::Method;
use serde_json::{Value, json};

use crate::mock::testing::{post, provider, send};

const PATH: &str = "/v1/messages";

fn ask(text: &str, more: Value) -> String {
    let mut body =
        json!({"model": "claude-x", "max_tokens": 9, "messages": [{"role": "user", "content": text}]});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body.to_string()
}

#[tokio::test]
async fn a_message_has_every_member_in_order() {
    let got = post(&provider().await, PATH, &ask("hi", json!({}))).await;
    let id = got.json()["id"].as_str().unwrap().to_owned();
    let expected = [
        format!(r#"{{"id": "{id}", "type": "message", "role": "assistant", "model": "claude-x", "content": ["#),
        r#"{"type": "text", "text": "Hello from mock."}], "stop_reason": "end_turn", "stop_sequence": null, "#.to_owned(),
        r#""usage": {"input_tokens": 11, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "#.to_owned(),
        r#""cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0}, "#.to_owned(),
        r#""output_tokens": 7, "service_tier": "standard"}}"#.to_owned(),
    ];
    assert_eq!(got.text(), expected.concat());
    assert!(id.starts_with("msg-mock-"), "{id}");
    assert_eq!(
        (got.header("request-id"), got.header("anthropic-organization-id")),
        ("req_anth_mock", "org-anth")
    );
}

#[tokio::test]
async fn a_stream_has_the_events_in_anthropics_order() {
    let body = ask("__reason", json!({"stream": true}));
    let got = post(&provider().await, PATH, &body).await;
    let expected = "message_start ping \
        content_block_start content_block_delta content_block_delta content_block_stop \
        content_block_start content_block_delta content_block_delta content_block_delta content_block_stop \
        message_delta message_stop";
    assert_eq!(got.kinds().join(" "), expected);
    let values = got.values();
    assert_eq!(values[0]["message"]["usage"]["output_tokens"], 1);
    assert_eq!(values[4]["delta"], json!({"type": "signature_delta", "signature": "sig=="}));
    assert_eq!((&values[5]["index"], &values[6]["index"]), (&json!(0), &json!(1)));
    assert_eq!(values[11]["usage"], json!({"output_tokens": 7}));
    let start = r#"event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}

"#;
    assert!(got.text().contains(start), "{}", got.text());
}

#[tokio::test]
async fn the_tool_is_the_chosen_one_else_the_first() {
    let server = provider().await;
    let tools = json!([{"name": "first"}, {"name": "second"}]);
    for (text, more, name) in [
        ("__tool", json!({"tools": tools}), Some("first")),
        ("hi", json!({"tools": tools, "tool_choice": {"type": "any"}}), Some("first")),
        ("hi", json!({"tools": tools, "tool_choice": {"type": "tool", "name": "second"}}), Some("second")),
        ("hi", json!({"tools": tools, "tool_choice": {"type": "auto"}}), None),
        ("__tool", json!({"tools": []}), None),
    ] {
        let got = post(&server, PATH, &ask(text, more)).await.json();
        assert_eq!(got["content"][0]["name"].as_str(), name, "{got}");
        assert_eq!(got["stop_reason"] == "tool_use", name.is_some());
    }
    let weather = ask("__tool", json!({"tools": [{"name": "get_weather"}], "stream": true}));
    let values = post(&server, PATH, &weather).await.values();
    let parts: Vec<_> = values.iter().filter_map(|value| value["delta"]["partial_json"].as_str()).collect();
    assert_eq!(parts, ["{\"cit", "y\": \"Paris\"}"]);
    assert_eq!(
        values[2]["content_block"],
        json!({"type": "tool_use", "id": "toolu_mock1", "name": "get_weather", "input": {}})
    );
}

#[tokio::test]
async fn cached_tokens_and_reasons_to_end() {
    let server = provider().await;
    let usage = post(&server, PATH, &ask("__cached", json!({}))).await.json()["usage"].take();
    assert_eq!(
        (&usage["cache_creation_input_tokens"], &usage["cache_read_input_tokens"]),
        (&json!(2), &json!(4))
    );
    assert_eq!(usage["cache_creation"]["ephemeral_5m_input_tokens"], 2);
    for (word, reason, sequence) in [
        ("__length", "max_tokens", Value::Null),
        ("__stopseq", "stop_sequence", "STOP".into()),
        ("__refusal", "refusal", Value::Null),
    ] {
        let got = post(&server, PATH, &ask(word, json!({"stop_sequences": ["STOP", "x"]}))).await.json();
        assert_eq!((&got["stop_reason"], &got["stop_sequence"]), (&reason.into(), &sequence), "{word}");
    }
}

#[tokio::test]
async fn errors_have_their_type_and_a_rate_limit_says_when() {
    let server = provider().await;
    for (status, kind) in [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (413, "request_too_large"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (503, "api_error"),
        (529, "overloaded_error"),
    ] {
        let got = post(&server, PATH, &ask(&format!("__err={status}"), json!({"stream": true}))).await;
        let value = got.json();
        assert_eq!(
            (got.status, &value["type"], &value["error"]["type"]),
            (status, &"error".into(), &kind.into())
        );
        assert_eq!(got.header("retry-after"), if status == 429 { "7" } else { "" });
        assert_eq!(got.header("request-id"), "");
    }
    assert_eq!(post(&server, PATH, "{nope").await.json()["error"]["type"], "invalid_request_error");
}

#[tokio::test]
async fn errmid_ends_a_stream_after_its_text() {
    let server = provider().await;
    let kinds = post(&server, PATH, &ask("__errmid __chunks=1", json!({"stream": true}))).await.kinds();
    assert_eq!(kinds, ["message_start", "ping", "content_block_start", "content_block_delta", "error"]);
    let tools = json!({"stream": true, "tools": [{"name": "f"}]});
    let kinds = post(&server, PATH, &ask("__errmid __tool", tools)).await.kinds();
    assert_eq!(kinds.last().map(String::as_str), Some("message_stop"));
}

#[tokio::test]
async fn resellers_paths_are_known() {
    let server = provider().await;
    let vertex = "/v1/projects/p/locations/us-east5/publishers/anthropic/models";
    let tokens = json!({"input_tokens": 11});
    for path in ["/v1/messages/count_tokens".to_owned(), format!("{vertex}/count-tokens:rawPredict")] {
        assert_eq!(post(&server, &path, "{}").await.json(), tokens, "{path}");
    }
    assert_eq!(post(&server, "/anthropic/v1/messages?beta=true", "{}").await.json()["type"], "message");
    let whole = post(&server, &format!("{vertex}/claude-x@20250219:rawPredict"), "{}").await.json();
    assert_eq!(whole["model"], "claude-x@20250219");
    let stream = post(&server, &format!("{vertex}/claude-x:streamRawPredict"), "{}").await;
    assert_eq!(stream.kinds().last().map(String::as_str), Some("message_stop"));
    assert_eq!(send(&server, Method::GET, PATH, "").await.status, 404);
}
