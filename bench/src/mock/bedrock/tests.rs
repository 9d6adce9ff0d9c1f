use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::mock::testing::{http1, post, provider};
use http::Request;
use http_body_util::Full;

const MODEL: &str = "/model/anthropic.claude-3-sonnet-20240229-v1%3A0";

fn ask(text: &str) -> String {
    json!({"messages": [{"role": "user", "content": [{"text": text}]}], "toolConfig": {"tools": [{}]}})
        .to_string()
}

#[tokio::test]
async fn converse_answers_as_recorded() {
    let got = post(&provider().await, &format!("{MODEL}/converse"), &ask("__cached __reason")).await;
    let expected = [
        r#"{"metrics": {"latencyMs": 12}, "output": {"message": {"role": "assistant", "#,
        r#""content": [{"text": "Hello from mock."}]}}, "stopReason": "end_turn", "#,
        r#""usage": {"inputTokens": 11, "outputTokens": 7, "totalTokens": 18}}"#,
    ];
    assert_eq!(got.text(), expected.concat());
    assert_eq!(got.header("x-amzn-requestid"), "amz-mock-1");
}

#[tokio::test]
async fn a_converse_stream_has_whole_frames_in_order() {
    let server = provider().await;
    let path = format!("{MODEL}/converse-stream");
    let got = post(&server, &path, &ask("hi")).await;
    let expected = "messageStart contentBlockDelta contentBlockDelta contentBlockDelta contentBlockStop messageStop metadata";
    assert_eq!(got.kinds().join(" "), expected);
    assert_eq!(got.header("content-type"), "application/vnd.amazon.eventstream");
    let tool = post(&server, &path, &ask("__tool __parallel")).await.values();
    let inputs: Vec<_> =
        tool.iter().filter_map(|value| value["delta"]["toolUse"]["input"].as_str()).collect();
    assert_eq!(inputs, ["{\"city\":", "\"Paris\"}", "{\"city\":", "\"London\"}"]);
    let starts: Vec<_> = tool.iter().filter(|value| value["kind"] == "contentBlockStart").collect();
    assert_eq!(starts[0]["start"], json!({"toolUse": {"toolUseId": "tooluse_mock1", "name": "get_weather"}}));
    assert_eq!(starts[1]["contentBlockIndex"], 1);
}

#[tokio::test]
async fn thinking_and_caches_come_when_told_in_every_dialect() {
    let got = post(&provider().await, &format!("{MODEL}/converse"), &ask("__think __cachehit")).await.json();
    let thought = &got["output"]["message"]["content"][0]["reasoningContent"]["reasoningText"];
    assert_eq!(thought, &json!({"text": "hmm", "signature": "sig=="}));
    assert_eq!(
        (&got["usage"]["cacheReadInputTokens"], &got["usage"]["cacheWriteInputTokens"]),
        (&json!(4), &json!(2))
    );
}

/// The inner events of a stream of InvokeModel.
fn inner(values: &[Value]) -> Vec<Value> {
    let bytes = values.iter().filter_map(|value| value["bytes"].as_str());
    bytes.map(|text| serde_json::from_slice(&BASE64_STANDARD.decode(text).unwrap()).unwrap()).collect()
}

#[tokio::test]
async fn invoke_speaks_anthropic_inside() {
    let server = provider().await;
    let body = json!({"anthropic_version": "bedrock-2023-05-31", "messages": []}).to_string();
    let whole = post(&server, &format!("{MODEL}/invoke"), &body).await;
    let expected = [
        r#"{"id": "msg_bdrk_mock", "type": "message", "role": "assistant", "model": "claude", "content": ["#,
        r#"{"type": "text", "text": "Hello from mock."}], "stop_reason": "end_turn", "stop_sequence": null, "#,
        r#""usage": {"input_tokens": 11, "output_tokens": 7}}"#,
    ];
    assert_eq!(whole.text(), expected.concat());
    let got = post(&server, &format!("{MODEL}/invoke-with-response-stream"), &body).await;
    assert!(got.kinds().iter().all(|kind| kind == "chunk"));
    let events = inner(&got.values());
    let kinds: Vec<_> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    let expected = "message_start content_block_start content_block_delta content_block_delta content_block_delta \
        content_block_stop message_delta message_stop";
    assert_eq!(kinds.join(" "), expected);
    assert_eq!(events[7]["amazon-bedrock-invocationMetrics"]["outputTokenCount"], 7);
    assert_eq!(events[0]["message"]["usage"], json!({"input_tokens": 11, "output_tokens": 1}));
}

#[tokio::test]
async fn errmid_is_an_exception_and_the_last_frame() {
    let server = provider().await;
    for path in ["converse-stream", "invoke-with-response-stream"] {
        let kinds = post(&server, &format!("{MODEL}/{path}"), &ask("__errmid")).await.kinds();
        assert_eq!(
            (kinds.len(), kinds[kinds.len() - 1].as_str()),
            (kinds.len().max(5), "modelStreamErrorException")
        );
        assert!(!kinds.iter().any(|kind| kind == "messageStop"), "{kinds:?}");
    }
}

#[tokio::test]
async fn embeddings_are_those_of_the_model() {
    let server = provider().await;
    let invoke = |model: &str| format!("/model/{model}/invoke");
    let v1 = post(&server, &invoke("amazon.titan-embed-text-v1"), r#"{"inputText":"a"}"#).await.json();
    assert_eq!(v1, json!({"embedding": [0.1, 0.2, -0.3], "inputTextTokenCount": 8}));
    let v2 = post(&server, &invoke("amazon.titan-embed-text-v2:0"), r#"{"inputText":"a"}"#).await.json();
    assert_eq!(v2["embeddingsByType"]["float"][2], -0.3);
    let body = r#"{"texts":["a","b"],"input_type":"search_query"}"#;
    let cohere = post(&server, &invoke("cohere.embed-english-v3"), body).await.json();
    assert_eq!(
        (cohere["embeddings"][1][0].as_f64(), &cohere["response_type"]),
        (Some(0.1), &"embeddings_floats".into())
    );
    let body = r#"{"texts":["a","b"],"embedding_types":["float"]}"#;
    let typed = post(&server, &invoke("cohere.embed-v4%3A0"), body).await.json();
    assert_eq!(typed["embeddings"]["float"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn errors_are_named_in_a_header() {
    let server = provider().await;
    for (status, kind) in [
        (400, "ValidationException"),
        (401, "UnrecognizedClientException"),
        (403, "AccessDeniedException"),
        (404, "ResourceNotFoundException"),
        (408, "ModelTimeoutException"),
        (418, "X"),
        (429, "ThrottlingException"),
        (500, "InternalServerException"),
        (503, "ServiceUnavailableException"),
    ] {
        let got = post(&server, &format!("{MODEL}/converse-stream"), &ask(&format!("__err={status}"))).await;
        assert_eq!((got.status, got.header("x-amzn-errortype")), (status, kind));
        assert!(got.json()["message"].is_string());
        assert_eq!(got.header("retry-after"), "");
    }
}

#[tokio::test]
async fn the_signature_of_a_request_can_be_read_back() {
    let server = provider().await;
    let signed = "AWS4-HMAC-SHA256 Credential=AKIAMOCK/20260101/us-east-1/bedrock/aws4_request";
    let request = Request::post(format!("{}{MODEL}/converse", server.url())).header("authorization", signed);
    http1().request(request.body(Full::from(ask("hi"))).unwrap()).await.unwrap();
    assert_eq!(server.take_log()[0].header("authorization"), signed);
}
