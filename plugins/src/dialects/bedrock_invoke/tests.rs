use super::*;
use crate::dialects::anthropic_messages::AnthropicMessages;
use crate::dialects::openai_chat::Report;
use crate::dialects::{ResponsePlan, StreamFault, View};
use crate::testing::{cuts, events, golden_cases, recordings};
use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue as Text, Message};
use bytes::Bytes;
use weir_core::body::JsonBody;
use weir_core::chat::Dialect;
use weir_core::codec::Deframer;

/// Stands for Anthropic's reader: tells each event as text, so that what arrives can be compared.
#[derive(Default)]
struct Echo(usize);

impl EventReader for Echo {
    fn read(&mut self, frame: Frame<'_>, out: &mut Events) -> Result<(), TranslateError> {
        let Frame::Sse { event, data } = frame else { return Err(TranslateError::malformed("not SSE")) };
        let id = Some(format!("{event} {}", String::from_utf8_lossy(&data)));
        out.push(Event::Start { id, model: None });
        self.0 += 1;
        Ok(())
    }

    fn end(&mut self, _: &mut Events) -> Result<(), TranslateError> {
        if self.0 == 0 { Err(TranslateError::Unfinished) } else { Ok(()) }
    }
}

fn read(pieces: &[&[u8]]) -> Result<Vec<Event>, TranslateError> {
    events(Framing::EventStream, Box::new(Reader::new(Box::new(Echo::default()))), pieces)
}

fn frame(headers: &[(&'static str, &'static str)], payload: &str) -> Vec<u8> {
    let mut message = Message::new(payload.as_bytes().to_vec());
    for (name, value) in headers {
        message = message.add_header(Header::new(*name, Text::String((*value).into())));
    }
    let mut out = Vec::new();
    write_message_to(&message, &mut out).unwrap();
    out
}

#[test]
fn p23_wrapped_streams_are_read_however_they_are_cut() {
    for recording in recordings("bedrock-invoke-stream").into_iter().filter(|r| r.status() == 200) {
        let (name, body) = (&recording.name, recording.body());
        let whole = read(&[&body]).unwrap();
        assert_eq!(read(&body.chunks(1).collect::<Vec<_>>()).unwrap(), whole, "{name}: byte by byte");
        for cut in cuts(body.len()) {
            assert_eq!(read(&[&body[..cut], &body[cut..]]).unwrap(), whole, "{name}: cut at {cut}");
        }
        for cut in (1..body.len()).step_by(97) {
            let _ = read(&[&body[..cut]]);
        }
        let is_claude = recording.json["model"].as_str().unwrap().contains("claude-3")
            || recording.json["model"].as_str().unwrap().contains("-4");
        if is_claude {
            let Event::Start { id: Some(first), .. } = &whole[0] else { panic!("{whole:?}") };
            let Some(Event::Start { id: Some(last), .. }) = whole.last() else { panic!("{whole:?}") };
            assert!(first.starts_with("message_start {"), "{name}: {first}");
            assert!(last.starts_with("message_stop {"), "{name}: {last}");
        }
    }
}

