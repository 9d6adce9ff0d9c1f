//! Deployments: the entries of `model_list` with their provider, credential and id.

use super::JsonMap;
use super::file::{ConfigFile, CredentialFile, ModelFile};
use super::params::{Info, Params};
use super::problems::{Problems, did_you_mean};
use super::provenance::Provenance;
use super::provider::{self, ANY, NoProvider};
use super::section::Section;
use super::settings::Library;
use super::tree::Node;
use sha2::{Digest, Sha256};
use std::collections::HashSet;

/// One way to serve a model group.
#[derive(Clone, Debug)]
pub struct ModelEntry {
    /// What clients ask for; entries with one name share its traffic. May contain `*`.
    pub name: String,
    /// Unique. `model_info.id`, else a hash over name and parameters that is the same after a restart.
    pub id: String,
    /// Prefix of the provider (`openai`), or `*`: the one that the requested name begins with.
    pub provider: String,
    /// What the provider calls the model, without the prefix.
    pub upstream_model: String,
    /// `litellm_params.model`
    pub model_as_written: String,
    pub params: Params,
    pub info: Info,
    /// `litellm_params` as far as they may be shown: no secret, and nothing that came from the environment but
    /// addresses and names. A JSON object.
    pub shown: JsonMap,
    /// It was made over the API.
    pub from_ledger: bool,
    pub line: u32,
    /// Where it is written, and what of it comes from elsewhere.
    pub provenance: Provenance,
}

/// The provider that another gateway of this kind is.
const PROXY: &str = "litellm_proxy";

/// All deployments of a file, in its order. `served` are the provider prefixes of this build.
pub(super) fn read(
    file: &ConfigFile,
    library: &Library,
    served: &[&str],
    problems: &mut Problems,
) -> Vec<ModelEntry> {
    let default_parallel = file.router.count("default_max_parallel_requests");
    let lenient = file.router.bool("ignore_invalid_deployments").unwrap_or(false);
    let mut taken = HashSet::new();
    let mut models = Vec::with_capacity(file.models.len());
    for written in &file.models {
        let read = |problems: &mut Problems| ModelEntry::read(written, (file, library), served, problems);
        if let Some(mut entry) = problems.lenient(lenient, read) {
            entry.params.max_parallel_requests = entry.params.max_parallel_requests.or(default_parallel);
            entry.params.entra.default_to(&file.litellm);
            entry.params.vertex.default_to(&file.litellm);
            if !entry.info.by_team {
                library.fill(&mut entry);
            }
            unique(&mut entry, written, &mut taken, problems);
            models.push(entry);
        }
    }
    models
}

/// Pools, cooldowns and spend are kept by id, so two deployments must not share one.
fn unique(entry: &mut ModelEntry, file: &ModelFile, taken: &mut HashSet<String>, problems: &mut Problems) {
    if taken.insert(entry.id.clone()) {
        return;
    }
    let (message, cure) = match file.info.node("id") {
        Some(_) => ("another deployment has this id", "give each its own model_info.id"),
        None => ("the same deployment is written twice", "remove one, or give each a model_info.id"),
    };
    problems.warn(&file.at, message, cure);
    // Ends: `taken` is finite.
    let free = (2..).map(|n: u64| format!("{}-{n}", entry.id)).find(|id| taken.insert(id.clone()));
    entry.id = free.unwrap_or_default();
}

// --- ModelEntry ---

