//! Streams: the same answer as without, whole, alive, and never silently cut.

use crate::client::{self, Answer};
use crate::rig::{CONFIG, MASTER, Rig, chat};
use http_body_util::BodyExt;
use serde_json::json;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use weir_bench::mock::{End, Reply, Seen, Step};
use weir_core::domain::money::NanoUsd;

async fn streamed(rig: &Rig, text: &str, include_usage: bool) -> Answer {
    let mut body = chat("gpt-4o", text);
    body["stream"] = true.into();
    if include_usage {
        body["stream_options"] = json!({"include_usage": true});
    }
    rig.post("/v1/chat/completions", MASTER, body).await
}

#[tokio::test]
async fn p20_a_stream_says_what_the_plain_answer_says() {
    let rig = Rig::start().await;
    let plain = rig.chat("gpt-4o", "hi").await.json();
    let stream = streamed(&rig, "hi", true).await;
    assert_eq!(stream.header("content-type"), "text/event-stream; charset=utf-8");
    assert_eq!(stream.content(), plain["choices"][0]["message"]["content"]);
    assert_eq!(stream.events().last().unwrap(), "[DONE]");
    let chunks = stream.chunks();
    let ids: std::collections::HashSet<_> = chunks.iter().map(|c| c["id"].to_string()).collect();
    assert_eq!(ids.len(), 1, "one id for all chunks");
    let usage: Vec<_> = chunks.iter().filter(|c| c["usage"].is_object()).collect();
    assert_eq!(usage.len(), 1);
    assert_eq!(usage[0]["choices"], json!([]));
    assert_eq!(usage[0]["usage"], plain["usage"]);
}

#[tokio::test]
async fn p20_usage_is_asked_for_always_and_shown_only_when_asked() {
    let rig = Rig::start().await;
    let stream = streamed(&rig, "hi", false).await;
    assert!(stream.chunks().iter().all(|c| !c["usage"].is_object()), "{}", stream.text());
    assert_eq!(rig.mock.take_log()[0].json()["stream_options"], json!({"include_usage": true}));
    let row = rig.row(stream.header("x-litellm-call-id")).await;
    assert_eq!(
        (row["prompt_tokens"].as_u64(), row["completion_tokens"].as_u64()),
        (Some(11), Some(7)),
        "{row}"
    );
}

#[tokio::test]
async fn p20_a_tool_call_arrives_unchanged() {
    let rig = Rig::start().await;
    let mut body = chat("gpt-4o", "weather? __tool");
    body["tools"] =
        json!([{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}]);
    let plain = rig.post("/v1/chat/completions", MASTER, &body).await.json();
    body["stream"] = true.into();
    let stream = rig.post("/v1/chat/completions", MASTER, &body).await;
    let arguments: String = stream
        .chunks()
        .iter()
        .filter_map(|c| {
            c["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"].as_str().map(str::to_owned)
        })
        .collect();
    let expected = &plain["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"];
    assert_eq!(&serde_json::Value::from(arguments), expected);
}

#[tokio::test]
async fn p21_an_error_before_the_first_byte_is_a_status() {
    let rig = Rig::start().await;
    for status in [400, 401, 429, 500, 503] {
        let answer = streamed(&rig, &format!("hi __err={status}"), false).await;
        assert_eq!(answer.status, status, "{}", answer.text());
        assert!(answer.header("content-type").starts_with("application/json"));
    }
}

#[tokio::test]
async fn p21_an_error_after_the_first_byte_is_an_event() {
    let rig = Rig::start().await;
    for word in ["__errmid", "__hangmid"] {
        let answer = streamed(&rig, &format!("hi {word}"), false).await;
        assert_eq!(answer.status, 200);
        let events = answer.events();
        let last: serde_json::Value = serde_json::from_str(events.last().unwrap()).unwrap();
        let says = if word == "__errmid" { "mock stream error" } else { "OpenAIException" };
        assert!(last["error"]["message"].as_str().unwrap().contains(says), "{word}: {last}");
        assert!(answer.content().starts_with("Hello"), "{word}: what was said before stays");
        assert!(!answer.text().contains("[DONE]"), "{word}: no normal end");
        let row = rig.row(answer.header("x-litellm-call-id")).await;
        assert_eq!(row["status"], "failure", "{word}: {row}");
    }
}

#[tokio::test]
async fn p21_an_error_as_the_first_event_is_a_status() {
    let error =
        "data: {\"error\":{\"message\":\"model overloaded\",\"type\":\"server_error\",\"code\":529}}\n\n";
    let rig = Rig::config(CONFIG).over(move |_: &_| stream(&[error], Duration::ZERO, End::Clean)).await;
    let answer = streamed(&rig, "hi", false).await;
    assert_eq!(answer.status, 529, "{}", answer.text());
    assert!(answer.text().contains("model overloaded"));
}

