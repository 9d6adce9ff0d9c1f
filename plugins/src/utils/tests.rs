use super::*;
use crate::dialects::anthropic_messages::AnthropicMessages;
use crate::dialects::fixtures::goldens;
use crate::dialects::{Params, UpstreamDialect, gemini, openai_chat, openai_responses};
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};
use weir_core::model::prices::Catalogue;

/// All cases of a utility route that were answered with 200.
fn answered(route: &str) -> Vec<(Value, Value)> {
    let mut found = Vec::new();
    for file in ["endpoints_llm_nodb.json", "db_users_roles.json"] {
        for case in goldens(file) {
            let asked = case["request"]["path"].as_str().unwrap_or_default().starts_with(route);
            if asked && case["response"]["status"] == 200 {
                found.push((case["request"].clone(), case["response"]["body"].clone()));
            }
        }
    }
    found
}

#[test]
fn the_token_counter_counts_what_litellm_counts() {
    for (request, expected) in answered("/utils/token_counter") {
        let asked: TokenCountRequest = serde_json::from_value(request["body"].clone()).unwrap();
        let told = token_counter(&asked, expected["model_used"].as_str().unwrap()).unwrap();
        assert_eq!(told, expected, "{request}");
    }
}

fn counted(body: Value) -> Result<u64, String> {
    let asked: TokenCountRequest = serde_json::from_value(body).unwrap();
    let told = token_counter(&asked, &asked.model).map_err(|error| error.message().to_owned())?;
    Ok(told["total_tokens"].as_u64().unwrap())
}

#[test]
fn contents_of_gemini_and_tools_are_counted_too() {
    let text = "How many ships are at sea tonight, and where are they bound?";
    let contents = json!([{ "role": "user", "parts": [{ "text": text }] }]);
    let gemini = counted(json!({ "model": "gemini-2.5-flash", "contents": contents })).unwrap();
    assert!((10..25).contains(&gemini), "{gemini}");

    let messages = json!([{ "role": "user", "content": text }]);
    let plain = counted(json!({ "model": "gpt-4o", "messages": messages })).unwrap();
    let tools = json!([{ "type": "function", "function": { "name": "ships", "description": "Lists ships",
        "parameters": { "type": "object", "properties": { "sea": { "type": "string" } } } } }]);
    let tooled = counted(json!({ "model": "gpt-4o", "messages": messages, "tools": tools })).unwrap();
    assert!(tooled > plain + 20, "{tooled} {plain}");
}

#[test]
fn what_cannot_be_counted_is_refused() {
    let nothing = counted(json!({ "model": "gpt-4o" })).unwrap_err();
    assert_eq!(nothing, "prompt or messages or contents must be provided");
    for messages in
        [json!([7]), json!([{ "role": "nobody" }]), json!([{ "content": [{ "type": 3 }] }]), json!([null])]
    {
        // Refused or counted, but answered.
        let _ = counted(json!({ "model": "gpt-4o", "messages": messages, "contents": null }));
        let _ = counted(json!({ "model": "gemini-3-pro", "contents": messages }));
    }
}

fn supported(model: &str) -> Vec<String> {
    let told = supported_openai_params(model, &Catalogue::embedded()).unwrap();
    serde_json::from_value(told["supported_openai_params"].clone()).unwrap()
}

#[test]
fn parameters_of_openai_are_those_that_litellm_lists() {
    for (request, expected) in answered("/utils/supported_openai_params") {
        let model = request["path"].as_str().unwrap().split_once("model=").unwrap().1;
        let told = supported_openai_params(model, &Catalogue::embedded()).unwrap();
        assert_eq!(told, expected, "{model}");
    }
}

#[test]
fn parameters_depend_on_provider_and_model() {
    let has = |model: &str, name: &str| supported(model).iter().any(|n| n == name);
    assert!(has("o3-mini", "reasoning_effort") && !has("o3-mini", "temperature"));
    assert!(has("claude-sonnet-4-5", "thinking") && !has("claude-3-opus-20240229", "reasoning_effort"));
    assert!(
        has("anthropic/claude-3-haiku-20240307", "tools")
            && !has("anthropic/claude-3-haiku-20240307", "seed")
    );
    assert!(
        !has("groq/llama-3.3-70b-versatile", "logit_bias") && has("groq/llama-3.3-70b-versatile", "tools")
    );
    assert!(
        has("gemini/gemini-2.5-pro", "reasoning_effort")
            && !has("gemini/gemini-2.0-flash", "reasoning_effort")
    );
    assert!(has("ollama_chat/qwen2.5:7b", "seed") && has("cohere/command-a-03-2025", "logprobs"));
    assert!(has("bedrock/us.anthropic.claude-sonnet-4-20250514-v1:0", "reasoning_effort"));
    assert!(has("vertex_ai/claude-sonnet-4-5", "thinking") && has("vertex_ai/gemini-2.5-pro", "seed"));
    for model in [
        "gpt-4o",
        "claude-sonnet-4-5",
        "gemini/gemini-2.5-pro",
        "ollama/llama3",
        "bedrock/amazon.nova-lite-v1:0",
    ] {
        let list = supported(model);
        let mut unique = list.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), list.len(), "{model} says a name twice");
        assert!(has(model, "stream") && has(model, "max_completion_tokens"), "{model}");
    }
}

