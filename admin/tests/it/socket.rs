//! The unix socket.

use crate::memory::Memory;
use crate::rig::services;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

async fn ask(path: &str) -> String {
    let mut stream = UnixStream::connect(path).await.unwrap();
    let request = b"GET /global/spend HTTP/1.1\r\nhost: x\r\nauthorization: Bearer sk-1234\r\nconnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn it_answers_and_only_its_owner_may_connect() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("admin.sock").display().to_string();
    for _ in 0..2 {
        // The second time what the first left is replaced.
        let listener = weir_admin::bind(&path).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let memory = Arc::new(Memory::default());
        let served = tokio::spawn(weir_admin::serve(listener, Arc::new(services(&memory, Some("sk-1234")))));
        let answer = ask(&path).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.ends_with(r#"{"spend":0,"max_budget":0.0}"#), "{answer}");
        served.abort();
    }
}

#[tokio::test]
async fn a_file_that_is_no_socket_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("precious");
    std::fs::write(&path, "data").unwrap();
    assert!(weir_admin::bind(&path.display().to_string()).is_err());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "data");
}
