use crate::dialects::fixtures::{Recorded, assert_cuts, assert_grammar, collect, events, recordings};
use crate::dialects::ollama_chat::{OllamaChat, OllamaGenerate, read_embeddings};
use crate::dialects::{TranslateError, UpstreamDialect};
use serde_json::{Value, json};
use weir_core::chat::{Answer, Event, Finish, Kind, ToolCall};

fn chat_or_generate(recorded: &Recorded) -> &'static dyn UpstreamDialect {
    let generate = recorded.file["operation"].as_str().unwrap().starts_with("generate");
    if generate { &OllamaGenerate } else { &OllamaChat }
}

fn good(operations: &[&str]) -> Vec<Recorded> {
    let mut all = recordings("ollama", operations);
    all.retain(|r| r.status() == 200);
    all
}

fn calls(answer: &Answer) -> Vec<&ToolCall> {
    let parts = answer.content.iter();
    parts.filter_map(|p| if let Kind::ToolCall(call) = &p.kind { Some(call) } else { None }).collect()
}

fn thoughts(answer: &Answer) -> String {
    let parts = answer.content.iter();
    parts
        .filter_map(|p| if let Kind::Thinking { text, .. } = &p.kind { Some(text.as_str()) } else { None })
        .collect()
}

/// What the server says, with thoughts in tags left where they are.
struct Said {
    text: String,
    thinking: String,
    calls: Vec<Value>,
    last: Value,
}

fn said(body: &[u8]) -> Said {
    let mut said =
        Said { text: String::new(), thinking: String::new(), calls: Vec::new(), last: Value::Null };
    for line in body.split(|b| *b == b'\n').filter(|l| !l.is_empty()) {
        let line: Value = serde_json::from_slice(line).unwrap();
        let text = line["message"]["content"].as_str().or(line["response"].as_str());
        said.text.push_str(text.unwrap_or_default());
        said.thinking.push_str(line["message"]["thinking"].as_str().unwrap_or_default());
        said.calls.extend(line["message"]["tool_calls"].as_array().cloned().unwrap_or_default());
        said.last = line;
    }
    said
}

fn check(answer: &Answer, body: &[u8], name: &str) {
    let said = said(body);
    assert_eq!(answer.model.as_deref(), said.last["model"].as_str(), "{name}");
    let (text, thinking) = (answer.text(), thoughts(answer));
    if let Some(rest) = said.text.strip_prefix("<think>") {
        assert_eq!(format!("{thinking}</think>{text}"), rest, "{name}");
    } else {
        assert_eq!((text, thinking), (said.text, said.thinking), "{name}");
    }
    let calls = calls(answer);
    assert_eq!(calls.len(), said.calls.len(), "{name}");
    for (ours, theirs) in calls.iter().zip(&said.calls) {
        assert_eq!(ours.name, theirs["function"]["name"], "{name}");
        let arguments: Value = serde_json::from_str(&ours.arguments).unwrap();
        assert_eq!(arguments, theirs["function"]["arguments"], "{name}");
        assert!(theirs["id"].as_str().is_none_or(|id| ours.id == id), "{name}");
        assert_eq!(calls.iter().filter(|c| c.id == ours.id).count(), 1, "{name}: ids are unique");
    }
    let finish = match said.last["done_reason"].as_str() {
        Some("length") => Finish::Length,
        _ if !calls.is_empty() => Finish::ToolCalls,
        _ => Finish::Stop,
    };
    assert_eq!(answer.finish, Some(finish), "{name}");
    let usage = answer.usage.unwrap();
    assert_eq!(usage.input, said.last["prompt_eval_count"].as_u64().unwrap_or_default(), "{name}");
    assert_eq!(usage.output, said.last["eval_count"].as_u64().unwrap_or_default(), "{name}");
}

#[test]
fn recorded_answers_are_read() {
    for recorded in good(&["chat", "generate"]) {
        let body = recorded.body();
        let answer = chat_or_generate(&recorded).read_answer(&body).unwrap();
        check(&answer, &body, &recorded.name);
        assert!(answer.extra.contains_key("total_duration"), "what is not known is kept");
    }
}

#[test]
fn recorded_streams_are_read() {
    for recorded in good(&["chat_stream", "generate_stream"]) {
        let body = recorded.body();
        let told = events(chat_or_generate(&recorded), &[&body]).unwrap();
        assert_grammar(&told, &recorded.name);
        check(&collect(told), &body, &recorded.name);
    }
}

#[test]
fn streams_may_be_cut_anywhere() {
    for recorded in good(&["chat_stream", "generate_stream"]) {
        assert_cuts(chat_or_generate(&recorded), &recorded.body(), &recorded.name);
    }
}

