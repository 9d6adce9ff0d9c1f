//! Postgres goes away under load and comes back: nobody with a known key notices, and nothing is lost.

use crate::client::Answer;
use crate::rig::{CONFIG, MASTER, Rig, chat, database};
use serde_json::json;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use weir_core::domain::money::NanoUsd;

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

/// A database, and its address behind the cable.
async fn behind_a_cable() -> Option<(Cable, String)> {
    let url = database().await?;
    let (_, rest) = url.split_once('@').unwrap();
    let (target, name) = rest.split_once('/').unwrap();
    let cable = Cable::to(target.to_owned()).await;
    let cut = url.replace(&format!("{target}/{name}"), &format!("{}/{name}", cable.address));
    Some((cable, cut))
}

/// Of pool and listeners; see `database_connection_pool_limit`.
const MOST: usize = 10 + 2;

/// Requests before the outage.
const KNOWN: usize = 2;

#[tokio::test]
async fn p07_p08_p40_an_outage_of_the_database_refuses_no_known_key_and_loses_no_entry() {
    let Some((cable, cut)) = behind_a_cable().await else { return };
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
    let told = rig.get("/health/replica", MASTER).await.json();
    assert_eq!(told["ledger"], json!("degraded"), "{told}");
    assert!(told["journal_waiting_entries"].as_u64() > Some(0), "{told}");
    assert!(told["journal_lag_seconds"].as_f64() > Some(0.0), "the ledger is asked all the time: {told}");

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

/// What an answer of the mock costs.
const COST: NanoUsd = NanoUsd(25_000);

/// A short answer, so that little is held for it.
async fn ask(rig: &Rig, key: &str) -> Answer {
    let mut body = chat("priced", "hi");
    body["max_tokens"] = json!(10);
    rig.post("/v1/chat/completions", key, body).await
}

#[tokio::test]
async fn p08_without_a_database_a_budget_is_spent_as_far_as_it_is_leased() {
    let Some((cable, cut)) = behind_a_cable().await else { return };
    let with = |more: &str| {
        let settings = format!("weir_settings: {{{more}");
        Rig::config(CONFIG).replace("weir_settings: {", &settings).env("DATABASE_URL", &cut)
    };
    let (careful, generous) = (with("").start().await, with("on_ledger_loss: serve, ").start().await);
    // A sixteenth is leased at a time: some twenty answers.
    let limited = careful.key(json!({"max_budget": 0.01})).await;
    let trusted = generous.key(json!({"max_budget": 0.01})).await;
    // Until the news of the keys' making is everywhere, they may have to be read again.
    for wait in [1_500, 0] {
        for (rig, key) in [(&careful, &limited), (&generous, &trusted)] {
            assert_eq!(ask(rig, key).await.status, 200);
        }
        tokio::time::sleep(Duration::from_millis(wait)).await;
    }

    cable.set(false);
    let mut served = KNOWN;
    let refused = loop {
        let answer = ask(&careful, &limited).await;
        if answer.status != 200 {
            break answer;
        }
        served += 1;
        assert!(served < 200, "a budget that nobody can look at is spent without end");
    };
    assert!(served > KNOWN, "what is leased may be spent: {}", refused.text());
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert_eq!(refused.json()["error"]["type"], "budget_unavailable", "{}", refused.text());
    for _ in 0..60 {
        let answer = ask(&generous, &trusted).await;
        assert_eq!(answer.status, 200, "the operator wants it served: {}", answer.text());
    }

    cable.set(true);
    for (rig, key, requests) in [(&careful, &limited, served), (&generous, &trusted, KNOWN + 60)] {
        let back = Instant::now();
        while waiting(rig).await > 0 {
            assert!(back.elapsed() < Duration::from_secs(30), "{}", rig.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let info = rig.get(&format!("/key/info?key={key}"), MASTER).await.json();
        let told = NanoUsd::parse(&info["info"]["spend"].to_string()).unwrap();
        assert_eq!(told, NanoUsd(COST.0 * i64::try_from(requests).unwrap()), "{requests} requests: {info}");
    }
    let all = careful.get("/global/spend", MASTER).await.json();
    let booked = NanoUsd::parse(&all["spend"].to_string()).unwrap();
    assert_eq!(
        booked.0,
        COST.0 * i64::try_from(served + KNOWN + 60).unwrap(),
        "the sum by day agrees: {all}"
    );
    assert_eq!(ask(&careful, &limited).await.status, 200, "what is left can be spent again");
}

/// Entries that are not in the ledger yet, as the metrics tell it.
async fn waiting(rig: &Rig) -> u64 {
    let metrics = rig.get("/metrics", "none").await.text();
    let line = metrics.lines().find(|line| line.starts_with("weir_journal_waiting_entries ")).unwrap();
    line.rsplit(' ').next().unwrap().parse().unwrap()
}
