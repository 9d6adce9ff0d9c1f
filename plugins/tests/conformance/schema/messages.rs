//! Anthropic's Messages.

use super::{Checked, Is, Rule, Sent, list, obey, require};
use serde_json::Value;

static WORDS: &[&str] = &[
    "end_turn",
    "max_tokens",
    "stop_sequence",
    "tool_use",
    "pause_turn",
    "refusal",
    "model_context_window_exceeded",
    "compaction",
];

static HEAD: &[Rule] = &[
    ("/id", Is::Text),
    ("/type", Is::This("message")),
    ("/role", Is::This("assistant")),
    ("/model", Is::Text),
    ("/content", Is::List),
    ("/usage/input_tokens", Is::Count),
    ("/usage/output_tokens", Is::Count),
];

static END: &[Rule] = &[("/stop_reason", Is::OneOf(WORDS)), ("/stop_sequence", Is::MaybeText)];

/// Blocks that clients know, and their members.
static BLOCKS: &[(&str, &[Rule])] = &[
    ("text", &[("/text", Is::Text)]),
    ("thinking", &[("/thinking", Is::Text), ("/signature", Is::Text)]),
    ("redacted_thinking", &[("/data", Is::Text)]),
    ("tool_use", &[("/id", Is::Text), ("/name", Is::Text), ("/input", Is::Object)]),
    ("server_tool_use", &[("/id", Is::Text), ("/name", Is::Text), ("/input", Is::Object)]),
];

/// Deltas, the block that each belongs to, and their member.
static DELTAS: &[(&str, &str, Rule)] = &[
    ("text_delta", "text", ("/text", Is::Text)),
    ("citations_delta", "text", ("/citation", Is::Object)),
    ("thinking_delta", "thinking", ("/thinking", Is::Text)),
    ("signature_delta", "thinking", ("/signature", Is::Text)),
    ("input_json_delta", "tool_use", ("/partial_json", Is::Text)),
    ("input_json_delta", "server_tool_use", ("/partial_json", Is::Text)),
];

pub fn answer(value: &Value) -> Checked {
    obey(value, HEAD)?;
    obey(value, END)?;
    list(value, "/content").iter().try_for_each(block)
}

fn block(block: &Value) -> Checked {
    let kind = block["type"].as_str().ok_or("a block without a type")?;
    if let Some((_, rules)) = BLOCKS.iter().find(|(known, _)| *known == kind) {
        obey(block, rules)?;
        return list(block, "/citations").iter().try_for_each(|c| obey(c, &[("/type", Is::Text)]));
    }
    // What server tools found.
    require(kind.ends_with("_tool_result"), || format!("an unknown block: {block}"))?;
    obey(block, &[("/tool_use_id", Is::Text)])
}

pub fn error(value: &Value) -> Checked {
    let rules = [("/type", Is::This("error")), ("/error/type", Is::Text), ("/error/message", Is::Text)];
    obey(value, &rules)
}

// --- streams ---

#[derive(Default)]
struct Seen {
    blocks: u64,
    /// Type of the open block, and its input so far.
    open: Option<(String, String)>,
    ended: bool,
    /// The input of the last call was no JSON: it was cut off.
    broken: Option<String>,
}

pub fn stream(events: &[Sent], faulty: bool) -> Checked {
    for event in events {
        require(event.name.as_deref() == event.data["type"].as_str(), || "name and type differ".to_owned())?;
    }
    let Some((last, rest)) = events.split_last() else { return Err("it is empty".to_owned()) };
    let mut seen = Seen::default();
    if let Some((first, rest)) = rest.split_first() {
        require(first.data["type"] == "message_start", || "it does not begin with message_start".to_owned())?;
        obey(&first.data["message"], HEAD)?;
        rest.iter().try_for_each(|event| seen.event(&event.data))?;
    }
    if faulty {
        return error(&last.data);
    }
    require(seen.ended, || "no message_delta".to_owned())?;
    require(last.data["type"] == "message_stop", || "it does not end with message_stop".to_owned())
}

impl Seen {
    fn event(&mut self, event: &Value) -> Checked {
        require(!self.ended, || format!("after message_delta: {event}"))?;
        match event["type"].as_str().unwrap_or_default() {
            "ping" => Ok(()),
            "content_block_start" => self.start(event),
            "content_block_delta" => self.delta(event),
            "content_block_stop" => self.stop(event),
            "message_delta" => self.end(event),
            _ => Err(format!("an unknown event: {event}")),
        }
    }

    fn start(&mut self, event: &Value) -> Checked {
        require(event["index"] == self.blocks, || format!("indices have a gap: {event}"))?;
        require(self.open.is_none(), || format!("the block before is open: {event}"))?;
        let kind = event["content_block"]["type"].as_str().unwrap_or_default().to_owned();
        self.open = Some((kind, String::new()));
        block(&event["content_block"])
    }

    fn delta(&mut self, event: &Value) -> Checked {
        require(event["index"] == self.blocks, || format!("another block: {event}"))?;
        let Some((kind, input)) = &mut self.open else { return Err(format!("no block is open: {event}")) };
        let delta = &event["delta"];
        let known = DELTAS.iter().find(|(name, of, _)| delta["type"] == *name && kind == of);
        let (_, _, rule) = known.ok_or_else(|| format!("does not belong into {kind}: {event}"))?;
        input.push_str(delta["partial_json"].as_str().unwrap_or_default());
        obey(delta, &[*rule])
    }

    fn stop(&mut self, event: &Value) -> Checked {
        require(event["index"] == self.blocks, || format!("another block: {event}"))?;
        let (_, input) = self.open.take().ok_or_else(|| format!("no block is open: {event}"))?;
        self.blocks += 1;
        require(self.broken.is_none(), || format!("the input is no JSON: {:?}", self.broken))?;
        let whole = input.is_empty() || serde_json::from_str::<Value>(&input).is_ok();
        self.broken = (!whole).then_some(input);
        Ok(())
    }

    fn end(&mut self, event: &Value) -> Checked {
        require(self.open.is_none(), || "a block is open at the end".to_owned())?;
        self.ended = true;
        obey(&event["delta"], END)?;
        let may = event["delta"]["stop_reason"] == "max_tokens";
        require(may || self.broken.is_none(), || format!("the input is no JSON: {:?}", self.broken))?;
        obey(event, &[("/usage/output_tokens", Is::Count)])
    }
}
