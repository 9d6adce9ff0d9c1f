//! What happens to a request between the socket and the provider, without a socket.
//!
//! Start at `exchange.rs` (everything known about one request), `plugin.rs` (when a filter is asked) and
//! `chain.rs` (in which order). Then any one file in `filters/`. `deployment.rs` is one way to serve a model,
//! built from a config entry by one of `providers/` (who) and spoken to in one of `dialects/` (how).
//! `auth/` is where credentials come from that are more than a key.
//! `strangers.rs` bounds how often callers may come whom nobody knows. `customer.rs` is whom a request names beside its key,
//! `own.rs` what it may bring along of its own.
//! `identity/` recognises callers by tokens of an identity provider.
//! `responses/` is what becomes of a response after it was answered, `seal.rs` keeps secrets of it.
//! `budgets/` and `rates/` are what requests are held to and counted by, `policy.rs` what is kept of that for a key.
//! `tokens/` counts tokens where no provider does; `utils/` is what the utility routes answer.
//! `cache/` is what becomes of answers that are kept to be given again.
//! `pass/` is what is passed through as it came, `realtime/` sessions over a WebSocket.
//! `outgoing.rs` makes the request of one attempt, `costed.rs` tells what a stream cost. `load.rs` is what is going on at each
//! deployment, `prefix.rs` what of a prompt its provider may have cached, `fallbacks.rs` what a
//! request says of other models. `models.rs` finds deployments by name; `snapshot.rs` is all of that for one state of the
//! configuration.
//! `metrics/` counts what happens, `alerts/` tells people of it, `callbacks/` tells programs of exchanges that are over,
//! `trace.rs` is the trace that a request belongs to.
//! `guardrails/` checks what is said, `watch.rs` is how an answer is looked at while it passes.
//! `inferred.rs` adds models that only the environment has keys for.
//! `measure.rs` counts what is paid by the piece, `recording.rs` how long a recording is.
//! `near.rs` is how a worker keeps things at hand, `listed.rs` reads lists that stand in files of their own.

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
pub mod tokens;
pub mod trace;
pub mod utils;
pub mod watch;

mod listed;
mod near;

#[cfg(test)]
mod testing;
