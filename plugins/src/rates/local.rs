//! Counters of this process.

use super::scopes::{DESCRIPTORS, RateScope};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;
use weir_core::domain::rates::{Count, Rate, Rates};
use weir_core::time::Micros;

/// One counter. What is done to it takes some nanoseconds.
#[derive(Default)]
pub struct Counter(Mutex<Count>);

/// Found by descriptor, then by id, without copying either.
#[derive(Default)]
pub(super) struct Local {
    by_descriptor: [RwLock<HashMap<Box<str>, Arc<Counter>>>; DESCRIPTORS],
}

impl Counter {
    fn count(&self) -> MutexGuard<'_, Count> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a request, unless something is full.
    pub(super) fn take(
        &self,
        limits: &Rates,
        tokens: i64,
        now: Micros,
        window: Duration,
    ) -> (Count, Option<Rate>) {
        let mut count = self.count();
        count.turn(now, window);
        let full = limits.full(&count);
        if full.is_none() {
            count.requests += 1;
            count.running += 1;
            count.tokens = count.tokens.saturating_add(tokens);
        }
        (*count, full)
    }

    /// As it was counted elsewhere. Requests under way are this process's own here.
    pub(super) fn learn(&self, shared: &Count) {
        let mut count = self.count();
        if shared.began >= count.began {
            *count = Count { running: count.running, ..*shared };
        }
    }

    /// What was used in a window that is over counts no more.
    pub(super) fn settle(&self, began: Micros, tokens: i64, undo: bool) {
        let mut count = self.count();
        count.running -= 1;
        if count.began == began {
            count.tokens = count.tokens.saturating_add(tokens);
            count.requests -= i64::from(undo);
        }
    }

    fn is_over(&self, now: Micros, window: Duration) -> bool {
        let mut count = self.count();
        count.turn(now, window);
        count.running == 0 && count.requests == 0
    }
}

impl Local {
    /// Whoever has found it keeps it, so that it stays the one that others find.
    pub(super) fn get(&self, scope: &RateScope<'_>) -> Arc<Counter> {
        Arc::clone(scope.near().get_or_init(|| self.find(scope)))
    }

    fn find(&self, scope: &RateScope<'_>) -> Arc<Counter> {
        let shelf = &self.by_descriptor[scope.descriptor as usize];
        if let Some(counter) = shelf.read().unwrap_or_else(PoisonError::into_inner).get(scope.id.as_ref()) {
            return Arc::clone(counter);
        }
        let mut shelf = shelf.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(shelf.entry(scope.id.as_ref().into()).or_default())
    }

    /// What is counted; a counter that nobody has used yet is not begun.
    pub(super) fn look(&self, scope: &RateScope<'_>, now: Micros, window: Duration) -> Count {
        let shelf = &self.by_descriptor[scope.descriptor as usize];
        let shelf = shelf.read().unwrap_or_else(PoisonError::into_inner);
        let mut count = shelf.get(scope.id.as_ref()).map(|counter| *counter.count()).unwrap_or_default();
        // Only of the copy: the window begins with a request.
        count.turn(now, window);
        count
    }

    /// Whoever has one in hand keeps it.
    pub(super) fn forget(&self, now: Micros, window: Duration) {
        for shelf in &self.by_descriptor {
            let mut shelf = shelf.write().unwrap_or_else(PoisonError::into_inner);
            shelf.retain(|_, counter| Arc::strong_count(counter) > 1 || !counter.is_over(now, window));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(60);

    fn at(seconds: i64) -> Micros {
        Micros(seconds * 1_000_000)
    }

    #[test]
    fn p18_a_window_begins_with_its_first_request_and_takes_no_more_than_the_limit() {
        let (counter, limits) = (Counter::default(), Rates { requests: Some(2), ..Rates::default() });
        let take = |seconds| counter.take(&limits, 0, at(seconds), WINDOW).1;
        assert_eq!([take(100), take(130)], [None, None]);
        assert_eq!([take(131), take(159)], [Some(Rate::Requests), Some(Rate::Requests)]);
        assert_eq!([take(160), take(161)], [None, None], "the next window");
        assert_eq!(take(162), Some(Rate::Requests));
    }

    #[test]
    fn p18_tokens_are_held_and_settled_in_their_window_only() {
        let (counter, limits) = (Counter::default(), Rates { tokens: Some(100), ..Rates::default() });
        let (first, full) = counter.take(&limits, 90, at(0), WINDOW);
        assert_eq!((first.tokens, full), (90, None));
        let (second, _) = counter.take(&limits, 90, at(1), WINDOW);
        assert_eq!(counter.take(&limits, 1, at(2), WINDOW).1, Some(Rate::Tokens), "all of it is held");
        counter.settle(first.began, 5 - 90, false);
        counter.settle(second.began, 5 - 90, false);
        assert_eq!(counter.take(&limits, 1, at(3), WINDOW).0.tokens, 11);
        let (third, _) = counter.take(&limits, 0, at(61), WINDOW);
        counter.settle(first.began, 1_000, false);
        assert_eq!(counter.count().tokens, 0, "a window that is over");
        assert_ne!(third.began, first.began);
    }

    #[test]
    fn p22_slots_are_free_again_whatever_the_window() {
        let (counter, limits) = (Counter::default(), Rates { parallel: Some(1), ..Rates::default() });
        let (first, full) = counter.take(&limits, 0, at(0), WINDOW);
        assert_eq!(full, None);
        assert_eq!(counter.take(&limits, 0, at(100), WINDOW).1, Some(Rate::Parallel), "it is still running");
        counter.settle(first.began, 0, false);
        assert_eq!(counter.take(&limits, 0, at(100), WINDOW).1, None);
    }
}
