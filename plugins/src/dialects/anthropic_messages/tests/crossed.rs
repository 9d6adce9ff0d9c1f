//! What LiteLLM sent to Anthropic for a client of OpenAI's chat, and what goes there from us.

use super::shared::goldens;
use super::write_request;
use crate::dialects::Params;
use serde_json::{Map, Value, json};
use weir_core::chat::{
    Dialect, Format, Kind, Media, Message, Part, Reasoning, Request, Role, Tool, ToolCall, ToolCallKind,
    ToolChoice, ToolKind, ToolResult,
};

/// A small reader of OpenAI's chat: what the goldens say.
fn from_chat(body: &Value) -> Request {
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    let number = |name: &str| body[name].as_number().cloned();
    let known = [
        "model",
        "messages",
        "tools",
        "tool_choice",
        "temperature",
        "top_p",
        "max_tokens",
        "max_completion_tokens",
        "stop",
        "user",
        "response_format",
        "reasoning_effort",
        "stream",
        "n",
        "parallel_tool_calls",
        "metadata",
    ];
    let extra: Map<String, Value> = body
        .as_object()
        .unwrap()
        .clone()
        .into_iter()
        .filter(|(name, _)| !known.contains(&name.as_str()))
        .collect();
    let list = |name: &str| body[name].as_array().cloned().unwrap_or_default();
    Request {
        model: text("model").unwrap(),
        messages: list("messages").iter().map(message).collect(),
        tools: list("tools").iter().map(tool).collect(),
        tool_choice: tool_choice(&body["tool_choice"]),
        parallel_tool_calls: body["parallel_tool_calls"].as_bool(),
        max_tokens: body["max_tokens"].as_u64().or(body["max_completion_tokens"].as_u64()),
        temperature: number("temperature"),
        top_p: number("top_p"),
        stop: list("stop").iter().map(|s| s.as_str().unwrap().to_owned()).collect(),
        n: body["n"].as_u64(),
        format: format(&body["response_format"]),
        reasoning: text("reasoning_effort").map(|e| Reasoning { effort: Some(e), ..Reasoning::default() }),
        user: text("user"),
        stream: body["stream"] == true,
        extra,
        ..Request::default()
    }
}

fn message(value: &Value) -> Message {
    let id = value["tool_call_id"].as_str().unwrap_or_default().to_owned();
    let mut content = parts(&value["content"]);
    let role = match value["role"].as_str().unwrap() {
        "system" => Role::System,
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "tool" => {
            let result = ToolResult { call_id: id, name: None, content, is_error: false };
            content = vec![Part::new(Kind::ToolResult(result))];
            Role::Tool
        }
        other => panic!("role {other}"),
    };
    for call in value["tool_calls"].as_array().into_iter().flatten() {
        let of = |name: &str| call["function"][name].as_str().unwrap().to_owned();
        let id = call["id"].as_str().unwrap().to_owned();
        let call =
            ToolCall { id, name: of("name"), arguments: of("arguments"), kind: ToolCallKind::Function };
        content.push(Part::new(Kind::ToolCall(call)));
    }
    Message::new(role, content)
}

fn parts(content: &Value) -> Vec<Part> {
    match content {
        Value::String(text) => vec![Part::text(text)],
        Value::Array(list) => list.iter().map(part).collect(),
        _ => Vec::new(),
    }
}

fn part(value: &Value) -> Part {
    let part = match value["image_url"]["url"].as_str() {
        Some(url) => Part::new(Kind::Image(Media::from_url(url))),
        None => Part::text(value["text"].as_str().unwrap()),
    };
    Part { cache: value.get("cache_control").cloned(), ..part }
}

fn tool(value: &Value) -> Tool {
    let function = &value["function"];
    Tool::new(ToolKind::Function {
        name: function["name"].as_str().unwrap().to_owned(),
        description: function["description"].as_str().map(str::to_owned),
        parameters: function.get("parameters").cloned(),
        strict: function["strict"].as_bool(),
    })
}

fn tool_choice(value: &Value) -> Option<ToolChoice> {
    match value.as_str() {
        Some("auto") => Some(ToolChoice::Auto),
        Some("none") => Some(ToolChoice::None),
        Some("required") => Some(ToolChoice::Required),
        _ => value["function"]["name"].as_str().map(|name| ToolChoice::Named(name.to_owned())),
    }
}

fn format(value: &Value) -> Option<Format> {
    match value["type"].as_str()? {
        "json_schema" => Some(Format::JsonSchema {
            name: value["json_schema"]["name"].as_str().map(str::to_owned),
            description: None,
            schema: value["json_schema"]["schema"].clone(),
            strict: value["json_schema"]["strict"].as_bool(),
        }),
        "json_object" => Some(Format::JsonObject),
        _ => Some(Format::Text),
    }
}

fn params() -> Params {
    Params { provider: "anthropic".into(), ..Params::default() }
}

/// The single request that the provider received.
fn received(case: &Value) -> Option<&Value> {
    let all = case["upstream_received"].as_array()?;
    let request = all.first().unwrap_or(&case["upstream_received"]);
    Some(&request["body"]).filter(|body| body.is_object())
}

