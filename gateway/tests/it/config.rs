//! Reloading, and `weir check`.

use crate::rig::{CONFIG, MASTER, Rig, chat};
use serde_json::json;
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

/// LiteLLM sells sign-on above five users, and lets callers in, or nobody, where a setting needs what is not there.
#[tokio::test]
async fn p31_no_licence_is_asked_for_and_no_setting_opens_the_door() {
    let known =
        "general_settings: {custom_auth: custom.auth, enable_public_model_hub: true, allow_user_auth: true, ";
    let settings =
        "litellm_settings: {custom_provider_map: [{provider: mine, custom_handler: mine.handler}], ";
    let config = CONFIG.replace("general_settings: {", known).replace("litellm_settings: {", settings);
    for (config, licence) in [(config.as_str(), "none-such"), (CONFIG, "")] {
        let rig = Rig::config(config).env("LITELLM_LICENSE", licence).start().await;
        for n in 0..8 {
            let user =
                json!({"user_id": format!("u{n}"), "user_role": "internal_user", "auto_create_key": false});
            let made = rig.post("/user/new", MASTER, user).await;
            assert_eq!(made.status, 200, "user {n}: {}", made.text());
        }
        let key = rig.key(json!({"user_id": "u7"})).await;
        let asked =
            async |key: &str| rig.post("/v1/chat/completions", key, chat("gpt-4o", "hi")).await.status;
        assert_eq!((asked(MASTER).await, asked(&key).await), (200, 200));
        assert_eq!((asked("sk-nobody").await, asked("").await), (401, 401));
        for path in ["/key/list", "/spend/logs", "/v1/models"] {
            assert_eq!(rig.get(path, "sk-nobody").await.status, 401, "{path}");
        }
        let warned = rig.log().contains("custom_auth: known, not used yet; Weir runs no Python");
        assert_eq!(warned, config != CONFIG, "{}", rig.log());
    }
}
