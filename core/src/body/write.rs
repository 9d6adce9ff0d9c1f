//! JSON objects that are written member by member, straight to where they go from: no tree, and no text in between.

use serde::Serialize;
use std::fmt::Display;
use std::io::Write as _;

/// An object that is being written. Names are written as they are: they hold nothing that JSON escapes.
pub struct ObjectWriter<'o> {
    out: &'o mut Vec<u8>,
    empty: bool,
}

/// Appends an object.
pub fn write_object(out: &mut Vec<u8>, members: impl FnOnce(&mut ObjectWriter<'_>)) {
    out.push(b'{');
    members(&mut ObjectWriter { out: &mut *out, empty: true });
    out.push(b'}');
}

impl ObjectWriter<'_> {
    pub fn put(&mut self, name: &str, value: impl Serialize) {
        self.name(name);
        // Memory takes everything, and what is told has no maps without names.
        serde_json::to_writer(&mut *self.out, &value).unwrap_or_default();
    }

    pub fn null(&mut self, name: &str) {
        self.json(name, "null");
    }

    /// A value that is JSON already.
    pub fn json(&mut self, name: &str, json: &str) {
        self.name(name);
        self.out.extend_from_slice(json.as_bytes());
    }

    /// What shows itself as a JSON number, to its last digit.
    pub fn number(&mut self, name: &str, number: impl Display) {
        self.name(name);
        write!(self.out, "{number}").unwrap_or_default();
    }

    pub fn object(&mut self, name: &str, members: impl FnOnce(&mut ObjectWriter<'_>)) {
        self.name(name);
        write_object(self.out, members);
    }

    fn name(&mut self, name: &str) {
        if !std::mem::replace(&mut self.empty, false) {
            self.out.push(b',');
        }
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::NanoUsd;

    #[test]
    fn members_stand_in_their_order() {
        let mut out = b"[".to_vec();
        write_object(&mut out, |o| {
            o.put("text", "a\"b");
            o.put("none", None::<&str>);
            o.number("cost", NanoUsd(97_500));
            o.object("inner", |o| o.null("nothing"));
            o.json("list", "[1, 2]");
        });
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"[{"text":"a\"b","none":null,"cost":0.0000975,"inner":{"nothing":null},"list":[1, 2]}"#
        );
    }
}
