//! Moving in from LiteLLM, and out again: a database made of LiteLLM's tables with rows of every kind.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests may fail loudly, and look at the environment"
)]

#[expect(dead_code, reason = "ledgers are made here")]
mod common;
#[path = "litellm/rig.rs"]
mod rig;

use common::{entry, open};
use rig::{DDL, FILL, LiteLlm, all, counts, server, spent, total};
use std::collections::BTreeMap;
use std::sync::Arc;
use tempfile::TempDir;
use weir_core::domain::ids::KeyHash;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::records::{
    Credential, ModelRecord, RecordKind, Role, Setting, TeamRole, User, member_id,
};
use weir_core::domain::spend::{Entry, Status};
use weir_core::ports::records::get;
use weir_core::ports::{
    AuditQuery, Dimension, Directory, KeyLookup, RecordQuery, Rollup, RollupQuery, Sort, SpendFilter,
    SpendScope, SpendStore,
};
use weir_ledger::litellm::{export, is_first_start};
use weir_ledger::{CacheOptions, KeyCache, Ledger};

// --- in ---

#[tokio::test]
async fn p41_a_dry_run_tells_what_an_import_does_and_changes_nothing() {
    all(async |litellm, ledger| {
        let before = litellm.checksums().await;
        assert!(is_first_start(&ledger, &litellm.place()).await.unwrap());
        let dry = litellm.import(&ledger, true).await;
        for kind in [RecordKind::Key, RecordKind::Team, RecordKind::Budget, RecordKind::Model] {
            assert_eq!(total(&ledger, kind).await, 0);
        }
        assert_eq!(ledger.count(&SpendFilter::default(), 10).await.unwrap(), 0);
        assert_eq!(ledger.total_spend().await.unwrap(), NanoUsd::ZERO);
        let wet = litellm.import(&ledger, false).await;
        assert_eq!(counts(&dry), counts(&wet));
        assert_eq!(litellm.checksums().await, before, "nothing was changed in LiteLLM's tables");
        assert!(!is_first_start(&ledger, &litellm.place()).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn p41_every_table_is_told_of_and_a_second_import_takes_nothing() {
    all(async |litellm, ledger| {
        let report = litellm.import(&ledger, false).await;
        let counts = counts(&report);
        for (table, expected) in [
            ("LiteLLM_BudgetTable", (3, 2, 0, 1)),
            ("LiteLLM_OrganizationTable", (1, 1, 0, 0)),
            ("LiteLLM_UserTable", (4, 4, 0, 0)),
            ("LiteLLM_OrganizationMembership", (2, 2, 0, 0)),
            ("LiteLLM_TeamTable", (2, 2, 0, 0)),
            ("LiteLLM_TeamTable.members_with_roles", (1, 1, 0, 0)),
            ("LiteLLM_TeamMembership", (3, 2, 0, 1)),
            ("LiteLLM_VerificationToken", (7, 4, 0, 3)),
            ("LiteLLM_EndUserTable", (2, 2, 0, 0)),
            ("LiteLLM_TagTable", (1, 1, 0, 0)),
            ("LiteLLM_ProxyModelTable", (2, 1, 0, 1)),
            ("LiteLLM_CredentialsTable", (1, 1, 0, 0)),
            ("LiteLLM_Config", (2, 2, 0, 0)),
            ("LiteLLM_InvitationLink", (1, 1, 0, 0)),
            ("LiteLLM_AuditLog", (2, 2, 0, 0)),
            ("LiteLLM_DeletedVerificationToken", (1, 1, 0, 0)),
            ("LiteLLM_SpendLogs", (2_503, 2_502, 0, 1)),
            ("LiteLLM_DailyUserSpend", (22, 8, 0, 14)),
            ("LiteLLM_DailyTagSpend", (2, 1, 0, 1)),
            ("LiteLLM_DailyTeamSpend", (10, 0, 0, 10)),
            ("LiteLLM_ModelTable", (1, 0, 0, 1)),
            ("LiteLLM_HealthCheckTable", (1, 0, 0, 1)),
            ("LiteLLM_OfTheFuture", (1, 0, 0, 1)),
        ] {
            assert_eq!(counts[table], expected, "{table}");
        }
        let told = report.to_string();
        for part in [
            "LiteLLM_VerificationToken: 4 of 7 taken",
            "a session of LiteLLM's UI",
            "On 1 days since 2026-10-20",
        ] {
            assert!(told.contains(part), "{told}");
        }
        let sum = ledger.total_spend().await.unwrap();
        assert_eq!(litellm.import(&ledger, false).await.taken(), 0);
        assert_eq!(ledger.total_spend().await.unwrap(), sum);
    })
    .await;
}

#[tokio::test]
async fn p41_keys_keep_working() {
    all(async |litellm, ledger| {
        litellm.import(&ledger, false).await;
        let cache = KeyCache::new(Arc::new(ledger.clone()), CacheOptions::default());
        let known = cache.lookup(&KeyHash::of("sk-alice-0001")).await.unwrap().unwrap();
        assert_eq!(known.role(), Some(Role::InternalUser));
        let team = known.team.as_ref().unwrap();
        assert_eq!(
            (team.alias.as_deref(), &team.model_aliases["fast"]),
            (Some("Red"), &"gpt-4o-mini".into())
        );
        let member = known.member.as_ref().unwrap();
        assert_eq!((member.role, member.budget_id.as_deref()), (TeamRole::Admin, Some("b-member")));
        assert_eq!(
            known.organization.as_ref().unwrap().metadata,
            r#"{"cost_center": 18446744073709551616.10}"#
        );
        assert_eq!(known.memberships[0].role, Role::OrgAdmin);
        let key = &known.key;
        assert_eq!((key.limits.max_budget, key.limits.rpm_limit), (Some(NanoUsd(10_500_000_000)), Some(5)));
        assert_eq!((key.models.as_slice(), key.rotation.count), (&["gpt-4o".to_owned()][..], 2));
        assert!(known.sees_spend() && !key.blocked && key.extra.contains_key("object_permission"));
        assert!(cache.lookup(&KeyHash::of("sk-bob-0002")).await.unwrap().unwrap().key.blocked);
        let expired = cache.lookup(&KeyHash::of("sk-carol-0003")).await.unwrap().unwrap();
        assert!(expired.key.expired(weir_core::time::now()));
        assert!(cache.lookup(&KeyHash::of("sk-endless")).await.unwrap().is_none(), "NaN is no limit");
    })
    .await;
}

#[tokio::test]
async fn aliases_of_several_keys_are_told_apart() {
    all(async |litellm, ledger| {
        litellm.import(&ledger, false).await;
        let page =
            ledger.list(RecordKind::Key, &RecordQuery { limit: 10, ..RecordQuery::default() }).await.unwrap();
        let mut aliases: Vec<String> =
            page.records.into_iter().filter_map(|key| key.columns[0].clone()).collect();
        aliases.sort();
        let short = &KeyHash::of("sk-carol-0003").hex()[..8];
        assert_eq!(aliases, ["alice-key".to_owned(), "shared".to_owned(), format!("shared ({short})")]);
    })
    .await;
}

#[tokio::test]
async fn p41_budgets_go_on_where_they_stood() {
    all(async |litellm, ledger| {
        litellm.import(&ledger, false).await;
        let (alice, service) = (KeyHash::of("sk-alice-0001").hex(), KeyHash::of("sk-service-0004").hex());
        let members = [member_id("red", "alice"), member_id("red", "bob")];
        for (scope, id, nanos) in [
            (SpendScope::Key, alice.as_str(), 300_000_000),
            (SpendScope::Key, service.as_str(), 123_456_789_123_456_790),
            (SpendScope::Team, "red", 97_500),
            (SpendScope::User, "alice", 1_234_567_891),
            (SpendScope::Member, members[0].as_str(), 300_000_000),
            (SpendScope::Member, members[1].as_str(), 2),
            (SpendScope::Organization, "acme", 12_500_000_000),
            (SpendScope::Customer, "cust-1", 250_000_000),
            (SpendScope::Tag, "a", 500_000_000),
            (SpendScope::Model, "gpt-4o", 0),
        ] {
            assert_eq!(spent(&ledger, scope, id).await, NanoUsd(nanos), "{scope:?} {id}");
        }
        let new = Entry { key_hash: KeyHash::from_hex(&alice), team_id: Some("red".into()), ..entry(5) };
        ledger.write(&[new]).await.unwrap();
        litellm.import(&ledger, false).await;
        assert_eq!(
            spent(&ledger, SpendScope::Key, &alice).await,
            NanoUsd(300_000_005),
            "what is spent here counts on"
        );
        assert_eq!(spent(&ledger, SpendScope::Team, "red").await, NanoUsd(97_505));
    })
    .await;
}

#[tokio::test]
async fn reports_show_all_logs_once_and_the_days_before_them() {
    all(async |litellm, ledger| {
        litellm.import(&ledger, false).await;
        let logs = litellm.nanos("LiteLLM_SpendLogs", "TRUE").await;
        let days = litellm.nanos("LiteLLM_DailyUserSpend", "date < '2026-10-20'").await;
        assert_eq!(ledger.total_spend().await.unwrap(), logs + days);
        let by =
            |of, by| RollupQuery { of, by, from: 0, until: 100_000, limit: 1_000, ..RollupQuery::default() };
        let teams = ledger.rollup(&by(Rollup::Keys, vec![Dimension::Team])).await.unwrap();
        let red = teams.iter().find(|row| row.name(0) == "red").unwrap();
        let team = litellm.nanos("LiteLLM_SpendLogs", "team_id = 'red'").await
            + litellm.nanos("LiteLLM_DailyTeamSpend", "date < '2026-10-20'").await;
        assert_eq!(red.sums.cost, team);
        let tags = ledger.rollup(&by(Rollup::Tags, vec![Dimension::Day, Dimension::Tag])).await.unwrap();
        assert_eq!(
            (tags[0].names.clone(), tags[0].sums.cost),
            (vec!["20744".into(), "a".into()], NanoUsd(200_000_000))
        );
        let filter =
            SpendFilter { request_id: Some("chatcmpl-10".into()), limit: 9, ..SpendFilter::default() };
        let found = ledger.entries(&filter).await.unwrap();
        assert_eq!((found.len(), found[0].status, found[0].http_status), (1, Status::Failure, 429));
    })
    .await;
}

/// Of 2,500 logs 250 are failures and 50 came from the cache; two more have a second together. LiteLLM's own sums have no times.
#[tokio::test]
async fn reports_show_how_long_it_took_where_there_are_logs() {
    all(async |litellm, ledger| {
        litellm.import(&ledger, false).await;
        litellm.import(&ledger, false).await;
        let query = RollupQuery { until: 100_000, limit: 1, ..RollupQuery::default() };
        let sums = ledger.rollup(&query).await.unwrap()[0].sums;
        assert_eq!((sums.timed, sums.took), (2_202, 2_200 * 405_000 + 1_000_000));
        assert_eq!((sums.streamed, sums.first_token), (1_000, 1_000 * 100_000));
        // The 19th of October has no logs.
        let before = ledger.rollup(&RollupQuery { until: 20_745, ..query }).await.unwrap()[0].sums;
        assert!(before.requests > 0 && before.timed == 0 && before.took == 0, "{before:?}");
    })
    .await;
}

#[tokio::test]
async fn secrets_are_opened_and_sealed_anew() {
    all(async |litellm, ledger| {
        litellm.import(&ledger, false).await;
        let model = get::<ModelRecord>(&ledger, "m-1").await.unwrap().unwrap();
        let params =
            r#"{"api_key":"sk-provider","input_cost_per_token":0.0000025,"model":"openai/gpt-4o","rpm":5}"#;
        assert_eq!(model.sealed_params, format!("model m-1 {params}"));
        assert_eq!((model.team_id.as_deref(), model.info.as_str()), (Some("red"), r#"{"team_id":"red"}"#));
        let credential = get::<Credential>(&ledger, "openai").await.unwrap().unwrap();
        assert_eq!(credential.sealed_values, r#"credential openai {"api_key":"sk-credential"}"#);
        let variables = get::<Setting>(&ledger, "environment_variables").await.unwrap().unwrap();
        let sealed = r#"setting environment_variables {"OPENAI_API_KEY":"sk-environment"}"#;
        assert_eq!(variables.value, sealed);
        let carol = get::<User>(&ledger, "carol").await.unwrap().unwrap();
        assert_eq!(carol.password_hash.as_deref(), Some("hash of letmein"));
        let audit = ledger.audit(&AuditQuery { limit: 10, ..AuditQuery::default() }).await.unwrap();
        assert_eq!(audit.total, 4);
        assert!(audit.entries.iter().all(|entry| !entry.after.contains("api_key")), "{audit:?}");
    })
    .await;
}

#[tokio::test]
async fn p41_two_imports_at_the_same_time_take_everything_once() {
    let Some(server) = server() else { return };
    let litellm = LiteLlm::new(&server, &[DDL, FILL]).await;
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(Some(litellm.url.clone()), dir.path()).await;
    tokio::join!(litellm.import(&ledger, false), litellm.import(&ledger, false));
    let logs = litellm.nanos("LiteLLM_SpendLogs", "TRUE").await;
    let days = litellm.nanos("LiteLLM_DailyUserSpend", "date < '2026-10-20'").await;
    assert_eq!(ledger.total_spend().await.unwrap(), logs + days);
    assert_eq!(spent(&ledger, SpendScope::Team, "red").await, NanoUsd(97_500));
}

// --- views ---

/// Columns of views that are none of LiteLLM's, and LiteLLM's that its views lack, by name and type.
const DIFFERENCES: &str = "WITH ours AS (SELECT table_name, column_name, udt_name, datetime_precision \
        FROM information_schema.columns WHERE table_schema = 'litellm' AND starts_with(table_name, 'LiteLLM_') \
        AND table_name <> 'LiteLLM_VerificationTokenView'), \
    theirs AS (SELECT table_name, column_name, udt_name, datetime_precision FROM information_schema.columns \
        WHERE table_schema = 'public' AND table_name IN (SELECT table_name FROM ours)) \
    SELECT CAST(json_agg(d) AS TEXT) FROM ((TABLE ours EXCEPT TABLE theirs) UNION ALL (TABLE theirs EXCEPT TABLE ours)) d";

/// Keys that say the same in both, amounts to the nano-dollar.
const SAME_KEYS: &str = "SELECT CAST(COUNT(*) AS TEXT) FROM litellm.\"LiteLLM_VerificationToken\" v \
    JOIN public.\"LiteLLM_VerificationToken\" t ON t.token = v.token WHERE ABS(v.spend - t.spend) < 1e-9 \
    AND v.expires IS NOT DISTINCT FROM t.expires AND v.models = t.models AND v.metadata = t.metadata \
    AND v.max_budget IS NOT DISTINCT FROM t.max_budget AND v.budget_reset_at IS NOT DISTINCT FROM t.budget_reset_at \
    AND v.permissions = t.permissions AND v.created_at = t.created_at AND v.team_id IS NOT DISTINCT FROM t.team_id \
    AND v.max_parallel_requests IS NOT DISTINCT FROM t.max_parallel_requests";

#[tokio::test]
async fn views_are_litellms_tables() {
    let Some(server) = server() else { return };
    let litellm = LiteLlm::new(&server, &[DDL, FILL]).await;
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(Some(litellm.url.clone()), dir.path()).await;
    litellm.import(&ledger, false).await;
    assert_eq!(litellm.ask(DIFFERENCES).await, "");
    assert_eq!(litellm.ask(SAME_KEYS).await, "4");
    let names = "SELECT CAST(json_agg(viewname) AS TEXT) FROM pg_views WHERE schemaname = 'litellm'";
    let names: Vec<String> = serde_json::from_str(&litellm.ask(names).await).unwrap();
    assert!(names.len() > 30, "{names:?}");
    for name in names {
        let whole = format!("SELECT md5(string_agg(CAST(v AS TEXT), '')) FROM litellm.\"{name}\" v");
        litellm.ask(&whole).await;
    }
    let sum = "SELECT CAST(CAST(SUM(ROUND(CAST(CAST(spend AS TEXT) AS NUMERIC), 9)) * 1000000000 AS BIGINT) AS TEXT) \
        FROM litellm.\"LiteLLM_SpendLogs\"";
    let logs = litellm.nanos("LiteLLM_SpendLogs", "TRUE").await;
    assert_eq!(litellm.ask(sum).await, logs.0.to_string());
    ledger.write(&[Entry { cache_key: Some(String::from("k1")), ..entry(1) }]).await.unwrap();
    for (key, count) in [("'k1'", "1"), ("'Cache OFF'", "2502"), ("''", "0")] {
        let keys = "SELECT CAST(COUNT(*) AS TEXT) FROM litellm.\"LiteLLM_SpendLogs\" WHERE cache_key = ";
        assert_eq!(litellm.ask(&format!("{keys}{key}")).await, count, "{key}");
    }
}

// --- out ---

/// What is kept of a kind: documents by id, with what was spent.
async fn kept(
    ledger: &Ledger,
    kind: RecordKind,
    scope: Option<SpendScope>,
) -> BTreeMap<String, (serde_json::Value, NanoUsd)> {
    let query = RecordQuery { limit: 100, sort: Sort::Id, ..RecordQuery::default() };
    let mut kept = BTreeMap::new();
    for record in ledger.list(kind, &query).await.unwrap().records {
        let mut document: serde_json::Value = serde_json::from_str(&record.document).unwrap();
        // Nobody can write these back.
        document.as_object_mut().unwrap().remove("password_hash");
        let amount = match scope {
            Some(scope) => spent(ledger, scope, &record.id).await,
            None => NanoUsd::ZERO,
        };
        kept.insert(record.id, (document, amount));
    }
    kept
}

async fn entries(ledger: &Ledger) -> Vec<Entry> {
    ledger.entries(&SpendFilter { limit: 10_000, ..SpendFilter::default() }).await.unwrap()
}

#[tokio::test]
async fn p41_what_goes_back_comes_in_again_as_it_was() {
    let server = server();
    all(async |litellm, ledger| {
        litellm.import(&ledger, false).await;
        let other = LiteLlm::new(server.as_deref().unwrap(), &[DDL]).await;
        let report = export(&ledger, &other.place()).await.unwrap();
        assert!(report.tables.iter().all(|table| table.refused.is_empty()), "{report}");
        let (dir, again) = second().await;
        other.import(&again, false).await;
        for (kind, scope) in [
            (RecordKind::Key, Some(SpendScope::Key)),
            (RecordKind::Team, Some(SpendScope::Team)),
            (RecordKind::Member, Some(SpendScope::Member)),
            (RecordKind::User, Some(SpendScope::User)),
            (RecordKind::Organization, Some(SpendScope::Organization)),
            (RecordKind::OrganizationMember, None),
            (RecordKind::Customer, Some(SpendScope::Customer)),
            (RecordKind::Budget, None),
            (RecordKind::Tag, Some(SpendScope::Tag)),
        ] {
            assert_eq!(kept(&again, kind, scope).await, kept(&ledger, kind, scope).await, "{kind:?}");
        }
        assert_eq!(entries(&again).await, entries(&ledger).await);
        assert_eq!(again.total_spend().await.unwrap(), litellm.nanos("LiteLLM_SpendLogs", "TRUE").await);
        drop(dir);
    })
    .await;
}

async fn second() -> (TempDir, Ledger) {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(None, dir.path()).await;
    (dir, ledger)
}

#[tokio::test]
async fn p41_going_back_adds_what_was_spent_here() {
    let Some(server) = server() else { return };
    let litellm = LiteLlm::new(&server, &[DDL, FILL]).await;
    let (dir, ledger) = second().await;
    litellm.import(&ledger, false).await;
    let logs = litellm.nanos("LiteLLM_SpendLogs", "TRUE").await;
    let alice = KeyHash::of("sk-alice-0001");
    ledger.write(&[Entry { key_hash: Some(alice), ..entry(2_000) }]).await.unwrap();
    for new in [1, 0] {
        let report = export(&ledger, &litellm.place()).await.unwrap();
        assert_eq!(report.table("LiteLLM_SpendLogs").unwrap().taken, new);
        assert_eq!(litellm.nanos("LiteLLM_SpendLogs", "TRUE").await, logs + NanoUsd(2_000));
        let key = format!("token = '{}'", alice.hex());
        assert_eq!(litellm.nanos("LiteLLM_VerificationToken", &key).await, NanoUsd(300_002_000));
        let day = "endpoint = '' AND user_id = 'alice'";
        assert_eq!(litellm.nanos("LiteLLM_DailyUserSpend", day).await, NanoUsd(2_000));
    }
    let left = litellm.ask("SELECT CAST(COUNT(*) AS TEXT) FROM \"LiteLLM_VerificationToken\"").await;
    assert_eq!(left, "7", "what Weir did not take stays");
    drop(dir);
}
