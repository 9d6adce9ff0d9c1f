//! A JSON object that is valid, and where its top-level values stand.

use super::scan::Fields;
use super::{depth, scan};
use bytes::Bytes;
use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;
use simdutf8::basic::from_utf8;
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

/// Deeper bodies are refused. Real tool schemas stay below 40.
pub const MAX_DEPTH: usize = 256;

/// Bodies with more top-level fields are refused; OpenAI's largest request type has about 40.
pub const MAX_FIELDS: usize = 256;

/// Why a body is not taken. The text is for the caller.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    #[error("Invalid JSON payload: the request body is empty; send a JSON object")]
    Empty,
    #[error("Invalid JSON payload: not UTF-8 at byte {0}")]
    NotUtf8(usize),
    #[error("Invalid JSON payload: {0}")]
    Syntax(String),
    #[error("Invalid JSON payload: nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    #[error("Invalid JSON payload: more than {MAX_FIELDS} top-level fields")]
    TooManyFields,
    #[error("Invalid JSON payload: {0:?} is given twice; send it once")]
    Duplicate(String),
}

/// Where one top-level field stands in the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The key with its quotes.
    pub key: Range<usize>,
    pub value: Range<usize>,
    /// Whether the key is written with escapes.
    escaped: bool,
}

/// A valid JSON object, kept as the bytes that came.
#[derive(Clone, Debug)]
pub struct JsonBody {
    bytes: Bytes,
    fields: Fields,
}

// --- JsonBody ---

impl JsonBody {
    /// Checks that `bytes` is one JSON object, valid to its last byte, without duplicate top-level keys.
    pub fn parse(bytes: Bytes) -> Result<Self, BodyError> {
        let fields = match scan::fields(&bytes) {
            Some(fields) => fields,
            None => read(&bytes)?,
        };
        Ok(Self { bytes, fields })
    }

    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The same as text.
    pub fn as_str(&self) -> &str {
        // It was checked when it came.
        from_utf8(&self.bytes).unwrap_or_default()
    }

    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The raw JSON text of a top-level value.
    pub fn raw(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|f| self.is_named(f, name)).map(|f| self.text(&f.value))
    }

    /// The raw JSON text of a field's value.
    pub fn value(&self, field: &Field) -> &str {
        self.text(&field.value)
    }

    /// A top-level string, unescaped. `None` when absent or of another type.
    pub fn string(&self, name: &str) -> Option<Cow<'_, str>> {
        self.raw(name).and_then(unquote)
    }

    /// A top-level unsigned integer.
    pub fn integer(&self, name: &str) -> Option<u64> {
        self.raw(name)?.parse().ok()
    }

    /// Whether a top-level value is exactly `true`.
    pub fn is_true(&self, name: &str) -> bool {
        self.raw(name) == Some("true")
    }

    /// Whether a field has this name, however it is spelled.
    pub fn is_named(&self, field: &Field, name: &str) -> bool {
        let inner = &self.bytes[field.key.start + 1..field.key.end - 1];
        inner == name.as_bytes() || field.escaped && self.name(field) == name
    }

    /// Decoded name of a field.
    pub fn name(&self, field: &Field) -> Cow<'_, str> {
        unquote(self.text(&field.key)).unwrap_or_default()
    }

    fn text(&self, range: &Range<usize>) -> &str {
        // The whole body was checked to be UTF-8 and ranges are those of JSON tokens.
        from_utf8(&self.bytes[range.clone()]).unwrap_or_default()
    }
}

/// Text of a JSON string; borrowed when it has no escapes.
fn unquote(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if !inner.contains('\\') {
        return Some(Cow::Borrowed(inner));
    }
    serde_json::from_str(raw).ok().map(Cow::Owned)
}

impl Field {
    /// One whose key is written without escapes.
    pub(super) fn plain(key: Range<usize>, value: Range<usize>) -> Self {
        Self { key, value, escaped: false }
    }
}

// --- parsing ---

