//! The configuration in force: the files, and what was made over the API, which the ledger keeps.

use crate::prices;
use crate::settings::Loader;
use crate::state::App;
use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::{Mutex, Notify};
use weir_core::SecretString;
use weir_core::config::{AddedCredential, AddedModel, Additions, ModelEntry, Problems, Severity};
use weir_core::domain::key::Principal;
use weir_core::domain::records::{Credential, Kept, ModelRecord, Record, RecordKind, Setting};
use weir_core::error::ApiError;
use weir_core::ports::cache::AnswerCache;
use weir_core::ports::control::{
    CREDENTIAL_VALUES, CallbackState, Checked, Control, MODEL_PARAMS, Probe, ReplicaState, SETTING_VALUE,
    Unusable,
};
use weir_core::ports::cooldowns::Coolings;
use weir_core::ports::{Directory, LedgerResult, RecordQuery, Sort, records};
use weir_ledger::{KeyCache, Watcher};
use weir_plugins::budgets::Watched;
use weir_plugins::guardrails::About;
use weir_plugins::snapshot::Snapshot;
use weir_plugins::utils::{TokenCountRequest, token_counter};

/// Loads and swaps; one for the process.
pub struct Configuration {
    pub app: Arc<App>,
    pub loader: Loader,
    pub directory: Arc<dyn Directory>,
    /// One load at a time, and what the last one was made of.
    pub last: Mutex<Marks>,
}

/// Kinds, ids and versions of what was read: equal ones need no reload.
pub type Marks = Vec<(RecordKind, String, i64)>;

/// More are not read.
const MOST: u32 = 10_000;

impl Configuration {
    /// Reads the files and the ledger again; a configuration with errors changes nothing.
    pub async fn reload(&self) {
        let mut last = self.last.lock().await;
        self.load(&mut last, true).await;
    }

    async fn load(&self, last: &mut Marks, always: bool) {
        let (added, marks) = match self.added().await {
            Ok(added) => added,
            Err(error) => {
                tracing::warn!("models and settings of the ledger cannot be read: {error}");
                return;
            }
        };
        if always || marks != *last {
            *last = marks;
            self.put_in_force(&added);
        }
    }

    fn put_in_force(&self, added: &Additions) {
        let (mut snapshot, mut problems) = self.loader.load_with(added);
        if snapshot.is_none() && !added.is_empty() {
            // A model that a newer version made, or a variable that is gone, must not stop the others.
            (snapshot, problems) = self.loader.load_with(&self.usable(added));
        }
        problems.iter().for_each(|p| tracing::warn!("config: {p}"));
        match snapshot {
            Some(snapshot) => {
                self.app.dialer.renew(&snapshot.config);
                crate::run::apply(&self.app, &snapshot);
                self.app.snapshot.store(Arc::new(snapshot));
                self.app.checks.configured();
                tracing::info!("configuration reloaded");
            }
            None => tracing::error!("the changed configuration has errors; the last good one stays"),
        }
    }

    /// What can be used of it, one by one.
    fn usable(&self, added: &Additions) -> Additions {
        let alone = |part: Additions| {
            let (snapshot, problems) = self.loader.load_with(&part);
            if snapshot.is_none() {
                let errors = problems.iter().filter(|p| p.severity == Severity::Error);
                errors.for_each(|p| tracing::error!("left out: {p}"));
            }
            snapshot.is_some()
        };
        let mut usable = Additions { credentials: added.credentials.clone(), ..Additions::default() };
        for setting in &added.settings {
            if alone(Additions { settings: vec![setting.clone()], ..Additions::default() }) {
                usable.settings.push(setting.clone());
            }
        }
        for model in &added.models {
            let credentials = added.credentials.clone();
            if alone(Additions { models: vec![model.clone()], credentials, ..Additions::default() }) {
                usable.models.push(model.clone());
            }
        }
        usable
    }

    /// The files with these beside them, ready to serve.
    fn built(&self, added: &Additions) -> Result<Snapshot, Unusable> {
        let (snapshot, problems) = self.loader.load_with(added);
        let Some(snapshot) = snapshot else { return Err(Unusable(told(&problems, Severity::Error))) };
        let is_missing = |model: &AddedModel| !model.overrides && !is_built(&snapshot, &model.id);
        if added.models.iter().any(is_missing) {
            return Err(Unusable(told(&problems, Severity::Warning)));
        }
        Ok(snapshot)
    }

    // --- the ledger ---

