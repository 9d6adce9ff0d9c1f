//! A recorded answer, asked for through one of the clients' dialects.

use crate::drive::{self, Told, understand, write_plain, write_stream};
use crate::facts::Facts;
use crate::limits;
use crate::recordings::{CLIENTS, Recorded, client};
use crate::schema;
use crate::table::{Lost, Outcome, Part};
use bytes::Bytes;
use serde_json::json;
use weir_core::body::JsonBody;
use weir_core::chat::{Answer, Dialect, Event, Finish, ProviderFault, replay};
use weir_plugins::dialects::upstream;

/// Larger than any recording: one piece.
const WHOLE: usize = usize::MAX;

pub fn cross(recorded: &Recorded) -> Vec<Outcome> {
    let read =
        if recorded.status < 400 { read(recorded) } else { Ok(Told { events: Vec::new(), error: None }) };
    let (features, unseen) = labels(recorded, &read);
    let outcome = |(to, name): &(Dialect, &'static str)| {
        let mut lost = limits::beside(*to, recorded);
        let checked = match &read {
            Ok(_) if recorded.status >= 400 => refusal(recorded, *to),
            Ok(told) => check(recorded, told, *to, &mut lost),
            Err(why) => Err(why.clone()),
        };
        Outcome {
            part: Part::Answers,
            client: name,
            column: recorded.provider.clone(),
            features: features.clone(),
            unseen: unseen.clone(),
            lost,
            failure: checked.err().map(|why| format!("{} told to {name}: {why}", recorded.name)),
        }
    };
    CLIENTS.iter().map(outcome).collect()
}

/// The recorded answer as events, however it came.
fn read(recorded: &Recorded) -> Result<Told, String> {
    let dialect = recorded.upstream();
    if recorded.streamed {
        let told = drive::read_stream(dialect, &recorded.body, WHOLE);
        same(&told, &drive::read_stream(dialect, &recorded.body, 1), "the recording, read byte by byte,")?;
        return known_end(recorded, told);
    }
    let told = match drive::read_plain(dialect, &recorded.body) {
        Ok(answer) => Told { events: replay(answer), error: None },
        Err(fault) => Told { events: vec![Event::Fault(fault)], error: None },
    };
    known_end(recorded, told)
}

/// Labels that an error can have; it says nothing of what the answer would have held.
static OF_ERRORS: &[&str] = &["error", "stream_error", "unterminated", "finish_odd"];

/// The labels that a recording counts for, and those that its answer does not bear out.
fn labels(recorded: &Recorded, read: &Result<Told, String>) -> (Vec<String>, Vec<&'static str>) {
    let told = read.as_ref().ok().filter(|_| recorded.status < 400);
    let whole = told.filter(|told| told.fault().is_none());
    let empty = whole.map_or_else(Vec::new, |told| unseen(recorded, &Facts::of(&told.answer())));
    let counts = |label: &&String| match whole {
        Some(_) => !empty.contains(&label.as_str()),
        None => OF_ERRORS.contains(&label.as_str()),
    };
    (recorded.features.iter().filter(counts).cloned().collect(), empty)
}

/// Only recordings that are known to end badly may do so.
fn known_end(recorded: &Recorded, told: Told) -> Result<Told, String> {
    let may = OF_ERRORS.iter().any(|f| recorded.has(f));
    match told.fault() {
        Some(fault) if !may => Err(format!("cannot be read: {}", fault.message)),
        _ => Ok(told),
    }
}

fn same(told: &Told, other: &Told, what: &str) -> Result<(), String> {
    if told == other { Ok(()) } else { Err(format!("{what} says something else")) }
}

// --- answers ---

/// What a label says must have been read, or keeping it would prove nothing. Labels are computed and sometimes wrong: such
/// a recording does not count for its label, and the table names it.
fn unseen(recorded: &Recorded, facts: &Facts) -> Vec<&'static str> {
    LABELS.iter().filter(|(label, holds)| recorded.has(label) && !holds(facts)).map(|(l, _)| *l).collect()
}

type Holds = fn(&Facts) -> bool;

