//! What looks at requests and answers: guardrails, as `guardrails` of the configuration has them.
//!
//! `check.rs` is what a kind must do, `kinds.rs` the table of kinds, each a file: `content_filter/` (here, by patterns
//! and words), `injection.rs` (here, by the make of sentences), `tool_permission.rs` (here, which tools are called),
//! `generic.rs`, `moderation.rs`, `presidio.rs`, `bedrock.rs` (services). `select.rs` says which ones a request meets,
//! `texts.rs` finds what is said in a body, `watching.rs` follows an answer, `judging.rs` its calls of tools,
//! `masked.rs` puts back into it what was masked before, `hiding.rs` masks what is kept. `runs.rs` notes which checks
//! were made. `filters/guardrails.rs` is when all of that happens.

mod bedrock;
mod beside;
mod check;
mod content_filter;
mod generic;
mod hiding;
mod injection;
mod judging;
mod kinds;
mod masked;
mod moderation;
mod presidio;
mod runs;
mod select;
mod service;
#[cfg(test)]
mod testing;
mod texts;
mod tool_permission;
mod watching;

pub use beside::Beside;
pub use check::{About, Asked, Blocked, Check, Fault, Follow, Judged, Side, Tools, Verdict};
pub use hiding::Hiding;
pub use judging::Judging;
pub use masked::{Masked, Restoring};
pub use runs::Run;
pub(crate) use runs::{PASSED, WORSE};
pub use select::{Chosen, Guarded, select};
pub use texts::{Leaves, Texts};
pub use watching::{Looking, choices};

use crate::auth::Poster;
use crate::metrics::Metrics;
use kinds::{Build, KINDS};
use serde_json::{Map, Value};
use std::sync::Arc;
use std::time::Instant;
use weir_core::body::JsonBody;
use weir_core::config::env::Env;
use weir_core::config::problems::{Problems, did_you_mean};
use weir_core::config::{Config, GuardrailEntry, Modes, When};
use weir_core::error::{ApiError, Kind};

/// All guardrails of a configuration, in its order.
#[derive(Default)]
pub struct Guardrails(Vec<Arc<Guardrail>>);

/// One of them.
pub struct Guardrail {
    pub name: String,
    /// As the configuration calls it.
    pub kind: String,
    pub modes: Modes,
    /// It runs whatever a request names.
    pub default_on: bool,
    fail_on_error: bool,
    /// Words for the caller in place of the check's own.
    template: Option<String>,
    pub check: Arc<dyn Check>,
}

// --- Guardrails ---

impl Guardrails {
    /// What cannot be built is an error of the configuration.
    pub fn build(config: &Config, env: &Env, problems: &mut Problems) -> Self {
        let http = Poster::new(env);
        let build = |entry| Guardrail::build(&Build { entry, env, http: &http }, problems);
        let mut all: Vec<_> = config.guardrails.iter().filter_map(build).collect();
        all.extend(always(
            "banned_keywords",
            content_filter::banned(&config.litellm.banned_keywords, problems),
        ));
        all.extend(always("detect_prompt_injection", injection::by_callback(config, problems)));
        Self(all.into_iter().map(Arc::new).collect())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<Guardrail>> {
        self.0.iter()
    }

    pub fn find(&self, name: &str) -> Option<&Arc<Guardrail>> {
        self.0.iter().find(|guardrail| guardrail.name == name)
    }
}

/// What LiteLLM has other settings for is a guardrail like others here.
fn always(name: &str, check: Option<Arc<dyn Check>>) -> Option<Guardrail> {
    Some(Guardrail {
        name: name.to_owned(),
        kind: name.to_owned(),
        modes: Modes::from(When::PreCall),
        default_on: true,
        fail_on_error: true,
        template: None,
        check: check?,
    })
}

// --- Guardrail ---

impl Guardrail {
    fn build(build: &Build<'_>, problems: &mut Problems) -> Option<Self> {
        let entry: &GuardrailEntry = build.entry;
        let Some(kind) = KINDS.iter().find(|kind| kind.name == entry.kind) else {
            let near = did_you_mean(&entry.kind, KINDS.iter().map(|kind| kind.name));
            let cure = if near.is_empty() { "remove it, or use another kind".to_owned() } else { near };
            let message = format!("no guardrail of the kind {:?} is served", entry.kind);
            problems.error(&entry.params.place("guardrail"), message, cure);
            return None;
        };
        Some(Self {
            name: entry.name.clone(),
            kind: entry.kind.clone(),
            modes: entry.modes.clone(),
            default_on: entry.default_on,
            fail_on_error: entry.fail_on_error,
            template: entry.params.text("violation_message_template").filter(|text| !text.is_empty()),
            check: (kind.build)(build, problems)?,
        })
    }

    /// Makes the check. `Some`: these texts go on in place of the ones that were asked about, as many as those.
    ///
    /// # Errors
    /// 400 for what is not let pass; 503 where the check cannot be made and `fail_on_error` holds.
    pub async fn run(
        &self,
        asked: &Asked,
        when: When,
        metrics: &Metrics,
    ) -> Result<Option<Vec<String>>, ApiError> {
        if asked.is_empty() || !self.check.looks_at(asked.side) {
            return Ok(None);
        }
        let started = Instant::now();
        let checked = self.check.check(asked).await.and_then(|verdict| whole(verdict, asked));
        let error = match &checked {
            Ok(Verdict::Block(_)) => Some(Kind::GuardrailBlocked.row().label),
            Err(_) => Some(Kind::GuardrailUnavailable.row().label),
            Ok(_) => None,
        };
        metrics.guardrail(&self.name, when.word(), error, started.elapsed());
        asked.about.runs.note(self, when, error, started.elapsed());
        match checked {
            Ok(Verdict::Pass) => Ok(None),
            Ok(Verdict::Edit(texts)) => Ok(Some(texts)),
            Ok(Verdict::Block(blocked)) => Err(self.refusal(blocked, when)),
            Err(fault) => self.failed(&fault),
        }
    }

