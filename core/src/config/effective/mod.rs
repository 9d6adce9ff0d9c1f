//! Every setting as it is in force, and where its value comes from. For people who look, so no secret is in it.
//!
//! `defaults` is the table of what counts where no file says anything, `told` what a running gateway remembers of it.

mod defaults;
#[cfg(test)]
mod tests;
mod told;

pub(super) use told::sections;
pub use told::{Told, default_of};

use super::env::Env;
use super::file::ModelFile;
use super::keys::{self, Key, Kind, State, Table};
use super::load::{Config, Notes, Written};
use super::models::{ModelEntry, names_secret};
use super::problems::Problems;
use super::provenance::of_ledger;
use super::section::{Section, join};
use super::tree::{Node, Value};
use serde_json::{Map, Value as Json, json};
use std::collections::HashMap;

pub use super::provenance::{Provenance, Source};

/// In place of a secret.
pub const HIDDEN: &str = "***";

/// The whole configuration, told.
#[derive(Clone, Debug, Default)]
pub struct Effective {
    /// Section by section, in the order of the tables; what no table knows stands behind the rest of its section.
    pub settings: Vec<Setting>,
    pub models: Vec<Model>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    pub section: &'static str,
    pub name: String,
    /// Null where nothing is set and there is no default.
    pub value: Json,
    pub source: Source,
    /// Whether anything depends on it in this version.
    pub used: bool,
}

/// A deployment, as it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    pub name: String,
    pub id: String,
    pub params: Map<String, Json>,
    pub provenance: Provenance,
}

/// Paths of values that are `os.environ/NAME`, with the name.
#[derive(Debug, Default)]
pub(super) struct References(HashMap<String, String>);

// --- Effective ---

impl Effective {
    pub(super) fn of(
        written: &Written,
        config: &Config,
        env: &Env,
        notes: &Notes,
        problems: &Problems,
    ) -> Self {
        let teller = Teller { written, config, env, references: &notes.references, problems };
        let mut files = written.file.models.iter();
        // Entries that were left out have nothing to tell.
        let models = config.models.iter().filter_map(|entry| {
            let file = files.find(|file| file.model_name == entry.name && file.at.line == entry.line)?;
            Some(teller.model(file, entry))
        });
        Self { settings: teller.settings(), models: models.collect() }
    }
}

// --- References ---

impl References {
    /// Walks the sections of settings.
    pub(super) fn of(root: &Node) -> Self {
        let mut found = HashMap::new();
        for (section, node) in root.entries() {
            for (name, value) in node.entries() {
                if let Value::Text(text) = &value.value
                    && let Some(variable) = text.strip_prefix("os.environ/")
                {
                    found.insert(join(section, name), variable.trim().to_owned());
                }
            }
        }
        Self(found)
    }
}

// --- telling ---

struct Teller<'a> {
    written: &'a Written,
    config: &'a Config,
    /// Of the process, without what the configuration lays over it.
    env: &'a Env,
    references: &'a References,
    problems: &'a Problems,
}

