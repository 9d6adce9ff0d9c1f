//! Where values come from: a line of a file, the environment, the ledger, or nowhere at all.

use super::problems::Problems;
use super::section::join;
use super::tree::{Node, Value};
use serde_json::{Map, Value as Json, json};
use std::fmt;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Source {
    #[default]
    Default,
    /// Written there. `variable`: what is written is `os.environ/…`.
    File { name: String, line: u32, variable: Option<String> },
    /// A variable that is read where no file says anything.
    Environment(String),
    /// Made over the API.
    Ledger,
}

/// Where a deployment comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provenance {
    /// Where its entry stands.
    pub entry: Source,
    /// What comes from elsewhere, since the ledger changes the entry: `litellm_params.rpm`, with its source. In the
    /// order of the entry.
    pub changed: Vec<(String, Source)>,
}

/// How problems and nodes call what did not come from a file.
const LEDGER: &str = "the ledger's ";

/// What a change over the API always has, and changes nothing.
static MARKS: &[&str] = &["model_info.id", "model_info.db_model"];

// --- Source ---

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Default => f.write_str("default"),
            Source::File { name, line, variable: None } => write!(f, "{name}:{line}"),
            Source::File { name, line, variable: Some(var) } => {
                write!(f, "{name}:{line}, os.environ/{var}")
            }
            Source::Environment(variable) => write!(f, "environment {variable}"),
            Source::Ledger => f.write_str("ledger"),
        }
    }
}

impl Source {
    /// `from` is `default`, `file`, `environment` or `ledger`; beside it what is known.
    pub fn json(&self) -> Json {
        match self {
            Source::Default => json!({"from": "default"}),
            Source::File { name, line, variable: None } => {
                json!({"from": "file", "file": name, "line": line})
            }
            Source::File { name, line, variable: Some(var) } => {
                json!({"from": "environment", "variable": var, "file": name, "line": line})
            }
            Source::Environment(variable) => json!({"from": "environment", "variable": variable}),
            Source::Ledger => json!({"from": "ledger"}),
        }
    }
}

/// Whether a value, or any in it, was made over the API. Of a map that is of both, what was changed last is told.
pub(super) fn of_ledger(node: &Node, problems: &Problems) -> bool {
    is_ledger(node, problems)
        || node.items().iter().any(|item| of_ledger(item, problems))
        || node.entries().iter().any(|(_, member)| of_ledger(member, problems))
}

fn is_ledger(node: &Node, problems: &Problems) -> bool {
    problems.file_name(node.file).starts_with(LEDGER)
}

// --- Provenance ---

impl Provenance {
    /// Of an entry of `model_list`, with the ledger's changes in it.
    pub(super) fn of(entry: &Node, problems: &Problems) -> Self {
        if is_ledger(entry, problems) {
            return Self { entry: Source::Ledger, changed: Vec::new() };
        }
        let name = problems.file_name(entry.file).to_owned();
        let written = Source::File { name, line: entry.line, variable: None };
        let paths = entry.entries().iter().flat_map(|(name, node)| changed(name, node, problems));
        Self { entry: written, changed: paths.map(|path| (path, Source::Ledger)).collect() }
    }

    /// `{"litellm_params.rpm": {"from": "ledger"}}`
    pub fn changed_json(&self) -> Json {
        let told = self.changed.iter().map(|(path, source)| (path.clone(), source.json()));
        Json::Object(told.collect::<Map<_, _>>())
    }
}

/// Where it stands, and what is changed elsewhere.
impl fmt::Display for Provenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.entry)?;
        self.changed.iter().try_for_each(|(path, source)| write!(f, "; {path}: {source}"))
    }
}

/// Paths of what the ledger has changed: members of a map by themselves, anything else as a whole.
fn changed(name: &str, node: &Node, problems: &Problems) -> Vec<String> {
    if !matches!(node.value, Value::Map(_)) {
        return if is_ledger(node, problems) { vec![name.to_owned()] } else { Vec::new() };
    }
    let members = node.entries().iter().filter(|(_, member)| of_ledger(member, problems));
    let paths = members.map(|(member, _)| join(name, member));
    paths.filter(|path| !MARKS.contains(&path.as_str())).collect()
}