#[test]
fn p20_a_stream_put_together_is_the_plain_answer() {
    for recorded in good(&["chat_stream", "generate_stream"]) {
        let dialect = chat_or_generate(&recorded);
        let body = recorded.body();
        let first: Value = serde_json::from_slice(body.split(|b| *b == b'\n').next().unwrap()).unwrap();
        let said = said(&body);
        let mut plain = said.last.clone();
        plain["created_at"] = first["created_at"].clone();
        if plain.get("response").is_some() {
            plain["response"] = said.text.into();
        } else {
            plain["message"] = json!({"role": "assistant", "content": said.text, "tool_calls": said.calls});
            if !said.thinking.is_empty() {
                plain["message"]["thinking"] = said.thinking.into();
            }
        }
        let mut answer = dialect.read_answer(&serde_json::to_vec(&plain).unwrap()).unwrap();
        answer.extra.clear();
        assert_eq!(collect(events(dialect, &[&body]).unwrap()), answer, "{}", recorded.name);
    }
}

#[test]
fn recorded_errors_keep_the_servers_words() {
    let all = recordings("ollama", &["chat", "chat_stream"]);
    let errors: Vec<_> = all.iter().filter(|r| r.status() != 200).collect();
    for recorded in &errors {
        let status = u16::try_from(recorded.status()).unwrap();
        let fault = OllamaChat.read_error(status, &recorded.body());
        assert_eq!(fault.message, recorded.file["response"]["body"]["error"], "{}", recorded.name);
        assert_eq!(fault.status, status);
    }
    assert!(all.is_empty() || errors.len() >= 4);
}

const LINE: &str = "{\"model\":\"m\",\"created_at\":\"2026-01-02T03:04:05.678Z\",\"message\":{\"role\":\"assistant\",\"content\":\"Hi\"},\"done\":false}\n";

#[test]
fn p21_an_error_inside_a_stream_is_a_fault_and_the_end() {
    for error in
        ["{\"error\":\"out of memory\"}", "{\"error\":{\"message\":\"out of memory\",\"code\":\"oom\"}}"]
    {
        let stream = format!("{LINE}{error}\n{LINE}");
        let told = events(&OllamaChat, &[stream.as_bytes()]).unwrap();
        assert_grammar(&told, error);
        let answer = collect(told);
        assert_eq!(answer.fault.map(|f| f.message).as_deref(), Some("out of memory"));
        assert_eq!(answer.finish, None);
        let plain = OllamaChat.read_answer(error.as_bytes());
        assert!(matches!(plain, Err(TranslateError::Fault(f)) if f.message == "out of memory"));
    }
}

#[test]
fn p21_a_stream_that_breaks_off_is_unfinished() {
    assert_eq!(events(&OllamaChat, &[LINE.as_bytes()]), Err(TranslateError::Unfinished));
    assert_eq!(events(&OllamaChat, &[]), Err(TranslateError::Unfinished));
    assert_eq!(OllamaChat.read_answer(LINE.as_bytes()), Err(TranslateError::Unfinished));
}

#[test]
fn why_it_ended_is_told() {
    for (reason, finish) in [
        (json!("stop"), Finish::Stop),
        (json!("length"), Finish::Length),
        (json!("load"), Finish::Stop),
        (json!("unload"), Finish::Stop),
        (json!(null), Finish::Stop),
        (json!("odd"), Finish::Other("odd".into())),
    ] {
        let body = json!({"model": "m", "message": {"content": ""}, "done": true, "done_reason": reason});
        let answer = OllamaChat.read_answer(body.to_string().as_bytes()).unwrap();
        assert_eq!((answer.finish, answer.usage, answer.content), (Some(finish), None, vec![]), "{reason}");
    }
}

#[test]
fn p25_calls_without_ids_get_ids_of_their_own_turn() {
    let call =
        json!({"function": {"name": "f", "arguments": {"n": 12345678901234567890123u128.to_string()}}});
    let body = |time: &str| {
        json!({"created_at": time, "message": {"tool_calls": [call, call]}, "done": true}).to_string()
    };
    let read = |time| OllamaChat.read_answer(body(time).as_bytes()).unwrap();
    let (one, again, other) =
        (read("2026-01-01T00:00:01Z"), read("2026-01-01T00:00:01Z"), read("2026-01-01T00:00:02Z"));
    let ids = |answer: &Answer| calls(answer).iter().map(|c| c.id.clone()).collect::<Vec<_>>();
    assert!(ids(&one).iter().all(|id| id.starts_with("call_20260101000001_")), "{:?}", ids(&one));
    assert_ne!(ids(&one)[0], ids(&one)[1]);
    assert_eq!(ids(&one), ids(&again));
    assert_ne!(ids(&one), ids(&other));
}

