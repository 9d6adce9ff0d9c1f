//! `weir import litellm` and `weir export litellm`.

use crate::background::import::{Seals, keys};
use crate::settings::Loader;
use crate::{data_dir, storage};
use anyhow::{Context, bail};
use clap::Args;
use std::path::PathBuf;
use weir_core::SecretString;
use weir_core::config::{Config, Env};
use weir_core::ports::{LedgerHealth, LedgerState};
use weir_ledger::Ledger;
use weir_ledger::litellm::{self, ImportOptions, Parts, Place, Report};

#[derive(Args)]
pub(super) struct Import {
    /// LiteLLM's database; by default the one named by the configuration or DATABASE_URL.
    #[arg(long, value_name = "URL")]
    from: Option<String>,
    /// The schema of LiteLLM's tables; by default the one in the URL, or `public`.
    #[arg(long)]
    schema: Option<String>,
    /// Only prints what would be imported.
    #[arg(long)]
    dry_run: bool,
    /// The configuration, which says where the ledger is.
    #[arg(short, long, env = "CONFIG_FILE_PATH")]
    config: Option<PathBuf>,
}

#[derive(Args)]
pub(super) struct Export {
    /// LiteLLM's database; by default the one named by the configuration or DATABASE_URL.
    #[arg(long, value_name = "URL")]
    to: Option<String>,
    /// The schema of LiteLLM's tables; by default the one in the URL, or `public`.
    #[arg(long)]
    schema: Option<String>,
    /// The configuration, which says where the ledger is.
    #[arg(short, long, env = "CONFIG_FILE_PATH")]
    config: Option<PathBuf>,
}

/// What both need: the configuration, and the ledger that it names.
pub(super) struct Setup {
    pub(super) config: Config,
    pub(super) master: SecretString,
    pub(super) ledger: Ledger,
}

pub(super) fn import(args: &Import) -> anyhow::Result<()> {
    let report = super::runtime()?.block_on(async {
        let setup = Setup::open(args.config.clone()).await?;
        let options = ImportOptions {
            from: place(&setup.config, args.from.as_deref(), args.schema.clone())?,
            dry_run: args.dry_run,
            keys: keys(&setup.config, Some(&setup.master)),
            parts: Parts::All,
        };
        let seals = Seals::of(&setup.config, Some(&setup.master));
        litellm::import(&setup.ledger, &options, &seals).await.context("the import did not finish")
    })?;
    tell(&report);
    Ok(())
}

pub(super) fn export(args: &Export) -> anyhow::Result<()> {
    let report = super::runtime()?.block_on(async {
        let setup = Setup::open(args.config.clone()).await?;
        let to = place(&setup.config, args.to.as_deref(), args.schema.clone())?;
        litellm::export(&setup.ledger, &to).await.context("the export did not finish")
    })?;
    tell(&report);
    Ok(())
}

impl Setup {
    pub(super) async fn open(file: Option<PathBuf>) -> anyhow::Result<Self> {
        let env = Env::process();
        let (config, problems) = Loader::new(file, env.clone()).with_secrets().await?.config();
        let Some(config) = config.filter(|_| !problems.has_errors()) else {
            problems.iter().for_each(|problem| super::say(&problem.to_string()));
            bail!("the configuration cannot be used");
        };
        let folder = data_dir::choose(&config, &env);
        data_dir::create(&folder)?;
        let master = match &config.general.master_key {
            Some(master) => master.clone(),
            None => data_dir::master_key(&folder)?,
        };
        let ledger = storage::ledger(&config, &folder).await?;
        if ledger.state() != LedgerState::Connected {
            bail!("the ledger's database cannot be reached");
        }
        Ok(Self { config, master, ledger })
    }
}

fn place(config: &Config, url: Option<&str>, schema: Option<String>) -> anyhow::Result<Place> {
    let url = url.map(SecretString::from).or_else(|| config.general.database_url.clone());
    let url = url.context("no database: name LiteLLM's with --from or --to, or set DATABASE_URL")?;
    Ok(Place { url, schema })
}

#[expect(clippy::print_stdout, reason = "the report is what was asked for")]
fn tell(report: &Report) {
    print!("{report}");
}
