//! What both ledgers promise.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests may fail loudly, and look at the environment"
)]

#[expect(dead_code, reason = "records have tests of their own")]
mod common;

use common::{both, entry};
use weir_core::domain::ids::KeyHash;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::response::ResponseRecord;
use weir_core::domain::spend::{Entry, Status};
use weir_core::ports::told::Told;
use weir_core::ports::{Journal, LedgerError, ResponseStore, SpendFilter, SpendStore, Written};
use weir_core::time::Micros;

fn all() -> SpendFilter {
    SpendFilter { limit: 10_000, ..SpendFilter::default() }
}

#[tokio::test]
async fn an_entry_comes_back_as_it_went() {
    both(async |ledger| {
        let full = entry(97_500);
        let bare = Entry {
            provider_id: None,
            key_hash: None,
            key_alias: None,
            user_id: None,
            team_id: None,
            first_token_at: None,
            status: Status::Interrupted,
            error: String::from("E"),
            error_message: "x".repeat(2_000),
            attempts: vec![],
            tags: vec![],
            metadata: String::new(),
            unpriced: true,
            ..entry(0)
        };
        ledger.write(&[full.clone(), bare.clone()]).await.unwrap();
        let mut found = ledger.entries(&all()).await.unwrap();
        found.sort_by_key(|e| e.started_at);
        assert_eq!(found, [full, bare]);
    })
    .await;
}

#[tokio::test]
async fn p11_an_entry_is_booked_once_however_often_it_is_written() {
    both(async |ledger| {
        let entries: Vec<Entry> = (0..150).map(|_| entry(1_000)).collect();
        let first = ledger.write(&entries[..100]).await.unwrap();
        assert_eq!(first, Written { inserted: 100, cost: NanoUsd(100_000) });
        assert_eq!(ledger.write(&entries[..100]).await.unwrap(), Written::default());
        let overlapping = ledger.write(&entries[50..]).await.unwrap();
        assert_eq!(overlapping.inserted, 50);
        let twice = [entry(7), entry(7)];
        let same = [twice[0].clone(), twice[0].clone(), twice[1].clone()];
        assert_eq!(ledger.write(&same).await.unwrap().inserted, 2);
        assert_eq!(ledger.total_spend().await.unwrap(), NanoUsd(150_014));
    })
    .await;
}

#[tokio::test]
async fn p09_writers_that_meet_lose_nothing() {
    both(async |ledger| {
        let batches: Vec<Vec<Entry>> = (0..8)
            .map(|_| {
                let of =
                    |n: usize| Entry { key_hash: Some(KeyHash::of(&format!("sk-{}", n % 17))), ..entry(3) };
                (0..100).map(of).collect()
            })
            .collect();
        let writes = batches.iter().map(|batch| ledger.write(batch));
        for written in futures(writes).await {
            assert_eq!(written.unwrap().inserted, 100);
        }
        assert_eq!(ledger.total_spend().await.unwrap(), NanoUsd(2_400));
        let sum: NanoUsd = ledger.entries(&all()).await.unwrap().iter().map(|e| e.cost).sum();
        assert_eq!(sum, NanoUsd(2_400));
    })
    .await;
}

async fn futures<T>(all: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    futures_util::future::join_all(all).await
}

#[tokio::test]
async fn whoever_claims_it_first_tells_it_and_again_only_when_its_time_is_over() {
    both(async |ledger| {
        let claim = |now: i64, until: i64| {
            let ledger = ledger.clone();
            async move { ledger.claim("same", Micros(now), Micros(until)).await.unwrap() }
        };
        let at_once = futures((0..8).map(|_| claim(10, 20))).await;
        assert_eq!(at_once.iter().filter(|claimed| **claimed).count(), 1, "{at_once:?}");
        assert!(!claim(19, 29).await, "not yet");
        assert!(claim(20, 30).await, "its time is over");
        ledger.give_up("same").await.unwrap();
        assert!(claim(21, 31).await, "it was not told after all");
    })
    .await;
}