#[test]
fn p24_requests_of_openai_clients_are_what_litellm_sends() {
    let cases = goldens("chat_anthropic.json");
    let mut compared = 0;
    for case in &cases {
        let name = case["name"].as_str().unwrap();
        let Some(expected) = received(case) else { continue };
        let request = from_chat(&case["request"]["body"]);
        let model = expected["model"].as_str().unwrap();
        let written = write_request(request, model, &params()).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(sorted(&written), sorted(expected), "{name}");
        compared += 1;
    }
    assert!(cases.is_empty() || compared > 25, "only {compared} compared");
}

/// Objects without regard to order.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let mut members: Vec<_> = object.iter().map(|(k, v)| (k.clone(), sorted(v))).collect();
            members.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(members.into_iter().collect())
        }
        Value::Array(list) => list.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

#[test]
fn what_is_unsupported_is_refused_or_dropped_as_the_rules_say() {
    let body = json!({ "model": "m", "messages": [{ "role": "user", "content": "hi" }], "n": 2,
        "logit_bias": { "1": 1 }, "reasoning_effort": "low" });
    let message = write_request(from_chat(&body), "claude-3-opus-20240229", &params()).unwrap_err();
    assert!(message.message().contains("['n', 'reasoning_effort', 'logit_bias']"), "{message}");
    let lax = Params { drop: true, ..params() };
    let written = write_request(from_chat(&body), "claude-3-opus-20240229", &lax).unwrap();
    let expected = json!({ "model": "claude-3-opus-20240229", "max_tokens": 4096,
        "messages": [{ "role": "user", "content": [{ "type": "text", "text": "hi" }] }] });
    assert_eq!(written, sorted(&expected).clone());
    let lets =
        Params { allowed: vec!["n".into(), "logit_bias".into(), "reasoning_effort".into()], ..params() };
    let written = write_request(from_chat(&body), "claude-3-opus-20240229", &lets).unwrap();
    assert_eq!((&written["n"], &written["logit_bias"]), (&json!(2), &json!({ "1": 1 })));
    assert_eq!(written["thinking"]["budget_tokens"], 1024);
}

fn chat(messages: Value) -> Request {
    from_chat(&json!({ "model": "m", "messages": messages }))
}

#[test]
fn the_conversation_is_made_such_as_anthropic_takes_it() {
    let mut request = chat(json!([
        { "role": "user", "content": "a" },
        { "role": "user", "content": "" },
        { "role": "assistant", "content": "", "tool_calls": [
            { "id": "call.1", "function": { "name": "f", "arguments": "{broken" } },
            { "id": "call_2", "function": { "name": "f", "arguments": "" } }] },
        { "role": "tool", "tool_call_id": "call.1", "content": "" },
        { "role": "tool", "tool_call_id": "call_2", "content": [{ "type": "text", "text": "x" }, { "type": "text", "text": "y" }] },
        { "role": "system", "content": "late" },
        { "role": "user", "content": "b" },
        { "role": "assistant", "content": "so far \n" },
    ]));
    let unsigned = Part::new(Kind::Thinking { text: "hm".into(), id: None });
    let signed = Part { signature: Some("sig".into()), ..unsigned.clone() };
    let foreign = Part {
        signature: Some("sig".into()),
        ..Part::new(Kind::Thinking { text: "x".into(), id: Some("rs".into()) })
    };
    let opaque = Part::new(Kind::Opaque { dialect: Dialect::Gemini, value: json!({ "x": 1 }) });
    request.messages[0].content[0].extra.insert("theirs".into(), json!(1));
    request.messages[2].content.splice(0..0, [unsigned, signed, foreign, opaque]);
    request.tools = vec![tool(&json!({ "function": { "name": "f" } }))];
    let written = write_request(request, "claude-3-opus-20240229", &params()).unwrap();
    let text = |text: &str| json!({ "type": "text", "text": text });
    assert_eq!(written["system"], json!([text("late")]));
    assert_eq!(
        written["tools"],
        json!([{ "name": "f", "input_schema": { "type": "object", "properties": {} } }])
    );
    assert_eq!(
        written["messages"],
        json!([
            { "role": "user", "content": [text("a")] },
            { "role": "assistant", "content": [
                { "type": "thinking", "thinking": "hm", "signature": "sig" },
                { "type": "tool_use", "id": "call_1", "name": "f", "input": { "input": "{broken" } },
                { "type": "tool_use", "id": "call_2", "name": "f", "input": {} }] },
            { "role": "user", "content": [
                { "type": "tool_result", "tool_use_id": "call_1", "content": "" },
                { "type": "tool_result", "tool_use_id": "call_2", "content": [text("x"), text("y")] },
                text("b")] },
            { "role": "assistant", "content": [text("so far")] },
        ])
    );
}

