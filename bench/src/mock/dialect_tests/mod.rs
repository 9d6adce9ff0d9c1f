//! What holds for every dialect: a stream says what the whole answer says, scripts advance, hostile answers are hostile.

mod apis;

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use weir_core::codec::frames::{self, FrameError, Framing};

use super::testing::{http1, open, post, provider, scripted, send, until};
use super::{End, MockServer, Provider, Reply, SCRIPT_PATH, Seen, Upstream};
use apis::{APIS, Api, Said};

async fn asked(server: &MockServer, api: &Api, text: &str, results: usize, streamed: bool) -> Said {
    let got = post(server, api.path(streamed), &api.body(text, results, streamed)).await;
    assert_eq!(got.status, 200, "{}: {}", api.name, String::from_utf8_lossy(&got.body));
    api.read(&got, streamed)
}

fn weather(city: &str) -> (String, Value) {
    ("get_weather".to_owned(), json!({"city": city}))
}

#[tokio::test]
async fn p24_a_stream_says_what_the_whole_answer_says() {
    let server = provider().await;
    for api in APIS {
        for (words, thinking, text, cities) in [
            ("hi", "", "Hello from mock.", &[][..]),
            ("__think", "hmm", "Hello from mock.", &[]),
            ("__think __tool", "hmm", "", &["Paris"]),
            ("__tool __parallel", "", "", &["Paris", "London"]),
            ("__length", "", "Hello from mock.", &[]),
            ("__stopseq", "", "Hello from mock.", &[]),
            ("__refusal", "", "Hello from mock.", &[]),
        ] {
            let whole = asked(&server, api, words, 0, false).await;
            assert_eq!(whole, asked(&server, api, words, 0, true).await, "{} {words}", api.name);
            assert_eq!(
                (whole.thinking.as_str(), whole.text.as_str()),
                (thinking, text),
                "{} {words}",
                api.name
            );
            assert_eq!(
                whole.calls,
                cities.iter().map(|city| weather(city)).collect::<Vec<_>>(),
                "{}",
                api.name
            );
            assert!(!whole.finish.is_empty(), "{} {words}", api.name);
        }
    }
}

#[tokio::test]
async fn errors_and_delays_are_obeyed_in_every_dialect() {
    let server = provider().await;
    for api in APIS {
        for streamed in [false, true] {
            for (words, status) in
                [("__err=429", 429), ("__err=503", 503), ("__flaky=KEY:1", 500), ("__flaky=KEY:1", 200)]
            {
                let words = words.replace("KEY", &format!("{}_{streamed}", api.name));
                let got = post(&server, api.path(streamed), &api.body(&words, 0, streamed)).await;
                assert_eq!(got.status, status, "{} {words}", api.name);
            }
        }
        let reply = Provider::new().answer(&seen(api, "__sleep=1.5 __pace=0.25", true));
        assert_eq!(reply.delay(), Duration::from_millis(1500));
        let Reply::Stream { steps, .. } = reply else { panic!("no stream") };
        let waits: Vec<_> = steps.iter().map(|step| step.wait.as_millis()).collect();
        assert!(waits[0] == 0 && waits[1..].iter().all(|wait| *wait == 250), "{waits:?}");
    }
}

fn seen(api: &Api, text: &str, streamed: bool) -> Seen {
    let (method, path) = (Method::POST, api.path(streamed).to_owned());
    let (headers, body) = (http::HeaderMap::new(), api.body(text, 0, streamed).into());
    Seen { method, path, headers, body, at: std::time::SystemTime::UNIX_EPOCH }
}

// --- scripts ---

const SCRIPT: &str = r#"[
    {"thinking": "Look.", "text": "I look at both.", "calls": [
        {"name": "Read", "arguments": {"path": "a.txt"}}, {"name": "Read", "arguments": {"path": "b ü.txt"}}]},
    {"calls": [{"name": "Bash", "arguments": {}}]},
    {"text": "All is well."}
]"#;

