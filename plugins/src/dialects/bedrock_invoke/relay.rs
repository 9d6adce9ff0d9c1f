//! Claude's own stream out of Bedrock's frames, for a client that speaks Anthropic's dialect: every event goes on as it
//! came, whatever it says. Nothing goes on before the model has begun, so that another deployment can still answer.

use super::{Named, Unwrapped, unwrap};
use crate::dialects::anthropic_messages::Scanner;
use crate::dialects::openai_chat::Report;
use crate::dialects::watched::Watched;
use crate::dialects::{Passage, Passed, StreamFault, TranslateError};
use bytes::{Bytes, BytesMut};
use weir_core::chat::ProviderFault;
use weir_core::codec::{Frame, Framing, frames};

/// Events that say nothing of the answer yet.
static BEFORE: &[&str] = &["message_start", "ping"];

/// One per response.
pub(in crate::dialects) struct Unwrapping {
    inner: Watched<Scanner>,
    /// Events that wait for the model to begin.
    held: BytesMut,
    begun: bool,
    /// After an error nothing follows.
    over: bool,
}

impl Default for Unwrapping {
    fn default() -> Self {
        Self { inner: Watched::new(Scanner::default()), held: BytesMut::new(), begun: false, over: false }
    }
}

impl Unwrapping {
    /// Puts the events of a block behind those that wait; gives Bedrock's own error, if it tells one.
    fn take(&mut self, block: &[u8]) -> Result<Option<ProviderFault>, TranslateError> {
        let mut fault = None;
        frames::each(Framing::EventStream, block, |frame| match fault {
            Some(_) => Ok(()),
            None => self.frame(&frame).map(|told| fault = told),
        })?;
        Ok(fault)
    }

    fn frame(&mut self, frame: &Frame<'_>) -> Result<Option<ProviderFault>, TranslateError> {
        match unwrap(frame)? {
            Unwrapped::Json(json) => self.event(&json).map(|()| None),
            Unwrapped::Fault(fault) => Ok(Some(fault)),
            Unwrapped::Other => Ok(None),
        }
    }

    fn event(&mut self, json: &[u8]) -> Result<(), TranslateError> {
        let named: Named = serde_json::from_slice(json).map_err(TranslateError::malformed)?;
        let name = named.kind.unwrap_or_default();
        if name == "error" && !self.begun {
            // It is the first that the model says.
            self.held.clear();
        }
        self.begun |= !BEFORE.contains(&name.as_str());
        if !name.is_empty() {
            self.held.extend_from_slice(format!("event: {name}\n").as_bytes());
        }
        // Inside of texts line ends are escaped.
        for line in json.split(|byte| matches!(byte, b'\n' | b'\r')) {
            self.held.extend_from_slice(b"data: ");
            self.held.extend_from_slice(line);
            self.held.extend_from_slice(b"\n");
        }
        self.held.extend_from_slice(b"\n");
        Ok(())
    }

    /// What may go on.
    fn pass_on(&mut self) -> Result<Passed, TranslateError> {
        if !self.begun || self.held.is_empty() {
            return Ok(Passed::default());
        }
        self.inner.pass(self.held.split().freeze())
    }

    /// With Bedrock's own error, unless the model has told one or has finished.
    fn told(&mut self, mut passed: Passed, fault: Option<ProviderFault>) -> Passed {
        if passed.fault.is_none() && !self.inner.finished() {
            let first = !self.begun;
            passed.fault = fault.map(|fault| StreamFault { fault, first, told: false });
        }
        self.over |= passed.fault.is_some();
        passed
    }
}

impl Passage for Unwrapping {
    fn pass(&mut self, block: Bytes) -> Result<Passed, TranslateError> {
        if self.over {
            return Ok(Passed::default());
        }
        let fault = self.take(&block)?;
        let passed = self.pass_on()?;
        Ok(self.told(passed, fault))
    }

    fn end(&mut self, rest: Bytes) -> Result<Passed, TranslateError> {
        if !self.over && !rest.is_empty() {
            self.take(&rest)?;
        }
        self.inner.end(self.held.split().freeze())
    }

    fn report(&self) -> Report {
        self.inner.report()
    }

    fn estimated_output(&self) -> u64 {
        self.inner.estimated_output()
    }
}
