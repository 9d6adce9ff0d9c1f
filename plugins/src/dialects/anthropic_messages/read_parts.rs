//! Blocks to parts. What a block says beyond the model stays in the part's `extra`; a block of a type that nobody else
//! has (server tools and their results, containers) stays whole.

use super::DIALECT;
use serde::Deserialize;
use serde::de::{Error as _, Unexpected};
use serde_json::{Error, Value};
use weir_core::body::{Members, Node};
use weir_core::chat::{Citation, Kind, Media, Object, Part, Source, ToolCall, ToolCallKind, ToolResult};

/// `image` and `document`.
#[derive(Deserialize)]
struct MediaBlock {
    source: Value,
    title: Option<String>,
    cache_control: Option<Value>,
    #[serde(flatten)]
    extra: Object,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum WireSource {
    Base64 { media_type: String, data: String },
    Url { url: String },
    File { file_id: String },
    Text { media_type: Option<String>, data: String },
}

/// A piece of somebody's own search: a document with an address.
#[derive(Deserialize)]
struct SearchBlock {
    title: Option<String>,
    source: Value,
    content: Value,
    cache_control: Option<Value>,
    #[serde(flatten)]
    extra: Object,
}

#[derive(Deserialize)]
struct ThinkingBlock {
    thinking: String,
    signature: Option<String>,
    #[serde(flatten)]
    extra: Object,
}

#[derive(Deserialize)]
struct RedactedBlock {
    data: String,
    #[serde(flatten)]
    extra: Object,
}

/// All parts of `content`, or of `system`: text, which is one part, or blocks.
pub(super) fn parts(content: Node<'_>) -> Result<Vec<Part>, Error> {
    match content {
        Node::Text(text) => Ok(vec![Part::text(text)]),
        Node::List(blocks) => blocks.into_iter().map(part).collect(),
        _ => Err(Error::custom("content must be text, or a list of blocks")),
    }
}

/// One block.
pub(super) fn part(block: Node<'_>) -> Result<Part, Error> {
    let Node::Object(mut members) = block else { return Err(Error::custom("a block must be an object")) };
    let kind = members.get("type").and_then(Node::as_str).unwrap_or_default().to_owned();
    // What is long is read by hand.
    let read: fn(Members<'_>) -> Result<Part, Error> = match kind.as_str() {
        "text" => text,
        "tool_use" => tool_use,
        "tool_result" => tool_result,
        "" => return Err(Error::custom("a block must say its type")),
        _ => return rare(&kind, members.into_object()),
    };
    // Read on, it would be left over in `extra`.
    members.take("type");
    read(members)
}

/// Blocks that are few in a conversation.
fn rare(kind: &str, mut object: Object) -> Result<Part, Error> {
    let read = match kind {
        "image" | "document" if has_known_source(&object) => media,
        "document" if source_type(&object) == Some("content") => content_document,
        "search_result" => search_result,
        "thinking" => thinking,
        "redacted_thinking" => redacted,
        _ => return Ok(Part::new(Kind::Opaque { dialect: DIALECT, value: Value::Object(object) })),
    };
    object.shift_remove("type");
    read(kind, object)
}

fn text(mut block: Members<'_>) -> Result<Part, Error> {
    let text = string(&mut block, "text")?;
    let citations = match block.take("citations") {
        None | Some(Node::Null) => Vec::new(),
        Some(Node::List(list)) => list.into_iter().map(|node| citation(node.into_value())).collect(),
        Some(other) => return Err(wrong(&other, "a list")),
    };
    Ok(Part { kind: Kind::Text { text, citations }, ..left(block) })
}

fn media(kind: &str, object: Object) -> Result<Part, Error> {
    let block: MediaBlock = block(object)?;
    let media = Media { name: block.title, ..Media::new(source(block.source)?) };
    let kind = if kind == "image" { Kind::Image(media) } else { Kind::Document(media) };
    Ok(Part { kind, ..rest(block.cache_control, block.extra) })
}

/// A document of blocks: its text for everybody, its source as written for this dialect.
fn content_document(_: &str, object: Object) -> Result<Part, Error> {
    let mut block: MediaBlock = block(object)?;
    let text = text_within(block.source.get("content"));
    block.extra.insert("source".to_owned(), block.source);
    Ok(document(text, block.title, block.cache_control, block.extra))
}

fn search_result(_: &str, object: Object) -> Result<Part, Error> {
    let mut block: SearchBlock = block(object)?;
    let text = text_within(Some(&block.content));
    block.extra.insert("type".to_owned(), "search_result".into());
    block.extra.insert("source".to_owned(), block.source);
    block.extra.insert("content".to_owned(), block.content);
    Ok(document(text, block.title, block.cache_control, block.extra))
}

fn document(text: String, name: Option<String>, cache: Option<Value>, extra: Object) -> Part {
    let source = Source::Text { media_type: "text/plain".to_owned(), text };
    Part { kind: Kind::Document(Media { name, ..Media::new(source) }), ..rest(cache, extra) }
}

fn thinking(_: &str, object: Object) -> Result<Part, Error> {
    let block: ThinkingBlock = block(object)?;
    let kind = Kind::Thinking { text: block.thinking, id: None };
    let signature = block.signature.filter(|s| !s.is_empty());
    Ok(Part { kind, signature, ..rest(None, block.extra) })
}

fn redacted(_: &str, object: Object) -> Result<Part, Error> {
    let block: RedactedBlock = block(object)?;
    Ok(Part { kind: Kind::RedactedThinking { data: block.data }, ..rest(None, block.extra) })
}

fn tool_use(mut block: Members<'_>) -> Result<Part, Error> {
    let (id, name) = (string(&mut block, "id")?, string(&mut block, "name")?);
    let input = block.take("input").filter(|input| !input.is_null());
    let arguments = input.map_or_else(|| "{}".to_owned(), |input| input.into_value().to_string());
    let call = ToolCall { id, name, arguments, kind: ToolCallKind::Function };
    Ok(Part { kind: Kind::ToolCall(call), ..left(block) })
}

fn tool_result(mut block: Members<'_>) -> Result<Part, Error> {
    let call_id = string(&mut block, "tool_use_id")?;
    let content = block.take("content").filter(|content| !content.is_null());
    let content = content.map_or_else(|| Ok(Vec::new()), parts)?;
    let is_error = match block.take("is_error") {
        None | Some(Node::Null) => false,
        Some(Node::Bool(is)) => is,
        Some(other) => return Err(wrong(&other, "a boolean")),
    };
    let result = ToolResult { call_id, name: None, content, is_error };
    Ok(Part { kind: Kind::ToolResult(result), ..left(block) })
}

/// A text that must be there.
pub(super) fn string(members: &mut Members<'_>, name: &'static str) -> Result<String, Error> {
    match members.take(name) {
        Some(Node::Text(text)) => Ok(text.into_owned()),
        Some(other) => Err(wrong(&other, "a string")),
        None => Err(Error::missing_field(name)),
    }
}

/// In serde's words.
fn wrong(node: &Node<'_>, expected: &str) -> Error {
    let got = match node {
        Node::Null => Unexpected::Unit,
        Node::Bool(is) => Unexpected::Bool(*is),
        Node::Number(number) => Unexpected::Float(number.as_f64().unwrap_or_default()),
        Node::Text(text) => Unexpected::Str(text),
        Node::List(_) => Unexpected::Seq,
        Node::Object(_) => Unexpected::Map,
    };
    Error::invalid_type(got, &expected)
}

/// Everything of a part but its kind.
fn left(mut block: Members<'_>) -> Part {
    let cache = block.take("cache_control").filter(|cache| !cache.is_null());
    rest(cache.map(Node::into_value), block.into_object())
}

fn block<T: serde::de::DeserializeOwned>(object: Object) -> Result<T, Error> {
    serde_json::from_value(Value::Object(object))
}

/// Everything of a part but its kind.
fn rest(cache: Option<Value>, extra: Object) -> Part {
    Part { cache, extra, ..Part::text("") }
}

fn source_type(object: &Object) -> Option<&str> {
    object.get("source")?.get("type")?.as_str()
}

fn has_known_source(object: &Object) -> bool {
    matches!(source_type(object), Some("base64" | "url" | "file" | "text"))
}

fn source(value: Value) -> Result<Source, Error> {
    Ok(match serde_json::from_value(value)? {
        WireSource::Base64 { media_type, data } => Source::Base64 { media_type, data },
        WireSource::Url { url } => Source::Url { url, media_type: None },
        WireSource::File { file_id } => Source::File { id: file_id },
        WireSource::Text { media_type, data } => {
            Source::Text { media_type: media_type.unwrap_or_else(|| "text/plain".to_owned()), text: data }
        }
    })
}

/// Text, or the text of blocks, joined by line breaks.
fn text_within(content: Option<&Value>) -> String {
    match content {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(blocks)) => {
            let texts: Vec<&str> =
                blocks.iter().filter_map(|b| b.get("text").and_then(Value::as_str)).collect();
            texts.join("\n")
        }
        _ => String::new(),
    }
}

/// Where characters are counted, Anthropic counts them in the source, not in the text: they stay in `original`.
pub(super) fn citation(value: Value) -> Citation {
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let address = text("url").or_else(|| text("source"));
    Citation {
        url: address,
        title: text("title").or_else(|| text("document_title")),
        cited_text: text("cited_text"),
        start: None,
        end: None,
        original: Some((DIALECT, value)),
    }
}