#[tokio::test]
async fn filters_select_what_they_say() {
    both(async |ledger| {
        let base = weir_core::time::now().0;
        let at = |n: i64| Micros(base + n * 1_000_000);
        let of = |n: i64, key: &str, team: &str| Entry {
            started_at: at(n),
            call_id: format!("call-{n}"),
            provider_id: Some(format!("prov-{n}")),
            key_hash: Some(KeyHash::of(key)),
            team_id: Some(team.to_owned()),
            ..entry(n)
        };
        let entries = [of(0, "sk-a", "t1"), of(1, "sk-b", "t1"), of(2, "sk-a", "t2"), of(3, "sk-b", "t2")];
        ledger.write(&entries).await.unwrap();
        let calls = async |filter: SpendFilter| -> Vec<String> {
            ledger.entries(&filter).await.unwrap().into_iter().map(|e| e.call_id).collect()
        };
        assert_eq!(calls(all()).await, ["call-3", "call-2", "call-1", "call-0"], "newest first");
        assert_eq!(
            calls(SpendFilter { key_hash: Some(KeyHash::of("sk-a")), ..all() }).await,
            ["call-2", "call-0"]
        );
        assert_eq!(calls(SpendFilter { team_id: Some("t1".into()), ..all() }).await, ["call-1", "call-0"]);
        assert_eq!(calls(SpendFilter { user_id: Some("nobody".into()), ..all() }).await, [""; 0]);
        let window = SpendFilter { from: Some(at(1)), until: Some(at(3)), ..all() };
        assert_eq!(calls(window).await, ["call-2", "call-1"], "from is included, until is not");
        assert_eq!(calls(SpendFilter { limit: 1, offset: 1, ..all() }).await, ["call-2"]);
        for id in [String::from("call-2"), String::from("prov-2"), entries[2].id.to_string()] {
            assert_eq!(calls(SpendFilter { request_id: Some(id), ..all() }).await, ["call-2"]);
        }
    })
    .await;
}

/// Postgres keeps no NUL in text: such an entry is told and left out, and holds up nobody, even when it comes alone.
#[tokio::test]
async fn an_entry_that_the_ledger_refuses_does_not_hold_up_the_others() {
    both(async |ledger| {
        let dir = tempfile::tempdir().unwrap();
        let options = weir_ledger::JournalOptions { shards: 1, ..weir_ledger::JournalOptions::default() };
        let journal = std::sync::Arc::new(weir_ledger::FileJournal::open(dir.path(), options).unwrap());
        let options = weir_ledger::WriterOptions {
            data_dir: dir.path().to_owned(),
            ..weir_ledger::WriterOptions::default()
        };
        let leases = std::sync::Arc::new(weir_ledger::LeaseBook::new(ledger.clone(), journal.name()));
        let writer = weir_ledger::Writer::new(ledger.clone(), journal.clone(), leases, options);
        let bad = Entry { model_group: String::from("a\0b"), ..entry(0) };
        journal.end(&bad).unwrap();
        assert!(writer.flush(std::time::Duration::from_secs(10)).await, "alone");
        let good = entry(5);
        journal.end(&bad).unwrap();
        journal.end(&good).unwrap();
        assert!(writer.flush(std::time::Duration::from_secs(10)).await, "among others");
        let found = ledger.entries(&all()).await.unwrap();
        assert!(found.iter().any(|e| e.id == good.id));
    })
    .await;
}

#[tokio::test]
async fn p26_a_response_comes_back_as_it_went_until_it_expires() {
    both(async |ledger| {
        let of = |id: &str, expires: i64| ResponseRecord {
            id: id.to_owned(),
            owner: KeyHash::of("sk-a"),
            deployment_id: String::from("d1"),
            model: String::from("claude ü"),
            created_at: Micros(1),
            expires_at: Micros(expires),
            sealed: (0..=255).collect(),
        };
        let (short, long) = (of("resp_1", 10), of("resp_2", 20));
        ledger.keep_response(&short).await.unwrap();
        ledger.keep_response(&long).await.unwrap();
        assert!(matches!(ledger.keep_response(&long).await, Err(LedgerError::Conflict(_))));
        assert_eq!(ledger.response("resp_1", Micros(9)).await.unwrap(), Some(short));
        assert_eq!(ledger.response("resp_1", Micros(10)).await.unwrap(), None, "expired, if not deleted yet");
        assert_eq!(ledger.expire_responses(Micros(10)).await.unwrap(), 1);
        assert_eq!(ledger.response("resp_1", Micros(9)).await.unwrap(), None);
        assert_eq!(ledger.response("resp_2", Micros(10)).await.unwrap(), Some(long));
        assert!(ledger.delete_response("resp_2").await.unwrap());
        assert!(!ledger.delete_response("resp_2").await.unwrap());
    })
    .await;
}
