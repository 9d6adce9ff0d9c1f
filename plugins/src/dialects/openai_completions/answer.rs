//! What a chat model says, as a completion: text, why it ended, and usage. Thoughts and tool calls have no place in it.

use crate::dialects::openai_chat::{ToldUsage, finish_word};
use crate::dialects::{EventWriter, View};
use bytes::{BufMut, BytesMut};
use serde::Serialize;
use weir_core::chat::{Answer, Begun, Delta, Event, Finish, Kind, Part};
use weir_core::domain::usage::Usage;

#[derive(Serialize)]
struct Body<'a> {
    id: &'a str,
    object: &'static str,
    created: i64,
    model: &'a str,
    choices: &'a [Choice<'a>],
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<ToldUsage>,
}

#[derive(Serialize)]
struct Choice<'a> {
    text: &'a str,
    index: u8,
    logprobs: Option<()>,
    finish_reason: Option<&'static str>,
}

/// The JSON body of a 200.
pub(super) fn write(answer: &Answer, view: &View<'_>) -> Vec<u8> {
    let text: String = answer.content.iter().filter_map(said).collect();
    let finish = answer.finish.as_ref().unwrap_or(&Finish::Stop);
    let body = Body {
        id: &id(view),
        object: "text_completion",
        created: view.created,
        model: answer.model.as_deref().unwrap_or(view.model),
        choices: &[Choice {
            text: &text,
            index: 0,
            logprobs: None,
            finish_reason: Some(finish_word(finish)),
        }],
        usage: answer.usage.as_ref().map(ToldUsage::from),
    };
    serde_json::to_vec(&body).unwrap_or_default()
}

/// As in LiteLLM, the id of the chat that was asked instead.
fn id(view: &View<'_>) -> String {
    format!("chatcmpl-{}", view.id)
}

fn said(part: &Part) -> Option<&str> {
    match &part.kind {
        Kind::Text { text, .. } | Kind::Refusal(text) => Some(text),
        _ => None,
    }
}

/// One per stream.
pub(super) struct Writer {
    id: String,
    model: String,
    created: i64,
    include_usage: bool,
    /// By the index of events: whether the block is text for the client.
    spoken: Vec<bool>,
    usage: Option<Usage>,
}

// --- Writer ---

impl Writer {
    pub(super) fn new(view: &View<'_>) -> Self {
        Self {
            id: id(view),
            model: view.model.to_owned(),
            created: view.created,
            include_usage: view.include_usage,
            spoken: Vec::new(),
            usage: None,
        }
    }

    fn start(&mut self, block: &Begun, out: &mut BytesMut) {
        self.spoken.push(matches!(block, Begun::Text | Begun::Refusal));
        if let Begun::Whole(part) = block
            && let Some(text) = said(part)
        {
            self.say(text, None, out);
        }
    }

    fn say(&self, text: &str, finish: Option<&'static str>, out: &mut BytesMut) {
        self.frame(&[Choice { text, index: 0, logprobs: None, finish_reason: finish }], None, out);
    }

    fn frame(&self, choices: &[Choice<'_>], usage: Option<ToldUsage>, out: &mut BytesMut) {
        let body = Body {
            id: &self.id,
            object: "text_completion",
            created: self.created,
            model: &self.model,
            choices,
            usage,
        };
        out.extend_from_slice(b"data: ");
        // Writing into memory does not fail, and nothing here has keys that are no strings.
        let _ = serde_json::to_writer((&mut *out).writer(), &body);
        out.extend_from_slice(b"\n\n");
    }
}

impl EventWriter for Writer {
    fn write(&mut self, event: Event, out: &mut BytesMut) {
        match event {
            Event::Start { model: Some(model), .. } => self.model = model,
            Event::BlockStart { block, .. } => self.start(&block, out),
            Event::BlockDelta { index, delta: Delta::Text(text) }
                if self.spoken.get(index) == Some(&true) =>
            {
                self.say(&text, None, out);
            }
            Event::Usage(usage) => self.usage = Some(usage),
            Event::Finish(finish) => self.say("", Some(finish_word(&finish)), out),
            // Faults are told by the gateway with `error_event`.
            _ => {}
        }
    }

    fn end(&mut self, out: &mut BytesMut) {
        if let Some(usage) = self.usage.filter(|_| self.include_usage) {
            self.frame(&[], Some(ToldUsage::from(&usage)), out);
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
    }
}
