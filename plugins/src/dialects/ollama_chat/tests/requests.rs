use crate::dialects::embeddings::EmbeddingAsk;
use crate::dialects::fixtures::{asked, goldens, request, written};
use crate::dialects::ollama_chat::{OllamaChat, OllamaGenerate, write_embeddings};
use crate::dialects::{Params, UpstreamDialect};
use serde_json::{Value, json};
use weir_core::chat::{Kind, Media, Message, Part, Reasoning, Role, Tool, ToolKind};

/// What LiteLLM loses in a turn after tools, and we do not: the calls, and whose result it is.
fn without_calls(mut body: Value) -> Value {
    for message in body.get_mut("messages").and_then(Value::as_array_mut).into_iter().flatten() {
        let message = message.as_object_mut().unwrap();
        for ours in ["tool_calls", "tool_call_id", "tool_name"] {
            message.shift_remove(ours);
        }
    }
    body
}

fn check_goldens(file: &str, dialect: &dyn UpstreamDialect) -> usize {
    let mut compared = 0;
    for case in goldens(file) {
        let Some(sent) = case["upstream_received"].get(0) else { continue };
        let body = &sent["body"];
        let ours = written(dialect, body["model"].as_str().unwrap(), &case["request"]["body"]);
        assert_eq!(without_calls(ours), *body, "{}", case["name"]);
        compared += 1;
    }
    compared
}

#[test]
fn chats_are_asked_as_litellm_asks_them() {
    let compared = check_goldens("chat_ollama_chat.json", &OllamaChat);
    assert!(compared == 0 || compared >= 28, "{compared} requests");
}

#[test]
fn prompts_are_asked_as_litellm_asks_them() {
    let compared = check_goldens("chat_ollama.json", &OllamaGenerate);
    assert!(compared == 0 || compared >= 26, "{compared} requests");
}

#[test]
fn embeddings_are_asked_as_litellm_asks_them() {
    let cases = goldens("endpoints_llm_nodb.json");
    let case = cases.iter().find(|c| c["name"] == "embeddings_ollama");
    if let Some(case) = case {
        let sent = &case["upstream_received"][0]["body"];
        let ask = EmbeddingAsk::read(case["request"]["body"].as_object().unwrap().clone()).unwrap();
        assert_eq!(Value::Object(write_embeddings(ask, sent["model"].as_str().unwrap())), *sent);
    }
    let more = json!({"input": "a", "dimensions": 2, "truncate": true, "num_ctx": 9, "options": {"seed": 1}});
    let ask = EmbeddingAsk::read(more.as_object().unwrap().clone()).unwrap();
    let options = json!({"num_ctx": 9, "seed": 1});
    let wanted = json!({"model": "m", "input": ["a"], "dimensions": 2, "truncate": true, "options": options});
    assert_eq!(Value::Object(write_embeddings(ask, "m")), wanted);
}

#[test]
fn what_ollama_has_no_word_for_is_refused_unless_it_may_be_dropped() {
    let headers = http::HeaderMap::new();
    let dialects: [(_, &dyn UpstreamDialect); 2] =
        [("chat_ollama_chat.json", &OllamaChat), ("chat_ollama.json", &OllamaGenerate)];
    for (file, dialect) in dialects {
        let cases = goldens(file);
        let case = cases.iter().find(|c| c["name"] == "unsupported_param_logit_bias_n");
        let Some(body) = case.map(|c| &c["request"]["body"]) else { return };
        let strict = Params { provider: "ollama".into(), ..Params::default() };
        let error = dialect.write_request(request(body), &asked("m", &strict, &headers)).unwrap_err();
        assert!(error.message().contains("['n', 'logit_bias']"), "{}", error.message());
        let lax = Params { drop: true, ..strict };
        let sent = dialect.write_request(request(body), &asked("m", &lax, &headers)).unwrap().body;
        assert_eq!(sent.get("options"), Some(&json!({})));
    }
}

#[test]
fn p25_a_turn_after_tools_names_the_tool_and_keeps_the_calls() {
    let sent = written(
        &OllamaChat,
        "m",
        &json!({"messages": [
            {"role": "assistant", "content": null, "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}},
                {"id": "c2", "type": "function", "function": {"name": "g", "arguments": ""}}]},
            {"role": "tool", "tool_call_id": "c2", "content": "two"},
            {"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "one"}]},
        ]}),
    );
    let calls = json!([
        {"id": "c1", "function": {"name": "f", "arguments": {"a": 1}}},
        {"id": "c2", "function": {"name": "g", "arguments": {}}},
    ]);
    assert_eq!(sent["messages"][0]["tool_calls"], calls);
    let told = |at: usize, member: &str| sent["messages"][at][member].as_str().map(str::to_owned);
    assert_eq!(told(1, "tool_name").as_deref(), Some("g"));
    assert_eq!(told(1, "content").as_deref(), Some("two"));
    assert_eq!(told(2, "tool_name").as_deref(), Some("f"));
    assert_eq!(told(2, "tool_call_id").as_deref(), Some("c1"));
}

