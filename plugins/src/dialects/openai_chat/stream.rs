//! A stream of chunks, relayed. The reader looks for usage, counts what passes, and takes out the usage chunk when the
//! client did not ask for it; every other byte goes on as it came.

use super::response::{self, Report};
use super::usage::WireUsage;
use super::wire::is_said;
use bytes::Bytes;
use memchr::memmem::Finder;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::ops::Range;
use std::sync::LazyLock;
use weir_core::codec::sse;
use weir_core::domain::usage::Usage;
use weir_core::model::prices::ServiceTier;

/// What one block of whole events means.
#[derive(Debug, Default)]
pub struct Block {
    /// Bytes for the client, in order.
    pub relay: smallvec::SmallVec<[Bytes; 2]>,
    /// `[DONE]`, held back so that the entry is booked before the client has it.
    pub done: Option<Bytes>,
    /// The provider reports an error inside the stream; its event is relayed like any other.
    pub error: Option<StreamError>,
}

/// An error event.
#[derive(Debug)]
pub struct StreamError {
    /// The `error` member as JSON.
    pub json: String,
    /// It is the first event of the stream: nothing was said before it.
    pub first: bool,
}

/// One per response.
pub struct StreamReader {
    keep_usage: bool,
    report: Report,
    /// The last that a chunk named: mostly every one does, some only the first.
    tier: Option<ServiceTier>,
    finished: bool,
    /// Events so far; comments are none.
    seen: u64,
    /// Events with content since the provider counted last, and bytes in them: what is booked if no usage follows.
    events: u64,
    bytes: u64,
}

/// What events are searched for. To make ready for a search costs more than to search an event.
struct Finders {
    usage: Finder<'static>,
    done: Finder<'static>,
    error: Finder<'static>,
    finish: Finder<'static>,
    /// Fields of a delta that carry model output.
    content: [Finder<'static>; 5],
}

static FINDERS: LazyLock<Finders> = LazyLock::new(|| Finders {
    usage: Finder::new("\"usage\""),
    done: Finder::new("[DONE]"),
    error: Finder::new("\"error\""),
    finish: Finder::new("\"finish_reason\""),
    content: [
        Finder::new("\"content\":"),
        Finder::new("\"text\":"),
        Finder::new("\"arguments\":"),
        Finder::new("\"reasoning_content\":"),
        Finder::new("\"reasoning\":"),
    ],
});

/// Each member is read by itself: one that is odd does not take the others away.
#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
    #[serde(borrow, default)]
    x_groq: Option<&'a RawValue>,
    #[serde(borrow, default)]
    choices: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
    #[serde(borrow, default)]
    service_tier: Option<&'a RawValue>,
    #[serde(borrow, default)]
    object: Option<&'a RawValue>,
    #[serde(rename = "type", borrow, default)]
    kind: Option<&'a RawValue>,
}

/// What holds a usage.
#[derive(Deserialize)]
struct Told {
    #[serde(default)]
    usage: Option<WireUsage>,
}

impl Chunk<'_> {
    /// The chunk that exists only to carry usage: `choices` is empty or null.
    fn only_usage(&self) -> bool {
        self.usage.is_some_and(|told| told.get().starts_with('{'))
            && self.choices.is_none_or(|c| matches!(c.get(), "[]" | "null" | "[ ]"))
    }

    /// The usage, where it belongs, where Groq tells it to those who did not ask, or in Moonshot's last choice.
    fn usage(&self) -> Option<Usage> {
        let groq = || serde_json::from_str::<Told>(self.x_groq?.get()).ok()?.usage;
        let moonshot = || {
            let choices: Vec<Told> = serde_json::from_str(self.choices?.get()).ok()?;
            choices.into_iter().find_map(|choice| choice.usage)
        };
        let beside = || groq().or_else(moonshot).map(|usage| usage.usage());
        self.usage.and_then(|told| response::usage(told.get())).or_else(beside)
    }

    /// The error that it tells, as JSON: its `error`, or all of it where it is called one. Some providers say
    /// `"error": {}` with every chunk.
    fn error<'d>(&'d self, data: &'d str, named: bool) -> Option<&'d str> {
        let said =
            |raw: &&RawValue| serde_json::from_str::<Value>(raw.get()).is_ok_and(|value| is_said(&value));
        if let Some(error) = self.error.filter(said) {
            return Some(error.get());
        }
        let called = [self.object, self.kind].into_iter().flatten().any(|word| word.get() == "\"error\"");
        (named || called).then_some(data)
    }
}

// --- StreamReader ---

