//! Vertex AI: project, location and publisher stand in the path, the host follows from the location, a token in
//! `authorization` comes from [`crate::auth::gcp`]. Gemini speaks its own dialect, Claude Anthropic's with two changes
//! (`vertex/claude.rs`), models of other makers OpenAI's.
//! Sources: Vertex AI REST reference; Anthropic's "Claude on Vertex AI"; addresses of other makers as LiteLLM has them.

pub mod claude;
mod place;
#[cfg(test)]
mod tests;

pub use place::{Place, Publisher};

use super::gemini;
use super::wire::{Call, Fault, Wire, WireBuilder, set, without};
use super::{Auth, Quirk, Row};
use crate::auth::gcp::Credentials;
use crate::auth::{Identity, Signer, TokenSource};
use crate::dialects::embeddings::Embeddings;
use weir_core::ExposeSecret;
use weir_core::chat::Dialect;
use weir_core::config::ModelEntry;
use weir_core::config::env::Env;
use weir_core::domain::operation::Operation;

pub(super) const ROW: Row = row("vertex_ai");
/// LiteLLM's other name for it.
pub(super) const ROW_BETA: Row = row("vertex_ai_beta");

const fn row(prefix: &'static str) -> Row {
    Row {
        prefix,
        name: "VertexAI",
        base: "",
        base_env: &["VERTEXAI_API_BASE", "VERTEX_API_BASE"],
        key_env: &[],
        auth: Auth::OptionalBearer,
        quirks: &[Quirk::VersionInBody(claude::VERSION)],
        operations: &[
            Operation::Chat,
            Operation::Messages,
            Operation::CountTokens,
            Operation::Generate,
            Operation::Embeddings,
        ],
        wire,
    }
}

fn wire(row: &'static Row, entry: &ModelEntry, env: &Env) -> Result<Wire, Fault> {
    let own = &entry.params.vertex;
    let credentials = credentials(entry, env)?;
    let project = credentials.as_ref().and_then(Credentials::project);
    let place = Place::find(own.project.as_deref(), own.location.as_deref(), project, env)?;
    let model = entry.upstream_model.as_str();
    let publisher = Publisher::of(model);
    let address = Address::of(row, entry, env, &place, publisher);
    let mut wire = WireBuilder::new(&address.base)?;
    doors(&mut wire, &address, publisher)?;
    if let Some(credentials) = credentials {
        wire.signed(Signer::Token(Identity::new(TokenSource::Google(credentials), env)));
    }
    wire.finish(entry)
}

/// None where the deployment brings its own `authorization`.
fn credentials(entry: &ModelEntry, env: &Env) -> Result<Option<Credentials>, Fault> {
    if entry.params.extra_headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization")) {
        return Ok(None);
    }
    let said = entry.params.vertex.credentials.as_ref().map(ExposeSecret::expose_secret);
    let found = Credentials::find(said, env, |path| std::fs::read_to_string(path));
    found.map(Some).map_err(|fault| {
        let cure = "give the JSON of a service account's key, or the path of its file";
        Fault::new("vertex_credentials", fault.to_string(), cure)
    })
}

/// What the calls of one model are made of.
struct Address<'a> {
    base: String,
    place: &'a Place,
    model: &'a str,
    publisher: Publisher,
    /// The base ends with the model already, as LiteLLM wants it: only the method is added.
    whole: bool,
}

impl<'a> Address<'a> {
    fn of(
        row: &'static Row,
        entry: &'a ModelEntry,
        env: &Env,
        place: &'a Place,
        publisher: Publisher,
    ) -> Self {
        let said = entry.params.api_base.clone().filter(|base| !base.is_empty());
        let said = said.or_else(|| row.base_env.iter().find_map(|name| set(env, name)));
        let base = said.unwrap_or_else(|| format!("https://{}", place.host()));
        let base = base.trim_end_matches('/');
        let whole = base.contains("/models/") || base.contains("/endpoints/");
        let base = if whole { base } else { without(base, &place.prefix()) };
        Self { base: base.to_owned(), place, model: &entry.upstream_model, publisher, whole }
    }

    fn path(&self, call: gemini::Call) -> String {
        if self.whole {
            return call.suffix().to_owned();
        }
        self.place.path(self.model, self.publisher, call)
    }

    /// OpenAI's paths, below the endpoint that speaks them.
    fn openai(&self, operation: &str) -> String {
        if self.whole && self.base.ends_with(operation) {
            return String::new();
        }
        let endpoint = if self.whole { String::new() } else { self.place.endpoint(self.model) };
        format!("{endpoint}{operation}")
    }
}

fn doors(wire: &mut WireBuilder, at: &Address<'_>, publisher: Publisher) -> Result<(), Fault> {
    use gemini::Call as Method;
    match publisher {
        Publisher::Google => {
            let (plain, stream) = (at.path(Method::Generate), at.path(Method::Stream));
            wire.doors(Call::Chat(Dialect::Gemini), &plain, &stream)?;
            wire.door(Call::Plain(Operation::CountContents), &at.path(Method::CountTokens))?;
            wire.embeddings(Embeddings::Vertex, &at.path(Method::Predict))
        }
        Publisher::Anthropic => {
            let (plain, stream) = (at.path(Method::RawPredict), at.path(Method::StreamRawPredict));
            wire.doors(Call::Chat(Dialect::AnthropicMessages), &plain, &stream)?;
            if at.whole {
                return Ok(());
            }
            let counter = at.place.path(claude::COUNTER, publisher, Method::RawPredict);
            wire.door(Call::Plain(Operation::CountTokens), &counter)
        }
        Publisher::Mistral | Publisher::Ai21 => {
            let (plain, stream) = (at.path(Method::RawPredict), at.path(Method::StreamRawPredict));
            wire.doors(Call::Chat(Dialect::OpenAiChat), &plain, &stream)
        }
        Publisher::Open => {
            let [chat, embeddings] = [Operation::Chat, Operation::Embeddings].map(|o| o.row().openai_path);
            wire.door(Call::Chat(Dialect::OpenAiChat), &at.openai(chat))?;
            wire.door(Call::Plain(Operation::Embeddings), &at.openai(embeddings))
        }
    }
}
