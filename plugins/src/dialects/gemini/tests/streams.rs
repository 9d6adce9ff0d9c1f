use super::super::{ArrayWriter, Gemini, Scanner};
use super::{body, collect, events, meaning, recordings, view, written};
use crate::dialects::openai_chat::OpenAiChat;
use crate::dialects::{ClientDialect, TranslateError, UpstreamDialect};
use serde_json::{Value, json};
use weir_core::chat::{Event, Finish, Kind};
use weir_core::codec::sse;

fn chunks(stream: &str) -> Vec<Value> {
    let datas = sse::events(stream.as_bytes()).filter_map(sse::data);
    datas.map(|data| serde_json::from_slice(&data).unwrap()).collect()
}

fn stream(chunks: &[Value]) -> String {
    chunks.iter().map(|chunk| format!("data: {chunk}\n\n")).collect()
}

fn said(parts: Value) -> Value {
    json!({ "candidates": [{ "content": { "role": "model", "parts": parts } }], "responseId": "r" })
}

fn end(parts: Value) -> Value {
    let mut chunk = said(parts);
    chunk["candidates"][0]["finishReason"] = "STOP".into();
    chunk
}

/// The answer as it had come without streaming: the parts of all chunks, everything else from the last.
fn whole(stream: &str) -> Value {
    let chunks = chunks(stream);
    let mut parts = Vec::new();
    for chunk in &chunks {
        parts.extend(chunk["candidates"][0]["content"]["parts"].as_array().into_iter().flatten().cloned());
    }
    let mut last = chunks.last().cloned().unwrap();
    last["candidates"][0]["content"]["parts"] = parts.into();
    last
}

#[test]
fn p24_a_recorded_stream_tells_the_plain_answer() {
    for (name, stream) in recordings::streams() {
        let streamed = collect(events(&[stream.as_bytes()]).unwrap());
        let mut plain = Gemini.read_answer(whole(&stream).to_string().as_bytes()).unwrap();
        plain.extra.clear();
        assert_eq!(streamed, plain, "{name}");
        assert!(streamed.usage.is_some() && streamed.finish.is_some(), "{name}");
    }
}

#[test]
fn p23_any_cut_gives_the_same_events() {
    for (name, stream) in recordings::streams() {
        let bytes = stream.as_bytes();
        let expected = events(&[bytes]).unwrap();
        let singles: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(events(&singles).unwrap(), expected, "{name}");
        for cut in 0..=bytes.len() {
            assert_eq!(events(&[&bytes[..cut], &bytes[cut..]]).unwrap(), expected, "{name} cut at {cut}");
        }
    }
}

#[test]
fn a_stream_for_clients_tells_the_same_in_both_forms() {
    for (name, stream) in recordings::streams() {
        let told = events(&[stream.as_bytes()]).unwrap();
        let expected = meaning(&collect(told.clone()));
        let body = body(&json!({}));
        let mut writer = Gemini.writer(&view(&body));
        let sse = written(writer.as_mut(), told.clone());
        assert_eq!(meaning(&collect(events(&[&sse]).unwrap())), expected, "{name}");
        let list = written(&mut ArrayWriter::new(&view(&body)), told);
        assert!(serde_json::from_slice::<Vec<Value>>(&list).is_ok(), "{name}");
        assert_eq!(meaning(&Gemini.read_answer(&list).unwrap()), expected, "{name}");
        let ids: Vec<Value> =
            chunks(std::str::from_utf8(&sse).unwrap()).iter().map(|c| c["responseId"].clone()).collect();
        assert!(ids.windows(2).all(|two| two[0] == two[1]), "{name}: one id for all chunks");
    }
}

#[test]
fn a_relayed_stream_is_understood_on_the_way() {
    for (name, stream) in recordings::streams() {
        let answer = collect(events(&[stream.as_bytes()]).unwrap());
        let mut scanner = Scanner::new();
        assert_eq!(scanner.read(stream.as_bytes()), None, "{name}");
        let report = scanner.report();
        assert_eq!((report.usage, &report.id), (answer.usage, &answer.id), "{name}");
        assert!(scanner.finished(), "{name}");
    }
}

