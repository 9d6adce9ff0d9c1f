//! Spend by day, summed from the entries themselves.

use super::row;
use crate::error::Refusal;
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::collections::{BTreeMap, HashSet};
use weir_core::domain::ids::EntryId;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::spend::Entry;
use weir_core::error::{ApiError, Kind};
use weir_core::ports::{SpendFilter, SpendStore};
use weir_core::time::Micros;

/// Entries in memory at one time.
const PAGE: u32 = 1_000;

/// Entries in one answer. Beyond this it refuses: a sum of less than everything would be wrong money.
const MAX_SUMMED: usize = 200_000;

/// Days without entries that follow the last one with some.
const MAX_EMPTY: usize = 3_660;

type Sums = BTreeMap<String, NanoUsd>;

/// All days of an answer, by day since 1970.
#[derive(Default)]
struct Days {
    days: BTreeMap<i64, Day>,
    entries: usize,
}

#[derive(Default)]
pub(super) struct Day {
    start: String,
    spend: NanoUsd,
    users: Sums,
    models: Sums,
    keys: Sums,
}

/// Sums all entries of the filter, whose limits are not looked at. As in LiteLLM, days before the last one
/// with entries are there only if they have some, those after it up to the end date are there as zeros.
pub(super) async fn sums(store: &dyn SpendStore, filter: SpendFilter) -> Result<Vec<Day>, Refusal> {
    let end = filter.until;
    let mut days = Days::default();
    let mut page = SpendFilter { limit: PAGE, offset: 0, ..filter };
    // Entries of the oldest microsecond seen: the next page begins with them again. Offsets would count an
    // entry twice when a new one is booked in between.
    let mut edge: HashSet<EntryId> = HashSet::new();
    loop {
        let entries = store.entries(&page).await?;
        let before = days.entries;
        entries.iter().filter(|entry| !edge.contains(&entry.id)).for_each(|entry| days.add(entry));
        let Some(oldest) = entries.last().filter(|_| entries.len() >= PAGE as usize) else { break };
        if days.entries > MAX_SUMMED || days.entries == before {
            return Err(too_many());
        }
        edge = entries.iter().filter(|e| e.started_at == oldest.started_at).map(|e| e.id).collect();
        page.until = Some(Micros(oldest.started_at.0.saturating_add(1)));
    }
    Ok(days.finish(end))
}

fn too_many() -> Refusal {
    let message =
        format!("More than {MAX_SUMMED} entries between these dates; ask for fewer days at a time.");
    ApiError::new(Kind::BadRequest, message).with_param("start_date").into()
}

impl Days {
    fn add(&mut self, entry: &Entry) {
        let day = self.days.entry(entry.started_at.day()).or_default();
        day.spend += entry.cost;
        *day.users.entry(entry.user_id.clone().unwrap_or_default()).or_default() += entry.cost;
        *day.models.entry(row::model(entry)).or_default() += entry.cost;
        *day.keys.entry(row::hash(entry)).or_default() += entry.cost;
        self.entries += 1;
    }

    fn finish(mut self, end: Option<Micros>) -> Vec<Day> {
        if let (Some(end), Some((last, _))) = (end, self.days.last_key_value()) {
            let empty = (last + 1..=Micros(end.0.saturating_sub(1)).day()).take(MAX_EMPTY);
            empty.collect::<Vec<_>>().into_iter().for_each(|day| drop(self.days.insert(day, Day::default())));
        }
        self.days.into_iter().map(|(number, day)| Day { start: date(number), ..day }).collect()
    }
}

/// `2026-11-25`
fn date(day: i64) -> String {
    Micros::of_day(day).rfc3339().chars().take(10).collect()
}

impl Serialize for Day {
    /// The hashes of keys stand between the other members, as in LiteLLM.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("users", &Amounts(&self.users))?;
        map.serialize_entry("models", &Amounts(&self.models))?;
        map.serialize_entry("spend", &self.spend.json())?;
        for (key, amount) in &self.keys {
            map.serialize_entry(key, &amount.json())?;
        }
        map.serialize_entry("startTime", &self.start)?;
        map.end()
    }
}

struct Amounts<'a>(&'a Sums);

impl Serialize for Amounts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, amount)| (name, amount.json())))
    }
}
