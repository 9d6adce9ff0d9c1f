//! Requests: read, and written again.

use super::{ask, body, plain, recordings, tell, view};
use crate::dialects::openai_responses::{input_items, messages, output_items, prepend, state};
use crate::dialects::params::Params;
use serde_json::{Value, json};
use weir_core::chat::{
    Format, Kind, Message, Part, Request, Role, ToolCall, ToolCallKind, ToolChoice, ToolKind,
};

/// Members that a request may gain or lose between reading and writing, and why.
static EXCEPTIONS: &[(&str, &str)] = &[
    ("include", "asked for by the writer: thoughts must come back"),
    ("previous_response_id", "the gateway's to resolve"),
    ("store", "nothing is kept at a provider by way of another dialect"),
    ("top_logprobs", "no answer carries them, so they are refused or left out"),
];

/// Members of items that say nothing to a model.
static FRAMES: &[&str] = &["id", "status", "phase", "annotations", "logprobs"];

/// A request, told in one way: instructions are a message, texts are parts, defaults are said.
fn meaning(request: &Value) -> Value {
    let mut request = request.as_object().unwrap().clone();
    request.retain(|name, value| {
        !value.is_null() && *value != json!(false) && EXCEPTIONS.iter().all(|(n, _)| n != name)
    });
    let mut items = Vec::new();
    if let Some(text) = request.remove("instructions") {
        items.push(json!({ "role": "system", "content": text }));
    }
    match request.remove("input") {
        Some(Value::Array(list)) => items.extend(list),
        Some(text) => items.push(json!({ "role": "user", "content": text })),
        None => {}
    }
    request.insert("input".into(), items.into_iter().map(item).collect());
    for tool in request.get_mut("tools").and_then(Value::as_array_mut).into_iter().flatten() {
        let tool = tool.as_object_mut().unwrap();
        if tool["type"] == "function" && tool.get("strict").is_none_or(Value::is_null) {
            tool.insert("strict".into(), false.into());
        }
    }
    request.into()
}

fn item(item: Value) -> Value {
    let mut item = item.as_object().unwrap().clone();
    // A reasoning item is found by its id, a provider's tool by the whole item.
    if item.get("type").is_none_or(|t| t == "message" || t == "function_call" || t == "function_call_output")
    {
        FRAMES.iter().for_each(|name| drop(item.remove(*name)));
    }
    if let Some(content) = item.remove("content") {
        item.insert("type".into(), "message".into());
        let kind = if item["role"] == "assistant" { "output_text" } else { "input_text" };
        let parts = match content {
            Value::Array(parts) => parts,
            text => vec![json!({ "type": kind, "text": text })],
        };
        item.insert("content".into(), parts.into_iter().map(part).collect());
    }
    item.into()
}

fn part(part: Value) -> Value {
    let mut part = part.as_object().unwrap().clone();
    FRAMES.iter().for_each(|name| drop(part.remove(*name)));
    part.into()
}

#[test]
fn recorded_requests_mean_the_same_when_written_again() {
    for recording in recordings() {
        let request = match ask(&recording.request) {
            Err(error) if recording.request.get("prompt").is_some() => {
                assert!(error.message().contains("prompt templates"), "{error}");
                continue;
            }
            request => request.unwrap_or_else(|e| panic!("{}: {e}", recording.id)),
        };
        let lax = Params { drop: true, ..Params::default() };
        let written = tell(request, &lax).unwrap();
        assert_eq!(meaning(&written), meaning(&recording.request), "{}", recording.id);
    }
}

