//! `weir`: the gateway. The only crate that names Pingora, and the place where concrete types meet.
//!
//! A request's way: `proxy.rs` (Pingora's phases) → `endpoints.rs` (which operation) → `exchange.rs` (the life of an
//! exchange) → `intake.rs` (the body) → `routing/` (which deployment) → `upstream/` (sending) → `response/` (relaying).
//! `front/` checks heads before Pingora's parser sees them. `local/` answers health, models and metrics. `run.rs` puts the process together, `cli.rs` reads the command line,
//! `background/` holds what runs beside requests.

mod asked;
mod background;
mod cli;
mod control;
mod data_dir;
mod endpoints;
mod exchange;
mod front;
mod intake;
mod limits;
mod local;
mod logging;
mod proxy;
mod response;
mod routing;
mod run;
mod settings;
mod state;
mod storage;
mod upstream;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    cli::main()
}
