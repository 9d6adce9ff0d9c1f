use super::super::{Gemini, schema};
use super::{body, recordings, write};
use crate::dialects::{ClientDialect, Params};
use http::HeaderMap;
use serde_json::{Map, Number, Value, json};
use weir_core::chat::{
    Citation, Format, Kind, Media, Message, Part, Reasoning, Request, Role, Source, Tool, ToolCall,
    ToolCallKind, ToolChoice, ToolKind, ToolResult,
};

fn read(value: &Value) -> Request {
    Gemini.read_request(&body(value), &HeaderMap::new()).unwrap()
}

// --- recorded requests ---

#[test]
fn p24_recorded_requests_mean_the_same_when_written_again() {
    for recording in recordings::all().into_iter().filter(|r| !r.request.is_null()) {
        let request = read(&recording.request);
        let again = write(request, &recording.model, &Params::default()).unwrap();
        assert_eq!(meaning(again), meaning(recording.request), "{}", recording.name);
    }
}

/// A body with its names in camel case and everything that has two spellings in one.
fn meaning(mut body: Value) -> Value {
    camel(&mut body);
    let body = body.as_object_mut().unwrap();
    body.remove("model");
    if let Some(system) = body.get_mut("systemInstruction").and_then(Value::as_object_mut) {
        system.remove("role");
    }
    merge_turns(body["contents"].as_array_mut().unwrap());
    for tool in body.get_mut("tools").and_then(Value::as_array_mut).into_iter().flatten() {
        let functions = tool.get_mut("functionDeclarations").and_then(Value::as_array_mut);
        for function in functions.into_iter().flatten().filter_map(Value::as_object_mut) {
            one_schema(function, &["parameters", "parametersJsonSchema"]);
        }
    }
    if let Some(config) = body.get_mut("generationConfig").and_then(Value::as_object_mut) {
        one_schema(config, &["responseSchema", "responseJsonSchema"]);
    }
    body.retain(|_, value| *value != json!({}));
    Value::Object(body.clone())
}

fn one_schema(object: &mut Map<String, Value>, names: &[&str]) {
    if let Some(mut schema) = names.iter().find_map(|name| object.remove(*name)) {
        schema::from_gemini(&mut schema);
        object.insert("schema".into(), schema::to_gemini(&schema));
    }
}

fn merge_turns(contents: &mut Vec<Value>) {
    let mut merged: Vec<Value> = Vec::new();
    for mut content in std::mem::take(contents) {
        match merged.last_mut() {
            Some(last) if last["role"] == content["role"] => {
                let parts = content["parts"].as_array_mut().map(std::mem::take).unwrap();
                last["parts"].as_array_mut().unwrap().extend(parts);
            }
            _ => merged.push(content),
        }
    }
    *contents = merged;
}

/// Values below these belong to somebody else.
static FOREIGN: &[&str] = &["args", "response", "properties", "labels"];

fn camel(value: &mut Value) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(camel),
        Value::Object(object) => {
            for (name, mut value) in std::mem::take(object) {
                if !FOREIGN.contains(&name.as_str()) {
                    camel(&mut value);
                }
                object.insert(super::super::request::camel(&name), value);
            }
        }
        _ => {}
    }
}

// --- the conversation ---

fn user(parts: Vec<Part>) -> Message {
    Message::new(Role::User, parts)
}

fn call(id: &str, name: &str, arguments: &str) -> Part {
    Part::new(Kind::ToolCall(ToolCall {
        id: id.into(),
        name: name.into(),
        arguments: arguments.into(),
        kind: ToolCallKind::Function,
    }))
}

fn result(id: &str, content: Vec<Part>, is_error: bool) -> Part {
    Part::new(Kind::ToolResult(ToolResult { call_id: id.into(), name: None, content, is_error }))
}

fn plain(request: Request, model: &str) -> Value {
    write(request, model, &Params::default()).unwrap()
}

