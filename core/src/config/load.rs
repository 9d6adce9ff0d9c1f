//! From a path to a `Config`.

use super::additions::Additions;
use super::cloud::Vertex;
use super::effective::{self, Effective, References, Told};
use super::env::Env;
use super::fallbacks::{Fallbacks, Names};
use super::file::ConfigFile;
use super::guardrails::{self, GuardrailEntry};
use super::include::{Files, ReadFile};
use super::models::{self, ModelEntry};
use super::problems::{Place, Problems};
use super::resolve;
use super::section::Section;
use super::settings::{
    CacheSettings, CallbackSettings, GeneralSettings, HubSettings, LitellmSettings, PreCallChecks,
    RouterSettings, WeirSettings,
};
use super::tree::Node;
use std::sync::Arc;

/// What the configuration means: defaults filled in, references resolved, nothing left to check. `Debug` shows no
/// secret.
#[derive(Clone, Debug)]
pub struct Config {
    pub models: Vec<ModelEntry>,
    /// In the order in which they run.
    pub guardrails: Vec<GuardrailEntry>,
    pub litellm: LitellmSettings,
    pub router: RouterSettings,
    pub general: GeneralSettings,
    pub weir: WeirSettings,
    /// `None`: answers are not cached.
    pub cache: Option<CacheSettings>,
    pub callbacks: CallbackSettings,
    /// Who asks Vertex AI what is passed through to it, where no model of the list does.
    pub passed_vertex: Vertex,
    pub hub: HubSettings,
    /// The environment it was loaded with, `environment_variables` on top: where providers look for their keys.
    pub env: Env,
    /// Every setting with its source, as it was loaded; nothing where it was not loaded from files.
    pub told: Arc<Told>,
}

/// What was written, names and types checked.
pub(super) struct Written {
    pub file: ConfigFile,
    /// With `environment_variables`, and what follows from others, on top.
    pub env: Env,
}

/// LiteLLM's name of OpenTelemetry.
const OTEL: &str = "otel";

/// What is noted on the way, for whoever asks where a setting comes from.
#[derive(Default)]
pub(super) struct Notes {
    pub references: References,
    /// The sections of settings as the files have them; `None` where the ledger does not lie over them.
    pub files: Option<Node>,
}

impl Written {
    fn read(
        (source, read): (&str, ReadFile<'_>),
        env: &Env,
        added: &Additions,
        notes: &mut Notes,
        problems: &mut Problems,
    ) -> Option<Self> {
        let mut root = Files::new(read).load(source, &Place::default(), problems)?;
        notes.files = (!added.settings.is_empty()).then(|| effective::sections(&root));
        added.lay_settings(&mut root, problems);
        let env = resolve::environment(&mut root, env, problems);
        added.lay_lists(&mut root, problems);
        notes.references = References::of(&root);
        resolve::references(&mut root, &env, &mut String::new(), problems);
        added.override_models(&mut root, &env, problems);
        Some(Self { file: ConfigFile::read(&root, problems), env })
    }
}

impl Config {
    /// Reads the file at `source` through `read`, with all it includes. `providers` are the prefixes that this
    /// build serves. No `Config` when there is an error; problems of every severity in any case.
    pub fn load(
        source: &str,
        read: ReadFile<'_>,
        env: &Env,
        providers: &[&str],
    ) -> (Option<Config>, Problems) {
        Self::load_with(source, read, env, providers, &Additions::default())
    }

    /// As `load`, with what was made over the API.
    pub fn load_with(
        source: &str,
        read: ReadFile<'_>,
        env: &Env,
        providers: &[&str],
        added: &Additions,
    ) -> (Option<Config>, Problems) {
        let (mut problems, mut notes) = (Problems::default(), Notes::default());
        let written = Written::read((source, read), env, added, &mut notes, &mut problems);
        let config = written.map(|written| {
            let mut config = Config::of(&written.file, written.env.clone(), providers, &mut problems);
            config.told = Arc::new(Told::of(&written, &config, env, &notes, &problems));
            config
        });
        problems.sort();
        (config.filter(|_| !problems.has_errors()), problems)
    }

    /// Every setting as it is in force, and where its value comes from. None when there is an error.
    pub fn explain(
        source: &str,
        read: ReadFile<'_>,
        env: &Env,
        providers: &[&str],
        added: &Additions,
    ) -> (Option<Effective>, Problems) {
        let (mut problems, mut notes) = (Problems::default(), Notes::default());
        let written = Written::read((source, read), env, added, &mut notes, &mut problems);
        let told = written.map(|written| {
            let config = Config::of(&written.file, written.env.clone(), providers, &mut problems);
            Effective::of(&written, &config, env, &notes, &problems)
        });
        problems.sort();
        (told.filter(|_| !problems.has_errors()), problems)
    }

