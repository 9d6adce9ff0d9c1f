//! The command line: `mock`, `pass`, `run`, `count`, `train`, `tune`, `scale`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::{Args, Parser, Subcommand, ValueEnum};
use weir_bench::cases::{Case, GROUPS, MODEL};
use weir_bench::guarantees::{self, Context, Guarantee};
use weir_bench::report::{Report, markdown};
use weir_bench::run::{Mode, Settings, standard};
use weir_bench::targets::{Fleet, KINDS, Kind, Mock, Setup, Wanted};

use crate::{serve, tools};

/// Mock providers and a load harness: what a gateway costs, measured beside nginx and a bare Pingora.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve a mock provider until SIGTERM
    Mock(serve::MockArgs),
    /// Serve a bare Pingora pass-through until SIGTERM
    Pass(serve::PassArgs),
    /// Measure targets, interleaved, and write a report
    Run(Box<RunArgs>),
    /// Count the instructions of a request, in one configuration after the other; needs valgrind
    Count(tools::CountArgs),
    /// Ask a Weir that notes which ways it takes for everything, see scripts/bolt.sh
    Train(tools::TrainArgs),
    /// Try settings of a Weir on this machine, and tell which to use
    Tune(tools::TuneArgs),
    /// Model many replicas over one ledger: what they ask of it. Measures nothing
    Scale(tools::ScaleArgs),
}

#[derive(Debug, Args)]
struct RunArgs {
    /// Case to run; repeat it or put commas between names. `standard`, `translation` and `all` are groups
    #[arg(long = "case", value_delimiter = ',', default_value = "standard")]
    cases: Vec<String>,
    /// Known target, several with commas between them, or name=URL[,pid=PID][,key=KEY]; may be repeated
    #[arg(long = "target", default_value = "direct,nginx,pingora,weir-plain,weir-governed")]
    targets: Vec<String>,
    /// Rounds; in each, every case visits every target
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Requests per visit, instead of the case's own
    #[arg(long)]
    requests: Option<u64>,
    /// Seconds per visit; without --requests, visits end by time alone
    #[arg(long, value_parser = serve::seconds)]
    seconds: Option<Duration>,
    /// Connections of the closed loop, instead of the case's own
    #[arg(long)]
    connections: Option<usize>,
    #[arg(long, value_enum, default_value_t = Loop::Closed)]
    mode: Loop,
    /// Requests per second of the open loop
    #[arg(long, default_value_t = 1000.0)]
    rate: f64,
    /// Requests under way at once in open loops; more are not sent but counted as overruns
    #[arg(long, default_value_t = 1024)]
    outstanding: usize,
    /// The gateway's binary [default: `weir` beside this program]
    #[arg(long)]
    weir: Option<PathBuf>,
    #[arg(long, default_value = "/usr/sbin/nginx")]
    nginx: PathBuf,
    /// Address of the mock, for targets that run already and must know it
    #[arg(long, default_value = "127.0.0.1:0")]
    mock_listen: SocketAddr,
    /// Ledger of weir-governed, as in postgres://… [default: its embedded one]
    #[arg(long)]
    database_url: Option<String>,
    /// A database of their own for p01-latency and p15-overshoot, as in postgres://…
    #[arg(long)]
    postgres: Option<String>,
    /// Mixed requests of p04-rss
    #[arg(long, default_value_t = 100_000)]
    mixed: u64,
    /// Virtual keys of p04-rss
    #[arg(long, default_value_t = 200)]
    keys: usize,
    /// Where temporary folders are made (configuration, logs, data of the targets)
    #[arg(long)]
    temporary: Option<PathBuf>,
    /// Folder of the report
    #[arg(long, default_value = "bench/out")]
    out: PathBuf,
    /// Exit with status 1 when a figure is beyond its limit
    #[arg(long)]
    strict: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Loop {
    Closed,
    Open,
}

pub(crate) fn main() -> anyhow::Result<ExitCode> {
    match Cli::parse().command {
        Command::Mock(args) => serve::mock(&args).map(|()| ExitCode::SUCCESS),
        Command::Pass(args) => serve::pass(&args),
        Command::Scale(args) => tools::scale(&args).map(|()| ExitCode::SUCCESS),
        Command::Run(args) => until_signal(run(&args)),
        Command::Count(args) => until_signal(tools::counted(&args)),
        Command::Train(args) => until_signal(tools::trained(&args)),
        Command::Tune(args) => until_signal(tools::tuned(&args)),
    }
}

/// Dropping what is done ends its processes.
fn until_signal(work: impl Future<Output = anyhow::Result<ExitCode>>) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        tokio::select! {
            result = work => result,
            () = serve::stop_signal() => bail!("interrupted"),
        }
    })
}