impl Teller<'_> {
    fn settings(&self) -> Vec<Setting> {
        let file = &self.written.file;
        let sections: [(&'static Table, &Section); 4] = [
            (&keys::GENERAL, &file.general),
            (&keys::LITELLM, &file.litellm),
            (&keys::ROUTER, &file.router),
            (&keys::WEIR, &file.weir),
        ];
        sections.into_iter().flat_map(|(table, section)| self.section(table, section)).collect()
    }

    fn section(&self, table: &'static Table, section: &Section) -> Vec<Setting> {
        let used = table.keys.iter().filter(|key| key.state == State::Used);
        let mut told: Vec<Setting> = used.map(|key| self.known(table, section, key)).collect();
        for (name, node) in section.entries() {
            if !table.find(name).is_some_and(|key| key.state == State::Used) {
                let value = shown(node, names_secret(name));
                let source = self.source(&join(table.name, name), node);
                told.push(Setting { section: table.name, name: name.clone(), value, source, used: false });
            }
        }
        told
    }

    fn known(&self, table: &'static Table, section: &Section, key: &'static Key) -> Setting {
        let (value, source) = self.in_force(table, section, key);
        Setting { section: table.name, name: key.name.to_owned(), value, source, used: true }
    }

    fn in_force(&self, table: &'static Table, section: &Section, key: &'static Key) -> (Json, Source) {
        let row = defaults::find(table.name, key.name);
        let variable = row.and_then(|row| self.variable(row.variables));
        let first = variable.filter(|_| row.is_some_and(|row| row.environment_first));
        let hidden = key.kind.is_secret();
        let read = || row.map_or(Json::Null, |row| (row.value)(self.config));
        if let (Some(node), None) = (section.node(key.name), first) {
            return (shown(node, hidden), self.source(&join(table.name, key.name), node));
        }
        if let Some(variable) = variable {
            return (self.of_variable(variable, hidden, read()), Source::Environment(variable.to_owned()));
        }
        let litellm = &self.written.file.litellm;
        let under = row.and_then(|row| row.under).and_then(|name| Some((name, litellm.node(name)?)));
        if let Some((name, node)) = under {
            return (shown(node, hidden), self.source(&join(keys::LITELLM.name, name), node));
        }
        let value = read();
        (if value.is_null() { empty(key.kind) } else { value }, Source::Default)
    }

    /// What the variable made of the setting, else what it holds.
    fn of_variable(&self, variable: &str, hidden: bool, made: Json) -> Json {
        match (hidden, made) {
            (true, _) => HIDDEN.into(),
            (false, Json::Null) => self.config.env.filled(variable).map_or(Json::Null, Json::from),
            (false, made) => made,
        }
    }

    /// The first of them that is set; those of the process before what follows from them.
    fn variable(&self, names: &'static [&'static str]) -> Option<&'static str> {
        let set = |env: &Env| names.iter().copied().find(|name| env.filled(name).is_some());
        set(self.env).or_else(|| set(&self.config.env))
    }

    fn source(&self, path: &str, node: &Node) -> Source {
        if of_ledger(node, self.problems) {
            return Source::Ledger;
        }
        let name = self.problems.file_name(node.file).to_owned();
        Source::File { name, line: node.line, variable: self.references.0.get(path).cloned() }
    }

    fn model(&self, file: &ModelFile, entry: &ModelEntry) -> Model {
        let param = |(name, node): &(String, Node)| {
            let value = match entry.shown.get(name) {
                Some(_) => shown(node, false),
                None => HIDDEN.into(),
            };
            (name.clone(), value)
        };
        Model {
            name: entry.name.clone(),
            id: entry.id.clone(),
            params: file.params.entries().iter().map(param).collect(),
            provenance: entry.provenance.clone(),
        }
    }
}

/// What a setting means that is not set, has no row in the table, and is of this kind.
fn empty(kind: Kind) -> Json {
    match kind {
        Kind::Bool => json!(false),
        Kind::List | Kind::Texts => json!([]),
        Kind::Map | Kind::SecretMap => json!({}),
        _ => Json::Null,
    }
}

// --- secrets ---

/// The value without what is secret: by its table (`hidden`), by its name, as the credentials in an address, or because
/// it came from the environment into the middle of something.
fn shown(node: &Node, hidden: bool) -> Json {
    match &node.value {
        Value::Null => Json::Null,
        Value::Bool(b) => json!(b),
        _ if hidden => HIDDEN.into(),
        Value::Number(text) => serde_json::from_str(text).unwrap_or_else(|_| text.as_str().into()),
        Value::Text(text) => without_credentials(text).into(),
        Value::List(items) => items.iter().map(|item| shown(item, item.from_env)).collect(),
        Value::Map(members) => {
            let member = |(name, node): &(String, Node)| {
                (name.clone(), shown(node, node.from_env || names_secret(name)))
            };
            Json::Object(members.iter().map(member).collect())
        }
    }
}

/// `https://user:password@host` is told as `https://***@host`.
fn without_credentials(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://{HIDDEN}@{host}{path}"),
        None => text.to_owned(),
    }
}
