//! What both ledgers promise of times: how long answers took is summed by day, with everything else that is.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests may fail loudly, and look at the environment"
)]

#[expect(dead_code, reason = "only entries are needed here")]
mod common;

use common::{both, entry, fresh_database, in_ci, open};
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor};
use weir_core::config::KeepingSettings;
use weir_core::domain::ids::KeyHash;
use weir_core::domain::latency::SPANS;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::operation::Operation;
use weir_core::domain::records::RecordKind;
use weir_core::domain::spend::{Entry, Outrun, Status};
use weir_core::ports::{
    Change, Dimension, Directory, LatencyRow, Rollup, RollupQuery, RollupRow, SpendFilter, SpendStore, Sums,
};
use weir_core::time::Micros;
use weir_ledger::{Ledger, Repriced};

const DAY: i64 = 86_400_000_000;
/// Of all entries here, unless they say otherwise.
const AT: i64 = 20_000 * DAY;

/// A stream with a tag and a customer, which took so many microseconds, and so many to its first token.
fn took(end: i64, first: i64) -> Entry {
    Entry {
        started_at: Micros(AT),
        ended_at: Micros(AT + end),
        first_token_at: Some(Micros(AT + first)),
        end_user: Some(String::from("c")),
        ..entry(100)
    }
}

async fn rows(ledger: &Ledger, of: Rollup, by: &[Dimension]) -> Vec<RollupRow> {
    let by = by.to_vec();
    let query = RollupQuery { of, by, until: 100_000, limit: 1_000, ..RollupQuery::default() };
    ledger.rollup(&query).await.unwrap()
}

/// How many were timed, how long they took, how many were streams, and how long until these said something.
fn times(sums: &Sums) -> (i64, i64, i64, i64) {
    (sums.timed, sums.took, sums.streamed, sums.first_token)
}

async fn all(ledger: &Ledger) -> Sums {
    rows(ledger, Rollup::Keys, &[]).await[0].sums
}

#[tokio::test]
async fn times_are_summed_by_whatever_spend_is_summed_by() {
    both(async |ledger| {
        let plain = Entry { stream: false, model_group: String::from("other"), ..took(700, 700) };
        let later = Entry { started_at: Micros(AT + DAY), ended_at: Micros(AT + DAY + 11), ..took(0, 0) };
        let later = Entry { first_token_at: None, team_id: Some(String::from("team-2")), ..later };
        ledger.write(&[took(5_000, 1_000), took(3_000, 400), plain, later]).await.unwrap();
        assert_eq!(times(&all(&ledger).await), (4, 8_711, 2, 1_400));
        for of in [Rollup::Keys, Rollup::Tags, Rollup::Customers] {
            let told: Vec<_> = rows(&ledger, of, &[Dimension::Day, Dimension::ModelGroup])
                .await
                .iter()
                .map(|row| (row.names.join(" "), times(&row.sums)))
                .collect();
            let is = |name: &str, times| (String::from(name), times);
            let expected = [
                is("20000 gpt-4o", (2, 8_000, 2, 1_400)),
                // It was no stream: its first token came with all the others.
                is("20000 other", (1, 700, 0, 0)),
                is("20001 gpt-4o", (1, 11, 0, 0)),
            ];
            assert_eq!(told, expected, "{of:?}");
        }
        let teams = rows(&ledger, Rollup::Keys, &[Dimension::Team]).await;
        assert_eq!(teams.iter().map(|row| row.sums.took).collect::<Vec<_>>(), [8_700, 11]);
    })
    .await;
}

/// Day, model group and provider, and how many took how long: to the end, and to the first token.
async fn counted(ledger: &Ledger, only: &[(Dimension, &str)]) -> Vec<(String, Vec<i64>, Vec<i64>)> {
    let only = only.iter().map(|(by, value)| (*by, vec![(*value).to_owned()])).collect();
    let query = RollupQuery { until: 100_000, only, ..RollupQuery::default() };
    let told = |row: &LatencyRow| {
        let name = format!("{} {} {}", row.day, row.model_group, row.provider);
        (name, row.latency.took.told().to_vec(), row.latency.first_token.told().to_vec())
    };
    ledger.latencies(&query).await.unwrap().iter().map(told).collect()
}

