//! What a stream costs, told with its tokens (`include_cost_in_streaming_usage`): `cost` in the `usage` of a chunk or an
//! event, or of the response that an event holds, as LiteLLM has it.

use crate::deployment::Deployment;
use crate::dialects::{Passage, Passed, Report, TranslateError};
use bytes::{Bytes, BytesMut};
use memchr::memmem;
use std::sync::Arc;
use weir_core::body::{Edits, JsonBody};
use weir_core::domain::money::NanoUsd;
use weir_core::model::prices::ServiceTier;

/// A stream's way to a client that is told the cost.
pub struct Costed {
    pub inner: Box<dyn Passage>,
    pub deployment: Arc<Deployment>,
    /// The tier that was asked for: it is paid where the stream names none.
    pub tier: Option<ServiceTier>,
    /// What those cost that were asked in vain: it is booked with the rest.
    pub outrun: NanoUsd,
}

const USAGE: &str = "usage";
/// What a line holds that is worth reading.
const MARK: &[u8] = b"\"usage\"";
const DATA: &[u8] = b"data:";

impl Costed {
    fn told(&self, mut passed: Passed) -> Passed {
        for bytes in passed.send.iter_mut().chain(&mut passed.done) {
            if memmem::find(bytes, MARK).is_some()
                && let Some(cost) = self.cost()
            {
                *bytes = with_cost(bytes, cost);
            }
        }
        passed
    }

    /// `None`: nothing is known yet, or no price goes by tokens.
    fn cost(&self) -> Option<NanoUsd> {
        let usage = self.inner.report().usage?.or_at(self.tier);
        let priced = self.deployment.price.as_ref().filter(|priced| priced.price.prices_tokens());
        priced.map(|_| self.deployment.cost_of(&usage) + self.outrun)
    }
}

impl Passage for Costed {
    fn pass(&mut self, block: Bytes) -> Result<Passed, TranslateError> {
        let passed = self.inner.pass(block)?;
        Ok(self.told(passed))
    }

    fn end(&mut self, rest: Bytes) -> Result<Passed, TranslateError> {
        let passed = self.inner.end(rest)?;
        Ok(self.told(passed))
    }

    fn resume(&mut self, answer: Option<String>) -> Passed {
        let passed = self.inner.resume(answer);
        self.told(passed)
    }

    fn report(&self) -> Report {
        self.inner.report()
    }

    fn estimated_output(&self) -> u64 {
        self.inner.estimated_output()
    }
}

/// A stream that is given again, from the cache: it costs nothing, whatever it told when it was new.
pub(crate) fn free(stream: &Bytes) -> Bytes {
    with_cost(stream, NanoUsd::ZERO)
}

/// Whole frames; those that tell no tokens stay as they are.
fn with_cost(block: &Bytes, cost: NanoUsd) -> Bytes {
    let mut out = BytesMut::with_capacity(block.len() + 64);
    for line in block.split_inclusive(|byte| *byte == b'\n') {
        let told = line.strip_prefix(DATA).filter(|json| memmem::find(json, MARK).is_some());
        match told.and_then(|json| costed(json.trim_ascii(), cost)) {
            Some(json) => {
                out.extend_from_slice(b"data: ");
                out.extend_from_slice(&json);
                out.extend_from_slice(line_end(line));
            }
            None => out.extend_from_slice(line),
        }
    }
    out.freeze()
}

fn line_end(line: &[u8]) -> &[u8] {
    &line[line.trim_ascii_end().len()..]
}

fn costed(json: &[u8], cost: NanoUsd) -> Option<Bytes> {
    let body = object(json)?;
    if let Some(usage) = body.raw(USAGE).and_then(|usage| priced(usage, cost)) {
        return Some(with(&body, USAGE, usage));
    }
    let response = object(body.raw("response")?.as_bytes())?;
    let usage = priced(response.raw(USAGE)?, cost)?;
    Some(with(&body, "response", with(&response, USAGE, usage)))
}

fn priced(usage: &str, cost: NanoUsd) -> Option<Bytes> {
    Some(with(&object(usage.as_bytes())?, "cost", Bytes::from(cost.to_string())))
}

fn object(json: &[u8]) -> Option<JsonBody> {
    JsonBody::parse(Bytes::copy_from_slice(json)).ok()
}

/// The same with another value, which is JSON.
fn with(body: &JsonBody, name: &str, value: Bytes) -> Bytes {
    let mut edits = Edits::default();
    edits.set(name, value);
    Bytes::from(edits.apply(body).concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p20_the_cost_stands_where_the_tokens_are_told_to_the_last_digit() {
        for (block, told) in [
            (
                "data: {\"id\":\"1\",\"choices\":[],\"usage\":{\"total_tokens\":18}}\n\ndata: [DONE]\n\n",
                "data: {\"id\":\"1\",\"choices\":[],\"usage\":{\"total_tokens\":18,\"cost\":0.0000975}}\n\ndata: [DONE]\n\n",
            ),
            (
                "event: message_delta\r\ndata: {\"type\":\"message_delta\",\"usage\":{\"cost\":7}}\r\n\r\n",
                "event: message_delta\r\ndata: {\"type\":\"message_delta\",\"usage\":{\"cost\":0.0000975}}\r\n\r\n",
            ),
            (
                "data: {\"type\":\"response.completed\",\"response\":{\"id\":\"r\",\"usage\":{}}}\n\n",
                "data: {\"type\":\"response.completed\",\"response\":{\"id\":\"r\",\"usage\":{\"cost\":0.0000975}}}\n\n",
            ),
        ] {
            let cost = NanoUsd(97_500);
            assert_eq!(with_cost(&Bytes::from(block), cost), told, "{block}");
        }
    }

    #[test]
    fn what_tells_no_tokens_stays_as_it_is() {
        for block in [
            "data: {\"choices\":[{\"delta\":{\"content\":\"\\\"usage\\\"\"}}],\"usage\":null}\n\n",
            "data: {\"response\":{\"usage\":null}}\n\n",
            ": \"usage\"\n\ndata: [\"usage\"]\n\n",
            "data: {\"usage\":\n\n",
        ] {
            assert_eq!(with_cost(&Bytes::from(block), NanoUsd(1)), block);
        }
    }
}
