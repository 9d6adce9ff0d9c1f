//! The settings that are tried, in this order, with their values. What takes less of the machine stands first.

use crate::targets::Shape;

#[derive(Debug)]
pub struct Knob {
    pub name: &'static str,
    pub place: Place,
    /// What is in force where nothing is set, on a machine with so many cores.
    pub usual: fn(usize) -> String,
    /// Among them the usual one.
    pub values: fn(usize) -> Vec<String>,
}

/// Where a setting stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// On the command line.
    Flag,
    Weir,
    General,
}

pub static KNOBS: &[Knob] = &[
    // First, since everything else depends on it.
    Knob { name: "num_workers", place: Place::Flag, usual: |cores| cores.to_string(), values: workers },
    knob("work_stealing", Place::Weir, |_| "true".into(), |_| texts(&["true", "false"])),
    knob("upstream_pool_size", Place::Weir, |_| "1024".into(), |_| texts(&["32", "128", "1024", "4096"])),
    knob("journal_shards", Place::Weir, |_| "4".into(), |_| texts(&["1", "2", "4", "8", "16"])),
    knob(
        "journal_segment_bytes",
        Place::Weir,
        |_| "2MiB".into(),
        |_| texts(&["512KiB", "2MiB", "8MiB", "32MiB"]),
    ),
    knob(
        "database_connection_pool_limit",
        Place::General,
        |_| "10".into(),
        |_| texts(&["5", "10", "20", "40"]),
    ),
];

const fn knob(
    name: &'static str,
    place: Place,
    usual: fn(usize) -> String,
    values: fn(usize) -> Vec<String>,
) -> Knob {
    Knob { name, place, usual, values }
}

fn texts(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

/// Powers of two below the cores, three quarters of them (the rest for who else is on the machine), all of them.
fn workers(cores: usize) -> Vec<String> {
    let mut counts: Vec<usize> = (0..8).map(|power| 1 << power).filter(|count| *count < cores).collect();
    counts.extend([cores * 3 / 4, cores]);
    counts.retain(|count| *count > 0);
    counts.sort_unstable();
    counts.dedup();
    counts.iter().map(ToString::to_string).collect()
}

impl Knob {
    pub(super) fn set(&self, value: &str, shape: &mut Shape) {
        match self.place {
            Place::Flag => value.clone_into(&mut shape.workers),
            Place::Weir => shape.weir.push_str(&format!(", {}: {value}", self.name)),
            Place::General => {
                shape.settings.push_str(&format!("general_settings: {{{}: {value}}}\n", self.name));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_value_is_among_those_that_are_tried_and_none_is_tried_twice() {
        for knob in KNOBS {
            for cores in [1, 2, 3, 6, 8, 64, 200] {
                let values = (knob.values)(cores);
                assert!(values.contains(&(knob.usual)(cores)), "{}: {values:?}", knob.name);
                let mut once = values.clone();
                once.sort();
                once.dedup();
                assert_eq!(once.len(), values.len(), "{}: {values:?}", knob.name);
            }
        }
        assert_eq!(workers(1), ["1"]);
        assert_eq!(workers(8), ["1", "2", "4", "6", "8"]);
    }
}
