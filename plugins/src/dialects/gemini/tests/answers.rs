use super::super::{Gemini, read_report};
use super::{body, meaning, recordings, view};
use crate::dialects::openai_chat::OpenAiChat;
use crate::dialects::{ClientDialect, TranslateError, UpstreamDialect};
use serde_json::{Value, json};
use weir_core::chat::{Answer, Citation, Finish, Kind, Media, Part, ToolCall, ToolCallKind};

fn read(value: &Value) -> Result<Answer, TranslateError> {
    Gemini.read_answer(value.to_string().as_bytes())
}

fn rewritten(answer: Answer) -> Value {
    let body = body(&json!({}));
    serde_json::from_slice(&Gemini.write_answer(answer, &view(&body))).unwrap()
}

#[test]
fn recorded_answers_keep_text_calls_and_counts() {
    for (name, recorded) in recordings::answers().into_iter().filter(|(_, r)| r.is_object()) {
        let answer = read(&recorded).unwrap();
        let parts = recorded["candidates"][0]["content"]["parts"].as_array().cloned().unwrap_or_default();
        let text: String =
            parts.iter().filter(|p| p["thought"] != true).filter_map(|p| p["text"].as_str()).collect();
        assert_eq!(answer.text(), text, "{name}");
        let calls: Vec<Value> = parts
            .iter()
            .filter(|p| p["functionCall"].is_object())
            .map(|p| json!([p["functionCall"]["name"], p["functionCall"]["args"]]))
            .collect();
        assert_eq!(meaning(&answer)["calls"], json!(calls), "{name}");
        let usage = answer.usage.unwrap();
        assert_eq!(json!(usage.total()), recorded["usageMetadata"]["totalTokenCount"], "{name}");
        assert_eq!(answer.model.as_deref(), recorded["modelVersion"].as_str(), "{name}");
        let report = read_report(recorded.to_string().as_bytes()).unwrap();
        assert_eq!(
            (report.usage, report.finish, report.id),
            (answer.usage, answer.finish, answer.id),
            "{name}"
        );
    }
}

#[test]
fn recorded_answers_are_the_same_when_written_and_read_again() {
    for (name, recorded) in recordings::answers().into_iter().filter(|(_, r)| r.is_object()) {
        let answer = read(&recorded).unwrap();
        let again = rewritten(answer.clone());
        let said = answer.model.as_deref().unwrap_or("mine");
        assert_eq!(again["modelVersion"], said, "{name}");
        // What was searched for is not told again, only what was found.
        let usage = answer.usage.map(|usage| weir_core::domain::usage::Usage { searches: 0, ..usage });
        let answer = weir_core::chat::Answer { usage, ..answer };
        assert_eq!(meaning(&read(&again).unwrap()), meaning(&answer), "{name}");
    }
}

#[test]
fn p20_several_choices_are_several_candidates_plain_and_streamed() {
    let choice = |text: &str, finish: Finish| weir_core::chat::Choice {
        content: vec![Part::text(text)],
        finish: Some(finish),
        ..Default::default()
    };
    let answer = Answer {
        content: vec![Part::text("one")],
        finish: Some(Finish::Stop),
        others: vec![choice("two", Finish::Length), choice("three", Finish::Stop)],
        ..Answer::default()
    };
    let expected = json!([[0, "one", "STOP"], [1, "two", "MAX_TOKENS"], [2, "three", "STOP"]]);
    let told = |candidates: &Value| -> Value {
        let one = |c: &Value| json!([c["index"], c["content"]["parts"][0]["text"], c["finishReason"]]);
        candidates.as_array().unwrap().iter().map(one).collect()
    };
    let plain = rewritten(answer.clone());
    assert_eq!(told(&plain["candidates"]), expected);
    assert_eq!(read(&plain).unwrap().others, answer.others);
    let body = body(&json!({}));
    let mut writer = Gemini.writer(&view(&body));
    let stream = super::written(writer.as_mut(), weir_core::chat::replay(answer.clone()));
    let again = super::collect(super::events(&[&stream]).unwrap());
    assert_eq!((again.text(), again.finish, again.others), ("one".to_owned(), answer.finish, answer.others));
}

