//! What both ledgers promise of records.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests may fail loudly, and look at the environment"
)]

#[expect(dead_code, reason = "only records are needed here")]
mod common;

use common::{both, key};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use weir_core::domain::ids::KeyHash;
use weir_core::domain::key::KeyRecord;
use weir_core::domain::records::{
    FormerKey, Kept, Member, OrganizationMember, Record, RecordKind, Role, Session, SignedBy, Team, User,
};
use weir_core::ports::records::{delete, get, insert, list, update};
use weir_core::ports::{
    AuditEntry, AuditQuery, AuditSort, Change, Condition, Directory, KeyLookup, LedgerError, RecordQuery,
    Sort,
};
use weir_core::time::{self, Micros};
use weir_ledger::{CacheOptions, KeyCache, Ledger, Watcher, listen};

const NOW: Micros = Micros(1_000);

async fn make<T: Record>(ledger: &Ledger, record: &T) -> Kept<T> {
    ledger.commit(&[insert(record, NOW, Some("admin")).unwrap()], &[]).await.unwrap();
    get(ledger, &record.id()).await.unwrap().unwrap()
}

fn team(id: &str, alias: &str) -> Team {
    Team { id: id.to_owned(), alias: Some(alias.to_owned()), metadata: "{}".into(), ..Team::default() }
}

fn query(conditions: Vec<Condition>) -> RecordQuery {
    RecordQuery { conditions, limit: 100, ..RecordQuery::default() }
}

fn session(token: &str, user: &str, expires: i64) -> Session {
    Session {
        hash: KeyHash::of(token),
        user_id: Some(user.to_owned()),
        master: None,
        by: SignedBy::Password,
        seen_at: NOW,
        idle: 1_000_000,
        expires_at: Micros(expires),
        sealed_id_token: Some("sealed".into()),
    }
}

#[tokio::test]
async fn who_is_provisioned_is_found_by_the_providers_names() {
    both(async |ledger| {
        let (user_name, external_id) = (Some("Ann@Work.example".into()), Some("00u1".into()));
        make(&ledger, &User { id: "ann".into(), user_name, external_id, ..User::default() }).await;
        make(&ledger, &User { id: "ben".into(), ..User::default() }).await;
        make(&ledger, &Team { external_id: Some("g-1".into()), ..team("red", "Red") }).await;
        for (column, value) in [("user_name", "ann@work.example"), ("external_id", "00u1")] {
            let wanted = query(vec![Condition::In(column, vec![value.into()])]);
            let found = list::<User>(&ledger, &wanted).await.unwrap().records;
            assert_eq!(found.iter().map(|kept| kept.id.as_str()).collect::<Vec<_>>(), ["ann"], "{column}");
        }
        let wanted = query(vec![Condition::In("external_id", vec!["g-1".into()])]);
        assert_eq!(list::<Team>(&ledger, &wanted).await.unwrap().records[0].id, "red");
    })
    .await;
}

