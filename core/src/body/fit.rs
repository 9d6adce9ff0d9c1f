//! A JSON text that is to stand among others. It is read once, without a tree, and written anew only where something in it
//! has to change.

use memchr::memchr2;
use serde::Serialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// JSON's.
const BLANK: [char; 4] = [' ', '\t', '\r', '\n'];

/// The text without line breaks, and texts in it that are longer than `longest` bytes cut: they say how much is missing. It
/// is borrowed where that is so already. `None`: it is no JSON, or none that a `Value` could hold.
pub fn fit(json: &[u8], longest: usize) -> Option<Cow<'_, str>> {
    let json = std::str::from_utf8(json).ok()?.trim_matches(BLANK);
    if json.is_empty() {
        return None;
    }
    // Line breaks within texts are escapes.
    if json.len() <= longest && memchr2(b'\n', b'\r', json.as_bytes()).is_none() {
        read(json, &mut Check)?;
        return Some(Cow::Borrowed(json));
    }
    let mut copy = Rewrite { out: Vec::new(), longest };
    read(json, &mut copy)?;
    String::from_utf8(copy.out).ok().map(Cow::Owned)
}

fn read(json: &str, pen: &mut impl Pen) -> Option<()> {
    let mut reader = serde_json::Deserializer::from_str(json);
    Part { pen, before: "" }.deserialize(&mut reader).ok()?;
    reader.end().ok()
}

/// Who is told what stands in a JSON text, in its order.
trait Pen {
    fn mark(&mut self, mark: &str);
    fn text(&mut self, text: &str);
    fn number(&mut self, number: impl Serialize);
}

/// Wants to know no more than that it can be read.
struct Check;

struct Rewrite {
    out: Vec<u8>,
    longest: usize,
}

/// A value, or the name of a member.
struct Part<'p, P> {
    pen: &'p mut P,
    /// What is written before it, where there is one.
    before: &'static str,
}

// --- Check ---

impl Pen for Check {
    fn mark(&mut self, _: &str) {}

    fn text(&mut self, _: &str) {}

    fn number(&mut self, _: impl Serialize) {}
}

// --- Rewrite ---

impl Rewrite {
    fn put(&mut self, value: impl Serialize) {
        // Memory takes everything.
        serde_json::to_writer(&mut self.out, &value).unwrap_or_default();
    }
}

impl Pen for Rewrite {
    fn mark(&mut self, mark: &str) {
        self.out.extend_from_slice(mark.as_bytes());
    }

    fn text(&mut self, text: &str) {
        if text.len() <= self.longest {
            return self.put(text);
        }
        let kept = text.floor_char_boundary(self.longest);
        let missing = text.len() - kept;
        self.put(format_args!("{}... ({missing} bytes more)", &text[..kept]));
    }

    fn number(&mut self, number: impl Serialize) {
        self.put(number);
    }
}

// --- Part ---

impl<'de, P: Pen> DeserializeSeed<'de> for Part<'_, P> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        self.pen.mark(self.before);
        reader.deserialize_any(self)
    }
}

impl<'de, P: Pen> Visitor<'de> for Part<'_, P> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any valid JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.pen.mark("null");
        Ok(())
    }

    fn visit_bool<E: Error>(self, is: bool) -> Result<(), E> {
        self.pen.mark(if is { "true" } else { "false" });
        Ok(())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.pen.number(number);
        Ok(())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.pen.number(number);
        Ok(())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        self.pen.number(number);
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.pen.text(text);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        self.pen.mark("[");
        let mut before = "";
        while list.next_element_seed(Part { pen: &mut *self.pen, before })?.is_some() {
            before = ",";
        }
        self.pen.mark("]");
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.pen.mark("{");
        let mut before = "";
        while map.next_key_seed(Part { pen: &mut *self.pen, before })?.is_some() {
            map.next_value_seed(Part { pen: &mut *self.pen, before: ":" })?;
            before = ",";
        }
        self.pen.mark("}");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn fitted(json: &str, longest: usize) -> Option<Cow<'_, str>> {
        fit(json.as_bytes(), longest)
    }

    #[test]
    fn what_fits_is_borrowed_as_it_is() {
        let json = r#"{"a": [1, -2.50, 1E2, true, null], "b\t": {"c": "\ud83d\ude00 \n é"}}"#;
        assert!(matches!(fitted(json, 100), Some(Cow::Borrowed(same)) if same == json));
        assert!(matches!(fitted(" [] \r\n", 100), Some(Cow::Borrowed("[]"))));
    }

    #[test]
    fn what_is_on_several_lines_is_written_on_one() {
        let json = "{\r\n  \"a\": [1, -2.5,\n    \"x\\n\\u0000\\\"y\"],\n  \"b\": {}, \"d\": [{}, [null]]\n}";
        let one = fitted(json, 1_000).unwrap();
        assert_eq!(one, r#"{"a":[1,-2.5,"x\n\u0000\"y"],"b":{},"d":[{},[null]]}"#);
        let tree = |json: &str| serde_json::from_str::<Value>(json).unwrap();
        assert_eq!(tree(&one), tree(json));
    }

    #[test]
    fn long_texts_are_cut_between_characters_and_short_ones_are_not() {
        let json = r#"{"long":"aaaa\u00e9bbbb","short":["a\"b"]}"#;
        assert_eq!(fitted(json, 5).unwrap(), r#"{"long":"aaaa... (6 bytes more)","short":["a\"b"]}"#);
        assert_eq!(fitted(json, 10).unwrap(), r#"{"long":"aaaaébbbb","short":["a\"b"]}"#);
    }

    #[test]
    fn what_no_tree_could_hold_does_not_fit() {
        let deep = "[".repeat(200) + &"]".repeat(200);
        for json in ["", " ", "{", "[1,]", "{}{}", r#"{"a":"\ud800"}"#, "[1e999]", "data: {}", deep.as_str()]
        {
            assert_eq!(fitted(json, 1_000), None, "{json}");
            assert_eq!(fitted(json, 0), None, "{json}");
        }
        assert_eq!(fit(b"\"\xff\"", 10), None);
    }
}
