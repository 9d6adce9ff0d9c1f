//! How long answers took, counted in fixed spans: quantiles of whole days without keeping what each request took.

/// Where spans end, in microseconds: five to each power of ten (the preferred numbers R5), so that none is wider than six
/// tenths of where it begins. What takes longer than the last is in one more span. Columns of the ledger are named after
/// them: they are never changed.
pub const BOUNDS: [i64; SPANS - 1] = [
    10_000,
    16_000,
    25_000,
    40_000,
    63_000,
    100_000,
    160_000,
    250_000,
    400_000,
    630_000,
    1_000_000,
    1_600_000,
    2_500_000,
    4_000_000,
    6_300_000,
    10_000_000,
    16_000_000,
    25_000_000,
    40_000_000,
    63_000_000,
    100_000_000,
    160_000_000,
    250_000_000,
];

/// How many spans there are.
pub const SPANS: usize = 24;

/// How many took how long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts(pub [i64; SPANS]);

/// Of answers that went well, as the sums beside it have them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    /// From the request to the end of the answer.
    pub took: Counts,
    /// From the request to the first token; of streams.
    pub first_token: Counts,
}

impl Counts {
    /// Counts one that took so many microseconds. What takes as long as a bound is below it.
    pub fn count(&mut self, micros: i64) {
        let span = BOUNDS.partition_point(|bound| *bound < micros);
        if let Some(count) = self.0.get_mut(span) {
            *count = count.saturating_add(1);
        }
    }

    pub fn add(&mut self, other: &Counts) {
        for (count, more) in self.0.iter_mut().zip(other.0) {
            *count = count.saturating_add(more);
        }
    }

    /// Up to the last span that holds any.
    pub fn told(&self) -> &[i64] {
        let end = self.0.iter().rposition(|count| *count != 0).map_or(0, |last| last + 1);
        self.0.get(..end).unwrap_or_default()
    }
}

impl Latency {
    pub fn add(&mut self, other: &Latency) {
        self.took.add(&other.took);
        self.first_token.add(&other.first_token);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_grow_evenly_and_hold_what_ends_at_their_bound() {
        for pair in BOUNDS.windows(2) {
            let wider = pair[1] as f64 / pair[0] as f64;
            assert!((1.5..=1.6).contains(&wider), "{pair:?}");
        }
        let mut counts = Counts::default();
        for micros in [i64::MIN, 0, BOUNDS[0]] {
            counts.count(micros);
        }
        assert_eq!(counts.told(), [3]);
        counts.count(BOUNDS[0] + 1);
        counts.count(1_000_000);
        assert_eq!(counts.told(), [3, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        counts.count(i64::MAX);
        assert_eq!((counts.told().len(), counts.0[SPANS - 1]), (SPANS, 1));
    }

    #[test]
    fn counts_are_added_span_by_span() {
        let (mut one, mut other) = (Latency::default(), Latency::default());
        one.took.count(5);
        other.took.count(20_000);
        other.first_token.count(5);
        one.add(&other);
        assert_eq!((one.took.told(), one.first_token.told()), (&[1, 0, 1][..], &[1][..]));
        assert_eq!(Counts::default().told(), [0; 0]);
    }
}
