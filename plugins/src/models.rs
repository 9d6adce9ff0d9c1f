//! Finding deployments by the name a client asks for: deployment id, group, alias, pattern, in LiteLLM's order.

use crate::deployment::Deployment;
use crate::own::Own;
use crate::providers;
use std::collections::HashMap;
use std::sync::Arc;
use weir_core::config::env::Env;
use weir_core::config::problems::{Place, Problems};
use weir_core::config::provider::{self, ANY};
use weir_core::config::{Config, Info, JsonMap, ModelEntry, Params};
use weir_core::model::prices::Catalogue;

/// All deployments that share a public name.
#[derive(Debug)]
pub struct Group {
    pub name: String,
    /// In the order of the config.
    pub deployments: Vec<Arc<Deployment>>,
}

/// What a configuration can serve.
pub struct ModelTable {
    groups: HashMap<String, Arc<Group>>,
    /// Group and pattern names in the order of the config.
    names: Vec<String>,
    by_id: HashMap<String, Arc<Group>>,
    aliases: HashMap<String, Alias>,
    /// Longest literal part first, so that the narrowest pattern wins.
    patterns: Vec<Pattern>,
    /// Groups made from patterns, by concrete name.
    expanded: moka::sync::Cache<String, Arc<Group>>,
    context: Context,
}

struct Alias {
    target: String,
    hidden: bool,
}

struct Pattern {
    name: String,
    entries: Vec<ModelEntry>,
}

/// What it takes to build a deployment later, when a pattern is first matched.
struct Context {
    config: Arc<Config>,
    env: Arc<Env>,
    catalogue: Arc<Catalogue>,
}

/// The id of all models that nobody configured.
const PASSED_ON: &str = "pass_through_all_models";

/// Concrete names that patterns were asked for and that are kept built.
const MAX_EXPANDED: u64 = 1_000;

// --- ModelTable ---

impl ModelTable {
    /// Builds every deployment. What cannot be built is a problem of its entry, not of the others.
    pub fn build(
        config: Arc<Config>,
        env: Arc<Env>,
        catalogue: Arc<Catalogue>,
        problems: &mut Problems,
    ) -> Self {
        let mut table = Self {
            groups: HashMap::new(),
            names: Vec::new(),
            by_id: HashMap::new(),
            aliases: aliases(&config),
            patterns: Vec::new(),
            expanded: moka::sync::Cache::new(MAX_EXPANDED),
            context: Context { config, env, catalogue },
        };
        let mut grouped: HashMap<String, Vec<Arc<Deployment>>> = HashMap::new();
        let config = Arc::clone(&table.context.config);
        for (index, entry) in config.models.iter().enumerate() {
            table.name(&entry.name);
            if entry.name.contains('*') {
                table.add_pattern(entry);
                continue;
            }
            match table.context.build(entry) {
                Ok(deployment) => grouped.entry(entry.name.clone()).or_default().push(Arc::new(deployment)),
                Err(fault) => report(problems, index, entry, fault),
            }
        }
        grouped.into_iter().for_each(|(name, deployments)| table.add_group(name, deployments));
        table.patterns.sort_by_key(|p| std::cmp::Reverse(p.name.len()));
        table
    }

    fn name(&mut self, name: &str) {
        if !self.names.iter().any(|n| n == name) {
            self.names.push(name.to_owned());
        }
    }

    fn add_pattern(&mut self, entry: &ModelEntry) {
        match self.patterns.iter_mut().find(|p| p.name == entry.name) {
            Some(pattern) => pattern.entries.push(entry.clone()),
            None => self.patterns.push(Pattern { name: entry.name.clone(), entries: vec![entry.clone()] }),
        }
    }

    fn add_group(&mut self, name: String, deployments: Vec<Arc<Deployment>>) {
        for deployment in &deployments {
            let alone = Group { name: name.clone(), deployments: vec![Arc::clone(deployment)] };
            self.by_id.insert(deployment.id.clone(), Arc::new(alone));
        }
        self.groups.insert(name.clone(), Arc::new(Group { name, deployments }));
    }

    /// The group a name stands for.
    pub fn find(&self, name: &str) -> Option<Arc<Group>> {
        if let Some(group) = self.groups.get(name).or_else(|| self.by_id.get(name)) {
            return Some(Arc::clone(group));
        }
        if let Some(alias) = self.aliases.get(name) {
            return self.groups.get(&alias.target).cloned().or_else(|| self.by_pattern(&alias.target));
        }
        self.by_pattern(name)
    }