async fn run(args: &RunArgs) -> anyhow::Result<ExitCode> {
    let (cases, wanted_guarantees) = args.cases()?;
    let context = args.context()?;
    let mut visits = Vec::new();
    if !cases.is_empty() {
        let setup = Setup { models: more_models(&cases), ..context.setup.clone() };
        let fleet = Fleet::start(&setup, &context.wanted, &Mock::Canned).await?;
        visits = standard(&fleet, &cases, &args.settings()).await?;
    }
    let mut sections = Vec::new();
    for guarantee in wanted_guarantees {
        sections.push(guarantees::run(guarantee, &context).await?);
    }
    let report = Report::new(command_line(), visits, sections);
    report.write(&args.out)?;
    serve::say(&markdown::render(&report))?;
    let failed = args.strict && report.failed();
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

// --- impl RunArgs ---

impl RunArgs {
    fn cases(&self) -> anyhow::Result<(Vec<Case>, Vec<Guarantee>)> {
        let (mut cases, mut guarantees) = (Vec::new(), Vec::new());
        for name in &self.cases {
            let before = cases.len() + guarantees.len();
            let named = |one: &str| one == name || name == "all";
            for (group, members) in GROUPS {
                cases.extend(members.iter().filter(|case| named(group) || case.name == name));
            }
            guarantees.extend(
                guarantees::ALL.iter().filter(|(one, ..)| named(one)).map(|(_, guarantee, _)| *guarantee),
            );
            if before == cases.len() + guarantees.len() {
                bail!("no case {name:?}; known are standard, translation, all, {}", known_cases().join(", "));
            }
        }
        Ok((cases, guarantees))
    }

    fn settings(&self) -> Settings {
        let mode = match self.mode {
            Loop::Closed => Mode::Closed,
            Loop::Open => Mode::Open { rate: self.rate, outstanding: self.outstanding },
        };
        Settings {
            rounds: self.rounds,
            requests: self.requests,
            time: self.seconds,
            connections: self.connections,
            mode,
        }
    }

    fn context(&self) -> anyhow::Result<Context> {
        let mut wanted = Vec::new();
        for text in &self.targets {
            wanted.extend(Wanted::parse(text)?);
        }
        let own = std::env::current_exe().context("path of this program")?;
        let weir = self.weir.clone().unwrap_or_else(|| own.with_file_name("weir"));
        self.check(&wanted, &weir)?;
        let setup = Setup {
            weir,
            own,
            nginx: self.nginx.clone(),
            mock: self.mock_listen,
            database_url: self.database_url.clone(),
            temporary: self.temporary.clone().unwrap_or_else(std::env::temp_dir),
            more_models: 0,
            models: Vec::new(),
        };
        Ok(Context {
            setup,
            wanted,
            rounds: self.rounds,
            time: self.seconds.unwrap_or(Duration::from_secs(5)),
            mixed: self.mixed,
            keys: self.keys,
            outstanding: self.outstanding,
            postgres: self.postgres.clone(),
        })
    }

    /// Before anything is started: a run of minutes should not end for want of a program.
    fn check(&self, wanted: &[Wanted], weir: &Path) -> anyhow::Result<()> {
        let needs = |kinds: &[Kind]| {
            wanted.iter().any(|one| matches!(one, Wanted::Known(kind) if kinds.contains(kind)))
        };
        if needs(&[Kind::Nginx]) && !self.nginx.exists() {
            bail!(
                "no {}: install Debian's nginx, name it with --nginx, or leave it out of --target",
                self.nginx.display()
            );
        }
        let known: Vec<&str> = KINDS.iter().map(|(name, _)| *name).collect();
        if needs(&[Kind::WeirPlain, Kind::WeirGoverned]) && !weir.exists() {
            bail!("no {}: build it, name it with --weir, or choose of {}", weir.display(), known.join(", "));
        }
        if !(self.rate > 0.0 && self.rate <= 1e6) || self.rounds == 0 || self.connections == Some(0) {
            bail!("--rate, --rounds and --connections begin at 1");
        }
        Ok(())
    }
}

fn known_cases() -> Vec<&'static str> {
    let cases = GROUPS.iter().flat_map(|(_, cases)| *cases).map(|case| case.name);
    cases.chain(guarantees::ALL.iter().map(|(name, ..)| *name)).collect()
}

/// Those that a Weir must know for these cases, beside the usual one.
fn more_models(cases: &[Case]) -> Vec<&'static str> {
    let mut models: Vec<_> = cases.iter().map(|case| case.model).filter(|model| *model != MODEL).collect();
    models.dedup();
    models
}

/// As it was typed, but without keys and passwords: reports are committed.
fn command_line() -> String {
    let shown = std::env::args().map(|argument| {
        let secret = argument.contains("key=") || argument.contains("://") && argument.contains('@');
        if secret { "***".to_owned() } else { argument }
    });
    let mut words: Vec<String> = shown.collect();
    if let Some(first) = words.first_mut() {
        "weir-bench".clone_into(first);
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> RunArgs {
        match Cli::try_parse_from([&["weir-bench", "run"], words].concat()).unwrap().command {
            Command::Run(args) => *args,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_case_can_be_named() {
        for name in known_cases() {
            let (cases, guarantees) = parse(&["--case", name]).cases().unwrap();
            assert_eq!(cases.len() + guarantees.len(), 1, "{name}");
        }
        for (group, members) in GROUPS {
            assert_eq!(parse(&["--case", group]).cases().unwrap().0.len(), members.len());
        }
        assert_eq!(parse(&[]).cases().unwrap().0.len(), GROUPS[0].1.len());
        let (cases, guarantees) = parse(&["--case", "all"]).cases().unwrap();
        assert_eq!(cases.len() + guarantees.len(), known_cases().len());
        assert!(parse(&["--case", "chat-2k"]).cases().is_err());
    }

    #[test]
    fn a_missing_binary_is_found_before_the_run() {
        let args = parse(&["--target", "weir-plain", "--weir", "no/such/weir"]);
        assert!(args.context().unwrap_err().to_string().contains("--weir"));
    }
}
