//! Google's answers to events. A whole answer is a stream of one chunk, so both are read alike.

use super::super::wire::{Blob, Candidate, FileData, FunctionCall, PromptFeedback, WireAnswer, WirePart};
use super::super::{error, finish, grounding, ids, media};
use crate::dialects::{EventReader, TranslateError};
use serde_json::{Value, json};
use weir_core::chat::{
    Answer, Begun, Citation, Collector, Delta, Dialect, Event, Events, Finish, Kind, Object, Part,
    ToolCallKind,
};
use weir_core::codec::Frame;
use weir_core::domain::usage::Usage;

/// How much of a text block is kept to turn Google's byte offsets into characters.
const MAX_TEXT: usize = 1 << 20;

/// Members of a candidate that no event carries.
static KEPT: &[&str] =
    &["safetyRatings", "logprobsResult", "avgLogprobs", "urlContextMetadata", "finishMessage"];

/// One per response.
#[derive(Debug, Default)]
pub(in super::super) struct Reader {
    started: bool,
    /// The provider reported an error; nothing follows.
    failed: bool,
    seed: u64,
    calls: usize,
    blocks: usize,
    open: Option<Open>,
    sources: grounding::Reader,
    /// The reason as written. Told at the end: usage and sources may come after it.
    finish: Option<Value>,
    blocked: bool,
    /// The last report, and the searches that candidates have shown so far: either may come first.
    usage: Option<Usage>,
    searches: u64,
    /// Of the second candidate and those behind it.
    others: Vec<Reader>,
}

/// The block that grows.
#[derive(Debug)]
struct Open {
    index: usize,
    thought: bool,
    /// A signature closes a block: what comes after it was not signed.
    signed: bool,
    text: String,
}

pub(in super::super) fn read_answer(body: &[u8]) -> Result<Answer, TranslateError> {
    let mut reader = Reader::default();
    let mut events = Events::new();
    let mut extras = Vec::new();
    let chunks = chunks(body)?;
    for chunk in chunks {
        keep(&chunk, &mut extras);
        reader.chunk(chunk, body, &mut events)?;
    }
    reader.close(&mut events);
    let mut collector = Collector::default();
    events.into_iter().for_each(|event| collector.take(event));
    let mut answer = collector.finish();
    if let Some(fault) = answer.fault {
        return Err(TranslateError::Fault(fault));
    }
    if answer.finish.is_none() && answer.content.is_empty() {
        return Err(TranslateError::malformed("no candidates"));
    }
    let mut extras = extras.into_iter();
    answer.extra = extras.next().unwrap_or_default();
    answer.others.iter_mut().zip(extras).for_each(|(other, extra)| other.extra = extra);
    Ok(answer)
}

/// One answer, or the list of chunks that a stream without `alt=sse` is.
fn chunks(body: &[u8]) -> Result<Vec<WireAnswer>, TranslateError> {
    let read = match body.trim_ascii_start().first() {
        Some(b'{') => serde_json::from_slice(body).map(|one| vec![one]),
        _ => serde_json::from_slice(body),
    };
    read.map_err(TranslateError::malformed)
}

/// By the candidates' indices.
fn keep(chunk: &WireAnswer, extras: &mut Vec<Object>) {
    let numbered = are_numbered(&chunk.candidates);
    for (at, candidate) in chunk.candidates.iter().enumerate() {
        let choice = choice_of(candidate, at, numbered);
        if choice < Event::CHOICES {
            let most = extras.len().max(choice + 1);
            extras.resize_with(most, Object::new);
            if let Some(extra) = extras.get_mut(choice) {
                keep_of(candidate, extra);
            }
        }
    }
}

fn are_numbered(candidates: &[Candidate]) -> bool {
    candidates.iter().any(|candidate| candidate.index.is_some())
}

/// Which choice this is. Where candidates are numbered, only the first may leave its number out.
fn choice_of(candidate: &Candidate, at: usize, numbered: bool) -> usize {
    let unsaid = if numbered { 0 } else { at };
    candidate.index.map_or(unsaid, |index| usize::try_from(index).unwrap_or(usize::MAX))
}

fn keep_of(candidate: &Candidate, extra: &mut Object) {
    let own = [
        ("groundingMetadata", &candidate.grounding_metadata),
        ("citationMetadata", &candidate.citation_metadata),
    ];
    extra.extend(own.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?))));
    let rest = candidate.extra.iter().filter(|(name, _)| KEPT.contains(&name.as_str()));
    extra.extend(rest.map(|(name, value)| (name.clone(), value.clone())));
    let told = candidate.extra.get("logprobsResult").and_then(logprobs);
    extra.extend(told.map(|told| ("logprobs".to_owned(), told)));
}

