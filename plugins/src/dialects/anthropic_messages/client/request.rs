//! A Messages request, member by member. What only Anthropic understands goes to `native`, so that an OpenAI server is
//! not bothered with Claude Code's `context_management`; what nobody knows goes to `extra`.

use super::super::DIALECT;
use super::super::read_parts;
use crate::dialects::openai_chat::is_ours;
use serde::Deserialize;
use serde::de::Error as _;
use serde_json::{Value, json};
use weir_core::body::{JsonBody, Members, Node};
use weir_core::chat::{
    Format, Kind, Message, Object, Part, Reasoning, Request, Role, Tool, ToolChoice, ToolKind,
};
use weir_core::error::{ApiError, Kind as ErrorKind};

/// Members that mean nothing to other dialects.
static NATIVE: &[&str] = &[
    "anthropic_beta",
    "anthropic_version",
    "betas",
    "container",
    "context_management",
    "inference_geo",
    "mcp_servers",
    "speed",
];

#[derive(Deserialize)]
struct WireTool {
    #[serde(rename = "type")]
    kind: Option<String>,
    name: String,
    description: Option<String>,
    input_schema: Option<Value>,
    strict: Option<bool>,
    cache_control: Option<Value>,
    #[serde(flatten)]
    extra: Object,
}

#[derive(Deserialize)]
struct WireToolChoice {
    #[serde(rename = "type")]
    kind: String,
    name: Option<String>,
    disable_parallel_tool_use: Option<bool>,
}

#[derive(Deserialize)]
struct Thinking {
    #[serde(rename = "type")]
    kind: String,
    budget_tokens: Option<u64>,
    #[serde(flatten)]
    rest: Object,
}

#[derive(Deserialize)]
struct OutputConfig {
    effort: Option<String>,
    format: Option<OutputFormat>,
    #[serde(flatten)]
    rest: Object,
}

#[derive(Deserialize)]
struct OutputFormat {
    #[serde(rename = "type")]
    kind: String,
    schema: Option<Value>,
}

#[derive(Deserialize)]
struct Metadata {
    user_id: Option<String>,
}

/// The request, half read.
#[derive(Default)]
struct Draft {
    request: Request,
    /// Stands before the messages, wherever the member stands.
    system: Option<Vec<Part>>,
    native: Object,
}

pub(in super::super) fn read_request(body: &JsonBody) -> Result<Request, ApiError> {
    let mut draft = Draft::default();
    for field in body.fields() {
        let name = body.name(field);
        let raw = std::str::from_utf8(&body.bytes()[field.value.clone()]).unwrap_or_default();
        if raw != "null" && !is_ours(&name, DIALECT) {
            draft.member(&name, raw)?;
        }
    }
    for (name, missing) in
        [("model", draft.request.model.is_empty()), ("messages", draft.request.messages.is_empty())]
    {
        if missing {
            return Err(refuse(format!("{name}: Field required")));
        }
    }
    Ok(draft.finish())
}

// --- Draft ---

impl Draft {
    fn member(&mut self, name: &str, raw: &str) -> Result<(), ApiError> {
        let request = &mut self.request;
        match name {
            "model" => request.model = parse(name, raw)?,
            "messages" => request.messages = messages(parse(name, raw)?)?,
            "system" => self.system = Some(read_parts::parts(parse(name, raw)?).map_err(|e| at(name, &e))?),
            "max_tokens" => request.max_tokens = Some(parse(name, raw)?),
            "temperature" => request.temperature = Some(parse(name, raw)?),
            // Anthropic takes -1 for "not said", and its older SDKs send that.
            "top_p" | "top_k" if raw.starts_with('-') => {}
            "top_p" => request.top_p = Some(parse(name, raw)?),
            "top_k" => request.top_k = Some(parse(name, raw)?),
            "stop_sequences" => request.stop = parse(name, raw)?,
            "stream" => request.stream = parse(name, raw)?,
            "tools" => request.tools = tools(parse(name, raw)?)?,
            "tool_choice" => self.tool_choice(parse(name, raw)?)?,
            "thinking" => self.thinking(parse(name, raw)?).map_err(|e| at(name, &e))?,
            "output_config" => self.output_config(parse(name, raw)?)?,
            "output_format" => request.format = format(parse(name, raw)?)?,
            "metadata" => request.user = parse::<Metadata>(name, raw)?.user_id,
            "service_tier" => request.service_tier = Some(parse(name, raw)?),
            "cache_control" => request.cache = Some(parse(name, raw)?),
            _ if NATIVE.contains(&name) => drop(self.native.insert(name.to_owned(), parse(name, raw)?)),
            _ => drop(request.extra.insert(name.to_owned(), parse(name, raw)?)),
        }
        Ok(())
    }

    fn tool_choice(&mut self, wire: WireToolChoice) -> Result<(), ApiError> {
        self.request.parallel_tool_calls = wire.disable_parallel_tool_use.map(|disabled| !disabled);
        self.request.tool_choice = Some(match (wire.kind.as_str(), wire.name) {
            ("auto", _) => ToolChoice::Auto,
            ("any", _) => ToolChoice::Required,
            ("none", _) => ToolChoice::None,
            ("tool", Some(name)) => ToolChoice::Named(name),
            (kind, _) => return Err(refuse(format!("tool_choice: no such choice: {kind:?}"))),
        });
        Ok(())
    }

    fn thinking(&mut self, value: Value) -> Result<(), serde_json::Error> {
        let reasoning = self.request.reasoning.get_or_insert_default();
        let rest = read_thinking(value, reasoning)?;
        self.keep("thinking", rest);
        Ok(())
    }

