//! What both ledgers promise of sums.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests may fail loudly, and look at the environment"
)]

#[expect(dead_code, reason = "only entries are needed here")]
mod common;

use common::{both, entry};
use std::collections::HashMap;
use weir_core::config::KeepingSettings;
use weir_core::domain::ids::KeyHash;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::period::WindowBudget;
use weir_core::domain::records::{Budget, Customer, RecordKind, member_id};
use weir_core::domain::spend::{Entry, Outrun, Status};
use weir_core::ports::records::insert;
use weir_core::ports::{
    Change, Dimension, Directory, ResetOf, Rollup, RollupOrder, RollupQuery, SpendFilter, SpendScope,
    SpendStore, Sums,
};
use weir_core::time::Micros;
use weir_ledger::{Ledger, Repriced};

const DAY: i64 = 86_400_000_000;

/// Entries of two days, three keys, two teams and a failure, with tags and customers.
fn mixed() -> Vec<Entry> {
    (0..90_i64)
        .map(|n| Entry {
            started_at: Micros(20_000 * DAY + (n % 2) * DAY + n),
            key_hash: Some(KeyHash::of(&format!("sk-{}", n % 3))),
            team_id: (n % 2 == 0).then(|| format!("team-{}", n % 4)),
            end_user: (n % 5 == 0).then(|| "o'brien".to_owned()),
            tags: if n % 3 == 0 { vec!["a".into(), "b".into()] } else { vec![] },
            status: if n % 10 == 0 { Status::Failure } else { Status::Success },
            ..entry(n * 1_000_003)
        })
        .collect()
}

fn by(of: Rollup, by: &[Dimension]) -> RollupQuery {
    RollupQuery { of, by: by.to_vec(), from: 0, until: 100_000, limit: 1_000, ..RollupQuery::default() }
}

async fn costs(ledger: &Ledger, query: &RollupQuery) -> HashMap<String, i64> {
    let rows = ledger.rollup(query).await.unwrap();
    rows.into_iter().map(|row| (row.names.join(" "), row.sums.cost.0)).collect()
}

fn expected(entries: &[Entry], name: impl Fn(&Entry) -> Option<String>) -> HashMap<String, i64> {
    let mut sums = HashMap::new();
    for entry in entries {
        if let Some(name) = name(entry) {
            *sums.entry(name).or_default() += entry.cost.0;
        }
    }
    sums
}

#[tokio::test]
async fn p10_sums_by_day_are_the_sums_of_the_entries() {
    both(async |ledger| {
        let entries = mixed();
        ledger.write(&entries).await.unwrap();
        let keys = costs(&ledger, &by(Rollup::Keys, &[Dimension::Key])).await;
        assert_eq!(keys, expected(&entries, |e| e.key_hash.map(|h| h.hex())));
        let teams = costs(&ledger, &by(Rollup::Keys, &[Dimension::Day, Dimension::Team])).await;
        let day = |e: &Entry| e.started_at.0 / DAY;
        let team = |e: &Entry| Some(format!("{} {}", day(e), e.team_id.clone().unwrap_or_default()));
        assert_eq!(teams, expected(&entries, team));
        let customers = costs(&ledger, &by(Rollup::Customers, &[Dimension::Customer])).await;
        assert_eq!(customers, expected(&entries, |e| e.end_user.clone()));
        let tags = costs(&ledger, &by(Rollup::Tags, &[Dimension::Tag])).await;
        assert_eq!(tags["a"], expected(&entries, |e| e.tags.first().cloned())["a"]);
        let all = ledger.rollup(&by(Rollup::Keys, &[])).await.unwrap();
        let failures = entries.iter().filter(|e| e.status == Status::Failure).count();
        let Sums { requests, failures: failed, input, .. } = all[0].sums;
        assert_eq!((requests, failed, input), (90, i64::try_from(failures).unwrap(), 90 * 11));
    })
    .await;
}

