//! Which parameters may be left out, which must be refused. LiteLLM's rules: a parameter that a provider does not
//! support is an error, unless `drop_params` is on, `additional_drop_params` names it, or `allowed_openai_params` lets it
//! through as it is.

use weir_core::config::ThinkingBudgets;
use weir_core::error::{ApiError, Kind};

/// The rules of one attempt.
#[derive(Clone, Debug, Default)]
pub struct Params {
    /// The provider's prefix, for messages.
    pub provider: String,
    /// Leave out silently what the provider does not support.
    pub drop: bool,
    /// Dropped whatever the provider supports; dotted paths reach into objects.
    pub additional_drop: Vec<String>,
    /// Passed on whatever the provider is said to support.
    pub allowed: Vec<String>,
    /// `modify_params`: requests may be mended where a provider would refuse them.
    pub modify: bool,
    /// Output tokens that are asked for where the provider wants a limit and the request has none; `None`: as many as the
    /// dialect has for that.
    pub max_tokens: Option<u64>,
    /// Thoughts are told too where only an effort is asked for.
    pub summarizes: bool,
    /// What an effort is in tokens, for models that know budgets only.
    pub budgets: ThinkingBudgets,
}

impl Params {
    /// Refuses what was said and is not supported, unless it may be left out. The caller leaves it out.
    ///
    /// # Errors
    /// 400 `UnsupportedParamsError`, naming all of them.
    pub fn check(&self, said: &[&'static str], supported: &[&str]) -> Result<(), ApiError> {
        let refused: Vec<&str> =
            said.iter().copied().filter(|name| !self.may_pass(name, supported)).collect();
        if refused.is_empty() {
            return Ok(());
        }
        let list: Vec<String> = refused.iter().map(|name| format!("'{name}'")).collect();
        let message = format!(
            "litellm.UnsupportedParamsError: {} does not support parameters: [{}]. \
             To drop these, set `litellm_settings.drop_params: true`",
            self.provider,
            list.join(", ")
        );
        Err(ApiError::new(Kind::UnsupportedParams, message))
    }

    /// Whether a parameter is to be left out although it is supported.
    pub fn drops(&self, name: &str) -> bool {
        self.additional_drop.iter().any(|d| d == name)
    }

    fn may_pass(&self, name: &str, supported: &[&str]) -> bool {
        self.drop || supported.contains(&name) || self.drops(name) || self.allowed.iter().any(|a| a == name)
    }
}

/// A dialect's list as clients are told it: with `stream`, which all can, and with the other name of `max_tokens`.
pub(super) fn told(supported: &[&'static str]) -> Vec<&'static str> {
    let mut told = vec!["stream"];
    for name in supported {
        told.push(name);
        if *name == "max_tokens" {
            told.push("max_completion_tokens");
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unsupported_is_refused_unless_it_may_go() {
        let strict = Params { provider: "p".into(), ..Params::default() };
        let message = strict.check(&["seed", "n", "stop"], &["stop"]).unwrap_err().message().to_owned();
        assert!(message.contains("p does not support parameters: ['seed', 'n']"), "{message}");
        for lax in [
            Params { drop: true, ..strict.clone() },
            Params { additional_drop: vec!["seed".into()], ..strict.clone() },
            Params { allowed: vec!["seed".into()], ..strict },
        ] {
            assert!(lax.check(&["seed"], &[]).is_ok());
        }
    }
}
