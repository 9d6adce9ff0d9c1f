//! Citations: which characters of the answer are supported by which sources.

use serde::Deserialize;
use serde_json::Value;
use weir_core::chat::{Citation, Dialect, Object};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Wire {
    start: Option<u64>,
    end: Option<u64>,
    /// The supported words of the answer, not of the source.
    text: Option<String>,
    sources: Vec<Source>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Source {
    id: Option<String>,
    url: Option<String>,
    /// A document of the request.
    document: Option<Object>,
    /// What a tool had said.
    tool_output: Option<Object>,
}

/// The block that a citation is about.
pub(super) fn content_index(citation: &Value) -> Option<u64> {
    citation.get("content_index").and_then(Value::as_u64)
}

/// One citation for each source, as LiteLLM tells them. The first carries the original.
pub(super) fn citations(original: Value) -> Vec<Citation> {
    let wire: Wire = Wire::deserialize(&original).unwrap_or_default();
    let span = Citation { start: wire.start, end: wire.end, ..Citation::default() };
    let mut all: Vec<Citation> = wire.sources.iter().map(|source| source.cited(&span)).collect();
    if all.is_empty() {
        all.push(Citation { cited_text: wire.text, ..span });
    }
    if let Some(first) = all.first_mut() {
        first.original = Some((Dialect::CohereChat, original));
    }
    all
}

// --- Source ---

impl Source {
    fn cited(&self, span: &Citation) -> Citation {
        let member = |object: &Option<Object>, names: &[&str]| {
            let object = object.as_ref()?;
            names.iter().find_map(|name| object.get(*name)?.as_str()).map(str::to_owned)
        };
        let url = self.url.clone().or_else(|| member(&self.document, &["url"]));
        Citation {
            url: url.or_else(|| self.id.as_ref().map(|id| format!("source:{id}"))),
            title: member(&self.document, &["title"]),
            cited_text: member(&self.document, &["snippet", "text", "content"])
                .or_else(|| member(&self.tool_output, &["content", "text"])),
            ..span.clone()
        }
    }
}
