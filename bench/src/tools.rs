//! The commands beside `run` that measure, model or train: `count`, `tune`, `scale`, `train`.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use weir_bench::cases::{MODEL, TRANSLATION};
use weir_bench::count;
use weir_bench::scale::{Fleet as Replicas, Told};
use weir_bench::targets::Setup;
use weir_bench::train;
use weir_bench::tune::{self, Plan};

use crate::serve;

#[derive(Debug, Args)]
pub(crate) struct ScaleArgs {
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    replicas: u64,
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    requests_per_minute: u64,
    /// Seconds of modelled time
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    seconds: u64,
    /// Budgets that requests are spread over
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    budgets: u64,
    /// Replicas that the requests of one budget meet [default: all]
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    spread: Option<u64>,
    /// Microseconds of a worker for one request: the bench's figure on your machine
    #[arg(long, default_value_t = 72)]
    cpu: u64,
    /// Milliseconds of an answer
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(1..=600_000))]
    answer: u64,
    /// Connections of a replica to the database
    #[arg(long, default_value_t = 10)]
    pool: u64,
}

#[derive(Debug, Args)]
pub(crate) struct CountArgs {
    /// Requests that are counted, in each configuration
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    requests: u64,
    /// The gateway's binary [default: `weir` beside this program]
    #[arg(long)]
    weir: Option<PathBuf>,
    /// An earlier build of it, to compare with
    #[arg(long)]
    against: Option<PathBuf>,
    /// Where temporary folders are made
    #[arg(long)]
    temporary: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    /// A gateway that notes which ways it takes, see scripts/bolt.sh
    #[arg(long)]
    weir: PathBuf,
    /// Seconds of each case
    #[arg(long, value_parser = serve::seconds, default_value = "2")]
    seconds: Duration,
    /// Where temporary folders are made
    #[arg(long)]
    temporary: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct TuneArgs {
    /// Settings to try, with commas between them [default: all]
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Rounds; in each, every value is measured once
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=100))]
    rounds: u64,
    /// Minutes that all of it may take, about
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// Seconds of one measurement, instead of what --minutes leaves for it
    #[arg(long, value_parser = serve::seconds)]
    seconds: Option<Duration>,
    /// The gateway's binary [default: `weir` beside this program]
    #[arg(long)]
    weir: Option<PathBuf>,
    /// Ledger, as in postgres://… [default: the embedded one]
    #[arg(long)]
    database_url: Option<String>,
    /// Where temporary folders are made (configuration, logs, data): on the disk that the gateway will use
    #[arg(long)]
    temporary: Option<PathBuf>,
}

pub(crate) fn scale(args: &ScaleArgs) -> anyhow::Result<()> {
    let fleet = args.fleet()?;
    write!(std::io::stdout(), "{}", Told(&fleet, &fleet.run()))?;
    Ok(())
}

impl ScaleArgs {
    /// A budget of 100 dollars each; 2 cents are held for a request, and it costs 0.3.
    fn fleet(&self) -> anyhow::Result<Replicas> {
        let count = |number: u64| usize::try_from(number).context("too many");
        if self.replicas * self.budgets > 10_000_000 {
            bail!("at most 10,000,000 accounts fit: fewer --replicas, or fewer --budgets");
        }
        Ok(Replicas {
            replicas: count(self.replicas)?,
            requests_per_minute: self.requests_per_minute,
            seconds: self.seconds,
            budgets: count(self.budgets)?,
            spread: count(self.spread.unwrap_or(self.replicas).min(self.replicas))?,
            budget: 100_000_000_000,
            hold: 20_000_000,
            cost: 3_000_000,
            answer: self.answer,
            cpu: self.cpu,
            pool: count(self.pool)?,
            row: 1_024,
        })
    }
}

pub(crate) async fn counted(args: &CountArgs) -> anyhow::Result<ExitCode> {
    let weir = binary(args.weir.as_deref())?;
    if let Some(earlier) = args.against.as_deref() {
        binary(Some(earlier))?;
    }
    let setup = bare_setup(weir, None, args.temporary.as_deref())?;
    let counted = count::run(&setup, args.requests, args.against.as_deref()).await?;
    serve::say(&counted.to_string())?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn trained(args: &TrainArgs) -> anyhow::Result<ExitCode> {
    let mut setup = bare_setup(binary(Some(&args.weir))?, None, args.temporary.as_deref())?;
    setup.models = TRANSLATION.iter().map(|case| case.model).filter(|model| *model != MODEL).collect();
    train::run(&setup, args.seconds).await?;
    Ok(ExitCode::SUCCESS)
}

/// The gateway's, which must be there.
fn binary(named: Option<&Path>) -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe().context("path of this program")?;
    let weir = named.map_or_else(|| own.with_file_name("weir"), Path::to_owned);
    if !weir.exists() {
        bail!("no {}: build it, or name it with --weir", weir.display());
    }
    Ok(weir)
}

/// For commands that start nothing but a mock and Weirs.
fn bare_setup(
    weir: PathBuf,
    database_url: Option<String>,
    temporary: Option<&Path>,
) -> anyhow::Result<Setup> {
    Ok(Setup {
        weir,
        own: std::env::current_exe().context("path of this program")?,
        nginx: PathBuf::new(),
        mock: SocketAddr::from(([127, 0, 0, 1], 0)),
        database_url,
        temporary: temporary.map_or_else(std::env::temp_dir, Path::to_owned),
        more_models: 0,
        models: Vec::new(),
    })
}

pub(crate) async fn tuned(args: &TuneArgs) -> anyhow::Result<ExitCode> {
    let plan = args.plan()?;
    serve::say(&tune::run(&plan).await?.to_string())?;
    Ok(ExitCode::SUCCESS)
}

// --- impl TuneArgs ---

impl TuneArgs {
    fn plan(&self) -> anyhow::Result<Plan> {
        let weir = binary(self.weir.as_deref())?;
        if !(self.minutes > 0.0 && self.minutes <= 1_440.0) {
            bail!("--minutes: more than 0 and at most 1440");
        }
        let setup = bare_setup(weir, self.database_url.clone(), self.temporary.as_deref())?;
        Plan::new(setup, &self.only, usize::try_from(self.rounds)?, self.seconds, self.minutes)
    }
}
