use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Recording, Recordings, Replay};
use crate::mock::MockServer;
use crate::mock::testing::{post, shared};

const EVENTS: &str = "data: {\"a\": \"é\u{1F600}\"}\n\ndata: x\r\n\r\n: ping\n\ndata: [DONE]\n\n";

fn recording(response: Value) -> Result<Recording, serde_json::Error> {
    serde_json::from_value(json!({
        "id": "t-0", "provider": "openai", "operation": "chat", "model": "m", "features": ["plain"],
        "request": {"method": "POST", "path": "/v1/chat/completions", "query": {}, "headers": {}},
        "response": response,
    }))
}

#[tokio::test]
async fn a_recorded_stream_is_byte_exact_whatever_the_slices() {
    let sse =
        recording(json!({"status": 200, "headers": {"x-request-id": "r"}, "body_text": EVENTS})).unwrap();
    for size in 0..=EVENTS.len() + 1 {
        let server = MockServer::start(Replay::new(&sse).slices(size)).await.unwrap();
        let got = post(&server, "/anything", "{}").await;
        assert_eq!((got.status, got.text()), (200, EVENTS), "slices of {size}");
        assert_eq!((got.header("content-type"), got.header("x-request-id")), ("text/event-stream", "r"));
    }
}

#[tokio::test]
async fn json_bodies_are_compact_whole_and_spelt_as_recorded() {
    let text = r#"{"id":"t","provider":"p","operation":"chat","model":"m",
        "request":{"method":"GET","path":"/"},
        "response":{"status":429,"headers":{"retry-after":"1","Content-Length":"99"},
        "body":{"n": 1.50, "s": "a b"}}}"#;
    let recording: Recording = serde_json::from_str(text).unwrap();
    let server = MockServer::start(Replay::new(&recording).slices(1)).await.unwrap();
    let got = post(&server, "/", "").await;
    assert_eq!((got.status, got.text()), (429, r#"{"n":1.50,"s":"a b"}"#));
    assert_eq!((got.header("content-length"), got.header("content-type")), ("20", "application/json"));
    assert_eq!(got.header("retry-after"), "1");
}

#[tokio::test]
async fn binary_bodies_are_decoded_and_one_server_plays_many() {
    let binary = recording(json!({"status": 200, "headers": {}, "body_base64": "AAH/"})).unwrap();
    let text = recording(json!({"status": 200, "headers": {}, "body_text": "{}\n"})).unwrap();
    let replay = Arc::new(Replay::new(&binary).slices(2));
    let server = MockServer::start(Arc::clone(&replay)).await.unwrap();
    let got = post(&server, "/", "").await;
    assert_eq!(got.body, Bytes::from_static(&[0, 1, 255]));
    assert_eq!(got.header("content-type"), "application/vnd.amazon.eventstream");
    replay.play(&text);
    assert_eq!(post(&server, "/", "").await.header("content-type"), "application/x-ndjson");
}

#[test]
fn a_response_has_exactly_one_body() {
    assert!(recording(json!({"status": 200, "body": {}, "body_text": ""})).is_err());
    assert!(recording(json!({"status": 200})).is_err());
    assert!(recording(json!({"status": 200, "body_base64": "?"})).is_err());
}

#[test]
fn a_load_error_names_the_file() {
    let error = Recording::load("no/such/recording.json").unwrap_err();
    assert!(format!("{error:#}").contains("no/such/recording.json"), "{error:#}");
}

#[tokio::test]
async fn every_shared_recording_is_replayed_as_it_is_stored() {
    let Some(folder) = shared("recordings/dev") else { return };
    let recordings = Recordings::dir(&folder).unwrap();
    assert!(recordings.len() > 100, "{} recordings", recordings.len());
    let replay = Arc::new(Replay::new(&recordings[0]).slices(997));
    let server = MockServer::start(Arc::clone(&replay)).await.unwrap();
    for recording in &recordings {
        let file = std::fs::read(folder.join(format!("{}.json", recording.id))).unwrap();
        let stored = serde_json::from_slice::<Value>(&file).unwrap()["response"].take();
        replay.play(recording);
        let got = post(&server, "/whatever", "").await;
        assert_eq!(got.status, stored["status"].as_u64().unwrap() as u16, "{}", recording.id);
        match stored["body_text"].as_str() {
            Some(text) => assert_eq!(got.text(), text, "{}", recording.id),
            None if stored["body"].is_null() => assert!(!got.body.is_empty(), "{}", recording.id),
            None => assert_eq!(got.json(), stored["body"], "{}", recording.id),
        }
    }
}