#[test]
fn the_user_begins_or_the_request_is_mended() {
    let request = chat(json!([{ "role": "assistant", "content": "a" }]));
    assert_eq!(write_request(request.clone(), "m", &params()).unwrap_err().status(), 400);
    let mends = Params { modify: true, ..params() };
    let written = write_request(request, "m", &mends).unwrap();
    assert_eq!(
        written["messages"][0],
        json!({ "role": "user", "content": [{ "type": "text", "text": "." }] })
    );
    let calls = chat(
        json!([{ "role": "user", "content": "a" }, { "role": "tool", "tool_call_id": "c", "content": "r" }]),
    );
    assert!(write_request(calls.clone(), "m", &params()).unwrap_err().message().contains("modify_params"));
    assert_eq!(write_request(calls, "m", &mends).unwrap()["tools"][0]["name"], "dummy_tool");
}

#[test]
fn schemas_are_formats_where_the_model_has_them() {
    let request = |schema: Value, model: &str| {
        let mut request = chat(json!([{ "role": "user", "content": "a" }]));
        request.format = Some(Format::JsonSchema { name: None, description: None, schema, strict: None });
        request.parallel_tool_calls = Some(false);
        write_request(request, model, &params()).unwrap()
    };
    let closed = json!({ "type": "object", "properties": {}, "additionalProperties": false });
    let native = request(closed.clone(), "claude-sonnet-4-5");
    assert_eq!(native["output_config"]["format"], json!({ "type": "json_schema", "schema": closed }));
    assert!(native.get("tools").is_none() && native.get("tool_choice").is_none());
    for (schema, model) in [(json!({ "type": "object" }), "claude-sonnet-4-5"), (closed, "claude-3-5-sonnet")]
    {
        let by_tool = request(schema, model);
        assert_eq!(by_tool["tool_choice"], json!({ "type": "tool", "name": "json_tool_call" }));
    }
}

#[test]
fn choices_of_tools_are_mapped() {
    let with = |choice: Option<ToolChoice>, parallel: Option<bool>| {
        let mut request = chat(json!([{ "role": "user", "content": "a" }]));
        request.tools = vec![tool(&json!({ "function": { "name": "f" } }))];
        (request.tool_choice, request.parallel_tool_calls) = (choice, parallel);
        write_request(request, "m", &params()).unwrap()["tool_choice"].clone()
    };
    assert_eq!(with(Some(ToolChoice::Required), None), json!({ "type": "any" }));
    assert_eq!(with(Some(ToolChoice::None), Some(false)), json!({ "type": "none" }));
    assert_eq!(with(None, Some(false)), json!({ "type": "auto", "disable_parallel_tool_use": true }));
    assert_eq!(with(None, None), Value::Null);
}

#[test]
fn tools_of_other_providers_are_translated_or_refused() {
    let with = |value: Value, drop: bool| {
        let mut request = chat(json!([{ "role": "user", "content": "a" }]));
        request.tools = vec![Tool::new(ToolKind::Provider { dialect: Dialect::OpenAiResponses, value })];
        write_request(request, "m", &Params { drop, ..params() })
    };
    let search = json!({ "type": "web_search_preview", "search_context_size": "low",
        "user_location": { "type": "approximate", "city": "Bonn" } });
    assert_eq!(
        with(search, false).unwrap()["tools"][0],
        json!({ "type": "web_search_20250305", "name": "web_search",
        "user_location": { "type": "approximate", "city": "Bonn" }, "max_uses": 1 })
    );
    let hosted = json!({ "type": "text_editor_20250728", "name": "e" });
    assert_eq!(with(hosted.clone(), false).unwrap()["tools"][0], hosted);
    assert_eq!(with(json!({ "type": "file_search" }), false).unwrap_err().status(), 400);
    assert!(with(json!({ "type": "file_search" }), true).unwrap().get("tools").is_none());
}

#[test]
fn sound_is_refused_and_files_go_by_what_is_inside() {
    let mut request = chat(json!([{ "role": "user", "content": "a" }]));
    request.messages[0].content =
        vec![Part::new(Kind::Image(Media::from_url("data:application/pdf;base64,QUJD")))];
    let written = write_request(request.clone(), "m", &params()).unwrap();
    assert_eq!(written["messages"][0]["content"][0]["type"], "document");
    request.messages[0].content = vec![Part::new(Kind::Audio(Media::from_url("data:audio/wav;base64,QUJD")))];
    assert_eq!(write_request(request, "m", &params()).unwrap_err().status(), 400);
}

#[test]
fn what_would_be_refused_is_mended_where_that_is_allowed() {
    let mut request = chat(json!([{ "role": "user", "content": "a" }]));
    request.temperature = serde_json::Number::from_f64(1.5);
    request.top_p = serde_json::Number::from_f64(0.5);
    request.stop = vec!["\n".into(), "END".into()];
    request.user = Some("a@example.org".into());
    let as_is = write_request(request.clone(), "claude-sonnet-4-5", &params()).unwrap();
    assert_eq!((&as_is["temperature"], &as_is["top_p"]), (&json!(1.5), &json!(0.5)));
    assert!(as_is.get("metadata").is_none());
    let mended = write_request(request, "claude-sonnet-4-5", &Params { modify: true, ..params() }).unwrap();
    assert_eq!((&mended["temperature"], &mended["stop_sequences"]), (&json!(1), &json!(["END"])));
    assert!(mended.get("top_p").is_none());
}
