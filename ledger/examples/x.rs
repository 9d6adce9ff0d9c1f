#![allow(unsafe_code, warnings, clippy::all)]
use sqlx::sqlite::*;
use sqlx::*;
use std::io::Write;
use std::time::*;

fn cpu() -> f64 {
    let s = std::fs::read_to_string("/proc/self/stat").unwrap();
    let f: Vec<&str> = s.rsplit(')').next().unwrap().split_whitespace().collect();
    (f[11].parse::<f64>().unwrap() + f[12].parse::<f64>().unwrap()) / 100.0
}
const INTS: usize = 16;
const TEXTS: usize = 24;
fn text(i: usize, c: usize) -> Option<String> {
    Some(match c {
        0 => uuid::Uuid::now_v7().to_string(),
        1 => format!("{:064x}", (i % 50) as u128 * 0x9e3779b97f4a7c15f39cc0605ced),
        2 => uuid::Uuid::new_v4().to_string(),  // provider id
        3 => "0190a5f0-aaaa-7777-8888-0190a5f0aaaa".into(),
        4 | 5 | 6 => "openai/gpt-4o-mini".into(),
        7 => "openai".into(),
        8 => "https://api.openai.com/v1".into(),
        9 => r#"[{"number":1,"deployment_id":"0123456789abcdef","model_group":"gpt-4o-mini","status":200,"error":"","started_at":1723456789123456,"ended_at":1723456789123456}]"#.into(),
        10 => "127.0.0.1".into(),
        11 => "OpenAI/Python 1.99.0".into(),
        12 => "success".into(),
        13 => "chat".into(),
        14 => "reported".into(),
        15 => "2025-01".into(),
        16 | 17 | 18 => "".into(),
        _ => return None,
    })
}
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let dir = tempfile::tempdir().unwrap();
    let n: usize = std::env::args().nth(1).map_or(40000, |a| a.parse().unwrap());
    let one = std::env::args().nth(2).is_some();
    for without in [false, true] {
        for idx in [0, 2, 3] {
            for page in [4096u32, 16384] {
                for (method, chunk, ret) in [
                    ("values", 10, true),
                    ("values", 64, true),
                    ("values", 64, false),
                    ("values", 500, true),
                    ("json", 500, false),
                ] {
                    if one && (without || idx != 2 || page != 4096 || chunk != 64 || ret) {
                        continue;
                    }
                    if method != "values" && (idx != 2 || page != 4096) {
                        continue;
                    }
                    if chunk != 64 && (idx != 2 || page != 4096) {
                        continue;
                    }
                    let path = dir.path().join(format!("{without}{idx}{page}{method}{chunk}{ret}.db"));
                    let mut c = SqliteConnectOptions::new()
                        .filename(&path)
                        .create_if_missing(true)
                        .journal_mode(SqliteJournalMode::Wal)
                        .synchronous(SqliteSynchronous::Normal)
                        .page_size(page)
                        .connect()
                        .await
                        .unwrap();
                    let cols: Vec<String> = (0..INTS)
                        .map(|i| format!("i{i}"))
                        .chain((0..TEXTS).map(|i| format!("t{i}")))
                        .collect();
                    let defs: Vec<String> = (0..INTS)
                        .map(|i| format!("i{i} BIGINT NOT NULL"))
                        .chain((0..TEXTS).map(|i| format!("t{i} TEXT")))
                        .collect();
                    sqlx::query(AssertSqlSafe(format!(
                        "CREATE TABLE e ({}, PRIMARY KEY (i0, t0)) {}",
                        defs.join(","),
                        if without { "WITHOUT ROWID" } else { "" }
                    )))
                    .execute(&mut c)
                    .await
                    .unwrap();
                    if idx >= 2 {
                        sqlx::query("CREATE INDEX a ON e (t1, i0)").execute(&mut c).await.unwrap();
                        sqlx::query("CREATE INDEX b ON e (t0)").execute(&mut c).await.unwrap();
                    }
                    if idx >= 3 {
                        sqlx::query("CREATE INDEX c ON e (t2)").execute(&mut c).await.unwrap();
                    }
                    let t = Instant::now();
                    let c0 = cpu();
                    let mut prep = 0.0;
                    for b in 0..n / 500 {
                        let mut tx = sqlx::Connection::begin(&mut c).await.unwrap();
                        let mut done = 0;
                        while done < 500 {
                            let k = chunk.min(500 - done);
                            let tt = Instant::now();
                            if method == "values" {
                                let row = format!("({})", vec!["?"; INTS + TEXTS].join(","));
                                let sql = format!(
                                    "INSERT INTO e ({}) VALUES {} ON CONFLICT DO NOTHING {}",
                                    cols.join(","),
                                    vec![row; k].join(","),
                                    if ret { "RETURNING t0" } else { "" }
                                );
                                let mut q = sqlx::query(AssertSqlSafe(sql));
                                for r in 0..k {
                                    for i in 0..INTS {
                                        q = q.bind((b * 500 + done + r) as i64 + 1723456789123456);
                                    }
                                    for i in 0..TEXTS {
                                        q = q.bind(text(done + r, i));
                                    }
                                }
                                prep += tt.elapsed().as_secs_f64();
                                if ret {
                                    let r = q.fetch_all(&mut *tx).await.unwrap();
                                    assert_eq!(r.len(), k);
                                } else {
                                    q.execute(&mut *tx).await.unwrap();
                                }
                            } else {
                                let mut rows = Vec::new();
                                for r in 0..k {
                                    let mut v: Vec<serde_json::Value> = Vec::new();
                                    for i in 0..INTS {
                                        v.push(((b * 500 + done + r) as i64 + 1723456789123456).into());
                                    }
                                    for i in 0..TEXTS {
                                        v.push(text(done + r, i).into());
                                    }
                                    rows.push(serde_json::Value::Array(v));
                                }
                                let js = serde_json::to_string(&rows).unwrap();
                                prep += tt.elapsed().as_secs_f64();
                                let sel: Vec<String> =
                                    (0..INTS + TEXTS).map(|i| format!("value->>{i}")).collect();
                                sqlx::query(AssertSqlSafe(format!("INSERT INTO e ({}) SELECT {} FROM json_each($1) WHERE true ON CONFLICT DO NOTHING", cols.join(","), sel.join(",")))).bind(js).execute(&mut *tx).await.unwrap();
                            }
                            done += k;
                        }
                        tx.commit().await.unwrap();
                    }
                    println!(
                        "without_rowid={without} idx={idx} page={page} {method} chunk={chunk} returning={ret}: wall {:.1} cpu {:.1} prep {:.1} us/row, {} B/row",
                        t.elapsed().as_secs_f64() * 1e6 / n as f64,
                        (cpu() - c0) * 1e6 / n as f64,
                        prep * 1e6 / n as f64,
                        std::fs::metadata(&path).unwrap().len() / n as u64
                    );
                    c.close().await.unwrap();
                    std::fs::remove_file(&path).unwrap();
                }
            }
        }
    }
    // journal
    let payload = vec![7u8; 420];
    let mut f = std::fs::OpenOptions::new().create(true).append(true).open(dir.path().join("w")).unwrap();
    for _ in 0..3 {
        f.set_len(0).unwrap();
        let t = Instant::now();
        let k = 18000;
        for _ in 0..k {
            f.write_all(&payload).unwrap();
        }
        println!("write: {} ns/frame", t.elapsed().as_nanos() / k);
    }
    for round in 0..3 {
        let f = std::fs::OpenOptions::new()
            .create(true)
            .read(true)
            .write(true)
            .open(dir.path().join(format!("m{round}")))
            .unwrap();
        f.set_len(8 << 20).unwrap();
        let t = Instant::now();
        let mut m = unsafe { memmap2::MmapMut::map_mut(&f).unwrap() };
        let k = 18000;
        for i in 0..k {
            m[i * 420..i * 420 + 420].copy_from_slice(&payload);
        }
        println!("mmap: {} ns/frame", t.elapsed().as_nanos() / k as u128);
    }
}
