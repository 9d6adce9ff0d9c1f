//! Streams of dialects other than OpenAI's chat on their way to a client that speaks the same one.

use super::anthropic_messages as anthropic;
use super::openai_chat::Report;
use super::openai_responses as responses;
use super::passage::{Passage, Passed, StreamFault};
use super::{TranslateError, gemini, table};
use bytes::Bytes;
use weir_core::chat::Dialect;

/// What looks at a relayed stream without touching it.
pub(super) trait Scan: Send {
    /// Looks at a block of whole events; gives an error the provider reports in it.
    fn scan(&mut self, block: &[u8]) -> Option<StreamFault>;
    fn finished(&self) -> bool;
    fn report(&self) -> Report;
    fn estimated_output(&self) -> u64;
}

impl Scan for anthropic::Scanner {
    fn scan(&mut self, block: &[u8]) -> Option<StreamFault> {
        let before = self.fault().is_some();
        self.read(block);
        let told = self.fault().filter(|_| !before)?;
        Some(StreamFault { fault: told.fault.clone(), first: told.first, told: !told.first })
    }

    fn finished(&self) -> bool {
        anthropic::Scanner::finished(self)
    }

    fn report(&self) -> Report {
        let report = anthropic::Scanner::report(self);
        Report { id: report.id.clone(), usage: report.usage }
    }

    fn estimated_output(&self) -> u64 {
        anthropic::Scanner::estimated_output(self)
    }
}

impl Scan for responses::Scanner {
    fn scan(&mut self, block: &[u8]) -> Option<StreamFault> {
        let error = self.read(block)?;
        let wrapped = format!("{{\"error\":{}}}", error.json);
        let fault = table::upstream(Dialect::OpenAiResponses).read_error(0, wrapped.as_bytes());
        Some(StreamFault { fault, first: error.first, told: !error.first })
    }

    fn finished(&self) -> bool {
        responses::Scanner::finished(self)
    }

    fn report(&self) -> Report {
        responses::Scanner::report(self).clone()
    }

    fn estimated_output(&self) -> u64 {
        responses::Scanner::estimated_output(self)
    }
}

impl Scan for gemini::Scanner {
    fn scan(&mut self, block: &[u8]) -> Option<StreamFault> {
        let first = self.read(block).map(|fault| StreamFault { fault, first: true, told: false });
        first.or_else(|| self.take_late().map(|fault| StreamFault { fault, first: false, told: true }))
    }

    fn finished(&self) -> bool {
        gemini::Scanner::finished(self)
    }

    fn report(&self) -> Report {
        let report = gemini::Scanner::report(self);
        Report { id: report.id.clone(), usage: report.usage }
    }

    fn estimated_output(&self) -> u64 {
        gemini::Scanner::estimated_output(self)
    }
}

/// A stream that is relayed as it comes, and looked at.
pub(super) struct Watched<S> {
    scanner: S,
    /// The last block since the model finished: the client gets it when the entry is booked.
    held: Option<Bytes>,
    told: bool,
}

impl<S: Scan> Watched<S> {
    pub(super) fn new(scanner: S) -> Self {
        Self { scanner, held: None, told: false }
    }

    /// Whether the model has said why it stopped.
    pub(super) fn finished(&self) -> bool {
        self.scanner.finished()
    }
}

impl<S: Scan> Passage for Watched<S> {
    fn pass(&mut self, block: Bytes) -> Result<Passed, TranslateError> {
        let fault = self.scanner.scan(&block);
        self.told |= fault.is_some();
        let mut passed = Passed { fault, ..Passed::default() };
        passed.send.extend(self.held.take());
        if self.scanner.finished() {
            self.held = Some(block);
        } else {
            passed.send.push(block);
        }
        Ok(passed)
    }

    fn end(&mut self, rest: Bytes) -> Result<Passed, TranslateError> {
        let fault = if rest.is_empty() { None } else { self.scanner.scan(&rest) };
        if !self.scanner.finished() && !self.told {
            return Err(TranslateError::Unfinished);
        }
        let last = match self.held.take() {
            Some(held) if rest.is_empty() => held,
            held => [held.unwrap_or_default(), rest].concat().into(),
        };
        Ok(Passed { done: Some(last), fault, ..Passed::default() })
    }

    fn report(&self) -> Report {
        self.scanner.report()
    }

    fn estimated_output(&self) -> u64 {
        self.scanner.estimated_output()
    }
}
