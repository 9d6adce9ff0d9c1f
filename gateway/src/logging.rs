//! Log lines: text for people, JSON (`message`, `level`, `timestamp`, …) for collectors. Our own secrets have types that do
//! not print themselves; libraries that print what they send are kept quiet at every level.

use std::io::IsTerminal;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

/// Targets that would print requests, headers or statements with their values, and the last level that does not.
static CEILINGS: &[(&str, Level)] = &[
    ("pingora", Level::INFO),
    ("h2", Level::INFO),
    ("hyper", Level::INFO),
    ("rustls", Level::INFO),
    ("sqlx", Level::WARN),
    ("mio", Level::INFO),
];

/// Starts logging, once per process. `WEIR_LOG` takes the filters of `tracing`'s `EnvFilter`.
pub fn start(json: bool, debug: bool) {
    let level = if debug { "debug" } else { "info" };
    // Pingora tells about every broken connection; we tell about every broken request.
    let usual = format!("{level},pingora_core=error,pingora_proxy=error");
    let asked = EnvFilter::try_from_env("WEIR_LOG").unwrap_or_else(|_| EnvFilter::new(usual));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = if json {
        lines.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed()
    } else {
        lines.with_target(false).with_ansi(std::io::stderr().is_terminal()).boxed()
    };
    let lines = lines.with_filter(filter_fn(is_discreet)).with_filter(asked);
    if let Err(error) = tracing_subscriber::registry().with(lines).try_init() {
        crate::cli::say(&format!("weir: logging could not be started: {error}"));
    }
}

fn is_discreet(event: &Metadata<'_>) -> bool {
    CEILINGS.iter().all(|(target, ceiling)| !event.target().starts_with(target) || event.level() <= ceiling)
}
