//! A stream that is told in other words than the provider's: frames to events to frames.

use super::openai_chat::Report;
use super::passage::{Passage, Passed, StreamFault};
use super::{EventReader, EventWriter, TranslateError, table};
use crate::watch::Watchers;
use bytes::{Bytes, BytesMut};
use weir_core::chat::{Delta, Dialect, Event, Events};
use weir_core::codec::{Framing, frames};
use weir_core::domain::usage::Usage;

pub(super) struct Translation {
    framing: Framing,
    reader: Box<dyn EventReader>,
    writer: Box<dyn EventWriter>,
    /// Who looks at what was read before it is written.
    watchers: Option<Watchers>,
    events: Events,
    out: BytesMut,
    /// Whether anything of the answer itself has come. What was written before is held back, so that another
    /// deployment can still take over.
    begun: bool,
    faulted: bool,
    /// Everything was read.
    read_all: bool,
    id: Option<String>,
    usage: Option<Usage>,
    /// Bytes of model output since the provider counted last.
    seen: u64,
}

impl Translation {
    pub(super) fn of(upstream: Dialect, writer: Box<dyn EventWriter>) -> Self {
        let upstream = table::upstream(upstream);
        Self {
            framing: upstream.framing(),
            reader: upstream.reader(),
            writer,
            watchers: None,
            events: Events::new(),
            out: BytesMut::new(),
            begun: false,
            faulted: false,
            read_all: false,
            id: None,
            usage: None,
            seen: 0,
        }
    }

    pub(super) fn watched_by(self, watchers: Watchers) -> Self {
        Self { watchers: Some(watchers), ..self }
    }

    fn read(&mut self, block: &[u8]) -> Result<(), TranslateError> {
        let (reader, events) = (&mut self.reader, &mut self.events);
        frames::each(self.framing, block, |frame| reader.read(frame, events))
    }

    /// Writes what was read and may pass; gives what must be told beside it.
    fn write(&mut self) -> Passed {
        let mut passed = Passed::default();
        let mut events = std::mem::take(&mut self.events);
        events.iter().for_each(|event| self.learn(event));
        if let Some(watchers) = &mut self.watchers {
            events.drain(..).for_each(|event| watchers.push(event));
            match watchers.run(&mut events) {
                Ok(hold) => passed.hold = hold,
                Err(refused) => {
                    self.faulted = true;
                    passed.refused = Some(refused);
                }
            }
        }
        for event in events.drain(..) {
            if let Event::Fault(told) = event {
                self.faulted = true;
                passed.fault = Some(StreamFault { fault: told, first: !self.begun, told: false });
                break;
            }
            self.begun |= self.begins(&event);
            self.writer.write(event, &mut self.out);
        }
        self.events = events;
        passed
    }

    fn learn(&mut self, event: &Event) {
        match event {
            Event::Start { id, .. } => self.id.clone_from(id),
            Event::Usage(usage) => self.count(*usage),
            Event::BlockDelta { delta: Delta::Text(text) | Delta::Arguments(text), .. } => {
                self.seen += text.len() as u64;
            }
            _ => {}
        }
    }

    fn count(&mut self, usage: Usage) {
        if usage.counts_more(self.usage.as_ref()) {
            self.seen = 0;
        }
        self.usage = Some(usage);
    }

    /// Whether this is something of the answer itself. That a block begins is nothing yet where somebody keeps it back.
    fn begins(&self, event: &Event) -> bool {
        match event {
            Event::Start { .. } | Event::Usage(_) => false,
            Event::BlockStart { .. } | Event::BlockStop { .. } => self.watchers.is_none(),
            _ => true,
        }
    }

    /// Adds what may be sent.
    fn sent(&mut self, mut passed: Passed) -> Passed {
        if self.begun && !self.out.is_empty() {
            passed.send.push(self.out.split().freeze());
        }
        passed
    }

    /// As `sent`, of the last that was read: where nothing is in its way it is closed.
    fn closed(&mut self, mut passed: Passed) -> Passed {
        if passed.hold.is_some() {
            return self.sent(passed);
        }
        if passed.fault.is_none() && passed.refused.is_none() {
            self.writer.end(&mut self.out);
            passed.done = Some(self.out.split().freeze());
        }
        passed
    }
}

impl Passage for Translation {
    fn pass(&mut self, block: Bytes) -> Result<Passed, TranslateError> {
        if self.faulted {
            return Ok(Passed::default());
        }
        let read = self.read(&block);
        let passed = self.write();
        // What came before an error in the same block is the client's.
        match (read, &passed.fault, &passed.refused) {
            (Err(error), None, None) => Err(error),
            _ => Ok(self.sent(passed)),
        }
    }

    fn end(&mut self, rest: Bytes) -> Result<Passed, TranslateError> {
        if self.faulted {
            return Ok(Passed::default());
        }
        if !rest.is_empty() {
            self.read(&rest)?;
        }
        self.reader.end(&mut self.events)?;
        self.read_all = true;
        let passed = self.write();
        Ok(self.closed(passed))
    }

    fn resume(&mut self, answer: Option<String>) -> Passed {
        if let Some(watchers) = &mut self.watchers {
            watchers.resume(answer);
        }
        let passed = self.write();
        if self.read_all { self.closed(passed) } else { self.sent(passed) }
    }

    fn report(&self) -> Report {
        Report { id: self.id.clone(), usage: self.usage }
    }

    fn estimated_output(&self) -> u64 {
        self.seen.div_ceil(4)
    }
}
