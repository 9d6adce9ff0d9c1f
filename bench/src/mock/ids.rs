//! Ids of replies: `<prefix>-mock-<six hex digits of the process>-<counter>`.

use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Debug)]
pub(super) struct Ids {
    boot: String,
    count: AtomicU64,
}

// --- impl Ids ---

impl Default for Ids {
    fn default() -> Ids {
        let boot = rand::random::<u32>() & 0x00ff_ffff;
        Ids { boot: format!("{boot:06x}"), count: AtomicU64::new(0) }
    }
}

impl Ids {
    pub(super) fn next(&self, prefix: &str) -> String {
        let count = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        format!("{prefix}-mock-{}-{count}", self.boot)
    }
}