impl StreamReader {
    /// `keep_usage`: the client asked for the usage chunk.
    pub fn new(keep_usage: bool) -> Self {
        let report = Report::default();
        Self { keep_usage, report, tier: None, finished: false, seen: 0, events: 0, bytes: 0 }
    }

    /// Reads a block of whole events.
    pub fn read(&mut self, block: Bytes) -> Block {
        let mut out = Block::default();
        let (mut from, mut at) = (0, 0);
        let held = Held::of(&block);
        for event in sse::events(&block) {
            let range = at..at + event.len();
            at = range.end;
            if is_done(event) {
                out.push(&block, from..range.start);
                out.done = Some(block.slice(range.start..));
                return out;
            }
            self.seen += u64::from(!is_comment(event));
            self.count(event);
            self.finished |= held.finish && has_value(&FINDERS.finish, event, b'"');
            if (self.report.id.is_none() || held.may_matter(event)) && self.look(event, &mut out) {
                out.push(&block, from..range.start);
                from = range.end;
            }
        }
        out.push(&block, from..block.len());
        out
    }

    /// What was learned of the answer.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Whether the model said why it stopped: such a stream is whole, with or without `[DONE]`.
    pub fn finished(&self) -> bool {
        self.finished
    }

    /// Whether anything but comments has come.
    pub fn begun(&self) -> bool {
        self.seen > 0
    }

    /// Output tokens that were seen since the provider counted last: providers send about a token to an event, and a token
    /// is about four bytes. Exact counting would cost more than the request.
    pub fn estimated_output(&self) -> u64 {
        self.events.max(self.bytes / 4)
    }

    fn count(&mut self, event: &[u8]) {
        if let Some(length) = content_length(event) {
            self.events += 1;
            self.bytes += length as u64;
        }
    }

    /// Parses one event; answers whether it is to be taken out.
    fn look(&mut self, event: &[u8], out: &mut Block) -> bool {
        let Some(data) = sse::data(event) else { return false };
        let Ok(text) = std::str::from_utf8(&data) else { return false };
        let Ok(chunk) = serde_json::from_str::<Chunk<'_>>(text) else { return false };
        if let Some(error) = chunk.error(text, sse::name(event) == "error") {
            out.error = Some(StreamError { json: error.to_owned(), first: self.seen == 1 });
        }
        self.tier = chunk.service_tier.and_then(|named| response::tier(named.get())).or(self.tier);
        let told = chunk.usage();
        if told.is_some_and(|told| told.counts_more(self.report.usage.as_ref())) {
            (self.events, self.bytes) = (0, 0);
        }
        let usage = told.or(self.report.usage);
        self.report.usage = usage.map(|usage| Usage { tier: self.tier, ..usage });
        if self.report.id.is_none() {
            self.report.id = chunk.id.and_then(|id| serde_json::from_str(id.get()).ok());
        }
        chunk.only_usage() && !self.keep_usage
    }
}

impl Block {
    fn push(&mut self, block: &Bytes, range: Range<usize>) {
        if !range.is_empty() {
            self.relay.push(block.slice(range));
        }
    }
}

/// OpenRouter says `: OPENROUTER PROCESSING` while it waits itself.
fn is_comment(event: &[u8]) -> bool {
    event.starts_with(b":") && sse::data(event).is_none()
}

fn is_done(event: &[u8]) -> bool {
    event.len() < 32 && FINDERS.done.find(event).is_some()
}

/// What is anywhere in a block of events, and so worth a search in each of them: one search of many events costs a
/// fraction of a search in each.
struct Held {
    usage: bool,
    error: bool,
    finish: bool,
}

impl Held {
    fn of(block: &[u8]) -> Self {
        Self {
            // Most providers say `"usage":null` and `"finish_reason":null` in every chunk.
            usage: has_value(&FINDERS.usage, block, b'{'),
            error: FINDERS.error.find(block).is_some(),
            finish: has_value(&FINDERS.finish, block, b'"'),
        }
    }

    fn may_matter(&self, event: &[u8]) -> bool {
        (self.usage && has_value(&FINDERS.usage, event, b'{'))
            || (self.error && FINDERS.error.find(event).is_some())
            || event.starts_with(b"event:")
    }
}

/// Whether a field stands there with a value that starts with `first`.
fn has_value(field: &Finder<'_>, event: &[u8], first: u8) -> bool {
    field.find_iter(event).any(|at| {
        let mut after = event[at + field.needle().len()..].iter().copied();
        after.find(|b| !b.is_ascii_whitespace() && *b != b':') == Some(first)
    })
}

