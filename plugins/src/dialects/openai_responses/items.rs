//! Items of an input or an output, read. An unknown item is kept whole as [`Kind::Opaque`].

use super::names;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use weir_core::chat::{
    Citation, Dialect, Kind, Media, Part, Role, Source, ToolCall, ToolCallKind, ToolResult,
};

/// One item.
#[derive(Debug)]
pub(super) enum Item {
    Message {
        role: Role,
        parts: Vec<Part>,
    },
    /// What a model does beside speaking: it thinks, calls a tool, or lets the provider run one.
    Block(Part),
    /// What a tool of the client said.
    Result(Part),
}

/// Marks `encrypted_content` that holds thoughts which another dialect calls redacted: clients give back nothing else
/// of a reasoning item.
pub(super) const REDACTED: &str = "redacted:";

/// Between two parts of a summary.
pub(super) const PARAGRAPH: &str = "\n\n";

#[derive(Deserialize)]
struct Message {
    role: String,
    #[serde(default)]
    content: Option<Content>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Value>),
}

#[derive(Deserialize)]
struct Reasoning {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    summary: Option<Vec<Thought>>,
    #[serde(default)]
    content: Option<Vec<Thought>>,
    #[serde(default)]
    encrypted_content: Option<String>,
}

#[derive(Deserialize)]
struct Thought {
    #[serde(default)]
    text: String,
}

/// A call of a function (`arguments`) or of a custom tool (`input`).
#[derive(Deserialize)]
struct Call {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    call_id: Option<String>,
    name: String,
    #[serde(default)]
    namespace: Option<String>,
    #[serde(default, alias = "input")]
    arguments: Option<String>,
}

#[derive(Deserialize)]
struct Output {
    call_id: String,
    #[serde(default)]
    output: Option<Content>,
}

/// All members of all parts that are understood.
#[derive(Default, Deserialize)]
#[serde(default)]
struct WirePart {
    text: Option<String>,
    refusal: Option<String>,
    annotations: Option<Vec<Value>>,
    image_url: Option<String>,
    detail: Option<String>,
    file_id: Option<String>,
    file_url: Option<String>,
    file_data: Option<String>,
    filename: Option<String>,
    input_audio: Option<Audio>,
}