#[tokio::test]
async fn a_script_advances_with_the_results_in_every_dialect() {
    let server = scripted(SCRIPT).await;
    let read = |path: &str| ("Read".to_owned(), json!({"path": path}));
    let both = vec![read("a.txt"), read("b ü.txt")];
    for api in APIS {
        for streamed in [false, true] {
            for (results, text, calls) in [
                (0, "I look at both.", both.clone()),
                (0, "I look at both.", both.clone()),
                (1, "I look at both.", both.clone()),
                (2, "", vec![("Bash".to_owned(), json!({}))]),
                (3, "All is well.", vec![]),
                (4, "The script is over.", vec![]),
            ] {
                let said = asked(&server, api, "go", results, streamed).await;
                assert_eq!(
                    (said.text.as_str(), said.calls),
                    (text, calls),
                    "{} {results} {streamed}",
                    api.name
                );
            }
            assert_eq!(asked(&server, api, "go", 0, streamed).await.thinking, "Look.");
        }
    }
}

#[tokio::test]
async fn a_request_finds_its_script() {
    let script = r#"[
        {"name": "one", "when": "the first", "turns": [{"text": "1"}]},
        {"name": "two", "by": "requests", "turns": [{"text": "2a"}, {"text": "2b"}]}
    ]"#;
    let server = scripted(script).await;
    let ask = |text: &str, tools: bool| {
        let tools = if tools { json!([{"type": "function"}]) } else { json!([]) };
        json!({"tools": tools, "messages": [{"role": "user", "content": text}]}).to_string()
    };
    for (text, tools, expected) in [
        ("do the first", false, "1"),
        ("something", true, "2a"),
        ("something", true, "2b"),
        ("something", true, "The script is over."),
        ("__script=one", true, "1"),
        ("a title, please", false, "Hello from mock."),
        ("__script=none", true, "Hello from mock."),
    ] {
        let got = post(&server, "/v1/chat/completions", &ask(text, tools)).await.json();
        assert_eq!(got["choices"][0]["message"]["content"], expected, "{text}");
    }
}