/// `logprobsResult` in OpenAI's form, for whoever asked for it by OpenAI's parameter.
fn logprobs(result: &Value) -> Option<Value> {
    let list = |name: &str| result.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let tops = list("topCandidates");
    let one = |(at, chosen): (usize, &Value)| {
        let top = tops.get(at).and_then(|top| top.get("candidates")?.as_array());
        let mut told = logprob(chosen);
        told["top_logprobs"] = top.into_iter().flatten().map(logprob).collect();
        told
    };
    let content: Vec<Value> = list("chosenCandidates").iter().enumerate().map(one).collect();
    (!content.is_empty()).then(|| json!({ "content": content }))
}

fn logprob(candidate: &Value) -> Value {
    let token = candidate.get("token").and_then(Value::as_str).unwrap_or_default();
    json!({ "token": token, "logprob": candidate.get("logProbability"), "bytes": token.as_bytes() })
}

// --- EventReader ---

impl EventReader for Reader {
    fn read(&mut self, frame: Frame<'_>, out: &mut Events) -> Result<(), TranslateError> {
        let json = frame.json();
        if self.failed || json.trim_ascii() == b"[DONE]" {
            return Ok(());
        }
        chunks(json)?.into_iter().try_for_each(|chunk| self.chunk(chunk, json, out))
    }

    fn end(&mut self, out: &mut Events) -> Result<(), TranslateError> {
        if self.failed {
            return Ok(());
        }
        if self.finish.is_none() && !self.blocked {
            return Err(TranslateError::Unfinished);
        }
        self.close(out);
        Ok(())
    }
}

// --- Reader ---

impl Reader {
    /// `bytes`: the chunk as it came.
    fn chunk(&mut self, chunk: WireAnswer, bytes: &[u8], out: &mut Events) -> Result<(), TranslateError> {
        if self.failed {
            return Ok(());
        }
        if let Some(fault) = chunk.error.filter(|e| !e.is_null()) {
            self.failed = true;
            out.push(Event::Fault(error::fault(&fault)));
            return Ok(());
        }
        if !self.started {
            self.started = true;
            let seed = chunk.response_id.as_deref().map_or(bytes, str::as_bytes);
            self.seed = ids::seed(seed);
            out.push(Event::Start { id: chunk.response_id, model: chunk.model_version.clone() });
        }
        self.blocked |= chunk.prompt_feedback.as_ref().is_some_and(is_blocked);
        let mut searches = 0;
        let numbered = are_numbered(&chunk.candidates);
        for (at, candidate) in chunk.candidates.into_iter().enumerate() {
            let choice = choice_of(&candidate, at, numbered);
            if choice > 0 {
                self.beside(choice, candidate, out);
                continue;
            }
            let metadata = candidate.grounding_metadata.as_ref();
            searches = metadata.map_or(0, |m| grounding::searches(m, chunk.model_version.as_deref()));
            self.candidate(candidate, out);
        }
        self.count(chunk.usage_metadata.and_then(|usage| usage.told()), searches, out);
        Ok(())
    }

    fn beside(&mut self, choice: usize, candidate: Candidate, out: &mut Events) {
        if choice >= Event::CHOICES {
            return;
        }
        let most = self.others.len().max(choice);
        // Ids of calls are unique in the whole answer.
        let (mut number, seed) = (self.others.len() as u64, self.seed);
        self.others.resize_with(most, || {
            number += 1;
            Reader { seed: seed.wrapping_add(number), ..Reader::default() }
        });
        if let Some(other) = self.others.get_mut(choice - 1) {
            let mut told = Events::new();
            other.candidate(candidate, &mut told);
            out.extend(told.into_iter().map(|event| event.beside(choice)));
        }
    }

    fn count(&mut self, told: Option<Usage>, searches: u64, out: &mut Events) {
        let news = told.is_some() || searches > self.searches;
        self.searches = self.searches.max(searches);
        self.usage = told.or(self.usage);
        let whole = self.usage.filter(|_| news).map(|usage| Usage { searches: self.searches, ..usage });
        out.extend(whole.map(Event::Usage));
    }

    fn candidate(&mut self, candidate: Candidate, out: &mut Events) {
        for part in candidate.content.unwrap_or_default().parts {
            self.part(part, out);
        }
        let text = self.open.as_ref().filter(|o| !o.thought).map_or("", |o| o.text.as_str());
        let mut citations = Vec::new();
        if let Some(metadata) = &candidate.grounding_metadata {
            citations.extend(self.sources.grounding(metadata, text));
        }
        if let Some(metadata) = &candidate.citation_metadata {
            citations.extend(self.sources.recited(metadata, text));
        }
        citations.into_iter().for_each(|citation| self.cite(citation, out));
        let likely = candidate.extra.get("logprobsResult").and_then(logprobs);
        out.extend(likely.map(|told| Event::Logprobs(Box::new(told))));
        if let Some(reason) = candidate.finish_reason.filter(|r| !r.is_null()) {
            self.finish = Some(reason);
        }
    }