#[tokio::test]
async fn sums_are_narrowed_ordered_and_cut() {
    both(async |ledger| {
        ledger.write(&mixed()).await.unwrap();
        let first = KeyHash::of("sk-1").hex();
        let only = RollupQuery {
            only: vec![(Dimension::Key, vec![first.clone()])],
            until: 20_000,
            ..by(Rollup::Keys, &[Dimension::Day, Dimension::Key])
        };
        let rows = ledger.rollup(&only).await.unwrap();
        assert_eq!(
            rows.iter().map(|r| r.names.clone()).collect::<Vec<_>>(),
            [[String::from("20000"), first]]
        );
        let dear = RollupQuery { order: RollupOrder::Cost, limit: 2, ..by(Rollup::Keys, &[Dimension::Key]) };
        let rows = ledger.rollup(&dear).await.unwrap();
        assert!(rows.len() == 2 && rows[0].sums.cost > rows[1].sums.cost);
        let none =
            RollupQuery { only: vec![(Dimension::Key, vec![])], ..by(Rollup::Keys, &[Dimension::Key]) };
        assert!(ledger.rollup(&none).await.unwrap().is_empty());
        assert!(ledger.rollup(&by(Rollup::Tags, &[Dimension::Team])).await.is_err(), "tags know no teams");
    })
    .await;
}

#[tokio::test]
async fn p11_what_is_written_again_changes_no_sum() {
    both(async |ledger| {
        let entries = mixed();
        ledger.write(&entries).await.unwrap();
        let before = costs(&ledger, &by(Rollup::Tags, &[Dimension::Tag, Dimension::Key])).await;
        ledger.write(&entries).await.unwrap();
        assert_eq!(costs(&ledger, &by(Rollup::Tags, &[Dimension::Tag, Dimension::Key])).await, before);
        let ids = [String::from("team-0")];
        let spent = ledger.spent(SpendScope::Team, &ids).await.unwrap();
        let of_team = expected(&entries, |e| e.team_id.clone());
        assert_eq!(spent[&ids[0]], NanoUsd(of_team["team-0"]));
    })
    .await;
}

async fn set(ledger: &Ledger, scope: SpendScope, id: Option<&str>, amount: i64) {
    let change = Change::Spent { scope, id: id.map(str::to_owned), amount: NanoUsd(amount) };
    ledger.commit(&[change], &[]).await.unwrap();
}

#[tokio::test]
async fn what_was_spent_is_counted_under_every_scope_and_set_back() {
    both(async |ledger| {
        ledger.write(&[entry(1_500), entry(1)]).await.unwrap();
        let member = member_id("team-1", "alice");
        for (scope, id) in [
            (SpendScope::Key, KeyHash::of("sk-a").hex()),
            (SpendScope::Team, "team-1".into()),
            (SpendScope::User, "alice".into()),
            (SpendScope::Organization, "org-1".into()),
            (SpendScope::Member, member.clone()),
            (SpendScope::Tag, "a".into()),
            (SpendScope::Model, "gpt-4o".into()),
            (SpendScope::Provider, "openai".into()),
            (SpendScope::Deployment, "d1".into()),
        ] {
            let spent = ledger.spent(scope, &[id.clone(), "unknown".into()]).await.unwrap();
            assert_eq!(spent, HashMap::from([(id.clone(), NanoUsd(1_501))]), "{scope:?}");
            set(&ledger, scope, Some(&id), 7).await;
            assert_eq!(ledger.spent(scope, std::slice::from_ref(&id)).await.unwrap()[&id], NanoUsd(7));
        }
        ledger.write(&[entry(3)]).await.unwrap();
        let team = [String::from("team-1")];
        assert_eq!(ledger.spent(SpendScope::Team, &team).await.unwrap()[&team[0]], NanoUsd(10));
        set(&ledger, SpendScope::Team, None, 0).await;
        assert_eq!(ledger.spent(SpendScope::Team, &team).await.unwrap()[&team[0]], NanoUsd::ZERO);
        assert_eq!(
            ledger.total_spend().await.unwrap(),
            NanoUsd(1_504),
            "a reset changes no entry and no day"
        );
        set(&ledger, SpendScope::Key, Some("new"), 5).await;
        let new = [String::from("new")];
        assert_eq!(ledger.spent(SpendScope::Key, &new).await.unwrap()[&new[0]], NanoUsd(5));
    })
    .await;
}

#[tokio::test]
async fn p17_an_account_of_a_period_is_counted_and_forgotten_when_it_is_long_over() {
    both(async |ledger| {
        let account = |end: i64| WindowBudget::account(Some(Micros(end * 1_000_000)), &["k", "gpt-4o"]);
        let (old, new) = (account(1_000), account(2_000));
        for (id, cost) in [(&old, 5), (&new, 7)] {
            let accounts = vec![(SpendScope::KeyModel, id.clone())];
            ledger.write(&[Entry { accounts, ..entry(cost) }]).await.unwrap();
        }
        let both = [old.clone(), new.clone()];
        let spent = ledger.spent(SpendScope::KeyModel, &both).await.unwrap();
        assert_eq!(spent, HashMap::from([(old, NanoUsd(5)), (new.clone(), NanoUsd(7))]));
        assert_eq!(ledger.forget_periods(Micros(1_500 * 1_000_000)).await.unwrap(), 1);
        let spent = ledger.spent(SpendScope::KeyModel, &both).await.unwrap();
        assert_eq!(spent, HashMap::from([(new, NanoUsd(7))]));
        let kept = ledger.entries(&SpendFilter::default()).await.unwrap();
        assert!(
            kept.iter().all(|entry| entry.accounts.len() == 1),
            "an entry knows what it was counted under"
        );
    })
    .await;
}