#[test]
fn every_member_finds_its_place() {
    let request = ask(&json!({
        "model": "m", "instructions": "be nice", "input": "hi", "max_output_tokens": 5, "temperature": 0.5, "top_p": 1,
        "parallel_tool_calls": false, "user": "u", "service_tier": "flex", "stream": true,
        "reasoning": { "effort": "low", "summary": "auto" },
        "text": { "verbosity": "low", "format": { "type": "json_schema", "name": "n", "schema": {}, "strict": true } },
        "metadata": { "k": "v" }, "store": false, "truncation": "auto", "include": [], "client_metadata": {},
        "fallbacks": ["x"], "prompt_cache_key": "k", "unheard_of": [1], "safety_identifier": null,
    }));
    let request = request.unwrap();
    assert_eq!(request.messages[0], Message::new(Role::System, vec![Part::text("be nice")]));
    assert_eq!(request.messages[1], Message::new(Role::User, vec![Part::text("hi")]));
    assert_eq!((request.max_tokens, request.parallel_tool_calls), (Some(5), Some(false)));
    assert_eq!((request.user.as_deref(), request.service_tier.as_deref()), (Some("u"), Some("flex")));
    assert!(request.stream);
    let reasoning = request.reasoning.unwrap();
    assert_eq!((reasoning.effort.as_deref(), reasoning.summary.as_deref()), (Some("low"), Some("auto")));
    assert!(matches!(request.format, Some(Format::JsonSchema { strict: Some(true), .. })));
    let extra = json!({ "verbosity": "low", "prompt_cache_key": "k", "unheard_of": [1] });
    assert_eq!(Value::from(request.extra), extra);
}

#[test]
fn what_a_model_did_in_a_row_is_one_message() {
    let request = ask(&json!({ "model": "m", "input": [
        { "role": "user", "content": [
            { "type": "input_text", "text": "look" },
            { "type": "input_image", "image_url": "data:image/png;base64,QQ==", "detail": "low" },
            { "type": "input_file", "filename": "a.txt", "file_data": "QQ==" },
        ]},
        { "type": "reasoning", "id": "rs_1", "summary": [{ "type": "summary_text", "text": "a" }, { "text": "b" }],
          "encrypted_content": "gAAAA1" },
        { "type": "message", "role": "assistant", "id": "msg_1", "content": [{ "type": "output_text", "text": "x" }] },
        { "type": "function_call", "call_id": "c1", "namespace": "mcp__x", "name": "get", "arguments": "{}" },
        { "type": "custom_tool_call", "call_id": "c2", "name": "patch", "input": "free" },
        { "type": "web_search_call", "id": "ws_1", "status": "completed" },
        { "type": "function_call_output", "call_id": "c1", "output": "one" },
        { "type": "custom_tool_call_output", "call_id": "c2", "output": [{ "type": "input_text", "text": "two" }] },
    ]}));
    let messages = request.unwrap().messages;
    let roles: Vec<Role> = messages.iter().map(|m| m.role).collect();
    assert_eq!(roles, [Role::User, Role::Assistant, Role::Tool]);
    assert_eq!(messages[1].content.len(), 5);
    assert_eq!(
        messages[1].content[0].kind,
        Kind::Thinking { text: "a\n\nb".into(), id: Some("rs_1".into()) }
    );
    assert_eq!(messages[1].content[0].signature.as_deref(), Some("gAAAA1"));
    let Kind::ToolCall(call) = &messages[1].content[2].kind else { panic!("{:?}", messages[1].content[2]) };
    assert_eq!(call.name, "mcp__x__get");
    let again = tell(Request { messages, ..Request::default() }, &Params::default()).unwrap();
    let kinds: Vec<&str> =
        again["input"].as_array().unwrap().iter().map(|i| i["type"].as_str().unwrap()).collect();
    assert_eq!(kinds[4], "custom_tool_call");
    assert_eq!(kinds[5..], ["web_search_call", "function_call_output", "custom_tool_call_output"]);
}

