//! `environment_variables`, and `os.environ/NAME` wherever a value may stand.

use super::env::Env;
use super::keys::{EnvKey, NO_EFFECT, env_key};
use super::problems::{Problems, did_you_mean};
use super::section::join;
use super::tree::{Node, Value};

pub(super) const PREFIX: &str = "os.environ/";

/// Takes `environment_variables` out of the sections and lays it, and what follows from it, over `env`.
pub(super) fn environment(root: &mut Node, env: &Env, problems: &mut Problems) -> Env {
    let Value::Map(sections) = &mut root.value else { return env.clone() };
    let Some(at) = sections.iter().position(|(name, _)| name == "environment_variables") else {
        return env.with(derived(env));
    };
    let (name, mut section) = sections.remove(at);
    references(&mut section, env, &mut name.clone(), problems);
    if !matches!(section.value, Value::Map(_) | Value::Null) {
        problems.error(&section.place(&name), format!("expected a map, found {}", section.what()), "");
    }
    let vars = section.entries().iter().filter_map(|(var, node)| variable(var, node, problems));
    let env = env.with(vars.collect::<Vec<_>>());
    env.with(derived(&env))
}

fn variable(name: &str, node: &Node, problems: &mut Problems) -> Option<(String, String)> {
    let at = node.place(join("environment_variables", name));
    if let Some(EnvKey::Moot(why)) = env_key(name) {
        problems.advise(&at, NO_EFFECT, why);
    }
    match &node.value {
        Value::Null => None,
        Value::Text(text) | Value::Number(text) => Some((name.to_owned(), text.clone())),
        // As Python spells them, which is what scripts compare with.
        Value::Bool(b) => Some((name.to_owned(), if *b { "True" } else { "False" }.to_owned())),
        Value::List(_) | Value::Map(_) => {
            problems.error(&at, format!("expected text, found {}", node.what()), "");
            None
        }
    }
}

/// Variables that follow from others, so that `os.environ/DATABASE_URL` works where only its parts are set.
fn derived(env: &Env) -> Vec<(&'static str, String)> {
    let url = env.filled("DATABASE_URL").is_none().then(|| super::database::url(env)).flatten();
    let key = env.filled("LITELLM_MASTER_KEY").is_none().then(|| env.filled("PROXY_MASTER_KEY")).flatten();
    let url = url.map(|url| ("DATABASE_URL", url));
    url.into_iter().chain(key.map(|key| ("LITELLM_MASTER_KEY", key.to_owned()))).collect()
}

/// Replaces every `os.environ/NAME`; a variable that is not set becomes null, with a warning.
pub(super) fn references(node: &mut Node, env: &Env, path: &mut String, problems: &mut Problems) {
    match &mut node.value {
        Value::Text(text) => {
            if let Some(name) = text.strip_prefix(PREFIX) {
                let name = name.trim().to_owned();
                node.value = lookup(&name, node, env, path, problems);
                node.from_env = true;
            }
        }
        Value::List(items) => {
            for (at, item) in items.iter_mut().enumerate() {
                inside(path, &format!("[{at}]"), |path| references(item, env, path, problems));
            }
        }
        Value::Map(entries) => {
            for (name, value) in entries {
                let dot = if path.is_empty() { "" } else { "." };
                inside(path, &format!("{dot}{name}"), |path| references(value, env, path, problems));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn inside(path: &mut String, step: &str, visit: impl FnOnce(&mut String)) {
    let length = path.len();
    path.push_str(step);
    visit(path);
    path.truncate(length);
}

fn lookup(name: &str, node: &Node, env: &Env, path: &str, problems: &mut Problems) -> Value {
    if let Some(value) = env.get(name) {
        return Value::Text(value.to_owned());
    }
    if problems.has_room() {
        let near = did_you_mean(name, env.names());
        let cure = if near.is_empty() { format!("set {name}, or remove this line") } else { near };
        problems.warn(&node.place(path), format!("environment variable {name} is not set"), cure);
    }
    Value::Null
}
