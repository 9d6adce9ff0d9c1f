//! OpenAI's Responses.

use super::{Checked, Is, Rule, Sent, list, obey, require};
use serde_json::Value;
use std::collections::BTreeMap;

static HEAD: &[Rule] = &[
    ("/id", Is::Text),
    ("/object", Is::This("response")),
    ("/created_at", Is::Count),
    ("/model", Is::Text),
    ("/output", Is::List),
    ("/error", Is::MaybeObject),
    ("/incomplete_details", Is::MaybeObject),
    ("/tools", Is::List),
];

static USAGE: &[Rule] = &[
    ("/input_tokens", Is::Count),
    ("/output_tokens", Is::Count),
    ("/total_tokens", Is::Count),
    ("/input_tokens_details/cached_tokens", Is::Count),
    ("/output_tokens_details/reasoning_tokens", Is::Count),
];

/// Items that clients act on, and their members. Others are tools that the provider runs.
static ITEMS: &[(&str, &[Rule])] = &[
    ("message", &[("/status", Is::Text), ("/role", Is::This("assistant")), ("/content", Is::List)]),
    ("reasoning", &[("/summary", Is::List)]),
    ("function_call", &[("/call_id", Is::Text), ("/name", Is::Text), ("/arguments", Is::Text)]),
    ("custom_tool_call", &[("/call_id", Is::Text), ("/name", Is::Text), ("/input", Is::Text)]),
];

pub fn answer(value: &Value) -> Checked {
    obey(value, HEAD)?;
    obey(value, &[("/status", Is::OneOf(&["completed", "incomplete"])), ("/usage", Is::MaybeObject)])?;
    let reason = value["incomplete_details"]["reason"].is_string();
    require(reason == (value["status"] == "incomplete"), || "status and details differ".to_owned())?;
    list(value, "/output").iter().try_for_each(item)?;
    if value["usage"].is_null() { Ok(()) } else { obey(&value["usage"], USAGE) }
}

fn item(item: &Value) -> Checked {
    obey(item, &[("/id", Is::Text), ("/type", Is::Text)])?;
    let Some((_, rules)) = ITEMS.iter().find(|(kind, _)| item["type"] == *kind) else { return Ok(()) };
    obey(item, rules)?;
    list(item, "/content").iter().try_for_each(part)
}

fn part(part: &Value) -> Checked {
    match part["type"].as_str() {
        Some("output_text") => obey(part, &[("/text", Is::Text), ("/annotations", Is::List)]),
        Some("refusal") => obey(part, &[("/refusal", Is::Text)]),
        Some("reasoning_text") => obey(part, &[("/text", Is::Text)]),
        _ => Err(format!("an unknown part: {part}")),
    }
}

// --- streams ---

/// An item while it is told: what has been told of its parts, arguments among them.
struct Open {
    id: Value,
    told: BTreeMap<u64, String>,
}

#[derive(Default)]
struct Seen {
    items: Vec<Open>,
    done: Vec<Value>,
}

pub fn stream(events: &[Sent], faulty: bool) -> Checked {
    for event in events {
        require(event.name.as_deref() == event.data["type"].as_str(), || "name and type differ".to_owned())?;
    }
    if !faulty {
        let Some((last, told)) = events.split_last() else { return Err("it is empty".to_owned()) };
        let (seen, id) = beginning(told)?;
        numbered(events)?;
        return seen.end(&last.data, &id);
    }
    // Whoever tells the error does not know how many events there were, so these two have no numbers.
    let [told @ .., error, failed] = events else { return Err("the error is not told twice".to_owned()) };
    obey(&error.data, &[("/type", Is::This("error")), ("/message", Is::Text), ("/code", Is::MaybeText)])?;
    let rules = [("/type", Is::This("response.failed")), ("/response/error/message", Is::Text)];
    obey(&failed.data, &rules)?;
    numbered(told)?;
    if told.is_empty() { Ok(()) } else { beginning(told).map(|_| ()) }
}

fn numbered(events: &[Sent]) -> Checked {
    let gap = events.iter().enumerate().find(|(number, event)| event.data["sequence_number"] != *number);
    gap.map_or(Ok(()), |(_, event)| Err(format!("numbers have a gap: {}", event.data)))
}

