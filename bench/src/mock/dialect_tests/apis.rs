//! The dialects in one table: how each is asked, and how its answers are read.

use serde_json::{Value, json};

use crate::mock::testing::Got;

/// What an answer says, in either form.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Said {
    pub(super) thinking: String,
    pub(super) text: String,
    pub(super) calls: Vec<(String, Value)>,
    pub(super) finish: String,
}

pub(super) struct Api {
    pub(super) name: &'static str,
    pub(super) path: &'static str,
    /// Where it differs from `path`; else the body says so.
    pub(super) stream_path: Option<&'static str>,
    /// The member of the body that holds the conversation.
    turns: &'static str,
    user: fn(&str) -> Value,
    result: fn() -> Value,
    tools: fn() -> Value,
    pub(super) whole: fn(&Value) -> Said,
    pub(super) stream: fn(&[Value]) -> Said,
}

pub(super) const APIS: &[Api] = &[
    Api {
        name: "chat",
        path: "/v1/chat/completions",
        stream_path: None,
        turns: "messages",
        user: |text| json!({"role": "user", "content": text}),
        result: || json!({"role": "tool", "tool_call_id": "x", "content": "ok"}),
        tools: || json!({"tools": [{"type": "function", "function": {"name": "get_weather"}}]}),
        whole: chat,
        stream: chat_stream,
    },
    Api {
        name: "responses",
        path: "/v1/responses",
        stream_path: None,
        turns: "input",
        user: |text| json!({"role": "user", "content": text}),
        result: || json!({"type": "function_call_output", "call_id": "x", "output": "ok"}),
        tools: || json!({"tools": [{"type": "function", "name": "get_weather"}]}),
        whole: responses,
        stream: responses_stream,
    },
    Api {
        name: "anthropic",
        path: "/v1/messages",
        stream_path: None,
        turns: "messages",
        user: |text| json!({"role": "user", "content": text}),
        result: || json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": "x"}]}),
        tools: || json!({"tools": [{"name": "get_weather"}]}),
        whole: message,
        stream: message_stream,
    },
    Api {
        name: "bedrock",
        path: "/model/amazon.nova-lite-v1%3A0/converse",
        stream_path: Some("/model/amazon.nova-lite-v1%3A0/converse-stream"),
        turns: "messages",
        user: |text| json!({"role": "user", "content": [{"text": text}]}),
        result: || json!({"role": "user", "content": [{"toolResult": {"toolUseId": "x"}}]}),
        tools: || json!({"toolConfig": {"tools": [{"toolSpec": {"name": "get_weather"}}]}}),
        whole: converse,
        stream: converse_stream,
    },
    Api {
        name: "ollama",
        path: "/api/chat",
        stream_path: None,
        turns: "messages",
        user: |text| json!({"role": "user", "content": text}),
        result: || json!({"role": "tool", "content": "ok"}),
        tools: || json!({"tools": [{"type": "function", "function": {"name": "get_weather"}}]}),
        whole: |value| ollama(std::slice::from_ref(value)),
        stream: ollama,
    },
    Api {
        name: "gemini",
        path: "/v1beta/models/gemini-2.5-flash:generateContent",
        stream_path: Some("/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"),
        turns: "contents",
        user: |text| json!({"role": "user", "parts": [{"text": text}]}),
        result: || json!({"role": "user", "parts": [{"functionResponse": {"name": "x", "response": {}}}]}),
        tools: || json!({"tools": [{"functionDeclarations": [{"name": "get_weather"}]}]}),
        whole: |value| gemini(std::slice::from_ref(value)),
        stream: gemini,
    },
    Api {
        name: "cohere",
        path: "/v2/chat",
        stream_path: None,
        turns: "messages",
        user: |text| json!({"role": "user", "content": text}),
        result: || json!({"role": "tool", "tool_call_id": "x", "content": "ok"}),
        tools: || json!({"tools": [{"type": "function", "function": {"name": "get_weather"}}]}),
        whole: cohere,
        stream: cohere_stream,
    },
];