#[test]
fn tools_and_choices_are_read() {
    let tools = json!([
        { "type": "function", "name": "f", "parameters": {}, "strict": true },
        { "type": "function", "name": "g" },
        { "type": "custom", "name": "c", "format": { "type": "grammar", "syntax": "lark", "definition": "x" } },
        { "type": "web_search" },
        { "type": "namespace", "name": "n", "tools": [{ "type": "function", "name": "h" }] },
    ]);
    let ask =
        |choice: Value| ask(&json!({ "model": "m", "input": "x", "tools": tools, "tool_choice": choice }));
    let request = ask(json!("required")).unwrap();
    let names: Vec<Option<&str>> = request.tools.iter().map(|t| t.name()).collect();
    assert_eq!(names, [Some("f"), Some("g"), Some("c"), None, Some("n__h")]);
    assert!(matches!(request.tools[3].kind, ToolKind::Provider { .. }));
    assert_eq!(request.tool_choice, Some(ToolChoice::Required));
    let named = ask(json!({ "type": "custom", "name": "c" })).unwrap();
    assert_eq!(named.tool_choice, Some(ToolChoice::Named("c".into())));
    assert_eq!(
        tell(named, &Params::default()).unwrap()["tool_choice"],
        json!({ "type": "custom", "name": "c" })
    );
    let one = json!({ "type": "function", "name": "g" });
    let allowed = ask(json!({ "type": "allowed_tools", "mode": "required", "tools": [one] })).unwrap();
    assert_eq!((allowed.tools.len(), allowed.tool_choice), (1, Some(ToolChoice::Required)));
    assert_eq!(ask(json!({ "type": "web_search" })).unwrap_err().status(), 400);
}

#[test]
fn what_needs_a_providers_store_is_refused_with_a_cure() {
    for (member, value, cure) in [
        ("background", json!(true), "use 'stream'"),
        ("conversation", json!("conv_1"), "previous_response_id"),
        ("prompt", json!({ "id": "pmpt_1" }), "instructions"),
        ("input", json!([{ "type": "item_reference", "id": "msg_77" }]), "'msg_77'"),
        ("input", json!([{ "x": 1 }]), "input[0]"),
        ("input", json!(7), "send a text or a list"),
        ("temperature", json!("hot"), "temperature"),
        ("tools", json!([{ "type": "function" }]), "tools[0]"),
    ] {
        let mut request = json!({ "model": "m", "input": "hi" });
        request[member] = value;
        let error = ask(&request).unwrap_err();
        assert_eq!(error.status(), 400, "{member}");
        assert!(error.message().contains(cure), "{member}: {}", error.message());
        assert!(error.body().contains("\"param\""), "{}", error.body());
    }
    assert!(ask(&json!({ "model": "m", "input": "hi", "background": false })).is_ok());
    assert_eq!(ask(&json!({ "model": "m" })).unwrap_err().status(), 400);
    assert!(ask(&json!({ "model": "m", "previous_response_id": "resp_1" })).is_ok());
}

#[test]
fn state_is_read_with_its_defaults() {
    let none = state(&body(&json!({ "model": "m" }))).unwrap();
    assert!(none.store && !none.background && none.previous.is_none() && none.include.is_empty());
    let all = json!({ "store": false, "background": true, "previous_response_id": "resp_1", "include": ["a"],
                      "metadata": { "k": "v" }, "truncation": "auto" });
    let all = state(&body(&all)).unwrap();
    assert!(!all.store && all.background);
    assert_eq!((all.previous.as_deref(), all.include.as_slice()), (Some("resp_1"), &["a".to_owned()][..]));
    assert_eq!((all.truncation.as_deref(), all.metadata.len()), (Some("auto"), 1));
    assert_eq!(state(&body(&json!({ "store": "no" }))).unwrap_err().status(), 400);
}

