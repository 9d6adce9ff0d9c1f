//! JSON text in the two forms that providers send.
//!
//! Both escape everything outside printable ASCII, because the provider that the goldens were recorded
//! with did, and content-lengths in the goldens count those bytes.

use std::io;

use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;
use serde_json::ser::Formatter;

/// A blank after `,` and `:`; non-ASCII as `\u` escapes.
pub fn spaced(value: &Value) -> Bytes {
    write(value, AsciiFormatter { comma: b", ", colon: b": " })
}

/// No blanks; non-ASCII as `\u` escapes.
pub fn compact(value: &Value) -> Bytes {
    write(value, AsciiFormatter { comma: b",", colon: b":" })
}

/// Takes the blanks out of JSON text that is known to be valid; numbers keep their spelling.
pub fn squeeze(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut quoted, mut escaped) = (false, false);
    for c in text.chars() {
        if !quoted && c.is_ascii_whitespace() {
            continue;
        }
        quoted ^= c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        out.push(c);
    }
    out
}

struct AsciiFormatter {
    comma: &'static [u8],
    colon: &'static [u8],
}

fn write(value: &Value, formatter: AsciiFormatter) -> Bytes {
    let mut out = Vec::with_capacity(1024);
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, formatter);
    if let Err(error) = value.serialize(&mut serializer) {
        // Unreachable for a `Value` written to memory; a half-written body must not look like an answer.
        tracing::error!(%error, "mock: JSON not written");
        return Bytes::new();
    }
    out.into()
}

// --- impl Formatter ---

impl AsciiFormatter {
    fn separate<W: io::Write + ?Sized>(&self, out: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { out.write_all(self.comma) }
    }
}

impl Formatter for AsciiFormatter {
    fn begin_array_value<W: io::Write + ?Sized>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.separate(out, first)
    }

    fn begin_object_key<W: io::Write + ?Sized>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.separate(out, first)
    }

    fn begin_object_value<W: io::Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(self.colon)
    }

    fn write_string_fragment<W: io::Write + ?Sized>(&mut self, out: &mut W, text: &str) -> io::Result<()> {
        let mut rest = text;
        while let Some(at) = rest.find(|c| !(' '..='~').contains(&c)) {
            out.write_all(&rest.as_bytes()[..at])?;
            let mut after = rest[at..].chars();
            if let Some(odd) = after.next() {
                write_escape(out, odd)?;
            }
            rest = after.as_str();
        }
        out.write_all(rest.as_bytes())
    }
}

/// Characters beyond the basic plane become a surrogate pair.
fn write_escape<W: io::Write + ?Sized>(out: &mut W, c: char) -> io::Result<()> {
    for unit in c.encode_utf16(&mut [0; 2]) {
        write!(out, "\\u{unit:04x}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaced_form_is_that_of_the_golden_provider() {
        let value = serde_json::json!({"a": [1, "é\u{7f}\n\"\\/", {}], "b": {"c": "😀", "d": null}, "e": []});
        let text = r#"{"a": [1, "\u00e9\u007f\n\"\\/", {}], "b": {"c": "\ud83d\ude00", "d": null}, "e": []}"#;
        assert_eq!(spaced(&value), text);
        assert_eq!(serde_json::from_slice::<Value>(&spaced(&value)).unwrap(), value);
    }

    #[test]
    fn compact_form_has_no_blanks_outside_strings() {
        let value = serde_json::json!({"a b": [1, 0.1, -0.3], "c": "x, y: z"});
        assert_eq!(compact(&value), r#"{"a b":[1,0.1,-0.3],"c":"x, y: z"}"#);
    }

    #[test]
    fn squeezing_keeps_strings_and_numbers_as_they_were() {
        let text = "{ \"a\\\" b\" : [ 1.50 ,\n\t2e10 ], \"c\\\\\" : \" d \" }";
        assert_eq!(squeeze(text), r#"{"a\" b":[1.50,2e10],"c\\":" d "}"#);
    }
}