// --- impl Api ---

impl Api {
    /// A conversation that declares a tool and holds so many results of it.
    pub(super) fn body(&self, text: &str, results: usize, streamed: bool) -> String {
        let mut turns = vec![(self.user)(text)];
        turns.extend((0..results).map(|_| (self.result)()));
        let mut body = (self.tools)();
        body["model"] = "m".into();
        body[self.turns] = turns.into();
        if self.stream_path.is_none() {
            body["stream"] = streamed.into();
        }
        body.to_string()
    }

    pub(super) fn path(&self, streamed: bool) -> &'static str {
        self.stream_path.filter(|_| streamed).unwrap_or(self.path)
    }

    pub(super) fn read(&self, got: &Got, streamed: bool) -> Said {
        if streamed { (self.stream)(&got.values()) } else { (self.whole)(&got.json()) }
    }
}

// --- readers ---

impl Said {
    fn add(field: &mut String, value: &Value) {
        field.push_str(value.as_str().unwrap_or_default());
    }

    fn end(&mut self, value: &Value) {
        if let Some(text) = value.as_str() {
            text.clone_into(&mut self.finish);
        }
    }

    /// Arguments of calls that come as text, in parts.
    fn finished(mut self) -> Said {
        for (_, arguments) in &mut self.calls {
            if let Value::String(text) = arguments {
                *arguments = serde_json::from_str(text).unwrap();
            }
        }
        self
    }

    fn open(&mut self, name: &Value) {
        self.calls.push((text(name), String::new().into()));
    }

