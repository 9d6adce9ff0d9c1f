//! What one kind of text is called in a stream, and where a piece of it belongs.

use super::output::{Body, Item, Place, Spoken};
use serde::Serialize;
use serde_json::{Value, json};

/// Where a piece of text belongs, and the piece.
#[derive(Serialize)]
pub(super) struct Piece<'a> {
    pub(super) item_id: &'a str,
    pub(super) output_index: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) summary_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) delta: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refusal: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) arguments: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) input: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) part: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) logprobs: Option<[(); 0]>,
}

/// Names of the events of one kind of text.
pub(super) struct Words {
    pub(super) delta: &'static str,
    pub(super) done: &'static str,
    pub(super) part_added: Option<&'static str>,
    pub(super) part_done: Option<&'static str>,
}

const fn words(delta: &'static str, done: &'static str) -> Words {
    Words { delta, done, part_added: None, part_done: None }
}

impl Words {
    const fn parts(mut self, added: &'static str, done: &'static str) -> Words {
        (self.part_added, self.part_done) = (Some(added), Some(done));
        self
    }
}

pub(super) static TEXT: Words = words("response.output_text.delta", "response.output_text.done")
    .parts("response.content_part.added", "response.content_part.done");
static REFUSAL: Words = words("response.refusal.delta", "response.refusal.done")
    .parts("response.content_part.added", "response.content_part.done");
static SUMMARY: Words =
    words("response.reasoning_summary_text.delta", "response.reasoning_summary_text.done")
        .parts("response.reasoning_summary_part.added", "response.reasoning_summary_part.done");
static FUNCTION: Words =
    words("response.function_call_arguments.delta", "response.function_call_arguments.done");
static CUSTOM: Words = words("response.custom_tool_call_input.delta", "response.custom_tool_call_input.done");

// --- Item ---

impl Item {
    pub(super) fn words(&self, place: Place) -> Option<&'static Words> {
        match &self.body {
            Body::Message(parts) => match parts.get(place.content)? {
                Spoken::Text { .. } => Some(&TEXT),
                Spoken::Refusal(_) => Some(&REFUSAL),
            },
            Body::Reasoning { .. } => Some(&SUMMARY),
            Body::Function { .. } => Some(&FUNCTION),
            Body::Custom { .. } => Some(&CUSTOM),
            Body::Whole(_) => None,
        }
    }

    pub(super) fn at(&self, place: Place) -> Piece<'_> {
        Piece {
            item_id: &self.id,
            output_index: place.item,
            content_index: matches!(self.body, Body::Message(_)).then_some(place.content),
            summary_index: matches!(self.body, Body::Reasoning { .. }).then_some(0),
            delta: None,
            text: None,
            refusal: None,
            name: None,
            arguments: None,
            input: None,
            part: None,
            logprobs: None,
        }
    }

    /// The body of the event that says the text is whole.
    pub(super) fn whole(&self, place: Place) -> Piece<'_> {
        let at = self.at(place);
        match &self.body {
            Body::Message(parts) => match parts.get(place.content) {
                Some(Spoken::Text { text, .. }) => Piece { text: Some(text), logprobs: Some([]), ..at },
                Some(Spoken::Refusal(text)) => Piece { refusal: Some(text), ..at },
                None => at,
            },
            Body::Reasoning { text, .. } => Piece { text: Some(text), ..at },
            Body::Function { name, arguments, .. } => {
                Piece { name: Some(name), arguments: Some(arguments), ..at }
            }
            Body::Custom { input, .. } => Piece { input: Some(input), ..at },
            Body::Whole(_) => at,
        }
    }

    pub(super) fn part(&self, place: Place) -> Option<Value> {
        match &self.body {
            Body::Message(parts) => parts.get(place.content).map(Spoken::value),
            Body::Reasoning { text, .. } => Some(json!({ "type": "summary_text", "text": text })),
            _ => None,
        }
    }

    /// A summary without text has no part, so it is not said to be done either.
    pub(super) fn is_silent_thought(&self) -> bool {
        matches!(self.body, Body::Reasoning { .. }) && self.is_silent()
    }

    pub(super) fn is_silent(&self) -> bool {
        matches!(&self.body, Body::Reasoning { text, .. } if text.is_empty())
    }
}
