//! Log lines: text for people, JSON (`message`, `level`, `timestamp`, …) for collectors. Our own secrets have types that do
//! not print themselves; libraries that print what they send are kept quiet at every level. Lines of requests go to a
//! thread of their own, which no request waits for (`requests.rs`).

mod requests;

pub use requests::{dropped, flush};

use std::fmt::{self, Write as _};
use std::io::IsTerminal;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::format::{Writer, debug_fn};
use tracing_subscriber::fmt::{FormatFields, MakeWriter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};
use weir_core::config::env::Env;
use weir_plugins::filters::ACCESS;

/// Targets that would print requests, headers or statements with their values, and the last level that does not.
static CEILINGS: &[(&str, Level)] = &[
    ("pingora", Level::INFO),
    ("h2", Level::INFO),
    ("hyper", Level::INFO),
    ("rustls", Level::INFO),
    ("sqlx", Level::WARN),
    ("mio", Level::INFO),
];

/// Starts logging, once per process. `WEIR_LOG` takes the filters of `tracing`'s `EnvFilter`; else LiteLLM's `LITELLM_LOG`
/// is a level.
pub fn start(json: bool, debug: bool, env: &Env) {
    let level = if debug { "debug" } else { level(env) };
    // Pingora tells about every broken connection; we tell about every broken request.
    let usual = format!("{level},pingora_core=error,pingora_proxy=error");
    let asked = EnvFilter::try_from_env("WEIR_LOG");
    let quiet = asked.is_err() && level != "debug";
    let asked = asked.unwrap_or_else(|_| EnvFilter::new(usual));
    let coloured = std::io::stderr().is_terminal();
    let requests = of_requests(json, coloured).with_filter(filter_fn(is_of_request));
    let others = lines(json, coloured, std::io::stderr)
        .with_filter(filter_fn(|event| !is_of_request(event) && is_discreet(event)))
        .with_filter(asked);
    if let Err(error) = tracing_subscriber::registry().with(requests).with(others).try_init() {
        crate::cli::say(&format!("weir: logging could not be started: {error}"));
    }
    if quiet {
        // Pingora has something to say at every step: it sees for itself that nobody listens.
        log::set_max_level(log::LevelFilter::Info);
    }
}

/// As LiteLLM's variable says it.
fn level(env: &Env) -> &'static str {
    match env.filled("LITELLM_LOG").unwrap_or_default().to_ascii_uppercase().as_str() {
        "DEBUG" => "debug",
        "WARNING" | "WARN" => "warn",
        "ERROR" | "CRITICAL" => "error",
        _ => "info",
    }
}

fn of_requests<S>(json: bool, coloured: bool) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    requests::begin();
    if json { requests::Objects.boxed() } else { lines(false, coloured, requests::Lines) }
}

fn lines<S, W>(json: bool, coloured: bool, writer: W) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt::layer().with_writer(writer);
    match json {
        true => lines.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed(),
        false => lines.with_target(false).with_ansi(coloured).fmt_fields(on_one_line()).boxed(),
    }
}

/// Fields as they are, but for what would begin a line, or colour one, that a client has made up. JSON escapes them itself.
fn on_one_line() -> impl for<'writer> FormatFields<'writer> + Send + Sync + 'static {
    debug_fn(|out, field, value| match field.name() {
        "message" => write!(OneLine(out), "{value:?}"),
        name => write!(OneLine(out), "{name}={value:?}"),
    })
    .delimited(" ")
}

struct OneLine<'o, 'w>(&'o mut Writer<'w>);

impl fmt::Write for OneLine<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut plain = text.split(char::is_control);
        self.0.write_str(plain.next().unwrap_or_default())?;
        let controls = text.chars().filter(|c| c.is_control());
        controls.zip(plain).try_for_each(|(c, rest)| write!(self.0, "{}{rest}", c.escape_default()))
    }
}

fn is_of_request(event: &Metadata<'_>) -> bool {
    event.target() == ACCESS
}

fn is_discreet(event: &Metadata<'_>) -> bool {
    CEILINGS.iter().all(|(target, ceiling)| !event.target().starts_with(target) || event.level() <= ceiling)
}
