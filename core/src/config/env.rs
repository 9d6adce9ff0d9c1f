//! The environment as an argument: loading a configuration reads a map, so a test passes one.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// Environment variables. Cheap to clone. Names and values are text; others do not exist here.
#[derive(Clone, Default)]
pub struct Env {
    vars: Arc<HashMap<String, String>>,
}

impl Env {
    pub fn of<K: Into<String>, V: Into<String>>(vars: impl IntoIterator<Item = (K, V)>) -> Self {
        let vars = vars.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self { vars: Arc::new(vars) }
    }

    /// The environment of this process, as it is now.
    #[expect(clippy::disallowed_methods, reason = "the one place where the process's environment is read")]
    pub fn process() -> Self {
        // `vars` panics on a variable that is not UTF-8, `vars_os` does not.
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self::of(std::env::vars_os().filter_map(text))
    }

    /// The value, also when it is empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.vars.get(name).map(String::as_str)
    }

    /// The value, unless it is empty: how LiteLLM reads most variables.
    pub fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// Where everything is mounted (`SERVER_ROOT_PATH`): a slash before and none behind; empty for none.
    pub fn server_root(&self) -> String {
        let root = self.filled("SERVER_ROOT_PATH").unwrap_or_default().trim_matches('/');
        if root.is_empty() { String::new() } else { format!("/{root}") }
    }

    /// Whether a variable says yes.
    pub fn is_on(&self, name: &str) -> bool {
        self.filled(name).is_some_and(|value| ["true", "1", "yes"].contains(&value.to_lowercase().as_str()))
    }

    /// Every name, in no order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.vars.keys().map(String::as_str)
    }

    /// This environment with `overlay` on top; where both have a name, the overlay's value counts.
    pub fn with<K: Into<String>, V: Into<String>>(&self, overlay: impl IntoIterator<Item = (K, V)>) -> Self {
        let mut vars = HashMap::clone(&self.vars);
        vars.extend(overlay.into_iter().map(|(name, value)| (name.into(), value.into())));
        Self { vars: Arc::new(vars) }
    }
}

/// Values are secrets until proven otherwise; only their number is shown.
impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Env({} variables)", self.vars.len())
    }
}