#[tokio::test]
async fn p22_a_client_that_leaves_stops_the_provider() {
    let chunk = "data: {\"id\":\"c1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"word \"}}]}\n\n";
    let chunks = [chunk; 100];
    let rig =
        Rig::config(CONFIG).over(move |_: &_| stream(&chunks, Duration::from_millis(50), End::Clean)).await;
    let mut body = chat("priced", "hi");
    body["stream"] = true.into();
    let auth = format!("Bearer {MASTER}");
    let headers = [("authorization", auth.as_str()), ("x-litellm-call-id", "left-1")];
    let url = format!("{}/v1/chat/completions", rig.url);
    let (_, _, mut answer) = client::open("POST", &url, &headers, body.to_string()).await;
    for _ in 0..3 {
        answer.frame().await.unwrap().unwrap();
    }
    drop(answer);
    let left = Instant::now();
    while rig.mock.hangups() == 0 && left.elapsed() < Duration::from_secs(5) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(rig.mock.hangups(), 1);
    assert!(left.elapsed() < Duration::from_secs(1), "the provider went on for {:?}", left.elapsed());
    let row = rig.row("left-1").await;
    let tokens = row["completion_tokens"].as_u64().unwrap();
    assert!((3..100).contains(&tokens), "what was seen is booked: {row}");
    assert!(row["spend"].as_f64().unwrap() > 0.0, "{row}");
    assert_eq!(row["metadata"]["weir"]["status"], "cancelled", "{row}");
}

/// Anthropic counts the input when a message begins, and the output when it is over.
#[tokio::test]
async fn p11_who_leaves_a_stream_whose_count_has_only_begun_pays_what_was_seen() {
    const CLAUDE: &str = r#"
model_list:
  - model_name: claude
    litellm_params: {model: anthropic/claude-sonnet-4-5, api_base: "MOCK", api_key: k}
general_settings: {master_key: os.environ/LITELLM_MASTER_KEY}
"#;
    let start = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"usage\":\
        {\"input_tokens\":7,\"output_tokens\":1}}}\n\nevent: content_block_start\ndata: {\"type\":\
        \"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n";
    let piece = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":\
        {\"type\":\"text_delta\",\"text\":\"four and twenty blackbirds \"}}\n\n";
    let mut parts = [piece; 50];
    parts[0] = start;
    let rig =
        Rig::config(CLAUDE).over(move |_: &_| stream(&parts, Duration::from_millis(50), End::Clean)).await;
    let auth = format!("Bearer {MASTER}");
    for path in ["/v1/messages", "/v1/chat/completions", "/anthropic/v1/messages"] {
        let mut body = chat("claude", "hi");
        (body["stream"], body["max_tokens"]) = (true.into(), 1000.into());
        let headers = [("authorization", auth.as_str()), ("x-litellm-call-id", path)];
        let (_, _, mut answer) =
            client::open("POST", &format!("{}{path}", rig.url), &headers, body.to_string()).await;
        for _ in 0..5 {
            answer.frame().await.unwrap().unwrap();
        }
        drop(answer);
        let row = rig.row(path).await;
        let counted = (row["prompt_tokens"].as_u64(), &row["metadata"]["weir"]["usage_source"]);
        assert_eq!(counted, (Some(7), &json!("estimated")), "{row}");
        let tokens = row["completion_tokens"].as_u64().unwrap();
        assert!((15..1000).contains(&tokens), "what was seen is booked: {row}");
    }
}

/// What the first deployment counted before it failed is nothing that the last one used.
#[tokio::test]
async fn p12_what_a_failed_attempt_counted_is_not_paid_at_the_next_ones_price() {
    const TWICE: &str = r#"
model_list:
  - model_name: claude
    litellm_params: {model: anthropic/claude-sonnet-4-5, api_base: "MOCK", api_key: k}
litellm_settings: {num_retries: 1}
router_settings: {disable_cooldowns: true}
general_settings: {master_key: os.environ/LITELLM_MASTER_KEY}
"#;
    let begun = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"usage\":\
        {\"input_tokens\":70000,\"output_tokens\":1}}}\n\nevent: error\ndata: {\"type\":\"error\",\"error\":\
        {\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n";
    let asked = AtomicUsize::new(0);
    let answers = move |_: &Seen| match asked.fetch_add(1, Ordering::Relaxed) {
        0 => stream(&[begun], Duration::ZERO, End::Clean),
        _ => Reply::json(500, &json!({"type": "error", "error": {"type": "api_error", "message": "no"}})),
    };
    let rig = Rig::config(TWICE).over(answers).await;
    let mut body = chat("claude", "hi");
    body["stream"] = true.into();
    let answer = rig.post("/v1/chat/completions", MASTER, body).await;
    assert_eq!(answer.status, 500, "{}", answer.text());
    let row = rig.row(answer.header("x-litellm-call-id")).await;
    assert_eq!(row["metadata"]["weir"]["attempts"].as_array().map(Vec::len), Some(2), "{row}");
    assert_eq!((&row["prompt_tokens"], row["spend"].as_f64()), (&json!(0), Some(0.0)), "{row}");
    assert_eq!(row["metadata"]["weir"]["usage_source"], "none", "{row}");
}

