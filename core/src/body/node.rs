//! A JSON value for reading once. Names and texts stay where they stand in the body, unless an escape had to be undone,
//! and objects are lists: nothing is hashed, and what is looked at and let go costs next to nothing. What is kept
//! becomes a `Value`.

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::borrow::Cow;
use std::fmt;

/// A JSON value; as deep as serde_json reads, 128 levels.
#[derive(Clone, Debug, PartialEq)]
pub enum Node<'a> {
    Null,
    Bool(bool),
    Number(Number),
    Text(Cow<'a, str>),
    List(Vec<Node<'a>>),
    Object(Members<'a>),
}

/// The members of an object, as they were written. Of those that are given twice the last one counts, as in a `Map`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Members<'a>(Vec<(Cow<'a, str>, Node<'a>)>);

// --- Node ---

impl<'a> Node<'a> {
    pub fn is_null(&self) -> bool {
        matches!(self, Node::Null)
    }

    pub fn is_object(&self) -> bool {
        matches!(self, Node::Object(_))
    }

    pub fn as_str(&self) -> Option<&str> {
        match self {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A member, where this is an object that has it.
    pub fn get(&self, name: &str) -> Option<&Node<'a>> {
        match self {
            Node::Object(members) => members.get(name),
            _ => None,
        }
    }

    /// An item, where this is a list that is long enough.
    pub fn item(&self, index: usize) -> Option<&Node<'a>> {
        match self {
            Node::List(items) => items.get(index),
            _ => None,
        }
    }

    pub fn into_value(self) -> Value {
        match self {
            Node::Null => Value::Null,
            Node::Bool(is) => Value::Bool(is),
            Node::Number(number) => Value::Number(number),
            Node::Text(text) => Value::String(text.into_owned()),
            Node::List(items) => Value::Array(items.into_iter().map(Node::into_value).collect()),
            Node::Object(members) => Value::Object(members.into_object()),
        }
    }
}

// --- Members ---

impl<'a> Members<'a> {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn get(&self, name: &str) -> Option<&Node<'a>> {
        self.0.iter().rev().find(|(member, _)| member == name).map(|(_, node)| node)
    }

    /// Takes a member out.
    pub fn take(&mut self, name: &str) -> Option<Node<'a>> {
        let at = self.0.iter().rposition(|(member, _)| member == name)?;
        let (_, node) = self.0.remove(at);
        self.0.retain(|(member, _)| member != name);
        Some(node)
    }

    /// Adds a member behind the others; it takes the place of one with the same name.
    pub fn push(&mut self, name: &'a str, node: Node<'a>) {
        self.0.push((Cow::Borrowed(name), node));
    }

    pub fn into_object(self) -> Map<String, Value> {
        self.0.into_iter().map(|(name, node)| (name.into_owned(), node.into_value())).collect()
    }
}

impl<'a> FromIterator<(&'a str, Node<'a>)> for Members<'a> {
    fn from_iter<I: IntoIterator<Item = (&'a str, Node<'a>)>>(members: I) -> Self {
        Self(members.into_iter().map(|(name, node)| (Cow::Borrowed(name), node)).collect())
    }
}

// --- reading ---

impl<'de> Deserialize<'de> for Node<'de> {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_any(NodeVisitor)
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_map(MembersVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any valid JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E: Error>(self, is: bool) -> Result<Self::Value, E> {
        Ok(Node::Bool(is))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Node::Number(number.into()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Node::Number(number.into()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Number::from_f64(number).map_or(Node::Null, Node::Number))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Node::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Node::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        MembersVisitor.visit_map(map).map(Node::Object)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(Name(name)) = map.next_key()? {
            members.push((name, map.next_value()?));
        }
        Ok(Members(members))
    }
}

/// Serde's own `Cow` never borrows.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_str(NameVisitor)
    }
}

struct NameVisitor;

impl<'de> Visitor<'de> for NameVisitor {
    type Value = Name<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Name(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Name(Cow::Owned(text.to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Node<'_> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn what_is_kept_is_the_same_value() {
        for text in [
            "null",
            r#"[1,-2,3.5,18446744073709551615,true,"a\n\u00e9\ud83d\ude00"]"#,
            r#"{"a":{"b\t":[{}]},"c":"é","a":2}"#,
        ] {
            assert_eq!(read(text).into_value(), serde_json::from_str::<Value>(text).unwrap(), "{text}");
        }
    }

    #[test]
    fn what_a_value_cannot_hold_is_refused_in_the_same_words() {
        let deep = "[".repeat(200) + &"]".repeat(200);
        for text in [r#"{"a":"\ud800"}"#, "[1e999]", deep.as_str()] {
            let error = serde_json::from_str::<Node<'_>>(text).unwrap_err();
            assert_eq!(error.to_string(), serde_json::from_str::<Value>(text).unwrap_err().to_string());
        }
    }

    #[test]
    fn only_texts_with_escapes_are_copied() {
        let Node::List(items) = read(r#"["plain", "with \" quote"]"#) else { panic!("no list") };
        assert!(matches!(&items[..], [Node::Text(Cow::Borrowed("plain")), Node::Text(Cow::Owned(_))]));
    }

    #[test]
    fn of_members_given_twice_the_last_counts() {
        let Node::Object(mut members) = read(r#"{"a":1,"b":2,"a":3}"#) else { panic!("no object") };
        assert_eq!(members.get("a"), Some(&Node::Number(3.into())));
        assert_eq!(members.take("a"), Some(Node::Number(3.into())));
        assert_eq!(members.take("a"), None);
        assert_eq!(members.into_object().len(), 1);
    }
}
