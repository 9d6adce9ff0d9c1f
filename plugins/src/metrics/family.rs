//! All series of one metric, by their label values. There is room for so many series in all, as Prometheus counts them:
//! each bucket of a histogram is one. What comes after them is counted in one whose labels say `other`.
//!
//! Who comes late loses the least that can be: histograms of callers may fill half of the room, other details of them three
//! quarters, and the rest is for what they spent and used.

use super::cells::Cell;
use smallvec::SmallVec;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use weir_core::metrics::{Kind, OTHER, Rank, Row};

/// A label value. Series of one request share theirs, as there are dozens.
pub(super) type Text = Arc<str>;

/// Label values, in the order of the family's labels.
pub(super) type Values = Arc<[Text]>;

/// Room for series, of all families together.
pub(super) struct Room {
    taken: AtomicUsize,
    most: usize,
}

pub(super) struct Family {
    pub(super) row: &'static Row,
    /// Names of labels, sorted.
    pub(super) labels: Vec<String>,
    shown: bool,
    series: RwLock<Series>,
}

#[derive(Default)]
struct Series {
    /// With the place in which it began.
    cells: HashMap<Values, (u64, Cell)>,
    begun: u64,
}

// --- Room ---

impl Room {
    pub(super) fn new(most: usize) -> Self {
        Self { taken: AtomicUsize::new(0), most }
    }

    pub(super) fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    /// Up to where series of this rank may fill it.
    fn most(&self, rank: Rank) -> usize {
        match rank {
            Rank::Account => self.most,
            Rank::Detail => self.most - self.most / 4,
            Rank::Spread => self.most / 2,
        }
    }

    /// All of them or none.
    fn take(&self, series: usize, rank: Rank) -> bool {
        let most = self.most(rank);
        let more = |taken: usize| taken.checked_add(series).filter(|taken| *taken <= most);
        self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    fn give_back(&self, series: usize) {
        self.taken.fetch_sub(series, Ordering::Relaxed);
    }
}

// --- Family ---

impl Family {
    /// `more`: labels beside those of the table.
    pub(super) fn new(row: &'static Row, mut labels: Vec<String>, shown: bool) -> Self {
        labels.sort();
        Self { row, labels, shown, series: RwLock::default() }
    }

    pub(super) fn is_shown(&self) -> bool {
        self.shown
    }

    /// Values of its labels.
    pub(super) fn values<V: FromIterator<Text>>(&self, value: &dyn Fn(&str) -> Text) -> V {
        self.labels.iter().map(|label| value(label)).collect()
    }

    /// The series with these values, which begins here if it is not there. `None`: the metric is not shown, or this one is
    /// not.
    pub(super) fn cell(&self, room: &Room, value: &dyn Fn(&str) -> Text) -> Option<Cell> {
        if !self.shown {
            return None;
        }
        let values: SmallVec<[Text; 16]> = self.values(value);
        self.find(&values).or_else(|| self.begin(room, values.into_iter().collect()))
    }

    /// The same for whoever has the values already.
    pub(super) fn cell_of(&self, room: &Room, values: &Values) -> Option<Cell> {
        if !self.shown {
            return None;
        }
        self.find(values).or_else(|| self.begin(room, Arc::clone(values)))
    }

    fn find(&self, values: &[Text]) -> Option<Cell> {
        let series = self.series.read().unwrap_or_else(PoisonError::into_inner);
        series.cells.get(values).map(|(_, cell)| cell.clone())
    }

    fn begin(&self, room: &Room, values: Values) -> Option<Cell> {
        let size = Cell::series(self.row.kind);
        let fits = room.take(size, self.row.rank());
        if !fits && self.row.kind == Kind::Gauge && !self.labels.is_empty() {
            // Where many set it, it would say something of one of them and name nobody.
            return None;
        }
        let values = if fits { values } else { self.labels.iter().map(|_| Text::from(OTHER)).collect() };
        let mut series = self.series.write().unwrap_or_else(PoisonError::into_inner);
        let Series { cells, begun } = &mut *series;
        match cells.entry(values) {
            Entry::Occupied(there) => {
                room.give_back(if fits { size } else { 0 });
                Some(there.get().1.clone())
            }
            Entry::Vacant(vacant) => {
                *begun += 1;
                Some(vacant.insert((*begun, Cell::new(self.row.kind, !fits))).1.clone())
            }
        }
    }

    /// All series, as they are at this moment, in the order in which they began. Nobody waits for it to be written.
    pub(super) fn all(&self) -> Vec<(Values, Cell)> {
        let series = self.series.read().unwrap_or_else(PoisonError::into_inner);
        let all =
            series.cells.iter().map(|(values, (place, cell))| (*place, Arc::clone(values), cell.clone()));
        let mut all: Vec<_> = all.collect();
        drop(series);
        all.sort_unstable_by_key(|(place, ..)| *place);
        all.into_iter().map(|(_, values, cell)| (values, cell)).collect()
    }

    /// Forgets series in which a label has a value that is gone.
    pub(super) fn forget(&self, room: &Room, label: &str, gone: &dyn Fn(&str) -> bool) {
        let Some(at) = self.labels.iter().position(|name| name == label) else { return };
        let is_gone = |values: &Values| values.get(at).is_some_and(|there| gone(there));
        let some = self.series.read().unwrap_or_else(PoisonError::into_inner).cells.keys().any(is_gone);
        if !some {
            return;
        }
        let mut series = self.series.write().unwrap_or_else(PoisonError::into_inner);
        let before = series.cells.len();
        series.cells.retain(|values, _| !is_gone(values));
        // The one for all that there is no room for never took any.
        room.give_back((before - series.cells.len()) * Cell::series(self.row.kind));
    }
}