#[test]
fn a_model_of_nobody_is_refused() {
    for model in ["", "no-such-model", "nobody/gpt-4o", &"x".repeat(100_000)] {
        let error = supported_openai_params(model, &Catalogue::embedded()).unwrap_err();
        assert!(error.status() == 400 && error.message().len() < 400, "{model:.20}");
    }
}

fn shown(call: &str, body: Value, url: &str, headers: &HeaderMap, dialect: &dyn UpstreamDialect) -> Value {
    let request: TransformRequest =
        serde_json::from_value(json!({ "call_type": call, "request_body": body })).unwrap();
    let params = Params::default();
    let to = Destination { url, headers, dialect, model: "m-1", provider: "anthropic", params: &params };
    transform_request(&request, &to)
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_str(value).unwrap())).collect()
}

#[test]
fn a_request_is_shown_as_litellm_shows_it() {
    for (request, mut expected) in answered("/utils/transform_request") {
        let asked: TransformRequest = serde_json::from_value(request["body"].clone()).unwrap();
        let carried =
            headers(&[("host", "x"), ("x-api-key", "my-secret-key"), ("content-type", "application/json")]);
        let params = Params::default();
        let to = Destination {
            url: "https://api.anthropic.com/v1/messages",
            headers: &carried,
            dialect: &AnthropicMessages,
            model: "claude-3-opus-20240229",
            provider: "anthropic",
            params: &params,
        };
        let mut told = transform_request(&asked, &to);
        // LiteLLM shows ends of the key; `accept` is its client library's. The version is the provider's.
        for member in ["x-api-key", "accept", "anthropic-version"] {
            expected["raw_request_headers"].as_object_mut().unwrap().remove(member);
            told["raw_request_headers"].as_object_mut().unwrap().remove(member);
        }
        let texts = |told: &Value| told["raw_request_body"]["messages"][0]["content"].to_string();
        assert_eq!(texts(&told).contains("hi"), texts(&expected).contains("hi"));
        told["raw_request_body"]["messages"] = json!(null);
        expected["raw_request_body"]["messages"] = json!(null);
        assert_eq!(told, expected);
    }
}

/// Marked secrets in every place that may hold one.
#[test]
fn p35_no_secret_is_shown() {
    let mut carried = headers(&[
        ("authorization", "Bearer MARKED1"),
        ("api-key", "MARKED2"),
        ("x-own-secret", "MARKED3"),
        ("x-amz-security-token", "MARKED4"),
        ("x-plain", "told"),
    ]);
    let mut marked = HeaderValue::from_static("MARKED5");
    marked.set_sensitive(true);
    carried.insert("x-extra", marked);
    let body = json!({ "model": "m", "messages": [{ "role": "user", "content": "hi" }], "api_key": "MARKED6",
        "inner": { "list": [{ "aws_secret_access_key": "MARKED7", "kept": "told" }] } });
    for url in ["https://u:MARKED8@h/p?key=MARKED9&alt=sse", "http://MARKED8@h", "h?api-key=MARKED9&alt=sse"]
    {
        for dialect in [&openai_chat::OpenAiChat as &dyn UpstreamDialect, &gemini::Gemini, &AnthropicMessages]
        {
            let told = shown("completion", body.clone(), url, &carried, dialect);
            let text = told.to_string();
            assert!(!text.contains("MARKED"), "{text}");
            assert_eq!(told["raw_request_headers"]["x-plain"], "told");
            assert_eq!(told["error"], json!(null));
        }
    }
    let told = shown("completion", body, "https://u:p@h/p?key=k&alt=sse", &carried, &openai_chat::OpenAiChat);
    assert_eq!(told["raw_request_api_base"], "https://h/p?key=****&alt=sse");
    assert_eq!(
        told["raw_request_body"]["inner"]["list"][0],
        json!({ "aws_secret_access_key": "****", "kept": "told" })
    );
}

#[test]
fn every_call_is_shown_in_the_providers_words_and_what_fails_is_told() {
    let none = HeaderMap::new();
    let says =
        |call: &str, body: Value| shown(call, body, "http://h", &none, &openai_responses::OpenAiResponses);
    let chat =
        says("acompletion", json!({ "model": "x", "messages": [{ "role": "user", "content": "hi" }] }));
    assert_eq!(chat["raw_request_body"]["model"], "m-1");
    assert!(chat["raw_request_body"]["input"].is_array(), "{chat}");
    let message = says(
        "anthropic_messages",
        json!({ "model": "x", "max_tokens": 9, "messages": [{ "role": "user", "content": "hi" }] }),
    );
    assert!(message["raw_request_body"]["input"].is_array(), "{message}");
    let response = says("aresponses", json!({ "model": "x", "input": "hi" }));
    assert!(response["raw_request_body"]["input"].is_array(), "{response}");
    for failed in [says("embedding", json!({})), says("completion", json!({ "messages": 3 }))] {
        assert!(failed["error"].is_string() && failed["raw_request_body"].is_null(), "{failed}");
    }
}
