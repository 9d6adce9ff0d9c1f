//! Raw pass-through: a provider's own API below a path of ours, with our keys, our limits and our ledger.

mod configured;
mod guarded;

use crate::client::{self, Answer};
use crate::rig::{MASTER, Rig};
use serde_json::{Value, json};
use weir_bench::mock::{Provider, Reply, Seen, Step};

/// The providers' keys stand in the environment alone; one model of each is in the config too.
const CONFIG: &str = r#"
model_list:
  - model_name: my-claude
    litellm_params: {model: anthropic/claude-sonnet-4-5, api_base: "MOCK", api_key: key-of-config}
  - model_name: my-gemini
    litellm_params: {model: gemini/gemini-2.5-flash, api_base: "MOCK", api_key: key-of-config}
  - model_name: my-nova
    litellm_params: {model: "bedrock/converse/amazon.nova-pro-v1:0", aws_bedrock_runtime_endpoint: "MOCK", aws_access_key_id: AKIACONFIG, aws_secret_access_key: fake, aws_region_name: us-east-1}
  - model_name: my-azure
    litellm_params: {model: azure/gpt-4o, api_base: "MOCK", api_key: key-of-config, api_version: "2024-10-21"}
  - model_name: my-gpt
    litellm_params: {model: openai/gpt-4o, api_base: "MOCK/v1", api_key: key-of-config}
  - model_name: my-command
    litellm_params: {model: cohere/command-r-plus-08-2024, api_base: "MOCK", api_key: key-of-config}
  - model_name: my-mistral
    litellm_params: {model: mistral/mistral-large-latest, api_base: "MOCK/v1", api_key: key-of-config}
environment_variables:
  OPENAI_API_BASE: "MOCK/v1"
  OPENAI_API_KEY: key-of-openai
  ANTHROPIC_API_BASE: "MOCK"
  ANTHROPIC_API_KEY: key-of-anthropic
  AZURE_API_BASE: "MOCK"
  AZURE_API_KEY: key-of-azure
  GEMINI_API_BASE: "MOCK"
  GEMINI_API_KEY: key-of-gemini
  COHERE_API_BASE: "MOCK"
  COHERE_API_KEY: key-of-cohere
  MISTRAL_API_BASE: "MOCK/v1"
  MISTRAL_API_KEY: key-of-mistral
  AWS_BEDROCK_RUNTIME_ENDPOINT: "MOCK"
  AWS_ENDPOINT_URL_BEDROCK_AGENT_RUNTIME: "MOCK/agents-host"
  AWS_ACCESS_KEY_ID: AKIAENVIRONMENT
  AWS_SECRET_ACCESS_KEY: fake
  AWS_REGION: us-east-1
litellm_settings: {num_retries: 2}
router_settings: {disable_cooldowns: true}
general_settings: {master_key: os.environ/LITELLM_MASTER_KEY}
"#;

/// Path below ours, the model in it or in the body, path at the provider, header with the key, the key.
struct Row {
    path: &'static str,
    body: Value,
    sent: &'static str,
    header: &'static str,
    key: &'static str,
}

fn row(path: &'static str, body: Value, sent: &'static str, header: &'static str, key: &'static str) -> Row {
    Row { path, body, sent, header, key }
}

fn chat(model: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": "Say hello"}]})
}

fn message(model: &str) -> Value {
    json!({"model": model, "max_tokens": 20, "messages": [{"role": "user", "content": "Say hello"}]})
}

fn contents() -> Value {
    json!({"contents": [{"role": "user", "parts": [{"text": "Say hello"}]}]})
}

fn converse() -> Value {
    json!({"messages": [{"role": "user", "content": [{"text": "Say hello"}]}]})
}

