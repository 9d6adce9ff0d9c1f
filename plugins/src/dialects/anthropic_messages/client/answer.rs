//! An answer as a message.

use super::super::{finish, usage, write_parts};
use serde_json::{Value, json};
use weir_core::chat::{Answer, Kind, Object, Part};

use crate::dialects::View;

/// Members of a message that only this dialect has; what other dialects say more is not for its clients.
static NATIVE: &[&str] = &["container", "context_management", "stop_details"];

pub(in super::super) fn write_answer(answer: Answer, view: &View<'_>) -> Vec<u8> {
    let (reason, sequence) = finish::write(answer.finish.clone(), answer.has_tool_calls());
    let usage = usage::write(&answer.usage.unwrap_or_default(), answer.service_tier.as_deref());
    let mut message = head(answer.id, answer.model.as_deref(), view);
    message.insert("content".to_owned(), write_parts::blocks(cited(answer.content)).into());
    message.insert("stop_reason".to_owned(), reason.into());
    message.insert("stop_sequence".to_owned(), json!(sequence));
    message.insert("usage".to_owned(), usage);
    message.extend(answer.extra.into_iter().filter(|(name, _)| NATIVE.contains(&name.as_str())));
    Value::Object(message).to_string().into_bytes()
}

/// Nova tells sources in blocks without text. Empty text is left out, so they go to the text before.
fn cited(content: Vec<Part>) -> Vec<Part> {
    let mut out: Vec<Part> = Vec::with_capacity(content.len());
    for mut part in content {
        let sources = match &mut part.kind {
            Kind::Text { text, citations } if text.is_empty() => std::mem::take(citations),
            _ => Vec::new(),
        };
        match out.last_mut().map(|last| &mut last.kind) {
            Some(Kind::Text { citations, .. }) if !sources.is_empty() => citations.extend(sources),
            _ => out.push(part),
        }
    }
    out
}

/// What a message begins with, whole or in a stream.
pub(super) fn head(id: Option<String>, model: Option<&str>, view: &View<'_>) -> Object {
    head_of(id.unwrap_or_else(|| made_up(view)), model.unwrap_or(view.model))
}

pub(super) fn made_up(view: &View<'_>) -> String {
    format!("msg_{}", view.id)
}

pub(super) fn head_of(id: String, model: &str) -> Object {
    let members = [
        ("id", json!(id)),
        ("type", json!("message")),
        ("role", json!("assistant")),
        ("model", json!(model)),
    ];
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_core::chat::Citation;

    #[test]
    fn sources_without_text_stand_on_the_text_before() {
        let source = |url: &str| Citation { url: Some(url.into()), ..Citation::default() };
        let only = |url: &str| Part::new(Kind::Text { text: String::new(), citations: vec![source(url)] });
        let parts = cited(vec![Part::text("a"), only("https://x"), only("https://y"), Part::text("b")]);
        let written = write_parts::blocks(parts);
        assert_eq!(written.len(), 2);
        assert_eq!(written[0]["citations"][1]["url"], "https://y");
        assert!(written[1].get("citations").is_none());
    }
}
