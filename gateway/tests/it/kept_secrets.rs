//! `key_management_system`: what the configuration refers to comes from a secret manager, once, before the gateway starts.

use crate::rig::{Builder, CONFIG, MASTER, Rig, chat};
use serde_json::{Value, json};
use weir_bench::mock::{MockServer, Reply, Seen};

const FAKE: &str = "sk-from-the-manager-fake";

fn with(system: &str) -> Builder {
    Rig::config(CONFIG)
        .replace(
            "api_key: sk-upstream-fake}\n  - model_name: azure-gpt4",
            "api_key: os.environ/KEY_OF_OPENAI}\n  - model_name: azure-gpt4",
        )
        .replace("general_settings: {", &format!("general_settings: {{{system}, "))
}

/// AWS's answers to the one who may ask.
fn aws(seen: &Seen) -> Reply {
    let fault = |kind: &str| Reply::json(400, &json!({"__type": kind}));
    let by = "AWS4-HMAC-SHA256 Credential=AKIAFAKE/";
    let signed = seen.header("authorization");
    if !signed.starts_with(by) || !signed.contains("/eu-west-1/secretsmanager/aws4_request") {
        return fault("UnrecognizedClientException");
    }
    let told = |text: &str| Reply::json(200, &json!({"Name": "n", "SecretString": text}));
    match seen.json()["SecretId"].as_str().unwrap_or_default() {
        "KEY_OF_OPENAI" => told(FAKE),
        "all-of-weir" => told(&json!({"KEY_OF_OPENAI": FAKE, "OTHER": "x"}).to_string()),
        "LITELLM_SALT_KEY" => fault("com.amazonaws.secretsmanager#AccessDeniedException"),
        _ => fault("ResourceNotFoundException"),
    }
}

fn of_aws(settings: &str, server: &MockServer) -> Builder {
    with(&format!("key_management_system: aws_secret_manager, key_management_settings: {{{settings}}}"))
        .env("AWS_ENDPOINT_URL_SECRETS_MANAGER", &server.url())
        .env("AWS_ACCESS_KEY_ID", "AKIAFAKE")
        .env("AWS_SECRET_ACCESS_KEY", "fake")
}

/// The key that the provider was asked with.
async fn asked_with(rig: &Rig, master: &str) -> String {
    let answer = rig.post("/v1/chat/completions", master, chat("gpt-4o", "hi")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    rig.mock.take_log()[0].header("authorization").to_owned()
}

#[tokio::test]
async fn keys_come_from_aws_one_by_one_or_all_in_one_secret() {
    let server = MockServer::start(aws).await.unwrap();
    for settings in
        ["aws_region_name: eu-west-1", "aws_region_name: eu-west-1, primary_secret_name: all-of-weir"]
    {
        let rig = of_aws(settings, &server).start().await;
        assert_eq!(asked_with(&rig, MASTER).await, format!("Bearer {FAKE}"), "{settings}");
        assert!(!rig.log().contains(FAKE), "p35: {}", rig.log());
    }
    let seen = server.take_log();
    let names: Vec<Value> = seen.iter().map(|seen| seen.json()["SecretId"].clone()).collect();
    assert!(
        names.contains(&json!("LITELLM_MASTER_KEY")),
        "what it does not have, the environment has: {names:?}"
    );
    assert_eq!(names.iter().filter(|name| **name == "all-of-weir").count(), 1, "{names:?}");
}

/// A Vault with a role; secrets lie below a prefix.
fn vault(seen: &Seen) -> Reply {
    if seen.header("x-vault-namespace") != "team" {
        return Reply::json(404, &json!({"errors": []}));
    }
    if seen.route() == "/v1/auth/approle/login" {
        let fits = seen.json() == json!({"role_id": "weir", "secret_id": "fake"});
        let token = json!({"auth": {"client_token": "token-fake"}});
        return if fits { Reply::json(200, &token) } else { Reply::json(400, &json!({"errors": []})) };
    }
    if seen.header("x-vault-token") != "token-fake" {
        return Reply::json(403, &json!({"errors": ["permission denied"]}));
    }
    let told = |text: &str| Reply::json(200, &json!({"data": {"data": {"key": text}}}));
    match seen.route() {
        "/v1/kv/data/weir/KEY_OF_OPENAI" => told(FAKE),
        "/v1/kv/data/weir/LITELLM_MASTER_KEY" => told("sk-master-of-vault"),
        _ => Reply::json(404, &json!({"errors": []})),
    }
}

fn of_vault(server: &MockServer, secret: &str) -> Builder {
    with("key_management_system: hashicorp_vault")
        .env("HCP_VAULT_ADDR", &server.url())
        .env("HCP_VAULT_NAMESPACE", "team")
        .env("HCP_VAULT_MOUNT_NAME", "kv")
        .env("HCP_VAULT_PATH_PREFIX", "weir")
        .env("HCP_VAULT_APPROLE_ROLE_ID", "weir")
        .env("HCP_VAULT_APPROLE_SECRET_ID", secret)
}

#[tokio::test]
async fn keys_come_from_vault_the_masters_too() {
    let server = MockServer::start(vault).await.unwrap();
    let rig = of_vault(&server, "fake").start().await;
    assert_eq!(asked_with(&rig, "sk-master-of-vault").await, format!("Bearer {FAKE}"));
    let before = rig.post("/v1/chat/completions", MASTER, chat("gpt-4o", "hi")).await;
    assert_eq!(before.status, 401, "the manager's counts, and not the environment's");
}

#[tokio::test]
async fn without_its_secret_manager_the_gateway_does_not_start_and_says_why() {
    let server = MockServer::start(vault).await.unwrap();
    let unknown = of_vault(&server, "another").refused().await;
    assert!(
        unknown.contains("no token for the AppRole") && unknown.contains("key_management_system"),
        "{unknown}"
    );
    assert!(!unknown.contains("another"), "p35: {unknown}");
    let away = of_vault(&server, "fake").env("HCP_VAULT_ADDR", "http://127.0.0.1:9").refused().await;
    assert!(away.contains("127.0.0.1"), "{away}");
    let warned = with("key_management_system: azure_key_vault").start().await;
    assert!(warned.log().contains("this secret manager is not asked"), "{}", warned.log());
}
