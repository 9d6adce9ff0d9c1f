//! What the tests of guardrails share: a set from a line of configuration, and a service that answers what it is told.

use super::check::{About, Asked, Side};
use super::{Guardrails, Verdict};
use serde_json::Value;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use weir_core::config::Config;
use weir_core::config::env::Env;
use weir_core::config::problems::Problems;

/// A set of one entry, in YAML's short form.
pub(super) fn build(entry: &str) -> (Guardrails, Problems) {
    let env = Env::default();
    let (config, mut problems) = Config::from_text(&format!("guardrails:\n  - {entry}\n"), &env, &[]);
    let set = config.map(|config| Guardrails::build(&config, &env, &mut problems)).unwrap_or_default();
    (set, problems)
}

pub(super) fn guardrails(entry: &str) -> Guardrails {
    let (set, problems) = build(entry);
    assert!(!problems.has_errors(), "{problems}");
    set
}

pub(super) fn asked(texts: &[&str]) -> Asked {
    Asked {
        side: Side::Request,
        texts: texts.iter().map(|text| (*text).to_owned()).collect(),
        images: Vec::new(),
        about: Arc::new(About::default()),
        extra: serde_json::Map::new(),
    }
}

/// What one guardrail, `g`, says.
pub(super) async fn verdict(entry: &str, asked: &Asked) -> Verdict {
    let set = guardrails(entry);
    set.find("g").unwrap().check.check(asked).await.unwrap()
}

/// Heads and bodies of all requests, in order.
pub(super) type Seen = Arc<Mutex<Vec<(String, Value)>>>;

/// Answers each path with what `answer` says of its body.
pub(super) async fn service(answer: fn(&str, &Value) -> (u16, Value)) -> (String, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let seen = Seen::default();
    let log = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(serve(socket, Arc::clone(&log), answer));
        }
    });
    (address, seen)
}

async fn serve(mut socket: TcpStream, log: Seen, answer: fn(&str, &Value) -> (u16, Value)) {
    while let Some((head, body)) = request(&mut socket).await {
        let path = head.split_whitespace().nth(1).unwrap_or_default().to_owned();
        let (status, answer) = answer(&path, &body);
        log.lock().unwrap().push((head, body));
        let body = answer.to_string();
        let head = format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        socket.write_all((head + &body).as_bytes()).await.unwrap();
    }
}

async fn request(socket: &mut TcpStream) -> Option<(String, Value)> {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    loop {
        let n = socket.read(&mut buffer).await.ok().filter(|n| *n > 0)?;
        text += &String::from_utf8_lossy(&buffer[..n]);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length: Option<usize> =
            head.lines().find_map(|l| l.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
        if body.len() >= length.unwrap_or(0) {
            return Some((head.to_owned(), serde_json::from_str(body).unwrap_or_default()));
        }
    }
}