#[tokio::test]
async fn scripts_are_put_in_force_and_ended_over_http() {
    let server = provider().await;
    let said = async |expected: &str| {
        assert_eq!(asked(&server, &APIS[0], "go", 0, false).await.text, expected);
    };
    assert_eq!(post(&server, SCRIPT_PATH, r#"[{"text": "scripted"}]"#).await.status, 200);
    said("scripted").await;
    assert_eq!(post(&server, SCRIPT_PATH, r#"{"nope": 1}"#).await.status, 400);
    said("scripted").await;
    assert_eq!(post(&server, SCRIPT_PATH, "[]").await.status, 200);
    said("Hello from mock.").await;
    assert_eq!(server.seen_count(), 3, "such requests are not counted");
    assert_eq!(send(&server, Method::GET, SCRIPT_PATH, "").await.status, 404);
}

// --- hostile ---

fn framing(headers: &[(String, String)]) -> Framing {
    match super::hostile::framing(headers) {
        super::hostile::Framing::Sse => Framing::Sse,
        super::hostile::Framing::Ndjson => Framing::Ndjson,
        super::hostile::Framing::Binary => Framing::EventStream,
        super::hostile::Framing::Whole => panic!("no stream"),
    }
}

/// The steps joined, the end, and how they are framed.
fn spoilt(api: &Api, kind: &str) -> (Bytes, End, Framing) {
    match Provider::new().answer(&seen(api, &format!("__hostile={kind}"), true)) {
        Reply::Stream { steps, end, headers, .. } => {
            let joined: Vec<u8> = steps.iter().flat_map(|step| step.send.to_vec()).collect();
            (joined.into(), end, framing(&headers))
        }
        Reply::Full { .. } => panic!("no stream"),
    }
}

/// JSON values of the frames, as far as they can be read, without the ids that no two processes share.
fn frames_of(bytes: &[u8], framing: Framing) -> Result<Vec<Option<Value>>, FrameError> {
    let mut values = Vec::new();
    frames::each(framing, bytes, |frame| {
        let mut value: Option<Value> = serde_json::from_slice(frame.json()).ok();
        for place in ["/id", "/message/id"] {
            if let Some(id) = value.as_mut().and_then(|value| value.pointer_mut(place)) {
                id.take();
            }
        }
        values.push(value);
        Ok::<(), FrameError>(())
    })?;
    Ok(values)
}

fn sound(api: &Api) -> Vec<Option<Value>> {
    let (bytes, end, framing) = spoilt(api, "none");
    assert_eq!(end, End::Clean);
    frames_of(&bytes, framing).unwrap()
}

#[test]
fn a_broken_stream_is_broken_as_its_name_says() {
    for api in APIS {
        let sound = sound(api);
        let (bytes, end, framing) = spoilt(api, "badjson");
        let values = frames_of(&bytes, framing).unwrap();
        assert_eq!((values.len(), &values[1], end), (sound.len(), &None, End::Clean), "{}", api.name);

        let (bytes, end, framing) = spoilt(api, "truncated");
        assert_eq!(
            (frames_of(&bytes, framing).unwrap(), end),
            (sound[..sound.len() / 2].to_vec(), End::Clean)
        );

        let (bytes, end, framing) = spoilt(api, "order");
        let mut turned = sound.clone();
        turned[..sound.len() - 1].reverse();
        assert_eq!((frames_of(&bytes, framing).unwrap(), end), (turned, End::Clean), "{}", api.name);

        let (bytes, end, framing) = spoilt(api, "cut");
        let whole = frames_of(&bytes, framing).map_or(0, |values| values.iter().flatten().count());
        assert!(whole <= sound.len() / 2 && !bytes.is_empty() && end == End::Abort, "{}", api.name);

        assert_eq!(spoilt(api, "hang").1, End::Hang);
        assert_eq!(spoilt(api, "empty").0.len(), 0);
    }
}

#[test]
fn a_flipped_bit_breaks_the_checksum() {
    let bedrock = APIS.iter().find(|api| api.name == "bedrock").unwrap();
    let (bytes, _, framing) = spoilt(bedrock, "crc");
    assert!(frames_of(&bytes, framing).is_err());
    for api in APIS {
        assert_ne!(spoilt(api, "crc").0, spoilt(api, "none").0, "{}", api.name);
    }
}

#[tokio::test]
async fn an_error_may_come_with_status_200_and_a_page_instead_of_an_answer() {
    let server = provider().await;
    for api in APIS {
        for streamed in [false, true] {
            let ask = async |kind: &str| {
                let body = api.body(&format!("__hostile={kind}"), 0, streamed);
                post(&server, api.path(streamed), &body).await
            };
            let got = ask("errbody").await;
            assert_eq!((got.status, got.text().contains("mock internal error")), (200, true), "{}", api.name);
            assert_eq!(ask("html").await.header("content-type"), "text/html; charset=utf-8");
        }
        let short = post(&server, api.path, &api.body("__hostile=truncated", 0, false)).await;
        assert!(
            !short.body.is_empty() && serde_json::from_slice::<Value>(&short.body).is_err(),
            "{}",
            api.name
        );
    }
}

#[tokio::test]
async fn a_whole_answer_may_be_cut_short_of_its_length() {
    let server = provider().await;
    for api in APIS {
        let url = format!("{}{}", server.url(), api.path);
        let response = open(&http1(), Method::POST, url, &api.body("__hostile=cut", 0, false)).await;
        let announced: usize = response.headers()["content-length"].to_str().unwrap().parse().unwrap();
        assert!(announced > 20, "{}", api.name);
        assert!(response.into_body().collect().await.is_err(), "{}", api.name);
    }
}

#[tokio::test]
async fn an_endless_answer_goes_on_until_the_peer_leaves() {
    let server = provider().await;
    for api in APIS {
        for streamed in [false, true] {
            let http = http1();
            let url = format!("{}{}", server.url(), api.path(streamed));
            let mut body =
                open(&http, Method::POST, url, &api.body("__hostile=endless", 0, streamed)).await.into_body();
            for _ in 0..200 {
                assert!(body.frame().await.unwrap().is_ok(), "{} {streamed}", api.name);
            }
            drop((body, http));
            until("the endless answer to be given up", || server.open_now() == 0).await;
        }
    }
}

#[tokio::test]
async fn a_line_of_100_mb_costs_the_mock_little() {
    for api in APIS {
        for streamed in [false, true] {
            let reply = Provider::new().answer(&seen(api, "__hostile=bigline", streamed));
            let Reply::Stream { steps, end, .. } = reply else { panic!("{}", api.name) };
            let total: usize = steps.iter().map(|step| step.send.len()).sum();
            assert!(total > super::hostile::BIG && end == End::Clean);
            // All but the ends share their bytes.
            let places: std::collections::HashSet<_> = steps
                .iter()
                .filter(|step| step.send.len() > 1 << 16)
                .map(|step| step.send.as_ptr())
                .collect();
            assert_eq!(places.len(), 1, "{}", api.name);
        }
    }
}
