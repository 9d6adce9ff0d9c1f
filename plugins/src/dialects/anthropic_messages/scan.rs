//! A stream that is relayed as it comes, watched: its id, what it used, whether it ended well. Of all events only three
//! kinds are parsed; the rest is weighed by its length.

use super::error;
use super::usage::WireUsage;
use memchr::memmem::Finder;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use weir_core::chat::ProviderFault;
use weir_core::codec::sse;
use weir_core::domain::usage::Usage;

/// What the ledger wants to know of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub id: Option<String>,
    /// `None`: the provider did not say.
    pub usage: Option<Usage>,
}

/// An `error` event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamFault {
    pub fault: ProviderFault,
    /// It is the first event of the stream: nothing was said before it.
    pub first: bool,
}

/// One per response.
pub struct Scanner {
    report: Report,
    usage: WireUsage,
    finished: bool,
    fault: Option<StreamFault>,
    /// Events that say something were seen; pings are none.
    begun: bool,
    /// Deltas since the provider counted last, and the bytes of text in them: what is booked if no usage follows. The
    /// message begins with a count that holds nothing of them.
    events: u64,
    bytes: u64,
    texts: [Finder<'static>; 3],
}

/// Kinds of events that are looked into.
enum Watched {
    Start,
    Delta,
    Error,
    /// A piece of content.
    Piece,
    Stop,
    Ping,
    Other,
}

/// Read each by itself: one that is odd does not take the other away.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Start<'a> {
    #[serde(borrow, default)]
    message: Option<Head<'a>>,
}

/// Here, too, each by itself.
#[derive(Deserialize)]
struct Ending {
    #[serde(default)]
    delta: Value,
    #[serde(default)]
    usage: Value,
}

#[derive(Deserialize)]
struct Typed {
    #[serde(rename = "type", default)]
    kind: Value,
}

#[derive(Deserialize)]
struct Fault {
    #[serde(default)]
    error: Value,
}

/// What a plain answer says about itself; it is relayed as it came. `None`: no JSON object.
pub fn read_report(body: &[u8]) -> Option<Report> {
    // A list would pass for an object without members.
    let head: Head<'_> =
        serde_json::from_slice(body).ok().filter(|_| body.trim_ascii_start().starts_with(b"{"))?;
    Some(Report { id: head.id(), usage: head.usage().map(|u| u.usage()) })
}

impl Head<'_> {
    fn id(&self) -> Option<String> {
        serde_json::from_str(self.id?.get()).ok()
    }

    fn usage(&self) -> Option<WireUsage> {
        let told = self.usage?.get();
        // Here, too, a list would pass for an object.
        serde_json::from_str(told).ok().filter(|_| told.starts_with('{'))
    }
}

// --- Scanner ---

impl Default for Scanner {
    fn default() -> Self {
        Self {
            report: Report::default(),
            usage: WireUsage::default(),
            finished: false,
            fault: None,
            begun: false,
            events: 0,
            bytes: 0,
            texts: [Finder::new("\"text\":"), Finder::new("\"partial_json\":"), Finder::new("\"thinking\":")],
        }
    }
}

impl Scanner {
    /// Reads a block of whole events.
    pub fn read(&mut self, block: &[u8]) {
        sse::events(block).for_each(|event| self.event(event));
    }

    /// What was learned of the answer.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Whether the model said why it stopped: such a stream is whole.
    pub fn finished(&self) -> bool {
        self.finished
    }

    /// The error that the provider told inside the stream.
    pub fn fault(&self) -> Option<&StreamFault> {
        self.fault.as_ref()
    }

    /// Output tokens that were seen since the provider counted last, about four bytes to a token.
    pub fn estimated_output(&self) -> u64 {
        self.events.max(self.bytes / 4)
    }

    fn event(&mut self, event: &[u8]) {
        match watched(event) {
            Watched::Ping => return,
            Watched::Piece => self.weigh(event),
            Watched::Start => self.start(event),
            Watched::Delta => self.ending(event),
            Watched::Stop => self.finished = true,
            Watched::Error => self.error(event),
            Watched::Other => {}
        }
        self.begun = true;
    }

    fn weigh(&mut self, event: &[u8]) {
        let length = self.texts.iter().find_map(|finder| {
            let at = finder.find(event)? + finder.needle().len();
            let value = event[at..].trim_ascii_start().strip_prefix(b"\"")?;
            Some(memchr::memchr(b'"', value).unwrap_or(value.len()))
        });
        if let Some(length) = length.filter(|length| *length > 0) {
            self.events += 1;
            self.bytes += length as u64;
        }
    }

    fn start(&mut self, event: &[u8]) {
        let Some(data) = sse::data(event) else { return };
        let Ok(Start { message: Some(head) }) = serde_json::from_slice(&data) else { return };
        self.report.id = head.id();
        self.count(head.usage());
    }

    fn ending(&mut self, event: &[u8]) {
        let Some(ending) = parse::<Ending>(event) else { return };
        self.finished |= ending.delta.get("stop_reason").is_some_and(Value::is_string);
        let usage = Some(ending.usage).filter(Value::is_object);
        self.count(usage.and_then(|usage| serde_json::from_value(usage).ok()));
    }

    fn count(&mut self, usage: Option<WireUsage>) {
        if let Some(usage) = usage {
            self.usage.merge(usage);
            let usage = self.usage.usage();
            if usage.counts_more(self.report.usage.as_ref()) {
                (self.events, self.bytes) = (0, 0);
            }
            self.report.usage = Some(usage);
        }
    }

