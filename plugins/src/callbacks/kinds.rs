//! The table of callbacks.

use super::sinks::{Door, Sink, datadog, dynamodb, gcs, generic, langfuse, otel, s3, sqs};
use crate::auth::address;
use http::Uri;
use std::time::Duration;
use weir_core::SecretString;
use weir_core::config::env::Env;
use weir_core::config::problems::{Place, Problems, did_you_mean};
use weir_core::config::section::Section;

/// One kind of callback.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) build: fn(&Build<'_>, &mut Problems) -> Option<Made>,
    pub(super) batch: Batch,
    /// A key or a team may have one with credentials of its own.
    pub(super) own: bool,
}

pub(super) struct Made {
    pub(super) sink: Box<dyn Sink>,
    pub(super) door: Door,
}

/// How many are told at once, and how long the first of them waits for others.
#[derive(Clone, Copy, Debug)]
pub(super) struct Batch {
    pub(super) most: usize,
    pub(super) wait: Duration,
    /// LiteLLM's variables for both.
    variables: [&'static str; 2],
}

/// What a callback is made of.
pub(super) struct Build<'a> {
    pub(super) params: &'a Section,
    pub(super) env: &'a Env,
    /// It belongs to a key or a team: the gateway's own credentials are not for it.
    pub(super) own: bool,
    /// Who names it, for messages.
    pub(super) at: Place,
}

const USUAL: Batch = Batch {
    most: 512,
    wait: Duration::from_secs(5),
    variables: ["DEFAULT_BATCH_SIZE", "DEFAULT_FLUSH_INTERVAL_SECONDS"],
};
const S3: Batch = Batch {
    wait: Duration::from_secs(10),
    variables: ["DEFAULT_S3_BATCH_SIZE", "DEFAULT_S3_FLUSH_INTERVAL_SECONDS"],
    ..USUAL
};
const SQS: Batch = Batch {
    wait: Duration::from_secs(10),
    variables: ["DEFAULT_SQS_BATCH_SIZE", "DEFAULT_SQS_FLUSH_INTERVAL_SECONDS"],
    ..USUAL
};

type Builder = fn(&Build<'_>, &mut Problems) -> Option<Made>;

const fn row(name: &'static str, build: Builder) -> Row {
    Row { name, build, batch: USUAL, own: false }
}

pub(super) static KINDS: &[Row] = &[
    row(GENERIC, generic::build),
    row("custom_callback", generic::build),
    Row { own: true, ..row("langfuse", langfuse::build) },
    Row { own: true, ..row("langfuse_otel", otel::build_langfuse) },
    row("otel", otel::build),
    row("datadog", datadog::build),
    Row { batch: S3, ..row("s3", s3::build) },
    Row { batch: S3, ..row("s3_v2", s3::build) },
    row("dynamodb", dynamodb::build),
    Row { batch: SQS, ..row("sqs", sqs::build) },
    row("gcs_bucket", gcs::build),
];

/// What `callback_type` may say of a callback with a name of its own.
const GENERIC: &str = "generic_api";

/// LiteLLM's others, which nobody here tells.
const OTHERS: &str = "
    agentops anthropic_cache_control_hook arize arize_phoenix argilla athena azure_sentinel azure_storage bitbucket
    braintrust cloudzero compression_interception datadog_cost_management datadog_llm_observability deepeval
    dotprompt email email_alerting focus galileo
    gcs_pubsub gitlab greenscale helicone humanloop lago langfuse_prompt_management langsmith langtrace levo litedebugger
    literalai llmonitor logfire lunary max_budget_limiter mlflow openmeter opik pagerduty posthog promptlayer resend_email
    sendgrid_email sentry smtp_email supabase traceloop vector_store_pre_call_hook wandb weave weave_otel";

/// The row of a name, or why there is none.
pub(super) fn find(
    name: &str,
    params: &Section,
    at: &Place,
    problems: &mut Problems,
) -> Option<&'static Row> {
    let named = |wanted: &str| KINDS.iter().find(|row| row.name == wanted);
    let kind = params.text("callback_type");
    if let Some(row) = named(name).or_else(|| kind.as_deref().and_then(named)) {
        return Some(row);
    }
    if OTHERS.split_ascii_whitespace().any(|other| other == name) {
        problems.warn(at, format!("{name} is a callback of LiteLLM's that is not supported yet"), INSTEAD);
        return None;
    }
    let message = match name.contains('.') {
        true => format!("{name:?} is Python, which is not loaded"),
        false => format!("no callback is called {name:?}"),
    };
    let near = did_you_mean(name, KINDS.iter().map(|row| row.name));
    problems.warn(at, message, if near.is_empty() { INSTEAD.to_owned() } else { near });
    None
}