#[tokio::test]
async fn how_many_took_how_long_is_counted_by_day_model_and_provider() {
    both(async |ledger| {
        let long = Entry { provider: String::from("azure"), stream: false, ..took(1_000_000_000, 5) };
        let later = Entry { started_at: Micros(AT + DAY), ended_at: Micros(AT + DAY + 11), ..took(0, 0) };
        let later = Entry { first_token_at: None, ..later };
        ledger.write(&[took(10_000, 9_999), long, took(12_000, 10_001)]).await.unwrap();
        ledger.write(&[took(12_000, 1), later]).await.unwrap();
        let mut longest = vec![0; SPANS];
        longest[SPANS - 1] = 1;
        let azure = (String::from("20000 gpt-4o azure"), longest, vec![]);
        let openai = (String::from("20000 gpt-4o openai"), vec![1, 2], vec![2, 1]);
        let of_later = (String::from("20001 gpt-4o openai"), vec![1], vec![]);
        assert_eq!(counted(&ledger, &[]).await, [azure.clone(), openai, of_later]);
        let narrowed = [(Dimension::Provider, "azure"), (Dimension::ModelGroup, "gpt-4o")];
        assert_eq!(counted(&ledger, &narrowed).await, [azure]);
        assert!(counted(&ledger, &[(Dimension::ModelGroup, "other")]).await.is_empty());
    })
    .await;
}

