//! The table of kinds: what `litellm_params.guardrail` may say.

use super::check::Check;
use super::{bedrock, content_filter, generic, injection, moderation, presidio, tool_permission};
use crate::auth::Poster;
use std::sync::Arc;
use weir_core::config::GuardrailEntry;
use weir_core::config::env::Env;
use weir_core::config::problems::Problems;

/// One kind.
pub(super) struct KindRow {
    pub(super) name: &'static str,
    /// `None`: something essential is wrong, which is reported.
    pub(super) build: fn(&Build<'_>, &mut Problems) -> Option<Arc<dyn Check>>,
}

/// What a guardrail is made of.
pub(super) struct Build<'a> {
    pub(super) entry: &'a GuardrailEntry,
    pub(super) env: &'a Env,
    /// For all services of a configuration.
    pub(super) http: &'a Poster,
}

pub(super) static KINDS: &[KindRow] = &[
    KindRow { name: "litellm_content_filter", build: content_filter::build },
    KindRow { name: "hide-secrets", build: content_filter::build_secrets },
    KindRow { name: "detect_prompt_injection", build: injection::build },
    KindRow { name: "generic_guardrail_api", build: generic::build },
    KindRow { name: "openai_moderation", build: moderation::build },
    KindRow { name: "presidio", build: presidio::build },
    KindRow { name: "bedrock", build: bedrock::build },
    KindRow { name: "tool_permission", build: tool_permission::build },
];