/// Wherever a client leaves, what the provider was asked is one attempt of one entry.
#[tokio::test]
async fn p40_clients_that_leave_at_every_chunk_are_booked_once_each() {
    const CHUNKS: usize = 12;
    let rig = Rig::start().await;
    let auth = format!("Bearer {MASTER}");
    let url = format!("{}/v1/chat/completions", rig.url);
    let mut body = chat("priced", &format!("hi __chunks={CHUNKS} __pace=0.03"));
    body["stream"] = true.into();
    let body = body.to_string();
    // The last ones hear everything.
    let leaving = (0..CHUNKS + 4).map(|read| {
        let (auth, url, body) = (auth.as_str(), url.as_str(), body.clone());
        async move {
            let call = format!("left-after-{read}");
            let headers = [("authorization", auth), ("x-litellm-call-id", call.as_str())];
            let (status, _, mut answer) = client::open("POST", url, &headers, body).await;
            assert_eq!(status, 200);
            for _ in 0..read {
                let Some(frame) = answer.frame().await else { break };
                frame.unwrap();
            }
        }
    });
    futures_util::future::join_all(leaving).await;
    let rows = rig.rows(CHUNKS + 4).await;
    assert_eq!(rows.len(), CHUNKS + 4, "{rows:?}");
    let attempt = |row: &serde_json::Value| {
        let weir = &row["metadata"]["weir"];
        assert_eq!(weir["attempts"].as_array().map(Vec::len), Some(1), "{row}");
        format!("{}-{}", weir["entry_id"].as_str().unwrap(), weir["attempts"][0]["number"])
    };
    let mut booked: Vec<String> = rows.iter().map(attempt).collect();
    let mut seen: Vec<String> =
        rig.mock.log().iter().map(|seen| seen.header("x-client-request-id").to_owned()).collect();
    booked.sort();
    seen.sort();
    assert_eq!(booked, seen, "each is booked once, and nothing else is");
    let told = |row: &serde_json::Value| row["metadata"]["weir"]["status"].as_str().unwrap().to_owned();
    assert!(rows.iter().all(|row| ["cancelled", "success"].contains(&told(row).as_str())), "{rows:?}");
    assert!(rows.iter().any(|row| told(row) == "cancelled"), "{rows:?}");
    let nano = |value: &serde_json::Value| NanoUsd::parse(&value.to_string()).unwrap();
    let sum: NanoUsd = rows.iter().map(|row| nano(&row["spend"])).sum();
    assert_eq!(nano(&rig.get("/global/spend", MASTER).await.json()["spend"]), sum);
}

#[tokio::test]
async fn p22_a_client_that_leaves_before_the_answer_stops_the_provider() {
    let rig = Rig::start().await;
    let auth = format!("Bearer {MASTER}");
    let url = format!("{}/v1/chat/completions", rig.url);
    let headers = [("authorization", auth.as_str()), ("x-litellm-call-id", "left-2")];
    let waiting = client::send("POST", &url, &headers, chat("gpt-4o", "hi __sleep=10").to_string());
    let _ = tokio::time::timeout(Duration::from_millis(300), waiting).await;
    let left = Instant::now();
    while rig.mock.hangups() == 0 && left.elapsed() < Duration::from_secs(5) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(rig.mock.hangups(), 1);
    assert_eq!(rig.row("left-2").await["metadata"]["weir"]["status"], "cancelled");
}

#[tokio::test]
async fn p23_an_idle_stream_is_kept_alive_at_frame_boundaries() {
    let config = CONFIG.replace("drain_delay: 0.2", "drain_delay: 0.2, keepalive_interval: 0.2");
    let parts = [
        "data: {\"id\":\"c1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\ndata: {\"id\":\"c1\",",
        "\"choices\":[{\"index\":0,\"delta\":{\"content\":\"b\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
    ];
    let rig =
        Rig::config(&config).over(move |_: &_| stream(&parts, Duration::from_millis(700), End::Clean)).await;
    let answer = streamed(&rig, "hi", false).await;
    assert_eq!(answer.status, 200);
    let comments = answer.text().matches(": keep-alive\n\n").count();
    assert!(comments >= 4, "{}", answer.text());
    assert_eq!(answer.content(), "ab", "{}", answer.text());
    assert_eq!(answer.events().last().unwrap(), "[DONE]");
}

fn stream(parts: &[&'static str], wait: Duration, end: End) -> Reply {
    let steps =
        parts.iter().map(|part| Step { wait, send: bytes::Bytes::from_static(part.as_bytes()) }).collect();
    let headers = vec![("content-type".into(), "text/event-stream".into())];
    Reply::Stream { status: 200, headers, steps, end, delay: Duration::ZERO }
}