/// Every prefix, by a model that only the environment's key serves.
fn rows() -> Vec<Row> {
    vec![
        row(
            "/openai/chat/completions",
            chat("gpt-4o"),
            "/v1/chat/completions",
            "authorization",
            "Bearer key-of-openai",
        ),
        row(
            "/openai/v1/chat/completions",
            chat("gpt-4o"),
            "/v1/chat/completions",
            "authorization",
            "Bearer key-of-openai",
        ),
        row(
            "/anthropic/v1/messages",
            message("claude-sonnet-4-5"),
            "/v1/messages",
            "x-api-key",
            "key-of-anthropic",
        ),
        row(
            "/azure/openai/deployments/gpt-4o/chat/completions",
            chat("gpt-4o"),
            "/openai/deployments/gpt-4o/chat/completions",
            "api-key",
            "key-of-azure",
        ),
        row(
            "/gemini/v1beta/models/gemini-2.5-flash:generateContent",
            contents(),
            "/v1beta/models/gemini-2.5-flash:generateContent",
            "x-goog-api-key",
            "key-of-gemini",
        ),
        row(
            "/cohere/v2/chat",
            chat("command-r-plus-08-2024"),
            "/v2/chat",
            "authorization",
            "Bearer key-of-cohere",
        ),
        row(
            "/mistral/v1/chat/completions",
            chat("mistral-large-latest"),
            "/v1/chat/completions",
            "authorization",
            "Bearer key-of-mistral",
        ),
        row(
            "/bedrock/model/amazon.nova-pro-v1:0/converse",
            converse(),
            "/model/amazon.nova-pro-v1%3A0/converse",
            "authorization",
            "AWS4-HMAC-SHA256 Credential=AKIAENVIRONMENT/",
        ),
    ]
}

async fn rig() -> Rig {
    Rig::config(CONFIG).over(Provider::new()).await
}

async fn booked(rig: &Rig, answer: &Answer) -> Value {
    rig.row(answer.header("x-litellm-call-id")).await
}

fn is_whole(seen: &Seen, secret: &str) -> bool {
    let headers = seen.headers.values().any(|v| String::from_utf8_lossy(v.as_bytes()).contains(secret));
    !headers && !seen.path.contains(secret) && !String::from_utf8_lossy(&seen.body).contains(secret)
}

#[tokio::test]
async fn p35_every_prefix_reaches_its_provider_with_our_key_and_without_the_callers() {
    let rig = rig().await;
    for row in rows() {
        let query =
            if row.path.starts_with("/azure") { "?api-version=2024-10-21&a=b%20c" } else { "?a=b%20c" };
        let presented = [
            ("authorization", format!("Bearer {MASTER}")),
            ("x-api-key", MASTER.to_owned()),
            ("x-goog-api-key", MASTER.to_owned()),
            ("x-litellm-api-key", MASTER.to_owned()),
            ("x-odd", "kept".to_owned()),
        ];
        for (name, value) in &presented[..4] {
            let headers =
                [(*name, value.as_str()), ("x-odd", "kept"), ("x-other", MASTER), ("x-amz-date", "no")];
            let answer = rig.post_with(&format!("{}{query}", row.path), &headers, &row.body).await;
            assert_eq!(answer.status, 200, "{}: {}", row.path, answer.text());
            let seen = rig.mock.take_log().remove(0);
            assert_eq!(seen.path, format!("{}{query}", row.sent), "{}", row.path);
            assert!(seen.header(row.header).starts_with(row.key), "{}: {:?}", row.path, seen.headers);
            assert!(is_whole(&seen, MASTER), "{} by {name}: {seen:?}", row.path);
            assert_eq!(seen.body, row.body.to_string(), "{}: the body is as it came", row.path);
            assert_eq!(seen.header("x-odd"), "kept");
            assert_ne!(seen.header("x-amz-date"), "no");
        }
        // Google's way.
        let mark = if query.is_empty() { "?" } else { "&" };
        let answer = rig.post_with(&format!("{}{query}{mark}key={MASTER}", row.path), &[], &row.body).await;
        let canonical = row.path == "/openai/v1/chat/completions";
        assert_eq!(answer.status, if canonical { 401 } else { 200 }, "{}: {}", row.path, answer.text());
        assert!(rig.mock.take_log().iter().all(|seen| is_whole(seen, MASTER)), "{}", row.path);
        let stranger = rig.post(row.path, "sk-nobody", &row.body).await;
        assert_eq!(stranger.status, 401, "{}", stranger.text());
        assert!(rig.mock.take_log().is_empty(), "{}", row.path);
    }
}