impl ModelEntry {
    /// What one written entry means; `None` when something essential is wrong, which was reported.
    pub fn read(
        file: &ModelFile,
        (of, library): (&ConfigFile, &Library),
        served: &[&str],
        problems: &mut Problems,
    ) -> Option<Self> {
        let mut params = with_credential(&file.params, &of.credentials, problems);
        if file.info.bool("made_by_team") != Some(true) {
            params.fill(of.defaults.entries());
        }
        let meant = Params::read(&params, problems);
        let Some(model) = params.text("model").filter(|model| !model.is_empty()) else {
            problems.error(
                &params.place("model"),
                "model is missing",
                "add provider/model, such as openai/gpt-4o",
            );
            return None;
        };
        let proxied = params.bool("use_litellm_proxy").unwrap_or(false);
        let explicit = if proxied { Some(PROXY.to_owned()) } else { params.text("custom_llm_provider") };
        let meant_model = library.model(model.clone());
        let upstream = match provider::of(&meant_model, explicit.as_deref(), served) {
            Ok(upstream) => upstream,
            Err(no) => {
                refuse(&params, no, problems);
                return None;
            }
        };
        if upstream.provider != ANY && !served.contains(&upstream.provider) {
            let message = format!("provider {:?} is known, not served yet", upstream.provider);
            problems.warn(&params.place("model"), message, "");
        }
        let mut info = Info::read(&file.info, problems);
        Some(Self {
            name: file.model_name.clone(),
            id: file
                .info
                .text("id")
                .filter(|id| !id.is_empty())
                .unwrap_or_else(|| derived_id(&file.model_name, &file.written)),
            provider: upstream.provider.to_owned(),
            upstream_model: responding(upstream.model, &mut info).to_owned(),
            model_as_written: model.clone(),
            params: meant,
            shown: shown(&file.params),
            from_ledger: info.rest.get("db_model") == Some("true"),
            info,
            line: file.at.line,
            provenance: file.provenance.clone(),
        })
    }
}

/// LiteLLM's mark before the name of a model that is asked for responses, whatever clients speak.
const RESPONDS: &str = "responses/";

/// The name behind the mark, which is a fact about the model.
fn responding<'m>(model: &'m str, info: &mut Info) -> &'m str {
    let Some(bare) = model.strip_prefix(RESPONDS).filter(|bare| !bare.is_empty()) else { return model };
    info.mode = Some(String::from("responses"));
    bare
}

/// Values that may be told although they came from the environment: none of them opens a door.
static TOLD: &[&str] =
    &["api_base", "api_version", "aws_region_name", "base_url", "model", "vertex_location", "vertex_project"];

/// Parts of names whose values are never told, whatever their kind.
static SECRET: &[&str] = &["key", "secret", "token", "password", "credentials", "headers"];

/// Whether a name says that its value is a secret.
pub(super) fn names_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let tokens = name.contains("_token") && (name.contains("cost") || name.starts_with("max_"));
    !tokens && SECRET.iter().any(|part| name.contains(part))
}

pub(super) fn shown(params: &Section) -> JsonMap {
    let secret = |name: &str| params.is_secret(name) || names_secret(name);
    let told =
        |(name, node): &&(String, Node)| !secret(name) && (!node.from_env || TOLD.contains(&name.as_str()));
    params.entries().iter().filter(told).collect()
}

/// What came from the environment is not quoted: a misplaced variable may be a secret.
fn refuse(params: &Section, no: NoProvider, problems: &mut Problems) {
    let from_env = |name| params.node(name).is_some_and(|node| node.from_env);
    if from_env("model") || from_env("custom_llm_provider") {
        problems.error(&params.place("model"), "what the variable holds names no provider", "");
    } else {
        problems.error(&params.place("model"), no.message, no.cure);
    }
}

/// SHA-256 in hex over name and parameters. Secrets go into the hash and cannot be had back from it.
pub(super) fn derived_id(name: &str, params: &Node) -> String {
    let mut hash = Sha256::new();
    hash.update(name.as_bytes());
    hash.update([0]); // so that "ab" + "c" is not "a" + "bc"
    hash.update(params.canonical_json().as_bytes());
    hex::encode(hash.finalize())
}

/// Parameters with those of the named credential under them.
fn with_credential(params: &Section, credentials: &[CredentialFile], problems: &mut Problems) -> Section {
    let mut params = params.clone();
    let Some(name) = params.text("litellm_credential_name") else { return params };
    match credentials.iter().find(|credential| credential.name == name) {
        Some(credential) => params.fill(credential.values.entries()),
        None => {
            let names = credentials.iter().map(|credential| credential.name.as_str());
            let at = params.place("litellm_credential_name");
            problems.warn(
                &at,
                format!("no credential {name:?} in credential_list"),
                did_you_mean(&name, names),
            );
        }
    }
    params
}
