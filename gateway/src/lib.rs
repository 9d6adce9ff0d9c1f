//! The gateway as a library: what `weir` is made of, and how a program of one's own adds to it. The only crate that names
//! Pingora, and the place where concrete types meet.
//!
//! A request's way: `proxy.rs` (Pingora's phases) → `endpoints.rs` (which operation) → `exchange.rs` (the life of an
//! exchange) → `intake.rs` (the body) → `routing/` (which deployment) → `upstream/` (sending) → `response/` (relaying).
//! `mirror.rs` sends copies to silent models. `front/` checks heads before Pingora's parser sees them. `local/` answers health, models and metrics. `run.rs` puts the process together, `serving.rs` opens its listeners, `cli.rs` reads the command line,
//! `background/` holds what runs beside requests; `handover/` gives the listeners to another process.

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
