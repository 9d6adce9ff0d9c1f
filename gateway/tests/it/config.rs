//! Reloading, and `weir check`.

use crate::rig::{CONFIG, MASTER, Rig};
use std::process::Command;
use std::time::Duration;

async fn until(mut holds: impl AsyncFnMut() -> bool) -> bool {
    for _ in 0..100 {
        if holds().await {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    false
}

#[tokio::test]
async fn p34_a_changed_file_is_served_without_a_restart() {
    let rig = Rig::start().await;
    assert_eq!(rig.chat("added", "hi").await.status, 400);
    rig.write_config(&CONFIG.replace("model_name: demo", "model_name: added"));
    assert!(until(async || rig.chat("added", "hi").await.status == 200).await, "{}", rig.log());
    assert_eq!(rig.chat("demo", "hi").await.status, 400, "what is gone is gone");
}

#[tokio::test]
async fn p34_a_bad_file_changes_nothing() {
    let rig = Rig::start().await;
    rig.write_config("model_list: [{model_name: x");
    rig.signal("HUP");
    assert!(until(async || rig.log().contains("the last good one stays")).await, "{}", rig.log());
    assert_eq!(rig.chat("gpt-4o", "hi").await.status, 200);
    assert_eq!(rig.get("/v1/models", MASTER).await.status, 200);
}

#[test]
fn weir_check_tells_every_problem_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("bad.yaml");
    let text = "model_list:\n  - model_name: a\n    litellm_params: {model: azur/gpt-4o, timeout: soon}\nlitellm_setings: {}\n";
    std::fs::write(&file, text).unwrap();
    let out = Command::new(env!("CARGO_BIN_EXE_weir")).arg("check").arg(&file).output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(1), "{said}");
    assert!(
        said.contains("bad.yaml:3: model_list[0].litellm_params.model") && said.contains("\"azure\""),
        "{said}"
    );
    assert!(said.contains("model_list[0].litellm_params.timeout"), "{said}");
    assert!(said.contains("litellm_settings"), "did you mean: {said}");
    std::fs::write(&file, "model_list: []\nlitellm_setings: {}\n").unwrap();
    let check = |strict: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_weir")).arg("check").args(strict).arg(&file).output().unwrap()
    };
    assert_eq!(check(&[]).status.code(), Some(0), "unknown keys warn");
    assert_eq!(check(&["--strict"]).status.code(), Some(1), "--strict refuses");
}

#[test]
fn every_example_is_a_valid_configuration() {
    let examples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let files = std::fs::read_dir(examples).unwrap().map(|entry| entry.unwrap().path());
    for path in files.filter(|path| path.extension().is_some_and(|end| end == "yaml")) {
        let out = Command::new(env!("CARGO_BIN_EXE_weir")).arg("check").arg(&path).output().unwrap();
        assert!(out.status.success(), "{}: {}", path.display(), String::from_utf8_lossy(&out.stderr));
    }
}