#[tokio::test]
async fn p44_what_was_outrun_counts_against_its_own_deployment_and_once() {
    both(async |ledger| {
        let account = |id: &str| (SpendScope::ProviderPeriod, id.to_owned());
        let outrun = Outrun {
            provider: String::from("groq"),
            deployment_id: String::from("d2"),
            cost: NanoUsd(30),
            accounts: vec![account("theirs"), account("shared")],
            model: String::from("llama"),
        };
        let accounts = vec![account("ours"), account("shared"), (SpendScope::Gateway, String::from("all"))];
        let written = Entry { accounts, outrun: vec![outrun.clone()], ..entry(100) };
        ledger.write(&[written]).await.unwrap();
        for (scope, id, cost) in [
            (SpendScope::Key, KeyHash::of("sk-a").hex(), 100),
            (SpendScope::Gateway, "all".into(), 100),
            (SpendScope::Provider, "openai".into(), 70),
            (SpendScope::Deployment, "d1".into(), 70),
            (SpendScope::ProviderPeriod, "ours".into(), 70),
            (SpendScope::Provider, "groq".into(), 30),
            (SpendScope::Deployment, "d2".into(), 30),
            (SpendScope::ProviderPeriod, "theirs".into(), 30),
            (SpendScope::ProviderPeriod, "shared".into(), 100),
        ] {
            let spent = ledger.spent(scope, std::slice::from_ref(&id)).await.unwrap();
            assert_eq!(spent, HashMap::from([(id, NanoUsd(cost))]), "{scope:?}");
        }
        let kept = ledger.entries(&SpendFilter::default()).await.unwrap();
        assert_eq!(kept[0].outrun, [outrun], "an entry knows what was outrun");
    })
    .await;
}

/// A loser's cost stands in the days of its own provider, also when the winner is re-priced.
#[tokio::test]
async fn p44_p51_days_of_providers_add_up_to_the_nano_dollar() {
    both(async |ledger| {
        let outrun = Outrun {
            provider: String::from("groq"),
            deployment_id: String::from("d2"),
            cost: NanoUsd(31),
            accounts: Vec::new(),
            model: String::from("llama"),
        };
        let written =
            Entry { outrun: vec![outrun], tags: vec!["t".into()], end_user: Some("c".into()), ..entry(100) };
        ledger.write(&[written]).await.unwrap();
        let days = async |of: Rollup| {
            let found = ledger.rollup(&by(of, &[Dimension::Provider])).await.unwrap();
            let mut told: Vec<(String, i64, i64)> =
                found.iter().map(|row| (row.names[0].clone(), row.sums.cost.0, row.sums.requests)).collect();
            told.sort();
            told
        };
        let is = |winner: i64| vec![("groq".to_owned(), 31, 0), ("openai".to_owned(), winner, 1)];
        let by_model = by(Rollup::Keys, &[Dimension::Provider, Dimension::Model]);
        let mut models: Vec<String> =
            ledger.rollup(&by_model).await.unwrap().iter().map(|row| row.names.join("/")).collect();
        models.sort();
        assert_eq!(models, ["groq/llama", "openai/gpt-4o"], "each under its own");
        for of in [Rollup::Keys, Rollup::Tags, Rollup::Customers] {
            assert_eq!(days(of).await, is(69), "{of:?}");
        }
        let kept = ledger.entries(&SpendFilter::default()).await.unwrap().remove(0);
        let change = Repriced { entry: kept, cost: NanoUsd(238), price_version: String::from("new") };
        assert_eq!(ledger.reprice(&[change], &KeepingSettings::default()).await.unwrap(), 1);
        for of in [Rollup::Keys, Rollup::Tags, Rollup::Customers] {
            assert_eq!(days(of).await, is(207), "{of:?}");
        }
        let kept = ledger.entries(&SpendFilter::default()).await.unwrap().remove(0);
        assert_eq!((kept.cost, kept.own_cost()), (NanoUsd(238), NanoUsd(207)));
    })
    .await;
}

