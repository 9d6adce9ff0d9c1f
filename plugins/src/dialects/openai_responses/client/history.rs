//! Items and messages: what is stored of a response, and how a later one continues it.

use super::super::items::{self, Item};
use super::output::Output;
use super::{bad, member};
use crate::dialects::dialect::View;
use serde::Deserialize;
use serde_json::{Value, json};
use weir_core::body::JsonBody;
use weir_core::chat::{Answer, Message, Part, Request, Role};
use weir_core::error::ApiError;

#[derive(Deserialize)]
#[serde(untagged)]
enum Input {
    Text(String),
    Items(Vec<Value>),
}

/// The items of a request's `input`; a text is one message of the user.
///
/// # Errors
/// 400 where `input` is neither a text nor a list.
pub fn input_items(body: &JsonBody) -> Result<Vec<Value>, ApiError> {
    let input =
        member(body, "input").map_err(|_| bad("input", "Invalid type for 'input': send a text or a list"))?;
    Ok(match input {
        None => Vec::new(),
        Some(Input::Items(items)) => items,
        Some(Input::Text(text)) => {
            let content = json!([{ "type": "input_text", "text": text }]);
            vec![json!({ "type": "message", "role": "user", "content": content })]
        }
    })
}

/// The items of an answer, with the ids that the client saw: those of the same view.
pub fn output_items(answer: &Answer, view: &View<'_>) -> Vec<Value> {
    Output::of(answer.content.clone(), view).values(answer.finish.as_ref())
}

/// Items of a conversation as messages. What the model did in a row is one message, and so are results of tools.
///
/// # Errors
/// 400 naming the item that cannot be read.
pub fn messages(items: Vec<Value>) -> Result<Vec<Message>, ApiError> {
    let mut messages = Vec::new();
    for (index, value) in items.into_iter().enumerate() {
        let param = format!("input[{index}]");
        match items::read(value).map_err(|e| bad(&param, format!("Invalid '{param}': {e}")))? {
            Item::Message { role: Role::Assistant, parts } => extend(&mut messages, Role::Assistant, parts),
            Item::Message { role, parts } => messages.push(Message::new(role, parts)),
            Item::Block(part) => extend(&mut messages, Role::Assistant, [part]),
            Item::Result(part) => extend(&mut messages, Role::Tool, [part]),
        }
    }
    Ok(messages)
}

/// Puts what was said before in front of a request. Instructions stay first: those of the earlier response do not count
/// any more.
pub fn prepend(request: &mut Request, history: Vec<Message>, body: &JsonBody) {
    let instructed = usize::from(instructions(body).is_ok_and(|i| i.is_some()));
    let new = request.messages.split_off(instructed.min(request.messages.len()));
    for message in history.into_iter().chain(new) {
        match message.role {
            Role::Assistant | Role::Tool => extend(&mut request.messages, message.role, message.content),
            _ => request.messages.push(message),
        }
    }
}

/// The instructions, if there are any.
pub(super) fn instructions(body: &JsonBody) -> Result<Option<String>, ApiError> {
    let instructions: Option<String> = member(body, "instructions")?;
    Ok(instructions.filter(|text| !text.is_empty()))
}

fn extend(messages: &mut Vec<Message>, role: Role, parts: impl IntoIterator<Item = Part>) {
    match messages.last_mut().filter(|last| last.role == role) {
        Some(last) => last.content.extend(parts),
        None => messages.push(Message::new(role, parts.into_iter().collect())),
    }
}