    /// As `load`, from text that is no file and includes none.
    pub fn from_text(text: &str, env: &Env, providers: &[&str]) -> (Option<Config>, Problems) {
        let read = |path: &str| match path {
            "config.yaml" => Ok(text.to_owned()),
            _ => Err("there are no files here".into()),
        };
        Self::load("config.yaml", &read, env, providers)
    }

    /// What a checked file means. Adds problems of meaning; those of names and types are the file's.
    pub fn of(file: &ConfigFile, env: Env, providers: &[&str], problems: &mut Problems) -> Self {
        let mut litellm = LitellmSettings::read(&file.litellm, &env, problems);
        let models = models::read(file, &litellm.library, providers, problems);
        let mut guardrails = guardrails::read(&file.guardrails, problems);
        for entry in guardrails.iter_mut().filter(|entry| entry.kind == "presidio") {
            entry.params.fill(&litellm.presidio);
        }
        let checks = PreCallChecks::read(&file.router, &file.litellm, &env, problems);
        let router = RouterSettings::read(&file.router, (&litellm, checks), &env, problems);
        let mut general = GeneralSettings::read(&file.general, &env, problems);
        general.alerts.or_of_router(&file.router, &file.general);
        let mut weir = WeirSettings::read(&file.weir, &env, problems);
        across(file, &general, (&mut litellm, &mut weir), problems);
        let cache = CacheSettings::read(&file.litellm, &router, &env, problems);
        let callbacks = CallbackSettings::read(&file.callbacks, &file.litellm, problems);
        let config = Config {
            models,
            guardrails,
            litellm,
            router,
            general,
            weir,
            cache,
            callbacks,
            passed_vertex: Vertex::passed(&file.vertex, &env),
            hub: HubSettings::read(&file.general, &file.litellm, problems),
            env,
            told: Arc::default(),
        };
        if !problems.has_errors() {
            config.check_names(file, problems);
            if config.models.is_empty() {
                problems
                    .note(&Place { path: "model_list".into(), ..Place::default() }, "no models in this file");
            }
        }
        config
    }

    /// Warns about fallbacks and aliases that name no model. Not after errors: an entry that is missing because it
    /// is wrong would be reported as missing.
    fn check_names(&self, file: &ConfigFile, problems: &mut Problems) {
        let names = Names::of(&self.models, &self.router.model_group_alias);
        for alias in &self.router.model_group_alias {
            names.check(&alias.model, &file.router.place("model_group_alias"), problems);
        }
        for (name, list) in [
            ("fallbacks", &self.router.fallbacks),
            ("context_window_fallbacks", &self.router.context_window_fallbacks),
            ("content_policy_fallbacks", &self.router.content_policy_fallbacks),
        ] {
            check_list(&names, list, &written_at(file, name), problems);
        }
        for name in &self.router.default_fallbacks {
            names.check(name, &written_at(file, "default_fallbacks"), problems);
        }
    }
}

/// What LiteLLM says in another section than Weir.
fn across(
    file: &ConfigFile,
    general: &GeneralSettings,
    (litellm, weir): (&mut LitellmSettings, &mut WeirSettings),
    problems: &mut Problems,
) {
    if general.otel && !litellm.has_callback(OTEL) {
        litellm.callbacks.push(OTEL.to_owned());
    }
    if file.weir.node("on_ledger_loss").is_none() {
        weir.serves_without_ledger |= general.allow_requests_on_db_unavailable;
    }
    if general.use_x_forwarded_for && weir.trusted_proxies.is_empty() {
        let message = "nobody is trusted to say it, so that anybody could name any address";
        let cure = "name your proxies in weir_settings.trusted_proxies, such as [10.0.0.0/8]";
        problems.warn(&file.general.place("use_x_forwarded_for"), message, cure);
    }
}

fn check_list(names: &Names<'_>, list: &Fallbacks, at: &Place, problems: &mut Problems) {
    for (group, targets) in list {
        names.check(group, at, problems);
        targets.iter().for_each(|target| names.check(target, at, problems));
    }
}

/// The section that a fallback list was taken from.
fn written_at(file: &ConfigFile, name: &str) -> Place {
    let has = |section: &Section| section.node(name).is_some();
    if has(&file.router) { file.router.place(name) } else { file.litellm.place(name) }
}
