//! `weir`: the gateway as it is. `lib.rs` is where everything is.

#[global_allocator]
static ALLOCATOR: weir_gateway::allocator::Allocator = weir_gateway::allocator::Allocator;

fn main() -> std::process::ExitCode {
    weir_gateway::Gateway::builder().main()
}