#[test]
fn p20_probabilities_are_told_in_openais_form() {
    let answer =
        read(&json!({ "candidates": [{ "content": { "parts": [{ "text": "Hi" }] }, "finishReason": "STOP",
        "logprobsResult": {
            "chosenCandidates": [{ "token": "Hi", "tokenId": 7, "logProbability": -0.5 }],
            "topCandidates": [{ "candidates": [{ "token": "Hi", "logProbability": -0.5 },
                { "token": "ü", "logProbability": -1.5 }] }],
        } }] }))
        .unwrap();
    let told = &answer.extra["logprobs"]["content"][0];
    assert_eq!((&told["token"], &told["logprob"]), (&json!("Hi"), &json!(-0.5)));
    assert_eq!(told["top_logprobs"][1], json!({ "token": "ü", "logprob": -1.5, "bytes": [195, 188] }));
    let without = json!({ "candidates": [{ "content": { "parts": [{ "text": "Hi" }] }, "finishReason": "STOP",
        "logprobsResult": {} }] });
    assert!(!read(&without).unwrap().extra.contains_key("logprobs"));
}

/// Two candidates, the second of which has not all that the first has.
fn two() -> Value {
    let likely = json!({ "chosenCandidates": [{ "token": "Ho", "logProbability": -0.25 }] });
    json!({ "candidates": [
        { "content": { "parts": [{ "text": "Hi" }] }, "finishReason": "STOP" },
        { "content": { "parts": [{ "text": "Ho" }, { "functionCall": { "name": "f", "args": {} } }] },
          "finishReason": "STOP", "index": 1, "logprobsResult": likely },
    ] })
}

#[test]
fn p20_several_candidates_are_several_choices() {
    let request = body(&json!({}));
    let told: Value =
        serde_json::from_slice(&OpenAiChat.write_answer(read(&two()).unwrap(), &view(&request))).unwrap();
    let choices = told["choices"].as_array().unwrap();
    assert_eq!(choices.len(), 2, "{told}");
    assert_eq!(
        (&choices[0]["message"]["content"], &choices[0]["finish_reason"]),
        (&json!("Hi"), &json!("stop"))
    );
    assert_eq!((&choices[1]["index"], &choices[1]["finish_reason"]), (&json!(1), &json!("tool_calls")));
    assert_eq!(choices[1]["message"]["tool_calls"][0]["function"]["name"], "f");
    assert_eq!(choices[1]["logprobs"]["content"][0]["token"], "Ho");
    assert!(choices[0].get("logprobs").is_none(), "{told}");
}

#[test]
fn p20_what_is_no_plain_end_is_told_as_litellm_does() {
    let request = body(&json!({}));
    for (reason, word) in [
        ("OTHER", "content_filter"),
        ("MALFORMED_FUNCTION_CALL", "malformed_function_call"),
        ("TOO_MANY_TOOL_CALLS", "stop"),
    ] {
        let answer = read(&json!({ "candidates": [{ "finishReason": reason }] })).unwrap();
        let told: Value = serde_json::from_slice(&OpenAiChat.write_answer(answer, &view(&request))).unwrap();
        assert_eq!(told["choices"][0]["finish_reason"], word, "{reason}");
    }
}

#[test]
fn recorded_errors_are_read() {
    for recording in recordings::all().into_iter().filter(|r| r.status != 200) {
        let recordings::Response::Json(error) = recording.response else { panic!("{}", recording.name) };
        let status = u16::try_from(recording.status).unwrap();
        let fault = Gemini.read_error(status, error.to_string().as_bytes());
        assert_eq!(json!(fault.message), error["error"]["message"]);
        assert_eq!(json!(fault.kind), error["error"]["status"]);
        assert_eq!(fault.status, status);
    }
}

#[test]
fn a_blocked_prompt_is_filtered_and_counted() {
    let answer = read(&json!({ "promptFeedback": { "blockReason": "SAFETY" },
        "usageMetadata": { "promptTokenCount": 4, "totalTokenCount": 4 } }))
    .unwrap();
    assert_eq!(answer.finish, Some(Finish::ContentFilter));
    assert_eq!(answer.usage.unwrap().input, 4);
}

#[test]
fn an_error_inside_a_success_is_a_fault() {
    for body in [
        json!({ "error": { "code": 503, "message": "busy", "status": "UNAVAILABLE" } }),
        json!([{ "error": { "code": 503, "message": "busy", "status": "UNAVAILABLE" } }]),
    ] {
        let Err(TranslateError::Fault(fault)) = read(&body) else { panic!("{body}") };
        assert_eq!((fault.status, fault.message.as_str()), (503, "busy"));
    }
}

