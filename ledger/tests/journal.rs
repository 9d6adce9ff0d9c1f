//! What the journal keeps when its process does not live.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests may fail loudly, and look at the environment"
)]

#[expect(dead_code, reason = "journals need one engine and no keys")]
mod common;

use common::{entry, open};
use sqlx::{AnyConnection, Connection, Executor};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use weir_core::config::KeepingSettings;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::period::TimeZone;
use weir_core::domain::spend::{Entry, Status};
use weir_core::ports::{Journal, SpendFilter, SpendStore};
use weir_core::time::Micros;
use weir_ledger::{FileJournal, JournalOptions, Ledger, Writer, WriterOptions};

const LIMIT: Duration = Duration::from_secs(10);

fn journal(dir: &Path, options: JournalOptions) -> Arc<FileJournal> {
    Arc::new(FileJournal::open(dir, options).unwrap())
}

fn writer(ledger: &Ledger, journal: &Arc<FileJournal>, dir: &Path) -> Writer {
    let options = WriterOptions {
        data_dir: dir.to_owned(),
        interval: Duration::from_millis(10),
        ..WriterOptions::default()
    };
    let leases = Arc::new(weir_ledger::LeaseBook::new(ledger.clone(), journal.name()));
    Writer::new(ledger.clone(), Arc::clone(journal), leases, options)
}

fn provisional(entry: &Entry) -> Entry {
    Entry { status: Status::Interrupted, cost: NanoUsd(1), ..entry.clone() }
}

async fn booked(ledger: &Ledger) -> Vec<Entry> {
    ledger.entries(&SpendFilter { limit: 10_000, ..SpendFilter::default() }).await.unwrap()
}

/// What is left if the process of the only journal in `dir` is killed now.
fn killed(dir: &Path) -> tempfile::TempDir {
    let folder = std::fs::read_dir(dir.join("journal")).unwrap().next().unwrap().unwrap().path();
    let fresh = tempfile::tempdir().unwrap();
    let copy = fresh.path().join("journal").join("dead");
    std::fs::create_dir_all(&copy).unwrap();
    for file in std::fs::read_dir(&folder).unwrap().map(Result::unwrap) {
        std::fs::copy(file.path(), copy.join(file.file_name())).unwrap();
    }
    fresh
}

/// Adopts what is in `dir` and waits until it is booked.
async fn adopt(ledger: &Ledger, dir: &Path, count: usize) -> Vec<Entry> {
    let own = journal(dir, JournalOptions::default());
    let writer = writer(ledger, &own, dir);
    let _ = tokio::time::timeout(LIMIT, async {
        tokio::select! {
            () = writer.run(|| (KeepingSettings::default(), TimeZone::UTC)) => {}
            () = async { while booked(ledger).await.len() < count { tokio::time::sleep(Duration::from_millis(10)).await } } => {}
        }
    })
    .await;
    booked(ledger).await
}

#[tokio::test]
async fn ended_entries_are_in_the_ledger_after_a_flush() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(None, dir.path()).await;
    let journal = journal(dir.path(), JournalOptions { segment_bytes: 4_096, ..JournalOptions::default() });
    let writer = writer(&ledger, &journal, dir.path());
    let entries: Vec<Entry> = (0..500).map(|_| entry(1_000)).collect();
    for entry in &entries {
        journal.begin(1, &provisional(entry)).unwrap();
        journal.end(entry).unwrap();
    }
    assert_eq!(journal.stats().waiting, 500);
    assert!(writer.flush(LIMIT).await);
    let stats = journal.stats();
    assert_eq!((stats.waiting, stats.open), (0, 0));
    assert!(stats.bytes < 5 * 4_096, "booked segments are removed: {stats:?}");
    assert_eq!(ledger.total_spend().await.unwrap(), NanoUsd(500_000));
    writer.close(LIMIT).await;
    let left = std::fs::read_dir(dir.path().join("journal")).unwrap().count();
    assert_eq!(left, 0, "an empty journal is removed");
}