/// Length of the first non-empty text that an event carries, without parsing it.
fn content_length(event: &[u8]) -> Option<usize> {
    FINDERS.content.iter().find_map(|name| {
        let at = name.find(event)? + name.needle().len();
        let value = event[at..].trim_ascii_start().strip_prefix(b"\"")?;
        let end = memchr::memchr(b'"', value).unwrap_or(value.len());
        (end > 0).then_some(end)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p12_usage_is_found_where_groq_and_moonshot_put_it() {
        let usage = "{\"prompt_tokens\":7,\"completion_tokens\":2,\"total_tokens\":9}";
        for place in [
            format!("\"usage\":{usage},\"choices\":[]"),
            format!(
                "\"choices\":[{{\"index\":0,\"delta\":{{}}}}],\"x_groq\":{{\"id\":\"r\",\"usage\":{usage}}}"
            ),
            format!("\"choices\":[{{\"index\":0,\"finish_reason\":\"stop\",\"usage\":{usage}}}]"),
        ] {
            let mut reader = StreamReader::new(true);
            let text = format!("data: {{\"id\":\"c\",\"choices\":[]}}\n\ndata: {{\"id\":\"c\",{place}}}\n\n");
            let block = reader.read(Bytes::from(text.clone()));
            assert_eq!(block.relay.concat(), text.as_bytes(), "every byte goes on");
            let usage = reader.report().usage.unwrap_or_else(|| panic!("{place}"));
            assert_eq!((usage.input, usage.output), (7, 2), "{place}");
        }
    }

    /// OpenAI names the tier in every chunk; others in the first, or with the usage.
    #[test]
    fn p12_the_tier_of_a_stream_is_the_last_that_it_names() {
        let (priority, default) = (",\"service_tier\":\"priority\"", ",\"service_tier\":\"default\"");
        for (first, last, tier) in [
            (priority, priority, Some(ServiceTier::Priority)),
            (priority, "", Some(ServiceTier::Priority)),
            ("", priority, Some(ServiceTier::Priority)),
            (priority, ",\"service_tier\":null", Some(ServiceTier::Priority)),
            (priority, default, Some(ServiceTier::Standard)),
            ("", "", None),
        ] {
            let mut reader = StreamReader::new(false);
            let chunk = |more: &str| format!("data: {{\"id\":\"c\",\"choices\":[]{more}}}\n\n");
            let usage = format!("{last},\"usage\":{{\"prompt_tokens\":7}}");
            reader.read(Bytes::from(chunk(first) + &chunk(&usage)));
            assert_eq!(reader.report().usage.unwrap().tier, tier, "{first} {last}");
        }
    }

    #[test]
    fn p21_an_error_is_one_however_it_is_told_and_an_empty_one_is_none() {
        let told = |event: &str| StreamReader::new(true).read(Bytes::from(event.to_owned())).error;
        for event in [
            "data: {\"error\":{\"message\":\"no\"}}\n\n",
            "data: {\"object\":\"error\",\"message\":\"no\",\"code\":400}\n\n",
            "data: {\"type\":\"error\",\"message\":\"no\"}\n\n",
            "event: error\r\ndata: {\"message\":\"no\"}\r\n\r\n",
        ] {
            let error = told(event).unwrap_or_else(|| panic!("{event}"));
            assert!(error.first && error.json.contains("no"), "{event}");
        }
        for nothing in ["{}", "null", "\"\"", "false"] {
            let event = format!("data: {{\"id\":\"c\",\"choices\":[],\"error\":{nothing}}}\n\n");
            assert!(told(&event).is_none(), "{event}");
        }
    }

    #[test]
    fn p12_usage_beside_odd_members_counts() {
        let mut reader = StreamReader::new(true);
        let usage = "{\"prompt_tokens\":3,\"completion_tokens\":2}";
        let event = format!("data: {{\"id\":7,\"x_groq\":[],\"choices\":{{}},\"usage\":{usage}}}\n\n");
        reader.read(Bytes::from(event));
        let report = reader.report();
        assert_eq!((report.usage.map(|usage| usage.total()), &report.id), (Some(5), &None));
    }

    #[test]
    fn p21_an_error_behind_nothing_but_comments_is_the_first_event() {
        let mut reader = StreamReader::new(true);
        assert!(reader.read(Bytes::from_static(b": OPENROUTER PROCESSING\n\n")).error.is_none());
        assert!(!reader.begun());
        let error = b": again\n\ndata: {\"error\":{\"message\":\"no\",\"code\":502}}\n\n";
        let told = reader.read(Bytes::from_static(error)).error.unwrap();
        assert!(told.first && reader.begun());
    }
}
