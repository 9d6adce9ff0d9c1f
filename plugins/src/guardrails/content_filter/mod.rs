//! `litellm_content_filter` and `hide-secrets`: patterns and words, looked for here, without asking anybody. What is
//! found is masked or refused. A stream is followed: what may become a match is kept back, as many bytes as the longest
//! match has, so that a match is found wherever the stream was cut.

mod categories;
mod filter;
mod follow;
mod patterns;
mod rules;
mod secrets;

use super::check::{Asked, Blocked, Check, Fault, Follow, Verdict};
use super::kinds::Build;
use crate::listed;
use async_trait::async_trait;
use filter::Filter;
use follow::Following;
use patterns::SECRETS;
use rules::{Action, Rule};
use std::sync::Arc;
use weir_core::config::Listed;
use weir_core::config::problems::{Place, Problems};

struct ContentFilter(Arc<Filter>);

pub(super) fn build(build: &Build<'_>, problems: &mut Problems) -> Option<Arc<dyn Check>> {
    let rules = rules::read(&build.entry.params, problems)?;
    if rules.is_empty() {
        let cure = "add patterns, blocked_words, blocked_words_file or categories";
        problems.error(build.entry.params.at(), "there is nothing to look for", cure);
        return None;
    }
    made(build.entry.params.at(), rules, problems)
}

pub(super) fn build_secrets(build: &Build<'_>, problems: &mut Problems) -> Option<Arc<dyn Check>> {
    let params = &build.entry.params;
    let named = secrets::named(params, problems);
    let wanted = |name: &str| named.as_ref().is_none_or(|named| named.contains(&name));
    let rules = SECRETS.iter().filter(|(name, _)| wanted(name));
    let rules: Vec<Rule> = rules.map(|(name, pattern)| Rule::masking(name, pattern, "[REDACTED]")).collect();
    if rules.is_empty() {
        let cure = "name another plugin of detect-secrets, or remove detect_secrets_config";
        problems.error(&params.place("detect_secrets_config"), "there is nothing to look for", cure);
        return None;
    }
    made(params.at(), rules, problems)
}

/// `litellm_settings.banned_keywords_list`; `None` where no word is banned.
pub(super) fn banned(keywords: &Listed, problems: &mut Problems) -> Option<Arc<dyn Check>> {
    let at = listed::place("banned_keywords_list");
    let words = listed::words(keywords, &at, problems);
    let rules: Vec<Rule> = words.iter().map(|word| Rule::banning(word)).collect();
    if rules.is_empty() { None } else { made(&at, rules, problems) }
}

/// Patterns that refuse, with their names and what is said then.
pub(super) fn refusing(
    at: &Place,
    patterns: impl Iterator<Item = (&'static str, String, Blocked)>,
    problems: &mut Problems,
) -> Option<Arc<dyn Check>> {
    let rule = |(name, pattern, blocked)| Rule {
        name: str::to_owned(name),
        pattern,
        action: Action::Block(blocked),
    };
    made(at, patterns.map(rule).collect(), problems)
}

fn made(at: &Place, rules: Vec<Rule>, problems: &mut Problems) -> Option<Arc<dyn Check>> {
    match Filter::new(rules) {
        Ok(filter) => Some(Arc::new(ContentFilter(Arc::new(filter)))),
        Err(why) => {
            problems.error(at, format!("the patterns cannot be used: {why}"), "");
            None
        }
    }
}

#[async_trait]
impl Check for ContentFilter {
    async fn check(&self, asked: &Asked) -> Result<Verdict, Fault> {
        let masked: Result<Vec<String>, Blocked> = asked.texts.iter().map(|text| self.0.mask(text)).collect();
        Ok(match masked {
            Ok(masked) if masked == asked.texts => Verdict::Pass,
            Ok(masked) => Verdict::Edit(masked),
            Err(blocked) => Verdict::Block(blocked),
        })
    }

    fn follow(&self) -> Option<Box<dyn Follow>> {
        Some(Box::new(Following::new(Arc::clone(&self.0))))
    }
}

#[cfg(test)]
mod tests;