const INSTEAD: &str = "generic_api posts to any address";

// --- Batch ---

impl Batch {
    /// Shorter than this a batch would be none, longer nobody waits.
    const SHORTEST: f64 = 0.01;
    const LONGEST: f64 = 3_600.0;

    /// As LiteLLM's variables have it.
    pub(super) fn with(self, env: &Env) -> Self {
        let [most, wait] = self.variables.map(|name| env.filled(name));
        let seconds = wait.and_then(|text| text.parse::<f64>().ok()).filter(|seconds| seconds.is_finite());
        Self {
            most: most.and_then(|text| text.parse().ok()).unwrap_or(self.most).clamp(1, 10_000),
            wait: seconds.map_or(self.wait, |seconds| {
                Duration::from_secs_f64(seconds.clamp(Self::SHORTEST, Self::LONGEST))
            }),
            ..self
        }
    }
}

// --- Build ---

impl Build<'_> {
    /// A text of the settings, else of the environment. Empty ones are none.
    pub(super) fn text(&self, name: &str, variables: &[&str]) -> Option<String> {
        let said = self.params.text(name).filter(|text| !text.is_empty());
        said.or_else(|| variables.iter().find_map(|name| self.env.filled(name)).map(str::to_owned))
    }

    /// The same of a secret. What somebody else may send where they like is not the environment's.
    pub(super) fn secret(&self, name: &str, variables: &[&str]) -> Option<SecretString> {
        let variables: &[&str] = if self.own { &[] } else { variables };
        self.params
            .secret(name)
            .or_else(|| variables.iter().find_map(|name| self.env.filled(name)).map(SecretString::from))
    }

    /// Something is not set without which nobody can be told.
    pub(super) fn lacks(&self, what: &str, cure: &str, problems: &mut Problems) {
        problems.warn(&self.at, format!("nobody is told: {what} is not set"), cure);
    }

    /// An address. What is none is said without being quoted: it may hold a secret.
    pub(super) fn url(&self, setting: &str, text: &str, problems: &mut Problems) -> Option<Uri> {
        let uri = address(text);
        if uri.is_none() {
            let message = format!("nobody is told: {setting} is no http or https address");
            problems.warn(&self.at, message, "write it like https://host/path");
        }
        uri
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_one_row_and_is_no_other() {
        for (at, row) in KINDS.iter().enumerate() {
            assert_eq!(KINDS.iter().position(|other| other.name == row.name), Some(at), "{}", row.name);
            assert!(OTHERS.split_ascii_whitespace().all(|other| other != row.name), "{}", row.name);
        }
    }

    #[test]
    fn litellms_variables_say_how_much_is_sent_at_once() {
        let env = Env::of([("DEFAULT_BATCH_SIZE", "7"), ("DEFAULT_FLUSH_INTERVAL_SECONDS", "0.5")]);
        let batch = USUAL.with(&env);
        assert_eq!((batch.most, batch.wait), (7, Duration::from_millis(500)));
        let odd = Env::of([("DEFAULT_BATCH_SIZE", "0"), ("DEFAULT_FLUSH_INTERVAL_SECONDS", "nan")]);
        assert_eq!((USUAL.with(&odd).most, USUAL.with(&odd).wait), (1, Duration::from_secs(5)));
    }
}
