//! The configuration as it was written: includes merged, references resolved, every name and type checked, nothing
//! interpreted. `Config` is what it means.

use super::guardrails::{self, GuardrailFile};
use super::keys::{CREDENTIAL, GENERAL, INFO, LITELLM, MODEL, PARAMS, ROUTER, State, TOP, WEIR};
use super::problems::{Place, Problems};
use super::provenance::Provenance;
use super::section::{Section, join};
use super::tree::{Node, Value};

const VERTEX: &str = "default_vertex_config";

/// More deployments than this are a mistake of a generator.
pub const MAX_MODELS: usize = 100_000;

#[derive(Clone, Debug)]
pub struct ConfigFile {
    pub models: Vec<ModelFile>,
    pub litellm: Section,
    pub router: Section,
    pub general: Section,
    pub weir: Section,
    pub credentials: Vec<CredentialFile>,
    /// `router_settings.default_litellm_params`: what every deployment has that does not say it.
    pub defaults: Section,
    pub guardrails: Vec<GuardrailFile>,
    /// `callback_settings`; names and types are checked with their meaning.
    pub callbacks: Node,
    /// `default_vertex_config`, by names of `litellm_params`.
    pub vertex: Section,
    /// Sections that are known, and that nothing depends on.
    pub later: Vec<(String, Node)>,
}

/// One entry of `model_list`.
#[derive(Clone, Debug)]
pub struct ModelFile {
    pub at: Place,
    pub model_name: String,
    /// Checked against `keys::PARAMS`; unknown names are kept.
    pub params: Section,
    /// Checked against `keys::INFO`; unknown names are kept.
    pub info: Section,
    /// `litellm_params` word for word, which is what a derived id is made of.
    pub written: Node,
    pub provenance: Provenance,
}

/// One entry of `credential_list`: parameters that deployments share by name.
#[derive(Clone, Debug)]
pub struct CredentialFile {
    pub name: String,
    pub values: Section,
}

// --- ConfigFile ---

impl ConfigFile {
    /// Reads a map of sections, as `include::Files::load` and `resolve` leave it.
    pub(super) fn read(root: &Node, problems: &mut Problems) -> Self {
        let top = Section::read(root, &TOP, "", problems);
        let litellm = Section::read(&section(&top, "litellm_settings"), &LITELLM, LITELLM.name, problems);
        let router = Section::read(&section(&top, "router_settings"), &ROUTER, ROUTER.name, problems);
        let mut shared = credentials(&top, problems);
        shared.extend(credentials(&litellm, problems));
        Self {
            models: models(&top, router.bool("ignore_invalid_deployments").unwrap_or(false), problems),
            litellm,
            general: Section::read(&section(&top, "general_settings"), &GENERAL, GENERAL.name, problems),
            weir: Section::read(&section(&top, "weir_settings"), &WEIR, WEIR.name, problems),
            credentials: shared,
            defaults: defaults(&router, problems),
            guardrails: guardrails::written(&top, &router, problems),
            router,
            callbacks: section(&top, "callback_settings"),
            vertex: Section::read(&section(&top, VERTEX), &PARAMS, VERTEX, problems),
            later: top.entries().iter().filter(|(name, _)| is_later(name)).cloned().collect(),
        }
    }
}

fn is_later(name: &str) -> bool {
    TOP.find(name).is_some_and(|key| key.state == State::Moot)
}

/// A section's map. Absent and null ones are empty; one that is no map was reported with the sections.
fn section(top: &Section, name: &str) -> Node {
    map(top, name).cloned().unwrap_or_default()
}

fn map<'a>(section: &'a Section, name: &str) -> Option<&'a Node> {
    section.node(name).filter(|node| matches!(node.value, Value::Map(_)))
}

// --- lists ---

/// `lenient`: an entry that is wrong is left out.
fn models(top: &Section, lenient: bool, problems: &mut Problems) -> Vec<ModelFile> {
    let items = top.node("model_list").map_or(&[][..], Node::items);
    if items.len() > MAX_MODELS {
        problems.error(&top.place("model_list"), format!("more than {MAX_MODELS} entries"), "");
        return Vec::new();
    }
    let read = |(at, node): (usize, &Node)| {
        problems.lenient(lenient, |problems| ModelFile::read(node, &format!("model_list[{at}]"), problems))
    };
    items.iter().enumerate().filter_map(read).collect()
}

fn defaults(router: &Section, problems: &mut Problems) -> Section {
    const NAME: &str = "default_litellm_params";
    match map(router, NAME) {
        Some(node) => Section::read(node, &PARAMS, &join(ROUTER.name, NAME), problems),
        None => Section::empty(&PARAMS),
    }
}

impl ModelFile {
    /// Reads one entry; `path` names it in messages.
    pub fn read(node: &Node, path: &str, problems: &mut Problems) -> Option<Self> {
        let entry = Section::read(node, &MODEL, path, problems);
        if !matches!(node.value, Value::Map(_)) {
            return None;
        }
        let written = entry.node("litellm_params");
        if written.is_none() {
            problems.error(&node.place(path), "litellm_params is missing", "add litellm_params with a model");
        }
        let model_name = entry.text("model_name").unwrap_or_default();
        if model_name.is_empty() {
            problems.error(&node.place(path), "model_name is missing", "add the name that clients ask for");
        }
        let mut info = info(&entry, path, problems);
        let written = map(&entry, "litellm_params").filter(|_| !model_name.is_empty())?;
        let inner = join(path, "litellm_params");
        let params = Section::read(written, &PARAMS, &inner, problems);
        // What the parameters say of the model counts where the entry itself says nothing.
        info.fill(self::info(&params, &inner, problems).entries());
        let provenance = Provenance::of(node, problems);
        Some(Self { at: node.place(path), model_name, params, info, written: written.clone(), provenance })
    }
}

/// The `model_info` of a section.
fn info(section: &Section, path: &str, problems: &mut Problems) -> Section {
    const NAME: &str = "model_info";
    match map(section, NAME) {
        Some(node) => Section::read(node, &INFO, &join(path, NAME), problems),
        None => Section::empty(&INFO),
    }
}

/// LiteLLM takes the list at the top of a file and in `litellm_settings`.
fn credentials(of: &Section, problems: &mut Problems) -> Vec<CredentialFile> {
    let items = of.node("credential_list").map_or(&[][..], Node::items);
    let path = join(&of.at().path, "credential_list");
    let read = |(at, node)| credential(node, &format!("{path}[{at}]"), problems);
    items.iter().enumerate().filter_map(read).collect()
}

fn credential(node: &Node, path: &str, problems: &mut Problems) -> Option<CredentialFile> {
    let entry = Section::read(node, &CREDENTIAL, path, problems);
    let Some(name) = entry.text("credential_name").filter(|name| !name.is_empty()) else {
        problems.error(&node.place(path), "credential_name is missing", "");
        return None;
    };
    let values = match map(&entry, "credential_values") {
        Some(node) => Section::read(node, &PARAMS, &join(path, "credential_values"), problems),
        None => Section::empty(&PARAMS),
    };
    Some(CredentialFile { name, values })
}
