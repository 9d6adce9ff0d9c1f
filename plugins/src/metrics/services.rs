//! LiteLLM's metrics of services: what stands beside a request, and the parts of a request itself. Shown with
//! `prometheus_system`. Weir's own of the ledger are shown always.

use super::Metrics;
use super::family::Text;
use crate::exchange::Exchange;
use std::time::Duration;
use weir_core::domain::spend::Status;
use weir_core::metrics::{NONE, Name};
use weir_core::ports::meter::{Call, Meter, Service, WRITE};

/// One of LiteLLM's services, and what is shown of it.
struct Part {
    /// The value of its label.
    name: &'static str,
    latency: Name,
    calls: Name,
    failures: Name,
}

const fn part(name: &'static str, [latency, calls, failures]: [Name; 3]) -> Part {
    Part { name, latency, calls, failures }
}

static REDIS: Part = part("redis", [Name::RedisLatency, Name::RedisRequests, Name::RedisFailures]);
static LEDGER: Part =
    part("postgres", [Name::PostgresLatency, Name::PostgresRequests, Name::PostgresFailures]);
static RESETS: Part = part(
    "reset_budget_job",
    [Name::ResetBudgetLatency, Name::ResetBudgetRequests, Name::ResetBudgetFailures],
);
static WRITES: Part =
    part("batch_write_to_db", [Name::BatchWriteLatency, Name::BatchWriteRequests, Name::BatchWriteFailures]);
static WHOLE: Part = part("self", [Name::SelfLatency, Name::SelfRequests, Name::SelfFailures]);
static AUTH: Part = part("auth", [Name::AuthLatency, Name::AuthRequests, Name::AuthFailures]);
static PRE_CALL: Part =
    part("proxy_pre_call", [Name::PreCallLatency, Name::PreCallRequests, Name::PreCallFailures]);
static ROUTER: Part = part("router", [Name::RouterLatency, Name::RouterRequests, Name::RouterFailures]);

/// Class of a failure, and what was being done.
type Failed<'a> = Option<(&'a str, &'a str)>;

impl Metrics {
    fn part(&self, part: &Part, took: Duration, failed: Failed<'_>) {
        let (class, function) = failed.unwrap_or((NONE, NONE));
        let value = |label: &str| {
            Text::from(match label {
                "error_class" => class,
                "function_name" => function,
                _ => part.name,
            })
        };
        self.counter(part.calls, &value).inc();
        self.histogram(part.latency, &value).observe(took);
        if failed.is_some() {
            self.counter(part.failures, &value).inc();
        }
    }

    /// Where the time of a request went: a failure counts where it ended.
    pub(super) fn parts(&self, x: &Exchange) {
        if !self.family(Name::SelfLatency).is_shown() {
            return;
        }
        let (began, function) = (x.clock.started, x.request.operation.row().call_type);
        let class = x.answer.error.as_ref().map_or("ClientDisconnected", |error| error.class());
        let failed = (x.answer.outcome != Some(Status::Success)).then_some((class, function));
        self.part(&WHOLE, began.elapsed(), failed);
        let Some(known) = x.known_at else {
            // Copies for silent models are the operator's own: nobody asked who they are.
            if x.caller.hash().is_none() {
                self.part(&AUTH, began.elapsed(), failed);
            }
            return;
        };
        self.part(&AUTH, known.saturating_duration_since(began), None);
        let Some(asked) = x.asked_at else { return self.part(&PRE_CALL, known.elapsed(), failed) };
        self.part(&PRE_CALL, asked.saturating_duration_since(known), None);
        self.part(&ROUTER, asked.elapsed(), failed);
    }

    /// Batches of the ledger, shown whether services are or not.
    fn written(&self, call: &Call, failed: Failed<'_>) {
        if call.operation == WRITE {
            let value = |_: &str| Text::from(call.operation);
            self.histogram(Name::LedgerWrite, &value).observe(call.took);
            self.part(&WRITES, call.took, failed);
        }
    }
}

impl Meter for Metrics {
    fn took(&self, call: &Call) {
        // Admins are told of it where nobody asks for metrics, too.
        if call.service == Service::Ledger && call.error.is_some() {
            self.count(Name::LedgerFailures, call.operation);
        }
        if !self.recording() {
            return;
        }
        let failed = call.error.map(|class| (class, call.operation));
        let part = match call.service {
            Service::Redis => &REDIS,
            Service::Ledger => &LEDGER,
            Service::Resets => &RESETS,
        };
        self.part(part, call.took, failed);
        if call.service == Service::Ledger {
            self.written(call, failed);
        }
    }
}
