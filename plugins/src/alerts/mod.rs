//! Who runs the gateway is told of what needs somebody: budgets that end, deployments that fail, requests that hang, a
//! ledger that is away. `budgets.rs`, `requests.rs` and `reports.rs` say of what and in which words, `send.rs` how it gets
//! there, `trial.rs` tries that when somebody asks. An alert waits for nobody and nobody waits for it. It has a name, by
//! which all replicas tell it once, and not again before its time.

mod budgets;
mod reports;
mod requests;
mod send;
mod trial;

pub use reports::{NAMED, Period, Report};
pub use requests::MAX_OPEN;
pub use trial::test;

use crate::auth::Poster;
use requests::Requests;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;
use weir_core::config::AlertSettings;
use weir_core::config::env::Env;
use weir_core::ports::control::CallbackState;
use weir_core::ports::told::Told;
use weir_core::time::{self, Micros};

/// Something to tell.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// Of [`weir_core::config::ALERT_TYPES`].
    pub kind: &'static str,
    /// By what it is known to be the same.
    pub name: String,
    /// It is not told again before then.
    pub until: Micros,
    pub level: Level,
    /// For people.
    pub text: String,
    /// For programs: a JSON object.
    pub body: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Low,
    Medium,
    High,
}

/// Why nobody was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dropped {
    /// Too many waited.
    Queue,
    /// Nobody took it.
    Receiver,
}

/// All alerts of the process.
pub struct Alerts {
    on: AtomicBool,
    waiting: mpsc::Sender<Alert>,
    receiver: Mutex<Option<mpsc::Receiver<Alert>>>,
    /// What this process knows to be told, until when.
    told: Mutex<HashMap<String, Micros>>,
    requests: Requests,
    on_drop: Box<dyn Fn(Dropped) + Send + Sync>,
}

/// Alerts that wait at most.
const PLACES: usize = 256;
/// Names that are remembered.
const REMEMBERED: usize = 10_000;
/// After which somebody is tried to be told again who could not be told.
const RETRY: Duration = Duration::from_secs(60);
/// How long nobody is told again of what goes on.
const AGAIN: Duration = Duration::from_secs(900);
/// How long a callback may take nothing before somebody should look at it: retries help against less.
const CALLBACK_FAILED: Duration = Duration::from_secs(120);

impl Level {
    fn as_str(self) -> &'static str {
        match self {
            Self::Low => "Low",
            Self::Medium => "Medium",
            Self::High => "High",
        }
    }
}

impl Dropped {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Receiver => "receiver",
        }
    }
}

impl Alerts {
    /// `on_drop`: hears of what nobody was told.
    pub fn new(on_drop: impl Fn(Dropped) + Send + Sync + 'static) -> Self {
        let (waiting, receiver) = mpsc::channel(PLACES);
        Self {
            on: AtomicBool::new(false),
            waiting,
            receiver: Mutex::new(Some(receiver)),
            told: Mutex::default(),
            requests: Requests::default(),
            on_drop: Box::new(on_drop),
        }
    }

    /// Whether anybody is told of anything. Off costs nothing per request.
    pub fn switch(&self, on: bool) {
        self.on.store(on, Ordering::Relaxed);
    }

    pub fn is_on(&self) -> bool {
        self.on.load(Ordering::Relaxed)
    }

    /// Tells it soon, if it was not told already.
    pub fn raise(&self, alert: Alert, settings: &AlertSettings) {
        let now = time::now();
        if !self.is_on() || !settings.tells(alert.kind) || self.is_told(&alert.name, now) {
            return;
        }
        let (name, until) = (alert.name.clone(), alert.until);
        if self.waiting.try_send(alert).is_err() {
            return (self.on_drop)(Dropped::Queue);
        }
        self.remember(name, until, now);
    }

    /// Something goes on that somebody should look at.
    fn notice(&self, settings: &AlertSettings, kind: &'static str, level: Level, name: String, text: String) {
        let body = send::plain(kind, &text);
        let until = later(time::now(), AGAIN);
        self.raise(Alert { kind, name, until, level, text, body }, settings);
    }

    /// The ledger is away.
    pub fn ledger_away(&self, settings: &AlertSettings) {
        let text = "The ledger cannot be reached. Requests are served from what is known and journalled until it is back: \
                    look at the database, its network and its connections.";
        self.notice(settings, "db_exceptions", Level::High, String::from("ledger"), text.to_owned());
    }

