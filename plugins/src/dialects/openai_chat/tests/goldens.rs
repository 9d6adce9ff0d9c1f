//! What LiteLLM sent and answered, for requests that were recorded at it.

use super::{events, read_request, shared, write_answer, write_request};
use crate::dialects::Params;
use crate::dialects::UpstreamDialect;
use crate::dialects::openai_chat::OpenAiChat;
use serde_json::{Value, json};

fn cases(file: &str) -> Vec<Value> {
    let Some(path) = shared(&format!("compat/litellm-1.81/goldens/{file}.json")) else { return Vec::new() };
    let all: Vec<Value> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert!(all.len() > 20, "{file}");
    all
}

/// The first request that reached the provider's chat.
fn received(case: &Value) -> Option<(&Value, &str)> {
    let list = case["upstream_received"].as_array()?;
    let chat = list.iter().find(|r| r["path"].as_str().is_some_and(|p| p.contains("/chat/completions")))?;
    Some((&chat["body"], chat["body"]["model"].as_str()?))
}

#[test]
fn requests_for_openai_and_azure_are_what_litellm_sends() {
    for (file, provider) in [("chat_openai", "openai"), ("chat_azure", "azure")] {
        let mut seen = 0;
        for case in cases(file) {
            let name = &case["name"];
            let Some((expected, model)) = received(&case) else { continue };
            // For Azure's API of early 2024 LiteLLM makes a tool of a schema and drops `json_object`; Azure takes both now.
            if provider == "azure" && name.as_str().is_some_and(|n| n.starts_with("response_format")) {
                continue;
            }
            if !case["request"]["body"].is_object() || case["request"]["body"].get("messages").is_none() {
                continue;
            }
            let Ok(request) = read_request(&case["request"]["body"]) else { continue };
            let params = Params { drop: true, ..Params::default() };
            let mut written = write_request(request, provider, model, &params).unwrap();
            let mut expected = expected.as_object().unwrap().clone();
            // Asked of every provider here; LiteLLM asks where the client does. Names of the gateway are not passed.
            written.remove("stream_options");
            for name in [
                "stream_options",
                "metadata",
                "mock_testing_fallbacks",
                "api_key",
                "extra_body",
                "max_retries",
            ] {
                expected.remove(name);
                written.remove(name);
            }
            // No content and null are the same to OpenAI; some other servers want it to be there.
            for message in expected["messages"].as_array_mut().into_iter().flatten() {
                if message["role"] == "assistant" && message.get("content").is_none() {
                    message["content"] = Value::Null;
                }
            }
            expected.retain(|name, value| !(value.is_null() || name == "stream" && *value == json!(false)));
            if let Some(Value::String(stop)) = expected.get("stop").cloned() {
                expected.insert("stop".into(), json!([stop]));
            }
            if let Some(limit) = expected.remove("max_completion_tokens") {
                expected.insert("max_tokens".into(), limit);
            }
            assert_eq!(Value::Object(written), Value::Object(expected), "{file} {name}");
            seen += 1;
        }
        println!("{file}: {seen} requests");
        assert!(seen > 10 || shared("compat").is_none());
    }
}

#[test]
fn every_golden_request_can_be_read() {
    let mut seen = 0;
    for file in ["chat_anthropic", "chat_bedrock", "chat_ollama", "chat_ollama_chat"] {
        for case in cases(file) {
            let body = &case["request"]["body"];
            if body["messages"].as_array().is_none_or(Vec::is_empty) {
                continue;
            }
            let request = read_request(body).unwrap_or_else(|e| panic!("{file} {}: {e}", case["name"]));
            assert_eq!(request.messages.len(), body["messages"].as_array().unwrap().len());
            assert_eq!(request.extra.get("my_extra_param"), body.get("my_extra_param"));
            assert!(!request.extra.contains_key("metadata") && !request.extra.contains_key("fallbacks"));
            seen += 1;
        }
    }
    println!("{seen} requests");
}

/// An answer of LiteLLM, read as a provider's and written for a client, is the same where both say something.
#[test]
fn translated_answers_have_litellms_shape() {
    let request = super::plain_request();
    let mut seen = 0;
    for file in ["chat_anthropic", "chat_bedrock", "chat_ollama_chat"] {
        for case in cases(file) {
            let body = &case["response"]["body"];
            let Some(expected) = body["choices"].get(0) else { continue };
            let name = format!("{file} {}", case["name"]);
            let answer = OpenAiChat.read_answer(body.to_string().as_bytes()).unwrap();
            let told = write_answer(answer, &request);
            let (got, mut expected) = (&told["choices"][0], expected.clone());
            let message = expected["message"].as_object_mut().unwrap();
            for call in message.get_mut("tool_calls").and_then(Value::as_array_mut).into_iter().flatten() {
                call.as_object_mut().unwrap().remove("index");
            }
            // Beside calls LiteLLM says null for Anthropic and nothing in quotes for others.
            if message.contains_key("tool_calls") && message["content"] == "" {
                message.insert("content".into(), Value::Null);
            }
            assert_eq!(got["finish_reason"], expected["finish_reason"], "{name}");
            assert_same(&got["message"], &expected["message"], &name);
            assert_same(&told["usage"], &body["usage"], &name);
            seen += 1;
        }
    }
    println!("{seen} answers");
}

/// Every member of the golden is there with the same value.
fn assert_same(got: &Value, golden: &Value, name: &str) {
    match golden {
        // Zeros that LiteLLM writes for Anthropic only.
        Value::Object(members) => {
            for (member, value) in members.iter().filter(|(m, _)| *m != "cache_creation_token_details") {
                assert_same(&got[member.as_str()], value, &format!("{name}.{member}"));
            }
        }
        _ => assert_eq!(got, golden, "{name}"),
    }
}

#[test]
fn streams_of_litellm_can_be_read() {
    for case in cases("chat_anthropic") {
        let Some(lines) = case["response"]["sse_lines"].as_array() else { continue };
        let text: Vec<&str> = lines.iter().filter_map(Value::as_str).collect();
        let stream = text.join("\n");
        let Ok(events) = events(&[stream.as_bytes()]) else { panic!("{}", case["name"]) };
        let fails = case["name"].as_str().unwrap().contains("error");
        assert_eq!(super::fault(&events).is_some(), fails, "{}", case["name"]);
    }
}