#[tokio::test]
async fn p40_a_dead_process_leaves_everything_to_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(None, dir.path()).await;
    let (done, cut) = (entry(5), entry(7));
    {
        let journal = journal(dir.path(), JournalOptions::default());
        for entry in [&done, &cut] {
            journal.begin(1, &provisional(entry)).unwrap();
        }
        journal.end(&done).unwrap();
    }
    let found = adopt(&ledger, dir.path(), 2).await;
    assert_eq!(found.len(), 2);
    let of = |id| found.iter().find(|e| e.id == id).unwrap();
    assert_eq!((of(done.id).status, of(done.id).cost), (Status::Success, NanoUsd(5)));
    assert_eq!(
        (of(cut.id).status, of(cut.id).cost),
        (Status::Interrupted, NanoUsd(1)),
        "its estimate is booked"
    );
}

#[tokio::test]
async fn p40_a_record_torn_at_any_byte_costs_only_itself() {
    let dir = tempfile::tempdir().unwrap();
    let mut entries = [entry(5), entry(7)];
    // So that its last byte is not zero, which could be missing unnoticed: behind the records the file is zero.
    entries[1].cache_key = Some("k".into());
    {
        let journal = journal(dir.path(), JournalOptions { shards: 1, ..JournalOptions::default() });
        entries.iter().for_each(|entry| journal.end(entry).unwrap());
    }
    let folder = std::fs::read_dir(dir.path().join("journal")).unwrap().next().unwrap().unwrap().path();
    let segment = std::fs::read_dir(&folder)
        .unwrap()
        .map(|f| f.unwrap().path())
        .find(|p| p.extension().is_some())
        .unwrap();
    let mut whole = std::fs::read(&segment).unwrap();
    whole.truncate(whole.iter().rposition(|b| *b != 0).unwrap() + 1);
    for cut in (whole.len() / 2 + 1..whole.len()).step_by(23) {
        let fresh = tempfile::tempdir().unwrap();
        let copy = fresh.path().join("journal").join("dead");
        std::fs::create_dir_all(&copy).unwrap();
        std::fs::write(copy.join("lock"), "").unwrap();
        std::fs::write(copy.join("000-00000000.seg"), &whole[..cut]).unwrap();
        let ledger = open(None, fresh.path()).await;
        let found = adopt(&ledger, fresh.path(), 1).await;
        assert_eq!(found.iter().map(|e| e.id).collect::<Vec<_>>(), [entries[0].id], "cut at {cut}");
    }
}

/// Segments are written to again. What was in them is booked; read once more it would come back when its rows are forgotten.
#[tokio::test]
async fn p40_a_segment_that_is_used_again_holds_nothing_of_before() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(None, dir.path()).await;
    let options = JournalOptions { segment_bytes: 4_096, shards: 1, ..JournalOptions::default() };
    let journal = journal(dir.path(), options);
    let writer = writer(&ledger, &journal, dir.path());
    let folder = std::fs::read_dir(dir.path().join("journal")).unwrap().next().unwrap().unwrap().path();
    let mut files = Vec::new();
    for _ in 0..3 {
        (0..200).for_each(|_| journal.end(&entry(1)).unwrap());
        assert!(writer.flush(LIMIT).await);
        files.push(std::fs::read_dir(&folder).unwrap().count());
    }
    assert!(files[2] <= files[0] + 1, "no file is used again: {files:?}");
    let cut = entry(7);
    journal.begin(1, &provisional(&cut)).unwrap();

    let fresh = killed(dir.path());
    let found = adopt(&open(None, fresh.path()).await, fresh.path(), 1).await;
    let of = |entry: &Entry| (entry.id, entry.status);
    assert_eq!(found.iter().map(of).collect::<Vec<_>>(), [(cut.id, Status::Interrupted)]);
}