    fn by_pattern(&self, name: &str) -> Option<Arc<Group>> {
        if let Some(group) = self.expanded.get(name) {
            return Some(group);
        }
        let entries = self.matched(name).or_else(|| self.passed_on(name))?;
        let deployments: Vec<_> =
            entries.iter().filter_map(|entry| self.context.build(entry).ok()).map(Arc::new).collect();
        if deployments.is_empty() {
            return None;
        }
        let group = Arc::new(Group { name: name.to_owned(), deployments });
        self.expanded.insert(name.to_owned(), Arc::clone(&group));
        Some(group)
    }

    /// The entries of the narrowest pattern that a name fits, for that name.
    fn matched(&self, name: &str) -> Option<Vec<ModelEntry>> {
        let (pattern, star) = self.patterns.iter().find_map(|p| Some((p, star_of(&p.name, name)?)))?;
        Some(pattern.entries.iter().map(|entry| filled(entry, name, star)).collect())
    }

    /// The entry that a name stands for by itself, where every model is passed on.
    fn passed_on(&self, name: &str) -> Option<Vec<ModelEntry>> {
        if !self.context.config.router.pass_through_all_models {
            return None;
        }
        let served: Vec<&str> = providers::rows().map(|row| row.prefix).collect();
        let meant = provider::of(name, None, &served).ok().filter(|meant| meant.provider != ANY)?;
        let entry = unwritten(PASSED_ON.to_owned(), meant.provider, meant.model);
        Some(vec![ModelEntry { name: name.to_owned(), ..entry }])
    }

    /// The same group with a client's own credentials, for one request.
    ///
    /// # Errors
    /// One of its deployments cannot be asked with them.
    pub fn owned(&self, group: &Group, own: &Own) -> Result<Group, providers::Fault> {
        let named = self.context.config.models.iter().filter(|entry| entry.name == group.name);
        let mut entries: Vec<ModelEntry> = named.cloned().collect();
        if entries.is_empty() {
            entries = self.matched(&group.name).unwrap_or_default();
        }
        entries.retain(|entry| group.deployments.iter().any(|d| d.id == entry.id));
        let built = entries.into_iter().map(|entry| self.context.owned(entry, own).map(Arc::new));
        Ok(Group { name: group.name.clone(), deployments: built.collect::<Result<_, _>>()? })
    }

    /// Names for `/v1/models`: visible aliases, then groups, patterns replaced by the models the catalogue knows.
    pub fn visible(&self, keep_patterns: bool) -> Vec<String> {
        let mut names: Vec<String> =
            self.aliases.iter().filter(|(_, alias)| !alias.hidden).map(|(name, _)| name.clone()).collect();
        names.sort();
        for name in &self.names {
            let pattern = name.contains('*');
            if pattern {
                self.known(name, &mut names);
            }
            if (!pattern || keep_patterns) && !names.contains(name) {
                names.push(name.clone());
            }
        }
        names
    }

