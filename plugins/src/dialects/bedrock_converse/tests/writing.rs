use super::super::*;
use crate::dialects::params::Params;
use crate::testing::golden_cases;
use http::HeaderMap;
use serde_json::{Value, json};
use weir_core::chat::{
    Dialect, Format, Kind, Media, Message, Part, Reasoning, Role, Source, Tool, ToolCall, ToolCallKind,
    ToolChoice, ToolKind, ToolResult,
};

const SONNET_3: &str = "anthropic.claude-3-sonnet-20240229-v1:0";
const SONNET_45: &str = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";

fn lax() -> Params {
    Params { provider: "bedrock".into(), ..Params::default() }
}

fn try_write(model: &str, request: Request, params: &Params, headers: &HeaderMap) -> Result<Value, ApiError> {
    let asked = Asked { model, provider: "bedrock", params, headers };
    BedrockConverse.write_request(request, &asked).map(|wire| wire.body.into())
}

fn write(model: &str, request: Request) -> Value {
    try_write(model, request, &lax(), &HeaderMap::new()).unwrap()
}

fn user(text: &str) -> Message {
    Message::new(Role::User, vec![Part::text(text)])
}

fn hi() -> Request {
    Request { messages: vec![user("hi")], ..Request::default() }
}

fn weather() -> Tool {
    let parameters =
        json!({ "type": "object", "properties": { "city": { "type": "string" } }, "required": ["city"] });
    Tool::new(ToolKind::Function {
        name: "get_weather".into(),
        description: Some("Get weather".into()),
        parameters: Some(parameters),
        strict: None,
    })
}

fn call(id: &str, arguments: &str) -> Part {
    Part::new(Kind::ToolCall(ToolCall {
        id: id.into(),
        name: "get_weather".into(),
        arguments: arguments.into(),
        kind: ToolCallKind::Function,
    }))
}

fn result(id: &str, text: &str) -> Part {
    let content = vec![Part::text(text)];
    Part::new(Kind::ToolResult(ToolResult { call_id: id.into(), name: None, content, is_error: false }))
}

/// The canonical request of a golden's OpenAI body, for what the goldens use of it.
fn canonical(body: &Value) -> Request {
    let number = |name: &str| body[name].as_number().cloned();
    let mut request = Request {
        messages: body["messages"].as_array().unwrap().iter().map(message).collect(),
        temperature: number("temperature"),
        top_p: number("top_p"),
        max_tokens: body["max_tokens"].as_u64().or(body["max_completion_tokens"].as_u64()),
        n: body["n"].as_u64(),
        stop: body["stop"].as_array().into_iter().flatten().map(|s| s.as_str().unwrap().into()).collect(),
        user: body["user"].as_str().map(str::to_owned),
        ..Request::default()
    };
    if body["tools"].is_array() {
        request.tools.push(weather());
    }
    request.tool_choice = match &body["tool_choice"] {
        Value::String(_) => Some(ToolChoice::Auto),
        Value::Object(choice) => Some(ToolChoice::Named(choice["function"]["name"].as_str().unwrap().into())),
        _ => None,
    };
    request.format = match body["response_format"]["type"].as_str() {
        Some("json_object") => Some(Format::JsonObject),
        Some(_) => {
            let schema = body["response_format"]["json_schema"]["schema"].clone();
            Some(Format::JsonSchema {
                name: Some("ans".into()),
                description: None,
                schema,
                strict: Some(true),
            })
        }
        None => None,
    };
    let effort = body["reasoning_effort"].as_str().map(str::to_owned);
    let budget = body["thinking"]["budget_tokens"].as_u64();
    if effort.is_some() || budget.is_some() {
        request.reasoning = Some(Reasoning { effort, budget, ..Reasoning::default() });
    }
    for name in ["logit_bias", "my_extra_param"] {
        request.extra.extend(body.get(name).map(|value| (name.to_owned(), value.clone())));
    }
    request
}

fn message(message: &Value) -> Message {
    let role = match message["role"].as_str().unwrap() {
        "system" => Role::System,
        "assistant" => Role::Assistant,
        "tool" => Role::Tool,
        _ => Role::User,
    };
    let mut content = match &message["content"] {
        Value::String(text) if role == Role::Tool => vec![result("call_1", text)],
        Value::String(text) => vec![Part::text(text.clone())],
        Value::Array(parts) => parts.iter().map(part).collect(),
        _ => vec![],
    };
    if message["tool_calls"].is_array() {
        content.push(call("call_1", message["tool_calls"][0]["function"]["arguments"].as_str().unwrap()));
    }
    Message::new(role, content)
}