/// Rows are not kept for ever, and a long exchange keeps segments that are older than they are.
#[tokio::test]
async fn p40_what_is_booked_is_not_booked_again_when_its_rows_are_gone() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(None, dir.path()).await;
    let options = JournalOptions { segment_bytes: 4_096, shards: 1, ..JournalOptions::default() };
    let journal = journal(dir.path(), options);
    let writer = writer(&ledger, &journal, dir.path());
    let (long, short) = (entry(7), entry(5));
    [&long, &short].into_iter().for_each(|entry| journal.begin(1, &provisional(entry)).unwrap());
    // Their begins stand in the first segment, which stays, the end in one of many that are full and done with.
    (0..40).for_each(|_| journal.end(&entry(1)).unwrap());
    journal.end(&short).unwrap();
    (0..40).for_each(|_| journal.end(&entry(1)).unwrap());
    assert!(writer.flush(LIMIT).await);
    assert_eq!(ledger.total_spend().await.unwrap(), NanoUsd(85));
    let later = Micros(weir_core::time::now().0 + 86_400_000_000);
    assert_eq!(ledger.forget_entries(later).await.unwrap(), 81);

    let left = killed(dir.path());
    let found = adopt(&ledger, left.path(), 1).await;
    let of = |entry: &Entry| (entry.id, entry.status);
    assert_eq!(found.iter().map(of).collect::<Vec<_>>(), [(long.id, Status::Interrupted)]);
    assert_eq!(ledger.total_spend().await.unwrap(), NanoUsd(86), "its estimate, and nothing twice");
}

/// At its end a process waits for the ledger only so long.
#[tokio::test]
async fn p40_what_is_being_booked_when_the_time_is_up_does_not_count_as_booked() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(None, dir.path()).await;
    let journal = journal(dir.path(), JournalOptions::default());
    let writer = writer(&ledger, &journal, dir.path());
    let file = format!("sqlite://{}", dir.path().join("ledger.db").display());
    let mut other = AnyConnection::connect(&file).await.unwrap();
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    journal.end(&entry(5)).unwrap();
    assert!(!writer.flush(Duration::from_millis(300)).await, "another program writes to the ledger");
    assert_eq!(journal.stats().waiting, 1);
    other.execute("ROLLBACK").await.unwrap();
    other.close().await.unwrap();

    journal.end(&entry(7)).unwrap();
    assert!(writer.flush(LIMIT).await);
    assert_eq!(journal.stats().waiting, 0);
    assert_eq!(ledger.total_spend().await.unwrap(), NanoUsd(12));
}

/// Of a failure that is not kept no row tells that it is over: its end must not go before its begin.
#[tokio::test]
async fn p40_a_failure_that_is_not_kept_is_not_charged_as_interrupted() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(None, dir.path()).await;
    let options = JournalOptions { segment_bytes: 4_096, shards: 1, ..JournalOptions::default() };
    let journal = journal(dir.path(), options);
    let writer = writer(&ledger, &journal, dir.path());
    let (long, failed) = (entry(7), Entry { status: Status::Failure, ..entry(0) });
    [&long, &failed].into_iter().for_each(|entry| journal.begin(1, &provisional(entry)).unwrap());
    // Their begins stand in the first segment, which stays, the end in one of many that are full and done with.
    (0..40).for_each(|_| journal.end(&entry(1)).unwrap());
    journal.end(&failed).unwrap();
    (0..40).for_each(|_| journal.end(&entry(1)).unwrap());
    let keeping = KeepingSettings { without_failures: true, ..KeepingSettings::default() };
    let all_booked = async {
        while journal.stats().waiting > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        () = writer.run(|| (keeping.clone(), TimeZone::UTC)) => {}
        done = tokio::time::timeout(LIMIT, all_booked) => done.unwrap(),
    }
    assert_eq!(booked(&ledger).await.len(), 80, "the failure is not kept");

    let left = killed(dir.path());
    let found = adopt(&open(None, left.path()).await, left.path(), 1).await;
    let interrupted = found.iter().filter(|entry| entry.status == Status::Interrupted);
    assert_eq!(interrupted.map(|entry| entry.id).collect::<Vec<_>>(), [long.id]);

    journal.end(&long).unwrap();
    assert!(writer.flush(LIMIT).await);
    let stats = journal.stats();
    assert!(stats.bytes < 2 * 4_096, "what nobody needs any more is removed: {stats:?}");
}

