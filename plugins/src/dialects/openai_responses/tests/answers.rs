//! Plain answers: read from a provider, written for a client.

use super::{OpenAiResponses, plain, recordings};
use crate::dialects::dialect::{ClientDialect as _, TranslateError, UpstreamDialect as _};
use serde_json::{Value, json};
use weir_core::chat::{Answer, Citation, Dialect, Finish, Kind, Part, ProviderFault, ToolCall, ToolCallKind};
use weir_core::domain::usage::Usage;
use weir_core::error::ApiError;

/// Members of items that are made anew, or exist only between a client and its own provider.
static FRAMES: &[&str] = &["id", "status", "phase", "logprobs"];

/// An output, told in one way.
pub(super) fn meaning(output: &Value) -> Value {
    output.as_array().unwrap().iter().map(item).collect()
}

fn item(item: &Value) -> Value {
    let mut item = item.as_object().unwrap().clone();
    match item["type"].as_str().unwrap() {
        "reasoning" => {
            item.remove("status");
            item.remove("content").filter(|c| !c.is_null()).inspect(|c| assert_eq!(*c, json!([])));
            let texts: Vec<&str> =
                item["summary"].as_array().unwrap().iter().map(|s| s["text"].as_str().unwrap()).collect();
            let text = texts.join("\n\n");
            item.insert("summary".into(), text.into());
            // Encrypted anew each time it is told.
            let proof = item.remove("encrypted_content").is_some_and(|e| e.is_string());
            item.insert("encrypted_content".into(), proof.into());
        }
        "message" => {
            FRAMES.iter().for_each(|name| drop(item.remove(*name)));
            for part in item["content"].as_array_mut().unwrap() {
                part.as_object_mut().unwrap().remove("logprobs");
            }
        }
        "function_call" => FRAMES.iter().for_each(|name| drop(item.remove(*name))),
        _ => {}
    }
    item.into()
}

/// Everything but the output that a client relies on.
pub(super) fn closing(response: &Value) -> Value {
    let mut usage = response["usage"].clone();
    let known =
        ["input_tokens", "input_tokens_details", "output_tokens", "output_tokens_details", "total_tokens"];
    if let Some(usage) = usage.as_object_mut() {
        usage.retain(|name, _| known.contains(&name.as_str()));
        // Said only where something was written.
        usage["input_tokens_details"]
            .as_object_mut()
            .unwrap()
            .retain(|name, v| name == "cached_tokens" || *v != 0);
    }
    json!({ "usage": usage, "status": response["status"], "incomplete": response["incomplete_details"],
            "error": response["error"], "object": response["object"] })
}

#[test]
fn recorded_answers_mean_the_same_when_written_again() {
    for recording in recordings() {
        let Some(recorded) = recording.plain() else { continue };
        let answer = OpenAiResponses.read_answer(recorded.to_string().as_bytes()).unwrap();
        assert_eq!(answer.id.as_deref(), recorded["id"].as_str());
        let told = plain(answer, &recording.request);
        assert_eq!(meaning(&told["output"]), meaning(&recorded["output"]), "{}", recording.id);
        assert_eq!(closing(&told), closing(recorded), "{}", recording.id);
        // The provider's own templates put their words in.
        if !recorded["prompt"].is_null() {
            continue;
        }
        for echoed in ["instructions", "max_output_tokens", "tool_choice", "previous_response_id"] {
            assert_eq!(told[echoed], recorded[echoed], "{} {echoed}", recording.id);
        }
    }
}

#[test]
fn recorded_errors_keep_their_words() {
    for recording in recordings() {
        let Some(body) = recording.response.get("body").filter(|_| recording.status >= 400) else { continue };
        let status = u16::try_from(recording.status).unwrap();
        let fault = OpenAiResponses.read_error(status, body.to_string().as_bytes());
        assert_eq!(fault.status, status);
        assert_eq!(Some(fault.message.as_str()), body["error"]["message"].as_str());
        assert_eq!(fault.code.as_deref(), body["error"]["code"].as_str());
    }
}

fn call(name: &str, arguments: &str, kind: ToolCallKind) -> Part {
    let (name, arguments) = (name.to_owned(), arguments.to_owned());
    Part::new(Kind::ToolCall(ToolCall { id: format!("call_{name}"), name, arguments, kind }))
}

#[test]
fn an_answer_is_told_with_the_clients_own_words() {
    let usage =
        Usage { input: 10, output: 5, cache_read: 3, cache_write: 2, reasoning: 1, ..Usage::default() };
    let answer = Answer { usage: Some(usage), service_tier: Some("flex".into()), ..Answer::default() };
    let request = json!({ "model": "x", "input": "i", "temperature": 0.25, "metadata": { "k": "v" }, "store": false,
        "tools": [{ "type": "custom", "name": "patch" }] });
    let told = plain(answer, &request);
    assert_eq!(
        (&told["id"], &told["model"], &told["created_at"]),
        (&json!("resp_1-a"), &json!("m"), &json!(7))
    );
    for echoed in ["temperature", "metadata", "store", "tools"] {
        assert_eq!(told[echoed], request[echoed]);
    }
    assert_eq!((&told["tool_choice"], &told["parallel_tool_calls"]), (&json!("auto"), &json!(true)));
    assert_eq!(told["service_tier"], "flex");
    let expected = json!({
        "input_tokens": 10, "output_tokens": 5, "total_tokens": 15,
        "input_tokens_details": { "cached_tokens": 3, "cache_write_tokens": 2 },
        "output_tokens_details": { "reasoning_tokens": 1 },
    });
    assert_eq!(told["usage"], expected);
}