#[test]
fn a_clients_own_members_go_where_ollama_looks_for_them() {
    let asked = json!({
        "messages": [], "keep_alive": "5m", "num_ctx": 4096, "mirostat": 1, "options": {"min_p": 0.1},
        "think": "high", "template": "t", "frequency_penalty": 0.5, "my_null": null,
    });
    let chat = written(&OllamaChat, "m", &asked);
    assert_eq!((&chat["keep_alive"], &chat["think"]), (&json!("5m"), &json!("high")));
    let options = json!({
        "frequency_penalty": 0.5, "num_ctx": 4096, "mirostat": 1, "min_p": 0.1, "template": "t"
    });
    assert_eq!(chat["options"], options);
    let generate = written(&OllamaGenerate, "m", &asked);
    assert_eq!((&generate["keep_alive"], &generate["template"]), (&json!("5m"), &json!("t")));
}

#[test]
fn thinking_is_a_switch_but_for_gpt_oss() {
    let think = |model: &str, reasoning: Reasoning| {
        let (params, headers) = (Params::default(), http::HeaderMap::new());
        let request = weir_core::chat::Request { reasoning: Some(reasoning), ..Default::default() };
        let body = OllamaChat.write_request(request, &asked(model, &params, &headers)).unwrap().body;
        body.get("think").cloned()
    };
    let effort = |word: &str| Reasoning { effort: Some(word.into()), ..Reasoning::default() };
    for (word, plain, levels) in [
        ("none", json!(false), json!(false)),
        ("minimal", json!(false), json!("low")),
        ("low", json!(true), json!("low")),
        ("high", json!(true), json!("high")),
        ("xhigh", json!(true), json!("high")),
    ] {
        assert_eq!(think("qwen3", effort(word)), Some(plain), "{word}");
        assert_eq!(think("gpt-oss:20b", effort(word)), Some(levels), "{word}");
    }
    let off = Reasoning { enabled: Some(false), ..effort("high") };
    assert_eq!(think("qwen3", off), Some(json!(false)));
    assert_eq!(think("qwen3", Reasoning { budget: Some(9), ..Reasoning::default() }), Some(json!(true)));
    assert_eq!(think("qwen3", Reasoning { adaptive: true, ..Reasoning::default() }), None);
}

#[test]
fn what_ollama_cannot_take_is_refused_and_never_lost_in_silence() {
    let (params, headers) = (Params::default(), http::HeaderMap::new());
    let media = |kind: fn(Media) -> Kind, url: &str| {
        let part = Part::new(kind(Media::from_url(url)));
        weir_core::chat::Request {
            messages: vec![Message::new(Role::User, vec![part])],
            ..Default::default()
        }
    };
    let custom = Tool::new(ToolKind::Custom { name: "c".into(), description: None, format: None });
    let custom = weir_core::chat::Request { tools: vec![custom], ..Default::default() };
    for refused in [
        media(Kind::Image, "https://x/y.png"),
        media(Kind::Audio, "data:audio/wav;base64,AA"),
        media(Kind::Document, "data:application/pdf;base64,AA"),
        custom,
    ] {
        let asked = asked("m", &params, &headers);
        let error = OllamaChat.write_request(refused.clone(), &asked).unwrap_err();
        assert_eq!(error.status(), 400);
        assert!(OllamaGenerate.write_request(refused, &asked).is_err());
    }
}

#[test]
fn tools_are_described_in_the_system_turn_that_is_there() {
    let tools = json!([{"type": "function", "function": {"name": "f"}}]);
    let messages = json!([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}]);
    let sent = written(&OllamaGenerate, "m", &json!({"messages": messages, "tools": tools}));
    let prompt = sent["prompt"].as_str().unwrap();
    assert!(prompt.starts_with("### System:\nBe brief. Produce JSON OUTPUT ONLY!"), "{prompt}");
    assert!(
        prompt.ends_with("{'type': 'function', 'function': {'name': 'f'}}\n\n\n### User:\nhi\n\n"),
        "{prompt}"
    );
    let none = json!({"messages": messages, "tools": tools, "tool_choice": "none"});
    assert_eq!(written(&OllamaGenerate, "m", &none).get("format"), None);
    assert_eq!(written(&OllamaChat, "m", &none).get("tools"), None);
}
