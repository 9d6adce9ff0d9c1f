//! Anthropic's dialect on Vertex AI: the version stands in the body instead of a header, the model in the path, and
//! betas are those that Vertex knows.

/// What Vertex calls the version of Anthropic's API.
pub const VERSION: &str = "vertex-2023-10-16";

/// The model that counts tokens for all others.
pub(super) const COUNTER: &str = "count-tokens";

/// Anything else is refused with a 400, so it is left out. Source: LiteLLM's allow list for Vertex.
static BETAS: &[&str] = &[
    "compact-2026-01-12",
    "computer-use-2025-01-24",
    "computer-use-2025-11-24",
    "context-1m-2025-08-07",
    "context-management-2025-06-27",
    "interleaved-thinking-2025-05-14",
    "tool-search-tool-2025-10-19",
    "web-search-2025-03-05",
];

/// What Anthropic bundles under this name, Vertex knows one part of.
const BUNDLE: &str = "advanced-tool-use";
const BUNDLED: &str = "tool-search-tool-2025-10-19";

/// The betas of `asked` (a comma-separated list, as in the header) that Vertex takes, each once, in order.
pub fn betas(asked: &str) -> Vec<&'static str> {
    let mut kept = Vec::new();
    for name in asked.split(',').map(str::trim) {
        let name = if name.starts_with(BUNDLE) { BUNDLED } else { name };
        let beta = BETAS.iter().find(|beta| **beta == name && !kept.contains(*beta));
        kept.extend(beta);
    }
    kept
}
