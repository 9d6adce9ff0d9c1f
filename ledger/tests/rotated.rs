//! What both ledgers promise of a key whose text is changed: nothing that is counted begins anew.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests may fail loudly, and look at the environment"
)]

#[expect(dead_code, reason = "only entries are needed here")]
mod common;

use common::{both, entry};
use std::collections::{HashMap, HashSet};
use weir_core::domain::ids::KeyHash;
use weir_core::domain::key::KeyRecord;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::records::RecordKind;
use weir_core::domain::spend::Entry;
use weir_core::ports::leases::{LeaseAsk, Leases};
use weir_core::ports::records::insert;
use weir_core::ports::{
    Change, Dimension, Directory, ResetOf, Rollup, RollupQuery, SpendFilter, SpendScope, SpendStore,
};
use weir_core::time::{self, Micros};
use weir_ledger::{LeaseBook, Ledger};

fn hash(key: &str) -> String {
    KeyHash::of(key).hex()
}

fn of(key: &str, cost: i64) -> Entry {
    Entry { key_hash: Some(KeyHash::of(key)), ..entry(cost) }
}

async fn rename(ledger: &Ledger, from: &str, to: &str) {
    let change = Change::Rename { kind: RecordKind::Key, from: hash(from), to: hash(to) };
    ledger.commit(&[change], &[]).await.unwrap();
}

async fn made(ledger: &Ledger, key: &KeyRecord) {
    ledger.commit(&[insert(key, Micros(1), None).unwrap()], &[]).await.unwrap();
}

async fn spent(ledger: &Ledger, key: &str) -> i64 {
    let spent = ledger.spent(SpendScope::Key, &[hash(key)]).await.unwrap();
    spent.get(&hash(key)).copied().unwrap_or_default().0
}

fn days(of: Rollup, only: Vec<(Dimension, Vec<String>)>) -> RollupQuery {
    let by = vec![Dimension::Key];
    RollupQuery { of, by, only, until: 100_000, limit: 1_000, ..RollupQuery::default() }
}

async fn told(ledger: &Ledger, query: &RollupQuery) -> HashMap<String, i64> {
    let rows = ledger.rollup(query).await.unwrap();
    assert_eq!(ledger.rollup_rows(query).await.unwrap(), rows.len() as u64);
    rows.into_iter().map(|row| (row.names.join(" "), row.sums.cost.0)).collect()
}

async fn costs(ledger: &Ledger, key: &str) -> Vec<i64> {
    let filter = SpendFilter { key_hash: Some(KeyHash::of(key)), limit: 1_000, ..SpendFilter::default() };
    let found = ledger.entries(&filter).await.unwrap();
    assert!(found.is_sorted_by(|one, next| (one.started_at, one.id) >= (next.started_at, next.id)));
    assert_eq!(ledger.count(&filter, 1_000).await.unwrap(), found.len() as u64);
    let mut costs: Vec<i64> = found.iter().map(|entry| entry.cost.0).collect();
    costs.sort_unstable();
    costs
}

/// A key with two former texts and an entry that was under way when the first one was changed; another key.
async fn rotated(ledger: &Ledger) {
    ledger.write(&[of("sk-a", 100), of("sk-other", 1_000)]).await.unwrap();
    rename(ledger, "sk-a", "sk-b").await;
    ledger.write(&[of("sk-a", 20), of("sk-b", 3)]).await.unwrap();
    rename(ledger, "sk-b", "sk-c").await;
    ledger.write(&[of("sk-c", 4)]).await.unwrap();
}

#[tokio::test]
async fn p10_days_of_a_key_are_those_of_all_texts_that_it_had() {
    both(async |ledger| {
        rotated(&ledger).await;
        let (key, other) = ((hash("sk-c"), 127), (hash("sk-other"), 1_000));
        let both = HashMap::from([key.clone(), other.clone()]);
        for of in [Rollup::Keys, Rollup::Tags] {
            assert_eq!(told(&ledger, &days(of, vec![])).await, both, "{of:?}");
            let one = vec![(Dimension::Key, vec![key.0.clone()])];
            assert_eq!(told(&ledger, &days(of, one)).await, HashMap::from([key.clone()]), "{of:?}");
            let several = vec![(Dimension::Key, vec![key.0.clone(), other.0.clone()])];
            assert_eq!(told(&ledger, &days(of, several)).await, both, "{of:?}");
        }
        let except = vec![(Dimension::Key, vec![key.0.clone()])];
        let rest = RollupQuery { except, ..days(Rollup::Keys, vec![]) };
        assert_eq!(told(&ledger, &rest).await, HashMap::from([other]));
        let former = vec![(Dimension::Key, vec![hash("sk-a")])];
        let of_former = told(&ledger, &days(Rollup::Keys, former)).await;
        assert_eq!(of_former, HashMap::from([(key.0, 120)]), "whoever asks for one text is told of it alone");
        assert_eq!(ledger.total_spend().await.unwrap(), NanoUsd(1_127), "and nothing is counted twice");
        assert_eq!(spent(&ledger, "sk-c").await, 127);
    })
    .await;
}

