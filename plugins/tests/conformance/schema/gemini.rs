//! Gemini's generateContent.

use super::{Checked, Is, Rule, Sent, list, obey, require};
use serde_json::Value;

static CHUNK: &[Rule] = &[
    ("/responseId", Is::Text),
    ("/modelVersion", Is::Text),
    ("/candidates", Is::List),
    ("/candidates/0/content/role", Is::This("model")),
    ("/candidates/0/content/parts", Is::List),
];

static WORDS: &[&str] = &[
    "FINISH_REASON_UNSPECIFIED",
    "STOP",
    "MAX_TOKENS",
    "SAFETY",
    "RECITATION",
    "OTHER",
    "MALFORMED_FUNCTION_CALL",
    "UNEXPECTED_TOOL_CALL",
    "IMAGE_SAFETY",
];

static USAGE: &[Rule] = &[
    ("/promptTokenCount", Is::Count),
    ("/candidatesTokenCount", Is::Count),
    ("/totalTokenCount", Is::Count),
];

/// What a part may be; one of these at a time.
static PARTS: &[(&str, Is)] = &[
    ("text", Is::Text),
    ("functionCall", Is::Object),
    ("inlineData", Is::Object),
    ("fileData", Is::Object),
    ("executableCode", Is::Object),
    ("codeExecutionResult", Is::Object),
];

pub fn answer(value: &Value) -> Checked {
    chunk(value)?;
    end(value)
}

fn end(value: &Value) -> Checked {
    obey(value, &[("/candidates/0/finishReason", Is::OneOf(WORDS))])?;
    value.get("usageMetadata").map_or(Ok(()), |usage| obey(usage, USAGE))?;
    let sources = list(value, "/candidates/0/groundingMetadata/groundingChunks").len();
    let supports = list(value, "/candidates/0/groundingMetadata/groundingSupports");
    let indices = supports.iter().flat_map(|s| list(s, "/groundingChunkIndices")).filter_map(Value::as_u64);
    require(indices.into_iter().all(|i| i < sources as u64), || "a support without a source".to_owned())
}

fn chunk(value: &Value) -> Checked {
    obey(value, CHUNK)?;
    list(value, "/candidates/0/content/parts").iter().try_for_each(part)
}

fn part(part: &Value) -> Checked {
    let known: Vec<_> = PARTS.iter().filter(|(name, _)| part.get(name).is_some()).collect();
    let [(name, is)] = known.as_slice() else { return Err(format!("a part of no or several kinds: {part}")) };
    require(is.holds(&part[name]), || format!("{name} is no {is:?}: {part}"))?;
    match *name {
        "functionCall" => obey(part, &[("/functionCall/name", Is::Text), ("/functionCall/args", Is::Object)]),
        "inlineData" => obey(part, &[("/inlineData/mimeType", Is::Text), ("/inlineData/data", Is::Text)]),
        _ => Ok(()),
    }
}

pub fn error(value: &Value) -> Checked {
    obey(value, &[("/error/code", Is::Count), ("/error/message", Is::Text), ("/error/status", Is::Text)])
}

pub fn stream(events: &[Sent], faulty: bool) -> Checked {
    require(events.iter().all(|e| e.name.is_none()), || "events have names".to_owned())?;
    let Some((last, chunks)) = events.split_last() else { return Err("it is empty".to_owned()) };
    for event in chunks {
        chunk(&event.data)?;
        let early = event.data.pointer("/candidates/0/finishReason").is_some();
        require(!early, || "a reason to finish before the end".to_owned())?;
        require(event.data["responseId"] == chunks[0].data["responseId"], || "the id changed".to_owned())?;
    }
    if faulty {
        return error(&last.data);
    }
    let same = chunks.first().is_none_or(|first| first.data["responseId"] == last.data["responseId"]);
    require(same, || "the id changed".to_owned())?;
    answer(&last.data)
}
