//! Edits of top-level fields. What is not edited goes out as slices of what came in.

use super::json::{BodyError, Field, JsonBody};
use bytes::{Bytes, BytesMut};
use smallvec::SmallVec;
use std::ops::Range;

/// The edited body, in order. Mostly three slices: before `model`, the new model, after it.
pub type Pieces = SmallVec<[Bytes; 8]>;

/// What to do with some top-level fields.
#[derive(Clone, Debug, Default)]
pub struct Edits {
    edits: SmallVec<[(String, Edit); 4]>,
}

#[derive(Clone, Debug)]
enum Edit {
    /// Replaces the value, or adds the field.
    Set(Bytes),
    /// Adds the field unless it is there.
    Default(Bytes),
    Remove,
}

// --- Edits ---

impl Edits {
    /// `value` is JSON text.
    pub fn set(&mut self, name: &str, value: impl Into<Bytes>) {
        self.put(name, Edit::Set(value.into()));
    }

    /// `value` is JSON text; a value that came with the body wins.
    pub fn set_default(&mut self, name: &str, value: impl Into<Bytes>) {
        self.put(name, Edit::Default(value.into()));
    }

    pub fn remove(&mut self, name: &str) {
        self.put(name, Edit::Remove);
    }

    fn put(&mut self, name: &str, edit: Edit) {
        self.edits.retain(|(n, _)| n != name);
        self.edits.push((name.to_owned(), edit));
    }

    fn find(&self, name: &str) -> Option<&Edit> {
        self.edits.iter().find(|(n, _)| n == name).map(|(_, e)| e)
    }

    /// The same, read again: for what is looked at once more.
    ///
    /// # Errors
    /// What was set is no JSON.
    pub fn rewrite(&self, body: &JsonBody) -> Result<JsonBody, BodyError> {
        let mut whole = BytesMut::with_capacity(body.bytes().len());
        self.apply(body).iter().for_each(|piece| whole.extend_from_slice(piece));
        JsonBody::parse(whole.freeze())
    }

    /// The body with these edits.
    pub fn apply(&self, body: &JsonBody) -> Pieces {
        if self.edits.is_empty() {
            return Pieces::from_iter([body.bytes().clone()]);
        }
        let mut writer = Writer { body, out: Pieces::new(), cursor: 0 };
        let kept = writer.existing(self);
        writer.added(self, kept);
        writer.rest();
        writer.out
    }
}

// --- Writer ---

struct Writer<'a> {
    body: &'a JsonBody,
    out: Pieces,
    /// Everything before it is in `out` or dropped.
    cursor: usize,
}

