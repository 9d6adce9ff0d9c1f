//! A client's body to the canonical request.

use super::super::ids;
use super::super::media;
use super::super::schema;
use super::super::wire::{
    Content, FunctionCall, FunctionCallingConfig, FunctionDeclaration, FunctionResponse, GenerationConfig,
    ToolConfig, WireBody, WirePart, WireTool,
};
use super::thinking;
use serde_json::{Value, json};
use weir_core::body::JsonBody;
use weir_core::chat::{
    Dialect, Format, Kind, Message, Object, Part, Request, Role, Tool, ToolCall, ToolCallKind, ToolChoice,
    ToolKind, ToolResult,
};
use weir_core::error::{ApiError, Kind as ErrorKind};

/// Members of a part that say how Gemini should look at it.
pub(super) static HINTS: &[&str] = &["videoMetadata", "mediaResolution"];

pub(in super::super) fn read(body: &JsonBody) -> Result<Request, ApiError> {
    let body: WireBody = serde_json::from_slice(body.bytes())
        .map_err(|e| ApiError::new(ErrorKind::BadRequest, format!("Invalid JSON payload received. {e}")))?;
    if body.contents.is_empty() {
        return Err(ApiError::new(ErrorKind::BadRequest, "contents is not specified").with_param("contents"));
    }
    let mut request =
        Request { extra: body.extra, model: body.model.unwrap_or_default(), ..Request::default() };
    if let Some(system) = body.system_instruction {
        request.messages.push(Message::new(Role::System, plain_parts(system.parts)));
    }
    let mut conversation = Conversation::default();
    body.contents.into_iter().for_each(|content| conversation.turn(content));
    request.messages.append(&mut conversation.messages);
    request.tools = body.tools.into_iter().flat_map(tools).collect();
    if let Some(config) = body.tool_config {
        tool_config(config, &mut request);
    }
    if let Some(config) = body.generation_config {
        generation(config, &mut request);
    }
    Ok(request)
}

/// Parts of a system instruction: text, mostly.
fn plain_parts(parts: Vec<WirePart>) -> Vec<Part> {
    let mut calls = Calls::default();
    parts.into_iter().map(|part| calls.part(part)).collect()
}

#[derive(Default)]
struct Conversation {
    messages: Vec<Message>,
    calls: Calls,
}

/// Calls without an id get one, and results without an id find theirs by name.
#[derive(Default)]
struct Calls {
    made_up: usize,
    /// Name and id of calls that have no result yet.
    open: Vec<(String, String)>,
}

// --- Conversation ---

impl Conversation {
    /// Results stand in messages of their own.
    fn turn(&mut self, content: Content) {
        let role = match content.role.as_deref() {
            Some("model") => Role::Assistant,
            Some("system") => Role::System,
            _ => Role::User,
        };
        for part in content.parts {
            let part = self.calls.part(part);
            let is_result = matches!(part.kind, Kind::ToolResult(_));
            self.push(if is_result { Role::Tool } else { role }, part);
        }
    }

    fn push(&mut self, role: Role, part: Part) {
        match self.messages.last_mut() {
            Some(last) if last.role == role => last.content.push(part),
            _ => self.messages.push(Message::new(role, vec![part])),
        }
    }
}

// --- Calls ---

impl Calls {
    fn part(&mut self, mut wire: WirePart) -> Part {
        let signature = wire.thought_signature.take();
        let mut extra = std::mem::take(&mut wire.extra);
        let hints = HINTS.iter().filter_map(|name| extra.remove_entry(*name)).collect();
        let kind = if let Some(call) = wire.function_call {
            Kind::ToolCall(self.call(call))
        } else if let Some(response) = wire.function_response {
            Kind::ToolResult(self.result(response))
        } else if let Some(blob) = wire.inline_data {
            media::read_blob(blob)
        } else if let Some(file) = wire.file_data {
            media::read_file(file)
        } else if wire.text.is_none() && !extra.is_empty() {
            Kind::Opaque { dialect: Dialect::Gemini, value: Value::Object(extra) }
        } else {
            text(wire.text.unwrap_or_default(), wire.thought == Some(true))
        };
        Part { signature, extra: hints, ..Part::new(kind) }
    }

    fn call(&mut self, call: FunctionCall) -> ToolCall {
        let id = call.id.filter(|id| !id.is_empty()).unwrap_or_else(|| self.next_id());
        self.open.push((call.name.clone(), id.clone()));
        let arguments = serde_json::to_string(&call.args.unwrap_or_default()).unwrap_or_default();
        ToolCall { id, name: call.name, arguments, kind: ToolCallKind::Function }
    }

    fn result(&mut self, response: FunctionResponse) -> ToolResult {
        let call_id = match response.id.filter(|id| !id.is_empty()) {
            Some(id) => {
                self.open.retain(|(_, open)| *open != id);
                id
            }
            None => self.answered(&response.name),
        };
        let (text, is_error) = said(response.response.unwrap_or_default());
        let mut content = vec![Part::text(text)];
        content.extend(response.parts.into_iter().map(|part| self.part(part)));
        ToolResult { call_id, name: Some(response.name), content, is_error }
    }