/// The fields of any object, or what is wrong with it.
#[cold]
pub(super) fn read(bytes: &[u8]) -> Result<Fields, BodyError> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(BodyError::Empty);
    }
    let text = std::str::from_utf8(bytes).map_err(|e| BodyError::NotUtf8(e.valid_up_to()))?;
    if depth::exceeds(bytes, MAX_DEPTH) {
        return Err(BodyError::TooDeep);
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let found = reader.deserialize_map(FieldVisitor { text }).map_err(syntax)?;
    reader.end().map_err(syntax)?;
    found
}

fn syntax(error: serde_json::Error) -> BodyError {
    BodyError::Syntax(error.to_string())
}

struct FieldVisitor<'a> {
    text: &'a str,
}

impl<'a> Visitor<'a> for FieldVisitor<'a> {
    /// Inner errors are ours, outer ones are serde's.
    type Value = Result<Fields, BodyError>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Fields::new();
        let mut fault = None;
        while let Some(key) = map.next_key::<&'a RawValue>()? {
            let value: &RawValue = map.next_value()?;
            let (name, escaped) = (key.get(), key.get().contains('\\'));
            let field = Field { key: self.range(name), value: self.range(value.get()), escaped };
            // Reading goes on after a fault: a syntax error further on is the better message.
            fault = fault.or_else(|| self.fault(&fields, key.get()));
            if fault.is_none() {
                fields.push(field);
            }
        }
        Ok(fault.map_or(Ok(fields), Err))
    }
}

impl FieldVisitor<'_> {
    /// Raw values borrow from the text, so their place is their address.
    fn range(&self, part: &str) -> Range<usize> {
        let start = part.as_ptr() as usize - self.text.as_ptr() as usize;
        start..start + part.len()
    }

    fn fault(&self, fields: &[Field], key: &str) -> Option<BodyError> {
        if fields.len() >= MAX_FIELDS {
            return Some(BodyError::TooManyFields);
        }
        let name = unquote(key)?;
        let same = |f: &Field| {
            let other = &self.text[f.key.clone()];
            other == key || other.contains('\\') && unquote(other).is_some_and(|n| n == name)
        };
        // Two plain spellings differ when their text does; only an escaped one must be decoded to tell.
        let escaped = key.contains('\\');
        let twin = fields
            .iter()
            .any(|f| same(f) || escaped && unquote(&self.text[f.key.clone()]).is_some_and(|n| n == name));
        twin.then(|| BodyError::Duplicate(name.chars().take(64).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<JsonBody, BodyError> {
        JsonBody::parse(Bytes::copy_from_slice(text.as_bytes()))
    }

    #[test]
    fn values_are_found_where_they_stand() {
        let body = parse(r#" { "model" : "gpt-4o", "n":2, "stream": true, "mo\u0064e":"x\ny" } "#);
        let body = body.unwrap();
        assert_eq!(body.raw("model"), Some("\"gpt-4o\""));
        assert_eq!(body.string("mode").as_deref(), Some("x\ny"));
        assert_eq!(body.integer("n"), Some(2));
        assert!(body.is_true("stream"));
        assert_eq!(body.raw("absent"), None);
    }

    #[test]
    fn what_is_not_one_object_is_refused() {
        for text in
            ["", "  ", "[1,2]", "5", "null", "{", "{}{}", r#"{"a":1,}"#, r#"{"a":tru}"#, r#"{"a":"\ud800"#]
        {
            assert!(parse(text).is_err(), "{text}");
        }
        assert_eq!(
            JsonBody::parse(Bytes::from_static(b"{\"a\":\"\xff\"}")).err(),
            Some(BodyError::NotUtf8(6))
        );
    }

    #[test]
    fn a_duplicate_is_refused_even_when_spelled_otherwise() {
        let twice = parse(r#"{"model":"a","mod\u0065l":"b"}"#).err();
        assert_eq!(twice, Some(BodyError::Duplicate("model".into())));
    }

    #[test]
    fn ten_thousand_levels_are_refused() {
        let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
        assert_eq!(parse(&deep).err(), Some(BodyError::TooDeep));
    }
}
