//! Recorded answers, read as a provider's and written for a client.

use super::super::usage::WireUsage;
use super::{assemble, plain_request, recordings, write_answer, write_stream};
use crate::dialects::bedrock_converse::BedrockConverse;
use crate::dialects::openai_chat::OpenAiChat;
use crate::dialects::{TranslateError, UpstreamDialect};
use serde_json::{Value, json};
use weir_core::chat::{Kind, replay};

/// Members of a message that a client of any provider gets as they are.
fn text_of(message: &Value) -> String {
    match &message["content"] {
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().filter_map(|p| p["text"].as_str()).collect(),
        _ => String::new(),
    }
}

fn calls_of(message: &Value) -> Vec<(String, Value)> {
    let list = message["tool_calls"].as_array().cloned().unwrap_or_default();
    let legacy = message.get("function_call").filter(|f| !f.is_null()).map(|f| json!({ "function": f }));
    let call = |c: Value| {
        let arguments = c["function"]["arguments"].as_str().unwrap_or_default().to_owned();
        let name = c["function"]["name"].as_str().unwrap_or_default().to_owned();
        (name, serde_json::from_str(&arguments).unwrap_or(Value::String(arguments)))
    };
    list.into_iter().chain(legacy).map(call).collect()
}

#[test]
fn answers_keep_what_the_model_said() {
    let request = plain_request();
    let mut seen = 0;
    for recording in recordings() {
        let Some(choice) = recording.body["choices"].get(0) else { continue };
        let answer = OpenAiChat.read_answer(recording.body.to_string().as_bytes()).unwrap();
        let told = write_answer(answer, &request);
        let (old, new) = (&choice["message"], &told["choices"][0]["message"]);
        let id = &recording.id;
        assert_eq!(text_of(new), text_of(old), "{id}");
        assert_eq!(calls_of(new), calls_of(old), "{id}");
        let thought = old["reasoning_content"].as_str().or(old["reasoning"].as_str()).unwrap_or_default();
        assert_eq!(new["reasoning_content"].as_str().unwrap_or_default(), thought, "{id}");
        assert_eq!(new["refusal"].as_str(), old["refusal"].as_str(), "{id}");
        assert_eq!(new["audio"]["data"], old["audio"]["data"], "{id}");
        let finish = choice["finish_reason"].as_str().unwrap().replace("function_call", "tool_calls");
        // OpenAI says `stop` where the choice of a tool was forced.
        let finish = if calls_of(old).is_empty() { finish } else { "tool_calls".to_owned() };
        assert_eq!(told["choices"][0]["finish_reason"], finish, "{id}");
        let usage = |v: &Value| serde_json::from_value::<WireUsage>(v.clone()).unwrap().usage();
        assert_eq!(usage(&told["usage"]), usage(&recording.body["usage"]), "{id}");
        seen += 1;
    }
    println!("{seen} answers");
}

#[test]
fn p20_the_stream_of_an_answer_is_the_answer() {
    let request = plain_request();
    for recording in recordings() {
        let Ok(answer) = OpenAiChat.read_answer(recording.body.to_string().as_bytes()) else { continue };
        let plain = write_answer(answer.clone(), &request);
        let chunks = write_stream(replay(answer), &request, true);
        let told = assemble(&chunks);
        same(&told, &plain, &recording.id);
    }
}

/// A plain answer and an assembled stream say the same.
pub(super) fn same(stream: &Value, plain: &Value, id: &str) {
    let choice = &plain["choices"][0];
    let mut streamed = stream["message"].clone();
    for call in streamed.get_mut("tool_calls").and_then(Value::as_array_mut).into_iter().flatten() {
        call.as_object_mut().unwrap().remove("index");
    }
    let mut told = choice["message"].clone();
    // Silence: null from one, empty from the other.
    for message in [&mut streamed, &mut told] {
        if message["content"] == "" {
            message["content"] = Value::Null;
        }
    }
    assert_eq!(streamed, told, "{id}");
    assert_eq!(stream["finish_reason"], choice["finish_reason"], "{id}");
    assert_eq!(&stream["usage"], plain.get("usage").unwrap_or(&Value::Null), "{id}");
}

