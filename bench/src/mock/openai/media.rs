//! Images, audio and moderations.

use serde_json::{Value, json};

use super::Call;
use super::wire::{dressed, success};
use crate::mock::reply::Reply;
use crate::mock::wire;

const MP3: &[u8] = b"ID3mockmp3bytes";
const CATEGORIES: &[&str] = &["hate", "violence", "sexual"];

pub(super) fn images() -> Reply {
    success(&json!({
        "created": wire::CREATED,
        "data": [{"b64_json": "aGk=", "revised_prompt": "a cat"}],
        "usage": {
            "input_tokens": 5,
            "output_tokens": 100,
            "total_tokens": 105,
            "input_tokens_details": {"text_tokens": 5, "image_tokens": 0},
        },
    }))
}

pub(super) fn speech() -> Reply {
    dressed(Reply::full(200, "audio/mpeg", MP3))
}

/// Whatever format was asked for.
pub(super) fn transcriptions() -> Reply {
    success(&json!({
        "text": "hello world",
        "usage": {
            "type": "tokens",
            "input_tokens": 14,
            "input_token_details": {"text_tokens": 0, "audio_tokens": 14},
            "output_tokens": 4,
            "total_tokens": 18,
        },
    }))
}

pub(super) fn moderations(call: &Call<'_>) -> Reply {
    let result = json!({
        "flagged": false,
        "categories": each(&json!(false)),
        "category_scores": each(&json!(0.01)),
        "category_applied_input_types": each(&json!(["text"])),
    });
    success(&json!({
        "id": "modr-mock1",
        "model": call.ask.model_or("omni-moderation-latest"),
        "results": [result],
    }))
}

fn each(value: &Value) -> Value {
    CATEGORIES.iter().map(|name| ((*name).to_owned(), value.clone())).collect()
}
