//! All series of one metric, by their label values. There is room for so many series in all, as Prometheus counts them: each
//! bucket of a histogram is one. What comes after them is counted in one whose labels say `other`.

use super::cells::Cell;
use smallvec::SmallVec;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use weir_core::metrics::{OTHER, Row};

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
    series: RwLock<HashMap<Values, Cell>>,
}

// --- Room ---

impl Room {
    pub(super) fn new(most: usize) -> Self {
        Self { taken: AtomicUsize::new(0), most }
    }

    pub(super) fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    /// All of them or none.
    fn take(&self, series: usize) -> bool {
        let more = |taken: usize| taken.checked_add(series).filter(|taken| *taken <= self.most);
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

    /// The series with these values, which begins here if it is not there. `None`: the metric is not shown.
    pub(super) fn cell(&self, room: &Room, value: &dyn Fn(&str) -> Text) -> Option<Cell> {
        if !self.shown {
            return None;
        }
        let values: SmallVec<[Text; 16]> = self.labels.iter().map(|label| value(label)).collect();
        let series = self.series.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(cell) = series.get(values.as_slice()) {
            return Some(cell.clone());
        }
        drop(series);
        Some(self.begin(room, values))
    }

    fn begin(&self, room: &Room, values: SmallVec<[Text; 16]>) -> Cell {
        let size = Cell::series(self.row.kind);
        let fits = room.take(size);
        let values: Values = match fits {
            true => values.into_iter().collect(),
            false => self.labels.iter().map(|_| Text::from(OTHER)).collect(),
        };
        match self.series.write().unwrap_or_else(PoisonError::into_inner).entry(values) {
            Entry::Occupied(there) => {
                room.give_back(if fits { size } else { 0 });
                there.get().clone()
            }
            Entry::Vacant(place) => place.insert(Cell::new(self.row.kind)).clone(),
        }
    }

    /// All series, as they are at this moment. Nobody waits for it to be written.
    pub(super) fn all(&self) -> Vec<(Values, Cell)> {
        let series = self.series.read().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> =
            series.iter().map(|(values, cell)| (Arc::clone(values), cell.clone())).collect();
        drop(series);
        all.sort_by(|(left, _), (right, _)| left.cmp(right));
        all
    }

    /// Forgets series with this value of a label.
    pub(super) fn forget(&self, room: &Room, label: &str, value: &str) {
        let Some(at) = self.labels.iter().position(|name| name == label) else { return };
        let is_gone = |values: &Values| values.get(at).is_some_and(|there| &**there == value);
        let some = self.series.read().unwrap_or_else(PoisonError::into_inner).keys().any(is_gone);
        if !some {
            return;
        }
        let mut series = self.series.write().unwrap_or_else(PoisonError::into_inner);
        let before = series.len();
        series.retain(|values, _| !is_gone(values));
        // The one for all that there is no room for never took any.
        room.give_back((before - series.len()) * Cell::series(self.row.kind));
    }
}