#[tokio::test]
async fn a_former_hash_leads_to_the_key_as_it_is_now() {
    both(async |ledger| {
        rotated(&ledger).await;
        let heir = async |key: &str| ledger.heir(SpendScope::Key, &hash(key)).await.unwrap();
        assert_eq!(heir("sk-a").await, Some(hash("sk-c")), "over all texts that it had");
        assert_eq!(heir("sk-b").await, Some(hash("sk-c")));
        for key in ["sk-c", "sk-other", "sk-nobody"] {
            assert_eq!(heir(key).await, None, "{key}");
        }
        assert_eq!(ledger.heir(SpendScope::Team, &hash("sk-a")).await.unwrap(), None, "of another scope");
    })
    .await;
}

#[tokio::test]
async fn entries_of_a_key_are_found_whatever_its_text_was() {
    both(async |ledger| {
        rotated(&ledger).await;
        assert_eq!(costs(&ledger, "sk-c").await, [3, 4, 20, 100]);
        assert_eq!(costs(&ledger, "sk-b").await, [3]);
        let page = |offset| SpendFilter {
            key_hash: Some(KeyHash::of("sk-c")),
            user_id: Some(String::from("alice")),
            limit: 3,
            offset,
            ..SpendFilter::default()
        };
        let mut seen = HashSet::new();
        for offset in [0, 3] {
            seen.extend(ledger.entries(&page(offset)).await.unwrap().into_iter().map(|entry| entry.id));
        }
        assert_eq!(seen.len(), 4, "pages have no gaps");
        // More texts than are looked up one by one.
        let names: Vec<String> = (0..20).map(|number| format!("sk-many-{number}")).collect();
        for pair in names.windows(2) {
            ledger.write(&[of(&pair[0], 1)]).await.unwrap();
            rename(&ledger, &pair[0], &pair[1]).await;
        }
        assert_eq!(costs(&ledger, "sk-many-19").await, [1; 19]);
    })
    .await;
}

#[tokio::test]
async fn p15_a_budget_goes_on_under_the_new_text_with_what_is_under_way() {
    both(async |ledger| {
        let book = LeaseBook::new(ledger.clone(), String::from("one"));
        let ask = async |key: &str, least: i64| {
            let id = hash(key);
            let amount = NanoUsd(least);
            let ask = LeaseAsk {
                scope: SpendScope::Key,
                id: &id,
                cap: NanoUsd(1_000),
                least: amount,
                wanted: amount,
                owed: NanoUsd(0),
            };
            let lease = book.lease(&ask).await.unwrap();
            (lease.settled.0, lease.granted.0)
        };
        assert_eq!(ask("sk-a", 100).await, (0, 100));
        rename(&ledger, "sk-a", "sk-b").await;
        assert_eq!(ask("sk-b", 901).await, (0, 0), "what is held of the old text is not free");
        ledger.write(&[of("sk-a", 30)]).await.unwrap();
        book.give_back(SpendScope::Key, &hash("sk-a"), NanoUsd(100)).await.unwrap();
        assert_eq!(ask("sk-b", 971).await, (30, 0), "nor what was booked under it late");
        assert_eq!(ask("sk-b", 970).await, (30, 970));
        rename(&ledger, "sk-b", "sk-a").await;
        assert_eq!(ask("sk-a", 1).await, (30, 0), "the first text again");
    })
    .await;
}

#[tokio::test]
async fn p17_a_shared_budget_that_begins_again_forgets_former_texts_too() {
    both(async |ledger| {
        made(&ledger, &KeyRecord { budget_id: Some(String::from("b")), ..KeyRecord::new("sk-b") }).await;
        ledger.write(&[of("sk-a", 100)]).await.unwrap();
        rename(&ledger, "sk-a", "sk-b").await;
        ledger.write(&[of("sk-a", 5)]).await.unwrap();
        assert_eq!(spent(&ledger, "sk-b").await, 105);
        let reset =
            Change::Reset { scope: SpendScope::Key, of: ResetOf::Budget(String::from("b")), at: time::now() };
        ledger.commit(&[reset], &[]).await.unwrap();
        assert_eq!(spent(&ledger, "sk-b").await, 0);
    })
    .await;
}

/// A text that was given up may be chosen for another key, which pays for itself.
#[tokio::test]
async fn p10_a_key_that_has_anothers_former_text_counts_for_itself() {
    both(async |ledger| {
        ledger.write(&[of("sk-a", 100)]).await.unwrap();
        rename(&ledger, "sk-a", "sk-b").await;
        ledger.write(&[of("sk-a", 5)]).await.unwrap();
        made(&ledger, &KeyRecord::new("sk-a")).await;
        ledger.write(&[of("sk-a", 7), of("sk-b", 2)]).await.unwrap();
        assert_eq!((spent(&ledger, "sk-a").await, spent(&ledger, "sk-b").await), (7, 107));
        let all = told(&ledger, &days(Rollup::Keys, vec![])).await;
        assert_eq!(all.values().sum::<i64>(), 114);
        assert_eq!(all[&hash("sk-b")], 2);
    })
    .await;
}
