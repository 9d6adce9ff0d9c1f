//! `weir doctor`: is everything there that a gateway with this configuration needs? Looks, and changes nothing.
//!
//! `checks.rs` is what is looked at, each in its time and all at once; `reach.rs` how a provider is reached.

mod checks;
mod reach;

use super::{Text, put, say};
use crate::settings::Loader;
use anyhow::bail;
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;
use weir_core::config::{Env, Problems, Severity};

#[derive(Args)]
pub(super) struct Doctor {
    /// The configuration, in LiteLLM's format.
    #[arg(short, long, env = "CONFIG_FILE_PATH")]
    config: Option<PathBuf>,
    /// The address the gateway listens on, or will listen on.
    #[arg(long, env = "HOST", default_value = "0.0.0.0")]
    host: String,
    #[arg(long, env = "PORT", default_value_t = 4000)]
    port: u16,
    /// Seconds that each check may take.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=300))]
    timeout: u64,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
    /// Warnings count as failures.
    #[arg(long)]
    strict: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Ok,
    /// It works now, and will not for ever, or not in every way.
    Warn,
    Fail,
}

/// What came of one check.
#[derive(Clone, Debug)]
struct Finding {
    check: &'static str,
    /// What was looked at; empty where there is only one.
    target: String,
    status: Status,
    /// A sentence; where something is wrong, what to do about it.
    detail: String,
    took: Option<Duration>,
}

pub(super) fn run(args: &Doctor) -> anyhow::Result<()> {
    let env = Env::process();
    let loader = super::runtime()?.block_on(Loader::new(args.config.clone(), env.clone()).with_secrets())?;
    let (config, problems) = loader.config();
    let mut findings = vec![configuration(&problems)];
    match config {
        Some(config) => {
            let limit = Duration::from_secs(args.timeout);
            let place = checks::Place { config: &config, env: &env, limit };
            findings.extend(super::runtime()?.block_on(place.all((args.host.as_str(), args.port))));
        }
        None => problems.iter().for_each(|problem| say(&problem.to_string())),
    }
    put(&if args.json { as_json(&findings) } else { as_text(&findings) })?;
    let bad = |f: &&Finding| f.status == Status::Fail || args.strict && f.status == Status::Warn;
    match findings.iter().filter(bad).count() {
        0 => Ok(()),
        bad => bail!("{bad} of {} checks failed", findings.len()),
    }
}

fn configuration(problems: &Problems) -> Finding {
    let finding = |status, detail| Finding::new("configuration", "", status, detail);
    let (errors, warnings) = (problems.count(Severity::Error), problems.count(Severity::Warning));
    match (problems.has_errors(), warnings) {
        (true, _) => finding(Status::Fail, format!("{errors} errors: see `weir check`")),
        (false, 0) => finding(Status::Ok, String::from("no errors, no warnings")),
        (false, _) => finding(Status::Warn, format!("{warnings} warnings: see `weir check`")),
    }
}

// --- Finding ---

impl Finding {
    fn new(check: &'static str, target: &str, status: Status, detail: impl Into<String>) -> Self {
        Self { check, target: target.to_owned(), status, detail: detail.into(), took: None }
    }

    fn took(self, took: Duration) -> Self {
        Self { took: Some(took), ..self }
    }
}

impl Status {
    fn word(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::Warn => "warn",
            Status::Fail => "FAIL",
        }
    }
}

// --- telling ---

fn millis(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1_000.0)
}

fn as_text(findings: &[Finding]) -> String {
    let width = findings.iter().map(|f| f.target.len()).max().unwrap_or_default();
    let mut text = Text::default();
    for finding in findings {
        let Finding { check, target, status, detail, took } = finding;
        let took = took.map_or_else(String::new, |took| format!(" ({})", millis(took)));
        text.line(format!("{:<4}  {check:<13}  {target:<width$}  {detail}{took}", status.word()));
    }
    text.done()
}

fn as_json(findings: &[Finding]) -> String {
    let one = |f: &Finding| {
        json!({
            "check": f.check,
            "target": f.target,
            "status": f.status.word().to_ascii_lowercase(),
            "detail": f.detail,
            "seconds": f.took.map(|took| took.as_secs_f64()),
        })
    };
    let failed = findings.iter().any(|f| f.status == Status::Fail);
    let all: Vec<Value> = findings.iter().map(one).collect();
    format!("{:#}\n", json!({"ok": !failed, "checks": all}))
}
