//! Recorded traffic for the tests of native dialects, and the checks that all of them share.

use super::{Asked, Params, TranslateError, UpstreamDialect};
use bytes::Bytes;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use weir_core::chat::{
    Answer, Collector, Event, Events, Format, Kind, Media, Message, Object, Part, Reasoning, Request, Role,
    Tool, ToolCall, ToolCallKind, ToolChoice, ToolKind, ToolResult,
};
use weir_core::codec::{Deframer, frames};

/// One recorded exchange.
pub(crate) struct Recorded {
    pub(crate) name: String,
    pub(crate) file: Value,
}

impl Recorded {
    pub(crate) fn status(&self) -> u64 {
        self.file["response"]["status"].as_u64().unwrap()
    }

    /// The body as it went over the wire.
    pub(crate) fn body(&self) -> Vec<u8> {
        let response = &self.file["response"];
        match response["body_text"].as_str() {
            Some(text) => text.as_bytes().to_vec(),
            None => serde_json::to_vec(&response["body"]).unwrap(),
        }
    }
}

/// The folder of shared references: `WEIR_SHARED`, or `shared` beside the checkout. Says so when there is none.
#[expect(clippy::disallowed_methods, reason = "where the references are is the machine's business")]
fn shared(part: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let path = std::env::var_os("WEIR_SHARED").map_or(beside, PathBuf::from).join(part);
    if path.exists() {
        return Some(path);
    }
    let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(!ci, "{part} is needed: set WEIR_SHARED to the folder of shared references");
    println!("SKIPPED: no {part}; set WEIR_SHARED to the folder of shared references");
    None
}

/// All recordings of a provider's operations; empty where there is no folder.
pub(crate) fn recordings(provider: &str, operations: &[&str]) -> Vec<Recorded> {
    let Some(folder) = shared("recordings/dev") else { return Vec::new() };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.starts_with(provider) || !name.ends_with(".json") {
            continue;
        }
        let file: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        if file["provider"] == provider && operations.iter().any(|o| file["operation"] == *o) {
            found.push(Recorded { name, file });
        }
    }
    assert!(!found.is_empty(), "no recordings of {provider} {operations:?}");
    found
}

