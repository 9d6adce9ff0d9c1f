use super::super::{
    read_batch, read_predict, write_batch, write_embed_answer, write_openai_request, write_predict,
};
use super::recordings::{self, Response};
use serde_json::{Value, json};

fn bytes(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

#[test]
fn a_request_becomes_a_batch() {
    let request = json!({ "model": "m", "input": ["a", "b"], "dimensions": 8, "task_type": "CLUSTERING" });
    let one = |text: &str| {
        json!({ "model": "models/e", "content": { "parts": [{ "text": text }] }, "outputDimensionality": 8,
            "taskType": "CLUSTERING" })
    };
    assert_eq!(write_batch(&bytes(&request), "e").unwrap(), json!({ "requests": [one("a"), one("b")] }));
    let single = write_batch(&bytes(&json!({ "input": "a" })), "models/e").unwrap();
    assert_eq!(
        single,
        json!({ "requests": [{ "model": "models/e", "content": { "parts": [{ "text": "a" }] } }] })
    );
}

#[test]
fn a_request_becomes_instances_for_vertex() {
    let request = json!({ "input": ["a"], "dimensions": 8, "title": "t", "auto_truncate": true });
    let expected = json!({ "instances": [{ "content": "a", "title": "t" }],
        "parameters": { "outputDimensionality": 8, "autoTruncate": true } });
    assert_eq!(write_predict(&bytes(&request)).unwrap(), expected);
}

#[test]
fn tokens_and_nothing_are_refused() {
    for input in [json!([1, 2]), json!([[1]]), json!([]), json!(null), json!({ "a": 1 })] {
        let request = bytes(&json!({ "input": input }));
        assert_eq!(write_batch(&request, "e").unwrap_err().status(), 400, "{input}");
        assert_eq!(write_predict(&request).unwrap_err().status(), 400, "{input}");
    }
}

#[test]
fn answers_become_openais_with_usage_where_google_counts() {
    let batch = json!({ "embeddings": [{ "values": [0.5, -1.0] }, { "values": [0.25] }] });
    let read = read_batch(&bytes(&batch), "e", false).unwrap();
    assert_eq!(read.usage, None);
    assert_eq!(read.body["data"][1], json!({ "object": "embedding", "index": 1, "embedding": [0.25] }));
    let packed = read_batch(&bytes(&batch), "e", true).unwrap();
    assert_eq!(packed.body["data"][0]["embedding"], "AAAAPwAAgL8=");
    let predicted = json!({ "predictions": [
        { "embeddings": { "values": [1.0], "statistics": { "token_count": 3, "truncated": false } } },
        { "embeddings": { "values": [2.0], "statistics": { "token_count": 4.0 } } } ] });
    let read = read_predict(&bytes(&predicted), "e", false).unwrap();
    assert_eq!(read.usage.unwrap().input, 7);
    assert_eq!(read.body["usage"], json!({ "prompt_tokens": 7, "total_tokens": 7 }));
    assert!(read_batch(b"{}", "e", false).is_err());
    assert!(read_predict(b"{\"predictions\":[]}", "e", false).is_err());
}

#[test]
fn googles_clients_reach_openais_embeddings() {
    let one =
        json!({ "content": { "parts": [{ "text": "a" }] }, "outputDimensionality": 4, "taskType": "X" });
    let (request, batch) = write_openai_request(&bytes(&one), "m").unwrap();
    assert_eq!((request, batch), (json!({ "model": "m", "input": ["a"], "dimensions": 4 }), false));
    let (request, batch) = write_openai_request(&bytes(&json!({ "requests": [one, one] })), "m").unwrap();
    assert_eq!((&request["input"], batch), (&json!(["a", "a"]), true));
    let answer = bytes(&json!({ "data": [{ "embedding": [1.5], "index": 0 }] }));
    assert_eq!(write_embed_answer(&answer, false).unwrap(), json!({ "embedding": { "values": [1.5] } }));
    assert_eq!(write_embed_answer(&answer, true).unwrap(), json!({ "embeddings": [{ "values": [1.5] }] }));
}

#[test]
fn recorded_embeddings_keep_every_number() {
    for recording in recordings::embeddings() {
        let Response::Json(answer) = &recording.response else { panic!("{}", recording.name) };
        let read = match answer.get("predictions") {
            Some(_) => read_predict(&bytes(answer), &recording.model, false),
            None => read_batch(&bytes(answer), &recording.model, false),
        };
        let read = read.unwrap().body;
        if let Some(values) = answer.pointer("/embedding/values") {
            assert_eq!(read["data"][0]["embedding"], *values, "{}", recording.name);
            assert_eq!(write_embed_answer(&bytes(&read), false).unwrap()["embedding"]["values"], *values);
            let (request, batch) =
                write_openai_request(&bytes(&recording.request), &recording.model).unwrap();
            assert_eq!(request["input"][0], recording.request["content"]["parts"][0]["text"]);
            assert!(!batch);
        }
    }
}