#[test]
fn pictures_come_whole_and_thought_pictures_do_not_count() {
    let picture = json!({ "mimeType": "image/png", "data": "QUJD" });
    let answer = read(&json!({ "candidates": [{ "finishReason": "STOP", "content": { "parts": [
        { "thought": true, "inlineData": picture },
        { "text": "here" },
        { "inlineData": picture, "thoughtSignature": "sig" },
        { "executableCode": { "language": "PYTHON", "code": "1" } },
    ] } }] }))
    .unwrap();
    let kinds: Vec<&Kind> = answer.content.iter().map(|part| &part.kind).collect();
    assert!(matches!(kinds[0], Kind::Opaque { .. }));
    assert!(matches!(kinds[1], Kind::Text { .. }));
    assert_eq!(kinds[2], &Kind::Image(Media::from_url("data:image/png;base64,QUJD")));
    assert_eq!(answer.content[2].signature.as_deref(), Some("sig"));
    assert!(matches!(kinds[3], Kind::Opaque { .. }));
    let parts = rewritten(answer)["candidates"][0]["content"]["parts"].clone();
    assert_eq!(parts[0], json!({ "thought": true, "inlineData": picture }));
    assert_eq!(parts[2], json!({ "inlineData": picture, "thoughtSignature": "sig" }));
    assert_eq!(parts[3], json!({ "executableCode": { "language": "PYTHON", "code": "1" } }));
}

#[test]
fn an_answer_of_another_provider_is_valid_for_geminis_clients() {
    let call = Kind::ToolCall(ToolCall {
        id: "toolu_1".into(),
        name: "f".into(),
        arguments: "{\"a\":1}".into(),
        kind: ToolCallKind::Function,
    });
    let citations =
        vec![Citation { url: Some("https://x".into()), start: Some(0), end: Some(2), ..Citation::default() }];
    let answer = Answer {
        id: Some("msg_1".into()),
        content: vec![
            Part::new(Kind::Thinking { text: "hm".into(), id: None }),
            Part::new(Kind::Text { text: "äb".into(), citations }),
            Part::new(call),
        ],
        finish: Some(Finish::ToolCalls),
        usage: Some(weir_core::domain::usage::Usage {
            input: 5,
            output: 7,
            reasoning: 2,
            ..Default::default()
        }),
        ..Answer::default()
    };
    let expected = json!({
        "candidates": [{
            "content": { "role": "model", "parts": [
                { "text": "hm", "thought": true },
                { "text": "äb" },
                { "functionCall": { "id": "toolu_1", "name": "f", "args": { "a": 1 } } } ] },
            "index": 0,
            "finishReason": "STOP",
            "groundingMetadata": {
                "groundingChunks": [{ "web": { "uri": "https://x", "title": null } }],
                "groundingSupports": [{ "segment": { "startIndex": 0, "endIndex": 3 }, "groundingChunkIndices": [0] }] },
        }],
        "usageMetadata": { "promptTokenCount": 5, "candidatesTokenCount": 5, "totalTokenCount": 12,
            "thoughtsTokenCount": 2 },
        "modelVersion": "mine",
        "responseId": "msg_1",
    });
    assert_eq!(rewritten(answer), expected);
}

#[test]
fn litellms_golden_is_met() {
    let Some(golden) = recordings::golden() else { return };
    let request = Gemini.read_request(&body(&golden["request"]["body"]), &http::HeaderMap::new()).unwrap();
    assert_eq!(request.messages[0].text(), golden["upstream_received"][0]["body"]["messages"][0]["content"]);
    let usage = weir_core::domain::usage::Usage { input: 11, output: 7, ..Default::default() };
    let written = rewritten(Answer {
        content: vec![Part::text("Hello from mock.")],
        finish: Some(Finish::Stop),
        usage: Some(usage),
        ..Answer::default()
    });
    let expected = &golden["response"]["body"];
    assert_eq!(written["usageMetadata"], expected["usageMetadata"]);
    for member in ["content", "finishReason", "index"] {
        assert_eq!(written["candidates"][0][member], expected["candidates"][0][member], "{member}");
    }
}