/// The cases of a golden file.
pub(crate) fn goldens(file: &str) -> Vec<Value> {
    let Some(path) = shared(&format!("compat/litellm-1.81/goldens/{file}")) else { return Vec::new() };
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

// --- streams ---

/// All events of a stream that comes in these pieces.
pub(crate) fn events(dialect: &dyn UpstreamDialect, pieces: &[&[u8]]) -> Result<Events, TranslateError> {
    let mut deframer = Deframer::new(dialect.framing(), 8 << 20);
    let mut reader = dialect.reader();
    let mut out = Events::new();
    let mut blocks = Vec::new();
    for piece in pieces {
        blocks.push(deframer.push(Bytes::copy_from_slice(piece))?);
    }
    blocks.push(deframer.rest());
    for block in blocks {
        frames::each(dialect.framing(), &block, |frame| reader.read(frame, &mut out))?;
    }
    reader.end(&mut out)?;
    Ok(out)
}

pub(crate) fn collect(events: Events) -> Answer {
    let mut collector = Collector::default();
    events.into_iter().for_each(|event| collector.take(event));
    collector.finish()
}

/// The stream gives the same events wherever it is cut once, and when it comes byte by byte.
pub(crate) fn assert_cuts(dialect: &dyn UpstreamDialect, body: &[u8], name: &str) {
    let whole = events(dialect, &[body]);
    // Every byte of a short stream; of a long one every byte of its ends and some between, for time's sake.
    let step = if body.len() <= 12_000 { 1 } else { 61 };
    let near = |cut: &usize| *cut < 400 || *cut + 400 > body.len() || cut.is_multiple_of(step);
    for cut in (0..=body.len()).filter(near) {
        assert_eq!(events(dialect, &[&body[..cut], &body[cut..]]), whole, "{name} cut at {cut}");
    }
    let bytes: Vec<&[u8]> = body.chunks(1).collect();
    assert_eq!(events(dialect, &bytes), whole, "{name} byte by byte");
}

/// The grammar of [`Event`].
pub(crate) fn assert_grammar(events: &[Event], name: &str) {
    let mut open = Vec::new();
    let mut blocks = 0;
    for (at, event) in events.iter().enumerate() {
        let last = at + 1 == events.len();
        match event {
            Event::Start { .. } => assert_eq!(at, 0, "{name}: a start in the middle"),
            Event::BlockStart { index, .. } => {
                assert_eq!(*index, blocks, "{name}: indices are dense");
                blocks += 1;
                open.push(*index);
            }
            Event::BlockDelta { index, .. } => {
                assert!(open.contains(index), "{name}: a delta outside {index}")
            }
            Event::BlockStop { index } => {
                assert!(open.contains(index), "{name}: {index} stops twice");
                open.retain(|i| i != index);
            }
            Event::Finish(_) => assert!(last && open.is_empty(), "{name}: {open:?} open at the finish"),
            Event::Fault(_) => assert!(last, "{name}: something follows a fault"),
            Event::Usage(_) | Event::Logprobs(_) | Event::Beside { .. } => {}
        }
    }
    assert!(matches!(events.last(), Some(Event::Finish(_) | Event::Fault(_))), "{name}: no end");
}

// --- hostile input ---

/// Broken variants of a body: cut off, and with values of other types in every place.
pub(crate) fn broken(body: &[u8]) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = (0..body.len()).step_by(97).map(|cut| body[..cut].to_vec()).collect();
    let lines: Vec<&[u8]> = body.split(|b| *b == b'\n').collect();
    let picked = (0..lines.len()).filter(|n| *n < 6 || n + 4 > lines.len());
    for at in picked {
        let prefix: &[u8] = if lines[at].starts_with(b"data: ") { b"data: " } else { b"" };
        let Ok(value) = serde_json::from_slice::<Value>(&lines[at][prefix.len()..]) else { continue };
        for other in mutations(&value) {
            let line = [prefix, &serde_json::to_vec(&other).unwrap()].concat();
            let mut changed = lines.clone();
            changed[at] = &line;
            all.push(changed.join(&b'\n'));
        }
    }
    all
}

/// The value with each of its members replaced, one at a time; long lists only at their beginning.
fn mutations(value: &Value) -> Vec<Value> {
    let others =
        [json!(null), json!(-1.5e300), json!("x"), json!([]), json!([[{}]]), json!({"type": 3}), json!(true)];
    let mut out: Vec<Value> = others.to_vec();
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                for other in mutations(member) {
                    let mut changed = members.clone();
                    changed.insert(name.clone(), other);
                    out.push(changed.into());
                }
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate().take(2) {
                for other in mutations(item) {
                    let mut changed = items.clone();
                    changed[at] = other;
                    out.push(changed.into());
                }
            }
        }
        _ => {}
    }
    out
}

// --- requests ---

pub(crate) fn asked<'a>(model: &'a str, params: &'a Params, headers: &'a http::HeaderMap) -> Asked<'a> {
    Asked { model, provider: "p", params, headers }
}

/// The body that a dialect writes for an OpenAI request.
pub(crate) fn written(dialect: &dyn UpstreamDialect, model: &str, openai: &Value) -> Value {
    let (params, headers) = (Params::default(), http::HeaderMap::new());
    let wire = dialect.write_request(request(openai), &asked(model, &params, &headers));
    wire.unwrap_or_else(|e| panic!("{}", e.message())).body.into()
}

