//! Streams and answers that are relayed as they come: what is learned from them does not depend on how they are cut.

use crate::framing::{self, ROOMY};
use bytes::Bytes;
use weir_core::codec::{Deframer, FrameError, Framing};
use weir_plugins::dialects::openai_chat::{self, StreamReader};
use weir_plugins::dialects::{anthropic_messages, gemini, openai_responses};

/// Something that watches a stream.
pub trait Watcher: Sized {
    /// A plain answer may be a list.
    const LISTS: bool = false;

    fn start() -> Self;
    /// Looks at a block of whole events; `relayed` gets what goes on to the client.
    fn block(&mut self, block: Bytes, relayed: &mut Vec<u8>);
    /// All that was learned.
    fn learned(&self) -> String;
    /// What a plain answer says about itself.
    fn plain(body: &[u8]) -> Option<String>;
}

pub fn check<W: Watcher>(bytes: &[u8]) {
    framing::anywhere(bytes, |pieces| watch::<W>(pieces));
    if W::plain(bytes).is_some() {
        let first = bytes.trim_ascii_start().first();
        assert!(first == Some(&b'{') || W::LISTS && first == Some(&b'['), "taken for an answer");
    }
}

/// What was learned, and what was relayed.
type Seen = (String, Vec<u8>);

fn watch<W: Watcher>(pieces: &[&[u8]]) -> (Vec<Seen>, Result<(), FrameError>) {
    let mut deframer = Deframer::new(Framing::Sse, ROOMY);
    let mut watcher = W::start();
    let mut relayed = Vec::new();
    for piece in pieces {
        match deframer.push(Bytes::copy_from_slice(piece)) {
            Ok(block) => watcher.block(block, &mut relayed),
            Err(error) => return (Vec::new(), Err(error)),
        }
    }
    watcher.block(deframer.rest(), &mut relayed);
    (vec![(watcher.learned(), without_blank_lines(&relayed))], Ok(()))
}

/// Blank lines around what is taken out of a stream are relayed or go with it, as they happen to come in a block. They
/// are no events.
fn without_blank_lines(relayed: &[u8]) -> Vec<u8> {
    let mut kept = relayed.trim_ascii_end().to_vec();
    kept.dedup_by(|byte, before| *byte == b'\n' && *before == b'\n');
    kept
}

/// OpenAI's relay, which takes out what the client did not ask for.
pub struct Relay {
    reader: StreamReader,
    done: bool,
}

impl Watcher for Relay {
    fn start() -> Self {
        Self { reader: StreamReader::new(false), done: false }
    }

    /// What follows `[DONE]` is held back with it, as far as it came in the same block: nothing is promised of it.
    fn block(&mut self, block: Bytes, relayed: &mut Vec<u8>) {
        if self.done {
            return;
        }
        let block = self.reader.read(block);
        self.done = block.done.is_some();
        block.relay.iter().for_each(|bytes| relayed.extend_from_slice(bytes));
    }

    fn learned(&self) -> String {
        let reader = &self.reader;
        format!("{:?} {} {}", reader.report(), reader.finished(), reader.estimated_output())
    }

    fn plain(body: &[u8]) -> Option<String> {
        openai_chat::read_response(body).map(|report| format!("{report:?}"))
    }
}

impl Watcher for openai_responses::Scanner {
    fn start() -> Self {
        Self::default()
    }

    fn block(&mut self, block: Bytes, _: &mut Vec<u8>) {
        drop(self.read(&block));
    }

    fn learned(&self) -> String {
        format!("{:?} {} {}", self.report(), self.finished(), self.estimated_output())
    }

    fn plain(body: &[u8]) -> Option<String> {
        openai_responses::read_report(body).map(|report| format!("{report:?}"))
    }
}

impl Watcher for anthropic_messages::Scanner {
    fn start() -> Self {
        Self::default()
    }

    fn block(&mut self, block: Bytes, _: &mut Vec<u8>) {
        self.read(&block);
    }

    fn learned(&self) -> String {
        format!("{:?} {} {:?} {}", self.report(), self.finished(), self.fault(), self.estimated_output())
    }

    fn plain(body: &[u8]) -> Option<String> {
        anthropic_messages::read_report(body).map(|report| format!("{report:?}"))
    }
}

impl Watcher for gemini::Scanner {
    const LISTS: bool = true;

    fn start() -> Self {
        Self::default()
    }

    fn block(&mut self, block: Bytes, _: &mut Vec<u8>) {
        drop(self.read(&block));
    }

    fn learned(&self) -> String {
        format!("{:?} {} {}", self.report(), self.finished(), self.estimated_output())
    }

    fn plain(body: &[u8]) -> Option<String> {
        gemini::read_report(body).map(|report| format!("{report:?}"))
    }
}