    fn more(&mut self, part: &Value) {
        if let Some((_, Value::String(whole))) = self.calls.last_mut() {
            whole.push_str(part.as_str().unwrap_or_default());
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn function(call: &Value) -> (String, Value) {
    (text(&call["function"]["name"]), call["function"]["arguments"].clone())
}

fn chat(value: &Value) -> Said {
    let (message, mut said) = (&value["choices"][0]["message"], Said::default());
    Said::add(&mut said.text, &message["content"]);
    Said::add(&mut said.text, &message["refusal"]);
    Said::add(&mut said.thinking, &message["reasoning_content"]);
    said.calls = list(&message["tool_calls"]).map(function).collect();
    said.end(&value["choices"][0]["finish_reason"]);
    said.finished()
}

fn chat_stream(values: &[Value]) -> Said {
    let mut said = Said::default();
    for choice in values.iter().map(|value| &value["choices"][0]) {
        Said::add(&mut said.text, &choice["delta"]["content"]);
        Said::add(&mut said.text, &choice["delta"]["refusal"]);
        Said::add(&mut said.thinking, &choice["delta"]["reasoning_content"]);
        for call in list(&choice["delta"]["tool_calls"]) {
            if call["id"].is_string() {
                said.open(&call["function"]["name"]);
            }
            said.more(&call["function"]["arguments"]);
        }
        said.end(&choice["finish_reason"]);
    }
    said.finished()
}

fn responses(value: &Value) -> Said {
    let mut said = Said::default();
    for item in list(&value["output"]) {
        Said::add(&mut said.text, &item["content"][0]["text"]);
        Said::add(&mut said.text, &item["content"][0]["refusal"]);
        Said::add(&mut said.thinking, &item["summary"][0]["text"]);
        if item["name"].is_string() {
            said.calls.push((text(&item["name"]), item["arguments"].clone()));
        }
    }
    said.end(&value["status"]);
    said.finished()
}

fn responses_stream(values: &[Value]) -> Said {
    let mut said = Said::default();
    for value in values {
        match value["type"].as_str().unwrap() {
            "response.output_text.delta" | "response.refusal.delta" => {
                Said::add(&mut said.text, &value["delta"])
            }
            "response.reasoning_summary_text.delta" => Said::add(&mut said.thinking, &value["delta"]),
            "response.output_item.added" if value["item"]["name"].is_string() => {
                said.open(&value["item"]["name"])
            }
            "response.function_call_arguments.delta" => said.more(&value["delta"]),
            "response.completed" | "response.incomplete" => said.end(&value["response"]["status"]),
            _ => {}
        }
    }
    said.finished()
}

fn message(value: &Value) -> Said {
    let mut said = Said::default();
    for block in list(&value["content"]) {
        Said::add(&mut said.text, &block["text"]);
        Said::add(&mut said.thinking, &block["thinking"]);
        if block["type"] == "tool_use" {
            said.calls.push((text(&block["name"]), block["input"].clone()));
        }
    }
    said.end(&value["stop_reason"]);
    said
}

fn message_stream(values: &[Value]) -> Said {
    let mut said = Said::default();
    for value in values {
        if value["content_block"]["type"] == "tool_use" {
            said.open(&value["content_block"]["name"]);
        }
        let delta = &value["delta"];
        Said::add(&mut said.text, &delta["text"]);
        Said::add(&mut said.thinking, &delta["thinking"]);
        said.more(&delta["partial_json"]);
        said.end(&delta["stop_reason"]);
    }
    said.finished()
}

fn converse(value: &Value) -> Said {
    let mut said = Said::default();
    for block in list(&value["output"]["message"]["content"]) {
        Said::add(&mut said.text, &block["text"]);
        Said::add(&mut said.thinking, &block["reasoningContent"]["reasoningText"]["text"]);
        if block["toolUse"].is_object() {
            said.calls.push((text(&block["toolUse"]["name"]), block["toolUse"]["input"].clone()));
        }
    }
    said.end(&value["stopReason"]);
    said
}

fn converse_stream(values: &[Value]) -> Said {
    let mut said = Said::default();
    for value in values {
        if value["start"]["toolUse"].is_object() {
            said.open(&value["start"]["toolUse"]["name"]);
        }
        Said::add(&mut said.text, &value["delta"]["text"]);
        Said::add(&mut said.thinking, &value["delta"]["reasoningContent"]["text"]);
        said.more(&value["delta"]["toolUse"]["input"]);
        said.end(&value["stopReason"]);
    }
    said.finished()
}

fn ollama(values: &[Value]) -> Said {
    let mut said = Said::default();
    for value in values {
        Said::add(&mut said.text, &value["message"]["content"]);
        Said::add(&mut said.thinking, &value["message"]["thinking"]);
        said.calls.extend(list(&value["message"]["tool_calls"]).map(function));
        said.end(&value["done_reason"]);
    }
    said
}

fn gemini(values: &[Value]) -> Said {
    let mut said = Said::default();
    for candidate in values.iter().map(|value| &value["candidates"][0]) {
        for part in list(&candidate["content"]["parts"]) {
            let field = if part["thought"] == true { &mut said.thinking } else { &mut said.text };
            Said::add(field, &part["text"]);
            if part["functionCall"].is_object() {
                said.calls.push((text(&part["functionCall"]["name"]), part["functionCall"]["args"].clone()));
            }
        }
        said.end(&candidate["finishReason"]);
    }
    said
}

fn cohere(value: &Value) -> Said {
    let mut said = Said::default();
    for block in list(&value["message"]["content"]) {
        Said::add(&mut said.text, &block["text"]);
        Said::add(&mut said.thinking, &block["thinking"]);
    }
    said.calls = list(&value["message"]["tool_calls"]).map(function).collect();
    said.end(&value["finish_reason"]);
    said.finished()
}

fn cohere_stream(values: &[Value]) -> Said {
    let mut said = Said::default();
    for value in values {
        let message = &value["delta"]["message"];
        let call = &message["tool_calls"]["function"];
        match value["type"].as_str().unwrap() {
            "content-delta" => {
                Said::add(&mut said.text, &message["content"]["text"]);
                Said::add(&mut said.thinking, &message["content"]["thinking"]);
            }
            "tool-call-start" => said.open(&call["name"]),
            "tool-call-delta" => said.more(&call["arguments"]),
            _ => {}
        }
        said.end(&value["delta"]["finish_reason"]);
    }
    said.finished()
}
