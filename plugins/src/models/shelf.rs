//! Groups and patterns under the names that they are asked for by: everybody's, or one team's own.

use super::{Context, Group};
use crate::deployment::Deployment;
use crate::providers;
use std::collections::HashMap;
use std::sync::Arc;
use weir_core::config::ModelEntry;
use weir_core::config::provider::{self, ANY};
use weir_core::config::{Info, JsonMap, Params};

pub(super) struct Shelf {
    pub(super) groups: HashMap<String, Arc<Group>>,
    /// Names of groups and patterns in the order of the config.
    pub(super) names: Vec<String>,
    /// Longest literal part first, so that the narrowest pattern wins.
    patterns: Vec<Pattern>,
    /// Groups made from patterns, by concrete name.
    expanded: moka::sync::Cache<String, Arc<Group>>,
}

struct Pattern {
    name: String,
    entries: Vec<ModelEntry>,
}

/// Concrete names that patterns were asked for and that are kept built.
const MAX_EXPANDED: u64 = 1_000;

/// The id of all models that nobody configured.
const PASSED_ON: &str = "pass_through_all_models";

impl Default for Shelf {
    fn default() -> Self {
        Self {
            groups: HashMap::new(),
            names: Vec::new(),
            patterns: Vec::new(),
            expanded: moka::sync::Cache::new(MAX_EXPANDED),
        }
    }
}

// --- Shelf ---

impl Shelf {
    /// Notes a name, in the order in which it comes.
    pub(super) fn name(&mut self, name: &str) {
        if !self.names.iter().any(|n| n == name) {
            self.names.push(name.to_owned());
        }
    }

    pub(super) fn add_pattern(&mut self, name: &str, entry: &ModelEntry) {
        match self.patterns.iter_mut().find(|p| p.name == name) {
            Some(pattern) => pattern.entries.push(entry.clone()),
            None => self.patterns.push(Pattern { name: name.to_owned(), entries: vec![entry.clone()] }),
        }
        self.patterns.sort_by_key(|p| std::cmp::Reverse(p.name.len()));
    }

    /// Another deployment of a group, which is made with the first.
    pub(super) fn add(&mut self, name: &str, deployment: Arc<Deployment>) {
        let group = self
            .groups
            .entry(name.to_owned())
            .or_insert_with(|| Arc::new(Group { name: deployment.group.clone(), deployments: Vec::new() }));
        // Nobody else has it: groups are handed out when the table is whole.
        if let Some(group) = Arc::get_mut(group) {
            group.deployments.push(deployment);
        }
    }

    pub(super) fn find(&self, name: &str, context: &Context) -> Option<Arc<Group>> {
        self.groups.get(name).cloned().or_else(|| self.by_pattern(name, context))
    }

    pub(super) fn by_pattern(&self, name: &str, context: &Context) -> Option<Arc<Group>> {
        if let Some(group) = self.expanded.get(name) {
            return Some(group);
        }
        let entries = self.matched(name)?;
        self.build(name, &entries, context)
    }

    /// Whether there is anything of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.groups.contains_key(name) || self.patterns.iter().any(|p| star_of(&p.name, name).is_some())
    }

    /// The entries of the narrowest pattern that a name fits, for that name.
    pub(super) fn matched(&self, name: &str) -> Option<Vec<ModelEntry>> {
        let (pattern, star) = self.patterns.iter().find_map(|p| Some((p, star_of(&p.name, name)?)))?;
        Some(pattern.entries.iter().map(|entry| filled(entry, name, star)).collect())
    }

    /// The group that a name stands for by itself, where every model is passed on.
    pub(super) fn passed_on(&self, name: &str, context: &Context) -> Option<Arc<Group>> {
        if let Some(group) = self.expanded.get(name) {
            return Some(group);
        }
        self.build(name, &[meant(name, context)?], context)
    }

    fn build(&self, name: &str, entries: &[ModelEntry], context: &Context) -> Option<Arc<Group>> {
        let built = entries.iter().filter_map(|entry| context.build(entry).ok());
        let deployments: Vec<_> = built.map(Arc::new).collect();
        if deployments.is_empty() {
            return None;
        }
        let group = Arc::new(Group { name: name.to_owned(), deployments });
        self.expanded.insert(name.to_owned(), Arc::clone(&group));
        Some(group)
    }
}

/// The entry that a name stands for by itself.
pub(super) fn meant(name: &str, context: &Context) -> Option<ModelEntry> {
    let served: Vec<&str> = providers::rows().map(|row| row.prefix).collect();
    let meant = provider::of(name, None, &served).ok().filter(|meant| meant.provider != ANY)?;
    let entry = unwritten(PASSED_ON.to_owned(), meant.provider, meant.model);
    let mut entry = ModelEntry { name: name.to_owned(), ..entry };
    context.config.litellm.library.fill(&mut entry);
    Some(entry)
}

/// An entry that says `provider/model` and nothing else.
pub(crate) fn unwritten(id: String, provider: &str, model: &str) -> ModelEntry {
    ModelEntry {
        name: model.to_owned(),
        id,
        provider: provider.to_owned(),
        upstream_model: model.to_owned(),
        model_as_written: format!("{provider}/{model}"),
        params: Params::default(),
        info: Info::default(),
        shown: JsonMap::default(),
        from_ledger: false,
        line: 0,
        provenance: Default::default(),
    }
}

// --- patterns ---

/// What the star of a pattern stands for in `name`.
pub fn star_of<'n>(pattern: &str, name: &'n str) -> Option<&'n str> {
    let (before, after) = pattern.split_once('*')?;
    let star = name.strip_prefix(before)?.strip_suffix(after)?;
    (!star.is_empty()).then_some(star)
}

/// The entry of a pattern for one concrete name.
pub(super) fn filled(entry: &ModelEntry, name: &str, star: &str) -> ModelEntry {
    let mut entry = entry.clone();
    entry.name = name.to_owned();
    if entry.model_as_written == "*" {
        // `*` passes the whole name on, provider prefix included.
        if let Some((prefix, model)) =
            name.split_once('/').filter(|(prefix, _)| providers::row(prefix).is_some())
        {
            prefix.clone_into(&mut entry.provider);
            model.clone_into(&mut entry.upstream_model);
            return entry;
        }
        entry.upstream_model = name.to_owned();
        return entry;
    }
    entry.upstream_model = entry.upstream_model.replacen('*', star, 1);
    entry
}
