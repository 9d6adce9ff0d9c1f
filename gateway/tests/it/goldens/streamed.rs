//! What a stream says, however it is cut: the events of all three client APIs put together.

use crate::client::Answer;
use serde_json::{Value, json};

#[derive(Default)]
struct Said {
    text: String,
    thought: String,
    /// Name and arguments.
    calls: Vec<(String, String)>,
    finish: Value,
    usage: Value,
    error: bool,
    done: bool,
    model: String,
}

pub fn meaning(answer: &Answer) -> Value {
    let text = answer.text();
    let mut said = Said::default();
    for data in text.lines().filter_map(|line| line.strip_prefix("data: ")) {
        match serde_json::from_str::<Value>(data) {
            Ok(event) => said.take(&event),
            Err(_) => said.done |= data == "[DONE]",
        }
    }
    let calls: Vec<Value> = said.calls.iter().map(|(name, arguments)| call(name, arguments)).collect();
    json!({
        "text": said.text, "thought": said.thought, "calls": calls, "finish": said.finish, "usage": said.usage,
        "error": said.error, "done": said.done, "model": said.model,
    })
}

fn call(name: &str, arguments: &str) -> Value {
    json!([name, serde_json::from_str::<Value>(arguments).unwrap_or_else(|_| arguments.into())])
}

impl Said {
    fn take(&mut self, event: &Value) {
        self.error |= event["error"].is_object();
        match event["type"].as_str() {
            None => self.chunk(event),
            Some(kind) if kind.starts_with("response.") => self.response(kind, event),
            Some(kind) => self.message(kind, event),
        }
    }

    fn chunk(&mut self, chunk: &Value) {
        let choice = &chunk["choices"][0];
        let delta = &choice["delta"];
        add(&mut self.text, &delta["content"]);
        add(&mut self.text, &choice["text"]);
        add(&mut self.thought, &delta["reasoning_content"]);
        for part in delta["tool_calls"].as_array().into_iter().flatten() {
            let index = part["index"].as_u64().and_then(|i| usize::try_from(i).ok()).unwrap_or_default();
            self.calls.resize(self.calls.len().max(index + 1), Default::default());
            add(&mut self.calls[index].0, &part["function"]["name"]);
            add(&mut self.calls[index].1, &part["function"]["arguments"]);
        }
        keep(&mut self.finish, &choice["finish_reason"]);
        // LiteLLM puts a guessed usage into every chunk of a text completion, asked or not.
        if chunk["object"] != "text_completion" && chunk["usage"]["total_tokens"] != 0 {
            keep(&mut self.usage, &chunk["usage"]["total_tokens"]);
        }
        self.named(&chunk["model"]);
    }

    fn message(&mut self, kind: &str, event: &Value) {
        self.named(&event["message"]["model"]);
        let block = &event["content_block"];
        if block["type"] == "tool_use" {
            self.calls.push((block["name"].as_str().unwrap_or_default().to_owned(), String::new()));
        }
        add(&mut self.text, &event["delta"]["text"]);
        add(&mut self.thought, &event["delta"]["thinking"]);
        if let Some((_, arguments)) = self.calls.last_mut() {
            add(arguments, &event["delta"]["partial_json"]);
        }
        keep(&mut self.finish, &event["delta"]["stop_reason"]);
        keep(&mut self.usage, &event["usage"]["output_tokens"]);
        self.done |= kind == "message_stop";
    }

    fn response(&mut self, kind: &str, event: &Value) {
        if kind == "response.output_text.delta" {
            add(&mut self.text, &event["delta"]);
        }
        self.named(&event["response"]["model"]);
        keep(&mut self.finish, &event["response"]["status"]);
        keep(&mut self.usage, &event["response"]["usage"]["total_tokens"]);
        // Some of LiteLLM's streams end as a chat's do.
        self.done |= kind == "response.completed";
    }

    /// The first name counts, without a version: LiteLLM's streams carry the name that it asked for.
    fn named(&mut self, model: &Value) {
        if self.model.is_empty() {
            self.model = model.as_str().unwrap_or_default().trim_end_matches("-2024-08-06").to_owned();
        }
    }
}

fn add(to: &mut String, piece: &Value) {
    to.push_str(piece.as_str().unwrap_or_default());
}

fn keep(to: &mut Value, value: &Value) {
    if !value.is_null() {
        *to = value.clone();
    }
}