/// Vertex says the kind of traffic with every chunk, and counts only in the last one.
#[test]
fn p11_a_chunk_that_counts_nothing_has_no_usage() {
    let text = json!([{ "text": "a".repeat(4000) }]);
    let (mut first, mut last) = (said(text.clone()), end(text));
    first["usageMetadata"] = json!({ "trafficType": "ON_DEMAND" });
    last["usageMetadata"] =
        json!({ "promptTokenCount": 3, "candidatesTokenCount": 2000, "totalTokenCount": 2003 });
    let (first, last) = (stream(&[first]), stream(&[last]));
    let mut scanner = Scanner::new();
    assert_eq!(scanner.read(first.as_bytes()), None);
    assert_eq!(scanner.report().usage, None);
    assert!(scanner.estimated_output() > 900);
    assert_eq!(scanner.read(last.as_bytes()), None);
    let usage = scanner.report().usage.unwrap();
    assert_eq!((usage.input, usage.output, scanner.estimated_output()), (3, 2000, 0));
    let told = events(&[first.as_bytes(), last.as_bytes()]).unwrap();
    let counts: Vec<_> = told.iter().filter(|event| matches!(event, Event::Usage(_))).collect();
    assert_eq!(counts.len(), 1, "{counts:?}");
}

#[test]
fn p21_an_error_is_told_and_only_a_first_one_is_worth_another_try() {
    let error = json!({ "error": { "code": 503, "message": "busy", "status": "UNAVAILABLE" } });
    let alone = stream(std::slice::from_ref(&error));
    let told = events(&[alone.as_bytes()]).unwrap();
    assert!(
        matches!(told.as_slice(), [Event::Fault(fault)] if fault.message == "busy" && fault.status == 503)
    );
    assert_eq!(Scanner::new().read(alone.as_bytes()).map(|f| f.status), Some(503));
    let late = stream(&[said(json!([{ "text": "a" }])), error, said(json!([{ "text": "b" }]))]);
    assert!(matches!(events(&[late.as_bytes()]).unwrap().last(), Some(Event::Fault(_))));
    let mut scanner = Scanner::new();
    assert_eq!(scanner.read(late.as_bytes()), None);
    assert_eq!(scanner.take_late().map(|f| f.status), Some(503));
}

#[test]
fn p20_candidates_of_a_stream_are_told_each_for_itself() {
    let chunk = |index: u64, text: &str, finish: Value| {
        let likely = json!({ "chosenCandidates": [{ "token": text, "logProbability": -0.5 }] });
        json!({ "responseId": "r", "candidates": [{ "index": index, "content": { "parts": [{ "text": text }] },
            "finishReason": finish, "logprobsResult": likely }] })
    };
    let stream = stream(&[
        chunk(0, "a", Value::Null),
        chunk(1, "x", Value::Null),
        chunk(0, "b", json!("STOP")),
        chunk(1, "y", json!("MAX_TOKENS")),
    ]);
    let request = body(&json!({}));
    let mut writer = OpenAiChat.writer(&view(&request));
    let sse = written(writer.as_mut(), events(&[stream.as_bytes()]).unwrap());
    let text = String::from_utf8(sse).unwrap();
    let datas = text.lines().filter_map(|line| line.strip_prefix("data: ")).filter(|data| *data != "[DONE]");
    let told: Vec<Value> = datas.map(|data| serde_json::from_str(data).unwrap()).collect();
    for (index, said, finish) in [(0, "ab", "stop"), (1, "xy", "length")] {
        let of = told.iter().flat_map(|chunk| chunk["choices"].as_array().unwrap());
        let own: Vec<&Value> = of.filter(|choice| choice["index"] == index).collect();
        let text: String = own.iter().filter_map(|choice| choice["delta"]["content"].as_str()).collect();
        let tokens: String =
            own.iter().filter_map(|choice| choice["logprobs"]["content"][0]["token"].as_str()).collect();
        assert_eq!((text.as_str(), tokens.as_str()), (said, said), "{told:?}");
        assert_eq!(own.last().unwrap()["finish_reason"], finish, "{told:?}");
        assert_eq!(own.iter().filter(|choice| choice["delta"]["role"] == "assistant").count(), 1);
    }
}

#[test]
fn a_stream_without_a_reason_was_cut_off() {
    let cut = stream(&[said(json!([{ "text": "a" }]))]);
    assert_eq!(events(&[cut.as_bytes()]), Err(TranslateError::Unfinished));
    assert_eq!(events(&[]), Err(TranslateError::Unfinished));
}

