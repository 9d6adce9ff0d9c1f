//! Waiting for what does not happen for a while.

use std::pin::Pin;
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};

/// One timer for many waits: what happens moves no timer, which looks at the clock when it fires.
#[derive(Default)]
pub struct Patience {
    /// When it happened last, or was first waited for.
    last: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Patience {
    /// It has happened.
    pub fn renew(&mut self) {
        self.last = Some(Instant::now());
    }

    /// Resolves when it has not happened for so long. Cancel safe.
    pub async fn lost(&mut self, after: Duration) {
        loop {
            let due = *self.last.get_or_insert_with(Instant::now) + after;
            let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(due)));
            if timer.is_elapsed() {
                timer.as_mut().reset(due);
            }
            timer.as_mut().await;
            if due <= Instant::now() {
                return;
            }
        }
    }
}
