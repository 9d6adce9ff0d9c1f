//! What a worker keeps at hand: found by a number, without a lock; the eldest goes when something new comes.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};

/// Values by numbers. How many there may be is for its owner to say.
pub(crate) struct Near<V> {
    kept: HashMap<u64, V, BuildHasherDefault<Mixed>>,
    /// The eldest first.
    order: VecDeque<u64>,
}

/// Mixes numbers by a multiplication each, of which both halves count. A tenth of what the usual hash takes, and no more
/// than a key to find something by: whoever finds it looks whether it is what was meant.
#[derive(Clone, Copy, Default)]
pub(crate) struct Mixed(u64);

/// An odd number without a pattern: digits of pi.
const FACTOR: u64 = 0x243f_6a88_85a3_08d3;

// --- Near ---

impl<V> Default for Near<V> {
    fn default() -> Self {
        Self { kept: HashMap::default(), order: VecDeque::new() }
    }
}

impl<V> Near<V> {
    pub(crate) fn len(&self) -> usize {
        self.kept.len()
    }

    pub(crate) fn get_mut(&mut self, place: u64) -> Option<&mut V> {
        self.kept.get_mut(&place)
    }

    /// In place of what was there.
    pub(crate) fn keep(&mut self, place: u64, value: V) {
        if self.kept.insert(place, value).is_none() {
            self.order.push_back(place);
        }
    }

    pub(crate) fn drop_eldest(&mut self) {
        if let Some(place) = self.order.pop_front() {
            self.kept.remove(&place);
        }
    }
}

// --- Mixed ---

impl Mixed {
    /// From where nobody can tell which texts end at the same number.
    pub(crate) fn anywhere() -> Self {
        Self(RandomState::new().build_hasher().finish())
    }
}

impl Hasher for Mixed {
    fn write(&mut self, bytes: &[u8]) {
        for piece in bytes.chunks(8) {
            let mut word = [0; 8];
            for (to, from) in word.iter_mut().zip(piece) {
                *to = *from;
            }
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u8(&mut self, number: u8) {
        self.write_u64(number.into());
    }

    fn write_u16(&mut self, number: u16) {
        self.write_u64(number.into());
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(number.into());
    }

    fn write_u64(&mut self, number: u64) {
        let product = u128::from(self.0 ^ number) * u128::from(FACTOR);
        self.0 = (product as u64) ^ ((product >> 64) as u64);
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_eldest_goes_and_what_is_kept_again_is_not_kept_twice() {
        let mut near = Near::default();
        for (place, value) in [(1, "a"), (2, "b"), (1, "c")] {
            near.keep(place, value);
        }
        assert_eq!((near.len(), near.get_mut(1).copied()), (2, Some("c")));
        near.drop_eldest();
        assert_eq!((near.get_mut(1).copied(), near.get_mut(2).copied()), (None, Some("b")));
        near.drop_eldest();
        near.drop_eldest();
        assert_eq!(near.len(), 0);
    }

    #[test]
    fn addresses_and_texts_are_spread() {
        let hash = |write: &dyn Fn(&mut Mixed)| {
            let mut mixed = Mixed::default();
            write(&mut mixed);
            mixed.finish()
        };
        let of_addresses = (1..=10_000_u64).map(|at| hash(&|mixed| mixed.write_u64(at * 64)));
        // A table looks at the lowest digits, and at the highest seven.
        let low: HashSet<u64> = of_addresses.clone().map(|hash| hash & 0xffff).collect();
        let high: HashSet<u64> = of_addresses.map(|hash| hash >> 57).collect();
        assert!(low.len() > 8_000 && high.len() == 128, "{} {}", low.len(), high.len());
        let texts = ["", "a", "b", "gpt-4o", "gpt-4o-mini", "gpt-4o-2024-08-06", "gpt-4o-2024-08-07"];
        let of_texts: HashSet<u64> =
            texts.iter().map(|text| hash(&|mixed| mixed.write(text.as_bytes()))).collect();
        assert_eq!(of_texts.len(), texts.len());
    }
}
