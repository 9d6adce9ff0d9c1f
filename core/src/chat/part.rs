//! What a message is made of.

use super::{Dialect, Object};
use crate::body::Members;
use serde_json::Value;
use serde_json::value::RawValue;

/// One block of content.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    pub kind: Kind,
    /// Anthropic's `cache_control`, as written; other dialects translate it (Bedrock's `cachePoint`) or leave it out.
    pub cache: Option<Value>,
    /// Proof that a model wrote this block (Anthropic's `signature`, Gemini's `thoughtSignature`, OpenAI's
    /// `encrypted_content`). Opaque; must go back to the provider unchanged.
    pub signature: Option<String>,
    /// Members that the model does not know, from a client or provider of the same dialect.
    pub extra: Object,
}

/// What a part is.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    Text {
        text: String,
        citations: Vec<Citation>,
    },
    Image(Media),
    Audio(Media),
    /// A document: PDF, plain text, whatever the provider reads.
    Document(Media),
    /// What the model thought; `id` is the item's own where the dialect names it (Responses).
    Thinking {
        text: String,
        id: Option<String>,
    },
    /// Thoughts that only the provider can read.
    RedactedThinking {
        data: String,
    },
    Refusal(String),
    ToolCall(ToolCall),
    ToolResult(ToolResult),
    /// A block that only this dialect understands (server tools, their results, containers). Other dialects skip it.
    Opaque {
        dialect: Dialect,
        value: Value,
    },
}

/// Images, audio, documents.
#[derive(Clone, Debug, PartialEq)]
pub struct Media {
    pub source: Source,
    /// File name or title.
    pub name: Option<String>,
    /// OpenAI's `detail` of images: `low`, `high`, `auto`.
    pub detail: Option<String>,
    /// What audio says, where known.
    pub transcript: Option<String>,
}

/// Where the bytes of a medium are.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// `media_type` like `image/png`.
    Base64 {
        media_type: String,
        data: String,
    },
    Url {
        url: String,
        media_type: Option<String>,
    },
    /// A file that was uploaded to the provider before.
    File {
        id: String,
    },
    /// A document given as text.
    Text {
        media_type: String,
        text: String,
    },
}

/// The model wants a tool to be run.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolCall {
    /// Unique within the conversation; made up where a dialect has none.
    pub id: String,
    pub name: String,
    /// JSON text for functions, exactly as the model wrote it; free text for custom tools.
    pub arguments: String,
    pub kind: ToolCallKind,
}

/// What a call is given: arguments in JSON, or free text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ToolCallKind {
    #[default]
    Function,
    /// OpenAI's custom tools: the input is free text.
    Custom,
}

/// What the tool said.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolResult {
    pub call_id: String,
    /// The tool's name where the dialect says it (Gemini and Ollama need it; see [`super::Request::tool_name`]).
    pub name: Option<String>,
    pub content: Vec<Part>,
    pub is_error: bool,
}

/// Where a statement comes from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Citation {
    pub url: Option<String>,
    pub title: Option<String>,
    pub cited_text: Option<String>,
    /// Characters of the text that are supported, start inclusive, end exclusive.
    pub start: Option<u64>,
    pub end: Option<u64>,
    /// The citation as its dialect wrote it, for a client of the same dialect.
    pub original: Option<(Dialect, Value)>,
}

// --- Part ---

impl Part {
    pub fn new(kind: Kind) -> Self {
        Self { kind, cache: None, signature: None, extra: Object::new() }
    }

    pub fn text(text: impl Into<String>) -> Self {
        Self::new(Kind::Text { text: text.into(), citations: Vec::new() })
    }

    /// The text of a text part.
    pub fn as_text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text { text, .. } => Some(text),
            _ => None,
        }
    }
}

impl Media {
    pub fn new(source: Source) -> Self {
        Self { source, name: None, detail: None, transcript: None }
    }

