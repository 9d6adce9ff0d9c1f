//! Which of Anthropic's beta features Bedrock lets through. Anything else would be refused with a 400, so it is left
//! out. Source: Amazon Bedrock User Guide, Anthropic Claude Messages API, and LiteLLM's allow list.

use super::Model;

struct Beta {
    name: &'static str,
    /// First Claude that knows it.
    since: (u8, u8),
    /// Families that know it; empty: all.
    families: &'static [&'static str],
}

const fn beta(name: &'static str, since: (u8, u8), families: &'static [&'static str]) -> Beta {
    Beta { name, since, families }
}

static ALLOWED: &[Beta] = &[
    beta("computer-use-2024-10-22", (3, 5), &[]),
    beta("computer-use-2025-01-24", (3, 7), &[]),
    beta("computer-use-2025-11-24", (4, 5), &[]),
    beta("token-efficient-tools-2025-02-19", (3, 7), &[]),
    beta("output-128k-2025-02-19", (3, 7), &[]),
    beta("interleaved-thinking-2025-05-14", (4, 0), &[]),
    beta("dev-full-thinking-2025-05-14", (4, 0), &[]),
    beta("context-1m-2025-08-07", (4, 0), &[]),
    beta("context-management-2025-06-27", (4, 5), &[]),
    beta("effort-2025-11-24", (4, 5), &["opus"]),
    beta("tool-search-tool-2025-10-19", (4, 5), &["opus", "sonnet"]),
    beta("tool-examples-2025-10-29", (4, 5), &["opus", "sonnet"]),
];

/// What Anthropic bundles under one name, Bedrock names apart.
const BUNDLE: &str = "advanced-tool-use";
const BUNDLED: &[&str] = &["tool-search-tool-2025-10-19", "tool-examples-2025-10-29"];

/// The betas of `asked` (comma-separated lists, as in the header) that this model may use, each once, in order.
pub fn allowed<'a>(asked: impl IntoIterator<Item = &'a str>, model: &Model<'_>) -> Vec<&'static str> {
    let mut allowed = Vec::new();
    let names = asked.into_iter().flat_map(|list| list.split(',')).map(str::trim);
    for name in names.flat_map(unbundle) {
        let beta = ALLOWED.iter().find(|beta| beta.name == name && knows(model, beta));
        if let Some(beta) = beta.filter(|beta| !allowed.contains(&beta.name)) {
            allowed.push(beta.name);
        }
    }
    allowed
}

fn unbundle(name: &str) -> impl Iterator<Item = &str> {
    let bundle = name.starts_with(BUNDLE);
    let own = (!bundle).then_some(name);
    let parts: &[&str] = if bundle { BUNDLED } else { &[] };
    own.into_iter().chain(parts.iter().copied())
}

/// A model behind an opaque id may be any: what it does not know, it refuses itself.
fn knows(model: &Model<'_>, beta: &Beta) -> bool {
    if model.is_opaque() {
        return true;
    }
    let family = model.claude_family().unwrap_or_default();
    model.claude_since(beta.since.0, beta.since.1)
        && (beta.families.is_empty() || beta.families.contains(&family))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p24_only_betas_that_bedrock_and_the_model_know_pass() {
        let asked =
            ["claude-code-20250219, context-1m-2025-08-07", "context-1m-2025-08-07,effort-2025-11-24"];
        let of = |model| allowed(asked, &Model::of(model));
        assert_eq!(of("us.anthropic.claude-sonnet-4-5-20250929-v1:0"), ["context-1m-2025-08-07"]);
        assert_eq!(
            of("anthropic.claude-opus-4-5-20251101-v1:0"),
            ["context-1m-2025-08-07", "effort-2025-11-24"]
        );
        assert!(of("anthropic.claude-3-haiku-20240307-v1:0").is_empty());
        assert!(of("amazon.nova-micro-v1:0").is_empty());
        let bundle = allowed(["advanced-tool-use-2025-11-20"], &Model::of("anthropic.claude-opus-4-6-v1"));
        assert_eq!(bundle, BUNDLED);
    }
}
