//! Answers with one recorded interaction, whatever is asked.

mod recording;
#[cfg(test)]
mod tests;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;

use super::reply::{End, Reply, Step};
use super::seen::{Seen, Upstream};
pub use recording::{RecordedBody, RecordedRequest, RecordedResponse, Recording, Recordings};

/// The provider.
pub struct Replay {
    response: Mutex<RecordedResponse>,
    slice: usize,
    pace: Duration,
}

// --- impl Replay ---

impl Replay {
    /// A recorded stream is sent in one write.
    pub fn new(recording: &Recording) -> Replay {
        Replay { response: Mutex::new(recording.response.clone()), slice: 0, pace: Duration::ZERO }
    }

    /// Sends what was recorded as a stream in slices of `size` bytes, each one write; a slice may end inside
    /// a line, an event or a character. 0 means one slice. JSON bodies are sent whole.
    #[must_use]
    pub fn slices(mut self, size: usize) -> Replay {
        self.slice = size;
        self
    }

    /// Waits so long before each slice but the first.
    #[must_use]
    pub fn paced(mut self, pace: Duration) -> Replay {
        self.pace = pace;
        self
    }

    /// From the next request on, this recording is the answer. With an `Arc<Replay>` as its upstream, one
    /// server plays many recordings in turn.
    pub fn play(&self, recording: &Recording) {
        *self.response.lock().unwrap_or_else(PoisonError::into_inner) = recording.response.clone();
    }

    fn reply(&self, response: RecordedResponse) -> Reply {
        let RecordedResponse { status, headers, body } = response;
        let delay = Duration::ZERO;
        if !body.is_stream() {
            return Reply::Full { status, headers, body: body.bytes(), delay };
        }
        Reply::Stream { status, headers, steps: self.steps(&body.bytes()), end: End::Clean, delay }
    }

    fn steps(&self, body: &Bytes) -> Vec<Step> {
        let size = if self.slice == 0 { body.len().max(1) } else { self.slice };
        let starts = (0..body.len()).step_by(size);
        starts.map(|at| self.step(at, body.slice(at..body.len().min(at + size)))).collect()
    }

    fn step(&self, at: usize, slice: Bytes) -> Step {
        Step::after(if at == 0 { Duration::ZERO } else { self.pace }, slice)
    }
}

impl Upstream for Replay {
    fn answer(&self, _seen: &Seen) -> Reply {
        let response = self.response.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.reply(response)
    }
}