/// All but the end, and the response's id.
fn beginning(events: &[Sent]) -> Result<(Seen, Value), String> {
    let [created, progress, inner @ ..] = events else { return Err("too short".to_owned()) };
    require(created.data["type"] == "response.created", || "it does not begin with created".to_owned())?;
    require(progress.data["type"] == "response.in_progress", || "in_progress is missing".to_owned())?;
    obey(&created.data["response"], HEAD)?;
    let mut seen = Seen::default();
    inner.iter().try_for_each(|event| seen.event(&event.data))?;
    Ok((seen, created.data["response"]["id"].clone()))
}

impl Seen {
    fn event(&mut self, event: &Value) -> Checked {
        let kind = event["type"].as_str().unwrap_or_default();
        if kind == "response.output_item.added" {
            return self.added(event);
        }
        let at = event["output_index"].as_u64().ok_or_else(|| format!("no output_index: {event}"))?;
        let is_open = at >= self.done.len() as u64;
        let open = usize::try_from(at).ok().and_then(|at| self.items.get_mut(at)).filter(|_| is_open);
        let open = open.ok_or_else(|| format!("no such item is open: {event}"))?;
        let id = event.get("item_id").unwrap_or(&event["item"]["id"]);
        require(*id == open.id, || format!("the id changed: {event}"))?;
        match kind {
            "response.output_item.done" => self.item_done(event),
            _ if kind.ends_with(".delta") => open.delta(event),
            _ if kind.ends_with("part.added") => open.part_added(event),
            _ if kind.ends_with(".done") => open.done(event),
            "response.output_text.annotation.added" => obey(event, &[("/annotation", Is::Object)]),
            _ => Err(format!("an unknown event: {event}")),
        }
    }

    fn added(&mut self, event: &Value) -> Checked {
        require(event["output_index"] == self.items.len(), || format!("indices have a gap: {event}"))?;
        item(&event["item"])?;
        let id = event["item"]["id"].clone();
        require(self.items.iter().all(|i| i.id != id), || format!("{id} is given twice"))?;
        self.items.push(Open { id, told: BTreeMap::new() });
        Ok(())
    }

    fn item_done(&mut self, event: &Value) -> Checked {
        require(event["output_index"] == self.done.len(), || format!("items end out of order: {event}"))?;
        self.done.push(event["item"].clone());
        item(&event["item"])
    }

    /// The last event repeats all items.
    fn end(&self, last: &Value, id: &Value) -> Checked {
        let kind = ["response.completed", "response.incomplete"].iter().find(|kind| last["type"] == **kind);
        require(kind.is_some(), || format!("it does not end with the response: {}", last["type"]))?;
        require(last["response"]["id"] == *id, || "the response's id changed".to_owned())?;
        require(self.done.len() == self.items.len(), || "an item is not done".to_owned())?;
        require(list(last, "/response/output") == self.done, || {
            "the output is not what was told".to_owned()
        })?;
        answer(&last["response"])
    }
}

/// The place of a text in its item.
fn place(event: &Value) -> u64 {
    event.get("summary_index").or_else(|| event.get("content_index")).and_then(Value::as_u64).unwrap_or(0)
}

impl Open {
    fn part_added(&mut self, event: &Value) -> Checked {
        let fresh = self.told.insert(place(event), String::new()).is_none();
        require(fresh, || format!("a part is added twice: {event}"))
    }

    fn delta(&mut self, event: &Value) -> Checked {
        obey(event, &[("/delta", Is::Text)])?;
        self.told.entry(place(event)).or_default().push_str(event["delta"].as_str().unwrap_or_default());
        Ok(())
    }

    /// The whole text is what the deltas said.
    fn done(&mut self, event: &Value) -> Checked {
        let within = event.get("part").unwrap_or(event);
        let text = ["text", "arguments", "input", "refusal"].iter().find_map(|name| within[name].as_str());
        let told = self.told.get(&place(event)).map_or("", String::as_str);
        require(text.is_some_and(|text| text == told), || format!("deltas say {told:?}: {event}"))
    }
}
