//! Azure OpenAI: the model is a deployment in the path, the API has versions, the key has its own header.
//! Source: Azure OpenAI in Microsoft Foundry Models, REST API reference.

use super::wire::{Fault, Wire, WireBuilder, base, key, set};
use super::{Auth, Quirk, Row};
use weir_core::ExposeSecret;
use weir_core::config::ModelEntry;
use weir_core::config::env::Env;
use weir_core::domain::operation::Operation;

pub(super) const ROW: Row = Row {
    prefix: "azure",
    name: "Azure",
    base: "",
    base_env: &["AZURE_API_BASE"],
    key_env: &["AZURE_API_KEY", "AZURE_OPENAI_API_KEY"],
    auth: Auth::Bearer,
    quirks: &[Quirk::ReasoningModels],
    operations: &[
        Operation::Chat,
        Operation::Completions,
        Operation::Embeddings,
        Operation::Responses,
        Operation::Images,
        Operation::ImageEdits,
        Operation::Speech,
        Operation::Transcriptions,
        Operation::Translations,
    ],
    wire,
};

/// What LiteLLM 1.81 uses when nobody says.
const DEFAULT_VERSION: &str = "2025-02-01-preview";

pub(super) fn wire(row: &'static Row, entry: &ModelEntry, env: &Env) -> Result<Wire, Fault> {
    let base = base(row, entry, env)?;
    let mut wire = WireBuilder::new(&base)?;
    wire.openai(row.operations, |operation| path(&base, entry, env, operation))?;
    if let Some(token) = &entry.params.azure_ad_token {
        wire.secret_header("authorization", &format!("Bearer {}", token.expose_secret()))?;
    } else if let Some(key) = key(row, entry, env) {
        wire.secret_header("api-key", &key)?;
    } else if let Some(token) = set(env, "AZURE_AD_TOKEN") {
        wire.secret_header("authorization", &format!("Bearer {token}"))?;
    } else {
        wire.lacks_key(row);
    }
    wire.finish(entry)
}

/// The v1 API (`…/openai/v1`) takes the deployment as `model` in the body and needs no version.
fn path(base: &str, entry: &ModelEntry, env: &Env, operation: &str) -> String {
    let version = entry.params.api_version.clone().filter(|v| !v.is_empty());
    let version =
        version.or_else(|| set(env, "AZURE_API_VERSION")).unwrap_or_else(|| DEFAULT_VERSION.to_owned());
    // Responses know no deployment in the path; the model stands in the body.
    if operation == Operation::Responses.row().openai_path && !base.ends_with("/openai/v1") {
        return format!("/openai/responses?api-version={version}");
    }
    let newest = matches!(version.as_str(), "v1" | "latest" | "preview");
    if base.ends_with("/openai/v1") {
        return operation.to_owned();
    }
    if newest {
        return format!("/openai/v1{operation}");
    }
    let below = if base.ends_with("/openai") { "" } else { "/openai" };
    format!("{below}/deployments/{}{operation}?api-version={version}", entry.upstream_model)
}
