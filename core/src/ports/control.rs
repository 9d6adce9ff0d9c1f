//! The running gateway, as the admin service may ask it and change it.

use crate::config::{AddedModel, Additions};
use crate::domain::key::Principal;
use crate::error::ApiError;
use crate::ports::LedgerState;
use crate::ports::cache::AnswerCache;
use crate::ports::cooldowns::Coolings;
use crate::time::Micros;
use async_trait::async_trait;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// What sealed texts are for; each opens only with the purpose it was sealed with.
pub const MODEL_PARAMS: &str = "model params";
pub const CREDENTIAL_VALUES: &str = "credential values";
pub const FORMER_KEY: &str = "former key";
pub const SETTING_VALUE: &str = "setting";

/// The setting that holds the price map as it was fetched last, beside those that are sections.
pub const PRICE_MAP: &str = "price_map";

/// Why something cannot be put in force: what is wrong and what to do about it, for the caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unusable(pub String);

/// What became of a question to a deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    pub took: Duration,
    /// What was wrong, in the provider's words where it had some; empty where nothing was.
    pub error: String,
    /// HTTP; 0 where nobody answered.
    pub status: u16,
}

/// What came of the last check of a deployment that nobody asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// When it answered.
    pub at: Micros,
    pub probe: Probe,
}

impl Probe {
    /// Whole milliseconds that it took.
    pub fn millis(&self) -> u64 {
        u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX)
    }
}

/// How a callback of the configuration is doing in this process, since that began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallbackState {
    pub name: String,
    /// `success`, `failure`, `audit`; empty where it could not be set up.
    pub told_of: Vec<&'static str>,
    /// Why it could not be set up, with the cure; empty where it was.
    pub unusable: String,
    /// Records that it has taken.
    pub delivered: u64,
    /// Records that it will never be told.
    pub dropped: u64,
    /// Since when it takes nothing; `None` where it took the last request, or was never sent one.
    pub failing_since: Option<Micros>,
    /// What was wrong last, and when. Hosts only, as the rest of an address may be a credential; empty where nothing
    /// ever was.
    pub last_error: String,
    pub last_error_at: Option<Micros>,
    /// Bytes of records that wait for it.
    pub waiting_bytes: u64,
}

/// How this process is doing. What is counted is counted since it began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicaState {
    /// A name that no other process has.
    pub name: String,
    pub ledger: LedgerState,
    /// Calls of the ledger that failed.
    pub ledger_failures: u64,
    /// Entries that the ledger does not have yet.
    pub waiting: u64,
    /// How long ago the oldest of those ended that the ledger is being asked to take.
    pub lag: Duration,
    /// Of the journal, and at how many nothing new is begun.
    pub journal_bytes: u64,
    pub journal_max_bytes: u64,
    /// Requests that were refused because a bound was reached.
    pub shed: u64,
    /// Requests that were served without a known price.
    pub unpriced: u64,
    /// Records that callbacks will never be told of.
    pub callbacks_dropped: u64,
    /// Alerts that reached nobody.
    pub alerts_dropped: u64,
}

/// The running gateway.
#[async_trait]
pub trait Control: Send + Sync {
    /// Reads from the ledger what was made over the API, and puts it in force in this process. What cannot be used is
    /// left out and told in the log.
    async fn refresh(&self);

    /// Looks at what would be in force with these beside the files, and puts nothing in force.
    ///
    /// # Errors
    /// A setting or a model that cannot be used.
    fn try_out(&self, added: &Additions) -> Result<(), Unusable>;

    /// `None`: it cannot be sealed.
    fn seal(&self, purpose: &str, text: &str) -> Option<String>;

    /// `None`: sealed by another installation, with another salt key, or for something else.
    fn open(&self, purpose: &str, sealed: &str) -> Option<String>;

    /// Whether a key, with its team and user, may ask for a model.
    fn may_use(&self, known: &Principal, model: &str) -> bool;

    /// Parameters of OpenAI's API that `provider/model` takes; none where nobody knows it.
    fn supported_params(&self, model: &str) -> Vec<&'static str>;

    /// Tokens of a chat's messages (a JSON list), as the model counts them; `None` where they cannot be read.
    fn count_tokens(&self, model: &str, messages: &str) -> Option<u64>;

    /// A text past one guardrail, as it would go on. `entities`: what is looked for, by guardrails that look for such;
    /// none: as they are configured.
    ///
    /// # Errors
    /// 404 where none has this name, 400 where it does not let the text pass, 503 where it cannot say.
    async fn apply_guardrail(
        &self,
        name: &str,
        text: &str,
        language: Option<&str>,
        entities: &[String],
    ) -> Result<String, ApiError>;

    /// Asks a deployment something short and real, which costs what it costs.
    async fn probe(&self, deployment: &str) -> Probe;

    /// The same with a deployment that is not in force: this one, laid over the files. `mode`: what is asked, by LiteLLM's
    /// names; `None`: as the config says, else the catalogue. Nothing is booked.
    ///
    /// # Errors
    /// It could not be put in force, as [`Control::try_out`] has it; nobody was asked.
    async fn probe_new(&self, model: AddedModel, mode: Option<&str>) -> Result<Probe, Unusable>;

    /// What deployments answered when this process last asked them in the background, by their ids: those that it has asked
    /// since its start. `None`: it asks nobody.
    fn checks(&self) -> Option<HashMap<String, Checked>>;

    /// Deployments that get no requests for a while, of all replicas where they know of each other.
    async fn coolings(&self) -> Coolings;

    /// Those of the configuration, in its order; those of keys and teams are their own business.
    fn callbacks(&self) -> Vec<CallbackState>;

    /// Answers from memory.
    fn replica(&self) -> ReplicaState;

    /// Really sends something made up to a callback, or to the places of a channel for alerts, once and within half a
    /// minute. What is said of it is for people; of an address it names the host alone. `None`: the configuration names
    /// none such.
    async fn test_service(&self, name: &str) -> Option<Result<String, String>>;

    /// Fetches the price map anew (`price_map_url`), keeps it in the ledger and puts it in force here and on every other
    /// replica. Answers how many models it knows.
    ///
    /// # Errors
    /// It cannot be fetched, read or kept; the last good one stays in force.
    async fn fetch_prices(&self) -> Result<usize, Unusable>;

    /// Where answers are kept; `None`: they are not.
    fn cache(&self) -> Option<Arc<dyn AnswerCache>>;
}
