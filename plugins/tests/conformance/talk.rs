//! What must survive the way from a client to a provider: who said what, which tools there are, which were called, and
//! what they said. Read from the canonical request, or from the body of a provider that has no clients here.

use serde_json::Value;
use std::collections::HashMap;
use std::fmt::Debug;
use weir_core::chat::{Dialect, Kind, Media, Part, Request, Role, Source, ToolChoice, ToolKind, ToolResult};

/// A side of a request that can be kept or lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    System,
    /// What user and assistant say, and who speaks when.
    Words,
    Calls,
    Results,
    Tools,
    Media,
    /// Tools that the provider runs.
    ServerTools,
    /// Marks of what is to be cached.
    Marks,
}

/// A conversation without what differs between any two dialects: spaces between texts, ids, how messages are cut.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Talk {
    /// All system and developer messages.
    pub system: String,
    pub user: String,
    pub assistant: String,
    /// Who speaks, in turn. Results of tools are the user's.
    pub turns: Vec<&'static str>,
    /// Name and arguments.
    pub calls: Vec<(String, Value)>,
    /// The tool that was called, and what it said.
    pub results: Vec<(String, String)>,
    /// Name, description, names of the parameters.
    pub tools: Vec<(String, String, Vec<String>)>,
    pub media: Vec<&'static str>,
    pub server_tools: usize,
    pub marks: usize,
    /// All texts by themselves, results among them. Not compared.
    pub pieces: Vec<String>,
    /// No tool may be called. Not compared.
    pub forbidden: bool,
    /// Documents that are text count as words.
    reads_documents: bool,
}

/// Dialects that have documents of plain text; the others are told the text.
static TEXT_DOCUMENTS: &[Dialect] =
    &[Dialect::AnthropicMessages, Dialect::BedrockConverse, Dialect::CohereChat];

/// The tool that stands for a wanted format, where a provider has none.
const FORMAT_TOOL: &str = "json_tool_call";

const USER: &str = "user";
const ASSISTANT: &str = "assistant";

/// Texts are put together with all kinds of white space, and some providers want none at the end.
fn words(text: &str) -> String {
    text.split_whitespace().collect()
}

impl Talk {
    /// `to`: who is asked.
    pub fn of(request: &Request, to: Dialect) -> Self {
        let reads_documents = !TEXT_DOCUMENTS.contains(&to);
        let forbidden = request.tool_choice == Some(ToolChoice::None);
        let mut talk = Talk { reads_documents, forbidden, ..Talk::default() };
        for message in &request.messages {
            message.content.iter().for_each(|part| talk.part(message.role, part, request));
        }
        talk.marks += usize::from(request.cache.is_some());
        for tool in &request.tools {
            // The mark of a server tool goes where its tool goes.
            let is_provider = matches!(tool.kind, ToolKind::Provider { .. });
            talk.marks += usize::from(tool.cache.is_some() && !is_provider);
            match &tool.kind {
                ToolKind::Function { name, description, parameters, .. } => {
                    let schema = parameters.as_ref().unwrap_or(&Value::Null);
                    talk.tool(name, description.as_deref().unwrap_or_default(), schema);
                }
                ToolKind::Custom { name, description, .. } => {
                    let description = description.clone().unwrap_or_default();
                    talk.tools.push((name.clone(), description, vec!["input".to_owned()]));
                }
                ToolKind::Provider { .. } => talk.server_tools += 1,
            }
        }
        talk
    }

    fn part(&mut self, role: Role, part: &Part, request: &Request) {
        self.marks += usize::from(part.cache.is_some());
        match &part.kind {
            Kind::Text { text, .. } | Kind::Refusal(text) => self.say(role, text),
            Kind::ToolCall(call) => {
                let arguments = call.object().map_or_else(|| call.arguments.as_str().into(), Value::Object);
                self.call(&call.name, arguments);
            }
            Kind::ToolResult(result) => self.hear(result, request),
            Kind::Document(Media { source: Source::Text { text, .. }, .. }) if self.reads_documents => {
                self.say(role, text);
            }
            kind => self.show(kind),
        }
    }

