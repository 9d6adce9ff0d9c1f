//! Changes of keys made by other replicas. Postgres tells within milliseconds; after a lost connection everything
//! cached is forgotten, since a change may have been missed.

use crate::cache::KeyCache;
use crate::keys::CHANNEL;
use crate::store::Ledger;
use sqlx::postgres::{PgListener, PgPoolOptions};
use std::sync::Arc;
use std::time::Duration;
use weir_core::ExposeSecret;
use weir_core::domain::ids::KeyHash;
use weir_core::ports::KeyLookup;

const RETRY: Duration = Duration::from_secs(1);

/// Runs for the life of the process. Does nothing over SQLite.
pub async fn listen(ledger: Ledger, cache: Arc<KeyCache>) {
    if !ledger.is_postgres() {
        return;
    }
    loop {
        if let Err(error) = hear(&ledger, &cache).await {
            tracing::warn!("not hearing of changed keys: {error}");
        }
        cache.forget_all();
        tokio::time::sleep(RETRY).await;
    }
}

async fn hear(ledger: &Ledger, cache: &KeyCache) -> Result<(), sqlx::Error> {
    let pool = PgPoolOptions::new().max_connections(1).connect(ledger.url().expose_secret()).await?;
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.listen(CHANNEL).await?;
    cache.forget_all();
    while let Some(told) = listener.try_recv().await? {
        if let Some(hash) = KeyHash::from_hex(told.payload()) {
            cache.forget(&hash).await;
        }
    }
    Ok(())
}
