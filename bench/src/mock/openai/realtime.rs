//! OpenAI's Realtime API as far as a gateway sees it: a session that says who it is, answers `response.create` with text
//! and usage, and tells back every other message.

use futures_util::{SinkExt, StreamExt};
use http::header::{SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL};
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

type Socket = WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>;

/// Whether a WebSocket is asked for.
pub(in crate::mock) fn is_wanted(headers: &HeaderMap) -> bool {
    headers.contains_key(SEC_WEBSOCKET_KEY)
}

/// Accepts, with the first protocol that is offered.
pub(in crate::mock) fn accept<B>(headers: &HeaderMap, response: &mut Response<B>) {
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let out = response.headers_mut();
    out.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    out.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    let key = headers.get(SEC_WEBSOCKET_KEY).map_or(&b""[..], HeaderValue::as_bytes);
    if let Ok(accept) = derive_accept_key(key).parse() {
        out.insert(SEC_WEBSOCKET_ACCEPT, accept);
    }
    let offered = headers.get(SEC_WEBSOCKET_PROTOCOL).and_then(|v| v.to_str().ok());
    if let Some(Ok(first)) = offered.and_then(|list| list.split(',').next()).map(|p| p.trim().parse()) {
        out.insert(SEC_WEBSOCKET_PROTOCOL, first);
    }
}

/// Speaks until the client closes.
pub(in crate::mock) async fn speak(upgraded: OnUpgrade) {
    let Ok(upgraded) = upgraded.await else { return };
    let mut socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, None).await;
    if let Err(error) = session(&mut socket).await {
        tracing::debug!(%error, "mock: a realtime session ended early");
    }
}

async fn session(socket: &mut Socket) -> anyhow::Result<()> {
    tell(
        socket,
        &json!({ "type": "session.created", "event_id": "event_1", "session": { "id": "sess_mock" } }),
    )
    .await?;
    while let Some(message) = socket.next().await {
        let Message::Text(text) = message? else { continue };
        let asked: Value = serde_json::from_str(&text).unwrap_or_default();
        match asked["type"].as_str() {
            Some("response.create") => respond(socket, &asked).await?,
            // What a provider's connection looks like when it breaks.
            Some("mock.break") => return Ok(()),
            _ => tell(socket, &json!({ "type": "mock.heard", "heard": asked })).await?,
        }
    }
    Ok(())
}

async fn respond(socket: &mut Socket, asked: &Value) -> anyhow::Result<()> {
    let response =
        |status: &str| json!({ "id": "resp_mock", "object": "realtime.response", "status": status });
    tell(
        socket,
        &json!({ "type": "response.created", "event_id": "event_2", "response": response("in_progress") }),
    )
    .await?;
    for (index, word) in ["Hello", " ", "there"].iter().enumerate() {
        let event = json!({ "type": "response.output_text.delta", "event_id": format!("event_d{index}"),
            "response_id": "resp_mock", "item_id": "item_mock", "output_index": 0, "content_index": 0, "delta": word });
        tell(socket, &event).await?;
    }
    let mut done = response("completed");
    done["output"] = json!([]);
    done["usage"] = usage();
    if asked["response"]["metadata"]["mock"] == "no usage" {
        done["usage"] = Value::Null;
    }
    tell(socket, &json!({ "type": "response.done", "event_id": "event_3", "response": done })).await
}

fn usage() -> Value {
    json!({ "total_tokens": 150, "input_tokens": 100, "output_tokens": 50,
        "input_token_details": { "text_tokens": 40, "audio_tokens": 60, "cached_tokens": 30,
            "cached_tokens_details": { "text_tokens": 10, "audio_tokens": 20 } },
        "output_token_details": { "text_tokens": 10, "audio_tokens": 40 } })
}

async fn tell(socket: &mut Socket, event: &Value) -> anyhow::Result<()> {
    Ok(socket.send(Message::text(event.to_string())).await?)
}
