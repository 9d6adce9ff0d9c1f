use crate::dialects::cohere::CohereChat;
use crate::dialects::fixtures::{Recorded, assert_cuts, assert_grammar, collect, events, recordings};
use crate::dialects::{TranslateError, UpstreamDialect};
use serde_json::{Value, json};
use weir_core::chat::{Answer, Citation, Event, Finish, Kind};

/// A stream's data, one value each.
fn data(body: &[u8]) -> Vec<Value> {
    let text = String::from_utf8(body.to_vec()).unwrap();
    let lines = text.lines().filter_map(|l| l.strip_prefix("data: ")).filter(|l| *l != "[DONE]");
    lines.map(|l| serde_json::from_str(l).unwrap()).collect()
}

/// What Cohere would have answered to the same request without `stream`.
fn plain(body: &[u8]) -> Value {
    let mut message =
        json!({"role": "assistant", "content": [], "tool_calls": [], "citations": [], "tool_plan": ""});
    let (mut id, mut last) = (Value::Null, Value::Null);
    for event in data(body) {
        let delta = &event["delta"]["message"];
        let at = event["index"].as_u64().and_then(|i| usize::try_from(i).ok()).unwrap_or_default();
        match event["type"].as_str().unwrap() {
            "message-start" => id = event["id"].clone(),
            "content-start" => message["content"].as_array_mut().unwrap().push(delta["content"].clone()),
            "content-delta" => {
                let kind = if delta["content"].get("text").is_some() { "text" } else { "thinking" };
                append(&mut message["content"][at][kind], &delta["content"][kind]);
            }
            "tool-plan-delta" => append(&mut message["tool_plan"], &delta["tool_plan"]),
            "tool-call-start" => {
                message["tool_calls"].as_array_mut().unwrap().push(delta["tool_calls"].clone())
            }
            "tool-call-delta" => append(
                &mut message["tool_calls"][at]["function"]["arguments"],
                &delta["tool_calls"]["function"]["arguments"],
            ),
            "citation-start" => message["citations"].as_array_mut().unwrap().push(delta["citations"].clone()),
            "message-end" => last = event["delta"].clone(),
            _ => {}
        }
    }
    json!({"id": id, "message": message, "finish_reason": last["finish_reason"], "usage": last["usage"],
        "error": last["error"]})
}

fn append(to: &mut Value, more: &Value) {
    *to = format!("{}{}", to.as_str().unwrap(), more.as_str().unwrap()).into();
}

fn check(answer: &Answer, said: &Value, name: &str) {
    let message = &said["message"];
    let blocks = message["content"].as_array().cloned().unwrap_or_default();
    let text: String = blocks.iter().filter_map(|b| b["text"].as_str()).collect();
    let thought: String = blocks.iter().filter_map(|b| b["thinking"].as_str()).collect();
    let plan = message["tool_plan"].as_str().unwrap_or_default().to_owned();
    let thinking =
        |kind: &Kind| if let Kind::Thinking { text, .. } = kind { text.clone() } else { String::new() };
    let thoughts: String = answer.content.iter().map(|p| thinking(&p.kind)).collect();
    assert_eq!((answer.text(), thoughts), (text, plan + &thought), "{name}");
    let calls: Vec<Value> = answer.content.iter().filter_map(|p| call(&p.kind)).collect();
    assert_eq!(
        Value::from(calls),
        json!(message["tool_calls"].as_array().cloned().unwrap_or_default()),
        "{name}"
    );
    let sources: usize = message["citations"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|c| c["sources"].as_array().unwrap().len())
        .sum();
    assert_eq!(citations(answer).len(), sources, "{name}");
    let tokens = &said["usage"]["billed_units"];
    let usage = answer.usage.unwrap();
    assert_eq!(
        (json!(usage.input), json!(usage.output)),
        (tokens["input_tokens"].clone(), tokens["output_tokens"].clone())
    );
    assert_eq!(usage.cache_read, 0, "{name}: nobody bills less for it");
}

fn call(kind: &Kind) -> Option<Value> {
    let Kind::ToolCall(call) = kind else { return None };
    let function = json!({"name": call.name, "arguments": call.arguments});
    Some(json!({"id": call.id, "type": "function", "function": function}))
}

fn citations(answer: &Answer) -> Vec<Citation> {
    let of = |kind: &Kind| if let Kind::Text { citations, .. } = kind { citations.clone() } else { vec![] };
    answer.content.iter().flat_map(|p| of(&p.kind)).collect()
}

fn streams() -> Vec<Recorded> {
    recordings("cohere", &["chat_stream"])
}

#[test]
fn recorded_answers_are_read() {
    for recorded in recordings("cohere", &["chat"]) {
        let answer = CohereChat.read_answer(&recorded.body()).unwrap();
        check(&answer, &recorded.file["response"]["body"], &recorded.name);
        assert_eq!(answer.id.as_deref(), recorded.file["response"]["body"]["id"].as_str());
        let finish = if answer.has_tool_calls() { Finish::ToolCalls } else { Finish::Stop };
        assert_eq!(answer.finish, Some(finish), "{}", recorded.name);
    }
}

#[test]
fn p20_a_stream_put_together_is_the_plain_answer() {
    for recorded in streams() {
        let body = recorded.body();
        let told = events(&CohereChat, &[&body]).unwrap();
        assert_grammar(&told, &recorded.name);
        let said = plain(&body);
        let streamed = collect(told);
        match CohereChat.read_answer(said.to_string().as_bytes()) {
            Ok(answer) => {
                check(&streamed, &said, &recorded.name);
                assert_eq!(streamed, Answer { extra: streamed.extra.clone(), ..answer }, "{}", recorded.name);
            }
            Err(TranslateError::Fault(fault)) => {
                assert_eq!(fault.message, said["error"], "{}", recorded.name);
                assert_eq!(streamed.fault, Some(fault), "{}", recorded.name);
            }
            Err(other) => panic!("{}: {other}", recorded.name),
        }
    }
}

