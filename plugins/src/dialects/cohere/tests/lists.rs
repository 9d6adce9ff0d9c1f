use crate::dialects::TranslateError;
use crate::dialects::UpstreamDialect;
use crate::dialects::cohere::{
    CohereChat, Vendor, read_embeddings, read_rerank, write_embeddings, write_rerank,
};
use crate::dialects::embeddings::EmbeddingAsk;
use crate::dialects::fixtures::{goldens, recordings};
use serde_json::{Value, json};
use weir_core::chat::Object;

fn object(value: &Value) -> Object {
    value.as_object().unwrap().clone()
}

fn embed(vendor: Vendor, ask: &Value) -> Value {
    write_embeddings(vendor, EmbeddingAsk::read(object(ask)).unwrap(), "m").into()
}

#[test]
fn rerankings_are_asked_as_litellm_asks_them() {
    let cases = goldens("endpoints_llm_nodb.json");
    let mut compared = 0;
    for case in cases.iter().filter(|c| c["name"].as_str().unwrap().starts_with("rerank")) {
        let Some(sent) = case["upstream_received"].get(0).map(|u| &u["body"]) else { continue };
        let model = sent["model"].as_str().unwrap();
        let ours = write_rerank(Vendor::Cohere, object(&case["request"]["body"]), model).unwrap();
        assert_eq!(Value::Object(ours), *sent, "{}", case["name"]);
        if case["response"]["status"] == 200 {
            let body = case["response"]["body"].to_string();
            let told: Value =
                serde_json::from_slice(&read_rerank(Vendor::Cohere, body.as_bytes(), "i").unwrap().body)
                    .unwrap();
            assert_eq!(told, case["response"]["body"], "{}", case["name"]);
        }
        compared += 1;
    }
    assert!(cases.is_empty() || compared >= 4, "{compared} requests");
}

#[test]
fn recorded_rerankings_are_read() {
    for recorded in recordings("cohere", &["rerank"]) {
        let sent = &recorded.file["request"]["body"];
        let ours = write_rerank(Vendor::Cohere, object(sent), sent["model"].as_str().unwrap()).unwrap();
        assert_eq!(Value::Object(ours), *sent);
        let answer = read_rerank(Vendor::Cohere, &recorded.body(), "i").unwrap();
        let told: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(told, recorded.file["response"]["body"], "{}", recorded.name);
        assert_eq!((answer.search_units, answer.usage), (Some(1), None));
    }
}

#[test]
fn rerankings_of_the_relatives_differ_in_names() {
    let ask = object(&json!({
        "model": "x", "query": "q", "documents": ["a", {"text": "b"}], "top_n": 1, "return_documents": true,
        "rank_fields": ["t"], "max_tokens_per_doc": 3, "max_chunks_per_doc": 2,
    }));
    let jina = write_rerank(Vendor::Jina, ask.clone(), "m").unwrap();
    let wanted = json!({"model": "m", "query": "q", "documents": ["a", {"text": "b"}], "top_n": 1, "return_documents": true});
    assert_eq!(Value::Object(jina), wanted);
    let voyage = write_rerank(Vendor::Voyage, ask, "m").unwrap();
    let wanted =
        json!({"model": "m", "query": "q", "documents": ["a", "b"], "top_k": 1, "return_documents": true});
    assert_eq!(Value::Object(voyage), wanted);

    let results = json!([{"index": 1, "relevance_score": 0.5, "document": "b"}]);
    let told = json!([{"index": 1, "relevance_score": 0.5, "document": {"text": "b"}}]);
    for (vendor, body) in [
        (Vendor::Jina, json!({"results": results, "usage": {"total_tokens": 7, "prompt_tokens": 7}})),
        (Vendor::Voyage, json!({"object": "list", "data": results, "usage": {"total_tokens": 7}})),
    ] {
        let answer = read_rerank(vendor, body.to_string().as_bytes(), "made-up").unwrap();
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!((&body["id"], &body["results"]), (&json!("made-up"), &told));
        assert_eq!(body["meta"]["billed_units"]["total_tokens"], 7);
        assert_eq!((answer.usage.map(|u| u.input), answer.search_units), (Some(7), None));
    }
}

#[test]
fn rerankings_without_query_or_documents_are_refused() {
    for ask in [
        json!({"documents": ["a"]}),
        json!({"query": 3, "documents": ["a"]}),
        json!({"query": "q", "documents": []}),
        json!({"query": "q", "documents": "a"}),
    ] {
        assert!(write_rerank(Vendor::Cohere, object(&ask), "m").is_err(), "{ask}");
    }
    let fault = read_rerank(Vendor::Cohere, b"{\"message\":\"no\"}", "i");
    assert!(matches!(fault, Err(TranslateError::Fault(f)) if f.message == "no"));
    assert!(read_rerank(Vendor::Jina, b"{}", "i").is_err());
}