/// A session is found by the hash of its token only, with its user; what ends it ends it at once.
#[tokio::test]
async fn p37_a_session_is_known_with_its_user_until_it_is_ended() {
    both(async |ledger| {
        make(&ledger, &User { id: "ann".into(), role: Some(Role::InternalUser), ..User::default() }).await;
        let one = session("weir-session-1", "ann", 2_000);
        assert_eq!(make(&ledger, &one).await.record, one);
        make(&ledger, &session("weir-session-2", "ben", 3_000)).await;
        let cache = KeyCache::new(Arc::new(ledger.clone()), CacheOptions::default());
        let known = cache.session(&one.hash).await.unwrap().unwrap();
        assert_eq!(known.role(), Some(Role::InternalUser));
        assert_eq!((known.key.hash, known.session.as_ref()), (one.hash, Some(&one)));
        assert!(cache.session(&KeyHash::of("weir-session-3")).await.unwrap().is_none());
        let mine = query(vec![Condition::In("user_id", vec!["ann".into()])]);
        assert_eq!(list::<Session>(&ledger, &mine).await.unwrap().total, 1);
        let over = query(vec![Condition::Due("expires_at", Micros(2_000))]);
        assert_eq!(list::<Session>(&ledger, &over).await.unwrap().records[0].record, one);
        ledger.commit(&[delete(&one)], &[]).await.unwrap();
        cache.forget(RecordKind::Session, &one.id()).await;
        assert!(cache.session(&one.hash).await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn a_record_comes_back_as_it_went() {
    both(async |ledger| {
        let full = key("sk-a");
        let kept = make(&ledger, &full).await;
        assert_eq!((&kept.record, kept.version, kept.created_at), (&full, 1, NOW));
        assert_eq!(kept.created_by.as_deref(), Some("admin"));
        let bare = KeyRecord::new("sk-b");
        assert_eq!(make(&ledger, &bare).await.record, bare);
        assert_eq!(get::<KeyRecord>(&ledger, "none").await.unwrap(), None);
        let changed = KeyRecord { blocked: false, alias: None, ..full };
        ledger.commit(&[update(&kept, &changed, Micros(2_000), Some("bob")).unwrap()], &[]).await.unwrap();
        let again = get::<KeyRecord>(&ledger, &changed.id()).await.unwrap().unwrap();
        assert_eq!((&again.record, again.version, again.created_at), (&changed, 2, NOW));
        assert_eq!((again.updated_at, again.updated_by.as_deref()), (Micros(2_000), Some("bob")));
        ledger.commit(&[delete(&changed)], &[]).await.unwrap();
        assert_eq!(get::<KeyRecord>(&ledger, &changed.id()).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn ids_and_aliases_of_keys_are_unique() {
    both(async |ledger| {
        let first = key("sk-a");
        make(&ledger, &first).await;
        let aliased = KeyRecord { alias: first.alias.clone(), ..key("sk-b") };
        for double in [&first, &aliased] {
            let refused = ledger.commit(&[insert(double, NOW, None).unwrap()], &[]).await;
            assert!(matches!(refused, Err(LedgerError::Conflict(_))), "{refused:?}");
        }
        for text in ["sk-c", "sk-d"] {
            make(&ledger, &KeyRecord { alias: None, ..key(text) }).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_commit_happens_whole_or_not_at_all() {
    both(async |ledger| {
        let kept = make(&ledger, &team("t", "old")).await;
        let stale = kept.clone();
        ledger.commit(&[update(&kept, &team("t", "new"), NOW, None).unwrap()], &[]).await.unwrap();
        let entry = audit("t");
        let changes = [
            insert(&team("other", "x"), NOW, None).unwrap(),
            update(&stale, &team("t", "lost update"), NOW, None).unwrap(),
        ];
        let refused = ledger.commit(&changes, std::slice::from_ref(&entry)).await;
        assert!(matches!(refused, Err(LedgerError::Conflict(_))), "{refused:?}");
        assert_eq!(get::<Team>(&ledger, "other").await.unwrap(), None);
        assert_eq!(get::<Team>(&ledger, "t").await.unwrap().unwrap().alias.as_deref(), Some("new"));
        assert_eq!(ledger.audit(&AuditQuery { limit: 10, ..AuditQuery::default() }).await.unwrap().total, 0);
    })
    .await;
}

#[tokio::test]
async fn lists_are_filtered_sorted_and_paged_without_gaps() {
    both(async |ledger| {
        let names = ["Alpha_1", "alpha%2", "beta", "Übung", "o'); DROP TABLE team; --"];
        for (at, name) in names.iter().enumerate() {
            let organization_id = (at % 2 == 0).then(|| String::from("acme"));
            make(&ledger, &Team { organization_id, ..team(&format!("t{at}"), name) }).await;
        }
        let found = async |conditions| {
            let page = list::<Team>(&ledger, &query(conditions)).await.unwrap();
            let mut ids: Vec<String> = page.records.iter().map(|t| t.id.clone()).collect();
            ids.sort();
            assert_eq!(page.total, ids.len() as u64);
            ids
        };
        let contains = |text: &str| vec![Condition::Contains("alias", text.to_owned())];
        assert_eq!(found(contains("ALPHA")).await, ["t0", "t1"]);
        assert_eq!(found(contains("%")).await, ["t1"], "a wildcard is a letter like others");
        assert_eq!(found(contains("'); DROP")).await, ["t4"]);
        assert_eq!(found(vec![Condition::Empty("organization_id")]).await, ["t1", "t3"]);
        assert_eq!(found(vec![Condition::In("id", vec!["t1".into(), "t9".into()])]).await, ["t1"]);
        assert!(found(vec![Condition::In("id", vec![])]).await.is_empty());
        let any = |begin: &str, part: &str| {
            let begins = Condition::Begins("id", begin.to_owned());
            Condition::Any(vec![begins, Condition::Contains("alias", part.to_owned())])
        };
        assert_eq!(found(vec![any("T4", "ALPHA")]).await, ["t0", "t1", "t4"]);
        assert_eq!(found(vec![any("t4", "alpha"), Condition::Empty("organization_id")]).await, ["t1"]);
        assert!(found(vec![any("4", "_%")]).await.is_empty(), "it begins so, and wildcards are letters");
        assert!(found(vec![Condition::Any(vec![])]).await.is_empty());
        let both_of = Condition::All(vec![any("t1", "alpha"), Condition::Empty("organization_id")]);
        assert_eq!(found(vec![Condition::Any(vec![both_of, any("t3", "none")])]).await, ["t1", "t3"]);
        assert_eq!(found(vec![Condition::All(vec![])]).await.len(), names.len());
        assert!(found(vec![Condition::In("created_by", vec!["nobody".into()])]).await.is_empty());
        assert_eq!(found(vec![Condition::In("created_by", vec!["admin".into()])]).await.len(), names.len());
        let mut paged = Vec::new();
        for offset in [0, 2, 4] {
            let query = RecordQuery {
                sort: Sort::Column("alias"),
                descending: true,
                limit: 2,
                offset,
                ..query(vec![])
            };
            paged.extend(
                list::<Team>(&ledger, &query).await.unwrap().records.into_iter().map(|t| t.record.id),
            );
        }
        paged.sort();
        assert_eq!(paged, ["t0", "t1", "t2", "t3", "t4"]);
        let nonsense = list::<Team>(&ledger, &query(vec![Condition::Empty("document; --")])).await;
        assert!(matches!(nonsense, Err(LedgerError::Broken(_))), "only columns of the kind become SQL");
    })
    .await;
}

fn audit(object: &str) -> AuditEntry {
    AuditEntry {
        id: format!("audit-{object}-{}", weir_core::domain::ids::new_entry_id()),
        at: time::now(),
        changed_by: String::from("admin"),
        key_hash: String::from("hash"),
        action: "updated",
        kind: RecordKind::Team,
        object_id: object.to_owned(),
        before: String::from("{}"),
        after: String::from(r#"{"a":1}"#),
    }
}

#[tokio::test]
async fn what_was_changed_is_found_by_object_and_by_time() {
    both(async |ledger| {
        let (first, second) = (audit("t1"), audit("t2"));
        ledger.commit(&[], &[first.clone(), second.clone()]).await.unwrap();
        let of = async |query: AuditQuery| {
            let page = ledger.audit(&AuditQuery { limit: 10, ..query }).await.unwrap();
            page.entries.into_iter().map(|entry| entry.object_id).collect::<Vec<_>>()
        };
        assert_eq!(of(AuditQuery { object_id: Some("t1".into()), ..AuditQuery::default() }).await, ["t1"]);
        assert_eq!(of(AuditQuery { kind: Some(RecordKind::Key), ..AuditQuery::default() }).await.len(), 0);
        let later = AuditQuery { from: Some(Micros(second.at.0 + 1)), ..AuditQuery::default() };
        assert_eq!(of(later).await.len(), 0);
        assert_eq!(of(AuditQuery { action: Some("updated".into()), ..AuditQuery::default() }).await.len(), 2);
        let by_object = AuditQuery { sort: AuditSort::ObjectId, ..AuditQuery::default() };
        assert_eq!(of(by_object.clone()).await, ["t2", "t1"]);
        assert_eq!(of(AuditQuery { ascending: true, ..by_object }).await, ["t1", "t2"]);
        for sort in [AuditSort::ChangedBy, AuditSort::Key, AuditSort::Action, AuditSort::Table] {
            let sorted = AuditQuery { sort, ascending: true, ..AuditQuery::default() };
            assert_eq!(of(sorted).await.len(), 2, "{sort:?}");
        }
    })
    .await;
}

// --- keys with what stands behind them ---

async fn cast(ledger: &Ledger) -> KeyRecord {
    let key = KeyRecord {
        user_id: Some("alice".into()),
        team_id: Some("red".into()),
        blocked: false,
        expires_at: None,
        ..key("sk-a")
    };
    let user = User { id: "alice".into(), role: Some(Role::InternalUser), ..User::default() };
    let member = Member { team_id: "red".into(), user_id: "alice".into(), ..Member::default() };
    let place = OrganizationMember {
        organization_id: "acme".into(),
        user_id: "alice".into(),
        role: Role::OrgAdmin,
        budget_id: None,
    };
    make(ledger, &key).await;
    make(ledger, &team("red", "Red")).await;
    make(ledger, &user).await;
    make(ledger, &member).await;
    make(ledger, &place).await;
    key
}

#[tokio::test]
async fn a_key_is_known_with_its_user_and_team() {
    both(async |ledger| {
        let key = cast(&ledger).await;
        let cache = KeyCache::new(Arc::new(ledger.clone()), CacheOptions::default());
        let known = cache.lookup(&key.hash).await.unwrap().unwrap();
        assert_eq!(known.role(), Some(Role::InternalUser));
        assert_eq!(known.team.as_ref().and_then(|team| team.alias.as_deref()), Some("Red"));
        assert!(known.member.is_some() && known.memberships.len() == 1);
    })
    .await;
}

#[tokio::test]
async fn a_former_key_is_let_in_until_its_time_is_over() {
    both(async |ledger| {
        let key = cast(&ledger).await;
        let cache = KeyCache::new(Arc::new(ledger.clone()), CacheOptions::default());
        let former =
            |text: &str, until| FormerKey { hash: KeyHash::of(text), current: key.hash, until, sealed: None };
        make(&ledger, &former("sk-old", Micros(time::now().0 + 60_000_000))).await;
        make(&ledger, &former("sk-older", Micros(time::now().0 - 1))).await;
        let known = cache.lookup(&KeyHash::of("sk-old")).await.unwrap().unwrap();
        assert_eq!(known.key.hash, key.hash);
        assert!(cache.lookup(&KeyHash::of("sk-older")).await.unwrap().is_none());
    })
    .await;
}

/// Notes what it hears.
#[derive(Default)]
struct Ears(Mutex<Vec<(RecordKind, String)>>);

#[async_trait::async_trait]
impl Watcher for Ears {
    async fn changed(&self, kind: RecordKind, id: &str) {
        self.0.lock().unwrap().push((kind, id.to_owned()));
    }

    async fn lost(&self) {}
}

#[tokio::test]
async fn p19_every_replica_hears_of_a_change_within_a_second() {
    both(async |ledger| {
        let ears = Arc::new(Ears::default());
        let listening = tokio::spawn(listen(ledger.clone(), ears.clone()));
        // Until the listener and the first look are there.
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        let (id, odd) = (String::from("red"), "ü ' x".repeat(20));
        for id in [&id, &odd] {
            make(&ledger, &team(id, "Red")).await;
        }
        ledger.commit(&[Change::Delete { kind: RecordKind::Team, id: id.clone() }], &[]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(1_000)).await;
        listening.abort();
        let heard = ears.0.lock().unwrap();
        for told in [(RecordKind::Team, id), (RecordKind::Team, odd)] {
            assert!(heard.contains(&told), "{heard:?}");
        }
    })
    .await;
}
