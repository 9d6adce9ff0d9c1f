use crate::dialects::UpstreamDialect;
use crate::dialects::cohere::{CohereChat, Vendor, read_embeddings, read_rerank};
use crate::dialects::fixtures::{assert_grammar, broken, events, recordings};

#[test]
fn broken_answers_are_errors_or_answers_and_never_panics() {
    for recorded in recordings("cohere", &["chat", "chat_stream"]) {
        for body in broken(&recorded.body()) {
            let _ = CohereChat.read_answer(&body);
            let _ = CohereChat.read_error(500, &body);
            if let Ok(told) = events(&CohereChat, &[&body]) {
                assert_grammar(&told, &String::from_utf8_lossy(&body));
            }
        }
    }
}

#[test]
fn broken_lists_are_errors_or_answers_and_never_panics() {
    let embeddings = br#"{"embeddings":{"float":[[0.1]]},"meta":{"billed_units":{"input_tokens":3}}}"#;
    let listed =
        br#"{"data":[{"index":0,"embedding":[0.1],"relevance_score":1}],"usage":{"total_tokens":3}}"#;
    let results = br#"{"results":[{"index":0,"relevance_score":1,"document":{"text":"a"}}],"meta":{"billed_units":{"search_units":1}}}"#;
    for body in [&embeddings[..], listed, results].into_iter().flat_map(broken) {
        for vendor in [Vendor::Cohere, Vendor::Jina, Vendor::Voyage] {
            let _ = read_embeddings(vendor, &body, "m", false);
            let _ = read_embeddings(vendor, &body, "m", true);
            let _ = read_rerank(vendor, &body, "i");
        }
    }
}

#[test]
fn calls_without_end_are_bounded() {
    let start = |n: usize| {
        format!(
            "data: {{\"type\":\"tool-call-start\",\"index\":{n},\"delta\":{{\"message\":{{\"tool_calls\":{{}}}}}}}}\n\n"
        )
    };
    let stream: String = (0..1000).map(start).collect();
    assert!(events(&CohereChat, &[stream.as_bytes()]).is_err());
    let stray = "data: {\"type\":\"tool-call-delta\",\"index\":3,\"delta\":{}}\n\n";
    assert!(events(&CohereChat, &[stray.as_bytes()]).is_err());
}
