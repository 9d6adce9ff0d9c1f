//! The first start on a database of LiteLLM's: what is in it is taken over, with nothing changed there. Keys, and all else
//! that requests need, come before the first request; history comes beside them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use weir_core::SecretString;
use weir_core::config::Config;
use weir_core::domain::records::RecordKind;
use weir_core::ports::control::{CREDENTIAL_VALUES, MODEL_PARAMS, SETTING_VALUE};
use weir_core::ports::{LedgerHealth, LedgerState};
use weir_ledger::Ledger;
use weir_ledger::litellm::{self, ImportOptions, Parts, Place, Report, Sealer};
use weir_plugins::seal;

/// An import whose records are taken, and whose history is not yet.
pub struct First {
    ledger: Ledger,
    options: ImportOptions,
    seals: Seals,
}

/// Takes the records. `None`: this is no first start, there is nothing of LiteLLM's, or it could not be taken, which the
/// log tells; `weir import litellm` may be tried again at any time.
pub async fn begin(ledger: &Ledger, config: &Config, master: Option<&SecretString>) -> Option<First> {
    let place = Place { url: config.general.database_url.clone()?, schema: None };
    if ledger.state() != LedgerState::Connected {
        return None;
    }
    if !litellm::is_first_start(ledger, &place).await.unwrap_or(false) {
        return None;
    }
    tracing::info!("LiteLLM's tables are here and this ledger is new: taking over what is in them");
    let options =
        ImportOptions { from: place, dry_run: false, keys: keys(config, master), parts: Parts::Records };
    let first = First { ledger: ledger.clone(), options, seals: Seals::of(config, master) };
    first.import().await.then_some(first)
}

impl First {
    /// Takes what is left: logs, sums and the audit log.
    pub async fn finish(mut self) {
        self.options.parts = Parts::History;
        self.import().await;
    }

    async fn import(&self) -> bool {
        match litellm::import(&self.ledger, &self.options, &self.seals).await {
            Ok(report) => log(&report),
            Err(error) => {
                tracing::error!(
                    "the import of LiteLLM's tables did not finish; `weir import litellm` continues it: {error}"
                );
                return false;
            }
        }
        true
    }
}

fn log(report: &Report) {
    report.to_string().lines().for_each(|line| tracing::info!("import: {line}"));
}

/// What LiteLLM may have encrypted with, the likeliest first.
pub fn keys(config: &Config, master: Option<&SecretString>) -> Vec<SecretString> {
    let named = ["LITELLM_SALT_KEY", "LITELLM_MASTER_KEY"].iter().filter_map(|name| config.env.filled(name));
    named.map(SecretString::from).chain(master.cloned()).collect()
}

/// Seals with this installation's secret.
pub struct Seals(seal::Sealer);

impl Seals {
    pub fn of(config: &Config, master: Option<&SecretString>) -> Self {
        Self(seal::Sealer::of(&config.env, master))
    }
}

impl Sealer for Seals {
    fn seal(&self, kind: RecordKind, _id: &str, text: &str) -> Option<String> {
        self.0.seal(purpose(kind).as_bytes(), text.as_bytes()).map(|sealed| STANDARD.encode(sealed))
    }

    fn password(&self, text: &str) -> Option<String> {
        weir_admin::password_hash(text)
    }
}

/// What a record's sealed text is for.
fn purpose(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::Model => MODEL_PARAMS,
        RecordKind::Credential => CREDENTIAL_VALUES,
        _ => SETTING_VALUE,
    }
}
