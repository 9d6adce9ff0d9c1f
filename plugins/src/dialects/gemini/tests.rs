//! The dialect against recorded traffic, and against bytes that no provider should send.

mod answers;
mod embeddings;
mod hostile;
mod recordings;
mod requests;
mod streams;

use super::Gemini;
use crate::dialects::{Asked, EventReader, EventWriter, Params, TranslateError, UpstreamDialect, View};
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use serde_json::{Value, json};
use weir_core::body::JsonBody;
use weir_core::chat::{Answer, Collector, Events, Request};
use weir_core::codec::{Deframer, Framing, frames};
use weir_core::error::ApiError;

const LIMIT: usize = 1 << 22;

fn body(value: &Value) -> JsonBody {
    JsonBody::parse(Bytes::from(value.to_string())).unwrap()
}

fn write(request: Request, model: &str, params: &Params) -> Result<Value, ApiError> {
    let headers = HeaderMap::new();
    let asked = Asked { model, provider: "gemini", params, headers: &headers };
    Gemini.write_request(request, &asked).map(|wire| wire.body.into())
}

fn view(body: &JsonBody) -> View<'_> {
    View { model: "mine", id: "abc", created: 1, include_usage: true, body }
}

/// Events of a stream that arrives in these pieces.
fn events(pieces: &[&[u8]]) -> Result<Events, TranslateError> {
    let mut deframer = Deframer::new(Framing::Sse, LIMIT);
    let mut reader = Gemini.reader();
    let mut out = Events::new();
    for piece in pieces {
        let block = deframer.push(Bytes::copy_from_slice(piece))?;
        read(&block, reader.as_mut(), &mut out)?;
    }
    read(&deframer.rest(), reader.as_mut(), &mut out)?;
    reader.end(&mut out)?;
    Ok(out)
}

fn read(block: &[u8], reader: &mut dyn EventReader, out: &mut Events) -> Result<(), TranslateError> {
    frames::each(Framing::Sse, block, |frame| reader.read(frame, out))
}

fn collect(events: Events) -> Answer {
    let mut collector = Collector::default();
    events.into_iter().for_each(|event| collector.take(event));
    collector.finish()
}

/// What a writer makes of events.
fn written(writer: &mut dyn EventWriter, events: Events) -> Vec<u8> {
    let mut out = BytesMut::new();
    events.into_iter().for_each(|event| writer.write(event, &mut out));
    writer.end(&mut out);
    out.to_vec()
}

/// Text, calls and the like, without what another dialect or another block division changes.
fn meaning(answer: &Answer) -> Value {
    use weir_core::chat::Kind;
    let calls = answer.content.iter().filter_map(|part| match &part.kind {
        Kind::ToolCall(call) => Some(json!([call.name, call.object()])),
        _ => None,
    });
    let thoughts = answer.content.iter().filter_map(|part| match &part.kind {
        Kind::Thinking { text, .. } => Some(text.as_str()),
        _ => None,
    });
    let cited = answer.content.iter().flat_map(|part| match &part.kind {
        Kind::Text { citations, .. } => citations.as_slice(),
        _ => &[],
    });
    let media = answer.content.iter().filter_map(|part| match &part.kind {
        Kind::Image(media) | Kind::Audio(media) => media.source.to_url(),
        _ => None,
    });
    let signatures = answer.content.iter().filter_map(|part| part.signature.as_deref());
    json!({
        "text": answer.text(),
        "calls": calls.collect::<Vec<_>>(),
        "thoughts": thoughts.collect::<String>(),
        "cited": cited.map(|c| json!([c.url, c.title, c.cited_text, c.start, c.end])).collect::<Vec<_>>(),
        "media": media.collect::<Vec<_>>(),
        "signatures": signatures.collect::<Vec<_>>(),
        "finish": format!("{:?}", answer.finish),
        "usage": answer.usage,
    })
}