/// The same call by our own route, and the raw one, by a model that the config has under another name.
fn twins() -> Vec<(&'static str, Value, &'static str, Value)> {
    let with = |mut body: Value, more: Value| {
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    };
    let streamed = json!({"stream": true, "stream_options": {"include_usage": true}});
    let mut twins = vec![
        ("/v1/chat/completions", chat("my-gpt"), "/openai/chat/completions", chat("my-gpt")),
        ("/v1/chat/completions", chat("my-gpt"), "/openai/chat/completions", chat("gpt-4o")),
        ("/v1/messages", message("my-claude"), "/anthropic/v1/messages", message("my-claude")),
        ("/v1/messages", message("my-claude"), "/anthropic/v1/messages", message("claude-sonnet-4-5")),
        ("/v1/chat/completions", chat("my-command"), "/cohere/v2/chat", chat("command-r-plus-08-2024")),
        ("/v1/chat/completions", chat("my-mistral"), "/mistral/chat/completions", chat("my-mistral")),
        ("/v1/chat/completions", chat("my-nova"), "/bedrock/model/my-nova/converse", converse()),
        ("/v1/chat/completions", chat("my-nova"), "/bedrock/model/amazon.nova-pro-v1:0/converse", converse()),
        (
            "/v1/chat/completions",
            chat("my-azure"),
            "/azure/openai/deployments/my-azure/chat/completions?api-version=2024-10-21",
            chat("my-azure"),
        ),
        (
            "/v1beta/models/my-gemini:generateContent",
            contents(),
            "/gemini/v1beta/models/my-gemini:generateContent",
            contents(),
        ),
        (
            "/v1beta/models/my-gemini:streamGenerateContent?alt=sse",
            contents(),
            "/gemini/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse",
            contents(),
        ),
        (
            "/v1beta/models/my-gemini:streamGenerateContent",
            contents(),
            "/gemini/v1beta/models/gemini-2.5-flash:streamGenerateContent",
            contents(),
        ),
        (
            "/v1/chat/completions",
            with(chat("my-nova"), json!({"stream": true})),
            "/bedrock/model/my-nova/converse-stream",
            converse(),
        ),
    ];
    let body = with(chat("my-gpt"), streamed);
    twins.push(("/v1/chat/completions", body.clone(), "/openai/chat/completions", body));
    let body = with(message("my-claude"), json!({"stream": true}));
    twins.push(("/v1/messages", body.clone(), "/anthropic/v1/messages", body));
    twins.push((
        "/v1/chat/completions",
        with(chat("my-command"), json!({"stream": true})),
        "/cohere/v2/chat",
        with(chat("my-command"), json!({"stream": true})),
    ));
    twins
}

#[tokio::test]
async fn p12_a_raw_call_costs_what_the_same_call_costs_by_our_own_route() {
    let rig = rig().await;
    for (canonical, asked, raw, body) in twins() {
        let ours = rig.post(canonical, MASTER, &asked).await;
        assert_eq!(ours.status, 200, "{canonical}: {}", ours.text());
        let theirs = rig.post(raw, MASTER, &body).await;
        assert_eq!(theirs.status, 200, "{raw}: {}", theirs.text());
        let (ours, theirs) = (booked(&rig, &ours).await, booked(&rig, &theirs).await);
        for name in ["prompt_tokens", "completion_tokens", "spend"] {
            assert_eq!(theirs[name], ours[name], "{raw} {body}: {name}");
        }
        assert!(theirs["spend"].as_f64().is_some_and(|spend| spend > 0.0), "{raw}: {theirs}");
        assert_eq!(theirs["call_type"], "pass_through_endpoint", "{theirs}");
    }
}

