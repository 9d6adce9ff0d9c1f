//! `weir config`: every setting as it is in force, and where its value comes from.

use super::{Text, put, say};
use crate::control::additions;
use crate::settings::Loader;
use crate::{data_dir, storage};
use anyhow::bail;
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;
use weir_core::config::effective::{Model, Setting, Source};
use weir_core::config::{Additions, Config, Effective, Env};
use weir_core::ports::{LedgerHealth, LedgerState};
use weir_ledger::{Ledger, LedgerOptions};
use weir_plugins::seal::Sealer;

#[derive(Args)]
pub(super) struct Show {
    /// The configuration, in LiteLLM's format.
    #[arg(short, long, env = "CONFIG_FILE_PATH")]
    config: Option<PathBuf>,
    /// Prints JSON instead of YAML with comments.
    #[arg(long)]
    json: bool,
    /// Leaves out settings at their defaults.
    #[arg(long)]
    changed: bool,
    /// Leaves out what was configured over the API, which is in the ledger.
    #[arg(long)]
    no_ledger: bool,
}

/// What the ledger says, or why it says nothing.
#[derive(Default)]
struct Kept {
    added: Additions,
    note: String,
}

/// Comments begin here, where values are no longer.
const COMMENTS: usize = 48;

pub(super) fn run(args: &Show) -> anyhow::Result<()> {
    let env = Env::process();
    let mut loader = Loader::new(args.config.clone(), env.clone());
    let kept = if args.no_ledger {
        Kept::none("not asked")
    } else {
        let runtime = super::runtime()?;
        loader = runtime.block_on(loader.with_secrets())?;
        runtime.block_on(kept(&mut loader, &env))
    };
    let (told, problems) = loader.explain(&kept.added);
    let Some(mut told) = told else {
        problems.iter().for_each(|problem| say(&problem.to_string()));
        bail!("the configuration cannot be used");
    };
    if args.changed {
        told.settings.retain(|setting| setting.source != Source::Default);
    }
    let sealed = loader.config().0.and_then(|config| Sealer::variable(&config.env)).unwrap_or("master key");
    match args.json {
        true => put(&as_json(&told, &kept.note, sealed)),
        false => put(&as_text(&told, &kept.note, sealed)),
    }
}

// --- the ledger ---

impl Kept {
    fn none(note: impl Into<String>) -> Self {
        Self { note: note.into(), ..Self::default() }
    }
}

/// Only looks: no schema, no file and no key is made.
async fn kept(loader: &mut Loader, env: &Env) -> Kept {
    // What is wrong with the files is told afterwards.
    let (Some(config), _) = loader.config() else { return Kept::default() };
    let folder = data_dir::choose(&config, env);
    if config.general.database_url.is_none() && !folder.join("ledger.db").is_file() {
        return Kept::none("none yet");
    }
    if config.general.master_key.is_none() {
        loader.fallback_master = data_dir::known_master_key(&folder);
    }
    let (Some(snapshot), _) = loader.load() else { return Kept::default() };
    let options = LedgerOptions { migrate: false, ..storage::ledger_options(&config, &folder) };
    let ledger = match Ledger::open(options).await {
        Ok(ledger) if ledger.state() == LedgerState::Connected => ledger,
        Ok(_) => return Kept::none("cannot be reached, so what was made over the API is not here"),
        Err(error) => return Kept::none(format!("cannot be read: {error}")),
    };
    match additions(&ledger, &snapshot).await {
        Ok((added, marks)) => Kept { note: note(&config, &added, marks.len()), added },
        Err(error) => Kept::none(format!("cannot be read: {error}")),
    }
}

fn note(config: &Config, added: &Additions, read: usize) -> String {
    if !config.general.store_model_in_db {
        return String::from("store_model_in_db is false, so nothing of it counts");
    }
    let opened = added.models.len()
        + added.credentials.len()
        + added.settings.len()
        + usize::from(added.price_map.is_some());
    match read.saturating_sub(opened) {
        0 => format!("{read} models, credentials and settings were made over the API"),
        lost => format!(
            "{lost} of {read} records cannot be decrypted: the salt key or the master key has changed"
        ),
    }
}

// --- telling ---

fn as_json(told: &Effective, ledger: &str, sealed: &str) -> String {
    let all = json!({
        "ledger": ledger,
        "sealed_with": sealed,
        "settings": told.settings.iter().map(setting_json).collect::<Vec<_>>(),
        "models": told.models.iter().map(model_json).collect::<Vec<_>>(),
    });
    format!("{all:#}\n")
}

fn setting_json(setting: &Setting) -> Value {
    json!({
        "section": setting.section,
        "name": setting.name,
        "value": setting.value,
        "source": setting.source.json(),
        "used": setting.used,
    })
}

fn model_json(model: &Model) -> Value {
    json!({
        "model_name": model.name,
        "id": model.id,
        "litellm_params": model.params,
        "source": model.provenance.entry.json(),
        "changed": model.provenance.changed_json(),
    })
}

/// YAML, with sources as comments: what is no comment may be pasted into a file, but for the secrets.
fn as_text(told: &Effective, ledger: &str, sealed: &str) -> String {
    let mut text = Text::default();
    if !ledger.is_empty() {
        text.line(format!("# ledger: {ledger}"));
    }
    text.line(format!("# sealed with: {sealed}"));
    let mut section = "";
    for setting in &told.settings {
        if setting.section != section {
            section = setting.section;
            text.line(format!("{section}:"));
        }
        let unused = if setting.used { "" } else { "; not used yet" };
        let value = format!("  {}: {}", setting.name, setting.value);
        text.line(format!("{value:COMMENTS$}  # {}{unused}", setting.source));
    }
    text.line("model_list:");
    for model in &told.models {
        let name = format!("  - model_name: {}", Value::from(model.name.as_str()));
        text.line(format!("{name:COMMENTS$}  # {}", model.provenance));
        text.line(format!("    litellm_params: {}", Value::Object(model.params.clone())));
        text.line(format!("    model_info: {{\"id\": {}}}", Value::from(model.id.as_str())));
    }
    text.done()
}
