//! What tests share: the folder of shared references, and streams fed in pieces.

use crate::dialects::{EventReader, TranslateError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::Value;
use std::path::{Path, PathBuf};
use weir_core::chat::{Collector, Event};
use weir_core::codec::{Deframer, Framing, frames};

/// A path in the folder of shared references: `WEIR_SHARED`, or `shared` beside the checkout. Says so when there is
/// none, and fails then where everything must be there.
#[expect(
    clippy::disallowed_methods,
    reason = "where the references are is said by the environment of the test run"
)]
pub fn shared(part: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let path = std::env::var_os("WEIR_SHARED").map_or(beside, PathBuf::from).join(part);
    if path.exists() {
        return Some(path);
    }
    let ci = std::env::var_os("CI").is_some_and(|ci| ci == "true");
    assert!(!ci, "{part} is needed: set WEIR_SHARED to the folder of shared references");
    println!("SKIPPED: no {part}; set WEIR_SHARED to the folder of shared references");
    None
}

/// The cases of one file of goldens.
pub fn golden_cases(file: &str) -> Option<Vec<Value>> {
    let path = shared("compat/litellm-1.81/goldens")?.join(file);
    Some(serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
}

/// One recording.
pub struct Recording {
    pub name: String,
    pub json: Value,
}

/// Recordings whose names begin so and then hold nothing but an id: `bedrock-converse` has no streams among them.
pub fn recordings(prefix: &str) -> Vec<Recording> {
    let Some(folder) = shared("recordings/dev") else { return Vec::new() };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let id = name.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('-')).unwrap_or_default();
        if id.split('-').count() == 2 && !id.starts_with("stream") {
            found.push(Recording {
                name,
                json: serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap(),
            });
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(!found.is_empty(), "no recordings {prefix}");
    found
}

impl Recording {
    pub fn status(&self) -> u16 {
        u16::try_from(self.json["response"]["status"].as_u64().unwrap()).unwrap()
    }

    pub fn has(&self, feature: &str) -> bool {
        self.json["features"].as_array().unwrap().iter().any(|f| f == feature)
    }

    /// The answer's body, in whatever form it was recorded.
    pub fn body(&self) -> Vec<u8> {
        let response = &self.json["response"];
        if let Some(base64) = response["body_base64"].as_str() {
            return STANDARD.decode(base64).unwrap();
        }
        match response["body_text"].as_str() {
            Some(text) => text.as_bytes().to_vec(),
            None => response["body"].to_string().into_bytes(),
        }
    }
}

/// What a reader makes of a stream that comes in these pieces.
pub fn events(
    framing: Framing,
    mut reader: Box<dyn EventReader>,
    pieces: &[&[u8]],
) -> Result<Vec<Event>, TranslateError> {
    let mut deframer = Deframer::new(framing, 32 * 1024 * 1024);
    let mut out = Vec::new();
    for piece in pieces {
        let block = deframer.push(Bytes::copy_from_slice(piece))?;
        frames::each(framing, &block, |frame| reader.read(frame, &mut out))?;
    }
    let rest = deframer.rest();
    frames::each(framing, &rest, |frame| reader.read(frame, &mut out))?;
    reader.end(&mut out)?;
    Ok(out)
}

/// Where to cut a stream in two: everywhere, or at some thousand places of a long one (which is also fed byte by byte).
pub fn cuts(length: usize) -> impl Iterator<Item = usize> {
    (0..=length).step_by(1 + length / 3000)
}

/// The answer that events tell.
pub fn collect(events: Vec<Event>) -> weir_core::chat::Answer {
    let mut collector = Collector::default();
    events.into_iter().for_each(|event| collector.take(event));
    collector.finish()
}

/// Asserts the grammar of events: a start, blocks with dense indices that begin, grow and stop, one finish.
pub fn assert_grammar(name: &str, events: &[Event]) {
    assert!(matches!(events.first(), Some(Event::Start { .. })), "{name}: {:?}", events.first());
    let (mut next, mut open, mut finished) = (0, std::collections::HashSet::new(), false);
    for event in events {
        assert!(!finished || matches!(event, Event::Usage(_)), "{name}: {event:?} behind the finish");
        match event {
            Event::BlockStart { index, .. } => {
                assert_eq!(*index, next, "{name}");
                next += 1;
                open.insert(*index);
            }
            Event::BlockDelta { index, .. } => assert!(open.contains(index), "{name}: {event:?}"),
            Event::BlockStop { index } => assert!(open.remove(index), "{name}: {event:?}"),
            Event::Finish(_) => {
                assert!(open.is_empty(), "{name}: open at the finish: {open:?}");
                finished = true;
            }
            _ => {}
        }
    }
    assert!(finished, "{name}: no finish");
}

/// Every variant of a JSON text in which one value is replaced.
pub fn mutations(json: &Value) -> Vec<Value> {
    let mut paths = Vec::new();
    walk(json, String::new(), &mut paths);
    let replacements = [Value::Null, Value::from(-7), Value::from("x"), Value::Array(vec![])];
    let mut all = Vec::new();
    for path in paths {
        for replacement in &replacements {
            let mut mutated = json.clone();
            *mutated.pointer_mut(&path).unwrap() = replacement.clone();
            all.push(mutated);
        }
    }
    all
}

fn walk(value: &Value, path: String, paths: &mut Vec<String>) {
    paths.push(path.clone());
    match value {
        Value::Object(map) => map.iter().for_each(|(key, inner)| {
            walk(inner, format!("{path}/{}", key.replace('~', "~0").replace('/', "~1")), paths);
        }),
        Value::Array(items) => items.iter().take(8).enumerate().for_each(|(at, inner)| {
            walk(inner, format!("{path}/{at}"), paths);
        }),
        _ => {}
    }
}