/// What is stored of a first response continues a second one.
#[test]
fn p26_stored_items_come_back_as_the_conversation() {
    let first = body(&json!({ "model": "m", "input": "hi", "instructions": "old" }));
    let call =
        ToolCall { id: "c1".into(), name: "f".into(), arguments: "{}".into(), kind: ToolCallKind::Function };
    let mut thought = Part::new(Kind::Thinking { text: "hm".into(), id: None });
    thought.signature = Some("sig".into());
    let redacted = Part::new(Kind::RedactedThinking { data: "xx".into() });
    let content =
        vec![thought, redacted.clone(), Part::text("hello"), Part::new(Kind::ToolCall(call.clone()))];
    let answer = weir_core::chat::Answer { content, ..Default::default() };
    let mut stored = input_items(&first).unwrap();
    let output = output_items(&answer, &view(&first));
    let told = plain(answer, &json!({ "model": "m", "input": "hi", "instructions": "old" }));
    assert_eq!(told["output"], json!(output), "what is stored is what was told");
    stored.extend(output);

    let second = json!({ "model": "m", "instructions": "new", "previous_response_id": "resp_1",
        "input": [{ "type": "function_call_output", "call_id": "c1", "output": "42" }] });
    let mut request = ask(&second).unwrap();
    prepend(&mut request, messages(stored).unwrap(), &body(&second));
    let roles: Vec<Role> = request.messages.iter().map(|m| m.role).collect();
    assert_eq!(roles, [Role::System, Role::User, Role::Assistant, Role::Tool]);
    assert_eq!(request.messages[0].text(), "new");
    let said = &request.messages[2].content;
    assert_eq!(said[0].signature.as_deref(), Some("sig"));
    assert_eq!(said[1], redacted);
    assert_eq!(said[2].as_text(), Some("hello"));
    assert_eq!(said[3].kind, Kind::ToolCall(call));
    assert_eq!(request.tool_name("c1"), Some("f"));
}

#[test]
fn other_dialects_words_are_translated_or_refused() {
    let strict = Params { provider: "openai".into(), ..Params::default() };
    let mut request = Request { model: "gpt-5".into(), seed: Some(1), ..Request::default() };
    let refused = tell(request.clone(), &strict).unwrap_err();
    assert!(refused.message().contains("['seed']"), "{}", refused.message());
    let allowed = Params { allowed: vec!["seed".into()], ..strict.clone() };
    assert_eq!(tell(request.clone(), &allowed).unwrap()["seed"], 1);
    request.seed = None;
    request.extra.insert("logit_bias".into(), json!({ "1": 2 }));
    assert!(tell(request.clone(), &strict).is_err());
    let lax = Params { drop: true, modify: true, ..strict.clone() };
    request.max_tokens = Some(1);
    let dropped = Params { additional_drop: vec!["max_tokens".into()], ..lax.clone() };
    assert!(tell(request.clone(), &dropped).unwrap().get("max_output_tokens").is_none());
    request.reasoning = Some(weir_core::chat::Reasoning { budget: Some(6000), ..Default::default() });
    let written = tell(request, &lax).unwrap();
    assert!(written.get("logit_bias").is_none());
    assert_eq!(written["max_output_tokens"], 16);
    assert_eq!(written["reasoning"], json!({ "effort": "medium" }));
    assert_eq!(written["store"], false);
    assert_eq!(written["include"], json!(["reasoning.encrypted_content"]));
}

#[test]
fn thoughts_are_told_where_the_operator_wishes_for_them() {
    let wishes = Params { summarizes: true, ..Params::default() };
    for (reasoning, told) in [
        (json!({ "effort": "low" }), json!({ "effort": "low", "summary": "detailed" })),
        (json!({ "effort": "low", "summary": "auto" }), json!({ "effort": "low", "summary": "auto" })),
        (Value::Null, Value::Null),
    ] {
        let request = ask(&json!({ "model": "gpt-5", "input": "hi", "reasoning": reasoning })).unwrap();
        let written = tell(request, &wishes).unwrap();
        assert_eq!(written.get("reasoning").unwrap_or(&Value::Null), &told);
    }
}

/// Another provider's proof would be refused with a 400, so the thought is left out.
#[test]
fn foreign_thoughts_are_not_sent() {
    let mut foreign = Part::new(Kind::Thinking { text: "hm".into(), id: None });
    foreign.signature = Some("ErUBCkYI".into());
    let content = vec![foreign, Part::text("x")];
    let messages =
        vec![Message::new(Role::Assistant, content), Message::new(Role::User, vec![Part::text("y")])];
    let written = tell(Request { messages, ..Request::default() }, &Params::default()).unwrap();
    assert_eq!(written["input"].as_array().unwrap().len(), 2);
    assert!(!written.to_string().contains("ErUB"));
}
