//! What the ledger keeps of a bridged response: everything that was said up to it, and the response itself.

use super::previous::Previous;
use crate::dialects::openai_responses::input_items;
use crate::exchange::Exchange;
use crate::seal::Sealer;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use weir_core::codec::sse;
use weir_core::domain::response::ResponseRecord;
use weir_core::error::{ApiError, Kind};
use weir_core::time::Micros;

/// In the clear.
#[derive(Debug, Serialize, Deserialize)]
pub struct Kept {
    /// Items of the conversation before this response, earlier responses included.
    pub input: Vec<Value>,
    /// The response as its client got it.
    pub response: Value,
}

/// As long as OpenAI keeps a response.
const LIFE: i64 = 30 * 86_400 * 1_000_000;

/// Larger ones are not kept: a conversation with many pictures would fill the ledger.
const LARGEST: usize = 2 * 1024 * 1024;

/// Events whose response is the last word.
static FINAL: &[&str] = &["response.completed", "response.incomplete"];

/// What is to be kept of an answer; `sent`: the answer, or the last events of its stream. `None`: nothing is, because
/// the client does not want it or it is too large.
///
/// # Errors
/// The answer does not hold what it must.
pub fn record(x: &Exchange, deployment: &str, sent: &[u8]) -> Result<Option<ResponseRecord>, ApiError> {
    let Some(conversation) = x.conversation.as_ref().filter(|c| c.store) else { return Ok(None) };
    let Some(owner) = x.caller.hash() else { return Ok(None) };
    let response = response(sent).ok_or_else(|| internal("no response in the answer"))?;
    let mut input = match &conversation.previous {
        Previous::Kept { items } => items.clone(),
        _ => Vec::new(),
    };
    input.extend(input_items(&x.request.body)?);
    let id = response.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let text = serde_json::to_vec(&Kept { input, response }).map_err(internal)?;
    if text.len() > LARGEST {
        tracing::warn!(%id, bytes = text.len(), "a response is too large to be kept; it cannot be continued or read");
        return Ok(None);
    }
    let sealed = x.snapshot.sealer.seal(id.as_bytes(), &text).ok_or_else(|| internal("not sealed"))?;
    let created_at = x.clock.started_at;
    Ok(Some(ResponseRecord {
        owner,
        deployment_id: deployment.to_owned(),
        model: x.target.requested.clone(),
        created_at,
        expires_at: Micros(created_at.0.saturating_add(LIFE)),
        sealed,
        id,
    }))
}

fn internal(why: impl std::fmt::Display) -> ApiError {
    ApiError::new(Kind::Internal, "The response could not be kept.").because(why)
}

/// The response in a whole answer or at the end of a stream.
fn response(sent: &[u8]) -> Option<Value> {
    #[derive(Deserialize)]
    struct Event<'a> {
        #[serde(borrow)]
        response: &'a RawValue,
    }
    if sent.starts_with(b"{") {
        return serde_json::from_slice(sent).ok();
    }
    let last = sse::events(sent).filter(|event| FINAL.contains(&sse::name(event))).last()?;
    let data = sse::data(last)?;
    let event: Event<'_> = serde_json::from_slice(&data).ok()?;
    serde_json::from_str(event.response.get()).ok()
}

impl Kept {
    /// `None`: sealed with another secret.
    pub fn open(sealer: &Sealer, record: &ResponseRecord) -> Option<Self> {
        serde_json::from_slice(&sealer.open(record.id.as_bytes(), &record.sealed)?).ok()
    }

    /// All that a later response goes on from.
    pub fn conversation(self) -> Vec<Value> {
        let Self { mut input, mut response } = self;
        if let Some(Value::Array(output)) = response.get_mut("output").map(Value::take) {
            input.extend(output);
        }
        input
    }
}