#[test]
fn exceptions_and_rubbish_inside_streams_are_told() {
    let exception = [(":message-type", "exception"), (":exception-type", "modelStreamErrorException")];
    let body = frame(&exception, r#"{"message":"broken","originalStatusCode":500}"#);
    let told = read(&[&body]).unwrap();
    let [Event::Fault(fault)] = &told[..] else { panic!("{told:?}") };
    assert_eq!((fault.status, fault.message.as_str()), (424, "broken"));
    let chunk = [(":message-type", "event"), (":event-type", "chunk")];
    for payload in ["", "{}", "[]", r#"{"bytes":7}"#, r#"{"bytes":"%%%"}"#, r#"{"bytes":"bm8ganNvbg=="}"#] {
        assert!(matches!(read(&[&frame(&chunk, payload)]), Err(TranslateError::Malformed(_))), "{payload}");
    }
    let mut flipped = frame(&chunk, r#"{"bytes":"e30="}"#);
    flipped[20] ^= 1;
    assert!(read(&[&flipped]).is_err());
}

#[test]
fn p21_after_an_error_of_the_model_bedrocks_own_is_not_told_again() {
    let chunk = [(":message-type", "event"), (":event-type", "chunk")];
    let wrapped =
        STANDARD.encode(r#"{"type":"error","error":{"type":"overloaded_error","message":"later"}}"#);
    let error = frame(&chunk, &format!(r#"{{"bytes":"{wrapped}"}}"#));
    let exception =
        frame(&[(":message-type", "exception"), (":exception-type", "modelStreamErrorException")], "{}");
    let reader = BedrockInvoke::new(Box::new(AnthropicMessages)).reader();
    let told = events(Framing::EventStream, reader, &[&error, &exception]).unwrap();
    let [Event::Fault(fault)] = &told[..] else { panic!("{told:?}") };
    assert_eq!(fault.message, "later");
}

fn wrapped(json: &str) -> Vec<u8> {
    let chunk = [(":message-type", "event"), (":event-type", "chunk")];
    frame(&chunk, &format!(r#"{{"bytes":"{}"}}"#, STANDARD.encode(json)))
}

const METRICS: &str = r#""amazon-bedrock-invocationMetrics":{"inputTokenCount":28,"outputTokenCount":197.0,
    "cacheReadInputTokenCount":5,"invocationLatency":7}"#;

#[test]
fn p12_streams_of_any_model_tell_their_tokens() {
    let last = format!(r#"{{"outputText":"","index":0,"completionReason":"FINISH",{METRICS}}}"#);
    let body =
        [wrapped(r#"{"outputText":"Once","index":0,"completionReason":null}"#), wrapped(&last)].concat();
    let mut reader = BedrockInvoke::new(Box::new(AnthropicMessages)).reader();
    let mut told = Events::new();
    weir_core::codec::frames::each(Framing::EventStream, &body, |frame| reader.read(frame, &mut told))
        .unwrap();
    let [Event::Usage(usage)] = &told[..] else { panic!("{told:?}") };
    assert_eq!((usage.input, usage.output, usage.cache_read), (33, 197, 5));
}

#[test]
fn p12_claudes_own_count_is_the_one_that_counts() {
    let body = [
        wrapped(
            r#"{"type":"message_start","message":{"id":"m","usage":{"input_tokens":4,"output_tokens":1,
            "cache_creation_input_tokens":9,"cache_creation":{"ephemeral_1h_input_tokens":9}}}}"#,
        ),
        wrapped(r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":3}}"#),
        wrapped(&format!(r#"{{"type":"message_stop",{METRICS}}}"#)),
    ]
    .concat();
    let reader = BedrockInvoke::new(Box::new(AnthropicMessages)).reader();
    let told = events(Framing::EventStream, reader, &[&body]).unwrap();
    let usage = told.iter().rev().find_map(|event| match event {
        Event::Usage(usage) => Some(*usage),
        _ => None,
    });
    assert_eq!(usage.map(|u| (u.input, u.output, u.cache_write_1h)), Some((13, 3, 9)));
}

/// What a client of Anthropic's dialect gets of a stream in these pieces, and what is learned of it.
fn relayed(pieces: &[&[u8]]) -> Result<(String, Option<StreamFault>, Report), TranslateError> {
    let request = JsonBody::parse(Bytes::from_static(b"{\"model\":\"m\"}")).unwrap();
    let view = View { model: "m", id: "1", created: 0, include_usage: false, body: &request };
    let plan =
        ResponsePlan::Translate { client: Dialect::AnthropicMessages, upstream: Dialect::BedrockInvoke };
    let (mut passage, mut deframer) = (plan.passage(&view), Deframer::new(plan.framing(), 1 << 20));
    let (mut sent, mut fault) = (Vec::new(), None);
    for piece in pieces {
        let passed = passage.pass(deframer.push(Bytes::copy_from_slice(piece))?)?;
        sent.extend(passed.send.concat());
        fault = fault.or(passed.fault);
    }
    if fault.is_none() {
        let passed = passage.end(deframer.rest())?;
        sent.extend(passed.send.concat());
        sent.extend(passed.done.unwrap_or_default());
    }
    Ok((String::from_utf8(sent).unwrap(), fault, passage.report()))
}

/// Members and blocks that nobody here knows stand between the others.
const CLAUDES: [&str; 7] = [
    r#"{"type":"message_start","message":{"id":"m","usage":{"input_tokens":4,"output_tokens":1}}}"#,
    r#"{"type":"ping"}"#,
    r#"{"type":"content_block_start","index":0,"content_block":{"type":"moon","phase":"new"}}"#,
    r#"{"type":"content_block_delta","index":0,"delta":{"type":"moon_delta","text":"a\nb"}}"#,
    r#"{"type":"content_block_stop","index":0}"#,
    r#"{"type":"message_delta","delta":{"stop_reason":"refusal","stop_details":{"type":"refusal"}},"usage":{"output_tokens":3}}"#,
    r#"{"type":"message_stop"}"#,
];

fn told(events: &[&str]) -> String {
    let name = |json: &str| serde_json::from_str::<Value>(json).unwrap()["type"].as_str().unwrap().to_owned();
    events.iter().map(|json| format!("event: {}\ndata: {json}\n\n", name(json))).collect()
}

#[test]
fn p20_claudes_own_events_reach_a_client_of_the_same_dialect_as_they_came() {
    let body: Vec<u8> = CLAUDES.iter().flat_map(|json| wrapped(json)).collect();
    for cut in 0..=body.len() {
        let (sent, fault, report) = relayed(&[&body[..cut], &body[cut..]]).unwrap();
        assert_eq!((sent, fault.is_some()), (told(&CLAUDES), false), "cut at {cut}");
        assert_eq!(report.usage.map(|usage| (usage.input, usage.output)), Some((4, 3)));
    }
    let pretty = wrapped("{\n\"type\": \"message_stop\"\r\n}");
    let (sent, ..) = relayed(&[&pretty]).unwrap();
    assert_eq!(sent, "event: message_stop\ndata: {\ndata: \"type\": \"message_stop\"\ndata: \ndata: }\n\n");
}

#[test]
fn p21_an_error_before_the_model_has_begun_sends_nothing() {
    let exception = frame(
        &[(":message-type", "exception"), (":exception-type", "throttlingException")],
        r#"{"message":"later"}"#,
    );
    let own = r#"{"type":"error","error":{"type":"overloaded_error","message":"later"}}"#;
    let before: Vec<u8> = CLAUDES[..2].iter().flat_map(|json| wrapped(json)).collect();
    for error in [exception.clone(), wrapped(own)] {
        let (_, fault, _) = relayed(&[&before, &error]).unwrap();
        let fault = fault.unwrap();
        assert_eq!((fault.first, fault.told, fault.fault.message.as_str()), (true, false, "later"));
    }
    let begun: Vec<u8> = CLAUDES[..4].iter().flat_map(|json| wrapped(json)).collect();
    let (sent, fault, _) = relayed(&[&begun, &exception]).unwrap();
    assert_eq!(sent, told(&CLAUDES[..4]));
    assert!(fault.is_some_and(|fault| !fault.first && !fault.told));
    let whole: Vec<u8> = CLAUDES.iter().flat_map(|json| wrapped(json)).collect();
    assert!(relayed(&[&whole, &exception]).unwrap().1.is_none(), "the answer is whole");
    assert_eq!(relayed(&[&before]).unwrap_err(), TranslateError::Unfinished);
    assert_eq!(relayed(&[&begun]).unwrap_err(), TranslateError::Unfinished);
}

#[test]
fn p12_headers_count_what_a_cache_held() {
    let mut headers = HeaderMap::new();
    assert_eq!(counted_in_headers(&headers), None);
    for (name, count) in
        [("input", "4"), ("output", "50"), ("cache-read-input", "18131"), ("cache-write-input", "x")]
    {
        let name: HeaderName = format!("x-amzn-bedrock-{name}-token-count").parse().unwrap();
        headers.insert(name, count.parse().unwrap());
    }
    let usage = counted_in_headers(&headers).unwrap();
    assert_eq!((usage.input, usage.output, usage.cache_read, usage.cache_write), (18135, 50, 18131, 0));
}

#[test]
fn p20_bodies_become_what_litellm_sent() {
    let Some(cases) = golden_cases("endpoints_llm_nodb.json") else { return };
    let mut compared = 0;
    for case in cases.iter().filter(|c| c["name"].as_str().unwrap().starts_with("messages_bedrock")) {
        let Some(sent) = case["upstream_received"].get(0) else { continue };
        let mut body = WireBody::from(case["request"]["body"].as_object().unwrap().clone());
        change_body(&mut body, "anthropic.claude-3-sonnet-20240229-v1:0", &HeaderMap::new());
        assert_eq!(Value::from(body), sent["body"], "{}", case["name"]);
        compared += 1;
    }
    assert!(compared >= 8, "{compared}");
}

#[test]
fn p24_marks_stay_and_betas_are_filtered() {
    let mut headers = HeaderMap::new();
    headers.insert("anthropic-beta", "claude-code-20250219,context-1m-2025-08-07".parse().unwrap());
    let cache = json!({ "type": "ephemeral", "ttl": "1h", "scope": "global" });
    let body = json!({
        "model": "m", "stream": true, "max_tokens": 1,
        "system": [{ "type": "text", "text": "s", "cache_control": cache }],
        "messages": [{ "role": "user", "content": [{ "type": "tool_result", "tool_use_id": "t",
            "content": [{ "type": "text", "text": "x", "cache_control": cache }] }] }],
        "tools": [{ "name": "f", "input_schema": { "properties": { "cache_control": { "scope": 1 } } },
            "cache_control": { "type": "ephemeral" } }],
    });
    let change = |model| {
        let mut changed = WireBody::default();
        for (name, value) in body.as_object().unwrap() {
            changed.insert_text(name.clone(), value.to_string().into_bytes());
        }
        change_body(&mut changed, model, &headers);
        Value::from(changed)
    };
    let new = change("us.anthropic.claude-sonnet-4-5-20250929-v1:0");
    let kept = json!({ "type": "ephemeral", "ttl": "1h" });
    assert_eq!(new["system"][0]["cache_control"], kept);
    assert_eq!(new["messages"][0]["content"][0]["content"][0]["cache_control"], kept);
    assert_eq!(new["tools"], body["tools"], "schemas are not touched");
    assert_eq!(new["anthropic_beta"], json!(["context-1m-2025-08-07"]));
    assert_eq!(new["anthropic_version"], "bedrock-2023-05-31");
    let old = change("anthropic.claude-3-5-sonnet-20240620-v1:0");
    assert_eq!(old["system"][0]["cache_control"], json!({ "type": "ephemeral" }));
    assert_eq!(old.get("anthropic_beta"), None);
    // Still JSON that the gateway can read.
    assert!(JsonBody::parse(new.to_string().into_bytes().into()).is_ok());
}

mod embeddings {
    use super::super::embeddings::*;
    use crate::testing::recordings;
    use base64::Engine as _;
    use serde_json::{Value, json};
    use weir_core::chat::Object;

    fn object(value: &Value) -> Object {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn recorded_embeddings_are_openais() {
        for recording in recordings("bedrock-embeddings") {
            let model = recording.json["model"].as_str().unwrap();
            let body = recording.body();
            let counted = &recording.json["response"]["headers"]["x-amzn-bedrock-input-token-count"];
            let tokens = counted.as_str().and_then(|n| n.parse().ok());
            let parts = [Part { body: &body, tokens }, Part { body: &body, tokens }];
            let answer = Value::Object(read(model, &parts, false).unwrap());
            assert_eq!(answer["data"].as_array().unwrap().len(), 2, "{}", recording.name);
            assert_eq!(answer["data"][1]["index"], 1);
            assert!(answer["data"][1]["embedding"].as_array().unwrap().len() >= 512);
            assert_eq!(answer["usage"]["prompt_tokens"].as_u64(), tokens.map(|n: u64| 2 * n));
            let packed = Value::Object(read(model, &parts[..1], true).unwrap());
            let packed = packed["data"][0]["embedding"].as_str().unwrap().to_owned();
            let bytes = base64::engine::general_purpose::STANDARD.decode(packed).unwrap();
            let first = f32::from_le_bytes(bytes[..4].try_into().unwrap());
            let difference = f64::from(first) - answer["data"][0]["embedding"][0].as_f64().unwrap();
            assert!(difference.abs() < 1e-6);
            for cut in (0..body.len()).step_by(97) {
                assert!(read(model, &[Part { body: &body[..cut], tokens }], false).is_err());
            }
        }
    }

    #[test]
    fn novas_embeddings_are_openais() {
        let model = "amazon.nova-2-multimodal-embeddings-v1:0";
        let request = object(&json!({ "model": "m", "input": ["a", "b"], "dimensions": 256 }));
        let written = write(model, &request).unwrap();
        assert_eq!(written.len(), 2, "one text to a request");
        assert_eq!(
            Value::Object(written[1].clone()),
            json!({ "taskType": "SINGLE_EMBEDDING", "singleEmbeddingParams": {
                "embeddingPurpose": "GENERIC_INDEX", "text": { "truncationMode": "END", "value": "b" },
                "embeddingDimension": 256 } })
        );
        let purpose = json!({ "input": "a", "embeddingPurpose": "TEXT_RETRIEVAL" });
        let asked = write(model, &object(&purpose)).unwrap();
        assert_eq!(asked[0]["singleEmbeddingParams"]["embeddingPurpose"], "TEXT_RETRIEVAL");
        let body = br#"{"embeddings":[{"embeddingType":"TEXT","embedding":[0.5,-1.0]}]}"#;
        let parts = [Part { body, tokens: Some(3) }, Part { body, tokens: None }];
        let answer = Value::Object(read(model, &parts, false).unwrap());
        assert_eq!(answer["data"][1]["embedding"], json!([0.5, -1.0]));
        assert_eq!(answer["usage"]["prompt_tokens"], 3);
    }

    #[test]
    fn numbers_of_other_types_are_embeddings_too() {
        let body = br#"{"embeddings":{"int8":[[1,-2]]},"response_type":"embeddings_by_type"}"#;
        let answer = read("cohere.embed-v4:0", &[Part { body, tokens: Some(2) }], false).unwrap();
        assert_eq!(answer["data"][0]["embedding"], json!([1.0, -2.0]));
        let body = br#"{"embeddingsByType":{"binary":[1,0]},"inputTextTokenCount":2}"#;
        let answer = read("amazon.titan-embed-text-v2:0", &[Part { body, tokens: None }], false).unwrap();
        assert_eq!(answer["data"][0]["embedding"], json!([1.0, 0.0]));
    }

    #[test]
    fn requests_of_each_family() {
        let request =
            object(&json!({ "model": "m", "input": ["a", "b"], "dimensions": 256, "normalize": true }));
        let titan = write("amazon.titan-embed-text-v2:0", &request).unwrap();
        assert_eq!(titan.len(), 2, "one text to a request");
        assert_eq!(
            Value::Object(titan[1].clone()),
            json!({ "normalize": true, "inputText": "b", "dimensions": 256 })
        );
        let cohere =
            write("cohere.embed-v4:0", &object(&json!({ "input": "a", "dimensions": 512 }))).unwrap();
        assert_eq!(
            Value::Object(cohere[0].clone()),
            json!({ "texts": ["a"], "input_type": "search_document", "output_dimension": 512 })
        );
        let many: Vec<String> = (0..200).map(|n| n.to_string()).collect();
        assert_eq!(write("cohere.embed-english-v3", &object(&json!({ "input": many }))).unwrap().len(), 3);
        for bad in
            [json!({}), json!({ "input": [1, 2] }), json!({ "input": [] }), json!({ "input": [["a"]] })]
        {
            assert!(write("amazon.titan-embed-text-v1", &object(&bad)).is_err(), "{bad}");
        }
        assert!(write("anthropic.claude-v2", &request).is_err());
    }
}
