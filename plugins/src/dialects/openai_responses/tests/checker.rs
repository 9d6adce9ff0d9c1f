//! Checks a stream of Responses events against the API's rules, as a strict client would.

use serde_json::{Value, json};
use std::collections::BTreeMap;

#[derive(Default)]
struct Checker {
    items: Vec<Open>,
    done: BTreeMap<u64, Value>,
}

struct Open {
    id: String,
    closed: bool,
    /// By content or summary index.
    parts: BTreeMap<u64, Part>,
    arguments: String,
}

#[derive(Default)]
struct Part {
    text: String,
    annotations: Vec<Value>,
    text_done: bool,
    done: bool,
}

/// Panics where a rule is broken; gives the response of the last event.
pub(super) fn check(stream: &str) -> Value {
    let events = parse(stream);
    for (number, event) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], number, "numbers have a gap: {event}");
    }
    assert_eq!(events[0]["type"], "response.created");
    assert_eq!(events[1]["type"], "response.in_progress");
    assert_eq!(events[0]["response"]["status"], "in_progress");
    let (last, inner) = events[2..].split_last().unwrap();
    let mut checker = Checker::default();
    inner.iter().for_each(|event| checker.event(event));
    checker.end(last, &events[0]);
    last["response"].clone()
}

pub(super) fn parse(stream: &str) -> Vec<Value> {
    let blocks = stream.split("\n\n").filter(|b| !b.is_empty());
    blocks.map(event).collect()
}

fn event(block: &str) -> Value {
    let (name, data) = block.split_once('\n').unwrap();
    let data: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
    assert_eq!(name.strip_prefix("event: ").unwrap(), data["type"], "name and type differ");
    data
}

fn number(event: &Value, name: &str) -> u64 {
    event[name].as_u64().unwrap_or_else(|| panic!("{name} is missing: {event}"))
}

fn text<'a>(event: &'a Value, name: &str) -> &'a str {
    event[name].as_str().unwrap_or_else(|| panic!("{name} is missing: {event}"))
}

impl Checker {
    fn event(&mut self, event: &Value) {
        match text(event, "type") {
            "response.output_item.added" => self.added(event),
            "response.output_item.done" => self.item_done(event),
            "response.content_part.added" | "response.reasoning_summary_part.added" => self.part_added(event),
            "response.output_text.delta"
            | "response.refusal.delta"
            | "response.reasoning_summary_text.delta" => {
                self.part(event).text.push_str(text(event, "delta"));
            }
            "response.output_text.annotation.added" => self.annotation(event),
            "response.output_text.done" | "response.reasoning_summary_text.done" => {
                self.text_done(event, "text")
            }
            "response.refusal.done" => self.text_done(event, "refusal"),
            "response.content_part.done" | "response.reasoning_summary_part.done" => self.part_done(event),
            "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta" => {
                self.item(event).arguments.push_str(text(event, "delta"));
            }
            "response.function_call_arguments.done" => {
                assert_eq!(self.item(event).arguments, text(event, "arguments"));
            }
            "response.custom_tool_call_input.done" => {
                assert_eq!(self.item(event).arguments, text(event, "input"))
            }
            "error" => {}
            other => panic!("unknown event {other}"),
        }
    }

    fn added(&mut self, event: &Value) {
        assert_eq!(number(event, "output_index"), self.items.len() as u64, "{event}");
        let id = text(&event["item"], "id").to_owned();
        assert!(self.items.iter().all(|i| i.id != id), "{id} is given twice");
        self.items.push(Open { id, closed: false, parts: BTreeMap::new(), arguments: String::new() });
    }

    fn item(&mut self, event: &Value) -> &mut Open {
        let index = usize::try_from(number(event, "output_index")).unwrap();
        let item = self.items.get_mut(index).unwrap_or_else(|| panic!("no such item: {event}"));
        assert!(!item.closed, "the item is done: {event}");
        let id = event.get("item_id").unwrap_or_else(|| &event["item"]["id"]);
        assert_eq!(*id, item.id, "ids differ: {event}");
        item
    }

    fn place(event: &Value) -> u64 {
        let name = if event.get("summary_index").is_some() { "summary_index" } else { "content_index" };
        number(event, name)
    }

    fn part_added(&mut self, event: &Value) {
        let place = Self::place(event);
        let parts = &mut self.item(event).parts;
        assert_eq!(place, parts.len() as u64, "{event}");
        parts.insert(place, Part::default());
    }

    fn part(&mut self, event: &Value) -> &mut Part {
        let place = Self::place(event);
        let part = self.item(event).parts.get_mut(&place);
        let part = part.unwrap_or_else(|| panic!("the part was not added: {event}"));
        assert!(!part.text_done, "the text is done: {event}");
        part
    }

    fn annotation(&mut self, event: &Value) {
        let part = self.part(event);
        assert_eq!(number(event, "annotation_index"), part.annotations.len() as u64);
        part.annotations.push(event["annotation"].clone());
    }

    fn text_done(&mut self, event: &Value, name: &str) {
        let part = self.part(event);
        assert_eq!(part.text, text(event, name));
        part.text_done = true;
    }

    fn part_done(&mut self, event: &Value) {
        let place = Self::place(event);
        let part = self.item(event).parts.get_mut(&place).unwrap();
        assert!(part.text_done && !part.done, "{event}");
        part.done = true;
        let told = &event["part"];
        let name = if told["type"] == "refusal" { "refusal" } else { "text" };
        assert_eq!(part.text, text(told, name));
        assert_eq!(told.get("annotations").cloned().unwrap_or(json!([])), json!(part.annotations));
    }

    fn item_done(&mut self, event: &Value) {
        let index = number(event, "output_index");
        let item = self.item(event);
        item.closed = true;
        assert!(item.parts.values().all(|p| p.done), "a part is not done: {event}");
        let told = &event["item"];
        let parts = told.get("content").or_else(|| told.get("summary")).and_then(Value::as_array);
        assert_eq!(parts.map_or(0, Vec::len), item.parts.len(), "{event}");
        if let Some(arguments) = told.get("arguments").or_else(|| told.get("input")) {
            assert_eq!(*arguments, item.arguments);
        }
        self.done.insert(index, told.clone());
    }

    fn end(&self, last: &Value, first: &Value) {
        let status = match text(last, "type") {
            "response.completed" => "completed",
            "response.incomplete" => "incomplete",
            "response.failed" => "failed",
            other => panic!("the last event is {other}"),
        };
        let response = &last["response"];
        assert_eq!(response["status"], status);
        assert_eq!(response["id"], first["response"]["id"], "the id changed");
        assert!(self.items.iter().all(|i| i.closed), "an item is not done");
        let done: Vec<&Value> = self.done.values().collect();
        assert_eq!(response["output"], json!(done), "the output is not what was told");
    }
}
