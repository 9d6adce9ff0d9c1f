//! What an answer tells of itself while it passes: its id and its usage. It is never changed, and nothing that cannot be
//! read stops it.

use super::Meant;
use crate::dialects::bedrock_invoke::counted_in_headers;
use crate::dialects::{EventReader, Passage, ResponsePlan, TranslateError, View, read_report, upstream};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header};
use serde_json::Value;
use weir_core::chat::{Delta, Dialect, Event, Events};
use weir_core::codec::{Deframer, Framing, frames};
use weir_core::domain::usage::Usage;

/// Larger events and larger documents are not looked into.
const MAX_EVENT: usize = 16 * 1024 * 1024;
const MAX_DOCUMENT: usize = 16 * 1024 * 1024;

/// Looks at one answer.
pub struct Watch {
    looks: Looks,
    /// What Bedrock says of models whose format nobody knows here.
    counted: Option<Usage>,
    /// Nothing more is to be learned.
    lost: bool,
}

enum Looks {
    Away,
    Document { dialect: Option<Dialect>, seen: BytesMut },
    Events { frames: Box<Deframer>, reads: Reads },
}

enum Reads {
    /// The scanners of dialects that are relayed.
    Passage(Box<dyn Passage>),
    Events(Box<Reader>),
}

struct Reader {
    framing: Framing,
    reader: Box<dyn EventReader>,
    events: Events,
    learned: Learned,
    bytes: u64,
}

/// What was learned.
#[derive(Debug, Default)]
pub struct Learned {
    pub id: Option<String>,
    /// `None`: the provider did not say.
    pub usage: Option<Usage>,
    /// Output tokens that were seen and are in no count.
    pub output: u64,
    /// The document, where it is one.
    pub document: Value,
}

impl Watch {
    /// `headers`: the answer's.
    pub fn new(meant: &Meant, headers: &HeaderMap, view: &View<'_>) -> Self {
        let text = |name| headers.get(name).map_or(&b""[..], |v| v.as_bytes());
        let (kind, coding) = (text(header::CONTENT_TYPE), text(header::CONTENT_ENCODING));
        let plain = coding.is_empty() || coding == b"identity";
        let looks = match meant.dialect {
            _ if !plain => Looks::Away,
            Some(dialect) if streams(dialect, kind) => Looks::Events {
                frames: Box::new(Deframer::new(upstream(dialect).framing(), MAX_EVENT)),
                reads: Reads::of(dialect, view),
            },
            dialect if kind.starts_with(b"application/json") => {
                Looks::Document { dialect, seen: BytesMut::new() }
            }
            _ => Looks::Away,
        };
        Self { looks, counted: counted_in_headers(headers), lost: false }
    }

    pub fn see(&mut self, piece: &Bytes) {
        if self.lost {
            return;
        }
        let readable = match &mut self.looks {
            Looks::Away => true,
            Looks::Document { seen, .. } => {
                seen.extend_from_slice(piece);
                seen.len() <= MAX_DOCUMENT
            }
            Looks::Events { frames, reads } => {
                let block = frames.push(piece.clone());
                block.is_ok_and(|block| block.is_empty() || reads.take(block).is_ok())
            }
        };
        self.lost = !readable;
    }

    /// The answer has ended.
    pub fn learned(mut self) -> Learned {
        if let (Looks::Events { frames, reads }, false) = (&mut self.looks, self.lost) {
            let rest = frames.rest();
            let _unread = rest.is_empty() || reads.take(rest).is_ok();
        }
        let learned = match self.looks {
            Looks::Away => Learned::default(),
            Looks::Document { .. } if self.lost => Learned::default(),
            Looks::Document { dialect, seen } => document(dialect, &seen),
            Looks::Events { reads, .. } => reads.learned(),
        };
        match (learned.usage, self.counted) {
            (None, Some(whole)) => Learned { usage: Some(whole), output: 0, ..learned },
            _ => learned,
        }
    }
}

fn streams(dialect: Dialect, kind: &[u8]) -> bool {
    ResponsePlan::Carry(dialect).streams_as(kind)
}

// --- documents ---

fn document(dialect: Option<Dialect>, seen: &[u8]) -> Learned {
    let document: Value = serde_json::from_slice(seen).unwrap_or_default();
    let report = dialect.and_then(|dialect| read_report(dialect, seen)).unwrap_or_default();
    // An object without any number is none of usage.
    let read = report.usage.filter(|_| !document["usage"].is_array()); // a list is taken for members in their order
    let told = read.filter(|usage| usage.total() > 0);
    let usage = told.or_else(|| billed(&document)).or(read.filter(|_| dialect != COHERE));
    let output = if usage.is_some() { 0 } else { (seen.len() / 4) as u64 };
    Learned { id: report.id, usage, output, document }
}

const COHERE: Option<Dialect> = Some(Dialect::CohereChat);

/// Cohere's way where it is no chat.
fn billed(document: &Value) -> Option<Usage> {
    let units = &document["meta"]["billed_units"];
    let number = |name: &str| units[name].as_f64().filter(|n| *n >= 0.0).map(|n| n as u64);
    let (input, output) = (number("input_tokens"), number("output_tokens"));
    input.or(output)?;
    let (input, output) = (input.unwrap_or_default(), output.unwrap_or_default());
    Some(Usage { input, output, ..Usage::default() })
}

// --- events ---

impl Reads {
    fn of(dialect: Dialect, view: &View<'_>) -> Self {
        match dialect {
            Dialect::OpenAiChat | Dialect::OpenAiResponses | Dialect::AnthropicMessages | Dialect::Gemini => {
                Reads::Passage(ResponsePlan::Carry(dialect).passage(view))
            }
            _ => Reads::Events(Box::new(Reader {
                framing: upstream(dialect).framing(),
                reader: upstream(dialect).reader(),
                events: Events::new(),
                learned: Learned::default(),
                bytes: 0,
            })),
        }
    }

    fn take(&mut self, block: Bytes) -> Result<(), TranslateError> {
        match self {
            Reads::Passage(passage) => passage.pass(block).map(drop),
            Reads::Events(reader) => reader.take(&block),
        }
    }

    fn learned(self) -> Learned {
        match self {
            Reads::Passage(passage) => {
                let (report, output) = (passage.report(), passage.estimated_output());
                Learned { id: report.id, usage: report.usage, output, document: Value::Null }
            }
            Reads::Events(mut reader) => {
                // Some tell their usage last of all.
                let _cut_off = reader.reader.end(&mut reader.events).is_err();
                reader.note();
                Learned { output: reader.bytes.div_ceil(4), ..reader.learned }
            }
        }
    }
}

impl Reader {
    fn take(&mut self, block: &[u8]) -> Result<(), TranslateError> {
        let (reader, events) = (&mut self.reader, &mut self.events);
        let read = frames::each(self.framing, block, |frame| reader.read(frame, events));
        self.note();
        read
    }

    fn note(&mut self) {
        for event in self.events.drain(..) {
            match event {
                Event::Start { id, .. } => self.learned.id = id,
                Event::Usage(usage) => {
                    if usage.counts_more(self.learned.usage.as_ref()) {
                        self.bytes = 0;
                    }
                    self.learned.usage = Some(usage);
                }
                Event::BlockDelta { delta: Delta::Text(text) | Delta::Arguments(text), .. } => {
                    self.bytes += text.len() as u64;
                }
                _ => {}
            }
        }
    }
}
