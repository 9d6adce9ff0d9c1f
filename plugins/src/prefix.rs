//! The beginnings of a prompt that a provider's cache may hold, as fingerprints: what stands before each of its marks
//! (`cache_control`), and before the last blocks in front of these, where a provider looks for what was cached earlier.

use memchr::memmem;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::time::Duration;
use weir_core::body::JsonBody;

/// Of a beginning.
pub type Print = [u8; 16];

/// Beginnings of one prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefixes {
    /// What may be in a cache from now on, once the prompt is answered.
    pub marked: Vec<Print>,
    /// What may be there already, the longest first.
    pub earlier: Vec<Print>,
    /// How long it stays there.
    pub lasts: Duration,
}

const MARK: &str = "cache_control";
/// Blocks before a mark that a provider looks at (Anthropic's documentation of prompt caching).
const LOOK_BACK: usize = 20;
/// Bytes that a token has at least in most texts.
const BYTES_PER_TOKEN: u64 = 2;
/// The lifetimes that a mark may ask for.
const SHORT: Duration = Duration::from_secs(300);
const LONG: Duration = Duration::from_secs(3_600);

/// Reads a prompt block by block.
struct Reader {
    hash: Sha256,
    bytes: usize,
    /// Bytes of the shortest beginning that counts.
    shortest: usize,
    /// After each block, as far as enough has been read.
    blocks: Vec<Option<Print>>,
    /// Blocks with a mark, by their index.
    marks: Vec<usize>,
    all_long: bool,
}

impl Prefixes {
    /// `tokens`: what a beginning must have, for a provider to cache it. `None`: nothing in it is marked that is long
    /// enough.
    pub fn of(body: &JsonBody, tokens: u64) -> Option<Self> {
        memmem::find(body.bytes(), MARK.as_bytes())?;
        let mut reader = Reader {
            hash: Sha256::new(),
            bytes: 0,
            shortest: usize::try_from(tokens.saturating_mul(BYTES_PER_TOKEN)).unwrap_or(usize::MAX),
            blocks: Vec::new(),
            marks: Vec::new(),
            all_long: true,
        };
        let member = |name: &str| serde_json::from_str::<Value>(body.raw(name)?).ok();
        // The order in which providers put them together.
        member("tools").iter().for_each(|tools| reader.content("tool", tools));
        member("system").iter().for_each(|system| reader.content("system", system));
        let messages = member("messages")?;
        messages.as_array()?.iter().for_each(|message| reader.message(message));
        reader.prefixes()
    }
}

impl Reader {
    fn message(&mut self, message: &Value) {
        let role = message.get("role").and_then(Value::as_str).unwrap_or_default();
        match message.get("content").filter(|content| !content.is_null()) {
            Some(content) => self.content(role, content),
            None => self.block(role, message),
        }
        // OpenAI's calls of tools stand beside the content, as does a mark of a content that is text.
        let calls = message.get("tool_calls").and_then(Value::as_array);
        calls.into_iter().flatten().for_each(|call| self.block("call", call));
        self.mark(message);
    }

    fn content(&mut self, role: &str, content: &Value) {
        match content {
            Value::Array(blocks) => blocks.iter().for_each(|block| self.block(role, block)),
            other => self.block(role, other),
        }
    }

    fn block(&mut self, role: &str, block: &Value) {
        self.feed(role);
        match (block, block.get("text")) {
            // A text may be written in two ways.
            (Value::String(text), _) => self.feed(text),
            (Value::Object(members), Some(Value::String(text))) if is_text(members) => self.feed(text),
            (Value::Object(members), _) => {
                for (name, member) in members.iter().filter(|(name, _)| *name != MARK) {
                    self.feed(name);
                    self.feed(&member.to_string());
                }
            }
            (other, _) => self.feed(&other.to_string()),
        }
        let print = (self.bytes >= self.shortest).then(|| print(&self.hash));
        self.blocks.push(print);
        self.mark(block);
    }

    fn feed(&mut self, text: &str) {
        self.hash.update((text.len() as u64).to_be_bytes());
        self.hash.update(text);
        self.bytes += text.len();
    }

    /// The last block ends in a mark, if this has one.
    fn mark(&mut self, marked: &Value) {
        let Some(mark) = marked.get(MARK).filter(|mark| mark.is_object()) else { return };
        let Some(last) = self.blocks.len().checked_sub(1) else { return };
        self.all_long &= mark.get("ttl").is_some_and(|ttl| ttl == "1h");
        if self.marks.last() != Some(&last) {
            self.marks.push(last);
        }
    }

