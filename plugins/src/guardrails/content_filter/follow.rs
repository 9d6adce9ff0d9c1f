//! A text that comes in pieces, masked as if it had come whole.

use super::super::check::{Blocked, Follow};
use super::filter::Filter;
use std::sync::Arc;

pub(super) struct Following {
    filter: Arc<Filter>,
    /// What may not go on yet, behind a character of what has: patterns look at that, too.
    held: String,
    /// Up to here it has gone on, masked.
    gone: usize,
    /// Up to here nothing begins that is refused. May be before `gone`, where a masked match was longer, and behind, where
    /// an exception was.
    passed: usize,
}

impl Following {
    pub(super) fn new(filter: Arc<Filter>) -> Self {
        Self { filter, held: String::new(), gone: 0, passed: 0 }
    }

    fn go_on(&mut self, until: usize) -> Result<String, Blocked> {
        let mut out = String::new();
        if self.passed < until {
            self.passed = self.filter.refuse(&self.held, self.passed, until)?;
        }
        if self.gone < until {
            self.gone = self.filter.replace(&self.held, self.gone, until, &mut out);
        }
        Ok(out)
    }

    /// Forgets what is not needed any more.
    fn forget(&mut self) {
        let done = self.gone.min(self.passed);
        let before = self.held[..done].char_indices().next_back().map_or(0, |(at, _)| at);
        self.held.drain(..before);
        self.gone -= before;
        self.passed -= before;
    }
}

impl Follow for Following {
    fn take(&mut self, text: &str) -> Result<String, Blocked> {
        self.held.push_str(text);
        let out = self.go_on(self.filter.settled(&self.held))?;
        self.forget();
        Ok(out)
    }

    fn rest(&mut self) -> Result<String, Blocked> {
        self.go_on(self.held.len())
    }
}