    async fn added(&self) -> LedgerResult<(Additions, Marks)> {
        additions(self.directory.as_ref(), &self.app.snapshot.load_full()).await
    }
}

/// What was made over the API, opened, with the marks of all that was read. What cannot be opened is left out and logged.
pub async fn additions(directory: &dyn Directory, snapshot: &Snapshot) -> LedgerResult<(Additions, Marks)> {
    if !snapshot.config.general.store_model_in_db {
        return Ok(Default::default());
    }
    let (models, settings) = (all::<ModelRecord>(directory).await?, all::<Setting>(directory).await?);
    let credentials = all::<Credential>(directory).await?;
    let marks = marks(&models).chain(marks(&settings)).chain(marks(&credentials)).collect();
    let uses = |kind: &str| snapshot.config.general.uses_kept(kind);
    let models = models.into_iter().filter(|_| uses("models"));
    let models = models.filter_map(|kept| model(snapshot, kept.record));
    let credentials = credentials.into_iter().filter_map(|kept| credential(snapshot, kept.record));
    let settings = settings.into_iter().filter_map(|kept| setting(snapshot, &kept.record));
    let mut settings: Vec<_> = settings.collect();
    let price_map = prices::taken(&mut settings).filter(|_| uses("model_cost_map"));
    let added =
        Additions { models: models.collect(), credentials: credentials.collect(), settings, price_map };
    Ok((added, marks))
}

/// All records of a kind, or the first ten thousand.
pub async fn all<T: Record>(directory: &dyn Directory) -> LedgerResult<Vec<Kept<T>>> {
    let query = RecordQuery { limit: MOST, sort: Sort::CreatedAt, ..RecordQuery::default() };
    Ok(records::list(directory, &query).await?.records)
}

fn marks<T: Record>(kept: &[Kept<T>]) -> impl Iterator<Item = (RecordKind, String, i64)> {
    kept.iter().map(|kept| (T::KIND, kept.record.id(), kept.version))
}

fn model(snapshot: &Snapshot, record: ModelRecord) -> Option<AddedModel> {
    let params = opened(snapshot, MODEL_PARAMS, &record.sealed_params, &record.id)?;
    let ModelRecord { id, name, info, overrides, by_team, .. } = record;
    Some(AddedModel { id, name, params: SecretString::from(params), info, overrides, by_team })
}

fn credential(snapshot: &Snapshot, record: Credential) -> Option<AddedCredential> {
    let values = opened(snapshot, CREDENTIAL_VALUES, &record.sealed_values, &record.name)?;
    Some(AddedCredential { name: record.name, values: SecretString::from(values) })
}

/// Values of settings are sealed as one text: there may be passwords among them.
fn setting(snapshot: &Snapshot, record: &Setting) -> Option<(String, SecretString)> {
    let value = opened(snapshot, SETTING_VALUE, record.value.as_str()?, &record.name)?;
    Some((record.name.clone(), SecretString::from(value)))
}

fn opened(snapshot: &Snapshot, purpose: &str, sealed: &str, name: &str) -> Option<String> {
    let text = open(snapshot, purpose, sealed);
    if text.is_none() {
        tracing::error!(
            "{purpose} of {name} cannot be decrypted: the salt key or the master key has changed"
        );
    }
    text
}

fn open(snapshot: &Snapshot, purpose: &str, sealed: &str) -> Option<String> {
    let sealed = STANDARD.decode(sealed).ok()?;
    String::from_utf8(snapshot.sealer.open(purpose.as_bytes(), &sealed)?).ok()
}

// --- for the admin service ---

#[async_trait]
impl Control for Configuration {
    async fn refresh(&self) {
        let mut last = self.last.lock().await;
        self.load(&mut last, false).await;
    }

    fn try_out(&self, added: &Additions) -> Result<(), Unusable> {
        self.built(added).map(drop)
    }

    fn seal(&self, purpose: &str, text: &str) -> Option<String> {
        let sealed = self.app.snapshot.load().sealer.seal(purpose.as_bytes(), text.as_bytes())?;
        Some(STANDARD.encode(sealed))
    }

    fn open(&self, purpose: &str, sealed: &str) -> Option<String> {
        open(&self.app.snapshot.load(), purpose, sealed)
    }

    fn may_use(&self, known: &Principal, model: &str) -> bool {
        weir_plugins::filters::usable(known, model, &self.app.snapshot.load().models).is_ok()
    }

