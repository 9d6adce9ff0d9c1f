//! InvokeModel with Anthropic's bodies: the message as Anthropic writes it, the stream in frames of base64.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};

use super::converse::broken;
use crate::mock::anthropic::message::Envelope;
use crate::mock::anthropic::{self, message, stream};
use crate::mock::ask::Ask;
use crate::mock::frames;
use crate::mock::json::{compact, spaced};
use crate::mock::reply::Reply;
use crate::mock::turn::{INPUT_TOKENS, OUTPUT_TOKENS};
use crate::mock::wire;

const ID: &str = "msg_bdrk_mock";

/// Without the header that names the request, as in the recorded provider.
pub(super) fn whole(ask: &Ask<'_>) -> Reply {
    let turn = anthropic::turn(ask, false);
    let mut message = message::whole(&Envelope { id: ID, model: "claude" }, &turn);
    shorten(&mut message["usage"], turn.usage.cache_read > 0);
    wire::plain(200, &message)
}

/// Without pings, and with the figures of the call in the last event.
pub(super) fn events(ask: &Ask<'_>, breaks: bool) -> Vec<Bytes> {
    let turn = anthropic::turn(ask, true);
    let mut events = stream::events(&Envelope { id: ID, model: "claude-3-sonnet" }, &turn, false);
    events.retain(|event| event["type"] != "ping");
    shorten(&mut events[0]["message"]["usage"], turn.usage.cache_read > 0);
    if let Some(last) = events.last_mut() {
        last["amazon-bedrock-invocationMetrics"] = json!({
            "inputTokenCount": INPUT_TOKENS,
            "outputTokenCount": OUTPUT_TOKENS,
            "invocationLatency": 12,
            "firstByteLatency": 5,
        });
    }
    let mut frames: Vec<Bytes> = events.iter().map(chunk).collect();
    if breaks && !turn.has_calls() {
        // The end of the block, of the message, and of the stream.
        frames.truncate(frames.len() - 3);
        frames.push(broken());
    }
    frames
}

/// Bedrock counts caches only where there is one.
fn shorten(usage: &mut Value, cached: bool) {
    if let (Value::Object(usage), false) = (usage, cached) {
        usage.retain(|name, _| matches!(name.as_str(), "input_tokens" | "output_tokens"));
    }
}

fn chunk(event: &Value) -> Bytes {
    let payload = json!({"bytes": BASE64_STANDARD.encode(compact(event)), "p": "ab"});
    frames::event("chunk", &spaced(&payload))
}
