//! What happens to a request between the socket and the provider, without a socket.
//!
//! Start at `exchange.rs` (everything known about one request), `plugin.rs` (when a filter is asked) and `chain.rs` (in
//! which order). Then read any one file in `filters/`. `services.rs` is what filters may use of the rest of the
//! process.
//!
//! Who is asked, and how:
//!
//! - `snapshot.rs`: one state of the configuration, ready to serve.
//! - `models.rs`: finds deployments by the name that a client asks for. `inferred.rs` adds those that only the
//!   environment has keys for.
//! - `deployment.rs`: one way to serve a model, built from its entry in the config by one of `providers/` (who is
//!   asked) and spoken to in one of `dialects/` (how).
//! - `outgoing.rs`: the request of one attempt. `auth/` signs it where a key in a header is not enough.
//! - `mock.rs`: a deployment that answers by itself.
//! - `pass/`, `realtime/`: a provider's own API, passed through as it is, and sessions over a WebSocket.
//!
//! What a request may do, and what it says:
//!
//! - `budgets/`, `rates/`: what it is held to and counted by. `policy.rs` keeps both for a key.
//! - `identity/`: callers with a token of an identity provider. `strangers.rs` bounds floods of unknown callers.
//! - `customer.rs`, `listed.rs`, `own.rs`, `fallbacks.rs`: the customer it names, lists of what is refused, the
//!   credentials of its own, the fallbacks it asks for.
//! - `guardrails/`: checks what is said. `watch.rs` is how an answer is checked on its way to the client.
//! - `cache/`: answers that are given again. `prefix.rs` is what the provider itself may have cached of a prompt.
//! - `responses/`: the state of the Responses API. `seal.rs` encrypts what is handed out or stored of it.
//!
//! What is known about it afterwards:
//!
//! - `tokens/`, `count.rs`, `measure.rs`: tokens, counted where no provider does, and what is paid by the piece.
//! - `recording.rs`: how long a recording is, which is what its transcription costs.
//! - `tier.rs`: the service tier that is asked for, and paid where no answer says another.
//! - `costed.rs`: the cost, told inside a stream.
//! - `load.rs`: calls in progress at each deployment, and how fast the last ones were.
//! - `metrics/`, `alerts/`, `callbacks/`: for Prometheus, for people, for other programs. `said.rs` makes prompts and
//!   answers readable for them, `trace.rs` names the trace.
//! - `utils/`: what the utility routes answer.
//!
//! `near.rs` is a worker's own small cache.

pub mod alerts;
pub mod auth;
pub mod budgets;
pub mod cache;
pub mod callbacks;
pub mod chain;
pub mod costed;
pub mod count;
pub mod customer;
pub mod deployment;
pub mod dialects;
pub mod exchange;
pub mod fallbacks;
pub mod filters;
pub mod guardrails;
pub mod identity;
mod inferred;
pub mod load;
pub mod measure;
pub mod metrics;
pub mod mock;
pub mod models;
pub mod outgoing;
pub mod own;
pub mod pass;
pub mod plugin;
mod policy;
pub mod prefix;
pub mod providers;
pub mod rates;
pub mod realtime;
mod recording;
pub mod responses;
pub mod said;
pub mod seal;
pub mod services;
pub mod snapshot;
pub mod strangers;
pub mod tier;
pub mod tokens;
pub mod trace;
pub mod utils;
pub mod watch;

mod listed;
mod near;

#[cfg(test)]
mod testing;
