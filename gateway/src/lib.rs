//! The gateway as a library: what `weir` is made of, and how a program of one's own adds to it. The only crate that
//! names Pingora, and the place where concrete types meet.
//!
//! The way of a request:
//!
//! - `front/`: connections and heads, before Pingora's parser sees them.
//! - `proxy.rs`: Pingora's phases. `endpoints.rs` says what a path asks for, `asked.rs` makes the request of it.
//! - `local/`: health, models, metrics and whatever else is answered from memory.
//! - `exchange.rs`: the life of an exchange. `limits.rs` gives it a place, `intake.rs` and `gathered.rs` read its body.
//! - `routing/`: which deployment is next. `hedge.rs` asks a second one, `mirror.rs` sends copies to silent models.
//! - `upstream/`: connections to providers. `response/`: relaying what they answer. `patience.rs` bounds how long
//!   either is silent.
//!
//! The process:
//!
//! - `run.rs`: puts everything together. `serving.rs` opens the listeners, `storage.rs` ledger, journal and Redis.
//! - `settings.rs`, `control.rs`, `prices.rs`: loading the configuration, changing it while it is served, a newer price
//!   map.
//! - `state.rs`: what all requests share. `background/` runs beside them.
//! - `handover/`, `data_dir.rs`: giving the listeners to another process, and the folder that both know.
//! - `cli.rs`, `logging.rs`, `allocator.rs`: the command line, logs, memory.

pub mod allocator;
mod asked;
mod background;
mod cli;
mod control;
mod data_dir;
mod endpoints;
mod exchange;
mod front;
mod gathered;
mod handover;
mod hedge;
mod intake;
mod limits;
mod local;
mod logging;
mod mirror;
mod patience;
mod prices;
mod proxy;
mod response;
mod routing;
mod run;
mod serving;
mod settings;
mod state;
mod storage;
mod upstream;

use std::process::ExitCode;
use weir_plugins::filters::FilterKind;

/// A gateway with everything that `weir` has, to which something may be added: see `plugins/AUTHORS.md`.
#[derive(Default)]
pub struct Gateway {
    filters: Vec<&'static FilterKind>,
}

impl Gateway {
    pub fn builder() -> Self {
        Self::default()
    }

    /// A filter behind the gateway's own, which are done with who asks, for which model, with what budget. Filters run in
    /// the order in which they are added.
    #[must_use]
    pub fn filter(mut self, kind: &'static FilterKind) -> Self {
        self.filters.push(kind);
        self
    }

    /// Reads the command line and does what it says, as `weir` does.
    pub fn main(self) -> ExitCode {
        cli::main(&self.filters)
    }
}
