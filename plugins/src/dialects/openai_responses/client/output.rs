//! What the model says, gathered as items of an output. Both the plain answer and the stream are told from here, so
//! that ids, places and texts are the same.

use super::super::items::REDACTED;
use super::super::names::{self, Names};
use crate::dialects::dialect::View;
use serde_json::{Value, json};
use weir_core::chat::{
    Answer, Begun, Citation, Delta, Dialect, Event, Finish, Kind, Part, Source, ToolCallKind, replay,
};

/// Grows with the answer: the last event of a stream repeats it.
#[derive(Debug)]
pub(super) struct Output {
    /// The unique part of all ids.
    id: String,
    names: Names,
    items: Vec<Item>,
    /// Where each block stands, by its index; `None` for what this dialect cannot say.
    places: Vec<Option<Place>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) item: usize,
    /// Within a message.
    pub(super) content: usize,
}

#[derive(Debug)]
pub(super) struct Item {
    pub(super) id: String,
    pub(super) body: Body,
    /// Blocks that have not stopped.
    pub(super) open: usize,
}

#[derive(Debug)]
pub(super) enum Body {
    Message(Vec<Spoken>),
    Reasoning {
        text: String,
        signature: Option<String>,
    },
    Function {
        call_id: String,
        namespace: Option<String>,
        name: String,
        arguments: String,
    },
    Custom {
        call_id: String,
        name: String,
        input: String,
        /// Arguments of the function that stands for the tool; nothing can be told before they are whole.
        held: Option<String>,
    },
    Whole(Value),
}

#[derive(Debug)]
pub(super) enum Spoken {
    Text { text: String, annotations: Vec<Value> },
    Refusal(String),
}

// --- Output ---

impl Output {
    pub(super) fn new(view: &View<'_>) -> Self {
        let names = Names::of(view.body.raw("tools"));
        Self { id: view.id.to_owned(), names, items: Vec::new(), places: Vec::new() }
    }

    /// All of an answer.
    pub(super) fn of(content: Vec<Part>, view: &View<'_>) -> Self {
        let mut output = Output::new(view);
        for event in replay(Answer { content, ..Answer::default() }) {
            output.take(event);
        }
        output
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::BlockStart { block, .. } => {
                self.begin(block);
            }
            Event::BlockDelta { index, delta } => {
                let Some(place) = self.place(index) else { return };
                match delta {
                    Delta::Text(text) | Delta::Arguments(text) => {
                        self.grow(place, &text);
                    }
                    Delta::Signature(signature) => self.sign(place, signature),
                    Delta::Citation(citation) => {
                        self.cite(place, *citation);
                    }
                }
            }
            Event::BlockStop { index } => {
                self.stop(index);
            }
            _ => {}
        }
    }

    pub(super) fn place(&self, index: usize) -> Option<Place> {
        self.places.get(index).copied().flatten()
    }

    pub(super) fn items(&self) -> &[Item] {
        &self.items
    }

    pub(super) fn blocks(&self) -> usize {
        self.places.len()
    }

    /// A block starts. `None`: this dialect has no word for it.
    pub(super) fn begin(&mut self, block: Begun) -> Option<Place> {
        let place = match block {
            Begun::Text => Some(self.speak(Spoken::Text { text: String::new(), annotations: Vec::new() })),
            Begun::Refusal => Some(self.speak(Spoken::Refusal(String::new()))),
            Begun::Thinking { id } => {
                Some(self.add("rs", id, Body::Reasoning { text: String::new(), signature: None }))
            }
            Begun::ToolCall { id, name, kind } => Some(self.call(id, name, kind)),
            Begun::Whole(part) => self.whole(*part),
        };
        self.places.push(place);
        place
    }

    /// Blocks of text in a row are parts of one message.
    fn speak(&mut self, spoken: Spoken) -> Place {
        let Some(Item { body: Body::Message(parts), open, .. }) = self.items.last_mut() else {
            return self.add("msg", None, Body::Message(vec![spoken]));
        };
        parts.push(spoken);
        *open += 1;
        let content = parts.len() - 1;
        Place { item: self.items.len() - 1, content }
    }

    fn call(&mut self, call_id: String, name: String, kind: ToolCallKind) -> Place {
        let held = self.names.is_wrapped(&name, kind).then(String::new);
        if kind == ToolCallKind::Custom || held.is_some() {
            return self.add("ctc", None, Body::Custom { call_id, name, input: String::new(), held });
        }
        let (namespace, name) = self.names.split(name);
        self.add("fc", None, Body::Function { call_id, namespace, name, arguments: String::new() })
    }

    fn whole(&mut self, part: Part) -> Option<Place> {
        match part.kind {
            Kind::Opaque { dialect: Dialect::OpenAiResponses, value } => {
                let id = value.get("id").and_then(Value::as_str).map(str::to_owned);
                Some(self.add("item", id, Body::Whole(value)))
            }
            Kind::RedactedThinking { data } => {
                let signature = Some(format!("{REDACTED}{data}"));
                Some(self.add("rs", None, Body::Reasoning { text: String::new(), signature }))
            }
            Kind::Image(media) => match media.source {
                Source::Base64 { data, .. } => Some(self.image(&data)),
                _ => None,
            },
            _ => None,
        }
    }

    fn image(&mut self, data: &str) -> Place {
        let id = self.id("ig");
        let item =
            json!({ "id": id, "type": "image_generation_call", "status": "completed", "result": data });
        self.add("ig", Some(id), Body::Whole(item))
    }

    fn add(&mut self, prefix: &str, id: Option<String>, body: Body) -> Place {
        let id = id.unwrap_or_else(|| self.id(prefix));
        self.items.push(Item { id, body, open: 1 });
        Place { item: self.items.len() - 1, content: 0 }
    }

    fn id(&self, prefix: &str) -> String {
        format!("{prefix}_{}_{}", self.id, self.items.len())
    }

    /// More text or arguments; answers whether they may be told now.
    pub(super) fn grow(&mut self, place: Place, more: &str) -> bool {
        let Some(item) = self.items.get_mut(place.item) else { return false };
        let text = match &mut item.body {
            Body::Custom { held: Some(held), .. } => {
                held.push_str(more);
                return false;
            }
            Body::Message(parts) => match parts.get_mut(place.content) {
                Some(Spoken::Text { text, .. } | Spoken::Refusal(text)) => text,
                None => return false,
            },
            Body::Reasoning { text, .. } => text,
            Body::Function { arguments, .. } => arguments,
            Body::Custom { input, .. } => input,
            Body::Whole(_) => return false,
        };
        text.push_str(more);
        !more.is_empty()
    }

    pub(super) fn sign(&mut self, place: Place, by: String) {
        if let Some(Item { body: Body::Reasoning { signature, .. }, .. }) = self.items.get_mut(place.item) {
            *signature = Some(by);
        }
    }

    /// The annotation and its number.
    pub(super) fn cite(&mut self, place: Place, citation: Citation) -> Option<(usize, &Value)> {
        let Body::Message(parts) = &mut self.items.get_mut(place.item)?.body else { return None };
        let Spoken::Text { annotations, .. } = parts.get_mut(place.content)? else { return None };
        annotations.push(annotation(citation));
        annotations.last().map(|last| (annotations.len() - 1, last))
    }

    /// A block is whole. Gives the text that was held back until now.
    pub(super) fn stop(&mut self, index: usize) -> Option<(Place, String)> {
        let place = self.places.get_mut(index)?.take()?;
        let item = self.items.get_mut(place.item)?;
        item.open = item.open.saturating_sub(1);
        let late = match &mut item.body {
            Body::Custom { held: slot @ Some(_), .. } => names::unwrap(slot.take().unwrap_or_default()),
            // Clients parse this as JSON, and some models say nothing where they mean no arguments.
            Body::Function { arguments, .. } if arguments.is_empty() => "{}".to_owned(),
            _ => return Some((place, String::new())),
        };
        self.grow(place, &late);
        Some((place, late))
    }

    /// The items of an output that ended so.
    pub(super) fn values(&self, finish: Option<&Finish>) -> Vec<Value> {
        let last = self.items.len().saturating_sub(1);
        let status = |index| if index == last { last_status(finish) } else { "completed" };
        self.items.iter().enumerate().map(|(index, item)| item.value(status(index))).collect()
    }
}