    fn error(&mut self, event: &[u8]) {
        let error = parse::<Fault>(event).map(|f| f.error).unwrap_or_default();
        let fault = StreamFault { fault: error::read_member(0, &error), first: !self.begun };
        self.fault.get_or_insert(fault);
    }
}

fn parse<T: serde::de::DeserializeOwned>(event: &[u8]) -> Option<T> {
    serde_json::from_slice(&sse::data(event)?).ok()
}

/// By its `event:` line; by its `type` where there is none.
fn watched(event: &[u8]) -> Watched {
    let name = match sse::name(event) {
        "" | "message" => leading_type(event),
        name => name,
    };
    if !name.is_empty() {
        return kind(name);
    }
    // Servers that imitate Anthropic say it somewhere.
    let typed = parse::<Typed>(event);
    typed.map_or(Watched::Ping, |typed| kind(typed.kind.as_str().unwrap_or_default()))
}

fn kind(name: &str) -> Watched {
    match name {
        "content_block_delta" => Watched::Piece,
        "message_start" => Watched::Start,
        "message_delta" => Watched::Delta,
        "message_stop" => Watched::Stop,
        "error" => Watched::Error,
        "ping" | "" => Watched::Ping,
        _ => Watched::Other,
    }
}

/// The value of `type`, if it is the first member, as it always is.
fn leading_type(event: &[u8]) -> &str {
    let read = || {
        let data = event.split(|b| *b == b'\n').find_map(|line| line.strip_prefix(b"data:"))?;
        let rest =
            data.trim_ascii_start().strip_prefix(b"{")?.trim_ascii_start().strip_prefix(b"\"type\"")?;
        let value = rest.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start().strip_prefix(b"\"")?;
        std::str::from_utf8(&value[..memchr::memchr(b'"', value)?]).ok()
    };
    read().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: &str = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\
        \"usage\":{\"input_tokens\":5,\"cache_read_input_tokens\":3,\"output_tokens\":1}}}\n\n";
    const PIECE: &str = "data: {\"type\": \"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\
        \"text\":\"four and twenty\"}}\n\n";
    const END: &str = "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\
        \"usage\":{\"output_tokens\":9}}\n\n";
    const ERROR: &str = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\
        \"message\":\"Overloaded\"}}\n\n";

    fn scan(parts: &[&str]) -> Scanner {
        let mut scanner = Scanner::default();
        scanner.read(parts.concat().as_bytes());
        scanner
    }

    #[test]
    fn id_usage_and_end_are_found() {
        let scanner = scan(&[START, "event: ping\ndata: {\"type\": \"ping\"}\n\n", PIECE, END]);
        let usage = scanner.report().usage.unwrap();
        assert_eq!((usage.input, usage.cache_read, usage.output), (8, 3, 9));
        assert_eq!(scanner.report().id.as_deref(), Some("msg_1"));
        assert!(scanner.finished() && scanner.fault().is_none());
        assert!(!scan(&[START, PIECE]).finished());
        assert_eq!(scan(&[START, PIECE]).estimated_output(), 3);
    }

    #[test]
    fn p11_what_is_said_after_the_first_count_is_seen_until_it_is_counted() {
        let mut scanner = scan(&[START, PIECE]);
        let begun = scanner.report().usage.unwrap();
        assert_eq!((begun.input, begun.output, scanner.estimated_output()), (8, 1, 3));
        scanner.read(END.as_bytes());
        assert_eq!((scanner.report().usage.unwrap().output, scanner.estimated_output()), (9, 0));
    }

    #[test]
    fn p21_an_error_is_first_or_not() {
        let first = scan(&["event: ping\ndata: {}\n\n", ERROR]).fault().cloned().unwrap();
        assert!(first.first);
        assert_eq!((first.fault.status, first.fault.message.as_str()), (529, "Overloaded"));
        assert!(!scan(&[START, ERROR]).fault().unwrap().first);
    }

    #[test]
    fn p12_events_without_a_name_are_known_by_their_type_wherever_it_stands() {
        let start = "data: {\"message\":{\"usage\":{\"input_tokens\":5}},\"type\":\"message_start\"}\n\n";
        let end = "event: message\ndata: {\"usage\":{\"output_tokens\":9},\"delta\":{\"stop_reason\":\"end_turn\"},\
            \"type\":\"message_delta\"}\n\n";
        let scanner = scan(&[": hi\n\n", start, end]);
        let usage = scanner.report().usage.unwrap();
        assert_eq!((usage.input, usage.output, scanner.finished()), (5, 9, true));
        let odd =
            "data: {\"type\":\"message_delta\",\"usage\":[7],\"delta\":{\"stop_reason\":\"end_turn\"}}\n\n";
        assert!(scan(&[START, odd]).finished(), "odd counts take nothing away");
    }

    #[test]
    fn a_plain_answer_reports_its_id_and_usage() {
        let report = read_report(br#"{"content":[{"x":1}],"id":"m","usage":{"input_tokens":2}}"#).unwrap();
        assert_eq!((report.id.as_deref(), report.usage.unwrap().input), (Some("m"), 2));
        assert_eq!(read_report(b"[]"), None);
        let odd = read_report(br#"{"id":7,"usage":{"input_tokens":"x"}}"#).unwrap();
        assert_eq!(odd, Report::default());
    }
}
