//! Completions over the canonical model.

use super::OpenAiCompletions;
use crate::dialects::{ClientDialect, View};
use bytes::BytesMut;
use http::HeaderMap;
use serde_json::{Value, json};
use weir_core::body::JsonBody;
use weir_core::chat::{Answer, Begun, Delta, Event, Finish, Kind, Part, Request};
use weir_core::domain::usage::Usage;
use weir_core::error::ApiError;

fn read(body: &Value) -> Result<Request, ApiError> {
    let body = JsonBody::parse(body.to_string().into_bytes().into()).unwrap();
    OpenAiCompletions.read_request(&body, &HeaderMap::new())
}

fn text(part: &Part) -> &str {
    let Kind::Text { text, .. } = &part.kind else { panic!("{part:?}") };
    text
}

#[test]
fn a_prompt_is_a_users_message_with_what_else_was_asked() {
    for prompt in [json!("Say"), json!(["Say"])] {
        let request = read(&json!({
            "model": "m", "prompt": prompt, "max_tokens": 5, "stop": "\n", "echo": false, "suffix": null, "n": 1,
            "logprobs": null, "temperature": 0.5, "metadata": { "a": "b" },
        }));
        let request = request.unwrap();
        assert_eq!(request.messages.len(), 1);
        assert_eq!(text(&request.messages[0].content[0]), "Say");
        assert_eq!((request.max_tokens, request.stop), (Some(5), vec!["\n".to_owned()]));
        assert!(request.extra.is_empty(), "{:?}", request.extra);
    }
}

#[test]
fn what_a_chat_cannot_give_is_refused_by_name() {
    let refused = |body: Value| {
        let error = read(&body).unwrap_err();
        let told: Value = serde_json::from_str(&error.body()).unwrap();
        assert_eq!(error.status(), 400);
        told["error"]["param"].as_str().unwrap().to_owned()
    };
    assert_eq!(refused(json!({ "model": "m" })), "prompt");
    for prompt in [json!(["a", "b"]), json!([1, 2]), json!([[1]]), json!(7), json!([])] {
        assert_eq!(refused(json!({ "model": "m", "prompt": prompt })), "prompt");
    }
    let more = [("n", json!(2)), ("echo", json!(true)), ("suffix", json!("x")), ("logprobs", json!(3))];
    for (name, value) in more {
        let mut body = json!({ "model": "m", "prompt": "a" });
        body[name] = value;
        assert_eq!(refused(body), name);
    }
}

fn told(events: Vec<Event>, include_usage: bool) -> Vec<Value> {
    let body = JsonBody::parse(bytes::Bytes::from_static(b"{}")).unwrap();
    let view = View { model: "m", id: "7", created: 1, include_usage, body: &body };
    let (mut writer, mut out) = (OpenAiCompletions.writer(&view), BytesMut::new());
    events.into_iter().for_each(|event| writer.write(event, &mut out));
    writer.end(&mut out);
    let text = String::from_utf8(out.to_vec()).unwrap();
    let (last, chunks) =
        text.trim().split("\n\n").collect::<Vec<_>>().split_last().map(|(l, c)| (*l, c.to_vec())).unwrap();
    assert_eq!(last, "data: [DONE]");
    chunks.iter().map(|chunk| serde_json::from_str(&chunk["data: ".len()..]).unwrap()).collect()
}

#[test]
fn p24_a_stream_says_what_the_plain_answer_says() {
    let usage = Usage { input: 3, output: 2, ..Usage::default() };
    let events = || {
        vec![
            Event::Start { id: None, model: Some("m-1".into()) },
            Event::BlockStart { index: 0, block: Begun::Thinking { id: None } },
            Event::BlockDelta { index: 0, delta: Delta::Text("hm".into()) },
            Event::BlockStop { index: 0 },
            Event::BlockStart { index: 1, block: Begun::Text },
            Event::BlockDelta { index: 1, delta: Delta::Text("Hel".into()) },
            Event::BlockDelta { index: 1, delta: Delta::Text("lo".into()) },
            Event::BlockStop { index: 1 },
            Event::Usage(usage),
            Event::Finish(Finish::Length),
        ]
    };
    let body = JsonBody::parse(bytes::Bytes::from_static(b"{}")).unwrap();
    let view = View { model: "m", id: "7", created: 1, include_usage: true, body: &body };
    let answer = Answer {
        model: Some("m-1".into()),
        content: vec![Part::text("Hello")],
        finish: Some(Finish::Length),
        usage: Some(usage),
        ..Answer::default()
    };
    let plain: Value = serde_json::from_slice(&OpenAiCompletions.write_answer(answer, &view)).unwrap();
    assert_eq!(
        plain["choices"],
        json!([{ "text": "Hello", "index": 0, "logprobs": null, "finish_reason": "length" }])
    );
    assert_eq!((&plain["id"], &plain["model"]), (&json!("chatcmpl-7"), &json!("m-1")));
    let chunks = told(events(), true);
    let said: String = chunks.iter().filter_map(|c| c["choices"][0]["text"].as_str()).collect();
    assert_eq!(said, "Hello");
    assert!(chunks.iter().all(|c| c["id"] == plain["id"] && c["object"] == "text_completion"));
    let last = chunks.last().unwrap();
    assert_eq!((&last["choices"], &last["usage"]), (&json!([]), &plain["usage"]));
    assert_eq!(chunks[chunks.len() - 2]["choices"][0]["finish_reason"], "length");
    assert!(told(events(), false).iter().all(|c| c.get("usage").is_none()));
}