#[test]
fn results_are_named_after_their_calls_and_turns_alternate() {
    let messages = vec![
        Message::new(Role::System, vec![Part::text("be brief")]),
        user(vec![Part::text("a")]),
        user(vec![Part::text("b")]),
        Message::new(Role::Assistant, vec![call("c1", "f", "{\"x\":1}"), call("c2", "g", "")]),
        Message::new(Role::Tool, vec![result("c1", vec![Part::text("{\"ok\":true}")], false)]),
        Message::new(Role::Tool, vec![result("c2", vec![Part::text("broken")], true)]),
    ];
    let body = plain(Request { messages, ..Request::default() }, "gemini-2.5-pro");
    assert_eq!(body["systemInstruction"], json!({ "parts": [{ "text": "be brief" }] }));
    let expected = json!([
        { "role": "user", "parts": [{ "text": "a" }, { "text": "b" }] },
        { "role": "model", "parts": [
            { "functionCall": { "id": "c1", "name": "f", "args": { "x": 1 } } },
            { "functionCall": { "id": "c2", "name": "g", "args": {} } } ] },
        { "role": "user", "parts": [
            { "functionResponse": { "id": "c1", "name": "f", "response": { "ok": true } } },
            { "functionResponse": { "id": "c2", "name": "g", "response": { "error": "broken" } } } ] },
    ]);
    assert_eq!(body["contents"], expected);
}

#[test]
fn a_result_without_a_call_is_refused() {
    let messages = vec![Message::new(Role::Tool, vec![result("c9", vec![Part::text("x")], false)])];
    let error = write(Request { messages, ..Request::default() }, "m", &Params::default()).unwrap_err();
    assert_eq!(error.status(), 400);
    assert!(error.message().contains("c9"), "{}", error.message());
}

#[test]
fn ids_that_google_never_gave_are_not_sent_and_signatures_in_ids_are() {
    let ours = super::super::ids::made_up(7, 0);
    let messages = vec![
        Message::new(Role::Assistant, vec![call(&ours, "f", "{}"), call("c2__thought__c2ln", "g", "{}")]),
        Message::new(Role::Tool, vec![result(&ours, vec![Part::text("x")], false)]),
        Message::new(Role::Tool, vec![result("c2__thought__c2ln", vec![Part::text("y")], false)]),
    ];
    let body = plain(Request { messages, ..Request::default() }, "gemini-2.5-pro");
    let model = json!([
        { "functionCall": { "name": "f", "args": {} } },
        { "functionCall": { "id": "c2", "name": "g", "args": {} }, "thoughtSignature": "c2ln" },
    ]);
    let results = json!([
        { "functionResponse": { "name": "f", "response": { "content": "x" } } },
        { "functionResponse": { "id": "c2", "name": "g", "response": { "content": "y" } } },
    ]);
    assert_eq!(body["contents"][0]["parts"], model);
    assert_eq!(body["contents"][1]["parts"], results);
}

#[test]
fn gemini_3_gets_a_signature_for_the_first_call_of_each_turn() {
    let signed = Part { signature: Some("own".into()), ..call("c3", "h", "{}") };
    let messages = vec![
        Message::new(Role::Assistant, vec![call("c1", "f", "{}"), call("c2", "g", "{}")]),
        Message::new(Role::Tool, vec![result("c1", vec![Part::text("x")], false)]),
        Message::new(Role::Assistant, vec![signed]),
    ];
    let request = Request { messages, ..Request::default() };
    let body = plain(request.clone(), "gemini-3-pro-preview");
    let signature = |body: &Value, turn: usize, part: usize| {
        body["contents"][turn]["parts"][part]["thoughtSignature"].as_str().map(str::to_owned)
    };
    assert!(signature(&body, 0, 0).is_some());
    assert_eq!(signature(&body, 0, 1), None);
    assert_eq!(signature(&body, 2, 0).as_deref(), Some("own"));
    assert_eq!(signature(&plain(request, "gemini-2.5-pro"), 0, 0), None);
}

#[test]
fn thoughts_go_back_without_a_foreign_signature() {
    let mut thought = Part::new(Kind::Thinking { text: "hm".into(), id: None });
    thought.signature = Some("anthropic's".into());
    let redacted = Part::new(Kind::RedactedThinking { data: "x".into() });
    let mut text = Part::text("yes");
    text.signature = Some("sig".into());
    let messages = vec![Message::new(Role::Assistant, vec![thought, redacted, text])];
    let body = plain(Request { messages, ..Request::default() }, "gemini-2.5-pro");
    let expected = json!([{ "text": "hm", "thought": true }, { "text": "yes", "thoughtSignature": "sig" }]);
    assert_eq!(body["contents"][0]["parts"], expected);
}

