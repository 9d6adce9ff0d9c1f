//! What was made over the API, laid over the files: the ledger's models, credentials and settings.
//!
//! Settings lie over those of the files, name by name. Models stand behind the files' ones; one that overrides changes
//! the entry with its id, member by member.

use super::env::Env;
use super::models::derived_id;
use super::problems::{Place, Problems};
use super::resolve;
use super::tree::{Node, Value, parse};
use secrecy::{ExposeSecret, SecretString};

/// All of it, opened. `Debug` shows no value.
#[derive(Clone, Debug, Default)]
pub struct Additions {
    pub models: Vec<AddedModel>,
    pub credentials: Vec<AddedCredential>,
    /// A section's name, and a JSON object.
    pub settings: Vec<(String, SecretString)>,
    /// A catalogue's text, as [`crate::model::prices::Catalogue::parse`] reads it; `None`: nobody has fetched one.
    pub price_map: Option<String>,
}

/// A deployment.
#[derive(Clone, Debug)]
pub struct AddedModel {
    pub id: String,
    pub name: String,
    /// `litellm_params` as a JSON object.
    pub params: SecretString,
    /// `model_info` as a JSON object.
    pub info: String,
    /// Changes the files' entry with this id.
    pub overrides: bool,
    /// An admin of its team made it: it gets nothing of the operator's.
    pub by_team: bool,
}

#[derive(Clone, Debug)]
pub struct AddedCredential {
    pub name: String,
    /// A JSON object.
    pub values: SecretString,
}

impl Additions {
    pub fn is_empty(&self) -> bool {
        self.models.is_empty() && self.credentials.is_empty() && self.settings.is_empty()
    }

    /// Before the environment is read: `environment_variables` may be among the settings.
    pub(super) fn lay_settings(&self, root: &mut Node, problems: &mut Problems) {
        for (name, value) in &self.settings {
            let value = read(value.expose_secret(), &format!("the ledger's {name}"), problems);
            if let Some(value) = value {
                change(root, name, |section| over(section, value));
            }
        }
    }

    /// Before references are resolved: models and credentials may have some.
    pub(super) fn lay_lists(&self, root: &mut Node, problems: &mut Problems) {
        for credential in &self.credentials {
            let from = format!("the ledger's credential {}", credential.name);
            if let Some(values) = read(credential.values.expose_secret(), &from, problems) {
                let name = text(&credential.name, &values);
                push(root, "credential_list", vec![("credential_name", name), ("credential_values", values)]);
            }
        }
        for model in self.models.iter().filter(|model| !model.overrides) {
            if let Some(entry) = model.entry(problems) {
                push(root, "model_list", entry);
            }
        }
    }

    /// Behind resolving: a derived id is made of what references stand for.
    pub(super) fn override_models(&self, root: &mut Node, env: &Env, problems: &mut Problems) {
        for model in self.models.iter().filter(|model| model.overrides) {
            let Some(entry) = model.entry(problems) else { continue };
            let mut entry = map(entry);
            resolve::references(&mut entry, env, &mut String::from("model_list[]"), problems);
            // An entry that is gone from the files takes with it what changed it.
            change(root, "model_list", |list| {
                let Value::List(entries) = &mut list.value else { return };
                if let Some(found) = entries.iter_mut().find(|written| id_of(written) == model.id) {
                    over(found, entry);
                }
            });
        }
    }
}

impl AddedModel {
    /// The entry of a `model_list`, marked as LiteLLM marks it.
    fn entry(&self, problems: &mut Problems) -> Option<Vec<(&'static str, Node)>> {
        let from = format!("the ledger's model {}", self.id);
        let params = read(self.params.expose_secret(), &from, problems)?;
        let mut info = read(&self.info, &from, problems)?;
        let place = Node { value: Value::Null, ..params.clone() };
        change(&mut info, "id", |id| *id = text(&self.id, &place));
        let made_here = Node { value: Value::Bool(!self.overrides), ..place.clone() };
        change(&mut info, "db_model", |mark| *mark = made_here);
        if self.by_team {
            let mark = Node { value: Value::Bool(true), ..place.clone() };
            change(&mut info, "made_by_team", |by| *by = mark);
        }
        let mut entry = vec![("litellm_params", params), ("model_info", info)];
        if !self.name.is_empty() {
            entry.push(("model_name", text(&self.name, &place)));
        }
        Some(entry)
    }
}

/// The id of a written entry.
fn id_of(entry: &Node) -> String {
    let as_text = |node: Option<&Node>| node.and_then(Node::as_text).unwrap_or_default().to_owned();
    let own = as_text(entry.get("model_info").and_then(|info| info.get("id")));
    if !own.is_empty() {
        return own;
    }
    let Some(params) = entry.get("litellm_params") else { return String::new() };
    derived_id(&as_text(entry.get("model_name")), params)
}

// --- the tree ---

fn read(json: &str, from: &str, problems: &mut Problems) -> Option<Node> {
    let file = problems.file(from);
    match parse(json, file) {
        Ok(node) if matches!(node.value, Value::Map(_)) => Some(node),
        Ok(node) => {
            problems.error(&node.place(""), format!("expected a map, found {}", node.what()), "");
            None
        }
        Err(fault) => {
            problems.error(&Place { path: String::new(), file, line: fault.line }, fault.message, fault.cure);
            None
        }
    }
}

/// `new` over `old`: maps member by member, everything else as a whole; null takes away.
fn over(old: &mut Node, new: Node) {
    let Value::Map(members) = new.value else {
        *old = new;
        return;
    };
    if !matches!(old.value, Value::Map(_)) {
        old.value = Value::Map(Vec::new());
    }
    for (name, member) in members {
        change(old, &name, |old| over(old, member));
    }
}

/// Changes a map's member, which is made where it is missing.
fn change(parent: &mut Node, name: &str, change: impl FnOnce(&mut Node)) {
    let Value::Map(members) = &mut parent.value else { return };
    let at = members.iter().position(|(key, _)| key == name).unwrap_or_else(|| {
        members.push((name.to_owned(), Node::default()));
        members.len() - 1
    });
    change(&mut members[at].1);
}

fn push(root: &mut Node, list: &str, entry: Vec<(&'static str, Node)>) {
    change(root, list, |node| {
        if node.is_null() {
            node.value = Value::List(Vec::new());
        }
        if let Value::List(items) = &mut node.value {
            items.push(map(entry));
        }
    });
}

fn map(entry: Vec<(&'static str, Node)>) -> Node {
    let place = entry.first().map(|(_, node)| (node.file, node.line)).unwrap_or_default();
    let members = entry.into_iter().map(|(name, node)| (name.to_owned(), node)).collect();
    Node { value: Value::Map(members), file: place.0, line: place.1, from_env: false }
}

fn text(text: &str, place: &Node) -> Node {
    Node { value: Value::Text(text.to_owned()), file: place.file, line: place.line, from_env: false }
}
