//! `weir`: the gateway as it is. `lib.rs` is where everything is.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    weir_gateway::Gateway::builder().main()
}