    pub fn say(&mut self, role: Role, text: &str) {
        let said = words(text);
        if said.is_empty() {
            return;
        }
        self.pieces.push(said.clone());
        match role {
            Role::System | Role::Developer => self.system.push_str(&said),
            Role::Assistant => {
                self.turn(ASSISTANT);
                self.assistant.push_str(&said);
            }
            Role::User | Role::Tool => {
                self.turn(USER);
                self.user.push_str(&said);
            }
        }
    }

    fn turn(&mut self, who: &'static str) {
        if self.turns.last() != Some(&who) {
            self.turns.push(who);
        }
    }

    pub fn call(&mut self, name: &str, arguments: Value) {
        self.turn(ASSISTANT);
        self.calls.push((name.to_owned(), arguments));
    }

    fn hear(&mut self, result: &ToolResult, request: &Request) {
        let name = request.tool_name(&result.call_id).map(str::to_owned).or_else(|| result.name.clone());
        self.result(name.as_deref().unwrap_or_default(), &result.text());
        result.content.iter().for_each(|part| self.show(&part.kind));
    }

    pub fn result(&mut self, name: &str, text: &str) {
        self.turn(USER);
        self.pieces.push(words(text));
        self.results.push((name.to_owned(), plain(text)));
    }

    fn show(&mut self, kind: &Kind) {
        let (media, names) = match kind {
            Kind::Image(media) => (media, ["image", "image by address", "uploaded image", "text image"]),
            Kind::Document(media) => {
                (media, ["document", "document by address", "uploaded document", "text document"])
            }
            Kind::Audio(_) => return self.media.push("audio"),
            _ => return,
        };
        self.media.push(match media.source {
            Source::Base64 { .. } => names[0],
            Source::Url { .. } => names[1],
            Source::File { .. } => names[2],
            Source::Text { .. } => names[3],
        });
    }

    pub fn tool(&mut self, name: &str, description: &str, schema: &Value) {
        if name == FORMAT_TOOL {
            return;
        }
        let properties = schema["properties"].as_object();
        let mut names: Vec<String> = properties.into_iter().flat_map(|p| p.keys().cloned()).collect();
        names.sort();
        self.tools.push((name.to_owned(), description.trim().to_owned(), names));
    }

    /// Where two conversations differ, with both sides.
    pub fn differences(&self, other: &Talk) -> Vec<(Side, String)> {
        let mut found = Vec::new();
        let mut see = |side, text: Option<String>| found.extend(text.map(|t| (side, t)));
        see(Side::System, differ(&self.system, &other.system));
        see(Side::Words, differ(&self.user, &other.user));
        see(Side::Words, differ(&self.assistant, &other.assistant));
        see(Side::Words, differ(&self.turns, &other.turns));
        see(Side::Calls, differ(&self.calls, &other.calls));
        see(Side::Results, differ(&self.results, &other.results));
        see(Side::Tools, differ(&self.tools, &other.tools));
        see(Side::Media, differ(&self.media, &other.media));
        see(Side::Marks, differ(&self.marks, &other.marks));
        see(Side::ServerTools, differ(&self.server_tools, &other.server_tools));
        found
    }
}

/// Members under which a text travels where an object is wanted.
static WRAPPERS: &[&str] = &["content", "error", "output", "result"];

/// JSON without its spaces, a text without its wrapping.
fn plain(text: &str) -> String {
    match serde_json::from_str(text) {
        Ok(Value::Object(object))
            if object.len() == 1 && WRAPPERS.contains(&object.keys().next().unwrap().as_str()) =>
        {
            let inner = object.values().next().unwrap();
            inner.as_str().map_or_else(|| plain(&inner.to_string()), plain)
        }
        Ok(value @ (Value::Object(_) | Value::Array(_))) => words(&value.to_string()),
        _ => words(text),
    }
}

const SHOWN: usize = 300;

fn differ<T: PartialEq + Debug>(expected: &T, found: &T) -> Option<String> {
    if expected == found {
        return None;
    }
    let shown = |value: &T| format!("{value:?}").chars().take(SHOWN).collect::<String>();
    Some(format!("expected {}, found {}", shown(expected), shown(found)))
}

// --- bodies of providers without clients here ---

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Panics on dialects that clients speak: those are read by their own readers.
pub fn read(of: Dialect, body: &Value) -> Talk {
    match of {
        Dialect::BedrockConverse => converse(body),
        Dialect::OllamaChat | Dialect::CohereChat => messages(body),
        other => unreachable!("{other:?} is read by its clients' side"),
    }
}

