//! Changes that keep JSON valid. Flipped bytes mostly end in the parser; what lies behind it is reached by changed values,
//! lost and doubled members, and frames in another order.

use libfuzzer_sys::fuzzer_mutate;
use serde_json::{Value, json};
use std::sync::OnceLock;

/// One of so many inputs is changed byte by byte, as libFuzzer does it.
const BLIND: usize = 4;

/// A small generator (xorshift): the same change for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % limit.max(1)
    }
}

/// Changes `data[..size]` in place; gives the new size.
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let mut dice = Dice(u64::from(seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    if dice.below(BLIND) == 0 {
        return fuzzer_mutate(data, size, max_size);
    }
    let mut input = data[..size].to_vec();
    for _ in 0..=dice.below(3) {
        let Some(changed) = changed(&input, &mut dice) else { return fuzzer_mutate(data, size, max_size) };
        input = changed;
    }
    if input.len() > max_size {
        return fuzzer_mutate(data, size, max_size);
    }
    data[..input.len()].copy_from_slice(&input);
    input.len()
}

/// The input as one JSON value, or as frames.
fn changed(input: &[u8], dice: &mut Dice) -> Option<Vec<u8>> {
    if let Ok(mut value) = serde_json::from_slice::<Value>(input) {
        change(&mut value, dice);
        return serde_json::to_vec(&value).ok();
    }
    let end: &[u8] = if input.windows(2).any(|two| two == b"\n\n") { b"\n\n" } else { b"\n" };
    let mut frames = split(input, end);
    if frames.is_empty() {
        return None;
    }
    let at = dice.below(frames.len());
    match dice.below(12) {
        0 => frames.insert(at, frames[dice.below(frames.len())].clone()),
        1 => drop(frames.remove(at)),
        2 => {
            let other = dice.below(frames.len());
            frames.swap(at, other);
        }
        3 => frames.truncate(at + 1),
        _ => frames[at] = changed_frame(&frames[at], dice)?,
    }
    Some(frames.concat())
}

/// The frames with their ends.
fn split(input: &[u8], end: &[u8]) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    let mut rest = input;
    while !rest.is_empty() {
        let at = rest.windows(end.len()).position(|w| w == end).map_or(rest.len(), |at| at + end.len());
        let (frame, after) = rest.split_at(at);
        frames.push(frame.to_vec());
        rest = after;
    }
    frames
}

/// A frame whose JSON, from its first brace to the end of the line, is another.
fn changed_frame(frame: &[u8], dice: &mut Dice) -> Option<Vec<u8>> {
    let from = frame.iter().position(|b| *b == b'{')?;
    let until = frame[from..].iter().position(|b| *b == b'\n').map_or(frame.len(), |at| from + at);
    let mut value: Value = serde_json::from_slice(&frame[from..until]).ok()?;
    change(&mut value, dice);
    Some([&frame[..from], &serde_json::to_vec(&value).ok()?, &frame[until..]].concat())
}

// --- values ---

/// Changes one place of a value.
fn change(root: &mut Value, dice: &mut Dice) {
    let places = count(root);
    let donor = nth(root, &mut dice.below(places)).map(|v| v.clone());
    let Some(place) = nth(root, &mut dice.below(places)) else { return };
    match (dice.below(4), place) {
        (0, place) => *place = other(dice),
        (1, place) => *place = donor.unwrap_or_default(),
        (_, Value::Object(members)) => change_members(members, donor, dice),
        (_, Value::Array(items)) => change_items(items, donor, dice),
        (_, Value::String(text)) => change_text(text, dice),
        (_, place) => *place = other(dice),
    }
}

fn change_members(members: &mut serde_json::Map<String, Value>, donor: Option<Value>, dice: &mut Dice) {
    let name = members.keys().nth(dice.below(members.len())).cloned().unwrap_or_default();
    match dice.below(3) {
        0 => drop(members.shift_remove(&name)),
        1 => drop(members.insert(name, donor.unwrap_or_default())),
        _ => {
            let value = members.shift_remove(&name).unwrap_or_default();
            members.insert(word(dice).to_owned(), value);
        }
    }
}

fn change_items(items: &mut Vec<Value>, donor: Option<Value>, dice: &mut Dice) {
    let at = dice.below(items.len());
    match dice.below(3) {
        0 if !items.is_empty() => drop(items.remove(at)),
        1 if !items.is_empty() => items.insert(at, items[at].clone()),
        _ => items.extend(donor),
    }
}

fn change_text(text: &mut String, dice: &mut Dice) {
    let cut = (0..=dice.below(text.len() + 1)).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    match dice.below(4) {
        0 => text.truncate(cut),
        1 => drop(text.drain(..cut)),
        2 => text.insert_str(cut, word(dice)),
        _ => *text = word(dice).to_owned(),
    }
}

/// Texts that mean something somewhere, or are hard to write.
static TEXTS: &[&str] = &[
    "",
    "0",
    "{}",
    "{\"a\":1}",
    "[",
    "null",
    "\n\ndata: ",
    "\u{0}",
    "\u{2028}",
    "\u{1F600}",
    "é",
    "<think>",
    "</think>",
    "data:image/png;base64,QUJD",
    "data:,",
    "https://x/y.pdf",
    "json_tool_call",
    "text",
    "tool_use",
    "end_turn",
    "stop",
    "tool_calls",
    "length",
    "error",
    "auto",
    "1e999",
    "assistant",
    "os.environ/KEY",
    "openai/*",
    "[DONE]",
];

/// Names and words that stand in the target's seeds, a line each.
static WORDS: OnceLock<Vec<String>> = OnceLock::new();

#[expect(clippy::disallowed_methods, reason = "libFuzzer owns the command line")]
fn word(dice: &mut Dice) -> &'static str {
    let words = WORDS.get_or_init(|| {
        let file = std::env::var("WEIR_FUZZ_WORDS").ok().and_then(|path| std::fs::read_to_string(path).ok());
        file.iter().flat_map(|text| text.lines()).map(str::to_owned).collect()
    });
    match dice.below(2) {
        0 if !words.is_empty() => &words[dice.below(words.len())],
        _ => TEXTS[dice.below(TEXTS.len())],
    }
}

fn other(dice: &mut Dice) -> Value {
    match dice.below(14) {
        0 => Value::Null,
        1 => true.into(),
        2 => false.into(),
        3 => 0.into(),
        4 => json!(-1),
        5 => u64::MAX.into(),
        6 => json!(i64::MIN),
        7 => json!(1.5),
        8 => json!(-1e300),
        9 => json!({}),
        10 => json!([]),
        11 => json!([[{}]]),
        12 => (dice.below(1 << 32)).into(),
        _ => word(dice).into(),
    }
}

/// The number of values in a value, itself included.
fn count(value: &Value) -> usize {
    match value {
        Value::Object(members) => 1 + members.values().map(count).sum::<usize>(),
        Value::Array(items) => 1 + items.iter().map(count).sum::<usize>(),
        _ => 1,
    }
}

/// The value at a position in the order of writing; what is left of `at` when there is none.
fn nth<'v>(value: &'v mut Value, at: &mut usize) -> Option<&'v mut Value> {
    if *at == 0 {
        return Some(value);
    }
    *at -= 1;
    match value {
        Value::Object(members) => members.values_mut().find_map(|v| nth(v, at)),
        Value::Array(items) => items.iter_mut().find_map(|v| nth(v, at)),
        _ => None,
    }
}
