//! JSON values that travel on to a provider or to `/model/info` as they were written.

use super::tree::Node;
use std::fmt;

/// Names and JSON text, in the order of the file.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct JsonMap(Vec<(String, String)>);

impl JsonMap {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(key, _)| *key == name).map(|(_, json)| json)
    }

    /// Name and JSON text of every value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, json)| (name.as_str(), json.as_str()))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// `json` is the text of a value; one that is there already stays.
    pub fn set_default(&mut self, name: &str, json: &str) {
        if self.get(name).is_none() {
            self.0.push((name.to_owned(), json.to_owned()));
        }
    }
}

impl<'a> FromIterator<&'a (String, Node)> for JsonMap {
    fn from_iter<I: IntoIterator<Item = &'a (String, Node)>>(entries: I) -> Self {
        Self(entries.into_iter().map(|(name, node)| (name.clone(), node.to_json())).collect())
    }
}

/// Shows names only; values may be secrets.
impl fmt::Debug for JsonMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}