/// The status of the item at which the model stopped.
pub(super) fn last_status(finish: Option<&Finish>) -> &'static str {
    match finish {
        Some(Finish::Length | Finish::ContentFilter) => "incomplete",
        _ => "completed",
    }
}

// --- Item ---

impl Item {
    /// The item as it is so far.
    pub(super) fn value(&self, status: &str) -> Value {
        let id = &self.id;
        match &self.body {
            Body::Message(parts) => {
                let content: Vec<Value> = parts.iter().map(Spoken::value).collect();
                json!({ "id": id, "type": "message", "status": status, "role": "assistant", "content": content })
            }
            Body::Reasoning { text, signature } => reasoning(id, text, signature.as_deref()),
            Body::Function { call_id, namespace, name, arguments } => {
                let mut item = json!({
                    "id": id, "type": "function_call", "status": status,
                    "call_id": call_id, "name": name, "arguments": arguments,
                });
                if let (Some(namespace), Some(item)) = (namespace, item.as_object_mut()) {
                    item.insert("namespace".into(), namespace.as_str().into());
                }
                item
            }
            Body::Custom { call_id, name, input, .. } => json!({
                "id": id, "type": "custom_tool_call", "status": status,
                "call_id": call_id, "name": name, "input": input,
            }),
            Body::Whole(value) => value.clone(),
        }
    }
}

fn reasoning(id: &str, text: &str, signature: Option<&str>) -> Value {
    let summary = if text.is_empty() { json!([]) } else { json!([{ "type": "summary_text", "text": text }]) };
    match signature {
        Some(proof) => {
            json!({ "id": id, "type": "reasoning", "summary": summary, "encrypted_content": proof })
        }
        None => json!({ "id": id, "type": "reasoning", "summary": summary }),
    }
}

impl Spoken {
    pub(super) fn value(&self) -> Value {
        match self {
            Spoken::Text { text, annotations } => {
                json!({ "type": "output_text", "text": text, "annotations": annotations, "logprobs": [] })
            }
            Spoken::Refusal(text) => json!({ "type": "refusal", "refusal": text }),
        }
    }
}

/// A citation that points nowhere on the web is one of a file; it has no id here.
fn annotation(citation: Citation) -> Value {
    let Citation { url, title, cited_text, start, end, original } = citation;
    if let Some((Dialect::OpenAiResponses, value)) = original {
        return value;
    }
    let start = start.unwrap_or_default();
    let end = end.unwrap_or(start);
    match url {
        Some(url) => json!({
            "type": "url_citation", "url": url, "title": title.unwrap_or_default(),
            "start_index": start, "end_index": end,
        }),
        None => json!({
            "type": "file_citation", "file_id": "", "filename": title.unwrap_or_default(), "index": start,
            "quote": cited_text,
        }),
    }
}
