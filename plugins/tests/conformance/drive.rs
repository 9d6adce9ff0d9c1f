//! Bytes through readers, answers through writers.

use crate::recordings::client;
use bytes::{Bytes, BytesMut};
use weir_core::body::JsonBody;
use weir_core::chat::{Answer, Collector, Dialect, Event, Events, ProviderFault};
use weir_core::codec::{Deframer, frames};
use weir_core::error::{ApiError, Kind};
use weir_plugins::dialects::upstream;
use weir_plugins::dialects::{TranslateError, UpstreamDialect, View};

/// The model as clients see it.
pub const MODEL: &str = "shown-model";
/// The unique part of ids.
pub const ID: &str = "0a1b2c3d";

/// More than any recorded frame.
const LIMIT: usize = 16 << 20;

/// What a stream says, as far as it could be read, and why it could not be read further.
#[derive(Debug, PartialEq)]
pub struct Told {
    pub events: Events,
    pub error: Option<TranslateError>,
}

impl Told {
    pub fn answer(&self) -> Answer {
        let mut collector = Collector::default();
        self.events.iter().cloned().for_each(|event| collector.take(event));
        collector.finish()
    }

    /// What the provider, or the cut, says went wrong.
    pub fn fault(&self) -> Option<ProviderFault> {
        let inside = self.events.iter().find_map(|event| match event {
            Event::Fault(fault) => Some(fault.clone()),
            _ => None,
        });
        inside.or_else(|| self.error.as_ref().map(fault))
    }
}

fn fault(error: &TranslateError) -> ProviderFault {
    match error {
        TranslateError::Fault(fault) => fault.clone(),
        other => ProviderFault { message: other.to_string(), ..ProviderFault::default() },
    }
}

/// Reads a stream that comes in pieces of this size.
pub fn read_stream(dialect: &dyn UpstreamDialect, body: &[u8], size: usize) -> Told {
    let mut events = Events::new();
    let error = try_read(dialect, body, size, &mut events).err();
    Told { events, error }
}

fn try_read(
    dialect: &dyn UpstreamDialect,
    body: &[u8],
    size: usize,
    out: &mut Events,
) -> Result<(), TranslateError> {
    let framing = dialect.framing();
    let mut deframer = Deframer::new(framing, LIMIT);
    let mut reader = dialect.reader();
    for piece in body.chunks(size.max(1)) {
        let block = deframer.push(Bytes::copy_from_slice(piece))?;
        frames::each(framing, &block, |frame| reader.read(frame, out))?;
    }
    frames::each(framing, &deframer.rest(), |frame| reader.read(frame, out))?;
    reader.end(out)
}

/// A plain answer as a stream of one telling.
pub fn read_plain(dialect: &dyn UpstreamDialect, body: &[u8]) -> Result<Answer, ProviderFault> {
    let answer = dialect.read_answer(body).map_err(|error| fault(&error))?;
    match answer.fault {
        Some(fault) => Err(fault),
        None => Ok(answer),
    }
}

fn view(body: &JsonBody) -> View<'_> {
    View { model: MODEL, id: ID, created: 1_700_000_000, include_usage: true, body }
}

pub fn write_plain(to: Dialect, answer: &Answer, asked: &JsonBody) -> Vec<u8> {
    client(to).write_answer(answer.clone(), &view(asked))
}

/// The client's stream; after a fault it ends with an error.
pub fn write_stream(to: Dialect, told: &Told, asked: &JsonBody) -> Vec<u8> {
    let mut writer = client(to).writer(&view(asked));
    let mut out = BytesMut::new();
    for event in told.events.iter().filter(|event| !matches!(event, Event::Fault(_))) {
        writer.write(event.clone(), &mut out);
    }
    match told.fault() {
        Some(fault) => out.extend_from_slice(&client(to).error_event(&api_error(&fault))),
        None => writer.end(&mut out),
    }
    out.to_vec()
}

/// The error that a client gets for a provider's.
pub fn api_error(fault: &ProviderFault) -> ApiError {
    let status = if fault.status == 0 { 502 } else { fault.status };
    ApiError::new(Kind::Upstream, fault.message.clone()).with_status(status)
}

/// What a client of this dialect understands: the dialect's other side reads it.
pub fn understand(of: Dialect, body: &[u8]) -> Result<Answer, String> {
    read_plain(upstream(of), body).map_err(|fault| format!("cannot be read back: {}", fault.message))
}
