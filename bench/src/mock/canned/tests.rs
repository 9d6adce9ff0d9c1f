use std::time::Duration;

use serde_json::Value;

use super::options::NAMES;
use super::{COMPLETION_TOKENS, Canned, Options, PROMPT_TOKENS};
use crate::mock::reply::{Reply, Step};
use crate::mock::seen::{Seen, Upstream};
use crate::mock::testing::post;
use crate::mock::{MockServer, canned};

const CHAT: &str = "/v1/chat/completions";

async fn server(options: Options) -> MockServer {
    MockServer::start(Canned::new(options)).await.unwrap()
}

fn asked(path: &str, body: &'static str) -> Seen {
    let (method, headers) = (http::Method::POST, http::HeaderMap::new());
    Seen { method, path: path.to_owned(), headers, body: body.into(), at: std::time::SystemTime::UNIX_EPOCH }
}

fn steps(reply: Reply) -> Vec<Step> {
    match reply {
        Reply::Stream { steps, .. } => steps,
        Reply::Full { .. } => panic!("not a stream"),
    }
}

fn status(reply: Reply) -> u16 {
    match reply {
        Reply::Full { status, .. } | Reply::Stream { status, .. } => status,
    }
}

#[tokio::test]
async fn a_plain_reply_has_the_size_asked_for_and_its_usage() {
    for size in [500, 600, 100_000] {
        let server = server(Options { reply_bytes: size, ..Options::default() }).await;
        let got = post(&server, CHAT, r#"{"stream": false}"#).await;
        assert_eq!((got.status, got.body.len()), (200, size));
        let total = PROMPT_TOKENS + COMPLETION_TOKENS;
        assert_eq!(got.json()["usage"]["total_tokens"], total);
    }
}

#[tokio::test]
async fn a_stream_has_its_chunks_and_usage_only_when_asked() {
    for chunks in [1, 2, 64] {
        let server = server(Options { chunks, ..Options::default() }).await;
        let plain = post(&server, CHAT, r#"{"stream":true}"#).await;
        let with_usage = r#"{"stream": true,"stream_options":{"include_usage": true}}"#;
        let usage = post(&server, CHAT, with_usage).await;
        assert_eq!(plain.events().len(), chunks + 1);
        assert_eq!(usage.events().len(), chunks + 2);
        assert_eq!((plain.events()[chunks], usage.events()[chunks + 1]), ("[DONE]", "[DONE]"));
        let parsed: Vec<Value> =
            usage.events()[..=chunks].iter().map(|event| serde_json::from_str(event).unwrap()).collect();
        assert_eq!(parsed[0]["choices"][0]["delta"]["role"], "assistant");
        assert_eq!(parsed[chunks - 1]["choices"][0]["finish_reason"], "stop");
        assert_eq!(parsed[chunks]["usage"]["completion_tokens"], COMPLETION_TOKENS);
        assert!(!plain.text().contains("usage"));
    }
}

#[test]
fn only_a_pace_cuts_a_stream_into_writes() {
    let body = r#"{"stream":true}"#;
    let at_once = steps(Canned::new(Options::default()).answer(&asked(CHAT, body)));
    let pace = Duration::from_millis(5);
    let paced = steps(Canned::new(Options { pace, ..Options::default() }).answer(&asked(CHAT, body)));
    assert_eq!((at_once.len(), paced.len()), (1, 65));
    assert_eq!((paced[0].wait, paced[1].wait, paced[64].wait), (Duration::ZERO, pace, pace));
    let joined: Vec<u8> = paced.iter().flat_map(|step| step.send.to_vec()).collect();
    assert_eq!(joined, at_once[0].send);
}

#[test]
fn exactly_so_many_of_a_thousand_fail() {
    for rate in [0, 1, 7, 500, 999, 1000] {
        let canned = Canned::new(Options { fail_per_mille: rate, ..Options::default() });
        let failed = (0..3000).filter(|_| status(canned.answer(&asked(CHAT, "{}"))) == 500).count();
        assert_eq!(failed, 3 * rate as usize);
    }
}

#[test]
fn a_request_may_bring_its_own_options() {
    let canned = Canned::new(Options::default());
    let body = r#"{"stream":true}"#;
    for (path, writes) in [
        ("/v1/chat/completions", 1),
        ("/openai/deployments/d/chat/completions?api-version=2024-10-21", 1),
        ("/chunks=8,pace_us=1/v1/chat/completions", 9),
        ("/v1/chat/completions?chunks=3&pace_us=1", 4),
        ("/v1/chat/completions?chunks=3&pace_us=1", 4),
    ] {
        assert_eq!(steps(canned.answer(&asked(path, body))).len(), writes, "{path}");
    }
    assert_eq!(status(canned.answer(&asked("/chunk=8/v1/chat/completions", body))), 400);
    assert_eq!(status(canned.answer(&asked("/v1/chat/completions?chunks=many", body))), 400);
}

#[test]
fn every_option_name_is_understood() {
    for name in NAMES {
        assert_ne!(Options::default().with(&format!("{name}=3")), Some(Options::default()), "{name}");
        assert!(Options::default().with(&format!("{name}=3")).is_some(), "{name}");
    }
}

#[tokio::test]
async fn embeddings_and_models_are_told_by_the_path() {
    let server = server(Options::default()).await;
    let embedding = post(&server, "/v1/embeddings", "{}").await.json();
    assert_eq!(embedding["data"][0]["embedding"].as_array().unwrap().len(), 256);
    assert_eq!(post(&server, "/v1/models", "").await.json()["object"], "list");
    assert_eq!(canned::PROMPT_TOKENS, embedding["usage"]["total_tokens"].as_u64().unwrap());
}

#[tokio::test]
async fn every_api_answers_in_the_size_and_with_the_chunks_asked_for() {
    let options = Options { reply_bytes: 16384, ..Options::default() };
    let server = server(options).await;
    let bedrock = "/model/amazon.nova-lite-v1:0";
    for (whole, stream, piece) in [
        ("/v1/chat/completions", "/v1/chat/completions", "/choices/0/delta/content"),
        ("/v1/messages", "/v1/messages", "/delta/text"),
        (&format!("{bedrock}/converse"), &format!("{bedrock}/converse-stream"), "/delta/text"),
        ("/api/chat", "/api/chat", "/message/content"),
    ] {
        assert_eq!(post(&server, whole, r#"{"stream":false}"#).await.body.len(), 16384, "{whole}");
        let values = post(&server, stream, r#"{"stream":true}"#).await.values();
        let pieces =
            values.iter().filter_map(|value| value.pointer(piece)?.as_str()).filter(|text| !text.is_empty());
        let text: String = pieces.collect();
        assert_eq!(text.matches(canned::MARK).count(), canned::marks(64), "{stream}");
    }
    let invoke = post(&server, &format!("{bedrock}/invoke-with-response-stream"), "{}").await;
    assert_eq!(invoke.values().len(), 64 + 5);
    assert_eq!(
        post(&server, "/api/chat", "{}").await.values().len(),
        65,
        "Ollama streams unless told not to"
    );
}
