//! Recorded exchanges of chats, and the dialects that they are in.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::path::{Path, PathBuf};
use weir_core::chat::Dialect;
use weir_plugins::dialects::{self, ClientDialect, UpstreamDialect};

/// One exchange.
pub struct Recorded {
    pub name: String,
    pub provider: String,
    pub model: String,
    pub features: Vec<String>,
    /// Null where none was kept.
    pub request: Value,
    pub status: u16,
    /// The answer as it came over the wire.
    pub body: Vec<u8>,
    pub streamed: bool,
    pub dialect: Dialect,
    /// Anthropic's dialect, carried by Bedrock's InvokeModel.
    invoked: bool,
}

/// The dialects that clients speak, as the table calls them.
pub static CLIENTS: &[(Dialect, &str)] = &[
    (Dialect::OpenAiChat, "chat"),
    (Dialect::AnthropicMessages, "messages"),
    (Dialect::OpenAiResponses, "responses"),
    (Dialect::Gemini, "gemini"),
];

/// The dialects that providers speak, as the table calls them; a model that each of them knows; its prefix.
pub static UPSTREAMS: &[(Dialect, &str, &str, &str)] = &[
    (Dialect::OpenAiChat, "OpenAI chat", "gpt-4.1", "openai"),
    (Dialect::OpenAiResponses, "OpenAI responses", "gpt-4.1", "openai"),
    (Dialect::AnthropicMessages, "Anthropic", "claude-sonnet-4-5", "anthropic"),
    (Dialect::BedrockConverse, "Bedrock Converse", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "bedrock"),
    (Dialect::OllamaChat, "Ollama chat", "qwen3", "ollama_chat"),
    (Dialect::OllamaGenerate, "Ollama generate", "qwen3", "ollama"),
    (Dialect::Gemini, "Gemini", "gemini-2.5-flash", "gemini"),
    (Dialect::CohereChat, "Cohere", "command-a-03-2025", "cohere"),
];

pub fn client(dialect: Dialect) -> &'static dyn ClientDialect {
    dialects::client(dialect).unwrap_or_else(|| unreachable!("{dialect:?} has no clients"))
}

impl Recorded {
    pub fn upstream(&self) -> &'static dyn UpstreamDialect {
        let carrier = if self.invoked { Dialect::BedrockInvoke } else { self.dialect };
        dialects::upstream(carrier)
    }

    pub fn has(&self, feature: &str) -> bool {
        self.features.iter().any(|f| f == feature)
    }

    /// The dialect that a client of the recorded kind speaks, if clients speak it at all.
    pub fn client(&self) -> Option<Dialect> {
        CLIENTS.iter().map(|(dialect, _)| *dialect).find(|d| *d == self.dialect)
    }

    /// `None`: no chat, or in a format that a model has for itself.
    fn of(file: &Value) -> Option<Self> {
        let text = |name: &str| file[name].as_str().unwrap_or_default().to_owned();
        let (provider, operation) = (text("provider"), text("operation"));
        let request = &file["request"]["body"];
        let dialect = dialect(&provider, &operation, request, &text("model"))?;
        let response = &file["response"];
        let features = file["features"].as_array()?.iter().filter_map(Value::as_str).map(str::to_owned);
        Some(Self {
            name: text("id"),
            provider,
            model: text("model"),
            features: features.collect(),
            request: request.clone(),
            status: u16::try_from(response["status"].as_u64()?).ok()?,
            body: body(response),
            streamed: response.get("body").is_none(),
            dialect,
            invoked: operation.starts_with("invoke"),
        })
    }
}

fn dialect(provider: &str, operation: &str, request: &Value, model: &str) -> Option<Dialect> {
    let native = !operation.contains("compat");
    let kind = operation.split('_').next()?;
    Some(match (provider, kind) {
        ("ollama", "chat") if native => Dialect::OllamaChat,
        ("ollama", "generate") => Dialect::OllamaGenerate,
        ("cohere", "chat") if native => Dialect::CohereChat,
        (_, "chat") => Dialect::OpenAiChat,
        (_, "responses") => Dialect::OpenAiResponses,
        (_, "messages") => Dialect::AnthropicMessages,
        (_, "converse") => Dialect::BedrockConverse,
        (_, "generate") => Dialect::Gemini,
        // Other models, and old Claudes, have formats of their own; they are only passed through.
        (_, "invoke") if model.contains("anthropic.") && request["messages"].is_array() => {
            Dialect::AnthropicMessages
        }
        _ => return None,
    })
}

fn body(response: &Value) -> Vec<u8> {
    if let Some(text) = response["body_text"].as_str() {
        return text.as_bytes().to_vec();
    }
    if let Some(text) = response["body_base64"].as_str() {
        return STANDARD.decode(text).unwrap();
    }
    serde_json::to_vec(&response["body"]).unwrap()
}

/// All recorded chats, by name. `None`, said out loud, where the folder of shared references is absent.
pub fn all() -> Option<Vec<Recorded>> {
    let folder = folder()?;
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "json") {
            continue;
        }
        let file: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        found.extend(Recorded::of(&file));
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Some(found)
}

fn folder() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let folder = std::env::var_os("WEIR_SHARED").map_or(beside, PathBuf::from).join("recordings/dev");
    if folder.is_dir() {
        return Some(folder);
    }
    let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(!ci, "recordings/dev is needed: set WEIR_SHARED to the folder of shared references");
    println!("SKIPPED: no recordings/dev; set WEIR_SHARED to the folder of shared references");
    None
}