/// As with the entries themselves, where the operator holds nobody to budgets.
#[tokio::test]
async fn p51_another_price_counts_against_no_budget_where_spend_is_not_updated() {
    both(async |ledger| {
        ledger.write(&[entry(100)]).await.unwrap();
        for (without_budgets, cost, counted) in [(true, 900, 100), (false, 1_000, 200)] {
            let entry = ledger.entries(&SpendFilter::default()).await.unwrap().remove(0);
            let change = Repriced { entry, cost: NanoUsd(cost), price_version: String::from("new") };
            let keeping = KeepingSettings { without_budgets, ..KeepingSettings::default() };
            assert_eq!(ledger.reprice(&[change], &keeping).await.unwrap(), 1);
            assert_eq!(spent_by_key(&ledger, "sk-a").await, Some(NanoUsd(counted)));
            assert_eq!(ledger.total_spend().await.unwrap(), NanoUsd(cost), "days are what entries are");
        }
    })
    .await;
}

#[tokio::test]
async fn days_are_told_page_by_page_the_latest_first() {
    both(async |ledger| {
        ledger.write(&mixed()).await.unwrap();
        let query = by(Rollup::Keys, &[Dimension::Day, Dimension::ModelGroup, Dimension::Key]);
        let all = ledger.rollup(&RollupQuery { order: RollupOrder::Latest, ..query.clone() }).await.unwrap();
        assert!(all.len() > 2, "{all:?}");
        assert_eq!(ledger.rollup_rows(&query).await.unwrap(), all.len() as u64);
        let page = |skip| RollupQuery { order: RollupOrder::Latest, limit: 2, skip, ..query.clone() };
        let mut paged = ledger.rollup(&page(0)).await.unwrap();
        for skip in (2..all.len() as u32).step_by(2) {
            paged.extend(ledger.rollup(&page(skip)).await.unwrap());
        }
        assert_eq!(paged, all);
        let first = all[0].names[2].clone();
        let without = RollupQuery { except: vec![(Dimension::Key, vec![first.clone()])], ..query };
        let rest = ledger.rollup(&without).await.unwrap();
        assert!(!rest.is_empty() && rest.iter().all(|row| row.names[2] != first), "{rest:?}");
    })
    .await;
}

async fn rename(ledger: &Ledger, from: &str, to: &str) {
    let (from, to) = (KeyHash::of(from).hex(), KeyHash::of(to).hex());
    ledger.commit(&[Change::Rename { kind: RecordKind::Key, from, to }], &[]).await.unwrap();
}

async fn spent_by_key(ledger: &Ledger, key: &str) -> Option<NanoUsd> {
    let id = KeyHash::of(key).hex();
    ledger.spent(SpendScope::Key, std::slice::from_ref(&id)).await.unwrap().get(&id).copied()
}

#[tokio::test]
async fn what_is_booked_under_a_keys_old_text_counts_under_its_new_one() {
    both(async |ledger| {
        ledger.write(&[entry(100)]).await.unwrap();
        rename(&ledger, "sk-a", "sk-b").await;
        ledger.write(&[entry(5)]).await.unwrap(); // was under way
        assert_eq!(spent_by_key(&ledger, "sk-b").await, Some(NanoUsd(105)));
        assert_eq!(spent_by_key(&ledger, "sk-a").await, None);
        rename(&ledger, "sk-b", "sk-c").await;
        ledger.write(&[entry(1)]).await.unwrap();
        assert_eq!(spent_by_key(&ledger, "sk-c").await, Some(NanoUsd(106)));
        set(&ledger, SpendScope::Key, Some(&KeyHash::of("sk-c").hex()), 7).await;
        assert_eq!(spent_by_key(&ledger, "sk-c").await, Some(NanoUsd(7)));
        ledger.write(&[entry(2)]).await.unwrap();
        rename(&ledger, "sk-c", "sk-a").await; // back to the first text
        ledger.write(&[entry(3)]).await.unwrap();
        assert_eq!(spent_by_key(&ledger, "sk-a").await, Some(NanoUsd(12)));
    })
    .await;
}

