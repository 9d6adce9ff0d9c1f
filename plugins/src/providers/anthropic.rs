//! Anthropic: a version header, a key header of its own, and Messages. Source: Anthropic API reference.

use super::wire::{Call, Fault, Wire, WireBuilder, base, key};
use super::{Auth, Row};
use weir_core::chat::Dialect;
use weir_core::config::ModelEntry;
use weir_core::config::env::Env;
use weir_core::domain::operation::Operation;

pub(super) const ROW: Row = Row {
    prefix: "anthropic",
    name: "Anthropic",
    base: "https://api.anthropic.com",
    base_env: &["ANTHROPIC_API_BASE", "ANTHROPIC_BASE_URL"],
    key_env: &["ANTHROPIC_API_KEY"],
    auth: Auth::Bearer,
    quirks: &[],
    operations: &[Operation::Chat, Operation::Messages, Operation::CountTokens],
    wire,
};

/// The version where the client names none.
const VERSION: &str = "2023-06-01";

const MESSAGES: &str = "/v1/messages";

/// The base is the address of Messages, whatever it ends with.
const WHOLE: &str = "LITELLM_ANTHROPIC_DISABLE_URL_SUFFIX";

fn wire(row: &'static Row, entry: &ModelEntry, env: &Env) -> Result<Wire, Fault> {
    let base = base(row, entry, env)?;
    let (base, messages) = parted(&base, row, env);
    let mut wire = WireBuilder::new(base)?;
    wire.door(Call::Chat(Dialect::AnthropicMessages), messages)?;
    wire.door(Call::Plain(Operation::CountTokens), &format!("{messages}/count_tokens"))?;
    wire.header("anthropic-version", VERSION)?;
    match key(row, entry, env) {
        // Tokens of a subscription travel as a bearer token.
        Some(key) if key.starts_with("sk-ant-oat") => {
            wire.secret_header("authorization", &format!("Bearer {key}"))?;
        }
        Some(key) => wire.secret_header("x-api-key", &key)?,
        None => wire.lacks_key(row),
    }
    wire.finish(entry)
}

/// The base, and what stands behind it. As in LiteLLM, a base may already end with the path or its first part.
fn parted<'b>(base: &'b str, row: &Row, env: &Env) -> (&'b str, &'static str) {
    if env.is_on(WHOLE) && base != row.base {
        return (base, "");
    }
    (base.trim_end_matches(MESSAGES).trim_end_matches("/v1"), MESSAGES)
}
