//! A relayed response under the id that its client knows. Nothing else in it is touched.

use super::id::Origin;
use crate::dialects::{Passage, Passed, Report, TranslateError};
use crate::seal::Sealer;
use bytes::{Bytes, BytesMut};
use std::sync::Arc;
use weir_core::body::{Edits, JsonBody};
use weir_core::codec::sse;

/// What a provider's ids are called, for one owner and one deployment.
pub struct Names {
    pub sealer: Arc<Sealer>,
    /// Its `upstream` is put in for each id.
    pub origin: Origin,
}

/// Members that hold ids of responses.
static IDS: &[&str] = &["id", "previous_response_id"];

impl Names {
    /// The client's name for a provider's id.
    pub fn seal(&self, upstream: &str) -> Option<String> {
        Origin { upstream: upstream.to_owned(), ..self.origin.clone() }.seal(&self.sealer)
    }

    /// A response, or the note that it is deleted. Anything else stays as it is.
    pub fn whole(&self, body: Bytes) -> Bytes {
        match JsonBody::parse(body.clone()) {
            Ok(json) if is_response(&json) => self.renamed(&json),
            _ => body,
        }
    }

    /// A block of whole events. Those without a response in them, nearly all, are only searched.
    pub fn events(&self, block: Bytes) -> Bytes {
        if memchr::memmem::find(&block, RESPONSE).is_none() {
            return block;
        }
        let mut out = BytesMut::with_capacity(block.len() + 1024);
        sse::events(&block).for_each(|event| self.event(event, &mut out));
        out.freeze()
    }

    fn event(&self, event: &[u8], out: &mut BytesMut) {
        let renamed = memchr::memmem::find(event, RESPONSE).and_then(|_| self.data(event));
        let Some((old, new)) = renamed else { return out.extend_from_slice(event) };
        match memchr::memmem::find(event, &old) {
            Some(at) => {
                out.extend_from_slice(&event[..at]);
                out.extend_from_slice(&new);
                out.extend_from_slice(&event[at + old.len()..]);
            }
            // In JSON, line ends stand only between tokens: data of several lines may become one.
            None => {
                let line: Vec<u8> = new.iter().map(|b| if *b == b'\n' { b' ' } else { *b }).collect();
                out.extend_from_slice(format!("event: {}\ndata: ", sse::name(event)).as_bytes());
                out.extend_from_slice(&line);
                out.extend_from_slice(b"\n\n");
            }
        }
    }

    /// The data of an event, before and after.
    fn data(&self, event: &[u8]) -> Option<(Bytes, Bytes)> {
        let data = Bytes::from(sse::data(event)?.into_owned());
        let json = JsonBody::parse(data.clone()).ok()?;
        let response = JsonBody::parse(Bytes::copy_from_slice(json.raw("response")?.as_bytes())).ok()?;
        let mut edits = Edits::default();
        edits.set("response", self.renamed(&response));
        Some((data, edits.apply(&json).concat().into()))
    }

    fn renamed(&self, json: &JsonBody) -> Bytes {
        let mut edits = Edits::default();
        for name in IDS {
            let client = json.string(name).filter(|id| !id.is_empty()).and_then(|id| self.seal(&id));
            if let Some(client) = client {
                edits.set(name, format!("\"{client}\""));
            }
        }
        edits.apply(json).concat().into()
    }
}

/// How events that hold a response name it; `"response.created"` and the like are not found by it.
const RESPONSE: &[u8] = b"\"response\"";

fn is_response(json: &JsonBody) -> bool {
    json.string("object").is_some_and(|object| object == "response" || object.starts_with("response."))
}

/// A stream's way, and new names at its end.
pub struct Renamed {
    pub inner: Box<dyn Passage>,
    pub names: Names,
}

impl Renamed {
    fn rename(&self, mut passed: Passed) -> Passed {
        passed.send = passed.send.into_iter().map(|block| self.names.events(block)).collect();
        passed.done = passed.done.map(|block| self.names.events(block));
        passed
    }
}

impl Passage for Renamed {
    fn pass(&mut self, block: Bytes) -> Result<Passed, TranslateError> {
        let passed = self.inner.pass(block)?;
        Ok(self.rename(passed))
    }

    fn end(&mut self, rest: Bytes) -> Result<Passed, TranslateError> {
        let passed = self.inner.end(rest)?;
        Ok(self.rename(passed))
    }

    fn resume(&mut self, answer: Option<String>) -> Passed {
        let passed = self.inner.resume(answer);
        self.rename(passed)
    }

    fn report(&self) -> Report {
        self.inner.report()
    }

    fn estimated_output(&self) -> u64 {
        self.inner.estimated_output()
    }
}
