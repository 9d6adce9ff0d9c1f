//! Tables of exchanges.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use weir_core::domain::ids::EntryId;

/// What there is of each of some exchanges.
pub(super) type ById<V> = HashMap<EntryId, V, BuildHasherDefault<Tail>>;

/// Some exchanges.
pub(super) type Ids = HashSet<EntryId, BuildHasherDefault<Tail>>;

/// Ids are found by their last eight bytes. We mint them ourselves and these are random, so that nobody can choose ids that
/// end alike, and the usual hash takes many times as long.
#[derive(Clone, Copy, Default)]
pub(super) struct Tail(u64);

/// An odd number without a pattern: digits of pi.
const FACTOR: u64 = 0x243f_6a88_85a3_08d3;

impl Hasher for Tail {
    /// Of what is written the last counts: the length comes before the bytes.
    fn write(&mut self, bytes: &[u8]) {
        if let Some(last) = bytes.last_chunk() {
            self.0 = u64::from_be_bytes(*last);
        }
    }

    /// By the last byte a shard is chosen; in one of them it tells nothing apart by itself.
    fn finish(&self) -> u64 {
        let mixed = self.0.wrapping_mul(FACTOR);
        mixed ^ (mixed >> 32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hash::BuildHasher;
    use weir_core::domain::ids::new_entry_id;

    #[test]
    fn ids_of_one_shard_are_told_apart_by_few_bits() {
        let of = BuildHasherDefault::<Tail>::default();
        let ids = std::iter::repeat_with(new_entry_id).filter(|id| id.as_bytes()[15] % 4 == 1);
        let places: HashSet<u64> = ids.take(4_096).map(|id| of.hash_one(id) % 4_096).collect();
        // Of random numbers nearly two thirds of all places are taken.
        assert!(places.len() > 2_300, "{}", places.len());
    }
}