#[tokio::test]
async fn p40_a_living_process_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(None, dir.path()).await;
    let living = journal(dir.path(), JournalOptions::default());
    let open = entry(5);
    living.begin(1, &provisional(&open)).unwrap();
    let other = entry(6);
    {
        let dead = journal(dir.path(), JournalOptions::default());
        dead.end(&other).unwrap();
    }
    let found = adopt(&ledger, dir.path(), 1).await;
    assert_eq!(found.iter().map(|e| e.id).collect::<Vec<_>>(), [other.id]);
    living.end(&open).unwrap();
}

#[tokio::test]
async fn a_full_journal_refuses_to_begin_and_never_to_end() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(None, dir.path()).await;
    let options = JournalOptions { max_bytes: 64 << 10, segment_bytes: 4_096, shards: 2 };
    let journal = journal(dir.path(), options);
    let mut begun = Vec::new();
    let refused = loop {
        let next = entry(1);
        match journal.begin(1, &provisional(&next)) {
            Ok(()) => begun.push(next),
            Err(_) => break next,
        }
        assert!(begun.len() < 1_000, "the cap is not kept");
    };
    for entry in &begun {
        journal.end(entry).expect("room was set aside when it began");
    }
    assert!(journal.stats().bytes <= options.max_bytes);
    assert!(writer(&ledger, &journal, dir.path()).flush(LIMIT).await);
    journal.begin(1, &provisional(&refused)).expect("there is room again");
    assert_eq!(booked(&ledger).await.len(), begun.len());
}

#[tokio::test]
async fn p35_the_files_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let _ledger = open(None, dir.path()).await;
    let journal = journal(dir.path(), JournalOptions::default());
    journal.end(&entry(1)).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o077;
    assert_eq!(mode(&dir.path().join("ledger.db")), 0);
    for folder in std::fs::read_dir(dir.path().join("journal")).unwrap() {
        assert_eq!(mode(&folder.unwrap().path()), 0);
    }
}

/// Records whose kind this program does not know (a later one was rolled back) cost nothing but their own delay.
#[tokio::test]
async fn p32_a_journal_of_a_later_program_is_kept_for_it() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(None, dir.path()).await;
    let (first, second) = (entry(5), entry(7));
    {
        let journal = journal(dir.path(), JournalOptions { shards: 1, ..JournalOptions::default() });
        [&first, &second].into_iter().for_each(|entry| journal.end(entry).unwrap());
    }
    let folder = std::fs::read_dir(dir.path().join("journal")).unwrap().next().unwrap().unwrap().path();
    let segment = folder.join("000-00000000.seg");
    let mut bytes = std::fs::read(&segment).unwrap();
    make_foreign(&mut bytes);
    std::fs::write(&segment, &bytes).unwrap();
    for _ in 0..2 {
        let found = adopt(&ledger, dir.path(), 1).await;
        assert_eq!(found.iter().map(|e| e.id).collect::<Vec<_>>(), [second.id]);
        assert!(segment.exists(), "the later program still finds its record");
    }
}

/// Gives the first record a kind of the future: length, CRC-32 of the rest, kind.
fn make_foreign(bytes: &mut [u8]) {
    let length = u32::from_le_bytes(bytes[..4].try_into().unwrap()) as usize;
    bytes[8] = 77;
    let crc = crc32fast::hash(&bytes[8..8 + length]);
    bytes[4..8].copy_from_slice(&crc.to_le_bytes());
}
