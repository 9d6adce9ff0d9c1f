use serde_json::{Value, json};

use crate::mock::testing::{post, provider};

const MODELS: &str = "/v1beta/models/gemini-2.5-flash";
const VERTEX: &str = "/v1/projects/p/locations/l/publishers/google/models/gemini-2.5-flash";

fn ask(text: &str) -> String {
    let tools = json!([{"functionDeclarations": [{"name": "look"}]}]);
    json!({"contents": [{"role": "user", "parts": [{"text": text}]}], "tools": tools}).to_string()
}

#[tokio::test]
async fn both_hosts_answer_with_candidates_and_usage() {
    let server = provider().await;
    for path in [MODELS, VERTEX, "/v1beta1/projects/p/locations/l/publishers/google/models/gemini-2.5-flash"]
    {
        let got = post(&server, &format!("{path}:generateContent"), &ask("hi")).await.json();
        let content = json!({"parts": [{"text": "Hello from mock."}], "role": "model"});
        assert_eq!(
            got["candidates"],
            json!([{"content": content, "finishReason": "STOP", "index": 0}]),
            "{path}"
        );
        assert_eq!(
            (&got["usageMetadata"]["totalTokenCount"], &got["modelVersion"]),
            (&json!(18), &"gemini-2.5-flash".into())
        );
    }
}

#[tokio::test]
async fn a_stream_is_events_or_one_array() {
    let server = provider().await;
    let events = post(&server, &format!("{MODELS}:streamGenerateContent?alt=sse&key=x"), &ask("hi")).await;
    assert!(events.text().ends_with("\r\n\r\n"));
    let values = events.values();
    let texts: Vec<_> = values
        .iter()
        .map(|value| value["candidates"][0]["content"]["parts"][0]["text"].as_str().unwrap())
        .collect();
    assert_eq!(texts, ["Hello", " from", " mock."]);
    assert!(values[0]["candidates"][0]["finishReason"].is_null());
    assert_eq!(values[2]["candidates"][0]["finishReason"], "STOP");
    assert!(values.iter().all(|value| value["usageMetadata"]["promptTokenCount"] == 11));
    let array = post(&server, &format!("{MODELS}:streamGenerateContent"), &ask("hi")).await.json();
    assert_eq!(array, Value::Array(values));
}

#[tokio::test]
async fn tools_thoughts_and_caches() {
    let server = provider().await;
    let path = format!("{MODELS}:generateContent");
    let got = post(&server, &path, &ask("__think __cachehit __tool")).await.json();
    let parts = &got["candidates"][0]["content"]["parts"];
    assert_eq!(parts[0], json!({"text": "hmm", "thought": true}));
    assert_eq!(
        (&parts[1]["functionCall"]["name"], parts[1]["thoughtSignature"].is_string()),
        (&"look".into(), true)
    );
    let usage = &got["usageMetadata"];
    assert_eq!((&usage["thoughtsTokenCount"], &usage["cachedContentTokenCount"]), (&json!(3), &json!(4)));
    for (word, reason) in [("__length", "MAX_TOKENS"), ("__refusal", "SAFETY"), ("__stopseq", "STOP")] {
        let got = post(&server, &path, &ask(word)).await.json();
        assert_eq!(got["candidates"][0]["finishReason"], reason);
    }
}

#[tokio::test]
async fn counts_and_embeddings() {
    let server = provider().await;
    let at = |verb: &str| format!("{MODELS}:{verb}");
    assert_eq!(post(&server, &at("countTokens"), &ask("hi")).await.json()["totalTokens"], 11);
    let values = json!({"values": [0.1, 0.2, -0.3]});
    assert_eq!(post(&server, &at("embedContent"), "{}").await.json(), json!({"embedding": values}));
    let batch = post(&server, &at("batchEmbedContents"), r#"{"requests":[{},{}]}"#).await.json();
    assert_eq!(batch, json!({"embeddings": [values, values]}));
    let predicted =
        post(&server, &format!("{VERTEX}:predict"), r#"{"instances":[{"content":"a"}]}"#).await.json();
    assert_eq!(predicted["predictions"][0]["embeddings"]["values"][2], -0.3);
}

#[tokio::test]
async fn errors_have_googles_names_and_may_strike_within_a_stream() {
    let server = provider().await;
    for (status, name) in
        [(400, "INVALID_ARGUMENT"), (429, "RESOURCE_EXHAUSTED"), (503, "UNAVAILABLE"), (418, "UNKNOWN")]
    {
        let text = format!("__errif=gemini-2.5-flash:{status}");
        let got = post(&server, &format!("{MODELS}:generateContent"), &ask(&text)).await;
        assert_eq!((got.status, &got.json()["error"]["status"]), (status, &name.into()));
        assert_eq!(got.json()["error"]["details"][0]["retryDelay"] == "7s", status == 429);
    }
    let stream =
        post(&server, &format!("{MODELS}:streamGenerateContent?alt=sse"), &ask("__errmid")).await.values();
    assert_eq!(stream.last().unwrap()["error"]["code"], 500);
}
