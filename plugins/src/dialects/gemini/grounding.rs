//! Where statements come from: Google's grounding and citation metadata, read as citations and written from them.
//! Google counts bytes of UTF-8, citations count characters.

use super::model::Model;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashSet;
use weir_core::chat::{Citation, Dialect, Object};

/// Citations that are read from one answer; more are left out.
const MAX_CITATIONS: usize = 1_000;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Grounding {
    grounding_chunks: Vec<Value>,
    grounding_supports: Vec<Support>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Support {
    segment: Value,
    grounding_chunk_indices: Vec<usize>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Sources {
    /// The Gemini API's name; Vertex says `citations`.
    #[serde(alias = "citations")]
    citation_sources: Vec<Value>,
}

/// Searches that Google charges for (its pricing page): each query since Gemini 3, the grounded prompt before.
pub(super) fn searches(metadata: &Value, model: Option<&str>) -> u64 {
    let queries = metadata.get("webSearchQueries").and_then(Value::as_array).map_or(0, Vec::len) as u64;
    let each = model.is_some_and(|name| Model::of(name).is_3());
    if each { queries } else { queries.min(1) }
}

/// Reads what an answer says of its sources, each source once however often chunks repeat it.
#[derive(Debug, Default)]
pub(super) struct Reader {
    seen: HashSet<u64>,
}

// --- Reader ---

impl Reader {
    /// `groundingMetadata`. `text`: the block that it is about, as far as it is known.
    pub(super) fn grounding(&mut self, metadata: &Value, text: &str) -> Vec<Citation> {
        let Ok(grounding) = Grounding::deserialize(metadata) else { return Vec::new() };
        if grounding.grounding_supports.is_empty() {
            let all = grounding.grounding_chunks.iter().map(|chunk| grounded(chunk, &Value::Null, text));
            return self.fresh(all);
        }
        let all = grounding.grounding_supports.iter().flat_map(|support| {
            let chunks =
                support.grounding_chunk_indices.iter().filter_map(|i| grounding.grounding_chunks.get(*i));
            chunks.map(|chunk| grounded(chunk, &support.segment, text))
        });
        self.fresh(all)
    }

    /// `citationMetadata`: what was recited.
    pub(super) fn recited(&mut self, metadata: &Value, text: &str) -> Vec<Citation> {
        let Ok(sources) = Sources::deserialize(metadata) else { return Vec::new() };
        self.fresh(sources.citation_sources.iter().map(|source| recited(source, text)))
    }

    fn fresh(&mut self, all: impl Iterator<Item = Citation>) -> Vec<Citation> {
        let mut fresh = Vec::new();
        for citation in all {
            let key = super::ids::seed(format!("{:?}", citation.original).as_bytes());
            if self.seen.len() < MAX_CITATIONS && self.seen.insert(key) {
                fresh.push(citation);
            }
        }
        fresh
    }
}

/// A chunk is `{"web":{…}}`, `{"retrievedContext":{…}}` or `{"maps":{…}}`.
fn grounded(chunk: &Value, segment: &Value, text: &str) -> Citation {
    let source = chunk.as_object().and_then(|c| c.values().find(|v| v.is_object()));
    let field = |name: &str| source.and_then(|s| s.get(name)?.as_str()).map(str::to_owned);
    let cited_text = segment.get("text").and_then(Value::as_str).map(str::to_owned);
    let (start, end) = span(segment, text).unzip();
    let original = json!({ "groundingChunk": chunk, "segment": segment });
    Citation {
        url: field("uri"),
        title: field("title"),
        cited_text,
        start,
        end,
        original: Some((Dialect::Gemini, original)),
    }
}

fn recited(source: &Value, text: &str) -> Citation {
    let field = |name: &str| source.get(name).and_then(Value::as_str).map(str::to_owned);
    let (start, end) = span(source, text).unzip();
    Citation {
        url: field("uri"),
        title: field("title"),
        start,
        end,
        original: Some((Dialect::Gemini, source.clone())),
        ..Citation::default()
    }
}

/// Start and end in characters. Where the segment names its text, that text must stand there: offsets of answers with
/// several parts count from the start of a part that we may have joined to another.
fn span(segment: &Value, text: &str) -> Option<(u64, u64)> {
    let index = |name: &str| segment.get(name).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
    let (start, end) = (index("startIndex").unwrap_or(0), index("endIndex")?);
    let said = segment.get("text").and_then(Value::as_str);
    let there = text.get(start..end);
    let (start, end) = match (said, there) {
        (Some(said), Some(there)) if said == there => (start, end),
        (Some(said), _) if !said.is_empty() => text.find(said).map(|at| (at, at + said.len()))?,
        (_, Some(_)) => (start, end),
        _ => return None,
    };
    let characters = |to: usize| text.get(..to).map(|t| t.chars().count() as u64);
    Some((characters(start)?, characters(end)?))
}

/// Builds `groundingMetadata` from citations.
#[derive(Debug, Default)]
pub(super) struct Writer {
    urls: Vec<Option<String>>,
    chunks: Vec<Value>,
    supports: Vec<Value>,
}

// --- Writer ---

impl Writer {
    /// `text`: the block that cites.
    pub(super) fn add(&mut self, citation: &Citation, text: &str) {
        let index = self.chunk(citation);
        let mut segment = Object::new();
        let byte = |chars: u64| {
            let chars = usize::try_from(chars).ok()?;
            text.char_indices().map(|(at, _)| at).chain([text.len()]).nth(chars)
        };
        for (name, chars) in [("startIndex", citation.start), ("endIndex", citation.end)] {
            if let Some(at) = chars.and_then(byte) {
                segment.insert(name.into(), at.into());
            }
        }
        if let Some(cited) = &citation.cited_text {
            segment.insert("text".into(), cited.as_str().into());
        }
        if !segment.is_empty() {
            self.supports.push(json!({ "segment": segment, "groundingChunkIndices": [index] }));
        }
    }

    fn chunk(&mut self, citation: &Citation) -> usize {
        if let Some(index) = self.urls.iter().position(|url| *url == citation.url) {
            return index;
        }
        self.urls.push(citation.url.clone());
        self.chunks.push(json!({ "web": { "uri": citation.url, "title": citation.title } }));
        self.chunks.len() - 1
    }

    pub(super) fn finish(self) -> Option<Value> {
        if self.chunks.is_empty() {
            return None;
        }
        let mut out = json!({ "groundingChunks": self.chunks });
        if !self.supports.is_empty() {
            out["groundingSupports"] = self.supports.into();
        }
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Größe: drei – genau drei.";

    fn metadata() -> Value {
        let end = TEXT.find(" –").unwrap();
        json!({ "groundingChunks": [{ "web": { "uri": "https://a", "title": "A" } }, { "web": { "uri": "https://b" } }],
            "groundingSupports": [{ "segment": { "startIndex": 9, "endIndex": end, "text": "drei" },
                "groundingChunkIndices": [0, 1, 7] }] })
    }

    #[test]
    fn bytes_become_characters_and_come_back() {
        let citations = Reader::default().grounding(&metadata(), TEXT);
        let spans: Vec<_> = citations.iter().map(|c| (c.url.as_deref(), c.start, c.end)).collect();
        let (start, end) = (Some(7), Some(11));
        assert_eq!(spans, [(Some("https://a"), start, end), (Some("https://b"), start, end)]);
        let mut writer = Writer::default();
        citations.iter().for_each(|c| writer.add(c, TEXT));
        let again = Reader::default().grounding(&writer.finish().unwrap(), TEXT);
        assert_eq!(again.iter().map(|c| (c.url.as_deref(), c.start, c.end)).collect::<Vec<_>>(), spans);
    }

    #[test]
    fn what_chunks_repeat_is_told_once() {
        let mut reader = Reader::default();
        assert_eq!(reader.grounding(&metadata(), TEXT).len(), 2);
        assert!(reader.grounding(&metadata(), TEXT).is_empty());
    }

    #[test]
    fn offsets_that_do_not_fit_are_left_out() {
        let segment = json!({ "startIndex": 900, "endIndex": 901, "text": "absent" });
        assert_eq!(span(&segment, TEXT), None);
        assert_eq!(span(&json!({ "startIndex": 3, "endIndex": 1 }), TEXT), None);
        // 3 lies inside of ö.
        assert_eq!(span(&json!({ "startIndex": 3, "endIndex": 5 }), TEXT), None);
    }
}
