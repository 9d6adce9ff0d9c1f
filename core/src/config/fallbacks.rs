//! Fallback lists and aliases: names that point to model groups.

use super::keys::ALIAS;
use super::models::ModelEntry;
use super::problems::{Place, Problems, did_you_mean};
use super::section::{Section, join};
use super::tree::{Node, Value};

/// A model group, and the groups to try after it, in order.
pub type Fallbacks = Vec<(String, Vec<String>)>;

/// Another name for a model group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    pub name: String,
    pub model: String,
    /// Left out of lists of models.
    pub hidden: bool,
}

/// Reads `[{group: [group, …]}, …]`; a single group may stand without its list.
pub(super) fn read(section: &Section, name: &str, problems: &mut Problems) -> Fallbacks {
    let items = section.node(name).map(Node::items).unwrap_or_default();
    let path = section.place(name).path;
    let mut fallbacks = Fallbacks::new();
    for (at, item) in items.iter().enumerate().filter(|(_, item)| !item.is_null()) {
        let place = item.place(format!("{path}[{at}]"));
        if item.entries().is_empty() {
            problems.error(
                &place,
                "expected a map from a model to its fallbacks",
                "write {model: [other, …]}",
            );
        }
        for (group, targets) in item.entries() {
            match targets.as_texts() {
                Some(targets) => fallbacks.push((group.clone(), targets)),
                None => problems.error(&place, "expected a list of model names", ""),
            }
        }
    }
    fallbacks
}

/// Reads `{alias: group}` and `{alias: {model: group, hidden: true}}`.
pub(super) fn aliases(section: &Section, problems: &mut Problems) -> Vec<Alias> {
    let path = section.place("model_group_alias").path;
    let entries = section.node("model_group_alias").map(Node::entries).unwrap_or_default();
    let read = |(name, node): &(String, Node)| alias(name, node, &join(&path, name), problems);
    entries.iter().filter_map(read).collect()
}

fn alias(name: &str, node: &Node, path: &str, problems: &mut Problems) -> Option<Alias> {
    let (model, hidden) = match &node.value {
        Value::Null => return None,
        Value::Map(_) => {
            let section = Section::read(node, &ALIAS, path, problems);
            (section.text("model"), section.bool("hidden").unwrap_or(false))
        }
        _ => (node.as_text().map(str::to_owned), false),
    };
    if model.is_none() {
        problems.error(&node.place(path), "expected a model name, or {model, hidden}", "");
    }
    Some(Alias { name: name.to_owned(), model: model?, hidden })
}

// --- do the names exist? ---

/// Names that a client can ask for.
pub(super) struct Names<'a> {
    exact: Vec<&'a str>,
    /// Before and after the `*`.
    wild: Vec<(&'a str, &'a str)>,
}

impl<'a> Names<'a> {
    pub(super) fn of(models: &'a [ModelEntry], aliases: &'a [Alias]) -> Self {
        let all = models.iter().map(|m| m.name.as_str()).chain(aliases.iter().map(|a| a.name.as_str()));
        let mut exact: Vec<_> = all.collect();
        exact.sort_unstable();
        exact.dedup();
        let wild = exact.iter().filter_map(|name| name.split_once('*')).collect();
        Self { exact, wild }
    }

    fn has(&self, name: &str) -> bool {
        let long = |start: &str, end: &str| name.len() >= start.len() + end.len();
        name == "*"
            || self.exact.binary_search(&name).is_ok()
            || self.wild.iter().any(|(s, e)| name.starts_with(s) && name.ends_with(e) && long(s, e))
    }

    /// Warns about a name that no model, alias or wildcard has: it may yet come from the ledger.
    pub(super) fn check(&self, name: &str, at: &Place, problems: &mut Problems) {
        if problems.has_room() && !self.has(name) {
            let cure = did_you_mean(name, self.exact.iter().copied());
            problems.warn(at, format!("no model {name:?} in model_list"), cure);
        }
    }
}
