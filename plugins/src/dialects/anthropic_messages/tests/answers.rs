use super::shared::recordings;
use super::{AnthropicMessages, fold, meaning, with_view, write_stream};
use crate::dialects::{ClientDialect, TranslateError, UpstreamDialect};
use serde_json::{Value, json};
use weir_core::chat::{Answer, Citation, Finish, Kind, Part, replay};

fn read(answer: &Value) -> Answer {
    AnthropicMessages.read_answer(answer.to_string().as_bytes()).unwrap()
}

fn write(answer: Answer, model: &str) -> Value {
    let bytes = with_view(model, |view| AnthropicMessages.write_answer(answer, view));
    serde_json::from_slice(&bytes).unwrap()
}

#[test]
fn p24_a_recorded_answer_means_the_same_after_translation() {
    for recording in recordings().iter().filter(|r| r.status == 200) {
        let Some(answer) = &recording.answer else { continue };
        let written = write(read(answer), answer["model"].as_str().unwrap());
        assert_eq!(meaning(&written), meaning(answer), "{}", recording.name);
        assert_eq!(written["container"], answer["container"]);
    }
}

#[test]
fn p24_a_stream_equals_the_plain_answer() {
    for recording in recordings().iter().filter(|r| r.status == 200) {
        let Some(answer) = &recording.answer else { continue };
        let streamed = fold(&write_stream(replay(read(answer)), "m")).unwrap();
        assert_eq!(meaning(&streamed), meaning(&write(read(answer), "m")), "{}", recording.name);
    }
}

#[test]
fn p21_recorded_errors_keep_their_message_and_type() {
    let mut seen = 0;
    for recording in recordings().iter().filter(|r| r.status >= 400) {
        let Some(body) = &recording.answer else { continue };
        let status = u16::try_from(recording.status).unwrap();
        let fault = AnthropicMessages.read_error(status, body.to_string().as_bytes());
        let message = body["error"]["message"].as_str().or(body["message"].as_str());
        assert_eq!(Some(fault.message.as_str()), message, "{}", recording.name);
        assert_eq!(fault.kind.as_deref(), body["error"]["type"].as_str());
        seen += 1;
    }
    println!("{seen} errors");
}

#[test]
fn an_answer_to_a_schema_is_text_again() {
    let body = json!({ "id": "m", "content": [
        { "type": "tool_use", "id": "t", "name": "json_tool_call", "input": { "answer": 42 } }],
        "stop_reason": "tool_use", "usage": { "input_tokens": 1, "output_tokens": 1 } });
    let answer = read(&body);
    assert_eq!((answer.text().as_str(), answer.finish), (r#"{"answer":42}"#, Some(Finish::Stop)));
}

#[test]
fn inputs_of_tools_are_kept_as_the_model_wrote_them() {
    let text = br#"{"content":[{"type":"tool_use","id":"t","name":"f","input":{"n": 12345678901234567890123, "x": 1.10}}]}"#;
    let answer = AnthropicMessages.read_answer(text).unwrap();
    assert!(matches!(&answer.content[0].kind,
        Kind::ToolCall(call) if call.arguments == r#"{"n": 12345678901234567890123, "x": 1.10}"#));
}

#[test]
fn p21_a_success_with_an_error_inside_is_a_fault() {
    let body = br#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
    let Err(TranslateError::Fault(fault)) = AnthropicMessages.read_answer(body) else { panic!("no fault") };
    assert_eq!((fault.status, fault.message.as_str()), (529, "Overloaded"));
    assert!(matches!(AnthropicMessages.read_answer(b"{}"), Err(TranslateError::Malformed(_))));
}

#[test]
fn p25_what_other_dialects_say_fits_the_schema() {
    let citation = Citation { url: Some("https://x".into()), title: Some("t".into()), ..Citation::default() };
    let mut answer = Answer {
        content: vec![
            Part::new(Kind::Thinking { text: "hm".into(), id: Some("rs_1".into()) }),
            Part::text(""),
            Part::new(Kind::Text { text: "see".into(), citations: vec![citation] }),
            Part::new(Kind::Refusal("no".into())),
            Part::new(Kind::Opaque {
                dialect: weir_core::chat::Dialect::OpenAiResponses,
                value: json!({ "type": "x" }),
            }),
        ],
        ..Answer::default()
    };
    answer.extra.insert("system_fingerprint".into(), json!("fp"));
    let written = write(answer, "m");
    let expected = json!([
        { "type": "thinking", "thinking": "hm", "signature": "" },
        { "type": "text", "text": "see", "citations": [{ "type": "web_search_result_location", "url": "https://x",
          "title": "t", "cited_text": "", "encrypted_index": "" }] },
        { "type": "text", "text": "no" },
    ]);
    assert_eq!(written["content"], expected);
    assert_eq!((&written["id"], &written["stop_reason"]), (&json!("msg_made-up"), &json!("end_turn")));
    assert!(written.get("system_fingerprint").is_none());
}