#[derive(Deserialize)]
struct Audio {
    data: String,
    #[serde(default)]
    format: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Annotation {
    url: Option<String>,
    title: Option<String>,
    filename: Option<String>,
    start_index: Option<u64>,
    end_index: Option<u64>,
}

/// Kinds of items that are understood.
static ITEMS: &[&str] = &[
    "message",
    "reasoning",
    "function_call",
    "custom_tool_call",
    "function_call_output",
    "custom_tool_call_output",
    "item_reference",
];

/// Reads one item. The error is for whoever wrote it.
pub(super) fn read(value: Value) -> Result<Item, String> {
    match kind(&value) {
        "message" => message(value),
        "" if value.get("role").is_some() => message(value),
        "" => Err("neither `type` nor `role` is given".to_owned()),
        "reasoning" => typed(value).map(reasoning).map(Item::Block),
        "function_call" => call(value, ToolCallKind::Function),
        "custom_tool_call" => call(value, ToolCallKind::Custom),
        "function_call_output" | "custom_tool_call_output" => result(value),
        "item_reference" => Err(reference(&value)),
        _ => Ok(Item::Block(opaque(value))),
    }
}

/// The `type` of an item or part; empty where there is none.
pub(super) fn kind(value: &Value) -> &str {
    value.get("type").and_then(Value::as_str).unwrap_or_default()
}

fn typed<T: DeserializeOwned>(value: Value) -> Result<T, String> {
    let kind = kind(&value).to_owned();
    serde_json::from_value(value)
        .map_err(|e| if kind.is_empty() { e.to_string() } else { format!("{kind}: {e}") })
}

fn opaque(value: Value) -> Part {
    Part::new(Kind::Opaque { dialect: Dialect::OpenAiResponses, value })
}

fn reference(value: &Value) -> String {
    let id = value.get("id").and_then(Value::as_str).unwrap_or_default();
    format!(
        "the item reference '{id}' points into the provider's store, which this model does not have; \
         send the item itself"
    )
}

// --- messages ---

fn message(value: Value) -> Result<Item, String> {
    let message: Message = typed(value)?;
    let role = match message.role.as_str() {
        "system" => Role::System,
        "developer" => Role::Developer,
        "user" => Role::User,
        "assistant" => Role::Assistant,
        other => return Err(format!("unknown role '{other}'; use system, developer, user or assistant")),
    };
    Ok(Item::Message { role, parts: message.content.map_or_else(|| Ok(Vec::new()), parts)? })
}

fn parts(content: Content) -> Result<Vec<Part>, String> {
    match content {
        Content::Text(text) => Ok(vec![Part::text(text)]),
        Content::Parts(parts) => parts.into_iter().map(part).collect(),
    }
}

/// Reads one part of a message.
pub(super) fn part(value: Value) -> Result<Part, String> {
    let kind = match kind(&value) {
        "input_text" | "output_text" | "text" | "summary_text" => {
            let wire: WirePart = typed(value)?;
            let citations = wire.annotations.unwrap_or_default().into_iter().map(citation).collect();
            Kind::Text { text: wire.text.unwrap_or_default(), citations }
        }
        "refusal" => Kind::Refusal(typed::<WirePart>(value)?.refusal.unwrap_or_default()),
        "input_image" => Kind::Image(image(typed(value)?)?),
        "input_file" => Kind::Document(file(typed(value)?)?),
        "input_audio" => Kind::Audio(audio(typed(value)?)?),
        "" => return Err("a part of a message has no `type`".to_owned()),
        // A part that is not understood is told as an item of its own, so it must not pass for one that is.
        kind if ITEMS.contains(&kind) => return Err(format!("'{kind}' is an item, not a part of a message")),
        _ => return Ok(opaque(value)),
    };
    Ok(Part::new(kind))
}

fn image(wire: WirePart) -> Result<Media, String> {
    let source = match (wire.image_url, wire.file_id) {
        (Some(url), _) => Source::from_url(&url),
        (None, Some(id)) => Source::File { id },
        (None, None) => return Err("input_image: give `image_url` or `file_id`".to_owned()),
    };
    Ok(Media { detail: wire.detail, ..Media::new(source) })
}

fn file(wire: WirePart) -> Result<Media, String> {
    let source = match (wire.file_data, wire.file_url, wire.file_id) {
        (Some(data), _, _) => file_data(data, wire.filename.as_deref()),
        (None, Some(url), _) => Source::from_url(&url),
        (None, None, Some(id)) => Source::File { id },
        (None, None, None) => {
            return Err("input_file: give `file_data`, `file_url` or `file_id`".to_owned());
        }
    };
    Ok(Media { name: wire.filename, ..Media::new(source) })
}

/// Media types of files that come as bare base64.
static EXTENSIONS: &[(&str, &str)] =
    &[("txt", "text/plain"), ("md", "text/markdown"), ("csv", "text/csv"), ("html", "text/html")];

/// A `data:` URL, or bare base64, whose type only the name tells.
fn file_data(data: String, name: Option<&str>) -> Source {
    if data.starts_with("data:") {
        return Source::from_url(&data);
    }
    let extension = name.and_then(|n| n.rsplit_once('.')).map_or("", |(_, extension)| extension);
    let known = EXTENSIONS.iter().find(|(e, _)| e.eq_ignore_ascii_case(extension));
    Source::Base64 { media_type: known.map_or("application/pdf", |(_, t)| t).to_owned(), data }
}

fn audio(wire: WirePart) -> Result<Media, String> {
    let audio = wire.input_audio.ok_or("input_audio: give `data` and `format`")?;
    let format = if audio.format.is_empty() { "wav" } else { &audio.format };
    Ok(Media::new(Source::Base64 { media_type: format!("audio/{format}"), data: audio.data }))
}

/// An annotation of a text; one that is not understood is kept for clients of this dialect.
pub(super) fn citation(value: Value) -> Citation {
    let wire = Annotation::deserialize(&value).unwrap_or_default();
    Citation {
        url: wire.url,
        title: wire.title.or(wire.filename),
        cited_text: None,
        start: wire.start_index,
        end: wire.end_index,
        original: Some((Dialect::OpenAiResponses, value)),
    }
}

// --- blocks ---

/// The thoughts themselves where a provider shows them, else their summary.
fn reasoning(item: Reasoning) -> Part {
    let text = Some(join(item.content)).filter(|t| !t.is_empty()).unwrap_or_else(|| join(item.summary));
    if let Some(data) = item.encrypted_content.as_deref().and_then(|e| e.strip_prefix(REDACTED)) {
        return Part::new(Kind::RedactedThinking { data: data.to_owned() });
    }
    // An id that we made for another provider's thoughts, given back as theirs, would make them OpenAI's, which no
    // other provider takes.
    let id = item.id.filter(|id| !is_made_up(id));
    let mut part = Part::new(Kind::Thinking { text, id });
    part.signature = item.encrypted_content;
    part
}

/// `rs_{uuid}_{number}`, as the client side makes them.
fn is_made_up(id: &str) -> bool {
    id.rsplit_once('_').is_some_and(|(uuid, number)| {
        uuid.matches('-').count() == 4 && !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
    })
}

fn join(thoughts: Option<Vec<Thought>>) -> String {
    let texts: Vec<String> = thoughts.unwrap_or_default().into_iter().map(|t| t.text).collect();
    texts.join(PARAGRAPH)
}

fn call(value: Value, kind: ToolCallKind) -> Result<Item, String> {
    let call: Call = typed(value)?;
    let id = call.call_id.or(call.id).ok_or_else(|| format!("the call of '{}' has no call_id", call.name))?;
    let name = match call.namespace.filter(|n| !n.is_empty()) {
        Some(namespace) => names::flat(&namespace, &call.name),
        None => call.name,
    };
    let arguments = call.arguments.unwrap_or_default();
    Ok(Item::Block(Part::new(Kind::ToolCall(ToolCall { id, name, arguments, kind }))))
}

fn result(value: Value) -> Result<Item, String> {
    let output: Output = typed(value)?;
    let content = output.output.map_or_else(|| Ok(Vec::new()), parts)?;
    let result = ToolResult { call_id: output.call_id, name: None, content, is_error: false };
    Ok(Item::Result(Part::new(Kind::ToolResult(result))))
}
