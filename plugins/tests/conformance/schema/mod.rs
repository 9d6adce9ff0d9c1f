//! What the clients' SDKs insist on: members, their types, the order of events, ids that stay the same.

mod chat;
mod gemini;
mod messages;
mod responses;

use serde_json::Value;
use weir_core::chat::Dialect;

type Checked = Result<(), String>;

/// What may stand in a place.
#[derive(Clone, Copy, Debug)]
enum Is {
    Text,
    Count,
    List,
    Object,
    /// A text or null.
    MaybeText,
    /// An object or null.
    MaybeObject,
    This(&'static str),
    OneOf(&'static [&'static str]),
}

/// A place, as a JSON pointer, and what must stand there.
type Rule = (&'static str, Is);

fn obey(value: &Value, rules: &[Rule]) -> Checked {
    for (place, is) in rules {
        let found = value.pointer(place).ok_or_else(|| format!("{place} is missing in {value}"))?;
        if !is.holds(found) {
            return Err(format!("{place} is {found}, not {is:?}"));
        }
    }
    Ok(())
}

impl Is {
    fn holds(self, value: &Value) -> bool {
        match self {
            Is::Text => value.is_string(),
            Is::Count => value.is_u64(),
            Is::List => value.is_array(),
            Is::Object => value.is_object(),
            Is::MaybeText => value.is_string() || value.is_null(),
            Is::MaybeObject => value.is_object() || value.is_null(),
            Is::This(word) => value == word,
            Is::OneOf(words) => value.as_str().is_some_and(|v| words.contains(&v)),
        }
    }
}

fn require(is: bool, why: impl FnOnce() -> String) -> Checked {
    if is { Ok(()) } else { Err(why()) }
}

fn list<'a>(value: &'a Value, place: &str) -> &'a [Value] {
    value.pointer(place).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The body of a 200.
pub fn plain(of: Dialect, body: &[u8]) -> Checked {
    let value: Value = serde_json::from_slice(body).map_err(|e| e.to_string())?;
    match of {
        Dialect::OpenAiChat => chat::answer(&value),
        Dialect::AnthropicMessages => messages::answer(&value),
        Dialect::OpenAiResponses => responses::answer(&value),
        _ => gemini::answer(&value),
    }
}

/// `faulty`: it must end with an error instead of an end.
pub fn stream(of: Dialect, body: &[u8], faulty: bool) -> Checked {
    let events = events(std::str::from_utf8(body).map_err(|e| e.to_string())?)?;
    match of {
        Dialect::OpenAiChat => chat::stream(&events, faulty),
        Dialect::AnthropicMessages => messages::stream(&events, faulty),
        Dialect::OpenAiResponses => responses::stream(&events, faulty),
        _ => gemini::stream(&events, faulty),
    }
}

/// The body of an error status.
pub fn error(of: Dialect, body: &[u8]) -> Checked {
    let value: Value = serde_json::from_slice(body).map_err(|e| e.to_string())?;
    match of {
        Dialect::AnthropicMessages => messages::error(&value),
        Dialect::Gemini => gemini::error(&value),
        _ => chat::error(&value),
    }
}

/// One event of a stream; `data` is null for `[DONE]`.
struct Sent {
    name: Option<String>,
    data: Value,
}

fn events(text: &str) -> Result<Vec<Sent>, String> {
    let text = text.replace("\r\n", "\n");
    require(text.is_empty() || text.ends_with("\n\n"), || "the last event is not closed".to_owned())?;
    text.split("\n\n").filter(|block| !block.is_empty() && !block.starts_with(':')).map(event).collect()
}

fn event(block: &str) -> Result<Sent, String> {
    let mut sent = Sent { name: None, data: Value::Null };
    for line in block.lines() {
        if let Some(name) = line.strip_prefix("event: ") {
            sent.name = Some(name.to_owned());
        } else if let Some(data) = line.strip_prefix("data: ") {
            let is_end = data == "[DONE]";
            sent.data =
                if is_end { Value::Null } else { serde_json::from_str(data).map_err(|e| e.to_string())? };
        } else {
            return Err(format!("a line is neither event nor data: {line}"));
        }
    }
    Ok(sent)
}