    fn part(&mut self, mut part: WirePart, out: &mut Events) {
        let signature = part.thought_signature.take();
        if let Some(call) = part.function_call.take() {
            return self.call(call, signature, out);
        }
        let thought = part.thought == Some(true);
        match (part.text.take(), part.inline_data.take(), part.file_data.take()) {
            (None, None, None) if part.extra.is_empty() => self.text("", thought, signature, out),
            (Some(text), None, None) => self.text(&text, thought, signature, out),
            // Pictures that the model drew while thinking are no part of the answer.
            (_, Some(blob), _) if !thought => self.whole(media::read_blob(blob), signature, out),
            (_, _, Some(file)) if !thought => self.whole(media::read_file(file), signature, out),
            (text, blob, file) => {
                let value = opaque(part, text, blob, file);
                self.whole(Kind::Opaque { dialect: Dialect::Gemini, value }, signature, out);
            }
        }
    }

    fn text(&mut self, text: &str, thought: bool, signature: Option<String>, out: &mut Events) {
        if text.is_empty() && signature.is_none() {
            return;
        }
        let open = match self.open.take() {
            Some(open) if open.thought == thought && !open.signed => open,
            other => {
                stop(other, out);
                self.begin_text(thought, out)
            }
        };
        self.open = Some(grow(open, text, signature, out));
    }

    fn begin_text(&mut self, thought: bool, out: &mut Events) -> Open {
        let block = if thought { Begun::Thinking { id: None } } else { Begun::Text };
        let index = self.begin(block, out);
        Open { index, thought, signed: false, text: String::new() }
    }

    fn call(&mut self, call: FunctionCall, signature: Option<String>, out: &mut Events) {
        stop(self.open.take(), out);
        let id = call.id.filter(|id| !id.is_empty()).unwrap_or_else(|| ids::made_up(self.seed, self.calls));
        self.calls += 1;
        let arguments = Value::Object(call.args.unwrap_or_default()).to_string();
        let index = self.begin(Begun::ToolCall { id, name: call.name, kind: ToolCallKind::Function }, out);
        out.push(Event::BlockDelta { index, delta: Delta::Arguments(arguments) });
        out.extend(signature.map(|s| Event::BlockDelta { index, delta: Delta::Signature(s) }));
        out.push(Event::BlockStop { index });
    }

    fn whole(&mut self, kind: Kind, signature: Option<String>, out: &mut Events) {
        stop(self.open.take(), out);
        let index = self.begin(Begun::Whole(Box::new(Part::new(kind))), out);
        out.extend(signature.map(|s| Event::BlockDelta { index, delta: Delta::Signature(s) }));
        out.push(Event::BlockStop { index });
    }

    /// Sources belong to the text that is open; after it, to a block of their own.
    fn cite(&mut self, citation: Citation, out: &mut Events) {
        let open = match self.open.take() {
            Some(open) if !open.thought => open,
            other => {
                stop(other, out);
                self.begin_text(false, out)
            }
        };
        out.push(Event::BlockDelta { index: open.index, delta: Delta::Citation(Box::new(citation)) });
        self.open = Some(open);
    }

    fn begin(&mut self, block: Begun, out: &mut Events) -> usize {
        let index = self.blocks;
        self.blocks += 1;
        out.push(Event::BlockStart { index, block });
        index
    }

    fn close(&mut self, out: &mut Events) {
        stop(self.open.take(), out);
        for (at, mut other) in std::mem::take(&mut self.others).into_iter().enumerate() {
            let mut told = Events::new();
            other.close(&mut told);
            out.extend(told.into_iter().map(|event| event.beside(at + 1)));
        }
        let told = self.finish.take().map(|reason| finish::read(&reason, self.calls > 0));
        out.extend(told.or(self.blocked.then_some(Finish::ContentFilter)).map(Event::Finish));
    }
}

fn is_blocked(feedback: &PromptFeedback) -> bool {
    feedback.block_reason.as_ref().is_some_and(|reason| !reason.is_null())
}

fn stop(open: Option<Open>, out: &mut Events) {
    out.extend(open.map(|open| Event::BlockStop { index: open.index }));
}

fn grow(mut open: Open, text: &str, signature: Option<String>, out: &mut Events) -> Open {
    let index = open.index;
    if !text.is_empty() {
        if !open.thought && open.text.len() + text.len() <= MAX_TEXT {
            open.text.push_str(text);
        }
        out.push(Event::BlockDelta { index, delta: Delta::Text(text.to_owned()) });
    }
    if let Some(signature) = signature {
        open.signed = true;
        out.push(Event::BlockDelta { index, delta: Delta::Signature(signature) });
    }
    open
}

fn opaque(part: WirePart, text: Option<String>, blob: Option<Blob>, file: Option<FileData>) -> Value {
    WirePart { text, inline_data: blob, file_data: file, ..part }.to_value()
}
