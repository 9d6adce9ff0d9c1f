//! Whether Redis answers. One that did not is left alone for a while, so that not every request waits for it.

use std::sync::atomic::{AtomicI64, Ordering};
use weir_core::time;

/// How long Redis is left alone after it has not answered, in microseconds.
const PAUSE: i64 = 1_000_000;

/// What the last try has shown.
#[derive(Debug, Default)]
pub(super) struct There {
    /// Before this moment nobody asks; zero while it answers.
    away_until: AtomicI64,
}

impl There {
    /// It did not answer a moment ago.
    pub(super) fn is_left_alone(&self) -> bool {
        self.away_until.load(Ordering::Acquire) > time::now().0
    }

    /// It answered at the last try.
    pub(super) fn is_there(&self) -> bool {
        self.away_until.load(Ordering::Acquire) == 0
    }

    /// Takes note of a try; answers whether that is news.
    pub(super) fn learn(&self, there: bool) -> bool {
        let until = if there { 0 } else { time::now().0.saturating_add(PAUSE) };
        let before = self.away_until.swap(until, Ordering::AcqRel);
        (before == 0) != there
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_change_is_news() {
        let there = There::default();
        assert!(there.is_there() && !there.is_left_alone());
        assert!(!there.learn(true));
        assert!(there.learn(false) && there.is_left_alone() && !there.is_there());
        assert!(!there.learn(false));
        assert!(there.learn(true) && there.is_there());
    }
}
