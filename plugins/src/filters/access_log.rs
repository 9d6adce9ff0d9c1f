//! A line in the log for each request, when it is over: for collectors as JSON, for people as text. It says who asked for
//! what and what came of it, never what was said.

use super::FilterKind;
use crate::exchange::Exchange;
use crate::plugin::{Phase, Plugin};
use crate::trace::Trace;
use std::sync::Arc;
use std::time::Duration;
use weir_core::config::Config;

pub static KIND: FilterKind =
    FilterKind { name: "access_log", phases: &[Phase::Finish], build: |_| Arc::new(AccessLog) };

/// The target of these lines. They are written by a thread of their own, and dropped where it cannot follow.
pub const ACCESS: &str = "weir::access";

struct AccessLog;

impl Plugin for AccessLog {
    fn on_finish(&self, x: &mut Exchange) {
        if wanted(&x.snapshot.config) {
            line(x);
        }
    }
}

/// Whether there is a line for each request.
pub fn wanted(config: &Config) -> bool {
    config.weir.access_log.unwrap_or(config.litellm.json_logs)
}

fn line(x: &Exchange) {
    let (key, known, answer) = (x.caller.key(), x.caller.principal(), &x.answer);
    let deployment = answer.deployment.as_deref();
    let first = answer.first_token_at.map(|at| at.since(x.clock.started_at) as f64 / 1e3);
    let cost = answer.cost.to_string();
    tracing::info!(
        target: ACCESS,
        request_id = clipped(&x.request.call_id),
        trace_id = Trace::of(x).id,
        route = x.request.operation.row().route,
        status = answer.status,
        outcome = answer.outcome.map(|outcome| outcome.as_str()),
        error = answer.error.as_ref().map(|error| error.class()),
        key_alias = key.and_then(|key| key.alias.as_deref()),
        team = key.and_then(|key| key.team_id.as_deref()),
        team_alias = known.and_then(|known| known.team.as_ref()?.alias.as_deref()),
        user = x.caller.user_id(),
        model = clipped(&x.target.requested),
        model_group = deployment.map(|deployment| deployment.group.as_str()),
        deployment = deployment.map(|deployment| deployment.id.as_str()),
        provider = deployment.map(|deployment| deployment.provider.prefix),
        attempts = x.attempts.len(),
        stream = x.request.stream,
        cache_hit = answer.cache_hit,
        duration_ms = millis(x.clock.started.elapsed()),
        provider_ms = millis(answer.provider_time),
        queue_ms = millis(x.waited()),
        first_token_ms = first,
        input_tokens = answer.usage.input,
        output_tokens = answer.usage.output,
        cost,
        "request"
    );
}

fn millis(time: Duration) -> f64 {
    time.as_micros() as f64 / 1e3
}

/// Names are the client's, and may be megabytes long.
fn clipped(text: &str) -> &str {
    &text[..text.floor_char_boundary(256)]
}
