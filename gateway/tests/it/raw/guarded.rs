//! What does not pass: paths that leave their provider, headers of others, models that a key may not use.

use super::{CONFIG, chat, contents, echo, message};
use crate::rig::{MASTER, Rig};
use serde_json::json;

#[tokio::test]
async fn a_path_does_not_leave_its_provider() {
    let rig = Rig::config(CONFIG).over(echo).await;
    for path in [
        "/openai/../key/list",
        "/openai/v1/%2e%2e/%2e%2e/x",
        "/anthropic/v1/..%2f..%2fadmin",
        "/gemini/%252e%252e/x",
        "/bedrock/agents/../model/x/converse",
        "/cohere/v1/%5c..%5cx",
        "/mistral/v1/a%00b",
    ] {
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: weir\r\nauthorization: Bearer {MASTER}\r\nconnection: close\r\n\r\n"
        );
        let answer = raw(&rig, &request).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{path}: {answer}");
    }
    assert_eq!(rig.mock.seen_count(), 0);
    for (path, sent) in [
        ("/openai//evil.example/x", "/v1//evil.example/x"),
        ("/openai/http://evil.example/x", "/v1/http://evil.example/x"),
        ("/anthropic/@evil.example/x", "/@evil.example/x"),
        ("/cohere/v1/mod%65ls", "/v1/models"),
    ] {
        assert_eq!(rig.get(path, MASTER).await.json()["path"], sent, "the host is the provider's still");
    }
}

async fn raw(rig: &Rig, request: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(rig.address()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn p36_headers_of_the_connection_and_of_other_accounts_stay_here() {
    let rig = Rig::config(CONFIG).over(echo).await;
    let auth = format!("Bearer {MASTER}");
    let headers = [
        ("authorization", auth.as_str()),
        ("connection", "x-hop"),
        ("x-hop", "1"),
        ("te", "trailers"),
        ("cookie", "a=b"),
        ("proxy-authorization", "Basic eA=="),
        ("openai-organization", "org-other"),
        ("x-forwarded-for", "1.2.3.4"),
        ("x-pass-openai-beta", "assistants=v2"),
        ("x-pass-authorization", "Bearer theirs"),
        ("anthropic-beta", "b1"),
        ("user-agent", "mine/1"),
    ];
    let answer = rig.post_with("/openai/v1/files", &headers, "{}").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let seen = rig.mock.take_log().remove(0);
    for name in [
        "x-hop",
        "te",
        "cookie",
        "proxy-authorization",
        "openai-organization",
        "x-forwarded-for",
        "connection",
    ] {
        assert_eq!(seen.header(name), "", "{name}");
    }
    for (name, value) in [
        ("authorization", "Bearer key-of-openai"),
        ("openai-beta", "assistants=v2"),
        ("anthropic-beta", "b1"),
        ("user-agent", "mine/1"),
    ] {
        assert_eq!(seen.header(name), value);
    }
}

#[tokio::test]
async fn p37_a_key_for_some_models_reaches_no_other_by_any_spelling() {
    let rig = Rig::config(CONFIG).over(echo).await;
    let key = rig.key(json!({"models": ["gpt-4o", "my-claude", "gemini/*"]})).await;
    let gpt = chat("gpt-4o");
    let nova = json!({"model": "gpt-4o", "messages": []});
    for (path, body) in [
        ("/openai/chat/completions", gpt.clone()),
        ("/anthropic/v1/messages", message("my-claude")),
        ("/azure/openai/deployments/gpt-4o/chat/completions", chat("gpt-5")),
        ("/gemini/v1beta/models/gemini-2.5-pro:generateContent", contents()),
    ] {
        let answer = rig.post(path, &key, &body).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
    let before = rig.mock.seen_count();
    for (path, body) in [
        ("/openai/chat/completions", chat("gpt-5")),
        ("/openai/v1/chat/completions", chat("gpt-5")),
        ("/anthropic/v1/messages", message("claude-sonnet-4-5")),
        ("/anthropic/v1/messages/batches", json!({"requests": [{"params": {"model": "my-claude"}}]})),
        ("/azure/openai/deployments/gpt-5/chat/completions", gpt.clone()),
        ("/azure/openai/Deployments/gpt-5/chat/completions", gpt.clone()),
        ("/azure/openai/deployments%2Fgpt-5/chat/completions", gpt.clone()),
        ("/bedrock/model/amazon.nova-pro-v1:0/converse", nova.clone()),
        ("/bedrock/model%2Famazon.nova-pro-v1:0/converse", nova),
        ("/openai/v1/files", json!({})),
    ] {
        let answer = rig.post(path, &key, &body).await;
        assert_eq!(answer.status, 401, "{path}: {}", answer.text());
        assert!(answer.text().contains("key not allowed to access model"), "{path}: {}", answer.text());
    }
    let listed = rig.get("/openai/v1/files", &key).await;
    assert!(listed.text().contains("names no model"), "{}", listed.text());
    let other = rig.key(json!({"models": ["my-gpt"]})).await;
    for path in [
        "/gemini/v1beta/models/gemini-2.5-pro:generateContent",
        "/gemini/v1beta/mod%65ls/gemini-2.5-pro:generateContent",
        "/gemini/v1beta/models/gemini-2.5-pro%3AgenerateContent",
        "/gemini/v1beta/tunedModels/mine:generateContent",
        "/gemini/v1beta%2Fmodels%2Fgemini-2.5-pro:generateContent",
    ] {
        let answer = rig.post(path, &other, json!({"model": "my-gpt", "contents": []})).await;
        assert_eq!(answer.status, 401, "{path}: {}", answer.text());
    }
    assert_eq!(rig.mock.seen_count(), before);
}
