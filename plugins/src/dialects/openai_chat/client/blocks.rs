//! The members of a message that OpenAI's schema does not have, in LiteLLM's shape, and citations.

use serde_json::{Value, json};
use weir_core::chat::{Citation, Media, Object, Source};
use weir_core::domain::usage::Usage;

use super::super::usage::ToldUsage;

/// Clients read arguments as JSON: of a function without parameters some providers write nothing.
pub(super) const NO_ARGUMENTS: &str = "{}";

/// A thought with its proof. `id` is there where the provider needs it back (Responses).
pub(super) fn thinking(text: &str, signature: Option<&str>, id: Option<&str>) -> Value {
    let mut block =
        json!({ "type": "thinking", "thinking": text, "signature": signature.unwrap_or_default() });
    if let (Some(id), Some(object)) = (id, block.as_object_mut()) {
        object.insert("id".into(), id.into());
    }
    block
}

pub(super) fn redacted(data: &str) -> Value {
    json!({ "type": "redacted_thinking", "data": data })
}

/// `None` where the image is no address (a provider's file).
pub(super) fn image(media: &Media, index: usize) -> Option<Value> {
    let url = media.source.to_url()?;
    Some(json!({ "type": "image_url", "index": index, "image_url": { "url": url, "detail": "auto" } }))
}

/// `extra` holds what OpenAI says beside it: id and expiry.
pub(super) fn audio(media: &Media, extra: &Object) -> Value {
    let mut told = extra.clone();
    match &media.source {
        Source::Base64 { data, .. } => told.insert("data".into(), data.as_str().into()),
        Source::File { id } => told.insert("id".into(), id.as_str().into()),
        Source::Url { .. } | Source::Text { .. } => None,
    };
    told.insert("transcript".into(), media.transcript.as_deref().unwrap_or_default().into());
    Value::Object(told)
}

/// OpenAI's form of a citation that has an address. `from` and `to` are the characters of its block within the whole
/// text; the citation's own are within its block.
pub(super) fn annotation(citation: &Citation, from: u64, to: u64) -> Option<Value> {
    let url = citation.url.as_deref()?;
    let start = citation.start.map_or(from, |start| from.saturating_add(start));
    let end = citation.end.map_or(to, |end| from.saturating_add(end));
    let title = citation.title.as_deref().unwrap_or_default();
    let inner = json!({ "start_index": start, "end_index": end, "title": title, "url": url });
    Some(json!({ "type": "url_citation", "url_citation": inner }))
}

/// A citation as its dialect wrote it, or the nearest to it.
pub(super) fn original(citation: &Citation) -> Value {
    if let Some((_, original)) = &citation.original {
        return original.clone();
    }
    let mut told = Object::new();
    let texts = [("url", &citation.url), ("title", &citation.title), ("cited_text", &citation.cited_text)];
    for (name, text) in texts {
        if let Some(text) = text {
            told.insert(name.into(), text.as_str().into());
        }
    }
    Value::Object(told)
}

pub(super) fn usage(usage: &Usage) -> ToldUsage {
    ToldUsage::from(usage)
}

/// Whether the client asked the old way and wants `function_call` back.
pub(super) fn is_legacy(body: &weir_core::body::JsonBody) -> bool {
    body.raw("functions").is_some() && body.raw("tools").is_none()
}
