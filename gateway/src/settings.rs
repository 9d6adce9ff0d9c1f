//! From files and environment to a snapshot; the same at start, on reload and for `weir check`.

use crate::endpoints::{self, Endpoint};
use arc_swap::ArcSwap;
use http::Method;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use weir_core::SecretString;
use weir_core::config::env::Env;
use weir_core::config::problems::{Place, Problems};
use weir_core::config::{Additions, Config, Effective, ReadFile};
use weir_core::model::prices::Catalogue;
use weir_plugins::auth::secrets;
use weir_plugins::providers;
use weir_plugins::snapshot::Snapshot;

/// Reads the configuration again and again.
pub struct Loader {
    pub path: Option<PathBuf>,
    env: Arc<Env>,
    /// The last good one.
    catalogue: ArcSwap<Catalogue>,
    /// Used where neither config nor environment name a master key.
    pub fallback_master: Option<SecretString>,
}

/// A gateway without a configuration serves nothing yet, but runs.
const EMPTY: &str = "model_list: []\n";

impl Loader {
    pub fn new(path: Option<PathBuf>, env: Env) -> Self {
        let catalogue = ArcSwap::from_pointee(Catalogue::embedded());
        Self { path, env: Arc::new(env), catalogue, fallback_master: None }
    }

    pub fn of_file(path: &Path) -> Self {
        Self::new(Some(path.to_owned()), Env::process())
    }

    /// The snapshot of the files, or `None` with the errors that forbid it.
    pub fn load(&self) -> (Option<Snapshot>, Problems) {
        self.load_with(&Additions::default())
    }

    /// As `load`, with what was made over the API.
    pub fn load_with(&self, added: &Additions) -> (Option<Snapshot>, Problems) {
        let (config, mut problems) = self.config_with(added);
        let Some(mut config) = config else { return (None, problems) };
        if config.general.master_key.is_none() {
            config.general.master_key.clone_from(&self.fallback_master);
        }
        // Entries of `environment_variables` lie over the process's.
        let env = Arc::new(config.env.clone());
        let catalogue = self.newest(added, &mut problems);
        let snapshot = Snapshot::build(config, env, catalogue, &mut problems);
        shadowed(&snapshot, &mut problems);
        unheard(&snapshot, &mut problems);
        // A guardrail that cannot be built, for one.
        (Some(snapshot).filter(|_| !problems.has_errors()), problems)
    }

    /// What models cost and can, as far as is known by now.
    pub fn catalogue(&self) -> Arc<Catalogue> {
        self.catalogue.load_full()
    }

    /// The price map that was fetched, kept for all that comes; else the one before.
    fn newest(&self, added: &Additions, problems: &mut Problems) -> Arc<Catalogue> {
        let before = self.catalogue();
        let Some(text) = added.price_map.as_ref().filter(|text| text.as_str() != before.text()) else {
            return before;
        };
        match Catalogue::parse(text.as_str()) {
            Ok(newest) => {
                let newest = Arc::new(newest);
                self.catalogue.store(Arc::clone(&newest));
                newest
            }
            Err(bad) => {
                let place = Place { path: String::from("price_map"), ..Place::default() };
                problems.warn(
                    &place,
                    format!("the ledger's price map cannot be read: {bad}"),
                    "POST /reload/model_cost_map fetches it anew",
                );
                before
            }
        }
    }

    /// What the file means, before anything is built from it.
    pub fn config(&self) -> (Option<Config>, Problems) {
        self.config_with(&Additions::default())
    }

    /// Every setting with its source, for people.
    pub fn explain(&self, added: &Additions) -> (Option<Effective>, Problems) {
        self.reading(|source, read, served| Config::explain(source, read, &self.env, served, added))
    }

    /// With what a secret manager has of all that the files refer to (`general_settings.key_management_system`), laid over
    /// the environment. Asked once: what is changed there counts after a restart.
    ///
    /// # Errors
    /// The manager does not answer, or does not know this gateway.
    pub async fn with_secrets(self) -> anyhow::Result<Self> {
        let wanted = self.reading(|source, read, _| Config::secrets_wanted(source, read, &self.env));
        let Some(wanted) = wanted else { return Ok(self) };
        let secrets = secrets::fetch(&wanted).await.map_err(|why| {
            anyhow::anyhow!(
                "no secrets for the configuration: {why}. Check general_settings.key_management_system"
            )
        })?;
        for name in secrets.refused.iter().filter(|name| self.env.get(name).is_none()) {
            crate::cli::say(&format!("the secret manager keeps {name} from this gateway"));
        }
        let env = Arc::new(self.env.with(secrets.found));
        Ok(Self { env, ..self })
    }

    fn config_with(&self, added: &Additions) -> (Option<Config>, Problems) {
        self.reading(|source, read, served| Config::load_with(source, read, &self.env, served, added))
    }

    /// Source, reader and the providers of this build.
    fn reading<T>(&self, load: impl FnOnce(&str, ReadFile<'_>, &[&str]) -> T) -> T {
        let source = self.path.as_ref().map_or_else(|| String::from("built-in"), |p| p.display().to_string());
        let read = |path: &str| match &self.path {
            None => Ok(EMPTY.to_owned()),
            Some(_) => std::fs::read_to_string(path).map_err(|e| e.to_string()),
        };
        let served: Vec<&str> = providers::rows().map(|row| row.prefix).collect();
        load(&source, &read, &served)
    }
}

/// A silent model that there is not gets no copies.
fn unheard(snapshot: &Snapshot, problems: &mut Problems) {
    for (index, entry) in snapshot.config.models.iter().enumerate() {
        let Some(silent) = &entry.params.silent_model else { continue };
        if snapshot.models.find(silent).is_none() {
            let path = format!("model_list[{index}].litellm_params.silent_model");
            let place = Place { path, ..Place::default() };
            problems.warn(&place, format!("no model is called {silent}"), "name a model_name of the list");
        }
    }
}

/// Paths of this gateway win over endpoints of the config, as in LiteLLM.
fn shadowed(snapshot: &Snapshot, problems: &mut Problems) {
    for endpoint in snapshot.pass.endpoints() {
        let path = &endpoint.settings.path;
        if endpoints::find(&Method::POST, path) != Endpoint::Admin {
            let place =
                Place { path: String::from("general_settings.pass_through_endpoints"), ..Place::default() };
            problems.warn(&place, format!("{path} is served by the gateway itself"), "choose another path");
        }
    }
}
