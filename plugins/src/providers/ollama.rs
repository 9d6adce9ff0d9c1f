//! Ollama's own API. A local server has no key; Ollama's cloud and servers behind a proxy do.

use super::native::{Call, Native};

pub static OLLAMA: Native = Native {
    prefixes: &["ollama_chat", "ollama"],
    base: "http://localhost:11434",
    base_env: &["OLLAMA_API_BASE"],
    key_env: &["OLLAMA_API_KEY"],
    key_optional: true,
    paths: &[
        (Call::Chat, "/api/chat"),
        (Call::Generate, "/api/generate"),
        (Call::Embed, "/api/embed"),
        (Call::Models, "/api/tags"),
    ],
};

/// The call that serves a chat: LiteLLM's two prefixes stand for two calls.
pub fn chat_call(prefix: &str) -> Call {
    if prefix == "ollama" { Call::Generate } else { Call::Chat }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_prefix_has_its_own_call() {
        let paths: Vec<_> = OLLAMA.prefixes.iter().map(|p| OLLAMA.path(chat_call(p))).collect();
        assert_eq!(paths, [Some("/api/chat"), Some("/api/generate")]);
    }
}