#[test]
fn arguments_keep_every_digit() {
    let body = r#"{"message":{"tool_calls":[{"function":{"name":"f","arguments":{"n":12345678901234567890123,"x":1.50}}}]},"done":true}"#;
    let answer = OllamaChat.read_answer(body.as_bytes()).unwrap();
    assert_eq!(calls(&answer)[0].arguments, r#"{"n":12345678901234567890123,"x":1.50}"#);
    for (arguments, text) in [("\"{\\\"a\\\":1}\"", "{\"a\":1}"), ("null", "{}")] {
        let body = body.replace("{\"n\":12345678901234567890123,\"x\":1.50}", arguments);
        let answer = OllamaChat.read_answer(body.as_bytes()).unwrap();
        assert_eq!(calls(&answer)[0].arguments, text);
    }
}

#[test]
fn p20_a_call_written_as_text_is_a_call_streamed_or_not() {
    let text = "{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Paris\"}}";
    let line =
        |text: &str, done: bool| json!({"model": "m", "response": text, "done": done}).to_string() + "\n";
    let plain = OllamaGenerate.read_answer(line(text, true).as_bytes()).unwrap();
    assert_eq!(calls(&plain)[0].arguments, "{\"city\": \"Paris\"}");
    assert_eq!((plain.text().as_str(), &plain.finish), ("", &Some(Finish::ToolCalls)));
    let stream: String = text.chars().map(|c| line(&c.to_string(), false)).collect();
    let told = events(&OllamaGenerate, &[(stream + &line("", true)).as_bytes()]).unwrap();
    assert_grammar(&told, "call");
    assert_eq!(collect(told), plain);
}

#[test]
fn thoughts_of_generate_stand_beside_the_response() {
    let body = json!({"response": "4", "thinking": "2+2", "done": true, "done_reason": "stop"}).to_string();
    let answer = OllamaGenerate.read_answer(body.as_bytes()).unwrap();
    assert_eq!((thoughts(&answer).as_str(), answer.text().as_str()), ("2+2", "4"));
    let told = events(&OllamaGenerate, &[body.as_bytes()]).unwrap();
    assert!(told.iter().any(|e| matches!(e, Event::Finish(Finish::Stop))));
}

#[test]
fn recorded_embeddings_are_read() {
    for recorded in recordings("ollama", &["embeddings"]) {
        let theirs = &recorded.file["response"]["body"];
        let answer = read_embeddings(&recorded.body(), "m", false).unwrap();
        let ours: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(ours["data"][0]["embedding"], theirs["embeddings"][0], "{}", recorded.name);
        assert_eq!(answer.usage.unwrap().input, theirs["prompt_eval_count"]);
        assert_eq!(ours["usage"]["prompt_tokens"], theirs["prompt_eval_count"]);
        let packed = read_embeddings(&recorded.body(), "m", true).unwrap();
        let packed: Value = serde_json::from_slice(&packed.body).unwrap();
        let numbers = theirs["embeddings"][0].as_array().unwrap().len();
        assert_eq!(packed["data"][0]["embedding"].as_str().unwrap().len(), (numbers * 4).div_ceil(3) * 4);
    }
    let old = read_embeddings(b"{\"embedding\":[0.1]}", "m", false).unwrap();
    assert_eq!(old.usage, None);
    assert!(String::from_utf8_lossy(&old.body).contains("\"embedding\":[0.1]"));
    assert!(matches!(read_embeddings(b"{\"error\":\"no\"}", "m", false), Err(TranslateError::Fault(_))));
    assert!(read_embeddings(b"{}", "m", false).is_err());
}

#[test]
fn p20_probabilities_are_told_in_openais_form() {
    let body = br#"{"model":"m","message":{"role":"assistant","content":"Hi"},"done":true,
        "logprobs":[{"token":"Hi","logprob":-0.5,"top_logprobs":[]}]}"#;
    let answer = OllamaChat.read_answer(body).unwrap();
    assert_eq!(answer.extra["logprobs"]["content"][0]["logprob"], -0.5);
    let line =
        r#"{"model":"m","message":{"content":"Hi"},"done":true,"logprobs":[{"token":"Hi","logprob":-0.5}]}"#;
    let told = events(&OllamaChat, &[line.as_bytes(), b"\n"]).unwrap();
    let likely =
        |event: &Event| matches!(event, Event::Logprobs(told) if told["content"][0]["token"] == "Hi");
    assert!(told.iter().any(likely), "{told:?}");
}
