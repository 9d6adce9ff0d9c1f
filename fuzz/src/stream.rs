//! A provider's stream: the same events wherever it is cut, by the grammar, and told to every client in valid frames.

use crate::{crossed, framing, grammar};
use weir_core::chat::{Event, Events};
use weir_plugins::dialects::{TranslateError, UpstreamDialect};

pub fn check(dialect: &dyn UpstreamDialect, bytes: &[u8]) {
    framing::anywhere(bytes, |pieces| read(dialect, pieces));
    let (events, end) = read(dialect, &[bytes]);
    let faulty = matches!(events.last(), Some(Event::Fault(_)));
    grammar::check(&events, end.is_ok());
    crossed::stream(&events, end.is_ok() && !faulty);
}

/// The events of a stream that comes in these pieces, and how it ended.
pub fn read(dialect: &dyn UpstreamDialect, pieces: &[&[u8]]) -> (Events, Result<(), TranslateError>) {
    let mut reader = dialect.reader();
    let mut out = Events::new();
    let end = framing::read(dialect.framing(), pieces, |frame| reader.read(frame, &mut out))
        .and_then(|()| reader.end(&mut out));
    (out, end)
}