fn part(part: &Value) -> Part {
    let mut made = match part["image_url"]["url"].as_str() {
        Some(url) => Part::new(Kind::Image(Media::from_url(url))),
        None => Part::text(part["text"].as_str().unwrap()),
    };
    made.cache = part.get("cache_control").cloned();
    made
}

#[test]
fn p20_bedrock_receives_what_litellm_sent() {
    let Some(cases) = golden_cases("chat_bedrock.json") else { return };
    let mut compared = 0;
    for case in cases {
        let (name, sent) = (case["name"].as_str().unwrap(), &case["upstream_received"]);
        let written = try_write(SONNET_3, canonical(&case["request"]["body"]), &lax(), &HeaderMap::new());
        match sent.get(0) {
            Some(sent) => assert_eq!(written.unwrap(), sent["body"], "{name}"),
            None => {
                let message = written.unwrap_err().message().to_owned();
                let theirs = case["response"]["body"]["error"]["message"].as_str().unwrap();
                let refused = theirs.split(", for model").next().unwrap();
                assert!(message.starts_with(refused), "{name}: {message}");
            }
        }
        compared += 1;
    }
    assert!(compared >= 30);
}

#[test]
fn turns_alternate_and_results_are_the_users() {
    let mut cached = result("call_1", "18C");
    cached.cache = Some(json!({ "type": "ephemeral", "ttl": "1h" }));
    let mut failed = result("call_2", "no");
    if let Kind::ToolResult(result) = &mut failed.kind {
        result.is_error = true;
    }
    let request = Request {
        messages: vec![
            user("a"),
            user("b"),
            Message::new(Role::Assistant, vec![Part::text(""), call("call_1", "{\"city\":\"P\"}")]),
            Message::new(Role::Assistant, vec![call("call_2", "not json")]),
            Message::new(Role::Tool, vec![cached]),
            Message::new(Role::Tool, vec![failed]),
            user("and now?"),
        ],
        tools: vec![weather()],
        ..Request::default()
    };
    let body = write(SONNET_45, request);
    let roles: Vec<_> =
        body["messages"].as_array().unwrap().iter().map(|m| m["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["user", "assistant", "user"]);
    assert_eq!(body["messages"][1]["content"].as_array().unwrap().len(), 2, "no blank text");
    assert_eq!(body["messages"][1]["content"][1]["toolUse"]["input"], json!({ "input": "not json" }));
    let last = &body["messages"][2]["content"];
    assert_eq!(last[1], json!({ "cachePoint": { "type": "default", "ttl": "1h" } }));
    assert_eq!(last[2]["toolResult"]["status"], "error");
    assert_eq!(last[3], json!({ "text": "and now?" }));
}

#[test]
fn thoughts_go_back_as_they_came() {
    let mut thought = Part::new(Kind::Thinking { text: "hm".into(), id: None });
    thought.signature = Some("sig".into());
    let unsigned = Part::new(Kind::Thinking { text: "x".into(), id: None });
    let redacted = Part::new(Kind::RedactedThinking { data: "ErED".into() });
    let assistant = Message::new(Role::Assistant, vec![thought, unsigned, redacted, Part::text("a")]);
    let body =
        write(SONNET_45, Request { messages: vec![user("q"), assistant, user("r")], ..Request::default() });
    assert_eq!(
        body["messages"][1]["content"],
        json!([
            { "reasoningContent": { "reasoningText": { "text": "hm", "signature": "sig" } } },
            { "reasoningContent": { "redactedContent": "RXJFRA==" } },
            { "text": "a" },
        ])
    );
}

#[test]
fn media_of_all_kinds() {
    let base64 = |media_type: &str| Source::Base64 { media_type: media_type.into(), data: "QUJD".into() };
    let mut document = Media::new(base64("application/pdf"));
    document.name = Some("my report!.pdf".into());
    let mut cited = Part::new(Kind::Document(document));
    cited.extra.insert("citations".into(), json!({ "enabled": true }));
    let text = Media::new(Source::Text { media_type: "text/plain".into(), text: "ABC".into() });
    let s3 = Source::Url { url: "s3://b/k.jpg".into(), media_type: None };
    let guarded =
        Kind::Opaque { dialect: Dialect::OpenAiChat, value: json!({ "type": "guarded_text", "text": "g" }) };
    let own = Kind::Opaque { dialect: Dialect::BedrockConverse, value: json!({ "guardContent": {} }) };
    let parts = vec![
        cited,
        Part::new(Kind::Document(text)),
        Part::new(Kind::Image(Media::new(s3))),
        Part::new(Kind::Image(Media::new(base64("video/mp4")))),
        Part::new(guarded),
        Part::new(own),
    ];
    let body =
        write(SONNET_45, Request { messages: vec![Message::new(Role::User, parts)], ..Request::default() });
    assert_eq!(
        body["messages"][0]["content"],
        json!([
            { "document": { "format": "pdf", "name": "my report", "source": { "bytes": "QUJD" },
                "citations": { "enabled": true } } },
            { "document": { "format": "txt", "name": "Document 2", "source": { "bytes": "QUJD" } } },
            { "image": { "format": "jpeg", "source": { "s3Location": { "uri": "s3://b/k.jpg" } } } },
            { "video": { "format": "mp4", "source": { "bytes": "QUJD" } } },
            { "guardContent": { "text": { "text": "g" } } },
            { "guardContent": {} },
        ])
    );
    let web = Part::new(Kind::Image(Media::from_url("https://x.test/a.png")));
    let request = Request { messages: vec![Message::new(Role::User, vec![web])], ..Request::default() };
    let refused = try_write(SONNET_45, request, &lax(), &HeaderMap::new()).unwrap_err();
    assert_eq!(refused.status(), 400);
    assert!(refused.message().contains("base64"));
}

fn fields(model: &str, reasoning: Reasoning, max_tokens: Option<u64>) -> (Value, Value) {
    let body = write(model, Request { reasoning: Some(reasoning), max_tokens, ..hi() });
    (body["additionalModelRequestFields"].clone(), body["inferenceConfig"]["maxTokens"].clone())
}

#[test]
fn efforts_and_budgets_by_family() {
    let effort = |effort: &str| Reasoning { effort: Some(effort.into()), ..Reasoning::default() };
    let enabled = |budget: u64| json!({ "thinking": { "type": "enabled", "budget_tokens": budget } });
    assert_eq!(fields(SONNET_45, effort("low"), None), (enabled(1024), json!(5120)));
    assert_eq!(fields(SONNET_45, effort("high"), Some(2048)), (enabled(2047), json!(2048)));
    assert_eq!(fields(SONNET_45, effort("high"), Some(100)), (json!({}), json!(100)), "no room to think");
    assert_eq!(fields(SONNET_45, effort("none"), None).0, json!({}));
    let budget = Reasoning { budget: Some(500), enabled: Some(true), ..Reasoning::default() };
    assert_eq!(fields(SONNET_45, budget, Some(9000)).0, enabled(1024), "never below Claude's least");
    assert_eq!(
        fields("global.anthropic.claude-opus-4-6-v1", effort("xhigh"), None).0,
        json!({ "thinking": { "type": "adaptive" }, "output_config": { "effort": "max" } })
    );
    assert_eq!(
        fields("us.amazon.nova-2-lite-v1:0", effort("minimal"), None).0,
        json!({ "reasoningConfig": { "type": "enabled", "maxReasoningEffort": "low" } })
    );
    assert_eq!(
        fields("openai.gpt-oss-120b-1:0", effort("high"), None).0,
        json!({ "reasoning_effort": "high" })
    );
    let nova = Request { reasoning: Some(effort("low")), ..hi() };
    assert!(try_write("amazon.nova-lite-v1:0", nova, &lax(), &HeaderMap::new()).is_err());
}

#[test]
fn configs_of_converse_pass_and_the_rest_goes_to_the_model() {
    let mut request = Request { top_k: Some(5), service_tier: Some("auto".into()), ..hi() };
    for (name, value) in [
        ("guardrailConfig", json!({ "guardrailIdentifier": "g", "guardrailVersion": "1" })),
        ("performanceConfig", json!({ "latency": "optimized" })),
        ("requestMetadata", json!({ "team": "a" })),
        ("inferenceConfig", json!({ "maxTokens": 9 })),
        ("additionalModelRequestFields", json!({ "x": 1 })),
        ("anthropic_beta", json!(["context-1m-2025-08-07"])),
        ("store", json!(true)),
    ] {
        request.extra.insert(name.into(), value);
    }
    let mut headers = HeaderMap::new();
    headers.insert("anthropic-beta", "claude-code-20250219,interleaved-thinking-2025-05-14".parse().unwrap());
    let body = try_write(SONNET_45, request.clone(), &lax(), &headers).unwrap();
    assert_eq!(body["guardrailConfig"]["guardrailVersion"], "1");
    assert_eq!(body["performanceConfig"], json!({ "latency": "optimized" }));
    assert_eq!(body["requestMetadata"], json!({ "team": "a" }));
    assert_eq!(body["serviceTier"], json!({ "type": "default" }));
    assert_eq!(body["inferenceConfig"], json!({ "maxTokens": 9 }));
    assert_eq!(
        body["additionalModelRequestFields"],
        json!({ "x": 1, "top_k": 5, "anthropic_beta": ["interleaved-thinking-2025-05-14", "context-1m-2025-08-07"] })
    );
    let nova = write("us.amazon.nova-pro-v1:0", Request { top_k: Some(5), ..hi() });
    assert_eq!(nova["additionalModelRequestFields"], json!({ "inferenceConfig": { "topK": 5 } }));
}

#[test]
fn tools_beside_formats_and_choices() {
    let with = |choice: Option<ToolChoice>, format: Option<Format>| Request {
        tools: vec![weather()],
        tool_choice: choice,
        format,
        ..hi()
    };
    let choice = |model: &str, request: Request| write(model, request)["toolConfig"]["toolChoice"].clone();
    assert_eq!(choice(SONNET_45, with(Some(ToolChoice::Required), None)), json!({ "any": {} }));
    assert_eq!(
        choice(SONNET_45, with(None, Some(Format::JsonObject))),
        json!({ "any": {} }),
        "a tool or the answer"
    );
    let none = write(SONNET_45, with(Some(ToolChoice::None), None));
    assert_eq!(none.get("toolConfig"), None, "no tools is no choice");
    let thinking = Reasoning { budget: Some(2000), ..Reasoning::default() };
    let forced = Request { format: Some(Format::JsonObject), reasoning: Some(thinking), ..hi() };
    assert_eq!(choice(SONNET_45, forced), Value::Null, "thinking forbids to force");
    let one = Request { parallel_tool_calls: Some(false), ..with(None, None) };
    assert_eq!(
        write(SONNET_45, one)["additionalModelRequestFields"]["tool_choice"],
        json!({ "type": "auto", "disable_parallel_tool_use": true })
    );
    let computer = json!({ "type": "computer_20250124", "name": "computer", "display_width_px": 1 });
    let value = computer.clone();
    let own = Tool::new(ToolKind::Provider { dialect: Dialect::AnthropicMessages, value });
    let fields = write(SONNET_45, Request { tools: vec![own, weather()], ..hi() });
    assert_eq!(fields["additionalModelRequestFields"]["tools"], json!([computer]));
    assert_eq!(fields["additionalModelRequestFields"]["anthropic_beta"], json!(["computer-use-2025-01-24"]));
}

#[test]
fn calls_without_tools_are_mended_only_where_allowed() {
    let history = || Request {
        messages: vec![
            Message::new(Role::Assistant, vec![call("c", "{}")]),
            Message::new(Role::Tool, vec![result("c", "1")]),
        ],
        ..Request::default()
    };
    let error = try_write(SONNET_45, history(), &lax(), &HeaderMap::new()).unwrap_err();
    assert!(error.message().contains("modify_params"), "{error}");
    let modify = Params { modify: true, ..lax() };
    let mended = try_write(SONNET_45, history(), &modify, &HeaderMap::new()).unwrap();
    assert_eq!(mended["toolConfig"]["tools"][0]["toolSpec"]["name"], "dummy_tool");
    assert_eq!(mended["messages"][0], json!({ "role": "user", "content": [{ "text": "Please continue." }] }));
}

#[test]
fn what_is_dropped_is_gone_and_what_is_allowed_passes() {
    let request = || {
        let mut request = Request { seed: Some(1), temperature: serde_json::Number::from_f64(0.5), ..hi() };
        request.extra.insert("logit_bias".into(), json!({}));
        request
    };
    let dropping = Params { drop: true, ..lax() };
    let dropped = try_write(SONNET_45, request(), &dropping, &HeaderMap::new()).unwrap();
    assert_eq!(dropped["additionalModelRequestFields"], json!({}));
    let picky = Params {
        allowed: vec!["seed".into()],
        additional_drop: vec!["temperature".into(), "logit_bias".into()],
        ..lax()
    };
    let passed = try_write(SONNET_45, request(), &picky, &HeaderMap::new()).unwrap();
    assert_eq!(passed["additionalModelRequestFields"], json!({ "seed": 1 }));
    assert_eq!(passed["inferenceConfig"], json!({}));
}
