//! What a bench case can vary.

use std::time::Duration;

pub(super) const NAMES: &[&str] = &["chunks", "pace_us", "delay_us", "bytes", "fail"];
const MAX_CHUNKS: usize = 10_000;
const MAX_REPLY_BYTES: usize = 16 << 20;
const MAX_WAIT: Duration = Duration::from_secs(3600);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Chunks of one stream, without the usage chunk and `[DONE]`; pieces of text where a stream has other frames beside
    /// them. At least 1.
    pub chunks: usize,
    /// Pause before each event of a stream but the first; zero sends the whole stream in one write.
    pub pace: Duration,
    /// Wait before the first byte of any reply.
    pub delay: Duration,
    /// Bytes of a plain reply, except embeddings. Below the size of its frame (some 400) the frame is sent, without text.
    pub reply_bytes: usize,
    /// Requests out of a thousand that get a status 500.
    pub fail_per_mille: u32,
}

// --- impl Options ---

impl Default for Options {
    fn default() -> Options {
        Options {
            chunks: 64,
            pace: Duration::ZERO,
            delay: Duration::ZERO,
            reply_bytes: 600,
            fail_per_mille: 0,
        }
    }
}

impl Options {
    /// These options with `name=number` pairs put in their place; none when a pair is not understood.
    ///
    /// Pairs stand between commas or ampersands: `chunks`, `pace_us`, `delay_us`, `bytes`, `fail` (of 1000).
    pub fn with(&self, pairs: &str) -> Option<Options> {
        let mut options = self.clone();
        for pair in pairs.split([',', '&']) {
            let (name, value) = pair.split_once('=')?;
            options.set(name, value.parse().ok()?)?;
        }
        Some(options)
    }

    fn set(&mut self, name: &str, value: u32) -> Option<()> {
        match name {
            "chunks" => self.chunks = value as usize,
            "pace_us" => self.pace = Duration::from_micros(value.into()),
            "delay_us" => self.delay = Duration::from_micros(value.into()),
            "bytes" => self.reply_bytes = value as usize,
            "fail" => self.fail_per_mille = value,
            _ => return None,
        }
        Some(())
    }

    pub(super) fn bounded(&self) -> Options {
        Options {
            chunks: self.chunks.clamp(1, MAX_CHUNKS),
            pace: self.pace.min(MAX_WAIT),
            delay: self.delay.min(MAX_WAIT),
            reply_bytes: self.reply_bytes.min(MAX_REPLY_BYTES),
            fail_per_mille: self.fail_per_mille.min(1000),
        }
    }
}

/// The pairs in a path: its query when that begins with an option, else its first segment when that holds an
/// equals sign. Any other query (`api-version=…`) is no business of this mock.
pub(super) fn overrides(path: &str) -> Option<&str> {
    let (route, query) = path.split_once('?').unwrap_or((path, ""));
    let name = query.split_once('=').map_or("", |(name, _)| name);
    if NAMES.contains(&name) {
        return Some(query);
    }
    let first = route.trim_start_matches('/').split('/').next()?;
    first.contains('=').then_some(first)
}
