//! What is said in a body, whatever its dialect: every text in those members that hold what people, tools and models
//! say, without names, ids, addresses and data. Texts can be put back changed; everything else stays as it came.

use bytes::Bytes;
use serde_json::Value;
use weir_core::body::{Edits, JsonBody};
use weir_core::error::{ApiError, Kind};

/// Top-level members in which something is said. OpenAI's, Anthropic's, Gemini's and Cohere's.
static FIELDS: &[&str] = &[
    "messages",
    "input",
    "prompt",
    "suffix",
    "system",
    "instructions",
    "contents",
    "systemInstruction",
    "system_instruction",
    "query",
    "documents",
    // A whole request of Gemini's, whose tokens are to be counted.
    "generateContentRequest",
    "generate_content_request",
];

/// Members whose texts nobody says: what things are called, where they are, what they are made of.
static SKIPPED: &[&str] = &[
    "type",
    "role",
    "id",
    "name",
    "model",
    "object",
    "status",
    "call_id",
    "tool_call_id",
    "tool_use_id",
    "item_id",
    "url",
    "image_url",
    "file_url",
    "file_id",
    "file_data",
    "fileUri",
    "file_uri",
    "media_type",
    "mime_type",
    "mimeType",
    "format",
    "detail",
    "signature",
    "thoughtSignature",
    "thought_signature",
    "encrypted_content",
    "cache_control",
    "finish_reason",
    "system_fingerprint",
];

/// Thoughts that a client sends back: their proof would not hold for other words.
static THOUGHTS: &[&str] = &["thinking", "thinking_blocks"];

/// The texts of a request.
pub struct Texts {
    fields: Vec<(&'static str, Leaves)>,
}

/// The texts of one JSON value, in the order in which they stand.
pub struct Leaves {
    value: Value,
    /// Whether thoughts are among them.
    thoughts: bool,
    /// What is said.
    pub texts: Vec<String>,
    /// Addresses of pictures.
    pub images: Vec<String>,
}

// --- Texts ---

impl Texts {
    pub fn of(body: &JsonBody) -> Self {
        let leaves = |name: &'static str| {
            let value = serde_json::from_str(body.raw(name)?).ok()?;
            Some((name, Leaves::of(value)))
        };
        Self { fields: FIELDS.iter().filter_map(|name| leaves(name)).collect() }
    }

    pub fn texts(&self) -> Vec<String> {
        self.fields.iter().flat_map(|(_, leaves)| leaves.texts.iter().cloned()).collect()
    }

    pub fn images(&self) -> Vec<String> {
        self.fields.iter().flat_map(|(_, leaves)| leaves.images.iter().cloned()).collect()
    }

    /// The body with other texts, in the order of [`Texts::texts`].
    ///
    /// # Errors
    /// The body cannot be written anew, which does not happen.
    pub fn write(self, new: Vec<String>, body: &JsonBody) -> Result<JsonBody, ApiError> {
        let (mut new, mut edits) = (new.into_iter(), Edits::default());
        for (name, leaves) in self.fields {
            let own: Vec<String> = new.by_ref().take(leaves.texts.len()).collect();
            if own != leaves.texts {
                edits.set(name, leaves.write(own).to_string());
            }
        }
        let edited = Bytes::from(edits.apply(body).concat());
        JsonBody::parse(edited).map_err(|e| ApiError::new(Kind::BadJson, e.to_string()))
    }
}

// --- Leaves ---

impl Leaves {
    pub fn of(value: Value) -> Self {
        Self::read(value, false)
    }

    /// Thoughts included: for what goes to no provider.
    pub fn with_thoughts(value: Value) -> Self {
        Self::read(value, true)
    }

    fn read(mut value: Value, thoughts: bool) -> Self {
        let (mut texts, mut images) = (Vec::new(), Vec::new());
        walk(&mut value, thoughts, &mut |leaf| match leaf {
            Leaf::Text(text) => texts.push(text.clone()),
            Leaf::Image(url) => images.push(url.to_owned()),
        });
        Self { value, thoughts, texts, images }
    }

    /// The value with other texts, as many as there are.
    pub fn write(self, new: Vec<String>) -> Value {
        let (mut value, mut new) = (self.value, new.into_iter());
        walk(&mut value, self.thoughts, &mut |leaf| {
            if let Leaf::Text(text) = leaf
                && let Some(changed) = new.next()
            {
                *text = changed;
            }
        });
        value
    }
}

