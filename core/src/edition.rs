//! Which copy of a value it is, for those who keep what they found for it and must not keep the value alive.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that nothing else of this process has: an address may be given to the next value, this is not. A copy is another
/// edition, and it makes no difference to equality.
#[derive(Debug)]
pub struct Edition(u64);

static NEXT: AtomicU64 = AtomicU64::new(0);

impl Edition {
    pub fn number(&self) -> u64 {
        self.0
    }
}

impl Default for Edition {
    fn default() -> Self {
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

impl Clone for Edition {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Edition {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_equal_and_yet_another_edition() {
        let first = Edition::default();
        let copy = first.clone();
        assert_eq!(first, copy);
        assert_ne!(first.number(), copy.number());
    }
}
