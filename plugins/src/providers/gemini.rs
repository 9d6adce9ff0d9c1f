//! The Gemini API (Google AI Studio): the model stands in the path, the key has its own header.
//! Source: Gemini API reference, v1beta.

use super::wire::{self, Fault, Wire, WireBuilder, base, key};
use super::{Auth, Row};
use crate::dialects::embeddings::Embeddings;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use weir_core::chat::Dialect;
use weir_core::config::ModelEntry;
use weir_core::config::env::Env;
use weir_core::domain::operation::Operation;

pub(super) const ROW: Row = Row {
    prefix: "gemini",
    name: "Gemini",
    base: "https://generativelanguage.googleapis.com",
    base_env: &["GEMINI_API_BASE"],
    key_env: &["GEMINI_API_KEY", "GOOGLE_API_KEY", "PALM_API_KEY"],
    auth: Auth::Bearer,
    quirks: &[],
    operations: &[Operation::Chat, Operation::Generate, Operation::Embeddings],
    wire,
};

const KEY_HEADER: &str = "x-goog-api-key";

/// What Google's APIs do with a model. Both of them name it after a colon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    Generate,
    /// As server-sent events.
    Stream,
    CountTokens,
    Embed,
    BatchEmbed,
    /// Vertex only: embeddings, and whatever else is no chat.
    Predict,
    /// Vertex only: models of other makers in their own dialect.
    RawPredict,
    StreamRawPredict,
}

/// What may stand in a model's name; anything else is escaped, so that no name reaches another path.
const IN_NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'@').remove(b'~');

fn wire(row: &'static Row, entry: &ModelEntry, env: &Env) -> Result<Wire, Fault> {
    let (base, model) = (base(row, entry, env)?, entry.upstream_model.as_str());
    let base = base.trim_end_matches("/openai").trim_end_matches("/v1beta");
    let mut wire = WireBuilder::new(base)?;
    let chat = wire::Call::Chat(Dialect::Gemini);
    wire.doors(chat, &path(model, Call::Generate), &path(model, Call::Stream))?;
    wire.door(wire::Call::Plain(Operation::CountContents), &path(model, Call::CountTokens))?;
    wire.embeddings(Embeddings::Gemini, &path(model, Call::BatchEmbed))?;
    match key(row, entry, env) {
        Some(key) => wire.secret_header(KEY_HEADER, &key)?,
        None => wire.lacks_key(row),
    }
    wire.finish(entry)
}

impl Call {
    /// What follows the model in the path.
    pub fn suffix(self) -> &'static str {
        match self {
            Call::Generate => ":generateContent",
            Call::Stream => ":streamGenerateContent?alt=sse",
            Call::CountTokens => ":countTokens",
            Call::Embed => ":embedContent",
            Call::BatchEmbed => ":batchEmbedContents",
            Call::Predict => ":predict",
            Call::RawPredict => ":rawPredict",
            Call::StreamRawPredict => ":streamRawPredict",
        }
    }
}

/// Path and query. `model`: with or without `models/`; tuned models as `tunedModels/…`.
pub fn path(model: &str, call: Call) -> String {
    let (kind, name) = match model.split_once('/') {
        Some(("tunedModels", name)) => ("tunedModels", name),
        Some(("models", name)) => ("models", name),
        _ => ("models", model),
    };
    format!("/v1beta/{kind}/{}{}", escaped(name), call.suffix())
}

pub(super) fn escaped(name: &str) -> String {
    utf8_percent_encode(name, IN_NAME).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_model_and_method() {
        for (model, call, expected) in [
            ("gemini-2.5-pro", Call::Generate, "/v1beta/models/gemini-2.5-pro:generateContent"),
            ("models/gemini-2.5-pro", Call::CountTokens, "/v1beta/models/gemini-2.5-pro:countTokens"),
            ("gemini-2.5-pro", Call::Stream, "/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse"),
            ("tunedModels/mine", Call::Generate, "/v1beta/tunedModels/mine:generateContent"),
            (
                "gemini-embedding-001",
                Call::BatchEmbed,
                "/v1beta/models/gemini-embedding-001:batchEmbedContents",
            ),
        ] {
            assert_eq!(path(model, call), expected);
        }
    }

    #[test]
    fn a_name_reaches_no_other_path() {
        assert_eq!(path("../files?x=", Call::Embed), "/v1beta/models/..%2Ffiles%3Fx%3D:embedContent");
    }
}
