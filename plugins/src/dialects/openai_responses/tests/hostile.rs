//! Answers and requests that nobody meant: an error or something sensible, never a panic.

use super::{JsonBody, OpenAiResponses, ask, collect, events, plain, recordings, sse, tell, written};
use crate::dialects::dialect::{TranslateError, UpstreamDialect as _};
use crate::dialects::params::Params;
use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use weir_core::codec::FrameError;

/// What any value may be replaced by.
fn strangers() -> [Value; 5] {
    [Value::Null, json!(-7.5), json!("x"), json!([1, null]), json!({ "type": 1 })]
}

/// All paths of a value, to a bounded number.
fn paths(value: &Value) -> Vec<String> {
    let mut out = Vec::new();
    walk(value, "", &mut out);
    let step = out.len() / 150 + 1;
    out.into_iter().step_by(step).collect()
}

fn walk(value: &Value, at: &str, out: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(object) => {
            object.iter().map(|(k, v)| (format!("{at}/{}", k.replace('/', "~1")), v)).collect()
        }
        Value::Array(list) => list.iter().enumerate().map(|(i, v)| (format!("{at}/{i}"), v)).collect(),
        _ => Vec::new(),
    };
    for (path, child) in children {
        walk(child, &path, out);
        out.push(path);
    }
}

/// Every variant with one value replaced.
fn mutants(value: &Value) -> impl Iterator<Item = Value> + '_ {
    paths(value).into_iter().flat_map(move |path| {
        strangers().map(|stranger| {
            let mut mutant = value.clone();
            *mutant.pointer_mut(&path).unwrap() = stranger;
            mutant
        })
    })
}

#[test]
fn mutated_answers_are_read_or_refused() {
    let mut read = 0;
    for recording in recordings() {
        let Some(body) = recording.plain() else { continue };
        for mutant in mutants(body) {
            if let Ok(answer) = OpenAiResponses.read_answer(mutant.to_string().as_bytes()) {
                assert!(plain(answer, &json!({}))["output"].is_array());
                read += 1;
            }
        }
        let text = body.to_string();
        for end in (0..text.len()).step_by(97) {
            assert!(
                OpenAiResponses.read_answer(&text.as_bytes()[..end]).is_err(),
                "{} cut at {end}",
                recording.id
            );
        }
    }
    assert!(read > 0 || recordings().is_empty());
}

#[test]
fn mutated_requests_are_read_or_refused() {
    for recording in recordings() {
        for mutant in mutants(&recording.request) {
            match ask(&mutant) {
                Ok(request) => drop(tell(request, &Params { drop: true, ..Params::default() })),
                Err(error) => assert_eq!(error.status(), 400, "{error}"),
            }
        }
    }
    let empty = JsonBody::parse(Bytes::from_static(b"{}")).unwrap();
    assert!(
        crate::dialects::dialect::ClientDialect::read_request(&OpenAiResponses, &empty, &HeaderMap::new())
            .is_err()
    );
}

#[test]
fn mutated_streams_are_read_or_refused() {
    for recording in recordings() {
        let Some(stream) = recording.stream() else { continue };
        for end in (0..stream.len()).step_by(97) {
            drop(events(&[&stream.as_bytes()[..end]]));
        }
        let mut all: Vec<Value> = super::data(stream);
        let mut kinds = BTreeSet::new();
        for index in 0..all.len() {
            // One event of each kind, without its long echo of the request.
            if !kinds.insert(all[index]["type"].to_string()) {
                continue;
            }
            let original = all[index].clone();
            for mutant in mutants(&original).filter(|m| m["type"].is_string()).take(200) {
                all[index] = mutant;
                let near = &all[index.saturating_sub(6)..(index + 6).min(all.len())];
                if let Ok(read) = events(&[sse(near).as_bytes()]) {
                    drop(written(read.clone(), &json!({})));
                    collect(read);
                }
            }
            all[index] = original;
        }
    }
}

#[test]
fn streams_without_bounds_are_refused() {
    let item = |n: u64| {
        json!({ "type": "response.output_item.added", "output_index": n,
                "item": { "type": "function_call", "call_id": "c", "name": "f" } })
    };
    let endless: Vec<Value> = (0..5_000).map(item).collect();
    assert!(matches!(events(&[sse(&endless).as_bytes()]), Err(TranslateError::Malformed(_))));
    let long = format!("data: {}", "x".repeat(super::LIMIT + 1));
    assert!(matches!(events(&[long.as_bytes(), b"y"]), Err(TranslateError::Frame(FrameError::TooLong(_)))));
    for odd in
        ["data: {", "data: [1]\n\n", "event: response.completed\ndata: 7\n\n", "data: {\"type\":7}\n\n"]
    {
        assert!(events(&[odd.as_bytes()]).is_err(), "{odd}");
    }
    let lost = json!({ "type": "response.function_call_arguments.delta", "output_index": 3, "delta": "{" });
    assert!(matches!(events(&[sse(&[lost]).as_bytes()]), Err(TranslateError::Malformed(_))));
}

#[test]
fn a_part_that_would_pass_for_an_item_is_refused() {
    let answer = |part: Value| {
        let item = json!({ "type": "message", "role": "assistant", "content": [part] });
        OpenAiResponses.read_answer(json!({ "status": "completed", "output": [item] }).to_string().as_bytes())
    };
    for part in
        [json!({ "text": "x" }), json!({ "type": "function_call" }), json!({ "type": "message" }), json!("x")]
    {
        assert!(matches!(answer(part.clone()), Err(TranslateError::Malformed(_))), "{part}");
    }
    let unknown = answer(json!({ "type": "output_hologram" })).unwrap();
    assert_eq!(plain(unknown, &json!({}))["output"][0]["type"], "output_hologram");
}

#[test]
fn a_piece_of_another_kind_than_its_block_is_refused() {
    let added = json!({ "type": "response.output_item.added", "output_index": 0,
                        "item": { "type": "function_call", "call_id": "c", "name": "f", "arguments": "" } });
    let text = json!({ "type": "response.output_text.delta", "output_index": 0, "delta": "x" });
    let arguments =
        json!({ "type": "response.function_call_arguments.delta", "output_index": 0, "delta": "{}" });
    for pair in [[added.clone(), text.clone()], [text, arguments]] {
        assert!(matches!(events(&[sse(&pair).as_bytes()]), Err(TranslateError::Malformed(_))), "{pair:?}");
    }
}
