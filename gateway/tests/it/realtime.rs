//! Realtime sessions: a real WebSocket client, the gateway, a mock provider that speaks.

use crate::rig::{MASTER, Rig};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Response;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

const CONFIG: &str = r#"
model_list:
  - model_name: voice
    litellm_params: {model: openai/gpt-realtime, api_base: "MOCK/v1", api_key: sk-upstream-fake}
  - model_name: voice-azure
    litellm_params: {model: azure/gpt-realtime, api_base: "MOCK", api_key: az-fake, api_version: "2024-10-01-preview"}
  - model_name: voice-azure-v1
    litellm_params: {model: azure/gpt-realtime, api_base: "MOCK/openai/v1", api_key: az-fake}
  - model_name: refuses
    litellm_params: {model: openai/__err=503, api_base: "MOCK/v1", api_key: sk-upstream-fake}
  - model_name: saved
    litellm_params: {model: openai/__err=503, api_base: "MOCK/v1", api_key: sk-upstream-fake}
  - model_name: claude
    litellm_params: {model: anthropic/claude-sonnet-4-5, api_base: "MOCK", api_key: k}
litellm_settings: {num_retries: 0}
router_settings: {disable_cooldowns: true, fallbacks: [{saved: [voice]}]}
general_settings: {master_key: os.environ/LITELLM_MASTER_KEY}
weir_settings: {drain_delay: 0.2}
"#;

type Socket = WebSocketStream<TcpStream>;