#[tokio::test]
async fn entries_are_found_by_everything_that_is_asked_for() {
    both(async |ledger| {
        let entries = mixed();
        ledger.write(&entries).await.unwrap();
        let found = async |filter: SpendFilter| {
            let filter = SpendFilter { limit: 10_000, ..filter };
            let rows = ledger.entries(&filter).await.unwrap();
            assert_eq!(ledger.count(&filter, 1_000).await.unwrap(), rows.len() as u64);
            rows.len()
        };
        let all = SpendFilter::default;
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(found(all()).await, 90);
        assert_eq!(found(SpendFilter { team_id: text("team-2"), ..all() }).await, 22);
        assert_eq!(found(SpendFilter { end_user: text("o'brien"), ..all() }).await, 18);
        assert_eq!(found(SpendFilter { status: Some(Status::Failure), ..all() }).await, 9);
        assert_eq!(found(SpendFilter { http_status: Some(200), ..all() }).await, 90);
        for none in [20, 2000, 404] {
            assert_eq!(found(SpendFilter { http_status: Some(none), ..all() }).await, 0, "{none}");
        }
        assert_eq!(found(SpendFilter { organization_id: text("org-1"), ..all() }).await, 90);
        assert_eq!(found(SpendFilter { session_id: text("x' OR '1'='1"), ..all() }).await, 0);
        assert_eq!(found(SpendFilter { model: text("gpt-4o"), ..all() }).await, 90);
        let cheap = SpendFilter { max_cost: Some(NanoUsd(4 * 1_000_003)), ..all() };
        assert_eq!(found(cheap).await, 5);
        assert_eq!(ledger.count(&SpendFilter::default(), 10).await.unwrap(), 10, "counted as far as asked");
    })
    .await;
}

#[tokio::test]
async fn pages_by_the_last_entry_have_no_gaps_and_no_repeats() {
    both(async |ledger| {
        ledger.write(&mixed()).await.unwrap();
        let (mut before, mut seen) = (None, Vec::new());
        loop {
            let filter = SpendFilter { before, limit: 7, ..SpendFilter::default() };
            let page = ledger.entries(&filter).await.unwrap();
            let Some(last) = page.last() else { break };
            before = Some((last.started_at, last.id));
            seen.extend(page.into_iter().map(|e| (e.started_at, e.id)));
            // What is booked meanwhile is newer than all pages.
            ledger.write(&[entry(1)]).await.unwrap();
        }
        let mut sorted = seen.clone();
        sorted.sort();
        sorted.reverse();
        sorted.dedup();
        assert_eq!(seen, sorted);
        assert_eq!(seen.len(), 90);
    })
    .await;
}

/// Small in everyday runs; ten thousand keys where guarantees are proven.
#[tokio::test]
async fn p9_four_writers_of_the_same_keys_lose_nothing() {
    let keys: i64 = if std::env::var("WEIR_SCALE").is_ok_and(|scale| scale == "full") { 10_000 } else { 200 };
    both(async |ledger| {
        let writers = (0..4).map(|writer: i64| {
            let ledger = ledger.clone();
            tokio::spawn(async move {
                let batch: Vec<Entry> = (0..keys)
                    .map(|n| {
                        // Every writer meets the keys in another order.
                        let key = (n * 7 + writer * 31) % keys;
                        Entry { key_hash: Some(KeyHash::of(&format!("sk-{key}"))), ..entry(1_000 + key) }
                    })
                    .collect();
                for some in batch.chunks(128) {
                    ledger.write(some).await.unwrap();
                }
            })
        });
        for writer in writers.collect::<Vec<_>>() {
            writer.await.unwrap();
        }
        let ids: Vec<String> = (0..keys).map(|n| KeyHash::of(&format!("sk-{n}")).hex()).collect();
        let spent = ledger.spent(SpendScope::Key, &ids).await.unwrap();
        for (n, id) in (0..keys).zip(&ids) {
            assert_eq!(spent[id], NanoUsd(4 * (1_000 + n)));
        }
        let sum: i64 = (0..keys).map(|n| 4 * (1_000 + n)).sum();
        assert_eq!(ledger.total_spend().await.unwrap(), NanoUsd(sum));
    })
    .await;
}

#[tokio::test]
async fn p17_what_was_admitted_before_a_reset_counts_for_the_period_before_it() {
    both(async |ledger| {
        ledger.write(&[entry(1_000)]).await.unwrap();
        let late = entry(20);
        let team = [String::from("team-1")];
        let at = weir_core::time::now();
        let of = ResetOf::Id(team[0].clone());
        ledger.commit(&[Change::Reset { scope: SpendScope::Team, of, at }], &[]).await.unwrap();
        let spent = async || ledger.spent(SpendScope::Team, &team).await.unwrap()[&team[0]];
        assert_eq!(spent().await, NanoUsd::ZERO);
        let mut young = entry(3);
        young.started_at = Micros(at.0 + 1);
        ledger.write(&[late, young]).await.unwrap();
        assert_eq!(spent().await, NanoUsd(3), "only what began after it");
        let user = [String::from("alice")];
        assert_eq!(ledger.spent(SpendScope::User, &user).await.unwrap()[&user[0]], NanoUsd(1_023));
        assert_eq!(ledger.total_spend().await.unwrap(), NanoUsd(1_023));
    })
    .await;
}