    /// Catalogue models that a pattern like `openai/*` serves.
    fn known(&self, pattern: &str, names: &mut Vec<String>) {
        let Some(provider) = pattern.strip_suffix("/*").and_then(providers::row) else { return };
        for model in self.context.catalogue.models_of(provider.prefix) {
            let plain =
                model.strip_prefix(provider.prefix).and_then(|m| m.strip_prefix('/')).unwrap_or(model);
            let name = format!("{}/{plain}", provider.prefix);
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }

    /// Whether any deployment of this name belongs to an access group.
    fn in_access_group(&self, model: &str, access_group: &str) -> bool {
        let has = |d: &Arc<Deployment>| d.access_groups.iter().any(|g| g == access_group);
        self.groups.get(model).is_some_and(|group| group.deployments.iter().any(has))
    }

    /// Whether `openai/*` means this model, too, as with LiteLLM: its name is one of OpenAI's (`gpt-4o`), and nobody else
    /// serves it here.
    fn belongs_to(&self, model: &str, pattern: &str) -> bool {
        let (Some(provider), Some(group)) = (pattern.strip_suffix("/*"), self.groups.get(model)) else {
            return false;
        };
        let served = group.deployments.iter().all(|d| d.provider.prefix == provider);
        served && self.context.catalogue.get(model).is_some_and(|facts| facts.provider == provider)
    }

    /// A deployment by its id; none for those made from patterns.
    pub fn by_id(&self, id: &str) -> Option<Arc<Deployment>> {
        self.by_id.get(id).and_then(|group| group.deployments.first().cloned())
    }

    /// A deployment as it is asked whether it is well: with the model that is named for that (`health_check_model`). None for
    /// a pattern that names none.
    pub fn to_check(&self, id: &str) -> Option<Arc<Deployment>> {
        let entry = self.context.config.models.iter().find(|entry| entry.id == id)?;
        match &entry.info.check.model {
            None => self.by_id(id),
            Some(model) => self.context.build(&asking_for(entry, model)).ok().map(Arc::new),
        }
    }

    /// A deployment by its id and the group it was made for.
    pub fn made(&self, id: &str, group: &str) -> Option<Arc<Deployment>> {
        let by_group = || self.find(group)?.deployments.iter().find(|d| d.id == id).cloned();
        self.by_id(id).or_else(by_group)
    }

    pub fn deployments(&self) -> impl Iterator<Item = &Arc<Deployment>> {
        self.groups.values().flat_map(|group| &group.deployments)
    }
}

impl Context {
    fn build(&self, entry: &ModelEntry) -> Result<Deployment, providers::Fault> {
        Deployment::build(entry, &self.config, &self.env, &self.catalogue)
    }

    /// Whoever names an address gets nothing of the operator's there, not even of the environment.
    fn owned(&self, mut entry: ModelEntry, own: &Own) -> Result<Deployment, providers::Fault> {
        own.put_into(&mut entry);
        let nothing = Env::default();
        let env = if own.has_base() { &nothing } else { self.env.as_ref() };
        let mut built = Deployment::build(&entry, &self.config, env, &self.catalogue)?;
        if built.wire.signer.is_some() {
            let message = format!("{} is not asked with a key alone", built.provider.prefix);
            return Err(providers::Fault::new("api_key", message, "leave it out"));
        }
        (built.of_client, built.public_only) = (true, own.is_unlisted(&built.left));
        if own.has_base() {
            // Metrics and entries are counted by it, and nobody bounds what clients choose.
            "client-side".clone_into(&mut built.wire.api_base);
        }
        Ok(built)
    }
}

fn aliases(config: &Config) -> HashMap<String, Alias> {
    let written = config.router.model_group_alias.iter();
    written.map(|a| (a.name.clone(), Alias { target: a.model.clone(), hidden: a.hidden })).collect()
}

/// A deployment that cannot be built is only a warning: the other models work.
fn report(problems: &mut Problems, index: usize, entry: &ModelEntry, fault: providers::Fault) {
    let path = format!("model_list[{index}].litellm_params.{}", fault.setting);
    let place = Place { path, file: 0, line: entry.line };
    problems.warn(&place, format!("{} ({})", fault.message, entry.name), fault.cure);
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
fn filled(entry: &ModelEntry, name: &str, star: &str) -> ModelEntry {
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

/// The entry with another model of its provider; that of a bare `*` has the provider that the model begins with.
fn asking_for(entry: &ModelEntry, model: &str) -> ModelEntry {
    if entry.model_as_written == "*" {
        return filled(entry, model, model);
    }
    let plain = model.strip_prefix(&entry.provider).and_then(|rest| rest.strip_prefix('/')).unwrap_or(model);
    ModelEntry { upstream_model: plain.to_owned(), ..entry.clone() }
}

// --- what a key may use ---

/// Names that stand for every model.
static EVERYTHING: &[&str] = &["*", "all-proxy-models", "all-team-models"];

/// Whether a key with this list may use a model. An empty list allows all; entries may be names, patterns, access groups,
/// or all of a provider's models.
pub fn may_use(allowed: &[String], model: &str, table: &ModelTable) -> bool {
    if allowed.is_empty() {
        return true;
    }
    allowed.iter().any(|entry| {
        entry == model
            || EVERYTHING.contains(&entry.as_str())
            || star_of(entry, model).is_some()
            || table.in_access_group(model, entry)
            || table.belongs_to(model, entry)
    })
}
