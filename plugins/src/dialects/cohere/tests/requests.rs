use crate::dialects::cohere::CohereChat;
use crate::dialects::fixtures::{asked, recordings, request, written};
use crate::dialects::{Params, UpstreamDialect};
use serde_json::{Value, json};
use weir_core::chat::{
    Kind, Media, Message, Part, Reasoning, Request, Role, Source, Tool, ToolChoice, ToolKind,
};

/// One text as a list of one block is that text.
fn plain(mut body: Value) -> Value {
    for message in body["messages"].as_array_mut().unwrap() {
        if message["content"].is_null() {
            message.as_object_mut().unwrap().shift_remove("content");
        }
        if let [one] = message.get("content").and_then(Value::as_array).map_or(&[][..], Vec::as_slice) {
            message["content"] = one["text"].clone();
        }
    }
    if let Some(Value::String(choice)) = body.get_mut("tool_choice") {
        choice.make_ascii_uppercase();
    }
    body.as_object_mut().unwrap().shift_remove("strict_tools");
    body
}

#[test]
fn recorded_requests_survive_the_way_through_the_hub() {
    for recorded in recordings("cohere", &["chat", "chat_stream"]) {
        let sent = &recorded.file["request"]["body"];
        let ours = written(&CohereChat, sent["model"].as_str().unwrap(), sent);
        assert_eq!(plain(ours), plain(sent.clone()), "{}", recorded.name);
    }
}

#[test]
fn parameters_have_coheres_names() {
    let body = written(
        &CohereChat,
        "command-a",
        &json!({
            "messages": [{"role": "developer", "content": "s"}, {"role": "user", "content": [
                {"type": "text", "text": "see"}, {"type": "image_url", "image_url": {"url": "https://x/y.png"}}]}],
            "max_completion_tokens": 5, "temperature": 0.2, "top_p": 0.9, "stop": ["END"], "seed": 1, "user": "u",
            "presence_penalty": 0.1, "frequency_penalty": 0.2, "reasoning_effort": "low", "stream": true,
            "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}},
            "safety_mode": "STRICT", "documents": [{"data": "d"}], "k": 3, "stream_options": {"include_usage": true},
        }),
    );
    let image = json!({"type": "image_url", "image_url": {"url": "https://x/y.png"}});
    let wanted = json!({
        "model": "command-a",
        "messages": [
            {"role": "system", "content": "s"},
            {"role": "user", "content": [{"type": "text", "text": "see"}, image]},
        ],
        "max_tokens": 5, "temperature": 0.2, "p": 0.9, "stop_sequences": ["END"], "seed": 1,
        "presence_penalty": 0.1, "frequency_penalty": 0.2, "thinking": {"type": "enabled"}, "stream": true,
        "response_format": {"type": "json_object", "json_schema": {"type": "object"}},
        "safety_mode": "STRICT", "documents": [{"data": "d"}], "k": 3,
    });
    assert_eq!(body, wanted);
}

fn sent(request: Request) -> Value {
    let (params, headers) = (Params::default(), http::HeaderMap::new());
    CohereChat.write_request(request, &asked("m", &params, &headers)).unwrap().body.into()
}

#[test]
fn a_named_tool_is_the_only_one_and_must_be_called() {
    let tool = |name: &str, strict| {
        Tool::new(ToolKind::Function { name: name.into(), description: None, parameters: None, strict })
    };
    let tools = vec![tool("f", None), tool("g", Some(true))];
    let choose = |tool_choice| sent(Request { tools: tools.clone(), tool_choice, ..Request::default() });
    let named = choose(Some(ToolChoice::Named("g".into())));
    assert_eq!(named["tools"], json!([{"type": "function", "function": {"name": "g"}}]));
    assert_eq!((&named["tool_choice"], &named["strict_tools"]), (&json!("REQUIRED"), &json!(true)));
    assert_eq!(choose(Some(ToolChoice::None))["tool_choice"], "NONE");
    assert_eq!(choose(Some(ToolChoice::Auto)).get("tool_choice"), None);
}

#[test]
fn p25_thoughts_go_back_as_a_plan_of_calls_or_as_a_block() {
    let thought = Part::new(Kind::Thinking { text: "hm".into(), id: None });
    let said = |parts| Request { messages: vec![Message::new(Role::Assistant, parts)], ..Request::default() };
    let block = sent(said(vec![thought.clone(), Part::text("Hi")]));
    let content = json!([{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Hi"}]);
    assert_eq!(block["messages"][0]["content"], content);
    let mut calls = request(&json!({"messages": [{"role": "assistant", "content": null, "tool_calls": [
        {"id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}]}]}));
    calls.messages[0].content.insert(0, thought);
    let message = &sent(calls)["messages"][0];
    assert_eq!((&message["tool_plan"], message.get("content")), (&json!("hm"), None));
    assert_eq!(message["tool_calls"][0]["function"]["arguments"], "{}");
}

#[test]
fn documents_in_messages_are_documents_to_cite() {
    let source = Source::Text { media_type: "text/plain".into(), text: "facts".into() };
    let document = Part::new(Kind::Document(Media { name: Some("t".into()), ..Media::new(source) }));
    let messages = vec![Message::new(Role::User, vec![document, Part::text("q")])];
    let body = sent(Request { messages, ..Request::default() });
    assert_eq!(body["documents"], json!([{"data": {"title": "t", "text": "facts"}}]));
    assert_eq!(body["messages"][0]["content"], "q");
}

#[test]
fn thinking_is_switched_and_budgeted() {
    let thinking = |reasoning| sent(Request { reasoning: Some(reasoning), ..Request::default() });
    let none = Reasoning { effort: Some("none".into()), budget: Some(9), ..Reasoning::default() };
    assert_eq!(thinking(none)["thinking"], json!({"type": "disabled"}));
    let budget = Reasoning { budget: Some(9), ..Reasoning::default() };
    assert_eq!(thinking(budget)["thinking"], json!({"type": "enabled", "token_budget": 9}));
    assert_eq!(thinking(Reasoning::default()).get("thinking"), None);
}

#[test]
fn what_cohere_cannot_take_is_refused() {
    let (params, headers) = (Params::default(), http::HeaderMap::new());
    let with = |part| Request { messages: vec![Message::new(Role::User, vec![part])], ..Request::default() };
    for refused in [
        with(Part::new(Kind::Audio(Media::from_url("data:audio/wav;base64,AA")))),
        with(Part::new(Kind::Document(Media::from_url("data:application/pdf;base64,AA")))),
        with(Part::new(Kind::Image(Media::new(Source::File { id: "f".into() })))),
        Request { n: Some(2), ..Request::default() },
        Request { service_tier: Some("flex".into()), ..Request::default() },
    ] {
        let error = CohereChat.write_request(refused, &asked("m", &params, &headers)).unwrap_err();
        assert_eq!(error.status(), 400);
    }
}