#[tokio::test]
async fn p17_a_budget_begins_again_for_all_whom_it_limits() {
    both(async |ledger| {
        let customer = |id: &str, budget: &str| Customer {
            id: id.into(),
            budget_id: Some(budget.into()),
            ..Customer::default()
        };
        for (id, budget) in [("c1", "short"), ("c2", "short"), ("c3", "long")] {
            let made = insert(&customer(id, budget), weir_core::time::now(), None).unwrap();
            ledger.commit(&[made], &[]).await.unwrap();
            let mut one = entry(5);
            one.end_user = Some(id.into());
            ledger.write(&[one]).await.unwrap();
        }
        let reset = Change::Reset {
            scope: SpendScope::Customer,
            of: ResetOf::Budget("short".into()),
            at: weir_core::time::now(),
        };
        ledger.commit(&[reset], &[]).await.unwrap();
        let ids = ["c1", "c2", "c3"].map(String::from);
        let spent = ledger.spent(SpendScope::Customer, &ids).await.unwrap();
        let told: Vec<i64> = ids.iter().map(|id| spent[id].0).collect();
        assert_eq!(told, [0, 0, 5]);
    })
    .await;
}

#[tokio::test]
async fn p17_a_budget_for_all_others_begins_anew_for_whom_nobody_knows() {
    both(async |ledger| {
        let budget = Budget { id: "own".into(), ..Budget::default() };
        let of = |id: &str, budget: Option<&str>| Customer {
            id: id.into(),
            budget_id: budget.map(str::to_owned),
            ..Customer::default()
        };
        let now = weir_core::time::now();
        let made = [insert(&budget, now, None), insert(&of("known", None), now, None)];
        let made = made.into_iter().chain([insert(&of("budgeted", Some("own")), now, None)]);
        let made: Vec<Change> = made.map(Result::unwrap).collect();
        ledger.commit(&made, &[]).await.unwrap();
        let ids = ["known", "budgeted", "stranger"].map(String::from);
        for id in &ids {
            ledger.write(&[Entry { end_user: Some(id.clone()), ..entry(5) }]).await.unwrap();
        }
        let reset = Change::Reset { scope: SpendScope::Customer, of: ResetOf::Rest, at: now };
        ledger.commit(&[reset], &[]).await.unwrap();
        let spent = ledger.spent(SpendScope::Customer, &ids).await.unwrap();
        let told: Vec<i64> = ids.iter().map(|id| spent[id].0).collect();
        assert_eq!(told, [0, 5, 0]);
    })
    .await;
}

#[tokio::test]
async fn p30_reports_that_hang_keep_no_request_waiting() {
    use sqlx::{Connection, Executor};
    let Some(server) = std::env::var("WEIR_TEST_POSTGRES_URL").ok().filter(|url| !url.is_empty()) else {
        assert!(!common::in_ci(), "CI needs WEIR_TEST_POSTGRES_URL");
        return println!("skipped: no WEIR_TEST_POSTGRES_URL");
    };
    let url = common::fresh_database(&server).await;
    let dir = tempfile::tempdir().unwrap();
    let ledger = common::open(Some(url.clone()), dir.path()).await;
    let mut blocker = sqlx::PgConnection::connect(&url).await.unwrap();
    blocker.execute("BEGIN; LOCK TABLE weir.spend_daily IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let reports = ledger.share(weir_ledger::Asker::Reports);
    let hanging: Vec<_> = (0..20)
        .map(|_| {
            let reports = reports.clone();
            tokio::spawn(async move { reports.total_spend().await })
        })
        .collect();
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let team = [String::from("team-1")];
    let quick =
        tokio::time::timeout(std::time::Duration::from_secs(2), ledger.spent(SpendScope::Team, &team));
    assert!(quick.await.is_ok_and(|spent| spent.is_ok()), "the connections of requests are free");
    assert!(hanging.iter().all(|report| !report.is_finished()));
    hanging.iter().for_each(tokio::task::JoinHandle::abort);
}
