//! Rules that recordings do not show.

use super::{assemble, body, plain_request, read_request, write_answer, write_request, write_stream};
use crate::dialects::Params;
use serde_json::{Value, json};
use weir_core::chat::{
    Answer, Citation, Dialect, Finish, Format, Kind, Media, Message, Part, Reasoning, Request, Role, Source,
    Tool, ToolCall, ToolCallKind, ToolChoice, ToolKind, ToolResult, replay,
};

fn user(text: &str) -> Request {
    Request { messages: vec![Message::new(Role::User, vec![Part::text(text)])], ..Request::default() }
}

fn written(request: Request, provider: &str, model: &str) -> Value {
    Value::Object(write_request(request, provider, model, &Params::default()).unwrap())
}

fn call(id: &str) -> Part {
    Part::new(Kind::ToolCall(ToolCall {
        id: id.into(),
        name: "f".into(),
        arguments: String::new(),
        kind: ToolCallKind::Function,
    }))
}

fn result(id: &str, content: Vec<Part>, is_error: bool) -> Message {
    let result = ToolResult { call_id: id.into(), name: None, content, is_error };
    Message::new(Role::Tool, vec![Part::new(Kind::ToolResult(result))])
}

#[test]
fn pictures_in_tool_results_follow_in_a_users_message() {
    let picture = Part::new(Kind::Image(Media::from_url("data:image/png;base64,QUJD")));
    let mut request = user("hi");
    request.messages.push(Message::new(Role::Assistant, vec![call("a"), call("b")]));
    request.messages.push(result("a", vec![Part::text("see"), picture], false));
    request.messages.push(result("b", vec![Part::text("no")], true));
    request.messages.push(Message::new(Role::User, vec![Part::text("go on")]));
    let told = written(request, "openai", "gpt-4o");
    let roles: Vec<&str> =
        told["messages"].as_array().unwrap().iter().filter_map(|m| m["role"].as_str()).collect();
    assert_eq!(roles, ["user", "assistant", "tool", "tool", "user", "user"]);
    assert_eq!(told["messages"][1]["content"], Value::Null);
    assert_eq!(told["messages"][1]["tool_calls"][0]["function"]["arguments"], "{}");
    assert_eq!(told["messages"][2]["content"], "see");
    assert_eq!(told["messages"][3]["content"], "Error: no");
    assert_eq!(told["messages"][4]["content"][1]["image_url"]["url"], "data:image/png;base64,QUJD");
}

#[test]
fn documents_become_files_or_text() {
    let document = |source| Part::new(Kind::Document(Media::new(source)));
    let mut request = user("read");
    request.messages[0].content.extend([
        document(Source::Base64 { media_type: "application/pdf".into(), data: "QUJD".into() }),
        document(Source::Text { media_type: "text/plain".into(), text: "words".into() }),
        document(Source::File { id: "file-1".into() }),
    ]);
    let content = written(request, "openai", "gpt-4o")["messages"][0]["content"].clone();
    let file = json!({ "filename": "document.pdf", "file_data": "data:application/pdf;base64,QUJD" });
    assert_eq!(content[1], json!({ "type": "file", "file": file }));
    assert_eq!(content[2], json!({ "type": "text", "text": "words" }));
    assert_eq!(content[3], json!({ "type": "file", "file": { "file_id": "file-1" } }));
}

#[test]
fn budgets_become_efforts_where_models_take_them() {
    let effort = |budget: u64, provider: &str, model: &str| {
        let reasoning = Reasoning { budget: Some(budget), enabled: Some(true), ..Reasoning::default() };
        let request = Request { reasoning: Some(reasoning), ..user("hi") };
        written(request, provider, model)["reasoning_effort"].as_str().map(str::to_owned)
    };
    for (budget, word) in
        [(32_000, "high"), (10_000, "high"), (5_000, "medium"), (2_000, "low"), (1_024, "minimal")]
    {
        assert_eq!(effort(budget, "openai", "gpt-5-mini").as_deref(), Some(word), "{budget}");
    }
    assert_eq!(effort(1_024, "openai", "o3").as_deref(), Some("low"));
    assert_eq!(effort(10_000, "openai", "gpt-4o"), None);
    assert_eq!(effort(10_000, "deepseek", "deepseek-chat"), None);
    assert_eq!(effort(10_000, "openrouter", "anthropic/claude-sonnet-4").as_deref(), Some("high"));
    let named = Reasoning { effort: Some("low".into()), ..Reasoning::default() };
    let request = Request { reasoning: Some(named), ..user("hi") };
    assert_eq!(written(request, "groq", "qwen")["reasoning_effort"], "low");
}