enum Leaf<'v> {
    Text(&'v mut String),
    Image(&'v str),
}

/// Recursion ends: bodies are bounded in depth when they are read.
fn walk(value: &mut Value, thoughts: bool, see: &mut dyn FnMut(Leaf<'_>)) {
    match value {
        Value::String(text) => see(Leaf::Text(text)),
        Value::Array(items) => items.iter_mut().for_each(|item| walk(item, thoughts, see)),
        Value::Object(members) => {
            let is_text = members.get("type").is_some_and(|kind| kind == "text");
            for (name, member) in members.iter_mut() {
                match name.as_str() {
                    "image_url" => image(member, see),
                    // Base64, but for documents that are given as text.
                    "data" if !is_text => {}
                    "arguments" => arguments(member, see),
                    "args" | "input" | "response" if member.is_object() => all(member, see),
                    name if SKIPPED.contains(&name) || !thoughts && THOUGHTS.contains(&name) => {}
                    _ => walk(member, thoughts, see),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn image(value: &Value, see: &mut dyn FnMut(Leaf<'_>)) {
    let url = value.as_str().or_else(|| value.get("url")?.as_str());
    if let Some(url) = url {
        see(Leaf::Image(url));
    }
}

/// JSON in a text, which must be JSON afterwards.
fn arguments(value: &mut Value, see: &mut dyn FnMut(Leaf<'_>)) {
    let inner = value.as_str().and_then(|text| serde_json::from_str(text).ok());
    let Some(mut inner) = inner.filter(|inner: &Value| inner.is_object() || inner.is_array()) else {
        return all(value, see);
    };
    let before = inner.clone();
    all(&mut inner, see);
    if inner != before {
        *value = Value::String(inner.to_string());
    }
}

/// Every text: what a tool is given has names of the tool's own.
fn all(value: &mut Value, see: &mut dyn FnMut(Leaf<'_>)) {
    match value {
        Value::String(text) => see(Leaf::Text(text)),
        Value::Array(items) => items.iter_mut().for_each(|item| all(item, see)),
        Value::Object(members) => members.values_mut().for_each(|member| all(member, see)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn body(value: &Value) -> JsonBody {
        JsonBody::parse(Bytes::from(value.to_string())).unwrap()
    }

    #[test]
    fn what_is_said_is_found_in_every_dialect() {
        let picture = json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,eA=="}});
        let call = json!({"id": "c", "type": "function", "function": {"name": "f", "arguments": "{\"to\":\"said\",\"n\":1}"}});
        let document = json!({"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "said"}});
        for (body_of, count) in [
            (json!({"messages": [{"role": "user", "content": "said"}], "model": "m", "user": "u"}), 1),
            (
                json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "said"}, picture]}]}),
                1,
            ),
            (json!({"messages": [{"role": "assistant", "content": null, "tool_calls": [call]}]}), 1),
            (json!({"messages": [{"role": "tool", "tool_call_id": "c", "content": "said"}]}), 1),
            (
                json!({"system": [{"type": "text", "text": "said"}], "messages": [{"role": "user", "content": [document]}]}),
                2,
            ),
            (
                json!({"input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "said"}]}]}),
                1,
            ),
            (json!({"input": "said", "instructions": "said"}), 2),
            (
                json!({"contents": [{"role": "user", "parts": [{"text": "said"}]}], "systemInstruction": {"parts": [{"text": "said"}]}}),
                2,
            ),
            (
                json!({"contents": [{"parts": [{"text": "said"}]}], "system_instruction": {"parts": [{"text": "said"}]}}),
                2,
            ),
            (
                json!({"generateContentRequest": {"model": "models/m", "contents": [{"parts": [{"text": "said"}]}]}}),
                1,
            ),
            (json!({"generate_content_request": {"contents": [{"parts": [{"text": "said"}]}]}}), 1),
            (json!({"prompt": ["said", "said"], "suffix": "said"}), 3),
            (json!({"query": "said", "documents": ["said", {"text": "said"}]}), 3),
            (
                json!({"messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "said"}]}]}),
                1,
            ),
        ] {
            let body = body(&body_of);
            let texts = Texts::of(&body);
            assert_eq!(texts.texts(), vec!["said"; count], "{body_of}");
            let masked = texts.write(vec!["[X]".to_owned(); count], &body).unwrap();
            let text = std::str::from_utf8(masked.bytes()).unwrap();
            assert_eq!((text.matches("[X]").count(), text.contains("said")), (count, false), "{text}");
        }
    }

    #[test]
    fn what_is_not_changed_stays_as_it_came() {
        let text = r#"{"model" : "m","messages":[ {"role":"user","content":"a"} ], "n": 1.50 }"#;
        let body = JsonBody::parse(Bytes::from(text)).unwrap();
        let texts = Texts::of(&body);
        let same = texts.texts();
        assert_eq!(texts.write(same, &body).unwrap().bytes(), text.as_bytes());
    }

    #[test]
    fn pictures_are_named_and_never_searched() {
        let messages = json!([{"content": [{"type": "image_url", "image_url": {"url": "https://x/y.png"}}]}]);
        let leaves = Leaves::of(messages);
        assert_eq!((leaves.images, leaves.texts), (vec!["https://x/y.png".to_owned()], Vec::new()));
    }
}
