//! `weir reseal`: what the ledger keeps sealed is opened with the secret that it was sealed with, and sealed with the one
//! that is in force. May be repeated, and broken off: what is sealed anew already is left alone.

use super::litellm::Setup;
use super::{Text, put};
use crate::control::all;
use anyhow::{Context, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use std::path::PathBuf;
use weir_core::config::Env;
use weir_core::domain::records::{Credential, FormerKey, Kept, ModelRecord, Record, Setting};
use weir_core::ports::control::{CREDENTIAL_VALUES, FORMER_KEY, MODEL_PARAMS, SETTING_VALUE};
use weir_core::ports::{Directory, LedgerError, records};
use weir_core::{SecretString, time};
use weir_ledger::Ledger;
use weir_plugins::seal::Sealer;

#[derive(Args)]
pub(super) struct Reseal {
    /// The variable with the secret that was in force before.
    #[arg(long, value_name = "VARIABLE")]
    from_env: String,
    /// Only prints what would be re-encrypted.
    #[arg(long)]
    dry_run: bool,
    /// The configuration, which says where the ledger is.
    #[arg(short, long, env = "CONFIG_FILE_PATH")]
    config: Option<PathBuf>,
}

/// Bridged responses at a time.
const PIECE: u32 = 100;

/// What became of the texts of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sum {
    anew: u64,
    already: u64,
    /// Sealed with neither secret.
    lost: u64,
    /// Changed by somebody else meanwhile.
    missed: u64,
}

/// The two secrets.
struct Seals {
    old: Sealer,
    new: Sealer,
    dry_run: bool,
}

/// What is to be done with a sealed text.
enum Found {
    Already,
    Anew(Vec<u8>),
    Lost,
}

pub(super) fn run(args: &Reseal) -> anyhow::Result<()> {
    let env = Env::process();
    let old = env.filled(&args.from_env).with_context(|| format!("{} is not set", args.from_env))?;
    let sums = super::runtime()?.block_on(async {
        let setup = Setup::open(args.config.clone()).await?;
        let seals = Seals {
            old: Sealer::new(old),
            new: in_force(&setup.config.env, &setup.master),
            dry_run: args.dry_run,
        };
        seals.all(&setup.ledger).await
    })?;
    put(&told(&sums, args.dry_run))?;
    let left: u64 = sums.iter().map(|(_, sum)| sum.lost + sum.missed).sum();
    if left > 0 {
        bail!(
            "{left} texts were left as they are: run it again, or with the secret that they were sealed with"
        );
    }
    Ok(())
}

/// Without the secrets that are only opened with: what those open is not sealed anew yet.
fn in_force(env: &Env, master: &SecretString) -> Sealer {
    let without = env.with([("WEIR_SALT_KEY_PREVIOUS", "")]);
    Sealer::of(&without, Some(master))
}

fn told(sums: &[(&str, Sum)], dry_run: bool) -> String {
    let word = if dry_run { "to be sealed anew" } else { "sealed anew" };
    let mut text = Text::default();
    for (name, sum) in sums {
        let Sum { anew, already, lost, missed } = sum;
        text.line(format!("{name}: {anew} {word}, {already} were already, {lost} cannot be opened, {missed} changed meanwhile"));
    }
    text.done()
}

impl Seals {
    async fn all(&self, ledger: &Ledger) -> anyhow::Result<Vec<(&'static str, Sum)>> {
        let model = |r: &ModelRecord| Some((MODEL_PARAMS, r.sealed_params.clone()));
        let credential = |r: &Credential| Some((CREDENTIAL_VALUES, r.sealed_values.clone()));
        let setting = |r: &Setting| Some((SETTING_VALUE, r.value.as_str()?.to_owned()));
        let former = |r: &FormerKey| Some((FORMER_KEY, r.sealed.clone()?));
        Ok(vec![
            (
                "models",
                self.records::<ModelRecord>(ledger, model, |r, sealed| r.sealed_params = sealed).await?,
            ),
            (
                "credentials",
                self.records::<Credential>(ledger, credential, |r, sealed| r.sealed_values = sealed).await?,
            ),
            (
                "settings",
                self.records::<Setting>(ledger, setting, |r, sealed| r.value = sealed.into()).await?,
            ),
            (
                "rotated keys",
                self.records::<FormerKey>(ledger, former, |r, sealed| r.sealed = Some(sealed)).await?,
            ),
            ("responses", self.responses(ledger).await?),
        ])
    }

    /// `read`: purpose and sealed text of a record, where it has one; `write` puts another there.
    async fn records<T: Record>(
        &self,
        ledger: &Ledger,
        read: impl Fn(&T) -> Option<(&'static str, String)>,
        write: impl Fn(&mut T, String),
    ) -> anyhow::Result<Sum> {
        let mut sum = Sum::default();
        for kept in all::<T>(ledger).await? {
            let Some((purpose, sealed)) = read(&kept.record) else { continue };
            match self.find(purpose.as_bytes(), &STANDARD.decode(&sealed).unwrap_or_default())? {
                Found::Already => sum.already += 1,
                Found::Lost => sum.lost += 1,
                Found::Anew(_) if self.dry_run => sum.anew += 1,
                Found::Anew(sealed) => {
                    let mut record = kept.record.clone();
                    write(&mut record, STANDARD.encode(sealed));
                    match replace(ledger, &kept, &record).await? {
                        true => sum.anew += 1,
                        false => sum.missed += 1,
                    }
                }
            }
        }
        Ok(sum)
    }

    async fn responses(&self, ledger: &Ledger) -> anyhow::Result<Sum> {
        let (mut sum, mut after) = (Sum::default(), String::new());
        loop {
            let page = ledger.sealed_responses(&after, PIECE).await?;
            let Some((last, _)) = page.last() else { return Ok(sum) };
            after.clone_from(last);
            for (id, sealed) in page {
                match self.find(id.as_bytes(), &sealed)? {
                    Found::Already => sum.already += 1,
                    Found::Lost => sum.lost += 1,
                    Found::Anew(_) if self.dry_run => sum.anew += 1,
                    Found::Anew(sealed) => {
                        ledger.reseal_response(&id, sealed).await?;
                        sum.anew += 1;
                    }
                }
            }
        }
    }

    fn find(&self, purpose: &[u8], sealed: &[u8]) -> anyhow::Result<Found> {
        if self.new.open(purpose, sealed).is_some() {
            return Ok(Found::Already);
        }
        let Some(text) = self.old.open(purpose, sealed) else { return Ok(Found::Lost) };
        self.new.seal(purpose, &text).map(Found::Anew).context("a text cannot be sealed")
    }
}

/// Who changed it last stays as it was: nothing is different for anybody. False: somebody was faster.
async fn replace<T: Record>(ledger: &Ledger, kept: &Kept<T>, record: &T) -> anyhow::Result<bool> {
    let change = records::update(kept, record, time::now(), kept.updated_by.as_deref())?;
    match ledger.commit(&[change], &[]).await {
        Ok(()) => Ok(true),
        Err(LedgerError::Conflict(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
