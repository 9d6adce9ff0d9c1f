//! What a running gateway remembers of its settings: how they were in force when they were loaded, and what the files alone
//! would have made of them.

use super::super::env::Env;
use super::super::file::ConfigFile;
use super::super::keys::{Key, State, Table};
use super::super::load::{Config, Notes, Written};
use super::super::problems::Problems;
use super::super::resolve;
use super::super::tree::{Node, Value};
use super::{References, Setting, Teller, defaults, empty};
use serde_json::Value as Json;
use std::fmt;
use std::sync::LazyLock;

/// Every setting with its source, for whoever asks the running gateway. No secret is in it. `Debug` shows nothing of it:
/// it follows from the rest of a configuration.
#[derive(Default)]
pub struct Told {
    /// As they are in force.
    settings: Vec<Setting>,
    /// As they would be without what was set over the API; none where nothing was.
    files: Vec<Setting>,
}

/// Of a file that says nothing.
static UNSET: LazyLock<Option<Config>> =
    LazyLock::new(|| Config::from_text("model_list: []", &Env::default(), &[]).0);

/// What a setting is where nobody sets it; null where that is nothing, or nothing depends on it yet.
pub fn default_of(table: &Table, key: &Key) -> Json {
    if key.state == State::Moot {
        return Json::Null;
    }
    let row = defaults::find(table.name, key.name).zip(UNSET.as_ref());
    let value = row.map_or(Json::Null, |(row, unset)| (row.value)(unset));
    if value.is_null() { empty(key.kind) } else { value }
}

// --- Told ---

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Told")
    }
}

impl Told {
    pub(in super::super) fn of(
        written: &Written,
        config: &Config,
        env: &Env,
        notes: &Notes,
        problems: &Problems,
    ) -> Self {
        let teller = Teller { written, config, env, references: &notes.references, problems };
        let files = notes.files.as_ref().map(|files| of_files(files, env, problems));
        Self { settings: teller.settings(), files: files.unwrap_or_default() }
    }

    /// A setting as it is in force. `None`: it is not set, and nothing depends on it yet.
    pub fn in_force(&self, section: &str, name: &str) -> Option<&Setting> {
        find(&self.settings, section, name)
    }

    /// The same without what was set over the API. `None` also where nothing was.
    pub fn in_files(&self, section: &str, name: &str) -> Option<&Setting> {
        find(&self.files, section, name)
    }
}

fn find<'a>(settings: &'a [Setting], section: &str, name: &str) -> Option<&'a Setting> {
    settings.iter().find(|setting| setting.section == section && setting.name == name)
}

// --- the files alone ---

/// The sections of settings, without the lists, which may be long.
pub(in super::super) fn sections(root: &Node) -> Node {
    let wanted = |name: &str| name.ends_with("_settings") || name == "environment_variables";
    let members = root.entries().iter().filter(|(name, _)| wanted(name)).cloned();
    Node { value: Value::Map(members.collect()), file: root.file, line: root.line, from_env: false }
}

/// What would be in force without the ledger.
fn of_files(files: &Node, env: &Env, problems: &Problems) -> Vec<Setting> {
    // What is wrong with the files was said when the whole was read.
    let (mut root, mut said) = (files.clone(), problems.emptied());
    let inner = resolve::environment(&mut root, env, &mut said);
    let references = References::of(&root);
    resolve::references(&mut root, &inner, &mut String::new(), &mut said);
    let written = Written { file: ConfigFile::read(&root, &mut said), env: inner };
    let config = Config::of(&written.file, written.env.clone(), &[], &mut said);
    Teller { written: &written, config: &config, env, references: &references, problems }.settings()
}
