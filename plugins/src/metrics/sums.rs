//! Numbers that one worker alone adds to. An addition is no more than that: no other processor is asked for anything, and
//! none waits. Now and then somebody else asks what is new, and adds it to the series that all share.

use std::sync::atomic::{AtomicU64, Ordering};

/// Those that belong together, side by side in cache lines of their own.
#[repr(align(64))]
pub(super) struct Sums<const N: usize> {
    counted: [AtomicU64; N],
    /// What of them was told.
    told: [AtomicU64; N],
}

impl<const N: usize> Default for Sums<N> {
    fn default() -> Self {
        Self { counted: [const { AtomicU64::new(0) }; N], told: [const { AtomicU64::new(0) }; N] }
    }
}

impl<const N: usize> Sums<N> {
    /// For the worker whose they are, and nobody else: two that add at once would lose something.
    pub(super) fn add(&self, at: usize, more: u64) {
        if let Some(number) = self.counted.get(at) {
            number.store(number.load(Ordering::Relaxed).wrapping_add(more), Ordering::Relaxed);
        }
    }

    /// Tells by how much each has grown since this was asked last. Never asked by two at once.
    pub(super) fn tell(&self, mut hear: impl FnMut(usize, u64)) {
        for (at, (counted, told)) in self.counted.iter().zip(&self.told).enumerate() {
            let now = counted.load(Ordering::Relaxed);
            let more = now.wrapping_sub(told.load(Ordering::Relaxed));
            if more > 0 {
                told.store(now, Ordering::Relaxed);
                hear(at, more);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_is_not_told_again() {
        let sums = Sums::<3>::default();
        let news = || {
            let mut news = Vec::new();
            sums.tell(|at, more| news.push((at, more)));
            news
        };
        sums.add(0, 2);
        sums.add(2, 5);
        sums.add(2, 1);
        sums.add(3, 1);
        assert_eq!(news(), [(0, 2), (2, 6)]);
        assert!(news().is_empty());
        sums.add(0, 7);
        assert_eq!(news(), [(0, 7)]);
    }
}
