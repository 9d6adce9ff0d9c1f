//! The two servers of the command line, and what both need: durations, signals, the first line of output.

use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use http::Uri;
use tokio::signal::unix::{SignalKind, signal};
use weir_bench::mock::canned::Options;
use weir_bench::mock::obedient::Obedient;
use weir_bench::mock::openai::OpenAi;
use weir_bench::mock::{MockServer, Provider, Script, Upstream};
use weir_bench::switch::Switch;
use weir_bench::{pass as proxy, ports, stamped};

#[derive(Debug, Args)]
pub(crate) struct MockArgs {
    /// Port 0 takes a free one; the first line of output names it
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    #[arg(long, value_enum, default_value_t = Dialect::Canned)]
    dialect: Dialect,
    /// Chunks of one stream
    #[arg(long, default_value_t = 64)]
    chunks: usize,
    /// Pause between two chunks, as in 5ms; 0 sends all at once
    #[arg(long, default_value = "0", value_parser = duration)]
    pace: Duration,
    /// Wait before the first byte, as in 20ms
    #[arg(long, default_value = "0", value_parser = duration)]
    delay: Duration,
    /// Bytes of a plain answer
    #[arg(long, default_value_t = 600)]
    bytes: usize,
    /// Of a thousand requests, so many get a status 500
    #[arg(long, default_value_t = 0)]
    fail: u32,
    /// Conversations to play, for the dialects `all` and `openai`: JSON, see src/mock/script.rs
    #[arg(long)]
    script: Option<PathBuf>,
    /// Requests that are kept for reading back under /__; 0 keeps none [default: 0, with all and openai 2000]
    #[arg(long)]
    log: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Dialect {
    /// Every provider's API, told by the path, obeying control words in the request
    All,
    /// OpenAI's API alone
    Openai,
    /// Answers built beforehand, the cheapest; /__options?chunks=8&pace_us=5000 changes them
    Canned,
    /// A stream whose chunks carry the time they were sent at
    Stamped,
    /// Chats that keep to max_tokens, each of another length
    Obedient,
}

#[derive(Debug, Args)]
pub(crate) struct PassArgs {
    /// Port 0 takes a free one; the first line of output names it
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// As in http://127.0.0.1:9000
    #[arg(long)]
    upstream: Uri,
    #[arg(long, default_value_t = 1)]
    threads: usize,
}

pub(crate) fn mock(args: &MockArgs) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match args.dialect {
            Dialect::All => upstream(args, Provider::new().with_scripts(args.scripts()?), 2000).await,
            Dialect::Openai => upstream(args, OpenAi::new().with_scripts(args.scripts()?), 2000).await,
            Dialect::Canned => upstream(args, Switch::new(args.options()), 0).await,
            Dialect::Stamped => stamps(args).await,
            Dialect::Obedient => upstream(args, Obedient::new(args.pace), 0).await,
        }
    })
}

async fn upstream(args: &MockArgs, upstream: impl Upstream, log: usize) -> anyhow::Result<()> {
    let server = MockServer::start_on(args.listen, upstream).await?.with_log_limit(args.log.unwrap_or(log));
    say(&format!("mock listening on {}", server.url()))?;
    stop_signal().await;
    Ok(())
}

async fn stamps(args: &MockArgs) -> anyhow::Result<()> {
    let listener = tokio::net::TcpListener::bind(args.listen).await?;
    say(&format!("mock listening on http://{}", listener.local_addr()?))?;
    tokio::select! {
        result = stamped::serve(listener, args.chunks, args.pace) => result,
        () = stop_signal() => Ok(()),
    }
}

pub(crate) fn pass(args: &PassArgs) -> anyhow::Result<ExitCode> {
    let listen = if args.listen.port() == 0 { ports::free_addr()? } else { args.listen };
    let authority = args.upstream.authority().context("--upstream: http://ADDRESS:PORT")?;
    let upstream =
        authority.as_str().parse().context("--upstream: the address must be numeric, with a port")?;
    std::thread::Builder::new().name("announce".to_owned()).spawn(move || announce(listen))?;
    proxy::serve(listen, upstream, args.threads)
}

/// Pingora does not say when it listens.
#[expect(clippy::disallowed_methods, reason = "a thread that does nothing but wait")]
fn announce(listen: SocketAddr) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while TcpStream::connect(listen).is_err() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(10));
    }
    if let Err(error) = say(&format!("pass listening on http://{listen}")) {
        tracing::error!(%error, "cannot write to standard output");
    }
}

/// A line to standard output, at once.
pub(crate) fn say(line: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

/// SIGTERM or SIGINT.
pub(crate) async fn stop_signal() {
    let (Ok(mut term), Ok(mut int)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        // Without handlers the signals end the process as they do by default.
        return std::future::pending().await;
    };
    tokio::select! { _ = term.recv() => (), _ = int.recv() => () }
}

/// `5ms`, `100us`, `2s`, or a bare number of milliseconds.
fn duration(text: &str) -> anyhow::Result<Duration> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let number: u64 = digits.parse().with_context(|| format!("{text:?}: as in 5ms, 100us, 2s"))?;
    match &text[digits.len()..] {
        "us" => Ok(Duration::from_micros(number)),
        "" | "ms" => Ok(Duration::from_millis(number)),
        "s" => Ok(Duration::from_secs(number)),
        unit => bail!("{unit:?}: known are us, ms and s"),
    }
}

/// Seconds with a fraction, more than none and at most a day.
pub(crate) fn seconds(text: &str) -> anyhow::Result<Duration> {
    let number: f64 = text.parse()?;
    if !(number > 0.0 && number <= 86_400.0) {
        bail!("more than 0 and at most 86400 seconds");
    }
    Ok(Duration::from_secs_f64(number))
}

// --- impl MockArgs ---

impl MockArgs {
    fn scripts(&self) -> anyhow::Result<Vec<Script>> {
        let Some(path) = &self.script else { return Ok(Vec::new()) };
        let text = std::fs::read(path).with_context(|| format!("read {}", path.display()))?;
        Script::parse(&text).with_context(|| path.display().to_string())
    }

    fn options(&self) -> Options {
        Options {
            chunks: self.chunks,
            pace: self.pace,
            delay: self.delay,
            reply_bytes: self.bytes,
            fail_per_mille: self.fail,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        for (text, wanted) in [("5ms", 5_000), ("100us", 100), ("2s", 2_000_000), ("7", 7_000)] {
            assert_eq!(duration(text).unwrap(), Duration::from_micros(wanted));
        }
        for wrong in ["", "ms", "5m", "-1", "1.5s"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
        assert!(seconds("nan").is_err() && seconds("0").is_err() && seconds("0.5").is_ok());
    }
}
