//! Memory: what a container of 128 MiB holds. The peak is the kernel's own count of the process.

use crate::client;
use crate::rig::{CONFIG, MASTER, Rig, chat};
use futures_util::future::join_all;

const CONTAINER_MIB: u64 = 128;
/// All of a release build's program, as if each of its pages were used.
const PROGRAM_MIB: u64 = 48;

/// The largest resident size so far of a program of that size: one that is built for tests has twice as much text.
fn peak_mib(rig: &Rig) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", rig.pid())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).map(kib).unwrap();
    (peak - program_kib(rig)) / 1024 + PROGRAM_MIB
}

/// What is resident of the program itself.
fn program_kib(rig: &Rig) -> u64 {
    let maps = std::fs::read_to_string(format!("/proc/{}/smaps", rig.pid())).unwrap();
    let program = std::fs::read_link(format!("/proc/{}/exe", rig.pid())).unwrap();
    let (mut ours, mut sum) = (false, 0);
    for line in maps.lines() {
        match line.strip_prefix("Rss:") {
            Some(rss) if ours => sum += kib(rss),
            Some(_) => {}
            // A field of a mapping begins with its name, and a mapping with its addresses.
            None if line.split(' ').next().is_some_and(|first| first.contains('-')) => {
                ours = line.ends_with(program.to_str().unwrap());
            }
            None => {}
        }
    }
    assert!(sum > 0, "{} is mapped", program.display());
    sum
}

/// As the kernel writes it: `123 kB`.
fn kib(text: &str) -> u64 {
    text.trim().trim_end_matches(" kB").parse().unwrap()
}

/// A config with many models, as an organisation has them.
fn with_models(count: usize) -> String {
    let one = |i| {
        format!(
            "  - model_name: m{i}\n    litellm_params: {{model: openai/m{i}, api_base: \"MOCK/v1\", api_key: sk-fake}}\n"
        )
    };
    let models: String = (0..count).map(one).collect();
    CONFIG.replacen("model_list:\n", &format!("model_list:\n{models}"), 1)
}

#[tokio::test]
async fn p06_starts_and_serves_inside_128_mib() {
    let rounds = if std::env::var("WEIR_SCALE").is_ok_and(|s| s == "full") { 200 } else { 6 };
    let rig = Rig::config(&with_models(200)).start().await;
    let text = "x".repeat(30_000);
    let models: Vec<String> = (0..32).map(|i| format!("m{i}")).collect();
    for _ in 0..rounds {
        let plain = join_all(models.iter().map(|model| rig.chat(model, &text)));
        let streams = join_all(models.iter().map(|model| rig.stream(model, "hi __chunks=50")));
        let (plain, streams) = tokio::join!(plain, streams);
        for answer in plain.iter().chain(&streams) {
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
        assert!(streams.iter().all(|answer| answer.events().last().is_some_and(|e| e == "[DONE]")));
    }
    let peak = peak_mib(&rig);
    println!("p06: {peak} MiB at most");
    assert!(peak < CONTAINER_MIB, "{peak} MiB");
}

#[tokio::test]
async fn p06_p49_large_bodies_are_shed_before_the_container_is_full() {
    let config = CONFIG.replace("drain_delay: 0.2", "drain_delay: 0.2, inflight_bytes: 24MiB");
    let rig = Rig::config(&config).start().await;
    let body = chat("gpt-4o", &format!("__sleep=0.5 {}", "x".repeat(2_000_000))).to_string();
    let body = bytes::Bytes::from(body);
    let (auth, url) = (format!("Bearer {MASTER}"), format!("{}/v1/chat/completions", rig.url));
    let headers = [("authorization", auth.as_str()), ("content-type", "application/json")];
    let answers = join_all((0..64).map(|_| client::send("POST", &url, &headers, body.clone()))).await;
    let of = |status| answers.iter().filter(|answer| answer.status == status).count();
    let (served, shed) = (of(200), of(503));
    assert_eq!(served + shed, 64, "served or shed, nothing else");
    assert!(served > 0 && shed > 0, "{served} served, {shed} shed");
    assert!(answers.iter().all(|a| a.status == 200 || !a.header("retry-after").is_empty()));
    let peak = peak_mib(&rig);
    println!("p06: {served} of 64 bodies of 2 MB served, {peak} MiB at most");
    assert!(peak < CONTAINER_MIB, "{peak} MiB");
    assert_eq!(rig.chat("gpt-4o", "hi").await.status, 200, "afterwards all is as before");
}