    fn output_config(&mut self, config: OutputConfig) -> Result<(), ApiError> {
        if let Some(effort) = config.effort {
            self.request.reasoning.get_or_insert_default().effort = Some(effort);
        }
        if let Some(wire) = config.format {
            self.request.format = format(wire)?;
        }
        self.keep("output_config", config.rest);
        Ok(())
    }

    /// What is left of a member that the model knows in part.
    fn keep(&mut self, name: &str, rest: Object) {
        if !rest.is_empty() {
            self.native.insert(name.to_owned(), Value::Object(rest));
        }
    }

    fn finish(self) -> Request {
        let Self { mut request, system, native } = self;
        if let Some(system) = system.filter(|parts| !parts.is_empty()) {
            request.messages.insert(0, Message::new(Role::System, system));
        }
        // Also when empty: it says that the client spoke this dialect.
        request.native = Some((DIALECT, native));
        request
    }
}

/// `thinking` into `reasoning`; gives back what the model has no place for.
pub(in super::super) fn read_thinking(
    value: Value,
    reasoning: &mut Reasoning,
) -> Result<Object, serde_json::Error> {
    let mut wire: Thinking = serde_json::from_value(value)?;
    match wire.kind.as_str() {
        "enabled" => reasoning.enabled = Some(true),
        "disabled" => reasoning.enabled = Some(false),
        "adaptive" => reasoning.adaptive = true,
        _ => drop(wire.rest.insert("type".to_owned(), wire.kind.into())),
    }
    reasoning.budget = wire.budget_tokens;
    Ok(wire.rest)
}

fn messages(wire: Vec<Node<'_>>) -> Result<Vec<Message>, ApiError> {
    let mut out = Vec::with_capacity(wire.len());
    for (index, node) in wire.into_iter().enumerate() {
        let (role, content, rest) = message(node).map_err(|e| at(&format!("messages.{index}"), &e))?;
        let parts = read_parts::parts(content).map_err(|e| at(&format!("messages.{index}.content"), &e))?;
        match role {
            Role::User => user(parts, rest.into_object(), &mut out),
            role => out.push(said(role, parts, rest.into_object())),
        }
    }
    Ok(out)
}

/// Role and content of a message, and what else it says.
fn message(node: Node<'_>) -> Result<(Role, Node<'_>, Members<'_>), serde_json::Error> {
    let Node::Object(mut message) = node else {
        return Err(serde_json::Error::custom("a message must be an object"));
    };
    let role = read_parts::string(&mut message, "role")?;
    let role = match role.as_str() {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" => Role::System,
        other => return Err(serde_json::Error::unknown_variant(other, &["user", "assistant", "system"])),
    };
    let content = message.take("content").ok_or_else(|| serde_json::Error::missing_field("content"))?;
    if !matches!(content, Node::Text(_) | Node::List(_)) {
        return Err(serde_json::Error::custom("content must be text, or a list of blocks"));
    }
    Ok((role, content, message))
}

/// Tool results are messages of their own in the model. They come first: other dialects want them next to the calls.
fn user(parts: Vec<Part>, extra: Object, out: &mut Vec<Message>) {
    let (results, rest): (Vec<Part>, Vec<Part>) =
        parts.into_iter().partition(|part| matches!(part.kind, Kind::ToolResult(_)));
    let only_results = rest.is_empty() && !results.is_empty();
    if !results.is_empty() {
        out.push(Message::new(Role::Tool, results));
    }
    if !only_results {
        out.push(said(Role::User, rest, extra));
    }
}

fn said(role: Role, parts: Vec<Part>, extra: Object) -> Message {
    Message { extra, ..Message::new(role, parts) }
}

fn tools(wire: Vec<Value>) -> Result<Vec<Tool>, ApiError> {
    wire.into_iter()
        .enumerate()
        .map(|(i, value)| tool(value).map_err(|e| at(&format!("tools.{i}"), &e)))
        .collect()
}

fn tool(mut value: Value) -> Result<Tool, serde_json::Error> {
    if !matches!(value.get("type"), None | Some(Value::Null)) && value["type"] != json!("custom") {
        let cache = value.as_object_mut().and_then(|tool| tool.shift_remove("cache_control"));
        return Ok(Tool { cache, ..Tool::new(ToolKind::Provider { dialect: DIALECT, value }) });
    }
    let wire: WireTool = serde_json::from_value(value)?;
    let mut extra = wire.extra;
    // Without a type is the usual way; who writes it gets it back.
    extra.extend(wire.kind.map(|kind| ("type".to_owned(), kind.into())));
    let kind = ToolKind::Function {
        name: wire.name,
        description: wire.description,
        parameters: wire.input_schema,
        strict: wire.strict,
    };
    Ok(Tool { kind, cache: wire.cache_control, extra })
}

fn format(wire: OutputFormat) -> Result<Option<Format>, ApiError> {
    match (wire.kind.as_str(), wire.schema) {
        ("json_schema", Some(schema)) => {
            Ok(Some(Format::JsonSchema { name: None, description: None, schema, strict: None }))
        }
        ("text", _) => Ok(None),
        (kind, _) => Err(refuse(format!("output format: {kind:?} needs a schema or is unknown"))),
    }
}

fn parse<'a, T: Deserialize<'a>>(name: &str, raw: &'a str) -> Result<T, ApiError> {
    serde_json::from_str(raw).map_err(|e| at(name, &e))
}

fn at(place: &str, error: &serde_json::Error) -> ApiError {
    refuse(format!("{place}: {error}"))
}

fn refuse(message: String) -> ApiError {
    ApiError::new(ErrorKind::BadRequest, message)
}