#[test]
fn reasoning_models_take_the_new_limit_and_fewer_parameters() {
    let mut request = user("hi");
    request.max_tokens = Some(9);
    request.temperature = serde_json::Number::from_f64(0.5);
    let refused = write_request(request.clone(), "openai", "gpt-5", &Params::default()).unwrap_err();
    assert!(refused.message().contains("['temperature']"), "{}", refused.message());
    let lax = Params { drop: true, ..Params::default() };
    let told = write_request(request.clone(), "openai", "gpt-5", &lax).unwrap();
    assert_eq!((told.get("max_completion_tokens"), told.get("temperature")), (Some(&json!(9)), None));
    assert_eq!(written(request, "openai", "gpt-4o")["max_tokens"], 9);
}

#[test]
fn what_the_config_drops_is_gone() {
    let tool =
        ToolKind::Function { name: "f".into(), description: None, parameters: None, strict: Some(true) };
    let mut request = user("hi");
    request.tools.push(Tool::new(tool));
    request.seed = Some(1);
    let params = Params {
        additional_drop: vec!["seed".into(), "tools[*].function.strict".into(), "nothing.here".into()],
        ..Params::default()
    };
    let told = write_request(request, "openai", "gpt-4o", &params).unwrap();
    assert_eq!(told.get("seed"), None);
    assert_eq!(told["tools"][0]["function"], json!({ "name": "f" }));
}

#[test]
fn tools_that_a_provider_runs_are_not_lost_in_silence() {
    let server = |kind: &str| {
        let value = json!({ "type": kind, "name": "x" });
        let mut request = user("hi");
        request.tools.push(Tool::new(ToolKind::Provider { dialect: Dialect::AnthropicMessages, value }));
        request.tool_choice = Some(ToolChoice::Auto);
        request
    };
    let refused = write_request(server("code_execution_20250825"), "openai", "gpt-4o", &Params::default());
    assert!(refused.unwrap_err().message().contains("code_execution_20250825"));
    let told = written(server("web_search_20250305"), "openai", "gpt-4o-search-preview");
    assert_eq!(told["web_search_options"], json!({}));
    assert_eq!((told.get("tools"), told.get("tool_choice")), (None, None));
}

#[test]
fn an_openai_client_may_speak_to_claude() {
    let request = read_request(&json!({
        "model": "m",
        "thinking": { "type": "enabled", "budget_tokens": 1024 },
        "tools": [
            { "type": "web_search_20250305", "name": "web_search" },
            { "name": "f", "input_schema": { "type": "object" }, "cache_control": { "type": "ephemeral" } },
        ],
        "messages": [
            { "role": "system", "content": "s", "cache_control": { "type": "ephemeral" } },
            { "role": "user", "content": [{ "type": "text", "text": "u", "cache_control": { "type": "ephemeral" } }] },
            { "role": "assistant", "content": "a", "reasoning_content": "hm", "thinking_blocks": [
                { "type": "thinking", "thinking": "hm", "signature": "sig" },
                { "type": "redacted_thinking", "data": "xx" },
            ] },
        ],
    }))
    .unwrap();
    let reasoning = request.reasoning.unwrap();
    assert_eq!((reasoning.enabled, reasoning.budget), (Some(true), Some(1024)));
    assert!(matches!(&request.tools[0].kind, ToolKind::Provider { dialect: Dialect::AnthropicMessages, .. }));
    assert!(matches!(&request.tools[1].kind, ToolKind::Function { name, .. } if name == "f"));
    assert!(request.tools[1].cache.is_some());
    assert!(request.messages[..2].iter().all(|m| m.content[0].cache.is_some()));
    let said = &request.messages[2].content;
    assert_eq!(said[0].signature.as_deref(), Some("sig"));
    assert_eq!(said[1].kind, Kind::RedactedThinking { data: "xx".into() });
    assert_eq!((said.len(), said[2].as_text()), (3, Some("a")));
}

