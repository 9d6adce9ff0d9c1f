//! Ollama's own API. A local server has no key; Ollama's cloud and servers behind a proxy do. LiteLLM's two prefixes
//! stand for two calls.

use super::wire::{Call, Fault, Wire, WireBuilder, base, bearer, without};
use super::{Auth, Row};
use crate::dialects::embeddings::Embeddings;
use weir_core::chat::Dialect;
use weir_core::config::ModelEntry;
use weir_core::config::env::Env;
use weir_core::domain::operation::Operation;

pub(super) const ROW: Row = row("ollama", "Ollama", generate);
pub(super) const ROW_CHAT: Row = row("ollama_chat", "Ollama_chat", chat);

const fn row(prefix: &'static str, name: &'static str, wire: super::BuildWire) -> Row {
    Row {
        prefix,
        name,
        base: "http://localhost:11434",
        base_env: &["OLLAMA_API_BASE"],
        key_env: &["OLLAMA_API_KEY"],
        auth: Auth::OptionalBearer,
        quirks: &[],
        operations: &[Operation::Chat, Operation::Embeddings],
        wire,
    }
}

fn generate(row: &'static Row, entry: &ModelEntry, env: &Env) -> Result<Wire, Fault> {
    wire(row, entry, env, Dialect::OllamaGenerate, "/api/generate")
}

fn chat(row: &'static Row, entry: &ModelEntry, env: &Env) -> Result<Wire, Fault> {
    wire(row, entry, env, Dialect::OllamaChat, "/api/chat")
}

fn wire(
    row: &'static Row,
    entry: &ModelEntry,
    env: &Env,
    dialect: Dialect,
    path: &str,
) -> Result<Wire, Fault> {
    let base = base(row, entry, env)?;
    let mut wire = WireBuilder::new(without(&base, path))?;
    wire.door(Call::Chat(dialect), path)?;
    wire.embeddings(Embeddings::Ollama, "/api/embed")?;
    bearer(&mut wire, row, entry, env)?;
    wire.finish(entry)
}
