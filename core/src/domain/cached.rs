//! An answer that is kept to be given again.

use super::usage::{Usage, UsageSource};
use crate::time::Micros;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// A whole answer as its client got it, plain or as a stream, with what is to be booked of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CachedAnswer {
    /// When it was made.
    pub at: Micros,
    /// From when on it is no answer any more.
    pub until: Micros,
    /// Who made it, and the group it was made for.
    pub deployment_id: String,
    pub group: String,
    pub usage: Usage,
    pub usage_source: UsageSource,
    #[serde(skip)]
    pub body: Bytes,
}

impl CachedAnswer {
    /// Bytes that it takes in memory, more or less.
    pub fn size(&self) -> usize {
        size_of::<Self>() + self.body.len() + self.deployment_id.len() + self.group.len()
    }

    /// How old it is, in microseconds.
    pub fn age(&self, now: Micros) -> i64 {
        now.since(self.at)
    }

    /// Microseconds that it is still good for; none when it is over.
    pub fn left(&self, now: Micros) -> i64 {
        self.until.since(now)
    }

    /// What [`CachedAnswer::read`] reads: a line of JSON, then the body as it is. JSON says its members by name, so that
    /// versions of this program understand each other.
    pub fn written(&self) -> Bytes {
        let mut whole = serde_json::to_vec(self).unwrap_or_default();
        whole.push(b'\n');
        whole.extend_from_slice(&self.body);
        Bytes::from(whole)
    }

    /// `None`: it was written by something else.
    pub fn read(whole: &Bytes) -> Option<Self> {
        let end = memchr::memchr(b'\n', whole)?;
        let answer: Self = serde_json::from_slice(whole.get(..end)?).ok()?;
        Some(Self { body: whole.slice(end + 1..), ..answer })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let answer = CachedAnswer {
            at: Micros(5),
            until: Micros(65),
            deployment_id: String::from("a\nb"),
            group: String::from("g"),
            usage: Usage { input: 11, output: 7, ..Usage::default() },
            usage_source: UsageSource::Reported,
            body: Bytes::from_static(b"data: {}\n\n\xff"),
        };
        assert_eq!(CachedAnswer::read(&answer.written()), Some(answer.clone()));
        assert_eq!((answer.age(Micros(7)), answer.left(Micros(7)), answer.left(Micros(99))), (2, 58, 0));
        for other in ["", "{}", "{}\n", "PONG\n"] {
            assert_eq!(CachedAnswer::read(&Bytes::from_static(other.as_bytes())), None, "{other:?}");
        }
    }
}
