//! Embeddings and reranking: requests of clients, answers of every vendor.

use crate::crossed;
use serde_json::value::RawValue;
use weir_core::chat::Object;
use weir_core::error::ApiError;
use weir_plugins::dialects::bedrock_invoke::embeddings as bedrock;
use weir_plugins::dialects::cohere::{self, Vendor};
use weir_plugins::dialects::embeddings::EmbeddingAsk;
use weir_plugins::dialects::{gemini, ollama_chat};

static VENDORS: [Vendor; 3] = [Vendor::Cohere, Vendor::Jina, Vendor::Voyage];
static BEDROCK: [&str; 5] = [
    "amazon.titan-embed-text-v1",
    "amazon.titan-embed-text-v2:0",
    "amazon.titan-embed-image-v1",
    "amazon.nova-2-multimodal-embeddings-v1:0",
    "cohere.embed-english-v3",
];

pub fn requests(bytes: &[u8]) {
    refused(gemini::write_batch(bytes, "m"));
    refused(gemini::write_predict(bytes));
    refused(gemini::write_openai_request(bytes, "m"));
    let Ok(object) = serde_json::from_slice::<Object>(bytes) else { return };
    BEDROCK.iter().for_each(|model| refused(bedrock::write(model, &object)));
    VENDORS.iter().for_each(|vendor| refused(cohere::write_rerank(*vendor, object.clone(), "m")));
    let Ok(ask) = EmbeddingAsk::read(object) else { return };
    VENDORS.iter().for_each(|vendor| drop(cohere::write_embeddings(*vendor, ask.clone(), "m")));
    drop(ollama_chat::write_embeddings(ask, "m"));
}

fn refused<T>(written: Result<T, ApiError>) {
    if let Err(error) = written {
        assert!((400..500).contains(&error.status()), "{error:?}");
        crossed::errors(&error);
    }
}

pub fn answers(bytes: &[u8]) {
    let _ = gemini::read_count(bytes);
    for base64 in [false, true] {
        drop(gemini::read_batch(bytes, "m", base64));
        drop(gemini::read_predict(bytes, "m", base64));
        drop(gemini::write_embed_answer(bytes, base64));
        json(ollama_chat::read_embeddings(bytes, "m", base64).map(|answer| answer.body));
        for vendor in VENDORS {
            json(cohere::read_embeddings(vendor, bytes, "m", base64).map(|answer| answer.body));
        }
        for model in BEDROCK {
            let part = bedrock::Part { body: bytes, tokens: Some(u64::MAX) };
            drop(bedrock::read(model, &[part, part], base64));
        }
    }
    VENDORS
        .iter()
        .for_each(|vendor| json(cohere::read_rerank(*vendor, bytes, "id").map(|answer| answer.body)));
}

/// Vectors go on as they were written, with numbers that no parser holds, too.
fn json<E>(body: Result<Vec<u8>, E>) {
    if let Ok(body) = body {
        let valid = serde_json::from_slice::<&RawValue>(&body);
        assert!(valid.is_ok(), "{valid:?}: {}", String::from_utf8_lossy(&body));
    }
}
