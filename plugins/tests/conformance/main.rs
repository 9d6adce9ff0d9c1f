//! Every client API over every provider: recorded answers and requests of all chat dialects, told in all others.
//!
//! `recordings.rs` says what is recorded, `drive.rs` pushes it through readers and writers. `facts.rs` is what must
//! survive, `limits.rs` what a client's dialect has no word for, and why. `answers.rs` crosses answers with the
//! clients' dialects, checked by `schema/`; `requests.rs` crosses requests with the providers' dialects, read back by
//! `talk.rs`. `table.rs` is the outcome as kept in `CONFORMANCE.md`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test may fail loudly and look at the environment"
)]

mod answers;
mod drive;
mod facts;
mod limits;
mod recordings;
mod requests;
mod schema;
mod table;
mod talk;

use recordings::Recorded;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use table::Outcome;

/// Recordings of chats that the dialects are known to have; fewer means that something is no longer found.
const AT_LEAST: usize = 200;

#[test]
fn p20_p25_every_client_api_keeps_what_every_provider_says() {
    let Some(all) = recordings::all() else { return };
    assert!(all.len() >= AT_LEAST, "only {} recordings of chats", all.len());
    let outcomes = walk(&all);
    let failures: Vec<&str> = outcomes.iter().filter_map(|o| o.failure.as_deref()).collect();
    assert!(failures.is_empty(), "{} fail:\n{}", failures.len(), failures.join("\n"));
    table::keep(&table::render(&outcomes));
}

/// All recordings, on as many threads as there are processors: a debug build is slow.
fn walk(all: &[Recorded]) -> Vec<Outcome> {
    let (next, outcomes) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(recorded) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let mut found = answers::cross(recorded);
                    found.extend(requests::cross(recorded));
                    outcomes.lock().unwrap().append(&mut found);
                }
            });
        }
    });
    let mut outcomes = outcomes.into_inner().unwrap();
    outcomes.sort_by(|a, b| a.key().cmp(&b.key()));
    outcomes
}