    /// The body with those tools that a model may be offered; `None`: as it is.
    ///
    /// # Errors
    /// 400 for a tool that is not let pass.
    pub fn offered(
        &self,
        body: &JsonBody,
        about: &About,
        metrics: &Metrics,
    ) -> Result<Option<JsonBody>, ApiError> {
        let Some(tools) = self.check.tools() else { return Ok(None) };
        let started = Instant::now();
        let offered = tools.offered(body);
        let error = offered.is_err().then(|| Kind::GuardrailBlocked.row().label);
        metrics.guardrail(&self.name, When::PreCall.word(), error, started.elapsed());
        about.runs.note(self, When::PreCall, error, started.elapsed());
        offered.map_err(|blocked| self.refusal(blocked, When::PreCall))
    }

    /// What the caller is told.
    pub fn refusal(&self, blocked: Blocked, when: When) -> ApiError {
        let message = self.worded(&blocked);
        let facts = blocked.facts;
        let mut told = Map::new();
        told.insert("guardrail_name".to_owned(), self.name.as_str().into());
        told.insert("guardrail_mode".to_owned(), when.word().into());
        told.extend(facts);
        ApiError::new(Kind::GuardrailBlocked, message).with_details("guardrail", Value::Object(told))
    }

    /// In the operator's words, where there are some.
    pub fn worded(&self, blocked: &Blocked) -> String {
        let Some(template) = &self.template else { return blocked.message.clone() };
        let worded =
            template.replace("{default_message}", &blocked.message).replace("{rule_id}", &blocked.rule);
        let facts = blocked.facts.iter().filter_map(|(name, fact)| Some((name, fact.as_str()?)));
        facts.fold(worded, |worded, (name, fact)| worded.replace(&format!("{{{name}}}"), fact))
    }

    fn failed(&self, fault: &Fault) -> Result<Option<Vec<String>>, ApiError> {
        if self.fail_on_error {
            let message = format!("The guardrail {} is unavailable; try again in a moment.", self.name);
            return Err(ApiError::new(Kind::GuardrailUnavailable, message).because(fault));
        }
        tracing::warn!(guardrail = self.name, "passed without a check: {fault}");
        Ok(None)
    }
}

/// A text past one guardrail, as a request's would go on.
///
/// # Errors
/// 404 where none has this name; what the guardrail refuses.
pub async fn apply(
    set: &Guardrails,
    name: &str,
    text: &str,
    about: About,
    metrics: &Metrics,
) -> Result<String, ApiError> {
    let Some(guardrail) = set.find(name) else {
        let name: String = name.chars().take(200).collect();
        let message = format!("There is no guardrail named {name:?}.");
        return Err(ApiError::new(Kind::BadRequest, message).with_status(404));
    };
    let asked = Asked {
        side: Side::Request,
        texts: vec![text.to_owned()],
        images: Vec::new(),
        about: Arc::new(about),
        extra: Map::new(),
    };
    let changed = guardrail.run(&asked, When::PreCall, metrics).await?;
    Ok(changed.and_then(|texts| texts.into_iter().next()).unwrap_or_else(|| text.to_owned()))
}

/// Texts that cannot be put back where they came from are no answer.
fn whole(verdict: Verdict, asked: &Asked) -> Result<Verdict, Fault> {
    match verdict {
        Verdict::Edit(texts) if texts.len() != asked.texts.len() => {
            Err(Fault(format!("{} texts for {}", texts.len(), asked.texts.len())))
        }
        Verdict::Edit(texts) if texts == asked.texts => Ok(Verdict::Pass),
        verdict => Ok(verdict),
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{build, guardrails};

    #[test]
    fn an_unknown_kind_is_an_error_with_a_cure() {
        let (_, problems) =
            build("{guardrail_name: g, litellm_params: {guardrail: presido, mode: pre_call}}");
        let text = problems.to_string();
        assert!(
            text.contains("no guardrail of the kind \"presido\" is served; did you mean \"presidio\"?"),
            "{text}"
        );
        let (_, problems) =
            build("{guardrail_name: g, litellm_params: {guardrail: hide-secrets, mode: precall}}");
        assert!(
            problems.to_string().contains("no mode \"precall\"; did you mean \"pre_call\"?"),
            "{problems}"
        );
    }

    #[test]
    fn every_kind_is_built_from_what_it_needs() {
        for (kind, params) in [
            (
                "litellm_content_filter",
                "patterns: [{pattern_type: prebuilt, pattern_name: email, action: MASK}]",
            ),
            ("hide-secrets", ""),
            ("detect_prompt_injection", ""),
            ("generic_guardrail_api", "api_base: \"http://127.0.0.1:9\""),
            ("openai_moderation", "api_key: sk-fake"),
            (
                "presidio",
                "presidio_analyzer_api_base: \"http://127.0.0.1:9\", presidio_anonymizer_api_base: \"127.0.0.1:9\"",
            ),
            ("bedrock", "guardrailIdentifier: g, guardrailVersion: \"1\""),
            ("tool_permission", "rules: [{id: r, tool_name: f, decision: allow}]"),
        ] {
            let set = guardrails(&format!(
                "{{guardrail_name: g, litellm_params: {{guardrail: {kind}, mode: [pre_call, post_call], {params}}}}}"
            ));
            assert!(set.find("g").is_some(), "{kind}");
        }
        assert_eq!(super::KINDS.len(), 8, "a kind that this test does not know");
    }
}
