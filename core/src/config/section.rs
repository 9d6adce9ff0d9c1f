//! One section as it was written: every name looked up, every value of the kind its row asks for.

use super::keys::{self, Kind, NO_EFFECT, Open, State, Table};
use super::problems::{Place, Problems, did_you_mean, nearest};
use super::tree::{Node, Value};
use secrecy::SecretString;
use std::time::Duration;

/// A checked section. Getters answer `None` for what is absent, null or wrong; wrong was reported.
#[derive(Clone, Debug)]
pub struct Section {
    table: &'static Table,
    at: Place,
    entries: Vec<(String, Node)>,
}

// --- reading ---

impl Section {
    /// A section that is not there.
    pub fn empty(table: &'static Table) -> Self {
        Self { table, at: Place { path: table.name.into(), ..Place::default() }, entries: Vec::new() }
    }

    /// Checks every entry of a map. Null entries count as absent.
    pub fn read(node: &Node, table: &'static Table, path: &str, problems: &mut Problems) -> Self {
        let at = node.place(path);
        if !matches!(node.value, Value::Map(_) | Value::Null) {
            problems.error(&at, format!("expected a map, found {}", node.what()), "");
        }
        let mut section = Self { table, at, entries: Vec::new() };
        for (name, value) in node.entries().iter().filter(|(_, value)| !value.is_null()) {
            section.check(name, value, problems);
            section.entries.push((name.clone(), value.clone()));
        }
        section
    }

    fn check(&self, name: &str, node: &Node, problems: &mut Problems) {
        let at = node.place(join(&self.at.path, name));
        if let Some(key) = self.table.find(name) {
            if key.state == State::Moot {
                return problems.advise(&at, NO_EFFECT, key.doc);
            }
            if !key.kind.accepts(node) {
                mismatch(key.kind, &at, node, problems);
            }
            return;
        }
        match (self.table.open)(name) {
            Some(Open::Price) if !Kind::Price.accepts(node) => {
                mismatch(Kind::Price, &at, node, problems);
            }
            Some(_) => {}
            None => self.unknown(name, &at, problems),
        }
    }

    fn unknown(&self, name: &str, at: &Place, problems: &mut Problems) {
        if !problems.has_room() {
            return;
        }
        let near = nearest(name, self.table.names());
        if self.table.free && near.is_none() {
            return;
        }
        let home = keys::section_of(name).filter(|_| near.is_none());
        let cure = match home {
            Some(table) if table.name.is_empty() => {
                "it is a section of its own: move it to the top level".into()
            }
            Some(table) => format!("it belongs in {}", table.name),
            None => did_you_mean(name, self.table.names()),
        };
        problems.warn(at, "unknown setting", cure);
    }
}

fn mismatch(kind: Kind, at: &Place, node: &Node, problems: &mut Problems) {
    let quoted = match (kind, node.as_text()) {
        (Kind::Choice(_), Some(text)) if !node.from_env => format!("{text:?}"),
        _ => node.what().to_owned(),
    };
    let message = format!("expected {}, found {quoted}", kind.expected());
    let cure = match (kind, node.as_text()) {
        (Kind::Choice(choices), Some(text)) => did_you_mean(text, choices.iter().copied()),
        _ => String::new(),
    };
    problems.error(at, message, cure);
}

/// `general_settings.master_key`, `model_list[3]`.
pub fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

// --- getters ---

impl Section {
    pub fn at(&self) -> &Place {
        &self.at
    }

    /// Where one entry stands, or the section when it is not there.
    pub fn place(&self, name: &str) -> Place {
        let path = join(&self.at.path, name);
        self.node(name)
            .map_or_else(|| Place { path: path.clone(), ..self.at.clone() }, |node| node.place(&path))
    }

    pub fn entries(&self) -> &[(String, Node)] {
        &self.entries
    }

    /// Entries that neither have a used row nor an open name of their own.
    pub fn rest(&self) -> impl Iterator<Item = &(String, Node)> {
        self.entries.iter().filter(|(name, _)| {
            let used = self.table.find(name).is_some_and(|key| key.state == State::Used);
            !used && !matches!((self.table.open)(name), Some(Open::OpenAi | Open::Price))
        })
    }

    /// Entries that no table knows and that are no misspelling of one that it does: a provider's own parameters.
    pub fn unknown_names(&self) -> impl Iterator<Item = &(String, Node)> {
        self.entries.iter().filter(|(name, _)| {
            let known = self.table.find(name).is_some() || (self.table.open)(name).is_some();
            !known && keys::section_of(name).is_none() && nearest(name, self.table.names()).is_none()
        })
    }

    /// Entries whose name is known by its shape, in the order of the file.
    pub fn open(&self, open: Open) -> impl Iterator<Item = &(String, Node)> {
        self.entries
            .iter()
            .filter(move |(name, _)| self.table.find(name).is_none() && (self.table.open)(name) == Some(open))
    }

    /// Whether the table says that this is never to be shown.
    pub fn is_secret(&self, name: &str) -> bool {
        self.table.find(name).is_some_and(|key| key.kind.is_secret())
    }

    pub fn node(&self, name: &str) -> Option<&Node> {
        debug_assert!(self.table.find(name).is_some(), "no row {name} in {}", self.table.name);
        self.entries.iter().find(|(key, _)| key == name).map(|(_, node)| node)
    }

    pub fn bool(&self, name: &str) -> Option<bool> {
        self.node(name)?.as_bool()
    }

    pub fn int(&self, name: &str) -> Option<u64> {
        self.node(name)?.as_u64()
    }

    /// A small count; larger ones are capped.
    pub fn count(&self, name: &str) -> Option<u32> {
        self.int(name).map(|number| u32::try_from(number).unwrap_or(u32::MAX))
    }

    pub fn seconds(&self, name: &str) -> Option<Duration> {
        self.node(name)?.as_duration()
    }

    pub fn bytes(&self, name: &str) -> Option<u64> {
        self.node(name)?.as_bytes()
    }

    pub fn text(&self, name: &str) -> Option<String> {
        self.node(name)?.as_text().map(str::to_owned)
    }

    /// Empty text is no secret.
    pub fn secret(&self, name: &str) -> Option<SecretString> {
        self.node(name)?.as_text().filter(|text| !text.is_empty()).map(SecretString::from)
    }

    pub fn texts(&self, name: &str) -> Option<Vec<String>> {
        self.node(name)?.as_texts()
    }

    /// Adds entries that are not there, without checking them against the table.
    pub(super) fn fill(&mut self, entries: &[(String, Node)]) {
        for (name, node) in entries.iter().filter(|(_, node)| !node.is_null()) {
            if !self.entries.iter().any(|(key, _)| key == name) {
                self.entries.push((name.clone(), node.clone()));
            }
        }
    }
}
