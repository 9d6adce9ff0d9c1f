//! The command line: `weir serve` (also without the word, with LiteLLM's flags), `weir migrate`, `weir check`,
//! `weir config`, `weir doctor`, `weir keys|teams|users|spend`, `weir prices import`, `weir import litellm`,
//! `weir export litellm`, `weir reprice`, `weir reseal`, `weir upgrade`, `weir completions`, `weir man`. A file each.

mod admin;
mod config;
mod doctor;
mod helm;
mod litellm;
mod manual;
mod reprice;
mod reseal;
mod theirs;
mod upgrade;

use crate::settings::Loader;
use anyhow::{Context, bail};
use clap::{Args, Parser, Subcommand};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use weir_core::config::{Problems, Severity};
use weir_plugins::filters::FilterKind;

#[derive(Parser)]
#[command(name = "weir", version, about = "An LLM gateway: one endpoint in front of every provider.")]
#[command(args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: Serve,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the gateway (the default).
    Serve(Serve),
    /// Brings the ledger's schema up to date. Waits for the database; safe to run several times at once.
    Migrate(Migrate),
    /// Reads a configuration, prints every problem, and exits with 1 if it cannot be served.
    Check(Check),
    /// Prints every setting in force and where its value comes from. Secrets are hidden.
    Config(config::Show),
    /// Checks that ledger, Redis, providers, data directory and port are reachable and healthy; exits with 1 if not.
    Doctor(doctor::Doctor),
    /// Manages the virtual keys of a running gateway.
    Keys(admin::Keys),
    /// Manages the teams of a running gateway.
    Teams(admin::Others),
    /// Manages the users of a running gateway.
    Users(admin::Others),
    /// Reports what was spent on a running gateway, by team, key, model and so on.
    Spend(admin::Spend),
    /// Re-prices booked entries at today's prices, and every sum they are part of.
    Reprice(reprice::Reprice),
    /// Re-encrypts the ledger's secrets after the salt key or master key was changed.
    Reseal(reseal::Reseal),
    /// Replaces a running gateway with this program, without breaking a stream or refusing a request.
    Upgrade(upgrade::Upgrade),
    /// Prints a completion script for a shell.
    Completions(manual::Completions),
    /// Prints the manual, or writes its pages into a folder.
    Man(manual::Manual),
    /// The price catalogue.
    #[command(subcommand)]
    Prices(Prices),
    /// Imports another gateway's keys, teams, users, budgets and spend.
    #[command(subcommand)]
    Import(Import),
    /// Exports keys, teams, users, budgets and spend to another gateway's database.
    #[command(subcommand)]
    Export(Export),
}

#[derive(Subcommand)]
enum Import {
    /// From a LiteLLM database, which is not changed. May be repeated.
    Litellm(litellm::Import),
}

#[derive(Subcommand)]
enum Export {
    /// Into a LiteLLM database. May be repeated.
    Litellm(litellm::Export),
}

#[derive(Args, Clone, Debug)]
pub struct Serve {
    /// The configuration, in LiteLLM's format.
    #[arg(short, long, env = "CONFIG_FILE_PATH")]
    pub config: Option<PathBuf>,
    #[arg(long, env = "PORT", default_value_t = 4000)]
    pub port: u16,
    #[arg(long, env = "HOST", default_value = "0.0.0.0")]
    pub host: String,
    /// Worker threads; all cores by default.
    #[arg(long = "num_workers", alias = "num-workers", env = "NUM_WORKERS")]
    pub num_workers: Option<usize>,
    /// Logs in more detail.
    #[arg(long = "detailed_debug", alias = "detailed-debug", env = "DETAILED_DEBUG")]
    pub detailed_debug: bool,
    #[arg(long, env = "DEBUG")]
    pub debug: bool,
    #[arg(long = "ssl_keyfile_path", alias = "ssl-keyfile-path", env = "SSL_KEYFILE_PATH")]
    pub ssl_keyfile_path: Option<PathBuf>,
    #[arg(long = "ssl_certfile_path", alias = "ssl-certfile-path", env = "SSL_CERTFILE_PATH")]
    pub ssl_certfile_path: Option<PathBuf>,
    /// Refuses to start with unknown settings.
    #[arg(long)]
    pub strict: bool,
    /// Prints the master key and a command to paste: for trying Weir out, not for a log.
    #[arg(long)]
    pub welcome: bool,
    /// Serves only one half; the other half runs elsewhere, over the same Postgres.
    #[arg(long)]
    pub only: Option<Half>,
    /// Takes over the listeners of the gateway with the same data directory. Used by `weir upgrade`.
    #[arg(long)]
    pub upgrade: bool,
    #[command(flatten)]
    pub theirs: theirs::Theirs,
}

/// One half of the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Half {
    /// Requests to models.
    Proxy,
    /// Keys, teams, spend and the like.
    Admin,
}