/// The hub's form of an OpenAI request, for the subset that recorded requests use.
pub(crate) fn request(openai: &Value) -> Request {
    let number = |name: &str| serde_json::from_value(openai[name].clone()).ok();
    let text = |name: &str| openai[name].as_str().map(str::to_owned);
    let list = |name: &str| openai[name].as_array().cloned().unwrap_or_default();
    let stop = list("stop").iter().map(|s| s.as_str().unwrap().to_owned()).collect();
    let max_tokens = openai["max_tokens"].as_u64().or(openai["max_completion_tokens"].as_u64());
    let effort = text("reasoning_effort");
    Request {
        messages: list("messages").iter().map(message).collect(),
        tools: list("tools").iter().map(tool).collect(),
        tool_choice: tool_choice(&openai["tool_choice"]),
        max_tokens,
        temperature: number("temperature"),
        top_p: number("top_p"),
        stop,
        seed: openai["seed"].as_i64(),
        presence_penalty: number("presence_penalty"),
        frequency_penalty: number("frequency_penalty"),
        n: openai["n"].as_u64(),
        logprobs: openai["logprobs"].as_bool(),
        format: format(&openai["response_format"]),
        reasoning: effort.map(|e| Reasoning { effort: Some(e), ..Reasoning::default() }),
        user: text("user"),
        stream: openai["stream"] == true,
        extra: extra(openai),
        ..Request::default()
    }
}

fn extra(openai: &Value) -> Object {
    let known = "model messages tools tool_choice max_tokens max_completion_tokens temperature top_p stop seed \
                 presence_penalty frequency_penalty n logprobs response_format reasoning_effort user stream metadata";
    let mut extra = openai.as_object().unwrap().clone();
    extra.retain(|name, _| !known.split_whitespace().any(|k| k == name));
    extra
}

fn message(value: &Value) -> Message {
    let mut content = parts(&value["content"]);
    content.extend(value["tool_calls"].as_array().into_iter().flatten().map(|call| {
        Part::new(Kind::ToolCall(ToolCall {
            id: call["id"].as_str().unwrap().into(),
            name: call["function"]["name"].as_str().unwrap().into(),
            arguments: call["function"]["arguments"].as_str().unwrap().into(),
            kind: ToolCallKind::Function,
        }))
    }));
    let role = match value["role"].as_str().unwrap() {
        "system" => Role::System,
        "developer" => Role::Developer,
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "tool" => {
            let call_id = value["tool_call_id"].as_str().unwrap().to_owned();
            let result = ToolResult { call_id, name: None, content, is_error: false };
            return Message::new(Role::Tool, vec![Part::new(Kind::ToolResult(result))]);
        }
        other => panic!("role {other}"),
    };
    Message::new(role, content)
}

fn parts(content: &Value) -> Vec<Part> {
    match content {
        Value::String(text) => vec![Part::text(text.as_str())],
        Value::Array(items) => items.iter().map(part).collect(),
        _ => Vec::new(),
    }
}

fn part(item: &Value) -> Part {
    match item["type"].as_str().unwrap() {
        "text" => Part::text(item["text"].as_str().unwrap()),
        "image_url" => Part::new(Kind::Image(Media::from_url(item["image_url"]["url"].as_str().unwrap()))),
        other => panic!("part {other}"),
    }
}

fn tool(value: &Value) -> Tool {
    let function = &value["function"];
    Tool::new(ToolKind::Function {
        name: function["name"].as_str().unwrap().into(),
        description: function["description"].as_str().map(str::to_owned),
        parameters: function.get("parameters").cloned(),
        strict: function["strict"].as_bool(),
    })
}

fn tool_choice(value: &Value) -> Option<ToolChoice> {
    match value {
        Value::String(word) if word == "auto" => Some(ToolChoice::Auto),
        Value::String(word) if word == "none" => Some(ToolChoice::None),
        Value::String(_) => Some(ToolChoice::Required),
        Value::Object(_) => Some(ToolChoice::Named(value["function"]["name"].as_str().unwrap().into())),
        _ => None,
    }
}

fn format(value: &Value) -> Option<Format> {
    match value["type"].as_str()? {
        "json_object" => Some(Format::JsonObject),
        "json_schema" => Some(Format::JsonSchema {
            name: value["json_schema"]["name"].as_str().map(str::to_owned),
            description: None,
            schema: value["json_schema"]["schema"].clone(),
            strict: value["json_schema"]["strict"].as_bool(),
        }),
        _ => Some(Format::Text),
    }
}