#[test]
fn embeddings_are_asked_in_each_vendors_words() {
    let ask = json!({"input": ["a"], "dimensions": 256, "encoding_format": "base64", "user": "u"});
    let cohere = json!({
        "model": "m", "texts": ["a"], "input_type": "search_document", "embedding_types": ["base64"],
        "output_dimension": 256
    });
    assert_eq!(embed(Vendor::Cohere, &ask), cohere);
    let jina = json!({"model": "m", "input": ["a"], "embedding_type": "base64", "dimensions": 256});
    assert_eq!(embed(Vendor::Jina, &ask), jina);
    let voyage = json!({"model": "m", "input": ["a"], "encoding_format": "base64", "output_dimension": 256});
    assert_eq!(embed(Vendor::Voyage, &ask), voyage);
    let float = json!({"input": "a", "encoding_format": "float", "input_type": "query"});
    assert_eq!(embed(Vendor::Voyage, &float), json!({"model": "m", "input": ["a"], "input_type": "query"}));
    let own =
        json!({"input": "a", "input_type": "search_query", "embedding_types": ["int8"], "truncate": "END"});
    let wanted = json!({
        "model": "m", "texts": ["a"], "input_type": "search_query", "embedding_types": ["int8"], "truncate": "END"
    });
    assert_eq!(embed(Vendor::Cohere, &own), wanted);
}

#[test]
fn images_are_embedded_where_they_belong() {
    let image = "data:image/png;base64,QUJD";
    let only = embed(Vendor::Cohere, &json!({"input": [image]}));
    assert_eq!((&only["images"], &only["input_type"]), (&json!([image]), &json!("image")));
    let mixed = embed(Vendor::Cohere, &json!({"input": ["a", image]}));
    let picture = json!({"content": [{"type": "image_url", "image_url": {"url": image}}]});
    assert_eq!(mixed["inputs"], json!([{"content": [{"type": "text", "text": "a"}]}, picture]));
    let jina = embed(Vendor::Jina, &json!({"input": ["a", image]}));
    assert_eq!(jina["input"], json!([{"text": "a"}, {"image": "QUJD"}]));
}

#[test]
fn embeddings_come_as_openais_list() {
    let by_type =
        json!({"embeddings": {"float": [[0.1], [0.2]]}, "meta": {"billed_units": {"input_tokens": 3}}});
    let plain = json!({"embeddings": [[0.1], [0.2]], "meta": {"billed_units": {"input_tokens": 3.0}}});
    let data = json!([{"index": 1, "embedding": [0.2]}, {"index": 0, "embedding": [0.1]}]);
    let jina = json!({"data": data, "usage": {"prompt_tokens": 3, "total_tokens": 3}});
    let voyage = json!({"data": data, "usage": {"total_tokens": 3}});
    for (vendor, body) in
        [(Vendor::Cohere, by_type), (Vendor::Cohere, plain), (Vendor::Jina, jina), (Vendor::Voyage, voyage)]
    {
        let answer = read_embeddings(vendor, body.to_string().as_bytes(), "m", false).unwrap();
        let told: Value = serde_json::from_slice(&answer.body).unwrap();
        let item =
            |index: u64, number: f64| json!({"object": "embedding", "index": index, "embedding": [number]});
        let wanted = json!({
            "object": "list", "data": [item(0, 0.1), item(1, 0.2)], "model": "m",
            "usage": {"prompt_tokens": 3, "total_tokens": 3}
        });
        assert_eq!(told, wanted);
        assert_eq!(answer.usage.map(|u| u.input), Some(3));
    }
    let packed = b"{\"embeddings\":{\"base64\":[\"zczMPQ==\"]}}";
    let packed = read_embeddings(Vendor::Cohere, packed, "m", true).unwrap();
    assert!(String::from_utf8_lossy(&packed.body).contains("\"embedding\":\"zczMPQ==\""));
}

#[test]
fn recorded_errors_keep_the_providers_words() {
    for recorded in recordings("cohere", &["embeddings"]) {
        let fault = CohereChat.read_error(404, &recorded.body());
        assert_eq!(fault.message, recorded.file["response"]["body"]["message"], "{}", recorded.name);
        let read = read_embeddings(Vendor::Cohere, &recorded.body(), "m", false);
        assert!(matches!(read, Err(TranslateError::Fault(f)) if f.message == fault.message));
    }
}
