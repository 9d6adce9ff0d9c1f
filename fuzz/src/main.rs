//! One binary for all fuzz targets; `WEIR_FUZZ_TARGET` names the one to run, without it their names are printed.
//!
//! `targets.rs` is the table. What a target checks is in `framing.rs` (bytes to frames), `stream.rs` (frames to events and
//! on to every client, with `grammar.rs`), `relay.rs` (streams that are only watched), `answer.rs`, `request.rs`,
//! `lists.rs` (embeddings, reranking), `body.rs` and `config.rs`. `wire.rs` makes readable input AWS's binary messages,
//! `mutate.rs` changes JSON so that it stays JSON.

#![no_main]

mod answer;
mod body;
mod config;
mod crossed;
mod framing;
mod grammar;
mod lists;
mod mutate;
mod relay;
mod request;
mod stream;
mod targets;
mod wire;

use peak_alloc::PeakAlloc;
use std::sync::OnceLock;
use targets::{TARGETS, Target};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// What one input may take beside its own size: room for tables that are built once.
const FIXED: usize = 16 << 20;
/// A reader keeps what it read as values, a checker several copies of it; a byte of JSON is up to forty as a value.
const PER_BYTE: usize = 2000;

static TARGET: OnceLock<&'static Target> = OnceLock::new();

libfuzzer_sys::fuzz_target!(init: choose(), |data: &[u8]| {
    if let Some(target) = TARGET.get() {
        bounded(|| (target.run)(data), data.len());
    }
});

libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate::mutate(data, size, max_size, seed)
});

#[expect(
    clippy::disallowed_methods,
    reason = "libFuzzer owns the command line and calls this before it begins"
)]
fn choose() {
    let name = std::env::var("WEIR_FUZZ_TARGET").unwrap_or_default();
    match TARGETS.iter().find(|t| t.name == name) {
        Some(target) => drop(TARGET.set(target)),
        None => {
            TARGETS.iter().for_each(|t| println!("{}", t.name));
            std::process::exit(i32::from(!name.is_empty()));
        }
    }
}

/// In place of the system's, so that hash maps take the same ways at every run and a seeded run can be repeated.
/// `std` and `getrandom` both call it by this name.
///
/// # Safety
/// `bytes` are `size` bytes to write, as for the system's.
#[unsafe(no_mangle)]
unsafe extern "C" fn getrandom(bytes: *mut u8, size: usize, _flags: u32) -> isize {
    // SAFETY: the caller's promise.
    unsafe { bytes.write_bytes(7, size) };
    isize::try_from(size).unwrap_or(isize::MAX)
}

/// Memory follows the size of the input, whatever numbers stand in it.
fn bounded(run: impl FnOnce(), input: usize) {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    run();
    let used = MEMORY.peak_usage().saturating_sub(before);
    assert!(used <= FIXED + PER_BYTE * input, "{used} bytes of memory for {input} bytes of input");
}