#[test]
fn allowed_tools_leave_the_others_out() {
    let function = |name: &str| json!({ "type": "function", "function": { "name": name } });
    let request = read_request(&json!({
        "messages": [{ "role": "user", "content": "x" }],
        "tools": [function("a"), function("b")],
        "tool_choice": { "type": "allowed_tools", "allowed_tools": { "mode": "required", "tools": [function("b")] } },
        "response_format": { "type": "json_schema", "json_schema": { "name": "n", "schema": { "type": "object" } } },
        "max_tokens": 1, "max_completion_tokens": 2, "stop": "END", "my_extra": 1, "metadata": {},
    }))
    .unwrap();
    assert_eq!(request.tools.iter().filter_map(Tool::name).collect::<Vec<_>>(), ["b"]);
    assert_eq!(request.tool_choice, Some(ToolChoice::Required));
    assert!(matches!(request.format, Some(Format::JsonSchema { .. })));
    assert_eq!((request.max_tokens, request.stop), (Some(2), vec!["END".to_owned()]));
    assert_eq!(Value::Object(request.extra), json!({ "my_extra": 1 }));
}

fn rich_answer() -> Answer {
    let mut thought = Part::new(Kind::Thinking { text: "hm".into(), id: None });
    thought.signature = Some("sig".into());
    let cited = |text: &str| {
        let citation =
            Citation { url: Some("https://x".into()), title: Some("X".into()), ..Citation::default() };
        Part::new(Kind::Text { text: text.into(), citations: vec![citation] })
    };
    let mut signed = call("a");
    signed.signature = Some("proof".into());
    Answer {
        content: vec![
            thought,
            Part::new(Kind::RedactedThinking { data: "xx".into() }),
            cited("né"),
            cited("two"),
            Part::new(Kind::Image(Media::from_url("data:image/png;base64,QUJD"))),
            signed,
            call("b"),
        ],
        finish: Some(Finish::ToolCalls),
        ..Answer::default()
    }
}

#[test]
fn p20_everything_that_can_be_said_is_said_alike() {
    let request = plain_request();
    let plain = write_answer(rich_answer(), &request);
    let chunks = write_stream(replay(rich_answer()), &request, false);
    super::answers::same(&assemble(&chunks), &plain, "rich");
    let message = &plain["choices"][0]["message"];
    assert_eq!(message["content"], "nétwo");
    assert_eq!(message["annotations"][1]["url_citation"]["start_index"], 2);
    assert_eq!(message["annotations"][1]["url_citation"]["end_index"], 5);
    assert_eq!(message["thinking_blocks"][0]["signature"], "sig");
    assert_eq!(message["tool_calls"][0]["provider_specific_fields"]["thought_signature"], "proof");
    // What the client sends back says the same as what it got.
    let again = read_request(&json!({ "messages": [{ "role": "user", "content": "x" }, message] })).unwrap();
    let proofs: Vec<_> = again.messages[1].content.iter().filter_map(|p| p.signature.as_deref()).collect();
    assert_eq!(proofs, ["sig", "proof"]);
}

#[test]
fn clients_of_functions_get_function_calls() {
    let request = body(&json!({ "model": "m", "functions": [], "messages": [] }));
    let answer = Answer { content: vec![call("a")], finish: Some(Finish::ToolCalls), ..Answer::default() };
    let plain = write_answer(answer.clone(), &request);
    assert_eq!(plain["choices"][0]["finish_reason"], "function_call");
    assert_eq!(plain["choices"][0]["message"]["function_call"]["name"], "f");
    assert_eq!(plain["choices"][0]["message"].get("tool_calls"), None);
    let streamed = assemble(&write_stream(replay(answer), &request, false));
    super::answers::same(&streamed, &plain, "legacy");
}
