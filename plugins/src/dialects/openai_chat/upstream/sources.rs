//! Citations: OpenAI's annotations, Perplexity's lists of sources.

use super::super::wire::Chunk;
use serde_json::Value;
use weir_core::chat::{Citation, Dialect};

/// `{"type":"url_citation","url_citation":{…}}`; other annotations are kept as they are.
pub(super) fn annotation(value: Value) -> Citation {
    let inner = value.get("url_citation").unwrap_or(&value);
    let text = |name: &str| inner.get(name).and_then(Value::as_str).map(str::to_owned);
    let number = |name: &str| inner.get(name).and_then(Value::as_u64);
    Citation {
        url: text("url"),
        title: text("title"),
        cited_text: text("content"),
        start: number("start_index"),
        end: number("end_index"),
        original: Some((Dialect::OpenAiChat, value)),
    }
}

/// Sources of the whole answer. Perplexity repeats them with every chunk, so the last list counts.
pub(super) fn sources(chunk: &mut Chunk) -> Option<Vec<Citation>> {
    let found = |value: Option<Value>| match value {
        Some(Value::Array(list)) if !list.is_empty() => Some(list),
        _ => None,
    };
    let addresses = found(chunk.citations.take());
    let results = found(chunk.search_results.take());
    let list = results.or(addresses)?;
    Some(list.into_iter().map(source).collect())
}

fn source(value: Value) -> Citation {
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    Citation {
        url: value.as_str().map(str::to_owned).or_else(|| text("url")),
        title: text("title"),
        cited_text: text("snippet"),
        ..Citation::default()
    }
}