/// Nothing finer is counted: everybody's must not be told as somebody's.
#[tokio::test]
async fn nobody_is_told_how_long_others_waited() {
    both(async |ledger| {
        ledger.write(&[took(5_000, 1_000)]).await.unwrap();
        let key = KeyHash::of("sk-a").hex();
        for (by, value) in [
            (Dimension::Key, key.as_str()),
            (Dimension::Team, "team-1"),
            (Dimension::User, "alice"),
            (Dimension::Organization, "org-1"),
        ] {
            assert!(counted(&ledger, &[(by, value)]).await.is_empty(), "{by:?}");
        }
        let without = vec![(Dimension::Team, vec![String::new()])];
        for (of, except) in [(Rollup::Keys, without), (Rollup::Tags, vec![]), (Rollup::Customers, vec![])] {
            let query = RollupQuery { of, until: 100_000, except, ..RollupQuery::default() };
            assert!(ledger.latencies(&query).await.unwrap().is_empty(), "{of:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn only_what_went_well_is_timed_and_no_clock_spoils_a_sum() {
    both(async |ledger| {
        let of = |status| Entry { status, ..took(1, 1) };
        let untimed = [
            of(Status::Failure),
            of(Status::Cancelled),
            of(Status::Interrupted),
            Entry { cache_hit: true, ..took(1, 1) },
            Entry { operation: Operation::Realtime, ..took(3_600_000_000, 1) },
        ];
        ledger.write(&untimed).await.unwrap();
        let sums = all(&ledger).await;
        assert_eq!((sums.requests, times(&sums)), (5, (0, 0, 0, 0)));
        assert!(counted(&ledger, &[]).await.is_empty());
        // One clock went back in the middle, the other one to another century.
        ledger.write(&[took(-7, -9), took(i64::MAX / 2, 5)]).await.unwrap();
        assert_eq!(times(&all(&ledger).await), (2, DAY, 2, 5));
    })
    .await;
}

#[tokio::test]
async fn p11_times_count_once_however_often_an_entry_is_written_or_priced() {
    both(async |ledger| {
        let batch = [took(5_000, 1_000), took(3_000, 400)];
        ledger.write(&batch).await.unwrap();
        ledger.write(&[batch[0].clone(), took(20, 10), batch[1].clone()]).await.unwrap();
        let kept =
            ledger.entries(&SpendFilter { limit: 1, ..SpendFilter::default() }).await.unwrap().remove(0);
        let change = Repriced { entry: kept, cost: NanoUsd(1), price_version: String::from("new") };
        assert_eq!(ledger.reprice(&[change], &KeepingSettings::default()).await.unwrap(), 1);
        let sums = all(&ledger).await;
        assert_eq!((sums.cost, times(&sums)), (NanoUsd(201), (3, 8_020, 3, 1_410)));
        assert_eq!(counted(&ledger, &[]).await, [(String::from("20000 gpt-4o openai"), vec![3], vec![3])]);
    })
    .await;
}

/// Nobody was answered by the loser of a hedge.
#[tokio::test]
async fn p44_what_was_outrun_has_no_time_of_its_own() {
    both(async |ledger| {
        let loser = Outrun {
            provider: String::from("groq"),
            model: String::from("llama"),
            deployment_id: String::from("d2"),
            cost: NanoUsd(31),
            accounts: Vec::new(),
        };
        ledger.write(&[Entry { outrun: vec![loser], ..took(5_000, 1_000) }]).await.unwrap();
        for of in [Rollup::Keys, Rollup::Tags, Rollup::Customers] {
            let found = rows(&ledger, of, &[Dimension::Provider]).await;
            let told: Vec<_> = found.iter().map(|row| (row.name(0), times(&row.sums))).collect();
            assert_eq!(told, [("groq", (0, 0, 0, 0)), ("openai", (1, 5_000, 1, 1_000))], "{of:?}");
        }
        assert_eq!(counted(&ledger, &[]).await, [(String::from("20000 gpt-4o openai"), vec![1], vec![1])]);
    })
    .await;
}

#[tokio::test]
async fn times_of_a_key_are_those_of_all_texts_that_it_had() {
    both(async |ledger| {
        let [old, new] = ["sk-a", "sk-b"].map(|key| KeyHash::of(key).hex());
        ledger.write(&[took(5_000, 1_000)]).await.unwrap();
        let rename = Change::Rename { kind: RecordKind::Key, from: old, to: new.clone() };
        ledger.commit(&[rename], &[]).await.unwrap();
        let of_new = Entry { key_hash: Some(KeyHash::of("sk-b")), ..took(20, 10) };
        // The second one was under way.
        ledger.write(&[of_new, took(300, 200)]).await.unwrap();
        for of in [Rollup::Keys, Rollup::Tags, Rollup::Customers] {
            let found = rows(&ledger, of, &[Dimension::Key]).await;
            let told: Vec<_> = found.iter().map(|row| (row.name(0), times(&row.sums))).collect();
            assert_eq!(told, [(new.as_str(), (3, 5_320, 3, 1_210))], "{of:?}");
        }
    })
    .await;
}

// --- programs of two versions ---

/// As a program wrote it that knew no times, for the place of `took` and for one of its own.
const EARLIER: &str = "INSERT INTO spend_daily (day, key_hash, user_id, team_id, organization_id, model_group, model, \
    provider, call_type, cost, requests, failures, input_tokens, output_tokens, cache_read, cache_write) \
    VALUES (20000, 'KEY', 'alice', 'team-1', 'org-1', 'gpt-4o', 'gpt-4o', 'openai', 'acompletion', 7, 1, 0, 11, 7, 0, 0), \
        (20000, 'KEY', 'bob', '', '', 'gpt-4o', 'gpt-4o', 'openai', 'acompletion', 7, 1, 0, 11, 7, 0, 0) \
    ON CONFLICT (day, key_hash, user_id, team_id, organization_id, model_group, model, provider, call_type) \
    DO UPDATE SET cost = spend_daily.cost + excluded.cost, requests = spend_daily.requests + excluded.requests";

async fn beside_an_earlier_program(ledger: Ledger, url: &str, before: &'static str) {
    ledger.write(&[took(5_000, 1_000)]).await.unwrap();
    let mut earlier = AnyConnection::connect(url).await.unwrap();
    earlier.execute(before).await.unwrap();
    let text = EARLIER.replace("KEY", &KeyHash::of("sk-a").hex());
    earlier.execute(AssertSqlSafe(text)).await.unwrap();
    earlier.close().await.unwrap();
    ledger.write(&[took(300, 200)]).await.unwrap();
    let told: Vec<_> = rows(&ledger, Rollup::Keys, &[Dimension::User])
        .await
        .iter()
        .map(|row| (row.names[0].clone(), row.sums.requests, times(&row.sums)))
        .collect();
    let expected = [(String::from("alice"), 3, (2, 5_300, 2, 1_200)), (String::from("bob"), 1, (0, 0, 0, 0))];
    assert_eq!(told, expected);
    assert_eq!(counted(&ledger, &[]).await, [(String::from("20000 gpt-4o openai"), vec![2], vec![2])]);
}

#[tokio::test]
async fn p32_a_program_that_knows_no_times_raises_the_same_sums() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(None, dir.path()).await;
    let file = format!("sqlite://{}", dir.path().join("ledger.db").display());
    beside_an_earlier_program(ledger, &file, "SELECT 1").await;

    let Some(server) = std::env::var("WEIR_TEST_POSTGRES_URL").ok().filter(|url| !url.is_empty()) else {
        assert!(!in_ci(), "CI needs WEIR_TEST_POSTGRES_URL");
        println!("skipped: no WEIR_TEST_POSTGRES_URL, so only SQLite was tested");
        return;
    };
    let url = fresh_database(&server).await;
    let ledger = open(Some(url.clone()), dir.path()).await;
    beside_an_earlier_program(ledger, &url, "SET search_path TO weir, public").await;
}
