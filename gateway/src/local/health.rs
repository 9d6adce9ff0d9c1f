//! Health, from memory: no model and no database is asked, so it answers under any load.

use super::Reply;
use crate::response::head::LITELLM_VERSION;
use crate::state::App;
use http::StatusCode;
use serde_json::json;
use weir_core::ports::LedgerState;

/// Where requests are counted against rate limits.
fn rate_limits(app: &App) -> &'static str {
    match app.rates.shared() {
        Some(true) => "redis",
        Some(false) => "local, because Redis is away",
        None => "local",
    }
}

/// 503 until the ledger was reached once, and again when told to stop; 200 otherwise, even while the ledger is away.
pub fn readiness(app: &App) -> Reply {
    let ledger = app.ledger.state();
    let (status, db) = match ledger {
        LedgerState::Starting => ("starting", "Not connected"),
        LedgerState::Connected => ("connected", "connected"),
        LedgerState::Degraded => ("connected", "degraded"),
    };
    let stopping = app.draining.is_told();
    let snapshot = app.snapshot.load();
    let body = json!({
        "status": if stopping { "stopping" } else { status },
        "db": db,
        "cache": app.answers.as_ref().map(|answers| answers.place()),
        "rate_limits": rate_limits(app),
        "litellm_version": LITELLM_VERSION,
        "weir_version": env!("CARGO_PKG_VERSION"),
        "success_callbacks": snapshot.config.litellm.callbacks,
        "use_aiohttp_transport": false,
    });
    let mut reply = Reply::json(&body);
    if stopping || ledger == LedgerState::Starting {
        reply.status = StatusCode::SERVICE_UNAVAILABLE;
    }
    reply
}
