//! `weir upgrade`: a new process in the place of the one that serves, and no client notices.

use crate::client;
use crate::operator::{err, weir};
use crate::rig::{CONFIG, MASTER, Rig, chat};
use futures_util::future::join_all;
use http_body_util::{BodyExt, Full};
use serde_json::json;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::process::Output;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use weir_core::domain::money::NanoUsd;

/// What one request of the load costs.
const PRICE: i64 = 25_000;

/// Runs the command. Not on this thread: the mock provider has to go on.
async fn upgrade(rig: &Rig, more: &[&str]) -> Output {
    let mut command = weir(rig, &["upgrade"]);
    command.args(more);
    tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap()
}

/// Waits until the process stands in its data directory: a moment after its listener is open.
async fn settled(rig: &Rig) {
    for _ in 0..500 {
        if rig.in_charge() == Some(rig.pid()) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it is not in charge: {}", rig.log());
}

/// An open stream that lasts ten seconds, to its end.
async fn stream(url: String) -> String {
    let mut body = chat("priced", "hi __chunks=40 __pace=0.25");
    body["stream"] = true.into();
    let auth = format!("Bearer {MASTER}");
    let headers = [("authorization", auth.as_str()), ("content-type", "application/json")];
    let (status, _, mut answer) =
        client::open("POST", &format!("{url}/v1/chat/completions"), &headers, body.to_string()).await;
    let mut text = format!("{status} ");
    while let Some(frame) = answer.frame().await {
        match frame {
            Ok(frame) => {
                text.push_str(&String::from_utf8_lossy(&frame.into_data().unwrap_or_default()));
            }
            Err(error) => return format!("{text} broke: {error}"),
        }
    }
    text
}

/// Sends requests until told to stop, in turn over a connection that is kept and over a new one. How many; or what
/// went wrong with one.
async fn load(url: String, key: String, stop: Arc<AtomicBool>) -> Result<u64, String> {
    let (kept, body) = (client::http(), chat("priced", "hi").to_string());
    let mut sent = 0;
    while !stop.load(Ordering::Relaxed) {
        for http in [&kept, &client::http()] {
            let request = http::Request::post(format!("{url}/v1/chat/completions"))
                .header("authorization", format!("Bearer {key}"))
                .body(Full::new(bytes::Bytes::from(body.clone())))
                .unwrap();
            let response = http.request(request).await.map_err(|e| format!("request {sent}: {e:?}"))?;
            let status = response.status();
            let answer = response.into_body().collect().await.map_err(|e| format!("answer {sent}: {e}"))?;
            if status != 200 {
                return Err(format!("request {sent}: {status} {:?}", answer.to_bytes()));
            }
            sent += 1;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(sent)
}

#[tokio::test(flavor = "multi_thread")]
async fn p45_the_binary_is_swapped_under_open_streams_and_requests() {
    let full = std::env::var("WEIR_SCALE").is_ok_and(|scale| scale == "full");
    let streams = if full { 500 } else { 50 };
    let mut rig = Rig::config(&CONFIG.replace("drain_delay: 0.2", "drain_delay: 1.0")).start().await;
    settled(&rig).await;
    let key = rig.key(json!({"max_budget": 100})).await;
    let open: Vec<_> = (0..streams).map(|_| tokio::spawn(stream(rig.url.clone()))).collect();
    while rig.mock.seen_count() < streams {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let stop = Arc::new(AtomicBool::new(false));
    let load: Vec<_> =
        (0..4).map(|_| tokio::spawn(load(rig.url.clone(), key.clone(), Arc::clone(&stop)))).collect();

    let done = upgrade(&rig, &[]).await;
    assert!(done.status.success(), "{}{}", err(&done), rig.log());
    let heir = rig.in_charge().unwrap();
    assert_ne!(heir, rig.pid());
    let undone = open.iter().filter(|stream| !stream.is_finished()).count();
    assert!(undone > 0, "all streams had ended before there was a new process");

    for text in join_all(open).await {
        let text = text.unwrap();
        assert!(text.starts_with("200 ") && text.ends_with("data: [DONE]\n\n"), "{text}");
        assert!(text.matches("data: ").count() > 40, "{text}");
    }
    assert_eq!(rig.wait(), Some(0), "the old process goes when its streams have ended");
    tokio::time::sleep(Duration::from_millis(300)).await;
    stop.store(true, Ordering::Relaxed);
    let sent: u64 = join_all(load).await.into_iter().map(|sent| sent.unwrap().unwrap()).sum();
    assert_eq!(rig.in_charge(), Some(heir), "the old one leaves the file alone");
    booked(&rig, &key, streams, sent).await;
}

/// Every request that the mock has seen is one row, and the key paid for its own.
async fn booked(rig: &Rig, key: &str, streams: u64, sent: u64) {
    assert_eq!(rig.mock.seen_count(), streams + sent, "each was sent once");
    let all = usize::try_from(streams + sent).unwrap();
    let rows = rig.rows(all).await;
    assert_eq!(rows.len(), all);
    assert!(rows.iter().all(|row| row["status"] == "success"));
    let told = rig.get(&format!("/key/info?key={key}"), MASTER).await.json();
    let spent = NanoUsd::parse(&told["info"]["spend"].to_string()).unwrap();
    assert_eq!(spent, NanoUsd(PRICE * i64::try_from(sent).unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn p45_a_new_process_that_cannot_serve_leaves_the_old_one_serving() {
    let mut rig = Rig::start().await;
    let as_before = async |rig: &Rig, after: &str| {
        assert_eq!(rig.in_charge(), Some(rig.pid()), "{after}");
        assert_eq!(rig.get("/health/readiness", "none").await.status, 200, "{after}");
        assert_eq!(rig.chat("priced", "hi").await.status, 200, "{after}");
    };
    settled(&rig).await;

    rig.signal("QUIT");
    tokio::time::sleep(Duration::from_millis(300)).await;
    as_before(&rig, "the signal alone").await;

    let done = upgrade(&rig, &["--binary", "/bin/false"]).await;
    assert!(!done.status.success() && err(&done).contains("serves on"), "{}", err(&done));
    as_before(&rig, "a program that ends").await;

    rig.write_config("model_list: [");
    let done = upgrade(&rig, &[]).await;
    assert!(!done.status.success() && err(&done).contains("nothing was changed"), "{}", err(&done));
    as_before(&rig, "a configuration that cannot be served").await;
    rig.write_config(CONFIG);

    dies_with_the_listeners(&rig);
    tokio::time::sleep(Duration::from_millis(300)).await;
    as_before(&rig, "a process that took the listeners and died").await;

    let done = upgrade(&rig, &[]).await;
    assert!(done.status.success(), "{}{}", err(&done), rig.log());
    assert_eq!(rig.wait(), Some(0));
    assert_ne!(rig.in_charge(), Some(rig.pid()));
    assert_eq!(rig.chat("priced", "hi").await.status, 200);
}

/// Waits where a new process would, and takes what comes no further.
fn dies_with_the_listeners(rig: &Rig) {
    let path = rig.data().join("upgrade.sock");
    let waits = UnixListener::bind(&path).unwrap();
    rig.signal("QUIT");
    drop(waits.accept().unwrap());
    drop(waits);
    std::fs::remove_file(&path).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn p45_the_service_manager_is_told_which_process_to_watch() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let told = || {
        let mut text = [0; 256];
        let length = manager.recv(&mut text).unwrap();
        String::from_utf8_lossy(&text[..length]).into_owned()
    };
    let mut rig = Rig::config(CONFIG).env("NOTIFY_SOCKET", path.to_str().unwrap()).start().await;
    assert_eq!(told(), format!("MAINPID={}\nREADY=1", rig.pid()));
    let done = upgrade(&rig, &["--pid", &rig.pid().to_string()]).await;
    assert!(done.status.success(), "{}{}", err(&done), rig.log());
    let heir = rig.in_charge().unwrap();
    assert_eq!(told(), format!("MAINPID={heir}\nREADY=1"));
    assert_eq!(rig.wait(), Some(0));
    assert!(rig.log().contains("another process serves"), "{}", rig.log());
}
