//! Loading as an operator sees it: text in, configuration and messages out.

mod additions;
mod cache;
mod deployments;
mod general;
mod junk;
mod library;
mod meaning;
mod messages;
mod redis;
mod secrets;
mod shared;
mod sources;
mod tables;

use super::env::Env;
use super::load::Config;
use super::problems::{Problems, Severity};

/// Prefixes that the tests' build serves.
const SERVED: &[&str] = &["openai", "azure", "groq", "text-completion-openai"];

fn load(text: &str, vars: &[(&str, &str)]) -> (Option<Config>, Problems) {
    Config::from_text(text, &Env::of(vars.iter().copied()), SERVED)
}

/// Loads what must have no error.
fn good(text: &str, vars: &[(&str, &str)]) -> Config {
    let (config, problems) = load(text, vars);
    config.unwrap_or_else(|| panic!("{problems}"))
}

fn lines(problems: &Problems, severity: Severity) -> Vec<String> {
    problems.iter().filter(|p| p.severity == severity).map(ToString::to_string).collect()
}