    /// The oldest call of that name that waits for its result.
    fn answered(&mut self, name: &str) -> String {
        match self.open.iter().position(|(open, _)| open == name) {
            Some(at) => self.open.remove(at).1,
            None => self.next_id(),
        }
    }

    fn next_id(&mut self) -> String {
        self.made_up += 1;
        ids::made_up(0, self.made_up)
    }
}

fn text(text: String, thought: bool) -> Kind {
    if thought { Kind::Thinking { text, id: None } } else { Kind::Text { text, citations: Vec::new() } }
}

/// What a function answered, as text. A lone `content` or `error` is the wrapping that we and others use for text;
/// anything else stays the JSON it is. `contents.rs` does the same backwards.
fn said(response: Object) -> (String, bool) {
    if let (1, Some((name, Value::String(text)))) = (response.len(), response.iter().next())
        && matches!(name.as_str(), "content" | "error")
        && serde_json::from_str::<Object>(text).is_err()
    {
        return (text.clone(), name == "error");
    }
    (Value::Object(response).to_string(), false)
}

// --- tools ---

fn tools(tool: WireTool) -> Vec<Tool> {
    let functions = tool.function_declarations.into_iter().map(function);
    let provider = tool.provider.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| {
        let value = json!({ super::tools::camel(&name): value });
        Tool::new(ToolKind::Provider { dialect: Dialect::Gemini, value })
    });
    functions.chain(provider).collect()
}

fn function(declaration: FunctionDeclaration) -> Tool {
    let parameters = declaration.parameters_json_schema.or_else(|| {
        let mut schema = declaration.parameters?;
        schema::from_gemini(&mut schema);
        Some(schema)
    });
    let FunctionDeclaration { name, description, .. } = declaration;
    Tool::new(ToolKind::Function { name, description, parameters, strict: None })
}

/// What the canonical choice cannot say (`VALIDATED`, several allowed names, retrieval) stays in `extra`.
fn tool_config(config: ToolConfig, request: &mut Request) {
    let mut rest = config.extra;
    if let Some(calling) = config.function_calling_config {
        let (choice, whole) = tool_choice(&calling);
        request.tool_choice = choice;
        if !whole {
            let calling = serde_json::to_value(calling).unwrap_or_default();
            rest.insert("functionCallingConfig".into(), calling);
        }
    }
    if !rest.is_empty() {
        request.extra.insert("toolConfig".into(), Value::Object(rest));
    }
}

/// The choice, and whether it says all.
fn tool_choice(config: &FunctionCallingConfig) -> (Option<ToolChoice>, bool) {
    match (config.mode.as_deref(), config.allowed_function_names.as_slice()) {
        (Some("AUTO"), []) => (Some(ToolChoice::Auto), true),
        (Some("NONE"), _) => (Some(ToolChoice::None), true),
        (Some("ANY"), []) => (Some(ToolChoice::Required), true),
        (Some("ANY"), [name]) => (Some(ToolChoice::Named(name.clone())), true),
        (Some("ANY"), _) => (Some(ToolChoice::Required), false),
        (Some("VALIDATED"), _) => (Some(ToolChoice::Auto), false),
        _ => (None, false),
    }
}

// --- generationConfig ---

fn generation(mut config: GenerationConfig, request: &mut Request) {
    request.format = format(&mut config);
    request.temperature = config.temperature;
    request.top_p = config.top_p;
    request.top_k = config.top_k.filter(|k| k.is_finite() && *k >= 0.0).map(|k| k as u64);
    request.max_tokens = config.max_output_tokens;
    request.stop = config.stop_sequences;
    request.n = config.candidate_count;
    request.seed = config.seed;
    request.presence_penalty = config.presence_penalty;
    request.frequency_penalty = config.frequency_penalty;
    request.logprobs = config.response_logprobs;
    request.top_logprobs = config.logprobs;
    request.reasoning = config.thinking_config.map(thinking::read);
    if !config.extra.is_empty() {
        request.extra.insert("generationConfig".into(), Value::Object(config.extra));
    }
}

/// A media type that no other dialect knows (`text/x.enum`) stays in `extra`, with its schema.
fn format(config: &mut GenerationConfig) -> Option<Format> {
    let schema = config.response_json_schema.take();
    let own = config.response_schema.take();
    match config.response_mime_type.take().as_deref() {
        None | Some("application/json") if schema.is_some() || own.is_some() => {
            let schema = schema.or_else(|| {
                let mut own = own?;
                schema::from_gemini(&mut own);
                Some(own)
            })?;
            Some(Format::JsonSchema { name: None, description: None, schema, strict: None })
        }
        Some("application/json") => Some(Format::JsonObject),
        Some("text/plain") => Some(Format::Text),
        other => {
            let members = [("responseMimeType", other.map(Value::from)), ("responseSchema", own)];
            let said = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
            config.extra.extend(said);
            None
        }
    }
}