async fn open(rig: &Rig, path: &str, headers: &[(&str, &str)]) -> Result<(Socket, Response), Error> {
    let mut request = format!("ws://{}{path}", rig.address()).into_client_request().unwrap();
    for (name, value) in headers {
        request
            .headers_mut()
            .insert(http::HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
    }
    client_async(request, TcpStream::connect(rig.address()).await.unwrap()).await
}

async fn voice(rig: &Rig, path: &str) -> (Socket, Response) {
    open(rig, path, &[("authorization", &format!("Bearer {MASTER}"))]).await.unwrap()
}

/// The status that a session was refused with.
async fn refused(rig: &Rig, path: &str, key: &str) -> (u16, Value) {
    match open(rig, path, &[("authorization", &format!("Bearer {key}"))]).await {
        Err(Error::Http(answer)) => {
            let body = answer.body().as_deref().unwrap_or_default();
            (answer.status().as_u16(), serde_json::from_slice(body).unwrap_or_default())
        }
        other => panic!("{other:?}"),
    }
}

async fn say(socket: &mut Socket, event: &Value) {
    socket.send(Message::text(event.to_string())).await.unwrap();
}

/// The next event of this type; those before it are told too.
async fn hear(socket: &mut Socket, wanted: &str) -> Value {
    while let Some(message) = socket.next().await {
        let Message::Text(text) = message.unwrap() else { continue };
        let event: Value = serde_json::from_str(&text).unwrap();
        if event["type"] == wanted {
            return event;
        }
    }
    panic!("the session ended before {wanted}");
}

async fn end(mut socket: Socket) {
    socket.close(Some(CloseFrame { code: CloseCode::Normal, reason: "bye".into() })).await.unwrap();
    while let Some(Ok(_)) = socket.next().await {}
}

#[tokio::test]
async fn p10_p20_a_session_is_relayed_both_ways_and_booked_once() {
    let rig = Rig::config(CONFIG).start().await;
    let (mut socket, answer) = voice(&rig, "/v1/realtime?model=voice&intent=conversation").await;
    let call_id = answer.headers()["x-litellm-call-id"].to_str().unwrap().to_owned();
    hear(&mut socket, "session.created").await;
    // Larger than any buffer on the way, and told back as it was.
    let audio = json!({ "type": "input_audio_buffer.append", "audio": "A".repeat(300_000) });
    say(&mut socket, &audio).await;
    assert_eq!(hear(&mut socket, "mock.heard").await["heard"], audio);
    for _ in 0..2 {
        say(&mut socket, &json!({ "type": "response.create" })).await;
        hear(&mut socket, "response.done").await;
    }
    end(socket).await;

    let row = rig.row(&call_id).await;
    assert_eq!((&row["prompt_tokens"], &row["completion_tokens"]), (&json!(200), &json!(100)), "{row}");
    assert_eq!((&row["call_type"], &row["status"]), (&json!("_arealtime"), &json!("success")));
    // Twice: 30 × $4 + 10 cached × $0.40 + 20 cached audio × $0.40 + 40 audio × $32 + 10 × $16 + 40 audio × $64
    assert_eq!(row["spend"], json!(0.008264), "{row}");
    assert_eq!(rig.rows(1).await.len(), 1, "one session, one entry");

    let seen = &rig.mock.log()[0];
    assert_eq!(seen.path, "/v1/realtime?model=gpt-realtime&intent=conversation");
    assert_eq!(seen.headers["authorization"], "Bearer sk-upstream-fake");
    assert!(!seen.headers.contains_key("sec-websocket-extensions"), "compressed messages cannot be read");
}

#[tokio::test]
async fn p36_a_browsers_key_among_the_protocols_goes_no_further() {
    let rig = Rig::config(CONFIG).start().await;
    let key = rig.key(json!({ "models": ["voice"] })).await;
    let offered = format!("realtime, openai-insecure-api-key.{key}, openai-beta.realtime-v1");
    let (socket, answer) =
        open(&rig, "/v1/realtime?model=voice", &[("sec-websocket-protocol", &offered)]).await.unwrap();
    assert_eq!(answer.headers()["sec-websocket-protocol"], "realtime");
    end(socket).await;
    let seen = &rig.mock.log()[0];
    assert_eq!(seen.headers["sec-websocket-protocol"], "realtime, openai-beta.realtime-v1");
    assert!(seen.headers.values().all(|v| !v.to_str().unwrap_or_default().contains(&key)));
}

#[tokio::test]
async fn azures_sessions_have_addresses_of_their_own() {
    let rig = Rig::config(CONFIG).start().await;
    for (path, expected) in [
        (
            "/v1/realtime?model=voice-azure",
            "/openai/realtime?api-version=2024-10-01-preview&deployment=gpt-realtime",
        ),
        (
            "/openai/realtime?deployment=voice-azure&api-version=1",
            "/openai/realtime?api-version=2024-10-01-preview&deployment=gpt-realtime",
        ),
        ("/realtime?model=voice-azure-v1", "/openai/v1/realtime?model=gpt-realtime"),
    ] {
        let (socket, _) = voice(&rig, path).await;
        end(socket).await;
        let seen = rig.mock.take_log();
        assert_eq!(
            (seen[0].path.as_str(), &seen[0].headers["api-key"]),
            (expected, &"az-fake".parse().unwrap())
        );
    }
}

#[tokio::test]
async fn p28_what_cannot_begin_is_refused_in_http() {
    let rig = Rig::config(CONFIG).start().await;
    let narrow = rig.key(json!({ "models": ["claude"] })).await;
    for (path, key, status, word) in [
        ("/v1/realtime?model=voice", "sk-nobody", 401, "token"),
        ("/v1/realtime?model=voice", narrow.as_str(), 401, "voice"),
        ("/v1/realtime?model=nothing", MASTER, 400, "nothing"),
        ("/v1/realtime", MASTER, 400, "model"),
        ("/v1/realtime?model=claude", MASTER, 501, "realtime"),
        ("/v1/realtime?model=refuses", MASTER, 503, ""),
    ] {
        let (got, body) = refused(&rig, path, key).await;
        let message = body["error"]["message"].as_str().unwrap_or_default();
        assert_eq!(got, status, "{path}: {body}");
        assert!(message.contains(word), "{path}: {message}");
    }
    assert_eq!(rig.get("/v1/realtime?model=voice", MASTER).await.status, 426);
    assert_eq!(rig.post("/v1/realtime", MASTER, "{}").await.status, 405);
}

#[tokio::test]
async fn p27_a_session_that_is_refused_begins_elsewhere() {
    let rig = Rig::config(CONFIG).start().await;
    let (mut socket, answer) = voice(&rig, "/v1/realtime?model=saved").await;
    hear(&mut socket, "session.created").await;
    end(socket).await;
    let row = rig.row(answer.headers()["x-litellm-call-id"].to_str().unwrap()).await;
    assert_eq!((&row["status"], &row["model_group"]), (&json!("success"), &json!("voice")), "{row}");
}

#[tokio::test]
async fn p22_a_provider_that_breaks_off_is_told_and_booked() {
    let rig = Rig::config(CONFIG).start().await;
    let (mut socket, answer) = voice(&rig, "/v1/realtime?model=voice").await;
    say(&mut socket, &json!({ "type": "response.create" })).await;
    hear(&mut socket, "response.done").await;
    say(&mut socket, &json!({ "type": "mock.break" })).await;
    let last = socket.next().await;
    let Some(Ok(Message::Close(Some(close)))) = last else { panic!("{last:?}") };
    assert_eq!(close.code, CloseCode::Error);
    let row = rig.row(answer.headers()["x-litellm-call-id"].to_str().unwrap()).await;
    assert_eq!((&row["status"], &row["total_tokens"]), (&json!("failure"), &json!(150)), "{row}");
}

#[tokio::test]
async fn p29_a_client_that_leaves_pays_for_what_was_said() {
    let rig = Rig::config(CONFIG).start().await;
    let (mut socket, answer) = voice(&rig, "/v1/realtime?model=voice").await;
    say(&mut socket, &json!({ "type": "response.create" })).await;
    hear(&mut socket, "response.done").await;
    drop(socket);
    let row = rig.row(answer.headers()["x-litellm-call-id"].to_str().unwrap()).await;
    assert_eq!(row["total_tokens"], 150, "{row}");
}
