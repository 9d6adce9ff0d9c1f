//! The configuration as a tree in which every value knows its line. YAML and JSON come in, JSON text goes out;
//! numbers stay the text that was written, because a price read as a float is no longer that price.

mod number;
mod parse;
mod value;

pub use number::json_number;
pub use parse::{Fault, MAX_BYTES, MAX_DEPTH, parse};

use super::problems::Place;
use std::fmt::{self, Write as _};

/// One value and where it stands.
#[derive(Clone, Debug, Default)]
pub struct Node {
    pub value: Value,
    /// Starts at 1. In a map it is the line of the key.
    pub line: u32,
    /// Index of the file, see `Place`.
    pub file: u16,
    /// The value came from an environment variable: most likely a secret, never to be quoted.
    pub from_env: bool,
}

#[derive(Clone, Default)]
pub enum Value {
    #[default]
    Null,
    Bool(bool),
    /// A valid JSON number, digit by digit as it was written.
    Number(String),
    Text(String),
    List(Vec<Node>),
    /// In the order of the file; names are unique.
    Map(Vec<(String, Node)>),
}

// --- Node ---

impl Node {
    pub fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    /// A map's value by name.
    pub fn get(&self, name: &str) -> Option<&Node> {
        self.entries().iter().find(|(key, _)| key == name).map(|(_, node)| node)
    }

    /// A map's entries; nothing for any other value.
    pub fn entries(&self) -> &[(String, Node)] {
        if let Value::Map(entries) = &self.value { entries } else { &[] }
    }

    /// A list's items; nothing for any other value.
    pub fn items(&self) -> &[Node] {
        if let Value::List(items) = &self.value { items } else { &[] }
    }

    pub fn place(&self, path: impl Into<String>) -> Place {
        Place { path: path.into(), file: self.file, line: self.line }
    }

    /// What to call this value in a message. Never quotes it: it may be a secret.
    pub fn what(&self) -> &'static str {
        match &self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "true or false",
            Value::Number(_) => "a number",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }

    /// The value as JSON text, numbers as they were written.
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        self.write_json(&mut out, false);
        out
    }

    /// JSON text with sorted keys: equal configurations are equal text.
    pub fn canonical_json(&self) -> String {
        let mut out = String::new();
        self.write_json(&mut out, true);
        out
    }

    /// Recursion ends: `parse` bounds the depth.
    fn write_json(&self, out: &mut String, sorted: bool) {
        match &self.value {
            Value::Null => out.push_str("null"),
            Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
            Value::Number(text) => out.push_str(text),
            Value::Text(text) => write_string(out, text),
            Value::List(items) => write_list(out, items, sorted),
            Value::Map(entries) => write_map(out, entries, sorted),
        }
    }
}

fn write_list(out: &mut String, items: &[Node], sorted: bool) {
    out.push('[');
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        item.write_json(out, sorted);
    }
    out.push(']');
}

fn write_map(out: &mut String, entries: &[(String, Node)], sorted: bool) {
    let mut entries: Vec<_> = entries.iter().collect();
    if sorted {
        entries.sort_by(|(left, _), (right, _)| left.cmp(right));
    }
    out.push('{');
    for (at, (name, node)) in entries.into_iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        write_string(out, name);
        out.push(':');
        node.write_json(out, sorted);
    }
    out.push('}');
}

fn write_string(out: &mut String, text: &str) {
    // Display of a JSON string writes it quoted and escaped; writing into a String does not fail.
    let _ = write!(out, "{}", serde_json::Value::from(text));
}

// --- Value ---

/// Shows the shape only; texts and numbers may be secrets.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("null"),
            Value::Bool(b) => write!(f, "{b}"),
            Value::Number(_) => f.write_str("number"),
            Value::Text(_) => f.write_str("text"),
            Value::List(items) => f.debug_list().entries(items.iter().map(|n| &n.value)).finish(),
            Value::Map(entries) => f.debug_map().entries(entries.iter().map(|(k, n)| (k, &n.value))).finish(),
        }
    }
}
