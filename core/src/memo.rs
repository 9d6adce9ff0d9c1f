//! A value that is worked out once from what stands beside it.

use std::any::Any;
use std::sync::{Arc, OnceLock};

/// Filled at the first look. A copy begins empty, since what it was worked out from may be changed in a copy; and it makes
/// no difference to equality.
#[derive(Debug)]
pub struct Memo<T>(OnceLock<T>);

impl<T> Memo<T> {
    pub fn get(&self, work_out: impl FnOnce() -> T) -> &T {
        self.0.get_or_init(work_out)
    }
}

impl<T> Default for Memo<T> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}

impl<T> Clone for Memo<T> {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl<T> PartialEq for Memo<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// Room beside a value for what another crate works out of it, and knows the type of. A copy begins empty, as that of a
/// [`Memo`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Kept(Memo<Arc<dyn Any + Send + Sync>>);

impl Kept {
    /// What is kept, which begins as the default. There is one type in a room: whoever comes with another one is given its
    /// default each time.
    pub fn get<T: Any + Default + Send + Sync>(&self) -> Arc<T> {
        Arc::clone(self.room::<T>()).downcast().unwrap_or_default()
    }

    /// The same, to look at where it is; nothing for whoever comes with another type.
    pub fn at_hand<T: Any + Default + Send + Sync>(&self) -> Option<&T> {
        (**self.room::<T>()).downcast_ref()
    }

    fn room<T: Any + Default + Send + Sync>(&self) -> &Arc<dyn Any + Send + Sync> {
        self.0.get(|| -> Arc<dyn Any + Send + Sync> { Arc::new(T::default()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU8, Ordering};

    #[test]
    fn what_is_kept_is_found_again_but_not_in_a_copy() {
        let kept = Kept::default();
        kept.get::<AtomicU8>().store(7, Ordering::Relaxed);
        assert_eq!(kept.get::<AtomicU8>().load(Ordering::Relaxed), 7);
        assert_eq!(kept.clone().get::<AtomicU8>().load(Ordering::Relaxed), 0);
        assert_eq!(*kept.get::<u16>(), 0, "another type");
        assert_eq!(kept.at_hand::<AtomicU8>().map(|kept| kept.load(Ordering::Relaxed)), Some(7));
        assert_eq!(kept.at_hand::<u16>(), None, "another type");
    }

    #[test]
    fn a_copy_is_worked_out_anew() {
        let memo = Memo::default();
        assert_eq!((*memo.get(|| 1), *memo.get(|| 2)), (1, 1));
        assert_eq!(*memo.clone().get(|| 3), 3);
    }
}
