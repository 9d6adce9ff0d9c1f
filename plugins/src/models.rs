//! Finding deployments by the name a client asks for: deployment id, group, alias, pattern, in LiteLLM's order. What only
//! one team sees stands on a shelf of its own.

mod shelf;

pub use shelf::star_of;
pub(crate) use shelf::unwritten;

use crate::deployment::Deployment;
use crate::own::Own;
use crate::providers;
use shelf::{Shelf, filled, meant};
use std::collections::HashMap;
use std::sync::Arc;
use weir_core::config::env::Env;
use weir_core::config::problems::{Place, Problems};
use weir_core::config::{Config, ModelEntry};
use weir_core::domain::key::Caller;
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
    open: Shelf,
    /// What only one team sees, by the team's id and by the names that it has for them.
    of_teams: HashMap<String, Shelf>,
    /// Those of teams too.
    by_id: HashMap<String, Arc<Group>>,
    aliases: HashMap<String, Alias>,
    context: Context,
}

struct Alias {
    target: String,
    hidden: bool,
}

/// What it takes to build a deployment later, when a pattern is first matched.
struct Context {
    config: Arc<Config>,
    env: Arc<Env>,
    catalogue: Arc<Catalogue>,
}

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
            open: Shelf::default(),
            of_teams: HashMap::new(),
            by_id: HashMap::new(),
            aliases: aliases(&config),
            context: Context { config, env, catalogue },
        };
        let config = Arc::clone(&table.context.config);
        for (index, entry) in config.models.iter().enumerate() {
            if let Err(fault) = table.add(entry) {
                report(problems, index, entry, fault);
            }
        }
        table
    }

    fn add(&mut self, entry: &ModelEntry) -> Result<(), providers::Fault> {
        let (shelf, name) = match &entry.info.team {
            None => (&mut self.open, &entry.name),
            Some(team) => {
                let name = entry.info.team_public_name.as_ref().unwrap_or(&entry.name);
                (self.of_teams.entry(team.clone()).or_default(), name)
            }
        };
        shelf.name(name);
        if name.contains('*') {
            shelf.add_pattern(name, entry);
            return Ok(());
        }
        let deployment = Arc::new(self.context.build(entry)?);
        shelf.add(name, Arc::clone(&deployment));
        let alone = Group { name: deployment.group.clone(), deployments: vec![Arc::clone(&deployment)] };
        self.by_id.insert(deployment.id.clone(), Arc::new(alone));
        Ok(())
    }

    /// The group a name stands for, for everybody.
    pub fn find(&self, name: &str) -> Option<Arc<Group>> {
        if let Some(group) = self.open.groups.get(name).or_else(|| self.open_by_id(name)) {
            return Some(Arc::clone(group));
        }
        if let Some(alias) = self.aliases.get(name) {
            return self.open.find(&alias.target, &self.context);
        }
        let passed_on = || {
            let wanted = self.context.config.router.pass_through_all_models;
            if wanted { self.open.passed_on(name, &self.context) } else { None }
        };
        self.open.by_pattern(name, &self.context).or_else(passed_on)
    }

    /// The same for this caller: what is its team's own comes first. Admins reach what is a team's by its id, or by the
    /// name that it has beside the team's.
    pub fn find_for(&self, name: &str, caller: &Caller) -> Option<Arc<Group>> {
        if self.of_teams.is_empty() {
            return self.find(name);
        }
        let team = team_of(caller);
        let own = team.and_then(|team| self.of_teams.get(team)?.find(name, &self.context));
        let by_id = || {
            let group = self.by_id.get(name)?;
            let may = caller.is_admin() || team.is_some() && team_of_group(group) == team;
            may.then(|| Arc::clone(group))
        };
        let named = || if caller.is_admin() { self.of_any_team(name) } else { None };
        own.or_else(by_id).or_else(|| self.find(name)).or_else(named)
    }

    fn open_by_id(&self, id: &str) -> Option<&Arc<Group>> {
        self.by_id.get(id).filter(|group| team_of_group(group).is_none())
    }

    fn of_any_team(&self, name: &str) -> Option<Arc<Group>> {
        self.of_teams.values().find_map(|shelf| shelf.groups.values().find(|g| g.name == name)).cloned()
    }

    /// Whether a name is a team's own, whoever asks.
    pub fn is_a_teams(&self, name: &str) -> bool {
        self.of_teams.values().any(|shelf| shelf.has(name))
    }

    /// Whether a name or an id is this team's own, so that it needs not be listed for it.
    pub fn is_own(&self, team: Option<&str>, name: &str) -> bool {
        let Some(team) = team else { return false };
        let named = self.of_teams.get(team).is_some_and(|shelf| shelf.has(name));
        named || self.by_id.get(name).is_some_and(|group| team_of_group(group) == Some(team))
    }

    /// The group that a deployment is of.
    pub fn group_of(&self, deployment: &Deployment) -> Option<Arc<Group>> {
        let Some(team) = &deployment.team else { return self.find(&deployment.group) };
        let has = |group: &&Arc<Group>| group.deployments.iter().any(|d| d.id == deployment.id);
        self.of_teams.get(team)?.groups.values().find(has).cloned()
    }

    /// The same group with a client's own credentials, for one request.
    ///
    /// # Errors
    /// One of its deployments cannot be asked with them.
    pub fn owned(&self, group: &Group, own: &Own) -> Result<Group, providers::Fault> {
        let here = |entry: &&ModelEntry| group.deployments.iter().any(|d| d.id == entry.id);
        let written = self.context.config.models.iter().filter(here);
        let mut entries: Vec<ModelEntry> = written.filter(|entry| !is_pattern(entry)).cloned().collect();
        if entries.is_empty() {
            let shelf = team_of_group(group).map_or(Some(&self.open), |team| self.of_teams.get(team));
            entries = shelf.and_then(|shelf| shelf.matched(&group.name)).unwrap_or_default();
            entries.retain(|entry| here(&entry));
        }
        if entries.is_empty() {
            // Every model is passed on.
            entries.extend(meant(&group.name, &self.context).filter(|entry| here(&entry)));
        }
        let built = entries.into_iter().map(|entry| self.context.owned(entry, own).map(Arc::new));
        Ok(Group { name: group.name.clone(), deployments: built.collect::<Result<_, _>>()? })
    }

    /// Names for `/v1/models`: visible aliases, then groups, the caller's team's own first, patterns replaced by the models
    /// the catalogue knows.
    pub fn visible(&self, keep_patterns: bool, caller: &Caller) -> Vec<String> {
        let mut names: Vec<String> =
            self.aliases.iter().filter(|(_, alias)| !alias.hidden).map(|(name, _)| name.clone()).collect();
        names.sort();
        let own = team_of(caller).and_then(|team| self.of_teams.get(team)).into_iter();
        for name in own.flat_map(|shelf| &shelf.names).chain(&self.open.names) {
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
        self.open.groups.get(model).is_some_and(|group| group.deployments.iter().any(has))
    }

    /// Whether `openai/*` means this model, too, as with LiteLLM: its name is one of OpenAI's (`gpt-4o`), and nobody else
    /// serves it here.
    fn belongs_to(&self, model: &str, pattern: &str) -> bool {
        let (Some(provider), Some(group)) = (pattern.strip_suffix("/*"), self.open.groups.get(model)) else {
            return false;
        };
        let served = group.deployments.iter().all(|d| d.provider.prefix == provider);
        served && self.context.catalogue.get(model).is_some_and(|facts| facts.provider == provider)
    }

    /// A deployment by its id; none for those made from patterns.
    pub fn by_id(&self, id: &str) -> Option<Arc<Deployment>> {
        self.by_id.get(id).and_then(|group| group.deployments.first().cloned())
    }

    /// A deployment as it is asked whether it is well: with the model that is named for that (`health_check_model`).
    /// None for a pattern that names none.
    pub fn to_check(&self, id: &str) -> Option<Arc<Deployment>> {
        let entry = self.context.config.models.iter().find(|entry| entry.id == id)?;
        match &entry.info.check.model {
            None => self.by_id(id),
            Some(model) => self.context.build(&asking_for(entry, model)).ok().map(Arc::new),
        }
    }

    /// A deployment by its id and the group it was made for.
    pub fn made(&self, id: &str, group: &str) -> Option<Arc<Deployment>> {
        let in_group = |group: Arc<Group>| group.deployments.iter().find(|d| d.id == id).cloned();
        let of_team = || {
            let mut found = self.of_teams.values().filter_map(|shelf| shelf.find(group, &self.context));
            found.find_map(in_group)
        };
        self.by_id(id).or_else(|| self.find(group).and_then(in_group)).or_else(of_team)
    }

    pub fn deployments(&self) -> impl Iterator<Item = &Arc<Deployment>> {
        let all = std::iter::once(&self.open).chain(self.of_teams.values());
        all.flat_map(|shelf| shelf.groups.values()).flat_map(|group| &group.deployments)
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
        built.of_client = true;
        // A team's own must not lead inside, whatever else the client says.
        built.public_only |= own.is_unlisted(&built.left);
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

fn is_pattern(entry: &ModelEntry) -> bool {
    entry.info.team_public_name.as_ref().unwrap_or(&entry.name).contains('*')
}

/// The caller's team, whose own models it sees.
fn team_of(caller: &Caller) -> Option<&str> {
    caller.key()?.team_id.as_deref()
}

/// The team that a group is of.
fn team_of_group(group: &Group) -> Option<&str> {
    group.deployments.first()?.team.as_deref()
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