    fn prefixes(self) -> Option<Prefixes> {
        let print = |index: usize| self.blocks.get(index).copied().flatten();
        let marked: Vec<Print> = self.marks.iter().filter_map(|index| print(*index)).collect();
        let mut earlier = Vec::new();
        let mut upto = usize::MAX;
        for mark in self.marks.iter().rev() {
            let last = (*mark + 1).min(upto);
            let first = (*mark + 1).saturating_sub(LOOK_BACK);
            earlier.extend((first..last).rev().filter_map(print));
            upto = upto.min(first);
        }
        let lasts = if self.all_long { LONG } else { SHORT };
        (!marked.is_empty()).then_some(Prefixes { marked, earlier, lasts })
    }
}

fn is_text(members: &serde_json::Map<String, Value>) -> bool {
    members.get("type").is_some_and(|kind| kind == "text")
}

fn print(hash: &Sha256) -> Print {
    let whole = hash.clone().finalize();
    let mut print = Print::default();
    print.copy_from_slice(&whole[..16]);
    print
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use serde_json::json;

    fn from(tokens: u64, body: &Value) -> Option<Prefixes> {
        Prefixes::of(&JsonBody::parse(Bytes::from(body.to_string())).unwrap(), tokens)
    }

    fn of(body: &Value) -> Option<Prefixes> {
        from(1024, body)
    }

    fn long(text: &str) -> String {
        text.repeat(2048 / text.len() + 1)
    }

    fn marked(text: &str) -> Value {
        json!([{"type": "text", "text": text, "cache_control": {"type": "ephemeral"}}])
    }

    #[test]
    fn a_conversation_that_goes_on_begins_with_what_was_marked() {
        let system = long("rules ");
        let first = json!({"messages": [{"role": "system", "content": system}, {"role": "user", "content": marked("one")}]});
        let second = json!({"messages": [
            {"role": "system", "content": system},
            {"role": "user", "content": "one"},
            {"role": "assistant", "content": "well"},
            {"role": "user", "content": marked("two")},
        ]});
        let (first, second) = (of(&first).unwrap(), of(&second).unwrap());
        assert_eq!(first.marked.len(), 1);
        assert!(second.earlier.contains(&first.marked[0]), "the mark has moved on");
        assert_eq!(second.earlier[0], second.marked[0], "the longest first");
        assert_eq!(second.lasts, SHORT);
    }

    #[test]
    fn another_beginning_is_another_print() {
        let of = |system: &str, tools: Value| {
            let body = json!({"tools": tools, "system": marked(&long(system)), "messages": [{"role": "user", "content": "hi"}]});
            of(&body).unwrap().marked
        };
        let plain = of("rules ", json!([]));
        assert_eq!(plain, of("rules ", json!([])));
        assert_ne!(plain, of("Rules ", json!([])));
        assert_ne!(plain, of("rules ", json!([{"name": "f"}])));
    }

    #[test]
    fn what_no_provider_caches_has_no_prints() {
        assert_eq!(of(&json!({"messages": [{"role": "user", "content": long("x")}]})), None, "no mark");
        let short = json!({"messages": [{"role": "user", "content": marked("xx")}]});
        assert_eq!(of(&short), None);
        assert!(from(1, &short).is_some(), "the operator says what is long enough");
        assert_eq!(of(&json!({"messages": "cache_control"})), None);
    }

    #[test]
    fn a_mark_may_stand_beside_a_text_and_ask_for_an_hour() {
        let body = json!({"messages": [{"role": "user", "content": long("x"), "cache_control": {"type": "ephemeral", "ttl": "1h"}}]});
        let found = of(&body).unwrap();
        assert_eq!((found.marked.len(), found.lasts), (1, LONG));
    }

    #[test]
    fn a_provider_looks_back_so_far() {
        let block = |at: usize| json!({"type": "text", "text": format!("{} {at}", long("x"))});
        let mut blocks: Vec<Value> = (0..50).map(block).collect();
        blocks[49]["cache_control"] = json!({"type": "ephemeral"});
        let found = of(&json!({"messages": [{"role": "user", "content": blocks}]})).unwrap();
        assert_eq!((found.marked.len(), found.earlier.len()), (1, LOOK_BACK));
    }
}