    fn supported_params(&self, model: &str) -> Vec<&'static str> {
        weir_plugins::utils::supported_params(model, &self.app.snapshot.load().catalogue).unwrap_or_default()
    }

    fn count_tokens(&self, model: &str, messages: &str) -> Option<u64> {
        let messages = serde_json::from_str(messages).ok()?;
        let request = TokenCountRequest {
            model: model.to_owned(),
            prompt: None,
            messages: Some(messages),
            contents: None,
            tools: None,
        };
        token_counter(&request, model).ok()?["total_tokens"].as_u64()
    }

    async fn apply_guardrail(
        &self,
        name: &str,
        text: &str,
        language: Option<&str>,
        entities: &[String],
    ) -> Result<String, ApiError> {
        let snapshot = self.app.snapshot.load_full();
        let about =
            About { language: language.map(str::to_owned), entities: entities.to_vec(), ..About::default() };
        weir_plugins::guardrails::apply(&snapshot.guardrails, name, text, about, &self.app.metrics).await
    }

    async fn probe(&self, deployment: &str) -> Probe {
        crate::local::probe::ask(&self.app, &self.app.snapshot.load_full(), deployment, None).await
    }

    async fn probe_new(&self, model: AddedModel, mode: Option<&str>) -> Result<Probe, Unusable> {
        let away = |_| Unusable(String::from("the ledger cannot be read; try again in a moment"));
        let (added, _) = self.added().await.map_err(away)?;
        let id = model.id.clone();
        // With what it may name, and without other models.
        let snapshot = Arc::new(self.built(&Additions { models: vec![model], ..added })?);
        Ok(crate::local::probe::ask(&self.app, &snapshot, &id, mode).await)
    }

    fn checks(&self) -> Option<HashMap<String, Checked>> {
        let is_on = self.app.snapshot.load().config.general.health.background;
        is_on.then(|| self.app.checks.all())
    }

    async fn coolings(&self) -> Coolings {
        self.app.routing.cooldowns.coolings().await
    }

    fn callbacks(&self) -> Vec<CallbackState> {
        self.app.desk.states(&self.app.snapshot.load().callbacks)
    }

    fn replica(&self) -> ReplicaState {
        self.app.replica()
    }

    async fn test_service(&self, name: &str) -> Option<Result<String, String>> {
        let snapshot = self.app.snapshot.load_full();
        if let Some(told) = snapshot.callbacks.test(name).await {
            return Some(told.map(|()| format!("Mock LLM request made - check {name}.")));
        }
        let config = &snapshot.config;
        weir_plugins::alerts::test(&config.general.alerts, &config.env, name).await
    }

    async fn fetch_prices(&self) -> Result<usize, Unusable> {
        prices::fetch(self).await
    }

    fn cache(&self) -> Option<Arc<dyn AnswerCache>> {
        self.app.answers.clone()
    }
}

/// Patterns are built when they are asked for.
fn is_built(snapshot: &Snapshot, id: &str) -> bool {
    let is_pattern = |name: &str| name.contains('*');
    let entry = snapshot.config.models.iter().find(|entry| entry.id == id);
    let called = |entry: &ModelEntry| is_pattern(entry.info.team_public_name.as_ref().unwrap_or(&entry.name));
    entry.is_some_and(called) || snapshot.models.by_id(id).is_some()
}

/// What the ledger's entries are said to have wrong.
fn told(problems: &Problems, least: Severity) -> String {
    let mine = problems.iter().filter(|p| p.severity <= least && p.file.starts_with("the ledger's"));
    let lines: Vec<String> = mine
        .map(|p| {
            let mark = if p.cure.is_empty() { "" } else { "; " };
            format!("{}: {}{mark}{}", p.path, p.message, p.cure)
        })
        .collect();
    if lines.is_empty() { String::from("it cannot be used") } else { lines.join("; ") }
}

// --- what other replicas change ---

/// Hears of changes: keys are forgotten, and the configuration is read again where it was changed.
pub struct Changes {
    pub keys: Arc<KeyCache>,
    pub watched: Arc<Watched>,
    pub configuration: Arc<Notify>,
}

#[async_trait]
impl Watcher for Changes {
    async fn changed(&self, kind: RecordKind, id: &str) {
        self.watched.changed(kind, id);
        match kind {
            RecordKind::Model | RecordKind::Credential | RecordKind::Setting => {
                self.configuration.notify_one()
            }
            _ => Watcher::changed(self.keys.as_ref(), kind, id).await,
        }
    }

    async fn lost(&self) {
        self.configuration.notify_one();
        self.watched.all_changed();
        self.keys.lost().await;
    }
}