#[test]
fn streams_may_be_cut_anywhere() {
    for recorded in streams() {
        assert_cuts(&CohereChat, &recorded.body(), &recorded.name);
    }
}

#[test]
fn citations_say_where_and_from_what() {
    let sources = json!([
        {"type": "document", "id": "d0", "document": {"title": "T", "snippet": "s", "url": "https://x"}},
        {"type": "tool", "id": "t:0", "tool_output": {"content": "18C"}},
    ]);
    let citation = json!({"start": 0, "end": 2, "text": "Hi", "sources": sources, "content_index": 1});
    let blocks = json!([{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Hi"}]);
    let body = json!({"message": {"content": blocks, "citations": [citation]}, "finish_reason": "COMPLETE"});
    let answer = CohereChat.read_answer(body.to_string().as_bytes()).unwrap();
    let all = citations(&answer);
    assert_eq!(all.iter().map(|c| (c.start, c.end)).collect::<Vec<_>>(), [(Some(0), Some(2)); 2]);
    assert_eq!((all[0].url.as_deref(), all[0].title.as_deref()), (Some("https://x"), Some("T")));
    assert_eq!((all[1].url.as_deref(), all[1].cited_text.as_deref()), (Some("source:t:0"), Some("18C")));
    assert_eq!(all[0].original.as_ref().map(|(_, v)| v), Some(&citation));
}

#[test]
fn why_it_ended_is_told() {
    for (reason, finish) in [
        ("COMPLETE", Finish::Stop),
        ("STOP_SEQUENCE", Finish::StopSequence(None)),
        ("MAX_TOKENS", Finish::Length),
        ("TOOL_CALL", Finish::ToolCalls),
        ("ODD", Finish::Other("ODD".into())),
    ] {
        let body = json!({"message": {"content": []}, "finish_reason": reason});
        let answer = CohereChat.read_answer(body.to_string().as_bytes()).unwrap();
        assert_eq!((answer.finish, answer.usage), (Some(finish), None), "{reason}");
    }
    for reason in ["ERROR", "TIMEOUT"] {
        let body = json!({"message": {"content": []}, "finish_reason": reason});
        let read = CohereChat.read_answer(body.to_string().as_bytes());
        assert!(matches!(read, Err(TranslateError::Fault(f)) if f.kind.as_deref() == Some(reason)));
    }
}

#[test]
fn p12_what_is_billed_counts_and_what_was_read_where_nothing_else_is_said() {
    let billed = json!({"input_tokens": 3.0, "output_tokens": 4});
    let read = json!({"input_tokens": 505, "output_tokens": 7});
    for (usage, expected) in [
        (json!({"billed_units": billed, "tokens": read, "cached_tokens": 448}), (3, 4, 0)),
        (json!({"billed_units": billed}), (3, 4, 0)),
        (json!({"billed_units": {"search_units": 1}, "tokens": read, "cached_tokens": 448}), (505, 7, 448)),
        (json!({"billed_units": null, "tokens": read}), (505, 7, 0)),
    ] {
        let body = json!({"message": {}, "usage": usage});
        let usage = CohereChat.read_answer(body.to_string().as_bytes()).unwrap().usage.unwrap();
        assert_eq!((usage.input, usage.output, usage.cache_read), expected, "{body}");
    }
}

#[test]
fn p21_streams_that_break_off_or_report_errors_say_so() {
    let start = "event: message-start\ndata: {\"id\":\"i\",\"type\":\"message-start\",\"delta\":{\"message\":{}}}\n\n";
    assert_eq!(events(&CohereChat, &[start.as_bytes()]), Err(TranslateError::Unfinished));
    let done = format!("{start}data: [DONE]\n\n");
    assert_eq!(events(&CohereChat, &[done.as_bytes()]), Err(TranslateError::Unfinished));
    let error = format!("{start}data: {{\"message\":\"overloaded\"}}\n\n");
    let told = events(&CohereChat, &[error.as_bytes()]).unwrap();
    assert_grammar(&told, "error");
    assert_eq!(collect(told).fault.map(|f| f.message).as_deref(), Some("overloaded"));
    let fault = CohereChat.read_answer(b"{\"message\":\"invalid api token\"}");
    assert!(matches!(fault, Err(TranslateError::Fault(f)) if f.message == "invalid api token"));
}

#[test]
fn p20_probabilities_are_told_in_openais_form() {
    let body = json!({"message": {"content": [{"type": "text", "text": "Hi"}]}, "finish_reason": "COMPLETE",
        "logprobs": [{"text": "Hi", "token_ids": [7], "logprobs": [-0.5]}]});
    let answer = CohereChat.read_answer(body.to_string().as_bytes()).unwrap();
    let told = &answer.extra["logprobs"]["content"][0];
    assert_eq!((&told["token"], &told["logprob"]), (&json!("Hi"), &json!(-0.5)));
    let piece = json!({"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "Hi"}}},
        "logprobs": {"text": "Hi", "token_ids": [7], "logprobs": [-0.5]}});
    let end = json!({"type": "message-end", "delta": {"finish_reason": "COMPLETE"}});
    let stream = format!("data: {piece}\n\ndata: {end}\n\n");
    let told = events(&CohereChat, &[stream.as_bytes()]).unwrap();
    let likely =
        |event: &Event| matches!(event, Event::Logprobs(told) if told["content"][0]["token"] == "Hi");
    assert!(told.iter().any(likely), "{told:?}");
}
