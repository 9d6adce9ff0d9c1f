//! `weir reprice`: what booked entries would have cost, or do cost from now on, by today's prices.

use super::litellm::Setup;
use super::say;
use crate::control::additions;
use crate::settings::Loader;
use anyhow::Context;
use clap::Args;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;
use weir_core::config::Env;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::spend::{Entry, OUTRUN};
use weir_core::domain::usage::UsageSource;
use weir_core::model::prices::{ModelPrice, total_cost};
use weir_core::ports::{SpendFilter, SpendStore};
use weir_core::time::Micros;
use weir_ledger::{Ledger, Repriced};
use weir_plugins::deployment::Deployment;
use weir_plugins::snapshot::Snapshot;

#[derive(Args)]
pub(super) struct Reprice {
    /// The first day, such as 2026-11-01 (UTC).
    #[arg(long)]
    from: String,
    /// The last day; by default today.
    #[arg(long)]
    to: Option<String>,
    /// Only this model group.
    #[arg(long)]
    model: Option<String>,
    /// Only prints what would change.
    #[arg(long)]
    dry_run: bool,
    /// The configuration, which says where the ledger is and what models cost.
    #[arg(short, long, env = "CONFIG_FILE_PATH")]
    config: Option<PathBuf>,
}

/// Entries in one transaction.
const PIECE: u32 = 500;

/// What came of the entries of one model.
#[derive(Default)]
struct Sum {
    changed: u64,
    before: i128,
    after: i128,
}

/// What came of all of them.
#[derive(Default)]
struct Report {
    looked_at: u64,
    without_price: u64,
    models: BTreeMap<String, Sum>,
}

pub(super) fn run(args: &Reprice) -> anyhow::Result<()> {
    let report = super::runtime()?.block_on(async {
        let setup = Setup::open(args.config.clone()).await?;
        let snapshot = in_force(&setup, args.config.clone()).await?;
        walk(&setup.ledger, &snapshot, &filter(args)?, args.dry_run).await
    })?;
    say(&report.told(args.dry_run));
    Ok(())
}

/// What a gateway would serve: the files, and the ledger's models and price map over them.
async fn in_force(setup: &Setup, config: Option<PathBuf>) -> anyhow::Result<Snapshot> {
    let mut loader = Loader::new(config, Env::process()).with_secrets().await?;
    loader.fallback_master = Some(setup.master.clone());
    let (files, _) = loader.load();
    let files = files.context("the configuration cannot be used: see `weir check`")?;
    let (added, _) = additions(&setup.ledger, &files).await?;
    Ok(loader.load_with(&added).0.unwrap_or(files))
}

fn filter(args: &Reprice) -> anyhow::Result<SpendFilter> {
    let day = |text: &str| -> anyhow::Result<Micros> {
        let at = format!("{text}T00:00:00Z").parse::<jiff::Timestamp>();
        Ok(Micros(
            at.with_context(|| format!("{text:?} is no day: write it like 2026-11-01"))?.as_microsecond(),
        ))
    };
    let until = args.to.as_deref().map(day).transpose()?.map(|last| Micros(last.0 + 86_400_000_000));
    Ok(SpendFilter {
        from: Some(day(&args.from)?),
        until,
        model: args.model.clone(),
        limit: PIECE,
        ..SpendFilter::default()
    })
}

/// From the newest entry to the oldest, piece by piece.
async fn walk(
    ledger: &Ledger,
    snapshot: &Snapshot,
    filter: &SpendFilter,
    dry_run: bool,
) -> anyhow::Result<Report> {
    let (mut report, mut filter) = (Report::default(), filter.clone());
    let keeping = &snapshot.config.general.keeping;
    loop {
        let entries = ledger.entries(&filter).await?;
        let Some(last) = entries.last() else { return Ok(report) };
        filter.before = Some((last.started_at, last.id));
        let changes: Vec<Repriced> =
            entries.into_iter().filter_map(|entry| report.look_at(entry, snapshot)).collect();
        if !dry_run && !changes.is_empty() {
            ledger.reprice(&changes, keeping).await?;
        }
    }
}

impl Report {
    /// What is to change of an entry; nothing where tokens do not say what it costs, or nobody booked it here.
    fn look_at(&mut self, entry: Entry, snapshot: &Snapshot) -> Option<Repriced> {
        self.looked_at += 1;
        let booked_here = entry.unpriced || !entry.price_version.is_empty();
        // Where it is not noted what an attempt cost that was outrun, it may be part of the cost.
        let outrun = entry.attempts.iter().filter(|attempt| attempt.error == OUTRUN).count();
        if entry.cache_hit
            || outrun > entry.outrun.len()
            || entry.usage_source == UsageSource::None
            || entry.usage.total() == 0
            || !booked_here
        {
            return None;
        }
        let Some((price, price_version)) = price(&entry, snapshot) else {
            self.without_price += 1;
            return None;
        };
        // What was outrun keeps its price: nobody knows what was used there.
        let outrun = NanoUsd(entry.cost.0.saturating_sub(entry.own_cost().0));
        let listed = total_cost(&price, &entry.usage);
        let markup = snapshot.config.litellm.costs.of(&entry.provider);
        let cost = markup.map_or(listed, |markup| markup.charged(listed)) + outrun;
        if !price.prices_tokens() || cost == entry.cost && !entry.unpriced {
            return None;
        }
        let sum = self.models.entry(entry.model_group.clone()).or_default();
        sum.changed += 1;
        sum.before += i128::from(entry.cost.0);
        sum.after += i128::from(cost.0);
        Some(Repriced { entry, cost, price_version })
    }

    fn told(&self, dry_run: bool) -> String {
        let mut text = String::new();
        for (model, sum) in &self.models {
            let amount = |nano: i128| NanoUsd(i64::try_from(nano).unwrap_or(i64::MAX));
            let _ = writeln!(
                text,
                "{model}: {} entries, {} -> {} USD",
                sum.changed,
                amount(sum.before),
                amount(sum.after)
            );
        }
        let done = if dry_run { "would change" } else { "changed" };
        let changed: u64 = self.models.values().map(|sum| sum.changed).sum();
        let _ = write!(
            text,
            "{} entries looked at, {changed} {done}, {} without a price",
            self.looked_at, self.without_price
        );
        text
    }
}

/// The price of the deployment that answered, else of one of its group with the same model, since ids may be made of
/// prices; else of its model.
fn price(entry: &Entry, snapshot: &Snapshot) -> Option<(ModelPrice, String)> {
    let same = |d: &&Arc<Deployment>| d.model_label == entry.model && d.provider.prefix == entry.provider;
    let by_id = snapshot.models.by_id(&entry.deployment_id);
    let by_name = snapshot.models.find(&entry.model_group);
    let found = by_id.or_else(|| by_name?.deployments.iter().find(same).cloned());
    if let Some(priced) = found.as_ref().and_then(|deployment| deployment.price.as_ref()) {
        return Some((priced.price.clone(), priced.version.clone()));
    }
    let model = entry.model.strip_prefix(&format!("{}/", entry.provider)).unwrap_or(&entry.model);
    let listed = snapshot.catalogue.find(&entry.provider, model, None)?.price?;
    Some((listed, snapshot.catalogue.version().to_owned()))
}
