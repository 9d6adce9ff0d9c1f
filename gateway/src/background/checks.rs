//! Deployments are asked again and again whether they are well, where the operator wants it (`background_health_checks`).
//! Each replica asks for itself. Where it is off, nothing runs.

use crate::local::probe;
use crate::state::App;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::Instant;
use weir_core::config::ModelEntry;
use weir_core::ports::control::Checked;
use weir_core::time;
use weir_plugins::snapshot::Snapshot;

/// Calls at once.
const AT_ONCE: usize = 8;

/// What deployments answered last, by their ids. Bounded by the configuration.
#[derive(Default)]
pub struct Checks {
    last: Mutex<HashMap<String, Checked>>,
    configured: Notify,
}

// --- Checks ---

impl Checks {
    /// Tells that another configuration is in force.
    pub fn configured(&self) {
        self.configured.notify_one();
    }

    pub fn all(&self) -> HashMap<String, Checked> {
        self.last().clone()
    }

    fn last(&self) -> MutexGuard<'_, HashMap<String, Checked>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs for the life of the process. A new configuration ends no wait: what was asked a moment ago is not asked again.
pub async fn run(app: Arc<App>) {
    let mut due = Instant::now();
    loop {
        let settings = app.snapshot.load().config.general.health.clone();
        if !settings.background {
            app.checks.last().clear();
            app.checks.configured.notified().await;
            due = Instant::now();
            continue;
        }
        due = due.min(Instant::now() + settings.interval);
        tokio::select! {
            () = tokio::time::sleep_until(due) => {}
            () = app.checks.configured.notified() => continue,
        }
        if app.draining.is_on() {
            return;
        }
        round(&app).await;
        due = Instant::now() + settings.interval;
    }
}

/// Each answer is told when it is there: one that is slow holds up nobody's.
async fn round(app: &Arc<App>) {
    let snapshot = app.snapshot.load_full();
    let ids: HashSet<&str> = asked(&snapshot).map(|entry| entry.id.as_str()).collect();
    app.checks.last().retain(|id, _| ids.contains(id.as_str()));
    let mut running = JoinSet::new();
    for id in ids {
        if running.len() >= AT_ONCE {
            running.join_next().await;
        }
        running.spawn(check(Arc::clone(app), Arc::clone(&snapshot), id.to_owned()));
    }
    while running.join_next().await.is_some() {}
}

/// A pattern without a model to ask for has nothing that could be well.
fn asked(snapshot: &Snapshot) -> impl Iterator<Item = &ModelEntry> {
    let has_model = |entry: &&ModelEntry| entry.info.check.model.is_some() || !entry.name.contains('*');
    snapshot.config.models.iter().filter(|entry| !entry.info.check.on_demand).filter(has_model)
}

async fn check(app: Arc<App>, snapshot: Arc<Snapshot>, id: String) {
    let probe = probe::ask(&app, &snapshot, &id, None).await;
    app.checks.last().insert(id, Checked { at: time::now(), probe });
}
