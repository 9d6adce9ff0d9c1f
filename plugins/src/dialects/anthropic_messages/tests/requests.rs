use super::shared::{goldens, recordings};
use super::{read_request, write_request};
use crate::dialects::Params;
use crate::dialects::openai_chat::OURS;
use serde_json::{Map, Value, json};
use weir_core::chat::{Kind, Role, Source, ToolChoice};

#[test]
fn p24_a_recorded_request_means_the_same_after_translation() {
    for recording in recordings().iter().filter(|r| r.status == 200) {
        let Some(request) = &recording.request else { continue };
        let read = read_request(request).unwrap_or_else(|e| panic!("{}: {e}", recording.name));
        let model = request["model"].as_str().unwrap();
        let written = write_request(read, model, &Params::default()).unwrap();
        assert_eq!(meaning(&written), meaning(request), "{}", recording.name);
    }
}

#[test]
fn p24_requests_of_this_dialect_are_what_litellm_sends() {
    let cases = goldens("endpoints_llm_nodb.json");
    let names = ["messages_anthropic", "messages_beta", "messages_cache"];
    let ours = cases.iter().filter(|c| names.iter().any(|n| c["name"].as_str().unwrap().starts_with(n)));
    let mut compared = 0;
    for case in ours {
        let expected = &case["upstream_received"][0]["body"];
        let model = expected["model"].as_str().unwrap();
        let read = read_request(&case["request"]["body"]).unwrap();
        let written = write_request(read, model, &Params::default()).unwrap();
        assert_eq!(meaning(&written), meaning(expected), "{}", case["name"]);
        compared += 1;
    }
    assert!(cases.is_empty() || compared > 5, "only {compared} compared");
}

/// One spelling for requests that mean the same.
fn meaning(request: &Value) -> Value {
    let mut out = without_nulls(request);
    let object = out.as_object_mut().unwrap();
    let unsaid = [("stream", json!(false)), ("tools", json!([])), ("top_k", json!(-1)), ("top_p", json!(-1))];
    object.retain(|name, value| !unsaid.iter().any(|(n, v)| n == name && v == value));
    if let Some(format) = object.remove("output_format") {
        object.entry("output_config").or_insert(json!({}))["format"] = format;
    }
    if let Some(system) = object.get_mut("system") {
        *system = blocks(system);
    }
    let messages = object["messages"].as_array().cloned().unwrap();
    let mut turns: Vec<(Value, Vec<Value>)> = Vec::new();
    for message in messages {
        let Value::Array(content) = blocks(&message["content"]) else { continue };
        match turns.last_mut().filter(|(role, _)| *role == message["role"]) {
            Some((_, there)) => there.extend(content),
            None => turns.push((message["role"].clone(), content)),
        }
    }
    object.insert("messages".into(), json!(turns));
    out
}

fn blocks(content: &Value) -> Value {
    let list = match content {
        Value::String(text) => vec![json!({ "type": "text", "text": text })],
        other => other.as_array().cloned().unwrap_or_default(),
    };
    list.into_iter().filter(|b| b["text"] != "").map(block).collect()
}

fn block(mut block: Value) -> Value {
    if block["type"] == "tool_result" {
        if block.get("is_error") == Some(&json!(false)) {
            block.as_object_mut().unwrap().remove("is_error");
        }
        if let Some(content) = block.get_mut("content") {
            *content = blocks(content);
        }
    }
    block
}

fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let kept = object.iter().filter(|(_, v)| !v.is_null());
            Value::Object(kept.map(|(k, v)| (k.clone(), without_nulls(v))).collect::<Map<_, _>>())
        }
        Value::Array(list) => list.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}

/// Everything that a request may say.
fn full() -> Value {
    json!({
        "model": "claude-opus-4-5",
        "system": [{ "type": "text", "text": "s", "cache_control": { "type": "ephemeral", "ttl": "1h" } }],
        "messages": [
            { "role": "user", "content": [
                { "type": "image", "source": { "type": "base64", "media_type": "image/png", "data": "QUJD" } },
                { "type": "image", "source": { "type": "url", "url": "https://x/y.png" } },
                { "type": "document", "source": { "type": "file", "file_id": "f" }, "title": "t", "context": "c",
                  "citations": { "enabled": true } },
                { "type": "document", "source": { "type": "text", "media_type": "text/plain", "data": "d" } },
                { "type": "document", "source": { "type": "content", "content": [{ "type": "text", "text": "k" }] } },
                { "type": "search_result", "source": "https://z", "title": "t", "content": [{ "type": "text", "text": "r" }] },
                { "type": "container_upload", "file_id": "u" },
                { "type": "text", "text": "go", "cache_control": { "type": "ephemeral" }, "later": 1 },
            ] },
            { "role": "assistant", "content": [
                { "type": "thinking", "thinking": "hm", "signature": "sig" },
                { "type": "redacted_thinking", "data": "xx" },
                { "type": "server_tool_use", "id": "s", "name": "web_search", "input": { "query": "q" } },
                { "type": "web_search_tool_result", "tool_use_id": "s", "content": [] },
                { "type": "text", "text": "so", "citations": [{ "type": "page_location", "cited_text": "c" }] },
                { "type": "tool_use", "id": "toolu_1", "name": "f", "input": { "a": 1 }, "caller": { "type": "direct" } },
                { "type": "tool_use", "id": "toolu_2", "name": "g", "input": {} },
            ] },
            { "role": "user", "content": [
                { "type": "tool_result", "tool_use_id": "toolu_1", "is_error": true, "content": "broken" },
                { "type": "tool_result", "tool_use_id": "toolu_2", "content": [
                    { "type": "image", "source": { "type": "base64", "media_type": "image/png", "data": "QUJD" } }] },
                { "type": "text", "text": "next" },
            ] },
        ],
        "max_tokens": 10, "temperature": 0.5, "top_p": 0.9, "top_k": 4, "stop_sequences": ["X"], "stream": true,
        "tools": [
            { "name": "f", "description": "d", "input_schema": { "type": "object" }, "strict": true, "defer_loading": true },
            { "type": "web_search_20250305", "name": "web_search", "max_uses": 3 },
        ],
        "tool_choice": { "type": "tool", "name": "f", "disable_parallel_tool_use": true },
        "thinking": { "type": "enabled", "budget_tokens": 2000, "display": "summarized" },
        "output_config": { "effort": "low", "format": { "type": "json_schema", "schema": { "type": "object" } }, "z": 1 },
        "metadata": { "user_id": "u@example.org" }, "service_tier": "auto", "cache_control": { "type": "ephemeral" },
        "context_management": { "edits": [] }, "nobody_knows": [1],
    })
}

