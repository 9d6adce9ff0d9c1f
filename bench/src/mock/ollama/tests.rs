use http::Method;
use serde_json::json;

use crate::mock::testing::{post, provider, send};

fn ask(text: &str) -> String {
    json!({"model": "m", "messages": [{"role": "user", "content": text}], "tools": [{}]}).to_string()
}

#[tokio::test]
async fn chat_streams_lines_unless_told_not_to() {
    let server = provider().await;
    let got = post(&server, "/api/chat", &ask("hi")).await;
    let time = "2026-01-01T00:00:00.000000Z";
    let piece = |text: &str| {
        let message = format!(r#""message": {{"role": "assistant", "content": "{text}"}}"#);
        format!(r#"{{"model": "m", "created_at": "{time}", {message}, "done": "#)
    };
    let figures = r#"true, "done_reason": "stop", "total_duration": 5000000, "load_duration": 1000000, "prompt_eval_count": 11, "prompt_eval_duration": 1000000, "eval_count": 7, "eval_duration": 2000000}"#;
    let expected = format!(
        "{}false}}\n{}false}}\n{}false}}\n{}{figures}\n",
        piece("Hello"),
        piece(" from"),
        piece(" mock."),
        piece("")
    );
    assert_eq!(got.text(), expected);
    assert_eq!(got.header("content-type"), "application/x-ndjson");
    let whole = post(&server, "/api/chat", r#"{"model":"m","stream":false}"#).await;
    assert_eq!(whole.text(), format!("{}{figures}", piece("Hello from mock.")));
}

#[tokio::test]
async fn generate_has_its_text_in_another_place() {
    let server = provider().await;
    let whole =
        post(&server, "/api/generate", r#"{"model":"m","stream":false,"format":"json"}"#).await.json();
    assert_eq!((&whole["response"], &whole["context"]), (&"{\"answer\":42}".into(), &json!([1, 2, 3])));
    let lines = post(&server, "/api/generate", r#"{"model":"m","x":"__think"}"#).await.values();
    assert_eq!((&lines[0]["thinking"], &lines[1]["response"]), (&"hmm".into(), &"Hello".into()));
    let tools = post(&server, "/api/generate", &ask("__tool")).await.values();
    assert_eq!(tools.len(), 4, "generate calls no tools");
}

#[tokio::test]
async fn all_calls_stand_in_one_line() {
    let lines = post(&provider().await, "/api/chat", &ask("__tool __parallel")).await.values();
    let call = |city: &str| json!({"function": {"name": "get_weather", "arguments": {"city": city}}});
    assert_eq!(lines[0]["message"]["tool_calls"], json!([call("Paris"), call("London")]));
    assert_eq!((lines.len(), &lines[1]["done_reason"]), (2, &"stop".into()));
}

#[tokio::test]
async fn errors_before_and_within_a_stream() {
    let server = provider().await;
    let got = post(&server, "/api/chat", &ask("__err=429")).await;
    assert_eq!((got.status, got.text()), (429, r#"{"error": "mock rate limit reached"}"#));
    assert_eq!(got.header("retry-after"), "");
    let lines = post(&server, "/api/chat", &ask("__errmid")).await.values();
    assert_eq!(lines.last().unwrap(), &json!({"error": "mock stream error"}));
    assert_eq!(post(&server, "/api/chat", &ask("__length")).await.values()[3]["done_reason"], "length");
}

#[tokio::test]
async fn the_other_paths() {
    let server = provider().await;
    let embedded =
        post(&server, "/api/embed", r#"{"model":"m","input":["a","b"],"x":"__err=500"}"#).await.json();
    assert_eq!(embedded["embeddings"].as_array().unwrap().len(), 2);
    assert_eq!(post(&server, "/api/embeddings", r#"{"prompt":"a"}"#).await.json()["embedding"][0], 0.1);
    assert_eq!(post(&server, "/api/show", "{}").await.json()["capabilities"][1], "tools");
    let tags = send(&server, Method::GET, "/api/tags", "").await.json();
    assert_eq!(tags["models"][0]["name"], "qwen2.5:7b-instruct");
    assert!(send(&server, Method::GET, "/api/version", "").await.json()["version"].is_string());
    assert_eq!(send(&server, Method::GET, "/api/chat", "").await.status, 404);
}