#[rustfmt::skip]
static LABELS: &[(&str, Holds)] = &[
    ("tool_call", |f| !f.calls.is_empty()),
    ("parallel_tools", |f| f.calls.len() > 1),
    ("reasoning", |f| !f.thoughts.is_empty() || !f.signatures.is_empty() || f.usage.reasoning > 0 || !f.redacted.is_empty()),
    ("redacted_thinking", |f| !f.redacted.is_empty()),
    ("cache_read", |f| f.usage.cache_read > 0),
    ("cache_write", |f| f.usage.cache_write + f.usage.cache_write_1h > 0),
    ("citations", |f| !f.citations.is_empty()),
    ("finish_length", |f| f.finish == Some(Finish::Length)),
    ("finish_stop_sequence", |f| matches!(f.finish, Some(Finish::StopSequence(_)))),
    ("finish_content_filter", |f| f.finish == Some(Finish::ContentFilter)),
    ("refusal", |f| !f.refusal.is_empty() || f.finish == Some(Finish::Refusal)),
    ("pause_turn", |f| f.finish == Some(Finish::Pause)),
    ("server_tool_call", |f| f.own > 0),
    ("audio_out", |f| f.media.contains(&"audio")),
    ("image_out", |f| f.media.contains(&"image")),
    ("n_choices", |f| !f.others.is_empty()),
];

fn check(recorded: &Recorded, told: &Told, to: Dialect, lost: &mut Vec<Lost>) -> Result<(), String> {
    let asked = asked(recorded, to);
    let answer = told.answer();
    let mut expected = Facts::of(&answer);
    limits::apply(to, recorded, &mut expected, lost);
    let stream = write_stream(to, told, &asked);
    schema::stream(to, &stream, told.fault().is_some())
        .map_err(|why| format!("its stream is not valid: {why}"))?;
    let again = drive::read_stream(upstream(to), &stream, WHOLE);
    same(&again, &drive::read_stream(upstream(to), &stream, 1), "the stream, read byte by byte,")?;
    if let Some(fault) = told.fault() {
        return cut_off(&fault, &expected, &again);
    }
    if let Some(error) = &again.error {
        return Err(format!("its stream cannot be read back: {error}"));
    }
    let streamed = again.answer();
    kept(&expected, &streamed, "streamed")?;
    let plain = write_plain(to, &whole(answer, recorded), &asked);
    schema::plain(to, &plain).map_err(|why| format!("it is not valid: {why}"))?;
    let plain = understand(to, &plain)?;
    kept(&expected, &plain, "plain")?;
    let ids = (&plain.id, &streamed.id);
    if ids.0 == ids.1 { Ok(()) } else { Err(format!("the ids differ, plain and streamed: {ids:?}")) }
}

/// A plain recording also holds what no stream can tell.
fn whole(collected: Answer, recorded: &Recorded) -> Answer {
    if recorded.streamed {
        return collected;
    }
    drive::read_plain(recorded.upstream(), &recorded.body).unwrap_or(collected)
}

fn kept(expected: &Facts, answer: &Answer, how: &str) -> Result<(), String> {
    let differences = expected.differences(&Facts::of(answer));
    let told: Vec<String> = differences.iter().map(|(aspect, text)| format!("{aspect:?}: {text}")).collect();
    if told.is_empty() { Ok(()) } else { Err(format!("{how}, {}", told.join("; "))) }
}

/// The client's request: the recorded one where the client speaks the dialect that was recorded. The legacy form of
/// calls has no ids, so nobody asks for it here.
fn asked(recorded: &Recorded, to: Dialect) -> JsonBody {
    let legacy = recorded.has("legacy_functions");
    let own = recorded.client() == Some(to) && recorded.request.is_object() && !legacy;
    let body = if own { recorded.request.clone() } else { json!({ "model": drive::MODEL }) };
    JsonBody::parse(Bytes::from(body.to_string())).unwrap()
}

// --- faults ---

/// An error inside an answer reaches the client in its words, behind what was said before.
fn cut_off(fault: &ProviderFault, expected: &Facts, again: &Told) -> Result<(), String> {
    let found = again.fault().ok_or("the error is not told")?;
    if !found.message.contains(&fault.message) {
        return Err(format!("the error says {:?} instead of {:?}", found.message, fault.message));
    }
    let said = Facts::of(&again.answer());
    if said.text == expected.text { Ok(()) } else { Err("the text before the error is not told".to_owned()) }
}

/// An error status with the provider's own message.
fn refusal(recorded: &Recorded, to: Dialect) -> Result<(), String> {
    let fault = recorded.upstream().read_error(recorded.status, &recorded.body);
    let body = String::from_utf8_lossy(&recorded.body).into_owned();
    let quoted = serde_json::Value::from(fault.message.as_str()).to_string();
    if fault.message.is_empty() || !body.contains(quoted.trim_matches('"')) {
        return Err(format!("the message is not the provider's: {:?}", fault.message));
    }
    let written = client(to).write_error(&drive::api_error(&fault));
    schema::error(to, &written).map_err(|why| format!("the error is not valid: {why}"))?;
    let found = upstream(to).read_error(recorded.status, &written);
    let same = found.message.contains(&fault.message) && found.status == fault.status;
    if same { Ok(()) } else { Err(format!("the error became {found:?}")) }
}
