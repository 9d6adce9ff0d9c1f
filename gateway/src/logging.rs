//! Log lines: text for people, JSON (`message`, `level`, `timestamp`, …) for collectors. Secrets have types that do
//! not print themselves, so no filter is needed here.

use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Starts logging, once per process.
pub fn start(json: bool, debug: bool) {
    let level = if debug { "debug" } else { "info" };
    let filter = EnvFilter::try_from_env("WEIR_LOG").unwrap_or_else(|_| {
        // Pingora tells about every broken connection; we tell about every broken request.
        EnvFilter::new(format!("{level},pingora_core=error,pingora_proxy=error,sqlx=warn"))
    });
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = if json {
        builder.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init()
    } else {
        builder.with_target(false).with_ansi(std::io::stderr().is_terminal()).try_init()
    };
    if let Err(error) = started {
        crate::cli::say(&format!("weir: logging could not be started: {error}"));
    }
}
