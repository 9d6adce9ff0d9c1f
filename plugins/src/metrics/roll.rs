//! Who counts for itself, so that whoever wants the sums finds it. Workers enter and are gone again at once, however
//! long it takes to ask all.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

pub(super) struct Roll<T> {
    /// What was entered since it was called last.
    new: Mutex<Vec<Weak<T>>>,
    all: Mutex<Vec<Weak<T>>>,
}

/// Entries at least between two looks for those that are gone.
const MANY: usize = 1_024;

impl<T> Default for Roll<T> {
    fn default() -> Self {
        Self { new: Mutex::default(), all: Mutex::default() }
    }
}

impl<T> Roll<T> {
    pub(super) fn enter(&self, one: &Arc<T>) {
        let mut new = lock(&self.new);
        if new.len() == new.capacity() {
            // Maybe nobody ever calls it: what is gone makes room.
            new.retain(|one| one.strong_count() > 0);
            let more = new.len() + MANY;
            new.reserve(more);
        }
        new.push(Arc::downgrade(one));
    }

    /// Visits all that are there, one after the other, and never from two threads at once.
    pub(super) fn call(&self, visit: impl Fn(&T)) {
        let mut all = lock(&self.all);
        let new = mem::take(&mut *lock(&self.new));
        all.extend(new);
        all.retain(|one| one.upgrade().inspect(|one| visit(one)).is_some());
    }
}

fn lock<T>(list: &Mutex<Vec<T>>) -> MutexGuard<'_, Vec<T>> {
    list.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn those_that_are_gone_take_no_room() {
        let roll = Roll::default();
        let stays = Arc::new(1);
        roll.enter(&stays);
        for _ in 0..10 * MANY {
            roll.enter(&Arc::new(2));
        }
        assert!(lock(&roll.new).len() <= 3 * MANY, "{}", lock(&roll.new).len());
        let seen = Cell::new(0);
        roll.call(|one| seen.set(seen.get() + one));
        roll.call(|one| seen.set(seen.get() + one));
        assert_eq!((seen.get(), lock(&roll.all).len()), (2, 1));
    }
}