#[test]
fn p24_nothing_a_client_says_is_lost() {
    let written =
        write_request(read_request(&full()).unwrap(), "claude-opus-4-5", &Params::default()).unwrap();
    assert_eq!(meaning(&written), meaning(&full()));
}

#[test]
fn p25_other_dialects_find_what_they_know() {
    let request = read_request(&full()).unwrap();
    let roles: Vec<Role> = request.messages.iter().map(|m| m.role).collect();
    assert_eq!(roles, [Role::System, Role::User, Role::Assistant, Role::Tool, Role::User]);
    assert_eq!(request.tool_choice, Some(ToolChoice::Named("f".into())));
    assert_eq!(request.parallel_tool_calls, Some(false));
    assert_eq!(request.reasoning.as_ref().and_then(|r| r.budget), Some(2000));
    assert_eq!(request.user.as_deref(), Some("u@example.org"));
    assert_eq!(request.extra.keys().collect::<Vec<_>>(), ["nobody_knows"]);
    let texts = request.messages[1].content.iter().filter_map(|p| match &p.kind {
        Kind::Document(media) => match &media.source {
            Source::Text { text, .. } => Some(text.as_str()),
            _ => None,
        },
        _ => None,
    });
    assert_eq!(texts.collect::<Vec<_>>(), ["d", "k", "r"]);
    assert!(matches!(&request.messages[3].content[0].kind, Kind::ToolResult(r) if r.is_error));
}

#[test]
fn what_is_no_request_is_refused_with_its_place() {
    let cases = [
        (json!({ "messages": [{ "role": "user", "content": "x" }] }), "model"),
        (json!({ "model": "m" }), "messages"),
        (json!({ "model": "m", "messages": [{ "role": "tool", "content": "x" }] }), "messages.0"),
        (
            json!({ "model": "m", "messages": [{ "role": "user", "content": [{ "type": "text" }] }] }),
            "messages.0.content",
        ),
        (json!({ "model": "m", "max_tokens": "many", "messages": [] }), "max_tokens"),
        (json!({ "model": "m", "messages": [], "tool_choice": { "type": "tool" } }), "tool_choice"),
    ];
    for (request, place) in cases {
        let error = read_request(&request).unwrap_err();
        assert_eq!(error.status(), 400);
        assert!(error.message().starts_with(place), "{error}");
    }
}

#[test]
fn a_request_without_a_limit_has_the_operators() {
    let turn = json!({ "role": "user", "content": "x" });
    for (asked, configured, sent) in
        [(None, Some(77), json!(77)), (Some(5), Some(77), json!(5)), (None, None, json!(4096))]
    {
        let mut request = read_request(&json!({ "model": "m", "messages": [turn] })).unwrap();
        request.max_tokens = asked;
        let params = Params { max_tokens: configured, ..Params::default() };
        assert_eq!(write_request(request, "claude-3-haiku", &params).unwrap()["max_tokens"], sent);
    }
}

#[test]
fn members_for_the_gateway_stay_here() {
    let request = json!({ "model": "m", "messages": [{ "role": "user", "content": "x" }], "fallbacks": ["n"],
        "metadata": { "tags": ["a"] }, "timeout": 3 });
    let read = read_request(&request).unwrap();
    assert!(read.extra.is_empty() && read.user.is_none());
}

#[test]
fn what_the_gateway_takes_of_an_openai_request_it_takes_of_this_one_too() {
    for name in OURS.iter().filter(|name| **name != "metadata") {
        let mut request = json!({ "model": "m", "messages": [{ "role": "user", "content": "x" }] });
        request[*name] = json!(true);
        let read = read_request(&request).unwrap();
        assert!(read.extra.is_empty(), "{name}");
        assert!(read.native.unwrap().1.is_empty(), "{name}");
    }
}
