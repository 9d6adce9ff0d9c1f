//! The one clock. Everything that is stored is microseconds since the Unix epoch, UTC.

use serde::{Deserialize, Serialize};

/// Microseconds since the Unix epoch. Fits SQL `BIGINT`; good until the year 294,000.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Micros(pub i64);

/// Wall time now. The only place that reads the system clock.
#[expect(clippy::disallowed_methods, reason = "this is the clock that everyone else is told to use")]
pub fn now() -> Micros {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// Of a day that has no leap second, as Unix time has none.
pub const MICROS_PER_DAY: i64 = 86_400_000_000;

impl Micros {
    /// The day since 1970, UTC.
    pub fn day(self) -> i64 {
        self.0.div_euclid(MICROS_PER_DAY)
    }

    /// Midnight UTC at which a day begins.
    pub fn of_day(day: i64) -> Self {
        Self(day.saturating_mul(MICROS_PER_DAY))
    }

    /// Whole seconds, rounded down.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// RFC 3339 with microseconds and `Z`, the form of LiteLLM's timestamps over the wire.
    pub fn rfc3339(self) -> String {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(t) => format!("{t:.6}"),
            Err(_) => String::from("1970-01-01T00:00:00.000000Z"),
        }
    }

    /// The reverse of [`Micros::rfc3339`], with any offset and precision.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>().ok().map(|at| Self(at.as_microsecond()))
    }

    /// Time from `earlier` to here, in microseconds; zero when the clock went backwards.
    pub fn since(self, earlier: Micros) -> i64 {
        self.0.saturating_sub(earlier.0).max(0)
    }
}