    /// Reads a `data:` URL of base64, or keeps the URL.
    pub fn from_url(url: &str) -> Self {
        Self::new(Source::from_url(url))
    }
}

impl Source {
    pub fn from_url(url: &str) -> Self {
        match data_url(url) {
            Some((media_type, data)) => {
                Source::Base64 { media_type: media_type.to_owned(), data: data.to_owned() }
            }
            None => Source::Url { url: url.to_owned(), media_type: None },
        }
    }

    /// The URL, or base64 as a `data:` URL; `None` for files and text.
    pub fn to_url(&self) -> Option<String> {
        match self {
            Source::Base64 { media_type, data } => Some(format!("data:{media_type};base64,{data}")),
            Source::Url { url, .. } => Some(url.clone()),
            Source::File { .. } | Source::Text { .. } => None,
        }
    }

    pub fn media_type(&self) -> Option<&str> {
        match self {
            Source::Base64 { media_type, .. } | Source::Text { media_type, .. } => Some(media_type),
            Source::Url { media_type, .. } => media_type.as_deref(),
            Source::File { .. } => None,
        }
    }
}

/// Media type and base64 of a `data:` URL (RFC 2397); parameters other than `base64` are dropped.
fn data_url(url: &str) -> Option<(&str, &str)> {
    let (head, data) = url.strip_prefix("data:")?.split_once(',')?;
    let head = head.strip_suffix(";base64")?;
    Some((head.split(';').next().unwrap_or_default(), data))
}

impl ToolCall {
    /// The arguments as an object. Empty text is an empty object; text that is no object is `None`.
    pub fn object(&self) -> Option<Object> {
        if self.arguments.trim().is_empty() {
            return Some(Object::new());
        }
        serde_json::from_str(&self.arguments).ok()
    }

    /// The same as the text that the model wrote, for dialects that hand it on.
    pub fn object_text(&self) -> Option<&RawValue> {
        let text = if self.arguments.trim().is_empty() { "{}" } else { self.arguments.as_str() };
        // Raw values are not looked into: half a surrogate pair, or a number beyond all bounds, would pass.
        serde_json::from_str::<Members<'_>>(text).ok()?;
        serde_json::from_str(text).ok()
    }
}

impl ToolResult {
    /// All text of the result, parts joined by line breaks.
    pub fn text(&self) -> String {
        join(&self.content)
    }
}

/// The text parts, joined by line breaks.
pub(super) fn join(parts: &[Part]) -> String {
    let texts: Vec<&str> = parts.iter().filter_map(Part::as_text).collect();
    texts.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_go_on_as_they_were_written_if_they_are_an_object() {
        let text = |arguments: &str| {
            let (id, name, arguments) = (String::new(), String::new(), arguments.to_owned());
            let call = ToolCall { id, name, arguments, kind: ToolCallKind::Function };
            assert_eq!(call.object_text().is_some(), call.object().is_some());
            call.object_text().map(|raw| raw.get().to_owned())
        };
        assert_eq!(
            text(" {\"n\": 12345678901234567890123}\n").as_deref(),
            Some("{\"n\": 12345678901234567890123}")
        );
        assert_eq!(text(" ").as_deref(), Some("{}"));
        for no_object in ["[1]", "{", "free text", r#"{"a":"\ud800"}"#, r#"{"a":1e999}"#] {
            assert_eq!(text(no_object), None, "{no_object}");
        }
    }

    #[test]
    fn data_urls_are_taken_apart_and_put_together() {
        let source = Source::from_url("data:image/png;charset=x;base64,QUJD");
        assert_eq!(source, Source::Base64 { media_type: "image/png".into(), data: "QUJD".into() });
        assert_eq!(source.to_url().as_deref(), Some("data:image/png;base64,QUJD"));
        let plain = Source::from_url("https://x/y.png");
        assert_eq!(plain.to_url().as_deref(), Some("https://x/y.png"));
    }
}