#[test]
fn media_stand_where_the_model_takes_them() {
    let image = || Part::new(Kind::Image(Media::from_url("data:image/png;base64,QUJD")));
    let wire = json!({ "inlineData": { "mimeType": "image/png", "data": "QUJD" } });
    let mut low = Media::from_url("https://x/y.png");
    low.detail = Some("low".into());
    let text = Media::new(Source::Text { media_type: "text/plain".into(), text: "doc".into() });
    let messages = vec![
        user(vec![Part::new(Kind::Image(low)), Part::new(Kind::Document(text))]),
        Message::new(Role::Assistant, vec![call("c1", "f", "{}")]),
        Message::new(Role::Tool, vec![result("c1", vec![Part::text("see"), image()], false)]),
    ];
    let request = Request { messages, ..Request::default() };
    let old = plain(request.clone(), "gemini-2.5-pro");
    assert_eq!(old["contents"][0]["parts"][1], json!({ "text": "doc" }));
    assert_eq!(old["contents"][2]["parts"][1], wire);
    let new = plain(request, "gemini-3-pro");
    let level = json!({ "level": "MEDIA_RESOLUTION_LOW" });
    assert_eq!(new["contents"][0]["parts"][0]["mediaResolution"], level);
    assert_eq!(new["contents"][2]["parts"][0]["functionResponse"]["parts"], json!([wire]));
}

#[test]
fn calls_without_ids_find_their_results_by_name_and_order() {
    let body = json!({ "contents": [
        { "role": "model", "parts": [
            { "functionCall": { "name": "f", "args": { "n": 1 } } },
            { "functionCall": { "name": "f", "args": { "n": 2 } } } ] },
        { "role": "function", "parts": [
            { "functionResponse": { "name": "f", "response": { "content": "one" } } },
            { "functionResponse": { "name": "f", "response": { "content": "two" } } },
            { "text": "and now?" } ] },
    ] });
    let request = read(&body);
    let roles: Vec<Role> = request.messages.iter().map(|m| m.role).collect();
    assert_eq!(roles, [Role::Assistant, Role::Tool, Role::User]);
    let ids = |at: usize| -> Vec<String> {
        let parts = request.messages[at].content.iter();
        parts
            .map(|part| match &part.kind {
                Kind::ToolCall(call) => call.id.clone(),
                Kind::ToolResult(result) => result.call_id.clone(),
                other => panic!("{other:?}"),
            })
            .collect()
    };
    assert_eq!(ids(0), ids(1));
    assert_ne!(ids(0)[0], ids(0)[1]);
    let text = match &request.messages[1].content[1].kind {
        Kind::ToolResult(result) => result.text(),
        other => panic!("{other:?}"),
    };
    assert_eq!(text, "two");
}

// --- parameters ---

#[test]
fn parameters_have_googles_names() {
    let request = Request {
        messages: vec![user(vec![Part::text("x")])],
        max_tokens: Some(9),
        temperature: Number::from_f64(0.5),
        top_p: Number::from_f64(0.9),
        top_k: Some(4),
        stop: vec!["END".into()],
        seed: Some(-1),
        logprobs: Some(true),
        top_logprobs: Some(3),
        presence_penalty: Number::from_f64(0.1),
        frequency_penalty: Number::from_f64(0.2),
        user: Some("u".into()),
        reasoning: Some(Reasoning { effort: Some("low".into()), ..Reasoning::default() }),
        tool_choice: Some(ToolChoice::Named("f".into())),
        tools: vec![Tool::new(ToolKind::Function {
            name: "f".into(),
            description: None,
            parameters: Some(json!({ "type": "object", "additionalProperties": false, "properties": {} })),
            strict: Some(true),
        })],
        extra: json!({ "safety_settings": [{ "a": 1 }], "cachedContent": "c", "labels": { "team": "x" },
            "modalities": ["text", "image"], "web_search_options": {}, "generationConfig": { "mediaResolution": "LOW" },
            "store": true, "prompt_cache_key": "k" })
        .as_object()
        .cloned()
        .unwrap(),
        ..Request::default()
    };
    let expected = json!({
        "contents": [{ "role": "user", "parts": [{ "text": "x" }] }],
        "tools": [
            { "functionDeclarations": [{ "name": "f", "parameters": { "type": "OBJECT", "properties": {} } }] },
            { "googleSearch": {} } ],
        "toolConfig": { "functionCallingConfig": { "mode": "ANY", "allowedFunctionNames": ["f"] } },
        "generationConfig": { "temperature": 0.5, "topP": 0.9, "topK": 4, "maxOutputTokens": 9,
            "stopSequences": ["END"], "seed": -1, "presencePenalty": 0.1, "frequencyPenalty": 0.2,
            "responseLogprobs": true, "logprobs": 3,
            "thinkingConfig": { "includeThoughts": true, "thinkingBudget": 1024 },
            "responseModalities": ["TEXT", "IMAGE"], "mediaResolution": "LOW" },
        "safetySettings": [{ "a": 1 }], "cachedContent": "c",
    });
    assert_eq!(plain(request, "gemini-2.5-pro"), expected);
}

