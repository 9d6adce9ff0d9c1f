//! Slows down whoever guesses passwords: so many attempts per account and per address in a while. Counted in this
//! process, in bounded memory.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use weir_core::error::{ApiError, Kind};

/// Attempts in one while.
pub(super) const OF_ACCOUNT: u32 = 10;
pub(super) const OF_ADDRESS: u32 = 50;
const WHILE: Duration = Duration::from_secs(300);

/// Names that are remembered. Beyond them those whose while is over are forgotten, then the others.
const NAMES: usize = 10_000;
/// Of a name as it was typed.
const LONGEST: usize = 200;

#[derive(Default)]
pub(crate) struct Throttle {
    counted: Mutex<HashMap<String, Count>>,
}

#[derive(Clone, Copy)]
struct Count {
    attempts: u32,
    since: Instant,
}

impl Throttle {
    /// Counts an attempt before it is looked at, so that many at once are no way around.
    ///
    /// # Errors
    /// 429, with the time to wait.
    pub(super) fn attempt(&self, kind: &str, name: &str, most: u32) -> Result<(), ApiError> {
        self.attempt_at(kind, name, most, Instant::now())
    }

    fn attempt_at(&self, kind: &str, name: &str, most: u32, now: Instant) -> Result<(), ApiError> {
        let mut counted = self.counted();
        make_room(&mut counted, now);
        let count = counted.entry(key(kind, name)).or_insert(Count { attempts: 0, since: now });
        if now.duration_since(count.since) >= WHILE {
            *count = Count { attempts: 0, since: now };
        }
        count.attempts = count.attempts.saturating_add(1);
        if count.attempts <= most {
            return Ok(());
        }
        let wait = WHILE.saturating_sub(now.duration_since(count.since));
        Err(ApiError::new(Kind::RateLimited, "Too many attempts to sign in. Try again later.")
            .with_retry_after(wait))
    }

    /// Whoever knows the password did not guess.
    pub(super) fn forget(&self, kind: &str, name: &str) {
        self.counted().remove(&key(kind, name));
    }

    fn counted(&self) -> MutexGuard<'_, HashMap<String, Count>> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(kind: &str, name: &str) -> String {
    let name: String = name.trim().to_lowercase().chars().take(LONGEST).collect();
    format!("{kind} {name}")
}

fn make_room(counted: &mut HashMap<String, Count>, now: Instant) {
    if counted.len() < NAMES {
        return;
    }
    counted.retain(|_, count| now.duration_since(count.since) < WHILE);
    // A flood of names: addresses still count, for there are fewer of them than of names.
    if counted.len() >= NAMES {
        counted.retain(|key, _| key.starts_with("address "));
    }
    if counted.len() >= NAMES {
        counted.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_guesses_waits_and_others_do_not() {
        let throttle = Throttle::default();
        let (now, later) = (Instant::now(), Instant::now() + WHILE + Duration::from_secs(1));
        let tries = |name: &str, at| throttle.attempt_at("account", name, 3, at).is_ok();
        assert_eq!([tries("Alice", now), tries("alice ", now), tries("ALICE", now)], [true; 3]);
        assert!(!tries("alice", now) && tries("bob", now));
        assert!(tries("alice", later), "the while is over");
    }

    #[test]
    fn a_password_that_is_right_ends_the_counting() {
        let throttle = Throttle::default();
        for _ in 0..50 {
            assert!(throttle.attempt("account", "alice", 3).is_ok());
            throttle.forget("account", "alice");
        }
    }

    #[test]
    fn memory_is_bounded() {
        let throttle = Throttle::default();
        let now = Instant::now();
        for number in 0..NAMES * 3 {
            let _counted = throttle.attempt_at("account", &number.to_string(), 3, now);
        }
        assert!(throttle.counted().len() <= NAMES);
    }
}