#[test]
fn thoughts_text_and_signatures_make_blocks() {
    let stream = stream(&[
        said(json!([{ "text": "h", "thought": true }])),
        said(json!([{ "text": "m", "thought": true }])),
        said(json!([{ "text": "ye" }])),
        said(json!([{ "text": "s" }, { "text": "", "thoughtSignature": "s1" }])),
        said(json!([{ "text": "!" }])),
        end(json!([{ "functionCall": { "name": "f", "args": {} }, "thoughtSignature": "s2" }])),
    ]);
    let answer = collect(events(&[stream.as_bytes()]).unwrap());
    let parts: Vec<(String, Option<&str>)> = answer
        .content
        .iter()
        .map(|part| {
            let text = match &part.kind {
                Kind::Thinking { text, .. } => format!("thought {text}"),
                Kind::Text { text, .. } => text.clone(),
                Kind::ToolCall(call) => format!("call {}", call.name),
                other => panic!("{other:?}"),
            };
            (text, part.signature.as_deref())
        })
        .collect();
    let expected = [("thought hm", None), ("yes", Some("s1")), ("!", None), ("call f", Some("s2"))];
    assert_eq!(parts, expected.map(|(text, signature)| (text.to_owned(), signature)));
    assert_eq!(answer.finish, Some(Finish::ToolCalls));
}

#[test]
fn ids_that_google_does_not_give_are_unique_and_stable() {
    let call = json!({ "functionCall": { "name": "f", "args": {} } });
    let stream = stream(&[said(json!([call, call])), end(json!([call]))]);
    let ids = || -> Vec<String> {
        let answer = collect(events(&[stream.as_bytes()]).unwrap());
        answer
            .content
            .into_iter()
            .filter_map(|p| match p.kind {
                Kind::ToolCall(c) => Some(c.id),
                _ => None,
            })
            .collect()
    };
    let first = ids();
    assert_eq!(first, ids());
    assert_eq!(first.iter().collect::<std::collections::HashSet<_>>().len(), 3);
    assert!(first.iter().all(|id| id.len() <= 40));
}

#[test]
fn sources_that_come_last_belong_to_the_text() {
    let mut last = end(json!([]));
    last["candidates"][0]["groundingMetadata"] = json!({
        "groundingChunks": [{ "web": { "uri": "https://a", "title": "A" } }],
        "groundingSupports": [{ "segment": { "endIndex": 3, "text": "one" }, "groundingChunkIndices": [0] }] });
    let stream = stream(&[said(json!([{ "text": "one" }])), said(json!([{ "text": " two" }])), last]);
    let answer = collect(events(&[stream.as_bytes()]).unwrap());
    let [part] = answer.content.as_slice() else { panic!("{answer:?}") };
    let Kind::Text { citations, .. } = &part.kind else { panic!("{part:?}") };
    assert_eq!(citations.len(), 1);
    assert_eq!((citations[0].start, citations[0].end), (Some(0), Some(3)));
}

#[test]
fn only_the_first_candidate_is_told() {
    let mut chunk = end(json!([{ "text": "mine" }]));
    let mut other = chunk["candidates"][0].clone();
    other["index"] = 1.into();
    other["content"]["parts"][0]["text"] = "other".into();
    chunk["candidates"].as_array_mut().unwrap().insert(0, other);
    assert_eq!(collect(events(&[stream(&[chunk]).as_bytes()]).unwrap()).text(), "mine");
}

#[test]
fn p23_what_keeps_a_stream_alive_is_an_answer_without_text() {
    let kept = Gemini.keep_alive();
    let chunks = chunks(std::str::from_utf8(kept).unwrap());
    assert_eq!(chunks[0]["candidates"][0]["content"]["parts"][0]["text"], "");
    assert_eq!(chunks[0]["candidates"][0].get("finishReason"), None);
}

/// Whatever comes first, usage or what was searched for; and a relay counts the same.
#[test]
fn p12_searches_are_counted_as_google_charges_for_them() {
    let usage = r#""usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":2,"totalTokenCount":7}"#;
    let found =
        r#""candidates":[{"finishReason":"STOP","groundingMetadata":{"webSearchQueries":["a","b","c"]}}]"#;
    for (model, expected) in [("gemini-3-pro-preview", 3), ("gemini-2.5-flash", 1), ("tuned", 1)] {
        for [first, second] in [[usage, found], [found, usage]] {
            let version = format!("\"modelVersion\":\"{model}\"");
            let body = format!("data: {{{version},{first}}}\n\ndata: {{{version},{second}}}\n\n");
            let told = crate::dialects::fixtures::collect(
                crate::dialects::fixtures::events(&Gemini, &[body.as_bytes()]).unwrap(),
            );
            assert_eq!(told.usage.map(|u| (u.input, u.searches)), Some((5, expected)), "{body}");
            let mut scanner = Scanner::new();
            scanner.read(body.as_bytes());
            assert_eq!(scanner.report().usage, told.usage, "{body}");
        }
    }
}