#[test]
fn an_answers_format_is_json_schema_where_the_model_takes_it() {
    let schema =
        json!({ "type": "object", "properties": { "a": { "const": "x" } }, "additionalProperties": false });
    let request = Request {
        messages: vec![user(vec![Part::text("x")])],
        format: Some(Format::JsonSchema {
            name: Some("n".into()),
            description: None,
            schema: schema.clone(),
            strict: Some(true),
        }),
        ..Request::default()
    };
    let new = &plain(request.clone(), "gemini-2.5-pro")["generationConfig"];
    assert_eq!(*new, json!({ "responseMimeType": "application/json", "responseJsonSchema": schema }));
    let old = &plain(request, "gemini-1.5-pro")["generationConfig"];
    let cleaned = json!({ "type": "OBJECT", "properties": { "a": { "type": "STRING", "enum": ["x"] } } });
    assert_eq!(*old, json!({ "responseMimeType": "application/json", "responseSchema": cleaned }));
}

#[test]
fn what_gemini_cannot_do_is_refused_or_left_out() {
    let base = || Request { messages: vec![user(vec![Part::text("x")])], ..Request::default() };
    let function = |name: &str| {
        Tool::new(ToolKind::Function { name: name.into(), description: None, parameters: None, strict: None })
    };
    let bias = json!({ "logit_bias": { "1": 2 } }).as_object().cloned().unwrap();
    let cases = [
        ("logit_bias", "gemini-2.5-pro", Request { extra: bias, ..base() }),
        ("presence_penalty", "gemini-3-pro", Request { presence_penalty: Some(1.into()), ..base() }),
        (
            "reasoning_effort",
            "gemini-2.0-flash",
            Request {
                reasoning: Some(Reasoning { effort: Some("low".into()), ..Reasoning::default() }),
                ..base()
            },
        ),
        (
            "parallel_tool_calls",
            "gemini-2.5-pro",
            Request { parallel_tool_calls: Some(false), tools: vec![function("f"), function("g")], ..base() },
        ),
    ];
    let strict = Params { provider: "gemini".into(), ..Params::default() };
    let lax = Params { drop: true, ..strict.clone() };
    for (name, model, request) in cases {
        let error = write(request.clone(), model, &strict).unwrap_err();
        assert!(error.message().contains(&format!("['{name}']")), "{}", error.message());
        let body = write(request, model, &lax).unwrap();
        assert_eq!(body.get("generationConfig"), None, "{name}");
    }
}

#[test]
fn what_config_drops_is_not_sent() {
    let request = Request {
        messages: vec![user(vec![Part::text("x")])],
        temperature: Some(1.into()),
        tools: vec![Tool::new(ToolKind::Custom { name: "f".into(), description: None, format: None })],
        ..Request::default()
    };
    let params = Params { additional_drop: vec!["temperature".into(), "tools".into()], ..Params::default() };
    let body = write(request, "gemini-2.5-pro", &params).unwrap();
    assert_eq!((body.get("generationConfig"), body.get("tools")), (None, None));
}

#[test]
fn a_body_without_contents_is_the_clients_mistake() {
    for bad in [json!({}), json!({ "contents": [] }), json!({ "contents": "hi" }), json!({ "contents": [1] })]
    {
        let error = Gemini.read_request(&body(&bad), &HeaderMap::new()).unwrap_err();
        assert_eq!(error.status(), 400, "{bad}");
    }
}

#[test]
fn a_prompt_of_system_messages_only_still_has_a_turn() {
    let messages = vec![Message::new(Role::System, vec![Part::text("go")])];
    let body = plain(Request { messages, ..Request::default() }, "gemini-2.5-pro");
    assert_eq!(body["contents"].as_array().map(Vec::len), Some(1));
}

#[test]
fn citations_of_earlier_answers_are_no_part_of_the_request() {
    let cited = Kind::Text { text: "t".into(), citations: vec![Citation::default()] };
    let messages = vec![Message::new(Role::Assistant, vec![Part::new(cited)])];
    let body = plain(Request { messages, ..Request::default() }, "gemini-2.5-pro");
    assert_eq!(body["contents"][0]["parts"], json!([{ "text": "t" }]));
}
