//! Cohere's own API, and those of Jina and Voyage, which serve embeddings and rerankings only.

use super::wire::{Call, Fault, Wire, WireBuilder, base, bearer, without};
use super::{Auth, BuildWire, Row};
use crate::dialects::cohere::Vendor;
use crate::dialects::embeddings::Embeddings;
use weir_core::chat::Dialect;
use weir_core::config::ModelEntry;
use weir_core::config::env::Env;
use weir_core::domain::operation::Operation;

const COHERE: &[&str] = &["COHERE_API_KEY", "CO_API_KEY"];
const JINA: &[&str] = &["JINA_AI_API_KEY", "JINA_AI_TOKEN", "JINA_API_KEY"];
const VOYAGE: &[&str] = &["VOYAGE_API_KEY", "VOYAGE_AI_API_KEY", "VOYAGE_AI_TOKEN"];
const CHATS: &[Operation] = &[Operation::Chat, Operation::Embeddings, Operation::Rerank];
const EMBEDS: &[Operation] = &[Operation::Embeddings, Operation::Rerank];

pub(super) const ROW: Row = row("cohere", "Cohere", COHERE, CHATS, cohere);
pub(super) const ROW_CHAT: Row = row("cohere_chat", "Cohere_chat", COHERE, CHATS, cohere);
pub(super) const ROW_JINA: Row = row("jina_ai", "Jina_ai", JINA, EMBEDS, jina);
pub(super) const ROW_VOYAGE: Row = row("voyage", "Voyage", VOYAGE, EMBEDS, voyage);

const fn row(
    prefix: &'static str,
    name: &'static str,
    key_env: &'static [&'static str],
    operations: &'static [Operation],
    wire: BuildWire,
) -> Row {
    let (base, base_env): (_, &[&str]) = match key_env[0].as_bytes()[0] {
        b'C' => ("https://api.cohere.com", &["COHERE_API_BASE"]),
        b'J' => ("https://api.jina.ai", &["JINA_AI_API_BASE"]),
        _ => ("https://api.voyageai.com", &["VOYAGE_API_BASE"]),
    };
    Row { prefix, name, base, base_env, key_env, auth: Auth::Bearer, quirks: &[], operations, wire }
}

fn cohere(row: &'static Row, entry: &ModelEntry, env: &Env) -> Result<Wire, Fault> {
    let base = base(row, entry, env)?;
    let mut wire = WireBuilder::new(without(without(&base, "/v2/chat"), "/v1/rerank"))?;
    wire.door(Call::Chat(Dialect::CohereChat), "/v2/chat")?;
    wire.embeddings(Embeddings::Vendor(Vendor::Cohere), "/v2/embed")?;
    wire.rerank(Vendor::Cohere, "/v2/rerank")?;
    bearer(&mut wire, row, entry, env)?;
    wire.finish(entry)
}

fn jina(row: &'static Row, entry: &ModelEntry, env: &Env) -> Result<Wire, Fault> {
    embeds(row, entry, env, Vendor::Jina)
}

fn voyage(row: &'static Row, entry: &ModelEntry, env: &Env) -> Result<Wire, Fault> {
    embeds(row, entry, env, Vendor::Voyage)
}

fn embeds(row: &'static Row, entry: &ModelEntry, env: &Env, vendor: Vendor) -> Result<Wire, Fault> {
    const PATH: &str = "/v1/embeddings";
    let base = base(row, entry, env)?;
    let mut wire = WireBuilder::new(without(&base, PATH))?;
    wire.embeddings(Embeddings::Vendor(vendor), PATH)?;
    wire.rerank(vendor, "/v1/rerank")?;
    bearer(&mut wire, row, entry, env)?;
    wire.finish(entry)
}
