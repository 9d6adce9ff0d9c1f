//! `weir-bench`: `mock` and `pass` serve, `run` measures. `cli.rs` reads the command line, `serve.rs` holds the servers,
//! `tools.rs` what measures or models beside `run`.

mod cli;
mod serve;
mod tools;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use tracing_subscriber::EnvFilter;

/// The allocator that the gateway uses: the bare Pingora must not lose by another.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<ExitCode> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,weir_bench=info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .init();
    cli::main()
}
