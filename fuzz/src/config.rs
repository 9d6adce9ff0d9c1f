//! A configuration: loaded, or refused with words that can be printed.

use weir_core::config::{Config, Env};

pub fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let env = Env::of([("KEY", "value"), ("EMPTY", "")]);
    let (config, problems) =
        Config::from_text(&text, &env, &["openai", "azure", "anthropic", "bedrock", "ollama"]);
    assert_eq!(config.is_none(), problems.has_errors(), "loaded with errors, or refused without one");
    drop(format!("{problems}{config:?}"));
}
