//! Control words and shapes; `mock/goldens.rs` compares with what was recorded.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use super::OpenAi;
use crate::mock::MockServer;
use crate::mock::reply::{End, Reply};
use crate::mock::seen::{Seen, Upstream};
use crate::mock::testing::{Got, post, send};

const CHAT: &str = "/v1/chat/completions";
const AZURE: &str = "/openai/deployments/my-deploy/chat/completions?api-version=2024-02-15-preview";
const TOOLS: &str = r#""tools":[{"type":"function","function":{"name":"other"}}]"#;

async fn server() -> MockServer {
    MockServer::start(OpenAi::new()).await.unwrap()
}

fn seen(path: &str, body: &Value) -> Seen {
    let (method, headers, body) = (Method::POST, http::HeaderMap::new(), body.to_string().into());
    Seen { method, path: path.to_owned(), headers, body, at: std::time::SystemTime::UNIX_EPOCH }
}

fn said(text: &str) -> String {
    json!({"model": "gpt-4o", "messages": [{"role": "user", "content": text}]}).to_string()
}

fn streamed(text: &str) -> String {
    json!({"model": "gpt-4o", "stream": true, "messages": [{"role": "user", "content": text}]}).to_string()
}

fn code(got: &Got) -> Value {
    got.json()["error"]["code"].clone()
}

/// The deltas of a stream's text, without the last event.
fn texts(got: &Got) -> Vec<String> {
    let events = got.events();
    let parsed = events.iter().filter_map(|event| serde_json::from_str::<Value>(event).ok());
    parsed.filter_map(|event| Some(event["choices"][0]["delta"]["content"].as_str()?.to_owned())).collect()
}

/// One line out of several, which may not break at a blank.
fn joined(text: &str) -> String {
    text.lines().map(str::trim_start).collect()
}

// --- shapes ---

#[tokio::test]
async fn a_chat_answer_has_every_member_in_order() {
    let got = post(&server().await, CHAT, &said("hi")).await;
    let id = got.json()["id"].as_str().unwrap().to_owned();
    let expected = joined(
        r#"{
        "id": "ID", "object": "chat.completion", "created": 1700000000, "model": "gpt-4o-2024-08-06", "choices": [
        {"index": 0, "message": {
        "role": "assistant", "content": "Hello from mock.", "refusal": null, "annotations": []
        }, "logprobs": null, "finish_reason": "stop"}], "usage": {
        "prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18, "prompt_tokens_details": {
        "cached_tokens": 0, "audio_tokens": 0}, "completion_tokens_details": {
        "reasoning_tokens": 0, "audio_tokens": 0
        , "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0
        }}, "service_tier": "default", "system_fingerprint": "fp_mock"}"#,
    );
    assert_eq!(got.text(), expected.replace("ID", &id));
    assert_eq!(got.header("content-type"), "application/json; charset=utf-8");
    assert_eq!(
        (got.header("openai-organization"), got.header("x-ratelimit-reset-tokens")),
        ("org-mock", "3ms")
    );
    assert_eq!(got.header("server"), "Python/3.11 aiohttp/3.13.3");
    assert!(!got.header("date").is_empty());
}