#[tokio::test]
async fn a_model_of_the_config_goes_out_by_its_own_name_with_its_own_key() {
    let rig = rig().await;
    for (path, body, sent, model) in [
        ("/anthropic/v1/messages", message("my-claude"), "/v1/messages", "claude-sonnet-4-5"),
        ("/bedrock/model/my-nova/converse", converse(), "/model/amazon.nova-pro-v1%3A0/converse", ""),
        (
            "/gemini/v1beta/models/my-gemini:generateContent",
            contents(),
            "/v1beta/models/gemini-2.5-flash:generateContent",
            "",
        ),
        (
            "/azure/openai/deployments/my-azure/chat/completions",
            chat("x"),
            "/openai/deployments/gpt-4o/chat/completions",
            "x",
        ),
    ] {
        let answer = rig.post(path, MASTER, &body).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        let seen = rig.mock.take_log().remove(0);
        assert_eq!(seen.route(), sent);
        assert_eq!(seen.json()["model"].as_str().unwrap_or_default(), model, "{path}");
        let headers = format!("{:?}", seen.headers);
        assert!(headers.contains("key-of-config") || headers.contains("AKIACONFIG"), "{path}: {headers}");
    }
}

#[tokio::test]
async fn p20_a_stream_comes_byte_for_byte_as_the_provider_sends_it() {
    for (kind, text) in [
        (
            "text/event-stream",
            "event: odd\r\ndata: {\"a\":1}\r\n\r\n: comment\n\ndata: [DONE]\n\nrest without end",
        ),
        ("application/x-ndjson", "{\"a\":1}\n\n{\"b\":"),
        ("audio/mpeg", "ID3\u{1}\u{2}\u{3}"),
    ] {
        let steps: Vec<Step> = text.as_bytes().chunks(7).map(|piece| Step::now(piece.to_vec())).collect();
        let reply = Reply::stream(kind, steps).header("x-theirs", "yes").header("set-cookie", "a=b");
        let rig = Rig::config(CONFIG).over(move |_: &Seen| reply.clone()).await;
        for path in ["/openai/chat/completions", "/anthropic/v1/messages", "/cohere/v2/chat"] {
            let answer = rig.post(path, MASTER, json!({"model": "m", "stream": true})).await;
            assert_eq!((answer.status, answer.text().as_str()), (200, text), "{path}");
            assert_eq!(answer.header("content-type"), kind);
            assert_eq!((answer.header("x-theirs"), answer.header("set-cookie")), ("yes", ""));
            booked(&rig, &answer).await;
        }
    }
}

/// Tells what it got.
fn echo(seen: &Seen) -> Reply {
    let told = json!({"method": seen.method.as_str(), "path": seen.path, "length": seen.body.len()});
    match seen.path.contains("/bytes") {
        true => Reply::full(203, seen.header("content-type"), seen.body.clone()),
        false => Reply::json(if seen.path.contains("/made") { 201 } else { 200 }, &told),
    }
}

async fn send(rig: &Rig, method: &str, path: &str, kind: &str, body: impl Into<bytes::Bytes>) -> Answer {
    let auth = format!("Bearer {MASTER}");
    let headers = [("authorization", auth.as_str()), ("content-type", kind)];
    client::send(method, &format!("{}{path}", rig.url), &headers, body).await
}

#[tokio::test]
async fn every_method_passes_and_every_body() {
    let rig = Rig::config(CONFIG).over(echo).await;
    for (method, path, status) in [
        ("GET", "/openai/v1/files?limit=2&after=a%2Fb", 200),
        ("DELETE", "/openai/v1/files/f-1", 200),
        ("PUT", "/anthropic/v1/things/1", 200),
        ("PATCH", "/cohere/v1/made", 201),
        ("POST", "/mistral/v1/files", 200),
    ] {
        let answer = send(&rig, method, path, "application/json", "").await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
        let (_, below) = path[1..].split_once('/').unwrap();
        assert_eq!(answer.json()["path"], format!("/{below}"), "{method}");
        assert_eq!(answer.json()["method"], method);
        let row = booked(&rig, &answer).await;
        assert_eq!((row["spend"].as_f64(), row["total_tokens"].as_u64()), (Some(0.0), Some(0)), "{row}");
    }
    let head = send(&rig, "HEAD", "/openai/v1/files", "application/json", "").await;
    assert_eq!((head.status, head.body.len()), (200, 0), "{:?}", head.headers);
    assert!(head.header("content-length").parse::<u64>().is_ok_and(|n| n > 0), "{:?}", head.headers);
    let bytes: Vec<u8> = (0..200_000_u32).map(|n| n as u8).collect();
    for kind in ["application/octet-stream", "image/png", "text/plain"] {
        let answer = send(&rig, "POST", "/openai/v1/bytes", kind, bytes.clone()).await;
        assert_eq!((answer.status, answer.header("content-type")), (203, kind));
        assert_eq!(&answer.body[..], &bytes[..], "{kind}");
    }
    let form =
        "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n\u{1}\u{2}\r\n--b--\r\n";
    let answer = send(&rig, "POST", "/openai/v1/bytes", "multipart/form-data; boundary=b", form).await;
    assert_eq!((answer.status, answer.text().as_str()), (203, form));
    let broken = send(&rig, "POST", "/openai/v1/files", "application/json", "{\"model\":").await;
    assert_eq!(broken.status, 400, "{}", broken.text());
    let twice = r#"{"model":"a","model":"b"}"#;
    assert_eq!(send(&rig, "POST", "/anthropic/v1/messages", "application/json", twice).await.status, 400);
}

