use serde_json::json;

use crate::mock::testing::{post, provider};

fn ask(text: &str, stream: bool) -> String {
    json!({"model": "c", "messages": [{"role": "user", "content": text}], "tools": [{}], "stream": stream})
        .to_string()
}

#[tokio::test]
async fn a_chat_has_blocks_or_calls() {
    let server = provider().await;
    let got = post(&server, "/v2/chat", &ask("__think", false)).await.json();
    let content =
        json!([{"type": "thinking", "thinking": "hmm"}, {"type": "text", "text": "Hello from mock."}]);
    assert_eq!(got["message"], json!({"role": "assistant", "content": content}));
    assert_eq!(
        (&got["finish_reason"], &got["usage"]["tokens"]["output_tokens"]),
        (&"COMPLETE".into(), &json!(7))
    );
    let called = post(&server, "/v2/chat", &ask("__tool", false)).await.json();
    assert_eq!(called["message"]["tool_calls"][0]["function"]["arguments"], r#"{"city":"Paris"}"#);
    assert!(called["message"]["content"].is_null());
    assert_eq!(called["finish_reason"], "TOOL_CALL");
}

#[tokio::test]
async fn a_stream_has_its_events_in_order() {
    let server = provider().await;
    let got = post(&server, "/v2/chat", &ask("hi", true)).await;
    let expected =
        "message-start content-start content-delta content-delta content-delta content-end message-end";
    assert_eq!(got.kinds().join(" "), expected);
    assert!(got.text().ends_with("data: [DONE]\n\n"));
    let tools = post(&server, "/v2/chat", &ask("__tool", true)).await;
    let expected = "message-start tool-plan-delta tool-call-start tool-call-delta tool-call-delta tool-call-end message-end";
    assert_eq!(tools.kinds().join(" "), expected);
    let broken = post(&server, "/v2/chat", &ask("__errmid", true)).await.values();
    assert_eq!(broken.last().unwrap()["delta"]["finish_reason"], "ERROR");
}

#[tokio::test]
async fn embed_and_rerank() {
    let server = provider().await;
    let embedded = post(&server, "/v2/embed", r#"{"texts":["a","b"]}"#).await.json();
    assert_eq!(embedded["embeddings"]["float"].as_array().unwrap().len(), 2);
    for path in ["/v1/rerank", "/v2/rerank", "/rerank"] {
        let body = r#"{"query":"q","documents":["a","b","c"],"top_n":1}"#;
        let expected = [
            r#"{"id": "rr-mock1", "results": [{"index": 1, "relevance_score": 0.9}], "#,
            r#""meta": {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}}}"#,
        ];
        assert_eq!(post(&server, path, body).await.text(), expected.concat(), "{path}");
        assert_eq!(post(&server, path, "{}").await.json()["results"].as_array().unwrap().len(), 2);
    }
    let failed = post(&server, "/v2/rerank", r#"{"query":"__err=429"}"#).await;
    assert_eq!((failed.status, failed.text()), (429, r#"{"message": "mock cohere error"}"#));
    assert_eq!(failed.header("retry-after"), "");
    assert_eq!(
        post(&server, "/v2/chat", &ask("__err=400", false)).await.json()["message"],
        "mock bad request: field x is invalid"
    );
}