#[tokio::test]
async fn a_streamed_chat_has_one_id_and_the_chunks_of_the_table() {
    let body = r#"{"model":"gpt-4o","stream":true,"stream_options":{"include_usage":true}}"#;
    let got = post(&server().await, CHAT, body).await;
    let events = got.events();
    let first: Value = serde_json::from_str(events[0]).unwrap();
    let id = first["id"].as_str().unwrap();
    let chunk = |model: &str, rest: &str| {
        let text = r#"{"id":"ID","object":"chat.completion.chunk","created":1700000000,"model":"MODEL",
            "service_tier":"default","system_fingerprint":"fp_mock","choices":[REST}"#;
        joined(text).replace("ID", id).replace("MODEL", model).replace("REST", rest)
    };
    let dated = |delta: &str, finish: &str| {
        let end = r#","logprobs":null,"finish_reason":"#;
        let rest = format!(r#"{{"index":0,"delta":{delta}{end}{finish}}}],"usage":null"#);
        chunk("gpt-4o-2024-08-06", &rest)
    };
    let usage = joined(
        r#"],"usage":{"prompt_tokens":11,"completion_tokens":7,"total_tokens":18,
        "prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},
        "completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,
        "accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}"#,
    );
    let expected = [
        dated(r#"{"role":"assistant","content":"","refusal":null}"#, "null"),
        dated(r#"{"content":"Hello"}"#, "null"),
        dated(r#"{"content":" from"}"#, "null"),
        dated(r#"{"content":" mock."}"#, "null"),
        dated("{}", r#""stop""#),
        chunk("gpt-4o", &usage),
        "[DONE]".to_owned(),
    ];
    assert_eq!(events, expected);
    assert_eq!(got.header("content-type"), "text/event-stream; charset=utf-8");
}

#[tokio::test]
async fn without_include_usage_no_chunk_mentions_usage() {
    let got = post(&server().await, CHAT, &streamed("hi")).await;
    assert!(!got.text().contains("usage"));
    assert_eq!(texts(&got), ["", "Hello", " from", " mock."]);
}

#[tokio::test]
async fn tools_are_called_when_chosen_or_told() {
    let server = server().await;
    for (body, called) in [
        (format!(r#"{{{TOOLS},"x":"__tool"}}"#), true),
        (format!(r#"{{{TOOLS},"tool_choice":"auto"}}"#), true),
        (format!(r#"{{{TOOLS},"tool_choice":"none"}}"#), false),
        (format!(r#"{{{TOOLS},"tool_choice":null}}"#), false),
        (format!(r#"{{{TOOLS}}}"#), false),
        (r#"{"tools":[],"x":"__tool"}"#.to_owned(), false),
    ] {
        let choice = post(&server, CHAT, &body).await.json()["choices"][0].take();
        assert_eq!(choice["finish_reason"] == "tool_calls", called, "{body}");
        assert_eq!(choice["message"]["content"].is_null(), called, "{body}");
        let name = &choice["message"]["tool_calls"][0]["function"]["name"];
        assert_eq!(name == "get_weather", called, "{body}");
    }
}

#[tokio::test]
async fn a_streamed_tool_call_comes_in_three_parts_and_ignores_faults() {
    let body = format!(r#"{{"stream":1,{TOOLS},"x":"__tool __errmid __hangmid"}}"#);
    let got = post(&server().await, CHAT, &body).await;
    let events: Vec<Value> =
        got.events()[..5].iter().map(|event| serde_json::from_str(event).unwrap()).collect();
    assert!(events[0]["choices"][0]["delta"]["content"].is_null());
    let call = |at: usize| events[at]["choices"][0]["delta"]["tool_calls"][0].to_string();
    assert_eq!(
        call(1),
        r#"{"index":0,"id":"call_mock_1","type":"function","function":{"name":"get_weather","arguments":""}}"#
    );
    assert_eq!(call(2), r#"{"index":0,"function":{"arguments":"{\"city\":"}}"#);
    assert_eq!(call(3), r#"{"index":0,"function":{"arguments":"\"Paris\"}"}}"#);
    assert_eq!(events[4]["choices"][0]["finish_reason"], "tool_calls");
    assert_eq!(got.events()[5..], ["[DONE]"]);
}

#[tokio::test]
async fn models_are_named_as_the_provider_names_them() {
    let server = server().await;
    for (path, body, model) in [
        (CHAT, r#"{"model":"gpt-4-deployment"}"#, "gpt-4-deployment-2024-08-06"),
        (CHAT, r#"{"model":"mock-up-model"}"#, "mock-up-model"),
        (CHAT, "", "gpt-2024-08-06"),
        (AZURE, "{}", "my-deploy"),
        (AZURE, r#"{"model":"other"}"#, "other"),
        ("/v1/completions", "{}", "gpt"),
        ("/v1/embeddings", r#"{"input":"a"}"#, "emb"),
    ] {
        assert_eq!(post(&server, path, body).await.json()["model"], model, "{path} {body}");
    }
}

#[tokio::test]
async fn choices_and_response_format_are_obeyed() {
    let body = r#"{"n":3,"response_format":{"type":"json_schema"}}"#;
    let choices = post(&server().await, CHAT, body).await.json()["choices"].take();
    let indexes: Vec<_> = choices.as_array().unwrap().iter().map(|choice| choice["index"].as_u64()).collect();
    assert_eq!(indexes, [Some(0), Some(1), Some(2)]);
    assert_eq!(choices[2]["message"]["content"], r#"{"answer":42}"#);
}

#[tokio::test]
async fn completions_have_an_id_per_chunk() {
    let server = server().await;
    let whole = post(&server, "/v1/completions", r#"{"model":"m","prompt":["a","b"]}"#).await;
    let end = r#""object": "text_completion", "created": 1700000000, "model": "m", "choices": [
        {"index": 0, "text": "Hello text", "logprobs": null, "finish_reason": "stop"}], "usage": {
        "prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}}"#;
    assert!(whole.text().ends_with(&joined(end)), "{}", whole.text());
    let stream =
        post(&server, "/completions", r#"{"stream":true,"stream_options":{"include_usage":true}}"#).await;
    let parsed: Vec<Value> =
        stream.events()[..2].iter().map(|event| serde_json::from_str(event).unwrap()).collect();
    assert_ne!(parsed[0]["id"], parsed[1]["id"]);
    assert_eq!(
        (&parsed[0]["choices"][0]["text"], &parsed[1]["choices"][0]["text"]),
        (&"Hello".into(), &" text".into())
    );
    assert!(stream.events()[0].contains(r#", "object": "text_completion", "#));
    assert_eq!(stream.events()[2..], ["[DONE]"]);
    assert_eq!(stream.header("content-type"), "text/event-stream");
}

#[tokio::test]
async fn embeddings_count_their_inputs() {
    let server = server().await;
    for (input, count) in [
        (json!("a"), 1),
        (json!(["a", "b"]), 2),
        (json!([1, 2, 3]), 1),
        (json!([[1, 2], [3], [4]]), 3),
        (json!([]), 1),
    ] {
        let body = json!({"model": "m", "input": input}).to_string();
        let got = post(&server, "/v1/embeddings", &body).await;
        assert_eq!(got.json()["data"].as_array().unwrap().len(), count, "{body}");
    }
    let body = r#"{"model":"m","input":"a","encoding_format":"base64"}"#;
    let expected = r#"{"object": "list", "data": [
        {"object": "embedding", "index": 0, "embedding": "zczMPc3MTD6amZm+"}], "model": "m", "usage": {
        "prompt_tokens": 8, "total_tokens": 8}}"#;
    assert_eq!(post(&server, "/embeddings", body).await.text(), joined(expected));
    let floats = post(&server, "/embeddings", r#"{"input":"a"}"#).await;
    assert!(floats.text().contains(r#""embedding": [0.1, 0.2, -0.3]"#));
}

#[tokio::test]
async fn models_and_unknown_paths() {
    let server = server().await;
    let list = send(&server, Method::GET, "/models?limit=2", "").await;
    assert_eq!(list.json()["data"][1]["id"], "mock-up-model");
    assert_eq!(list.header("openai-organization"), "");
    for (method, path) in [(Method::GET, CHAT), (Method::POST, "/v1/nope"), (Method::POST, "/v1/models")] {
        let got = send(&server, method, &format!("{path}?a=b"), "").await;
        let text = r#"{"error": {
            "message": "mock: unknown path PATH", "type": "invalid_request_error"
            , "param": null, "code": "not_found"
            }}"#;
        assert_eq!((got.status, got.text()), (404, joined(text).replace("PATH", path).as_str()));
    }
    assert_eq!(post(&server, CHAT, "{nope").await.status, 400);
}

// --- ids ---

fn number_in(id: &str, prefix: &str) -> u64 {
    let rest = id.strip_prefix(prefix).and_then(|rest| rest.strip_prefix("-mock-")).expect(id);
    let (boot, number) = rest.split_once('-').expect(id);
    assert!(boot.len() == 6 && boot.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f')), "{id}");
    number.parse().expect(id)
}

#[tokio::test]
async fn ids_count_every_call_of_one_process() {
    let server = server().await;
    let id = |got: Got| got.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(number_in(&id(post(&server, CHAT, "{}").await), "chatcmpl"), 1);
    post(&server, CHAT, &said("__err=500")).await; // uses up 2
    assert_eq!(number_in(&id(post(&server, AZURE, "{}").await), "chatcmpl"), 3);
    post(&server, "/completions", r#"{"stream":true}"#).await; // 4 and 5
    assert_eq!(number_in(&id(post(&server, "/completions", "{}").await), "cmpl"), 6);
}

// --- control words ---

#[tokio::test]
async fn err_gives_the_error_of_the_dialect() {
    let server = server().await;
    for (status, kind, code, message) in [
        (400, "invalid_request_error", Value::Null, "mock bad request: field x is invalid"),
        (401, "invalid_request_error", "invalid_api_key".into(), "Incorrect API key provided: sk-mock"),
        (403, "permission_error", Value::Null, "mock forbidden"),
        (404, "invalid_request_error", "model_not_found".into(), "The model `nope` does not exist"),
        (408, "invalid_request_error", Value::Null, "mock request timeout"),
        (413, "invalid_request_error", Value::Null, "mock payload too large"),
        (418, "invalid_request_error", Value::Null, "mock error"),
        (422, "invalid_request_error", Value::Null, "mock unprocessable"),
        (429, "rate_limit_error", "rate_limit_exceeded".into(), "mock rate limit reached"),
        (500, "server_error", Value::Null, "mock internal error"),
        (502, "server_error", Value::Null, "mock bad gateway"),
        (503, "server_error", Value::Null, "mock overloaded"),
        (529, "server_error", Value::Null, "mock overloaded 529"),
        (555, "server_error", Value::Null, "mock error"),
    ] {
        let body = streamed(&format!("x __err={status}"));
        for path in [CHAT, "/completions", "/v1/embeddings", "/openai/deployments/d/embeddings"] {
            let got = post(&server, path, &body).await;
            let error = json!({"message": message, "type": kind, "param": null, "code": code});
            assert_eq!((got.status, got.json()["error"].take()), (status, error), "{path}");
            assert_eq!(got.header("retry-after"), if status == 429 { "7" } else { "" });
            assert_eq!(got.header("openai-organization"), "", "errors carry no success headers");
        }
    }
}

#[tokio::test]
async fn azure_chat_has_errors_of_its_own() {
    let server = server().await;
    for (status, code, start) in [
        (401, "401", "Access denied due to invalid subscription key or wrong API endpoint."),
        (404, "DeploymentNotFound", "The API deployment for this resource does not exist."),
        (408, "Timeout", "azure mock error 408"),
        (
            429,
            "429",
            "Requests to the ChatCompletions_Create Operation have exceeded call rate limit. \
             Please retry after 7 seconds.",
        ),
        (500, "500", "azure mock error 500"),
    ] {
        let got = post(&server, AZURE, &said(&format!("__err={status}"))).await;
        assert_eq!(got.text(), format!(r#"{{"error": {{"code": "{code}", "message": "{start}"}}}}"#));
        assert_eq!((got.status, got.header("retry-after")), (status, if status == 429 { "7" } else { "" }));
    }
}

#[tokio::test]
async fn which_error_word_wins() {
    let server = server().await;
    for (path, text, status) in [
        (CHAT, "__err=400 __errif=gpt-4o:503", 503),
        (CHAT, "__err=400 __errif=gpt-4:503", 400),
        (CHAT, "__errif=a:401 __errif=gpt-4o:429", 429),
        (CHAT, "__flaky=w1:1 __errif=gpt-4o:503", 500),
        (CHAT, "__flaky=w1:1 __errif=gpt-4o:503", 503),
        (CHAT, "__err=0", 200),
        (CHAT, "__ctx __cf __err=500", 400),
        ("/completions", "__ctx __cf", 200),
        ("/embeddings", "__flaky=w2:1", 500),
        ("/embeddings", "__flaky=w2:1", 200),
    ] {
        assert_eq!(post(&server, path, &said(text)).await.status, status, "{path} {text}");
    }
    assert_eq!(send(&server, Method::GET, "/models", "__err=500").await.status, 200);
}

#[tokio::test]
async fn ctx_and_cf_are_400s_with_codes_ctx_first() {
    let server = server().await;
    for path in [CHAT, AZURE] {
        assert_eq!(code(&post(&server, path, &said("__cf __ctx")).await), "context_length_exceeded");
        let filtered = post(&server, path, &said("__cf __err=500")).await;
        assert_eq!((filtered.status, code(&filtered)), (400, "content_filter".into()));
        let inner = &filtered.json()["error"]["innererror"];
        assert_eq!(inner["content_filter_result"]["violence"]["severity"], "high");
    }
}

#[tokio::test]
async fn cached_and_reason_change_the_usage() {
    let server = server().await;
    for (text, cached, reasoning) in
        [("", 0, 0), ("__cached", 4, 0), ("__reason", 0, 3), ("__cached __reason", 4, 3)]
    {
        let usage = post(&server, CHAT, &said(text)).await.json()["usage"].take();
        assert_eq!(usage["prompt_tokens_details"]["cached_tokens"], cached, "{text}");
        assert_eq!(usage["completion_tokens_details"]["reasoning_tokens"], reasoning, "{text}");
    }
}

#[tokio::test]
async fn chunks_and_errmid_shape_the_stream() {
    let server = server().await;
    let last = r#"{"error":{"message":"mock stream error","type":"server_error","param":null,"code":null}}"#;
    for (text, pieces, end) in [
        ("__chunks=4", vec!["", "w0 ", "w1 ", "w2 ", "w3 "], "[DONE]"),
        ("__chunks=0", vec!["", "Hello", " from", " mock."], "[DONE]"),
        ("__errmid", vec!["", "Hello", " from"], last),
        ("__errmid __chunks=2", vec!["", "w0 ", "w1 "], last),
        ("__errmid __hangmid __chunks=1", vec!["", "w0 "], "[DONE]"),
    ] {
        let got = post(&server, CHAT, &streamed(text)).await;
        assert_eq!(
            (texts(&got), got.events().last().copied()),
            (pieces.into_iter().map(String::from).collect(), Some(end)),
            "{text}"
        );
    }
}

#[test]
fn hangmid_breaks_off_after_the_second_piece_without_an_end() {
    let body = json!({"stream": true, "x": "__hangmid"});
    let Reply::Stream { steps, end, .. } = OpenAi::new().answer(&seen(CHAT, &body)) else {
        panic!("no stream")
    };
    assert_eq!((steps.len(), end), (3, End::Abort));
    assert!(
        steps[2]
            .send
            .ends_with(b"\"delta\":{\"content\":\" from\"},\"logprobs\":null,\"finish_reason\":null}]}\n\n")
    );
}

#[test]
fn sleep_delays_every_answer() {
    for (path, body) in [
        (CHAT, json!({"x": "__sleep=1.5"})),
        (CHAT, json!({"x": "__sleep=1.5", "stream": true})),
        (CHAT, json!({"x": "__sleep=9 __sleep=1.5 __err=500"})),
        ("/nowhere", json!({"x": "__sleep=1.5"})),
    ] {
        assert_eq!(OpenAi::new().answer(&seen(path, &body)).delay(), Duration::from_millis(1500), "{body}");
    }
}