#[tokio::test]
async fn p21_p28_a_providers_error_comes_as_it_is_and_is_booked_once() {
    let reply = Reply::json(429, &json!({"type": "error", "error": {"type": "odd", "message": "slow down"}}))
        .header("retry-after", "7");
    let rig = Rig::config(CONFIG).over(move |_: &Seen| reply.clone()).await;
    let answer = rig.post("/anthropic/v1/messages", MASTER, message("my-claude")).await;
    assert_eq!((answer.status, answer.header("retry-after")), (429, "7"));
    assert_eq!(answer.json(), json!({"type": "error", "error": {"type": "odd", "message": "slow down"}}));
    assert_eq!(rig.mock.seen_count(), 1, "an answer is an answer: nothing was sent again");
    let row = booked(&rig, &answer).await;
    assert_eq!((row["status"].as_str(), row["spend"].as_f64()), (Some("failure"), Some(0.0)), "{row}");
    assert_eq!(rig.rows(1).await.len(), 1);
}

#[tokio::test]
async fn p21_an_unreachable_provider_is_a_502_that_is_booked() {
    let config = CONFIG.replace("ANTHROPIC_API_BASE: \"MOCK\"", "ANTHROPIC_API_BASE: \"http://127.0.0.1:9\"");
    let rig = Rig::config(&config).over(echo).await;
    let answer = rig.post("/anthropic/v1/messages", MASTER, message("claude-sonnet-4-5")).await;
    assert_eq!(answer.status, 502, "{}", answer.text());
    assert_eq!(answer.json()["type"], "error", "told as Anthropic's clients read it: {}", answer.text());
    let row = booked(&rig, &answer).await;
    assert_eq!((row["status"].as_str(), row["spend"].as_f64()), (Some("failure"), Some(0.0)), "{row}");
    let nobody =
        Rig::config("model_list: []\ngeneral_settings: {master_key: os.environ/LITELLM_MASTER_KEY}\n");
    let nobody = nobody.over(echo).await;
    for (path, status, says) in
        [("/openai/v1/files", 401, "OPENAI_API_KEY"), ("/azure/openai/files", 501, "AZURE_API_BASE")]
    {
        let answer = nobody.get(path, MASTER).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
        assert!(answer.text().contains(says), "{path}: {}", answer.text());
    }
}

#[tokio::test]
async fn agents_of_bedrock_are_asked_at_their_own_host_with_a_signature() {
    let rig = Rig::config(CONFIG).over(echo).await;
    for (method, path) in
        [("POST", "/bedrock/knowledgebases/KB1/retrieve"), ("PUT", "/bedrock/sessions/s1/x")]
    {
        let answer = send(&rig, method, path, "application/json", "{}").await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let seen = rig.mock.take_log().remove(0);
        assert!(seen.path.starts_with("/agents-host/"), "{}", seen.path);
        assert!(seen.header("authorization").contains("SignedHeaders=content-type;host;x-amz-date"));
    }
}