impl Writer<'_> {
    /// Replaces and removes; answers whether any field is left.
    fn existing(&mut self, edits: &Edits) -> bool {
        let body = self.body;
        let fields = body.fields();
        let removed = |f: &Field| matches!(edits.find(&body.name(f)), Some(Edit::Remove));
        let last_kept = fields.iter().rposition(|f| !removed(f));
        for (index, field) in fields.iter().enumerate() {
            match edits.find(&body.name(field)) {
                Some(Edit::Set(value)) => self.replace(&field.value, value.clone()),
                Some(Edit::Remove) if last_kept.is_none_or(|last| index > last) => {
                    self.drop_tail(last_kept);
                    break;
                }
                // The comma after a removed field goes with it.
                Some(Edit::Remove) => self.drop_to(field.key.start, fields[index + 1].key.start),
                _ => {}
            }
        }
        last_kept.is_some()
    }

    fn replace(&mut self, at: &Range<usize>, value: Bytes) {
        self.drop_to(at.start, at.end);
        self.out.push(value);
    }

    /// All fields after the last kept one go, and with them the comma before them.
    fn drop_tail(&mut self, last_kept: Option<usize>) {
        let fields = self.body.fields();
        let from = last_kept.map_or(fields[0].key.start, |last| fields[last].value.end);
        let until = fields.last().map_or(from, |f| f.value.end);
        self.drop_to(from.max(self.cursor), until);
    }

    /// Copies up to `from`, goes on at `until`.
    fn drop_to(&mut self, from: usize, until: usize) {
        if self.cursor < from {
            self.out.push(self.body.bytes().slice(self.cursor..from));
        }
        self.cursor = until;
    }

    /// New fields stand before the closing brace.
    fn added(&mut self, edits: &Edits, mut comma: bool) {
        let end = self.closing_brace();
        self.drop_to(end, end);
        for (name, edit) in &edits.edits {
            let (Edit::Set(value) | Edit::Default(value)) = edit else { continue };
            if self.body.raw(name).is_some() {
                continue;
            }
            let lead = if comma { "," } else { "" };
            comma = true;
            self.out.push(Bytes::from(format!("{lead}{}:", serde_json::Value::from(name.as_str()))));
            self.out.push(value.clone());
        }
    }

    fn rest(&mut self) {
        let end = self.body.bytes().len();
        self.drop_to(end, end);
    }

    fn closing_brace(&self) -> usize {
        memchr::memrchr(b'}', self.body.bytes()).unwrap_or(self.body.bytes().len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(text: &str, change: impl FnOnce(&mut Edits)) -> String {
        let body = JsonBody::parse(Bytes::copy_from_slice(text.as_bytes())).unwrap();
        let mut edits = Edits::default();
        change(&mut edits);
        let joined = edits.apply(&body).concat();
        String::from_utf8(joined).unwrap()
    }

    #[test]
    fn only_the_edited_value_changes() {
        let text = "{ \"a\" : 1 ,\n \"model\":\"x\" , \"z\" : [ 1, 2 ] }\n";
        assert_eq!(apply(text, |e| e.set("model", "\"y\"")), text.replace("\"x\"", "\"y\""));
        assert_eq!(apply(text, |_| ()), text);
    }

    #[test]
    fn removing_leaves_valid_json_wherever_the_field_stands() {
        let text = r#"{"a":1, "b":2, "c":3}"#;
        for (names, expected) in [
            (&["a"][..], r#"{"b":2, "c":3}"#),
            (&["b"], r#"{"a":1, "c":3}"#),
            (&["c"], r#"{"a":1, "b":2}"#),
            (&["b", "c"], r#"{"a":1}"#),
            (&["a", "b"], r#"{"c":3}"#),
            (&["a", "c"], r#"{"b":2}"#),
            (&["a", "b", "c"], "{}"),
        ] {
            let out = apply(text, |e| names.iter().for_each(|n| e.remove(n)));
            assert_eq!(out, expected, "{names:?}");
        }
    }

    #[test]
    fn fields_are_added_before_the_brace() {
        assert_eq!(apply("{}", |e| e.set("s", "1")), r#"{"s":1}"#);
        assert_eq!(apply(r#"{"a":1}"#, |e| e.set_default("s", "1")), r#"{"a":1,"s":1}"#);
        assert_eq!(apply(r#"{"s":0}"#, |e| e.set_default("s", "1")), r#"{"s":0}"#);
    }

    #[test]
    fn every_mix_of_edits_stays_valid() {
        let names = ["a", "b", "c", "d"];
        for mask in 0..4_u32.pow(4) {
            let out = apply(r#"{"a":1 , "b":{"x":"}"}, "c":[3]}"#, |e| {
                for (i, name) in names.iter().enumerate() {
                    match mask / 4_u32.pow(i as u32) % 4 {
                        0 => e.set(name, "\"new\""),
                        1 => e.set_default(name, "0"),
                        2 => e.remove(name),
                        _ => {}
                    }
                }
            });
            let parsed: Result<serde_json::Value, _> = serde_json::from_str(&out);
            assert!(parsed.is_ok(), "{mask}: {out}");
        }
    }
}
