//! A prompt as a chat of one message.

use std::borrow::Cow;
use weir_core::body::{JsonBody, Members, Node};
use weir_core::error::{ApiError, Kind};

/// Members that have no meaning in a chat, and the values of them that ask for nothing.
static UNTRANSLATED: &[(&str, &[&str])] = &[
    ("suffix", &["null", "\"\""]),
    ("echo", &["null", "false"]),
    ("logprobs", &["null"]),
    ("best_of", &["null", "1"]),
    ("n", &["null", "1"]),
];

/// The body of the chat that asks the same.
///
/// # Errors
/// 400 for a body that is no object or has no prompt, and for what a chat cannot give.
pub(super) fn as_chat(body: &JsonBody) -> Result<Members<'_>, ApiError> {
    for (name, idle) in UNTRANSLATED {
        if body.raw(name).is_some_and(|raw| !idle.contains(&raw)) {
            return Err(bad(
                name,
                format!("This model answers chats only, which have no '{name}': leave it out."),
            ));
        }
    }
    let mut members: Members<'_> = serde_json::from_str(body.as_str())
        .map_err(|e| ApiError::new(Kind::BadJson, format!("Invalid JSON payload: {e}")))?;
    for (name, _) in UNTRANSLATED {
        members.take(name);
    }
    let prompt = text(members.take("prompt").unwrap_or(Node::Null))?;
    let message = [("role", Node::Text(Cow::Borrowed("user"))), ("content", Node::Text(prompt))];
    members.push("messages", Node::List(vec![Node::Object(Members::from_iter(message))]));
    Ok(members)
}

/// One text, bare or as the only one of a list.
fn text(prompt: Node<'_>) -> Result<Cow<'_, str>, ApiError> {
    let is_text = |node: &Node<'_>| node.as_str().is_some();
    match prompt {
        Node::Text(text) => Ok(text),
        Node::List(mut list) if list.len() == 1 && list.first().is_some_and(is_text) => text(list.remove(0)),
        Node::Null => Err(bad("prompt", "Missing required parameter: 'prompt'.")),
        Node::List(list) if list.iter().all(is_text) && !list.is_empty() => Err(bad(
            "prompt",
            "This model answers chats only, one prompt to a request: send each prompt on its own.",
        )),
        _ => Err(bad("prompt", "This model answers chats only: send 'prompt' as text, not as tokens.")),
    }
}

fn bad(param: &str, message: impl Into<String>) -> ApiError {
    ApiError::new(Kind::BadRequest, message).with_param(param)
}