fn converse(body: &Value) -> Talk {
    let (mut talk, mut names) = (Talk::default(), HashMap::<String, String>::new());
    list(&body["system"]).iter().for_each(|block| talk.say(Role::System, text(&block["text"])));
    for message in list(&body["messages"]) {
        let role = if message["role"] == ASSISTANT { Role::Assistant } else { Role::User };
        for block in list(&message["content"]) {
            converse_block(block, role, &mut talk, &mut names);
        }
    }
    for tool in list(&body["toolConfig"]["tools"]).iter().map(|tool| &tool["toolSpec"]) {
        if tool.is_object() {
            talk.tool(text(&tool["name"]), text(&tool["description"]), &tool["inputSchema"]["json"]);
        }
    }
    let systems = list(&body["system"]).iter();
    let inside = list(&body["messages"]).iter().flat_map(|message| list(&message["content"]));
    let all = systems.chain(inside).chain(list(&body["toolConfig"]["tools"]));
    talk.marks = all.filter(|block| block.get("cachePoint").is_some()).count();
    // Claude's own tools go past Converse.
    talk.server_tools = list(&body["additionalModelRequestFields"]["tools"]).len();
    talk
}

fn converse_block(block: &Value, role: Role, talk: &mut Talk, names: &mut HashMap<String, String>) {
    talk.say(role, text(&block["text"]));
    let (call, result) = (&block["toolUse"], &block["toolResult"]);
    if call.is_object() {
        names.insert(text(&call["toolUseId"]).to_owned(), text(&call["name"]).to_owned());
        talk.call(text(&call["name"]), call["input"].clone());
    }
    if result.is_object() {
        let content = list(&result["content"]);
        let said: Vec<&str> = content.iter().filter_map(|block| block["text"].as_str()).collect();
        let name = names.get(text(&result["toolUseId"])).map_or("", String::as_str);
        talk.result(name, &said.join("\n"));
        content.iter().for_each(|block| converse_media(block, talk));
    }
    converse_media(block, talk);
}

fn converse_media(block: &Value, talk: &mut Talk) {
    for (member, kind) in [("image", "image"), ("audio", "audio"), ("document", "document")] {
        talk.media.extend(block.get(member).map(|_| kind));
    }
}

/// Ollama's and Cohere's messages are close to OpenAI's.
fn messages(body: &Value) -> Talk {
    let (mut talk, mut names) = (Talk::default(), HashMap::<String, String>::new());
    for message in list(&body["messages"]) {
        let said = said(&message["content"]);
        match text(&message["role"]) {
            "tool" => {
                let called = names.get(text(&message["tool_call_id"])).cloned().unwrap_or_default();
                talk.result(message["tool_name"].as_str().unwrap_or(&called), &said);
            }
            "system" => talk.say(Role::System, &said),
            ASSISTANT => talk.say(Role::Assistant, &said),
            _ => talk.say(Role::User, &said),
        }
        for call in list(&message["tool_calls"]) {
            let function = &call["function"];
            names.insert(text(&call["id"]).to_owned(), text(&function["name"]).to_owned());
            talk.call(text(&function["name"]), arguments(&function["arguments"]));
        }
        talk.media.extend(list(&message["images"]).iter().map(|_| "image"));
        let urls = list(&message["content"]).iter().filter_map(|block| block["image_url"]["url"].as_str());
        talk.media.extend(urls.map(|u| if u.starts_with("data:") { "image" } else { "image by address" }));
    }
    for tool in list(&body["tools"]).iter().map(|tool| &tool["function"]) {
        talk.tool(text(&tool["name"]), text(&tool["description"]), &tool["parameters"]);
    }
    talk.media.extend(list(&body["documents"]).iter().map(|_| "text document"));
    talk
}

fn said(content: &Value) -> String {
    let texts: Vec<&str> = list(content).iter().filter_map(|block| block["text"].as_str()).collect();
    content.as_str().map_or_else(|| texts.join("\n"), str::to_owned)
}

fn arguments(value: &Value) -> Value {
    value.as_str().map_or_else(|| value.clone(), |t| serde_json::from_str(t).unwrap_or_else(|_| t.into()))
}
