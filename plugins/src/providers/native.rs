//! Providers with an API of their own: where it is, who may call it, and below which paths.

/// Everything that is only data.
#[derive(Debug)]
pub struct Native {
    /// LiteLLM's prefixes.
    pub prefixes: &'static [&'static str],
    pub base: &'static str,
    /// Variables that replace `base`, first set wins.
    pub base_env: &'static [&'static str],
    /// Variables that hold the key, first set wins; it travels as a bearer token.
    pub key_env: &'static [&'static str],
    /// Whether it serves without a key.
    pub key_optional: bool,
    pub paths: &'static [(Call, &'static str)],
}

/// One call of a native API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    Chat,
    Generate,
    Embed,
    Rerank,
    Models,
}

// --- Native ---

impl Native {
    /// The path of a call; `None` where the provider does not have it.
    pub fn path(&self, call: Call) -> Option<&'static str> {
        self.paths.iter().find(|(c, _)| *c == call).map(|(_, path)| *path)
    }

    /// The address of a call. As in LiteLLM, a base may already end with the path or its first part.
    pub fn address(&self, base: &str, call: Call) -> Option<String> {
        let path = self.path(call)?;
        let base = base.trim_end_matches('/');
        let ends = path.match_indices('/').map(|(at, _)| at).skip(1).chain([path.len()]);
        let there = ends.filter(|end| base.ends_with(&path[..*end])).max().unwrap_or_default();
        Some(format!("{base}{}", &path[there..]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::cohere::{COHERE, JINA, VOYAGE};
    use crate::providers::ollama::OLLAMA;

    #[test]
    fn rows_are_whole() {
        for native in [&OLLAMA, &COHERE, &JINA, &VOYAGE] {
            assert!(native.base.parse::<http::Uri>().is_ok_and(|uri| uri.host().is_some()), "{native:?}");
            assert!(!native.base.ends_with('/') && !native.prefixes.is_empty() && !native.key_env.is_empty());
            for (call, path) in native.paths {
                assert!(path.starts_with('/') && !path.ends_with('/'), "{path}");
                assert_eq!(native.path(*call), Some(*path), "{call:?} stands once");
            }
        }
    }

    #[test]
    fn addresses_do_not_say_a_part_twice() {
        for (base, address) in [
            ("https://x", "https://x/v1/rerank"),
            ("https://x/", "https://x/v1/rerank"),
            ("https://x/v1", "https://x/v1/rerank"),
            ("https://x/v1/rerank", "https://x/v1/rerank"),
            ("https://x/below", "https://x/below/v1/rerank"),
        ] {
            assert_eq!(VOYAGE.address(base, Call::Rerank).as_deref(), Some(address));
        }
        assert_eq!(OLLAMA.address("http://h:1", Call::Chat).as_deref(), Some("http://h:1/api/chat"));
        assert_eq!(VOYAGE.address("https://x", Call::Chat), None);
    }
}
