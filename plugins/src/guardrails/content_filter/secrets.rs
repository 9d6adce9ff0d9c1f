//! `detect_secrets_config`: which secrets `hide-secrets` looks for, by the names that the program detect-secrets has
//! for its plugins.

use weir_core::config::problems::Problems;
use weir_core::config::section::Section;
use weir_core::config::tree::Node;

/// A plugin, and the patterns that stand for it here.
#[rustfmt::skip]
static PLUGINS: &[(&str, &[&str])] = &[
    ("AWSKeyDetector", &["aws_access_key", "aws_secret_key"]),
    ("BasicAuthDetector", &["basic_auth"]),
    ("GitHubTokenDetector", &["github_token"]),
    ("GitLabTokenDetector", &["gitlab_token"]),
    ("GoogleApiKeyDetector", &["google_api_key"]),
    ("JwtTokenDetector", &["jwt"]),
    ("NpmDetector", &["npm_token"]),
    ("OpenAIDetector", &["openai_key"]),
    ("OpenAIApiKeyDetector", &["openai_key"]),
    ("PrivateKeyDetector", &["private_key"]),
    ("SendGridDetector", &["sendgrid_key"]),
    ("SlackDetector", &["slack_token", "slack_webhook"]),
    ("StripeDetector", &["stripe_key"]),
];

/// The patterns that are named; `None`: all.
pub(super) fn named(params: &Section, problems: &mut Problems) -> Option<Vec<&'static str>> {
    const NAME: &str = "detect_secrets_config";
    let used = params.node(NAME)?.get("plugins_used")?.items();
    let mut named = Vec::new();
    for plugin in used.iter().filter_map(|node| node.get("name")).filter_map(Node::as_text) {
        match PLUGINS.iter().find(|(known, _)| *known == plugin) {
            Some((_, patterns)) => named.extend_from_slice(patterns),
            None => {
                let message = format!("nothing is looked for as {plugin} does");
                problems.warn(
                    &params.place(NAME),
                    message,
                    "add a pattern of your own to a litellm_content_filter",
                );
            }
        }
    }
    Some(named)
}

#[cfg(test)]
mod tests {
    use super::super::super::check::Verdict;
    use super::super::super::testing::{asked, build, verdict};
    use super::super::patterns::SECRETS;
    use super::PLUGINS;

    fn entry(plugins: &str) -> String {
        format!(
            "{{guardrail_name: g, litellm_params: {{guardrail: hide-secrets, mode: pre_call, \
             detect_secrets_config: {{plugins_used: [{plugins}]}}}}}}"
        )
    }

    #[test]
    fn every_plugin_stands_for_patterns_that_there_are() {
        for (plugin, patterns) in PLUGINS {
            let there = |name: &&str| SECRETS.iter().any(|(known, _)| known == name);
            assert!(!patterns.is_empty() && patterns.iter().all(there), "{plugin}");
        }
    }

    #[tokio::test]
    async fn only_what_is_named_is_hidden() {
        let text = "AKIAIOSFODNN7EXAMPLE and ghp_abcdefghijklmnopqrstuvwxyz0123456789";
        let only = entry("{name: AWSKeyDetector}, {name: Base64HighEntropyString, limit: 4.5}");
        let edit = Verdict::Edit(vec!["[REDACTED] and ghp_abcdefghijklmnopqrstuvwxyz0123456789".to_owned()]);
        assert_eq!(verdict(&only, &asked(&[text])).await, edit);
        let told = build(&only).1.to_string();
        assert!(told.contains("nothing is looked for as Base64HighEntropyString does"), "{told}");
        assert!(build(&entry("{name: Nobody}")).1.has_errors());
    }
}
