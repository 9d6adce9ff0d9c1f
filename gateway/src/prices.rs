//! The price map anew, from its address. It is kept in the ledger, so that every replica and every later start has it; what
//! cannot be fetched, read or kept changes nothing.

use crate::control::Configuration;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use weir_core::config::Config;
use weir_core::domain::records::{Kept, Setting};
use weir_core::model::prices::{Catalogue, import};
use weir_core::ports::control::{Control, PRICE_MAP, SETTING_VALUE, Unusable};
use weir_core::ports::{LedgerError, LedgerResult, records};
use weir_core::{ExposeSecret, SecretString, time};
use weir_plugins::auth::Http;

/// The address may take so long.
const WITHIN: Duration = Duration::from_secs(60);
/// Between two looks at how old the map is.
const LOOK: Duration = Duration::from_secs(60);
/// Nobody is asked again at once who could not be understood.
const AFTER_FAILURE: Duration = Duration::from_secs(900);

/// Takes the price map out of the ledger's settings, of which all others are sections.
pub(crate) fn taken(settings: &mut Vec<(String, SecretString)>) -> Option<String> {
    let at = settings.iter().position(|(name, _)| name == PRICE_MAP)?;
    let (_, kept) = settings.remove(at);
    let kept: Value = serde_json::from_str(kept.expose_secret()).ok()?;
    kept["catalogue"].as_str().map(str::to_owned)
}

/// See [`Control::fetch_prices`].
pub(crate) async fn fetch(configuration: &Configuration) -> Result<usize, Unusable> {
    let config = Arc::clone(&configuration.app.snapshot.load().config);
    if !config.general.store_model_in_db {
        let why = "store_model_in_db is false, so no price map can be kept in the ledger";
        return Err(Unusable(String::from(why)));
    }
    if !config.general.uses_kept("model_cost_map") {
        let why = "supported_db_objects leaves out model_cost_map, so that a price map in the ledger would not count";
        return Err(Unusable(String::from(why)));
    }
    let (catalogue, models) = fetched(&config).await.map_err(Unusable)?;
    let sealed = configuration.seal(SETTING_VALUE, &json!({ "catalogue": catalogue }).to_string());
    let sealed = sealed.ok_or_else(|| Unusable(String::from("the price map cannot be sealed")))?;
    let shown = [(String::from("models"), Value::from(models))].into_iter().collect();
    let record = Setting { name: PRICE_MAP.to_owned(), value: Value::from(sealed), shown };
    keep(configuration, &record)
        .await
        .map_err(|error| Unusable(format!("the price map cannot be kept: {error}")))?;
    configuration.refresh().await;
    Ok(models)
}

/// A catalogue that can be read, and how many models are in it.
async fn fetched(config: &Config) -> Result<(String, usize), String> {
    let map = Http::new(&config.env).document(&config.weir.price_map_url, WITHIN).await?;
    let text = std::str::from_utf8(&map).map_err(|error| format!("the price map is no text: {error}"))?;
    let (catalogue, report) = import(text).map_err(|error| error.to_string())?;
    if report.priced == 0 {
        return Err(String::from("the price map knows no price"));
    }
    match Catalogue::parse(catalogue.as_str()) {
        Ok(_) => Ok((catalogue, report.models)),
        Err(bad) => Err(format!("the price map cannot be read: {bad}")),
    }
}

async fn kept(configuration: &Configuration) -> LedgerResult<Option<Kept<Setting>>> {
    records::get::<Setting>(configuration.directory.as_ref(), PRICE_MAP).await
}

async fn keep(configuration: &Configuration, record: &Setting) -> LedgerResult<()> {
    let now = time::now();
    let change = match kept(configuration).await? {
        Some(before) => records::update(&before, record, now, None)?,
        None => records::insert(record, now, None)?,
    };
    match configuration.directory.commit(&[change], &[]).await {
        // Another replica was quicker: its map is as new.
        Err(LedgerError::Conflict(_)) => Ok(()),
        done => done,
    }
}

/// Fetches it whenever it is too old (`price_map_refresh`). Runs for the life of the process.
pub async fn follow(configuration: Arc<Configuration>) {
    loop {
        tokio::time::sleep(LOOK).await;
        let every = configuration.app.snapshot.load().config.weir.price_map_refresh;
        let Some(every) = every else { continue };
        if !is_older(&configuration, every).await {
            continue;
        }
        if let Err(why) = fetch(&configuration).await {
            tracing::warn!("the price map stays as it is: {why}");
            tokio::time::sleep(AFTER_FAILURE).await;
        }
    }
}

async fn is_older(configuration: &Configuration, than: Duration) -> bool {
    let age = |kept: Kept<Setting>| time::now().0.saturating_sub(kept.updated_at.0);
    match kept(configuration).await {
        Ok(kept) => {
            kept.is_none_or(|kept| u128::try_from(age(kept)).is_ok_and(|age| age >= than.as_micros()))
        }
        Err(_) => false,
    }
}