#[test]
fn error_bodies_become_faults() {
    let mut seen = 0;
    for recording in recordings().iter().filter(|r| r.status >= 400 && !r.body.is_null()) {
        let body = recording.body.to_string();
        let status = u16::try_from(recording.status).unwrap();
        let fault = OpenAiChat.read_error(status, body.as_bytes());
        assert_eq!(fault.status, status);
        assert!(!fault.message.is_empty(), "{}", recording.id);
        // The same body below a status of success is an error nevertheless.
        let read = OpenAiChat.read_answer(body.as_bytes());
        assert!(
            matches!(&read, Err(TranslateError::Fault(f)) if f.message == fault.message),
            "{}",
            recording.id
        );
        seen += 1;
    }
    println!("{seen} errors");
}

#[test]
fn p21_an_error_without_a_status_has_that_of_its_words() {
    for (error, status) in [
        (json!({ "type": "invalid_request_error", "code": "tool_use_failed" }), 400),
        (json!({ "type": "invalid_request_error", "code": "invalid_api_key" }), 401),
        (json!({ "type": "tokens", "code": "rate_limit_exceeded" }), 429),
        (json!({ "type": "insufficient_quota", "code": null }), 429),
        (json!({ "type": "invalid_request_error", "code": "500" }), 500),
        (json!({ "type": "invalid_request_error", "code": 7, "status_code": 404 }), 404),
        // Another server may do better.
        (json!({ "type": "server_error", "code": null }), 0),
        (json!({ "type": "moon", "code": "dark" }), 0),
    ] {
        let body = json!({ "error": error }).to_string();
        assert_eq!(OpenAiChat.read_error(0, body.as_bytes()).status, status, "{body}");
        assert_eq!(OpenAiChat.read_error(418, body.as_bytes()).status, 418, "{body}");
    }
}

#[test]
fn p20_what_bedrocks_guardrails_did_is_told() {
    let trace = json!({ "guardrail": { "actionReason": "Guardrail blocked." } });
    let body = json!({ "output": { "message": { "content": [{ "text": "no" }] } },
        "stopReason": "guardrail_intervened", "trace": trace });
    let answer = BedrockConverse.read_answer(body.to_string().as_bytes()).unwrap();
    let told = write_answer(answer, &plain_request());
    assert_eq!((&told["trace"], &told["choices"][0]["finish_reason"]), (&trace, &json!("content_filter")));
    let plain = OpenAiChat.read_answer(json!({ "choices": [{ "message": {} }] }).to_string().as_bytes());
    assert!(write_answer(plain.unwrap(), &plain_request()).get("trace").is_none());
}

#[test]
fn special_forms_of_answers_are_read() {
    let read = |message: Value| {
        let body = json!({ "choices": [{ "message": message, "finish_reason": "stop" }] });
        OpenAiChat.read_answer(body.to_string().as_bytes()).unwrap().content
    };
    let mistral = read(json!({ "content": [
        { "type": "thinking", "thinking": [{ "type": "text", "text": "hm" }] },
        { "type": "text", "text": "yes" },
    ] }));
    assert!(matches!(&mistral[0].kind, Kind::Thinking { text, .. } if text == "hm"));
    assert_eq!(mistral[1].as_text(), Some("yes"));
    let cited = json!({ "type": "url_citation", "url_citation": { "url": "https://x", "start_index": 1, "end_index": 3 } });
    let cited = read(json!({ "content": "abcd", "annotations": [cited] }));
    let Kind::Text { citations, .. } = &cited[0].kind else { panic!("{cited:?}") };
    assert_eq!((citations[0].url.as_deref(), citations[0].start), (Some("https://x"), Some(1)));
    let router = read(json!({ "content": "a", "reasoning": "hm", "reasoning_details": [
        { "type": "reasoning.text", "text": "hm", "signature": "sig" },
        { "type": "reasoning.encrypted", "data": "xx" },
    ] }));
    assert_eq!(router.len(), 3, "{router:?}");
    assert_eq!(router[0].signature.as_deref(), Some("sig"));
    assert_eq!(router[1].kind, Kind::RedactedThinking { data: "xx".into() });
    let loose = read(json!({ "tool_calls": [{ "function": { "name": "f", "arguments": { "a": 1 } } }] }));
    let Kind::ToolCall(call) = &loose[0].kind else { panic!("{loose:?}") };
    assert_eq!(call.arguments, "{\"a\":1}");
    assert!(!call.id.is_empty());
}
