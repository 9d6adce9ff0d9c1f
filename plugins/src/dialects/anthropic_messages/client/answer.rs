//! An answer as a message.

use super::super::write_parts::{self, Blocks};
use super::super::{finish, usage};
use serde::Serialize;
use serde_json::{Value, json};
use weir_core::chat::{Answer, Kind, Object, Part};

use crate::dialects::View;

/// Members of a message that only this dialect has; what other dialects say more is not for its clients.
static NATIVE: &[&str] = &["container", "context_management", "stop_details"];

/// A message.
#[derive(Serialize)]
struct Told<'a> {
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    role: &'static str,
    model: &'a str,
    content: Blocks<'a>,
    stop_reason: String,
    stop_sequence: Option<String>,
    usage: Value,
    #[serde(flatten)]
    extra: Object,
}

/// Room for what stands around the content.
const FRAME: usize = 640;

pub(in super::super) fn write_answer(mut answer: Answer, view: &View<'_>) -> Vec<u8> {
    let (stop_reason, stop_sequence) = finish::write(answer.finish.take(), answer.has_tool_calls());
    answer.extra.retain(|name, _| NATIVE.contains(&name.as_str()));
    let content = cited(answer.content);
    let message = Told {
        id: answer.id.unwrap_or_else(|| made_up(view)),
        kind: "message",
        role: "assistant",
        model: answer.model.as_deref().unwrap_or(view.model),
        content: Blocks(&content),
        stop_reason,
        stop_sequence,
        usage: usage::write(&answer.usage.unwrap_or_default(), answer.service_tier.as_deref()),
        extra: answer.extra,
    };
    let mut out = Vec::with_capacity(FRAME + write_parts::room(&content));
    // Writing into memory does not fail, and nothing here has keys that are no strings.
    let _ = serde_json::to_writer(&mut out, &message);
    out
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

pub(super) fn made_up(view: &View<'_>) -> String {
    format!("msg_{}", view.id)
}

/// What a message of a stream begins with.
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
        let written = serde_json::to_value(Blocks(&parts)).unwrap();
        assert_eq!(written.as_array().map(Vec::len), Some(2));
        assert_eq!(written[0]["citations"][1]["url"], "https://y");
        assert!(written[1].get("citations").is_none());
    }
}