#[test]
fn every_block_is_the_item_that_clients_know() {
    let (url, title) = (Some("https://x".to_owned()), Some("t".to_owned()));
    let cited = Citation { url, title, start: Some(1), end: Some(3), ..Citation::default() };
    let foreign = Kind::Opaque { dialect: Dialect::AnthropicMessages, value: json!({ "x": 1 }) };
    let content = vec![
        Part::text("one"),
        Part::new(foreign),
        Part::new(Kind::Text { text: "two".into(), citations: vec![cited] }),
        Part::new(Kind::Refusal("no".into())),
        call("f", "", ToolCallKind::Function),
        call("n__h", "{\"a\":1}", ToolCallKind::Function),
        call("patch", "{\"input\":\"free\"}", ToolCallKind::Function),
        call("patch2", "text", ToolCallKind::Custom),
    ];
    let request = json!({ "tools": [
        { "type": "custom", "name": "patch" },
        { "type": "namespace", "name": "n", "tools": [{ "type": "function", "name": "h" }] },
    ]});
    let told = plain(Answer { content, ..Answer::default() }, &request);
    let output = told["output"].as_array().unwrap();
    assert_eq!(output.len(), 5, "{output:#?}");
    let parts = output[0]["content"].as_array().unwrap();
    assert_eq!(parts.len(), 3);
    let note =
        json!({ "type": "url_citation", "url": "https://x", "title": "t", "start_index": 1, "end_index": 3 });
    assert_eq!(parts[1]["annotations"][0], note);
    assert_eq!(parts[2], json!({ "type": "refusal", "refusal": "no" }));
    assert_eq!(output[1]["arguments"], "{}");
    assert_eq!((&output[2]["name"], &output[2]["namespace"]), (&json!("h"), &json!("n")));
    assert_eq!((&output[3]["type"], &output[3]["input"]), (&json!("custom_tool_call"), &json!("free")));
    assert_eq!((&output[4]["type"], &output[4]["input"]), (&json!("custom_tool_call"), &json!("text")));
}

#[test]
fn why_it_ended_is_told_both_ways() {
    for (finish, status, reason) in [
        (Finish::Stop, "completed", Value::Null),
        (Finish::StopSequence(None), "completed", Value::Null),
        (Finish::Refusal, "completed", Value::Null),
        (Finish::Length, "incomplete", json!("max_output_tokens")),
        (Finish::ContentFilter, "incomplete", json!("content_filter")),
    ] {
        let answer =
            Answer { content: vec![Part::text("x")], finish: Some(finish.clone()), ..Answer::default() };
        let told = plain(answer, &json!({}));
        assert_eq!((&told["status"], &told["incomplete_details"]["reason"]), (&json!(status), &reason));
        assert_eq!(told["output"][0]["status"], status, "the last item ends the same way");
        let again = OpenAiResponses.read_answer(told.to_string().as_bytes()).unwrap().finish.unwrap();
        assert_eq!(again, if status == "completed" { Finish::Stop } else { finish });
    }
}

#[test]
fn a_success_with_an_error_inside_is_a_fault() {
    for (body, status, message) in [
        (
            json!({ "status": "failed", "output": [], "error": { "code": "server_error", "message": "m" } }),
            500,
            "m",
        ),
        (json!({ "error": { "code": "rate_limit_exceeded", "message": "slow" } }), 429, "slow"),
        (json!({ "status": "failed", "output": [] }), 0, "the response failed, for no reason given"),
    ] {
        let Err(TranslateError::Fault(fault)) = OpenAiResponses.read_answer(body.to_string().as_bytes())
        else {
            panic!("{body}");
        };
        assert_eq!((fault.status, fault.message.as_str()), (status, message));
        let told = plain(Answer { fault: Some(fault), ..Answer::default() }, &json!({}));
        assert_eq!((&told["status"], &told["error"]["message"]), (&json!("failed"), &json!(message)));
    }
}

#[test]
fn errors_have_openais_shape() {
    let error = ApiError::new(weir_core::error::Kind::BadRequest, "why").with_param("input");
    let body: Value = serde_json::from_slice(&OpenAiResponses.write_error(&error)).unwrap();
    assert_eq!((&body["error"]["message"], &body["error"]["param"]), (&json!("why"), &json!("input")));
    let event = String::from_utf8(OpenAiResponses.error_event(&error)).unwrap();
    let events = super::checker::parse(&event);
    assert_eq!((&events[0]["type"], &events[0]["error"]["message"]), (&json!("error"), &json!("why")));
    assert_eq!(events[1]["type"], "response.failed");
    assert_eq!(events[1]["response"]["error"], json!({ "code": "server_error", "message": "why" }));
}

#[test]
fn p21_a_fault_in_a_stream_ends_it_as_failed() {
    let fault = ProviderFault { status: 429, message: "slow down".into(), ..ProviderFault::default() };
    let events = vec![
        weir_core::chat::Event::Start { id: None, model: None },
        weir_core::chat::Event::BlockStart { index: 0, block: weir_core::chat::Begun::Text },
        weir_core::chat::Event::Fault(fault),
    ];
    let response = super::checker::check(&super::written(events, &json!({})));
    assert_eq!(response["error"], json!({ "code": "rate_limit_exceeded", "message": "slow down" }));
}
