//! What a relayed answer says about itself. Nothing is changed and little is read: texts are skipped.

use super::error;
use super::finish;
use super::grounding;
use super::usage::UsageMetadata;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;
use weir_core::chat::{Finish, ProviderFault};
use weir_core::codec::sse;
use weir_core::domain::usage::Usage;

/// What the ledger wants to know of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub id: Option<String>,
    /// `None`: the provider did not say.
    pub usage: Option<Usage>,
    pub finish: Option<Finish>,
    searches: u64,
}

/// One per relayed stream.
#[derive(Debug, Default)]
pub struct Scanner {
    report: Report,
    seen: u64,
    /// Bytes of events since the provider counted last: what is booked if no usage follows.
    bytes: u64,
    /// An error that came after something was said.
    late: Option<ProviderFault>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Chunk<'a> {
    #[serde(borrow)]
    response_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    model_version: Option<Cow<'a, str>>,
    usage_metadata: Option<UsageMetadata>,
    #[serde(borrow)]
    candidates: Option<Vec<Candidate<'a>>>,
    prompt_feedback: Option<super::wire::PromptFeedback>,
    error: Option<Value>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Candidate<'a> {
    index: Option<u64>,
    finish_reason: Option<Value>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    grounding_metadata: Option<Value>,
}

/// Only whether there are calls.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Calls {
    parts: Vec<Call>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Call {
    function_call: Option<IgnoredAny>,
}

/// Bytes of an event that are not text: names of members, ids, counts.
const FRAME_BYTES: u64 = 250;

// --- Scanner ---

impl Scanner {
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a block of whole events. An error that is the first event of the stream is given back: nothing was said
    /// before it, so another deployment may be asked.
    pub fn read(&mut self, block: &[u8]) -> Option<ProviderFault> {
        let mut fault = None;
        for event in sse::events(block) {
            let Some(data) = sse::data(event) else { continue };
            self.seen += 1;
            self.bytes += (data.len() as u64).saturating_sub(FRAME_BYTES);
            let Ok(chunk) = serde_json::from_slice::<Chunk<'_>>(&data) else { continue };
            if chunk.usage().is_some_and(|usage| usage.counts_more(self.report.usage.as_ref())) {
                self.bytes = 0;
            }
            let told = self.report.take(chunk);
            let place = if self.seen == 1 { &mut fault } else { &mut self.late };
            *place = place.take().or(told);
        }
        fault
    }

    /// An error in the middle of the stream, once. The client has it from the provider's own bytes.
    pub fn take_late(&mut self) -> Option<ProviderFault> {
        self.late.take()
    }

    /// What was learned of the answer.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Whether the model said why it stopped.
    pub fn finished(&self) -> bool {
        self.report.finish.is_some()
    }

    /// Output tokens that were seen since the provider counted last: about one to four bytes.
    pub fn estimated_output(&self) -> u64 {
        self.bytes / 4
    }
}

/// `None`: not an answer of this dialect. The body may be one answer, or a stream's list of chunks.
pub fn read_report(body: &[u8]) -> Option<Report> {
    let chunks: Vec<Chunk<'_>> = match body.trim_ascii_start().first()? {
        b'{' => vec![serde_json::from_slice(body).ok()?],
        _ => serde_json::from_slice(body).ok()?,
    };
    let mut report = Report::default();
    for chunk in chunks {
        report.take(chunk);
    }
    Some(report)
}

impl Chunk<'_> {
    fn usage(&self) -> Option<Usage> {
        self.usage_metadata.as_ref()?.told()
    }
}

// --- Report ---

impl Report {
    /// Later chunks replace what earlier ones said. Gives back an error that the chunk reports.
    fn take(&mut self, chunk: Chunk<'_>) -> Option<ProviderFault> {
        let counted = chunk.usage();
        let model = chunk.model_version.as_deref();
        let first = chunk.candidates.into_iter().flatten().find(|c| c.index.unwrap_or(0) == 0);
        let metadata = first.as_ref().and_then(|candidate| candidate.grounding_metadata.as_ref());
        self.searches = self.searches.max(metadata.map_or(0, |m| grounding::searches(m, model)));
        self.usage = counted.or(self.usage);
        self.usage = self.usage.map(|usage| Usage { searches: self.searches, ..usage });
        if self.id.is_none() {
            self.id = chunk.response_id.map(Cow::into_owned);
        }
        if let Some(candidate) = first {
            self.candidate(&candidate);
        }
        if chunk.prompt_feedback.is_some_and(|f| f.block_reason.is_some_and(|r| !r.is_null())) {
            self.finish.get_or_insert(Finish::ContentFilter);
        }
        chunk.error.filter(|e| !e.is_null()).map(|e| error::fault(&e))
    }

    fn candidate(&mut self, candidate: &Candidate<'_>) {
        let Some(reason) = candidate.finish_reason.as_ref().filter(|r| !r.is_null()) else { return };
        let calls = candidate.content.and_then(|c| serde_json::from_str::<Calls>(c.get()).ok());
        let called = calls.is_some_and(|c| c.parts.iter().any(|p| p.function_call.is_some()));
        self.finish = Some(finish::read(reason, called));
    }
}