#[derive(Args)]
struct Migrate {
    /// The configuration that says where the ledger is; the environment alone is enough.
    #[arg(short, long, env = "CONFIG_FILE_PATH")]
    config: Option<PathBuf>,
    /// How long to wait for the database, in seconds.
    #[arg(long, default_value_t = 120)]
    wait: u64,
}

#[derive(Args)]
struct Check {
    /// A configuration, or values of the Helm chart with one in `proxy_config`.
    #[arg(required_unless_present = "helm_values")]
    file: Option<PathBuf>,
    /// The file holds values of the Helm chart: the chart's own keys are checked too.
    #[arg(long, value_name = "FILE", conflicts_with = "file")]
    helm_values: Option<PathBuf>,
    /// Unknown settings count as errors.
    #[arg(long)]
    strict: bool,
}

#[derive(Subcommand)]
enum Prices {
    /// Makes the catalogue from LiteLLM's price map.
    Import {
        file: PathBuf,
        /// The file to write; standard output by default.
        #[arg(long)]
        out: Option<PathBuf>,
    },
}

/// `filters`: beside the gateway's own.
pub fn main(filters: &[&'static FilterKind]) -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        None => crate::run::serve(&cli.serve, filters),
        Some(Command::Serve(serve)) => crate::run::serve(&serve, filters),
        Some(Command::Migrate(args)) => migrate(&args),
        Some(Command::Reprice(args)) => reprice::run(&args),
        Some(Command::Check(check)) => run_check(&check),
        Some(Command::Config(args)) => config::run(&args),
        Some(Command::Doctor(args)) => doctor::run(&args),
        Some(Command::Keys(args)) => admin::keys(&args),
        Some(Command::Teams(args)) => admin::teams(&args),
        Some(Command::Users(args)) => admin::users(&args),
        Some(Command::Spend(args)) => admin::spend(&args),
        Some(Command::Reseal(args)) => reseal::run(&args),
        Some(Command::Upgrade(args)) => upgrade::run(&args),
        Some(Command::Completions(args)) => manual::completions(&args),
        Some(Command::Man(args)) => manual::manual(&args),
        Some(Command::Prices(Prices::Import { file, out })) => import(&file, out),
        Some(Command::Import(Import::Litellm(args))) => litellm::import(&args),
        Some(Command::Export(Export::Litellm(args))) => litellm::export(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("weir: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "a command speaks to the person who typed it")]
pub fn say(text: &str) {
    eprintln!("{text}");
}

/// Prints what was asked for. A reader that has seen enough (`| head`) is no error.
fn put(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error).context("standard output"),
        _ => Ok(()),
    }
}

/// A text that is made line by line.
#[derive(Default)]
struct Text(String);

impl Text {
    fn line(&mut self, line: impl AsRef<str>) {
        self.0.push_str(line.as_ref().trim_end());
        self.0.push('\n');
    }

    fn done(self) -> String {
        self.0
    }
}

/// For commands: one thread is enough.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// What `--strict` refuses.
pub fn has_warnings(problems: &Problems) -> bool {
    problems.count(Severity::Warning) > 0
}

fn migrate(args: &Migrate) -> anyhow::Result<()> {
    let env = weir_core::config::env::Env::process();
    let runtime = runtime()?;
    let loader = runtime.block_on(Loader::new(args.config.clone(), env.clone()).with_secrets())?;
    let (Some(config), _) = loader.config() else {
        bail!("the configuration cannot be read: see `weir check`")
    };
    let folder = crate::data_dir::choose(&config, &env);
    let options = crate::storage::ledger_options(&config, &folder);
    runtime.block_on(weir_ledger::migrate(options, Duration::from_secs(args.wait)))?;
    say("the ledger's schema is up to date");
    Ok(())
}

fn run_check(check: &Check) -> anyhow::Result<()> {
    let file = check.helm_values.as_ref().or(check.file.as_ref()).context("no file")?;
    let problems = match check.helm_values {
        Some(_) => helm::check(file, &weir_core::config::Env::process())?,
        None => Loader::of_file(file).load().1,
    };
    for problem in problems.iter() {
        say(&problem.to_string());
    }
    if problems.has_errors() || check.strict && has_warnings(&problems) {
        bail!("{} cannot be served as it is", file.display());
    }
    say(&format!("{}: ok", file.display()));
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the catalogue is what was asked for")]
fn import(file: &PathBuf, out: Option<PathBuf>) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let (catalogue, report) = weir_core::model::prices::import(&text)?;
    say(&format!(
        "{} models, {} with a price, {} left out",
        report.models,
        report.priced,
        report.skipped.len()
    ));
    match out {
        Some(path) => {
            std::fs::write(&path, catalogue).with_context(|| format!("cannot write {}", path.display()))
        }
        None => {
            print!("{catalogue}");
            Ok(())
        }
    }
}