    /// What was spent is not booked.
    pub fn not_booked(&self, settings: &AlertSettings, since: Duration) {
        let text = format!(
            "The ledger has not accepted entries for {} s. They wait in the journal; when it is full, requests are refused.",
            since.as_secs()
        );
        self.notice(settings, "failed_tracking_spend", Level::High, String::from("booking"), text);
    }

    /// Records that go to a callback have not arrived for a while.
    pub fn callbacks_failed(&self, settings: &AlertSettings, callbacks: &[CallbackState], now: Micros) {
        for callback in callbacks {
            let Some(since) = callback.failing_since else { continue };
            let failing = Duration::from_micros(now.since(since).unsigned_abs());
            if failing >= CALLBACK_FAILED && now > since {
                self.callback_failed(settings, callback, failing);
            }
        }
    }

    fn callback_failed(&self, settings: &AlertSettings, callback: &CallbackState, failing: Duration) {
        let text = format!(
            "Records for the callback {} are not taken, for {} s now: {}. {} are lost, others wait. Look at its address and \
             its credentials.",
            callback.name,
            failing.as_secs(),
            callback.last_error,
            callback.dropped
        );
        let name = format!("callback:{}", named(&callback.name));
        self.notice(settings, "failed_tracking_spend", Level::Medium, name, text);
    }

    fn is_told(&self, name: &str, now: Micros) -> bool {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.get(name).is_some_and(|until| *until > now)
    }

    fn remember(&self, name: String, until: Micros, now: Micros) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() >= REMEMBERED {
            told.retain(|_, until| *until > now);
        }
        if told.len() < REMEMBERED {
            told.insert(name, until);
        }
    }

    /// Tells what is raised, for the life of the process.
    pub async fn run(
        self: Arc<Self>,
        replicas: Arc<dyn Told>,
        env: Env,
        settings: impl Fn() -> AlertSettings + Send + Sync,
    ) {
        let receiver = self.receiver.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut receiver) = receiver else { return };
        let poster = Poster::new(&env);
        while let Some(alert) = receiver.recv().await {
            let claimed = replicas.claim(&alert.name, time::now(), alert.until).await;
            if let Err(error) = &claimed {
                // Better twice than never.
                tracing::debug!("other replicas may tell the same: {error}");
            }
            if claimed.unwrap_or(true) && !send::send(&poster, &settings(), &alert).await {
                (self.on_drop)(Dropped::Receiver);
                // Whoever comes by it next tries again, this process after a while.
                self.remember(alert.name.clone(), later(time::now(), RETRY), time::now());
                let _ = replicas.give_up(&alert.name).await;
            }
        }
    }
}

fn later(now: Micros, by: Duration) -> Micros {
    Micros(now.0.saturating_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX)))
}

/// A part of a name. Identifiers come from outside, and names are kept.
fn named(text: &str) -> &str {
    &text[..text.floor_char_boundary(200)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_core::config::Config;

    #[test]
    fn a_callback_that_fails_for_a_while_is_told_of_once() {
        let config =
            Config::from_text("general_settings: {alerting: [webhook]}", &Env::default(), &[]).0.unwrap();
        let settings = &config.general.alerts;
        let alerts = Alerts::new(|_| ());
        alerts.switch(true);
        let now = time::now();
        let state = |name: &str, seconds: Option<i64>| CallbackState {
            name: name.to_owned(),
            failing_since: seconds.map(|seconds| Micros(now.0 - seconds * 1_000_000)),
            last_error: String::from("it answered 503"),
            ..CallbackState::default()
        };
        let states = [state("well", None), state("new", Some(5)), state("failing", Some(600))];
        alerts.callbacks_failed(settings, &states, now);
        alerts.callbacks_failed(settings, &states, now);
        let mut told = alerts.receiver.lock().unwrap().take().unwrap();
        let alert = told.try_recv().unwrap();
        assert_eq!((alert.kind, alert.name.as_str()), ("failed_tracking_spend", "callback:failing"));
        assert!(alert.text.contains("600 s") && alert.text.contains("it answered 503"), "{}", alert.text);
        assert!(told.try_recv().is_err(), "one alert, and one only");
    }
}
