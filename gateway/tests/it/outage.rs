//! Postgres goes away under load and comes back: nobody with a known key notices, and nothing is lost.

use crate::rig::{CONFIG, MASTER, Rig, chat, database};
use serde_json::json;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;

/// What stands between the gateway and its database, and can be cut.
struct Cable {
    address: String,
    open: Arc<AtomicBool>,
    cut: broadcast::Sender<()>,
    /// Connections at the same time, at most.
    most: Arc<AtomicUsize>,
}

impl Cable {
    async fn to(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (open, most) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicUsize::new(0)));
        let (cut, _) = broadcast::channel(1);
        let cable = Self { address, open: Arc::clone(&open), cut: cut.clone(), most: Arc::clone(&most) };
        let now = Arc::new(AtomicUsize::new(0));
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                if !open.load(Ordering::SeqCst) {
                    continue;
                }
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                let (now, mut cut, target) = (Arc::clone(&now), cut.subscribe(), target.clone());
                tokio::spawn(async move {
                    tokio::select! {
                        () = carry(near, &target) => {}
                        _ = cut.recv() => {}
                    }
                    now.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        cable
    }

    fn set(&self, open: bool) {
        self.open.store(open, Ordering::SeqCst);
        if !open {
            // Nobody listening means that nothing is connected.
            let _ = self.cut.send(());
        }
    }
}

async fn carry(mut near: TcpStream, target: &str) {
    if let Ok(mut far) = TcpStream::connect(target).await {
        // Small messages to and fro would wait for each other, 40 ms each; between a database and its client none does.
        near.set_nodelay(true).unwrap();
        far.set_nodelay(true).unwrap();
        let _ended = tokio::io::copy_bidirectional(&mut near, &mut far).await;
    }
}

/// Of pool and listeners; see `database_connection_pool_limit`.
const MOST: usize = 10 + 2;

/// Requests before the outage.
const KNOWN: usize = 2;

#[tokio::test]
async fn p08_p40_an_outage_of_the_database_refuses_no_known_key_and_loses_no_entry() {
    let Some(url) = database().await else { return };
    let (_, rest) = url.split_once('@').unwrap();
    let (target, name) = rest.split_once('/').unwrap();
    let cable = Cable::to(target.to_owned()).await;
    let cut = url.replace(&format!("{target}/{name}"), &format!("{}/{name}", cable.address));
    let rig = Rig::config(CONFIG).env("DATABASE_URL", &cut).start().await;
    let key = rig.key(json!({ "models": ["gpt-4o"] })).await;
    // Until the news of the key's making is everywhere, it may have to be read again.
    for wait in [1_500, 0] {
        assert_eq!(rig.post("/v1/chat/completions", &key, chat("gpt-4o", "known")).await.status, 200);
        tokio::time::sleep(Duration::from_millis(wait)).await;
    }

    let full = std::env::var("WEIR_SCALE").is_ok_and(|scale| scale == "full");
    let outage = Duration::from_secs(if full { 60 } else { 4 });
    cable.set(false);
    let (started, mut calls) = (Instant::now(), HashSet::new());
    while started.elapsed() < outage {
        let asked: Vec<_> =
            (0..8).map(|_| rig.post("/v1/chat/completions", &key, chat("gpt-4o", "hi"))).collect();
        for answer in futures_util::future::join_all(asked).await {
            assert_eq!(answer.status, 200, "after {:?}: {}", started.elapsed(), answer.text());
            assert!(calls.insert(answer.header("x-litellm-call-id").to_owned()));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let ready = rig.get("/health/readiness", "none").await;
    assert_eq!((ready.status, &ready.json()["db"]), (200, &json!("degraded")), "{}", ready.text());

    cable.set(true);
    let back = Instant::now();
    // Reading all entries again and again would take longer than booking them.
    let (all, mut begun) = (waiting(&rig).await, None);
    loop {
        let left = waiting(&rig).await;
        if left < all {
            begun.get_or_insert(back.elapsed());
        }
        if left == 0 || back.elapsed() > Duration::from_secs(30) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let (begun, took) = (begun.unwrap_or_default(), back.elapsed());
    let booked = rig.get("/spend/logs?limit=10000", MASTER).await.json().as_array().map_or(0, Vec::len);
    println!(
        "p08: {} requests in {outage:?} without a database; booking began {begun:?} after it came back, all were booked {took:?} after",
        calls.len(),
    );
    assert_eq!(booked, calls.len() + KNOWN, "one entry for each request");
    assert!(took < Duration::from_secs(5), "{took:?}");
    let most = cable.most.load(Ordering::SeqCst);
    assert!(most <= MOST, "{most} connections");
}

/// Entries that are not in the ledger yet, as the metrics tell it.
async fn waiting(rig: &Rig) -> u64 {
    let metrics = rig.get("/metrics", "none").await.text();
    let line = metrics.lines().find(|line| line.starts_with("weir_journal_waiting_entries ")).unwrap();
    line.rsplit(' ').next().unwrap().parse().unwrap()
}
