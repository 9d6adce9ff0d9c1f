//! Azure OpenAI: the model is a deployment in the path, the API has versions, the key has its own header. Instead of a
//! key, tokens of Microsoft Entra are taken, as they are or fetched ([`crate::auth::entra`]).
//! Source: Azure OpenAI in Microsoft Foundry Models, REST API reference.

use super::wire::{Fault, Wire, WireBuilder, base, key, set};
use super::{Auth, Quirk, Row};
use crate::auth::entra::Entra;
use crate::auth::{Identity, Signer, TokenFault, TokenSource};
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
    quirks: &[Quirk::ReasoningModels, Quirk::CompletionsApart],
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
        Operation::Realtime,
    ],
    wire,
};

/// What LiteLLM 1.81 uses when nobody says.
const DEFAULT_VERSION: &str = "2025-02-01-preview";

pub(super) fn wire(row: &'static Row, entry: &ModelEntry, env: &Env) -> Result<Wire, Fault> {
    let base = base(row, entry, env)?;
    let mut wire = WireBuilder::new(&base)?;
    wire.openai(row.operations, |operation| path(&base, entry, env, operation))?;
    authorize(&mut wire, row, entry, env, KeyHeader::ApiKey)?;
    wire.finish(entry)
}

/// Where a key travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyHeader {
    ApiKey,
    XApiKey,
    Bearer,
}

/// What a request proves itself with: what the deployment says, then what the environment has; a key before a token
/// that must be fetched.
pub(super) fn authorize(
    wire: &mut WireBuilder,
    row: &'static Row,
    entry: &ModelEntry,
    env: &Env,
    header: KeyHeader,
) -> Result<(), Fault> {
    let params = &entry.params;
    if let Some(token) = &params.azure_ad_token {
        return static_token(wire, entry, token.expose_secret(), env);
    }
    let own_key = params.api_key.as_ref().is_some_and(|key| !key.expose_secret().is_empty());
    let own = if own_key { None } else { Entra::of_config(params, env).map_err(|e| fault(&e))? };
    if let Some(entra) = own {
        fetched(wire, entra, env);
        return Ok(());
    }
    if let Some(key) = key(row, entry, env) {
        return match header {
            KeyHeader::ApiKey => wire.secret_header("api-key", &key),
            KeyHeader::XApiKey => wire.secret_header("x-api-key", &key),
            KeyHeader::Bearer => wire.secret_header("authorization", &format!("Bearer {key}")),
        };
    }
    if let Some(token) = set(env, "AZURE_AD_TOKEN") {
        return static_token(wire, entry, &token, env);
    }
    match Entra::of_env(params, env).map_err(|e| fault(&e))? {
        Some(entra) => fetched(wire, entra, env),
        None => wire.lacks_key(row),
    }
    Ok(())
}

/// A token as it is, or LiteLLM's `oidc/…` that names one to exchange.
fn static_token(wire: &mut WireBuilder, entry: &ModelEntry, token: &str, env: &Env) -> Result<(), Fault> {
    let Some(place) = token.strip_prefix("oidc/") else {
        return wire.secret_header("authorization", &format!("Bearer {token}"));
    };
    let entra = Entra::of_oidc(place, &entry.params, env).map_err(|e| fault(&e))?;
    fetched(wire, entra, env);
    Ok(())
}

fn fetched(wire: &mut WireBuilder, entra: Entra, env: &Env) {
    wire.signed(Signer::Token(Identity::new(TokenSource::Entra(entra), env)));
}

fn fault(fault: &TokenFault) -> Fault {
    let cure = "set api_key, or tenant_id, client_id and client_secret";
    Fault::new("azure_ad_token", fault.to_string(), cure)
}

/// The API's version. That of Responses has a default of its own.
fn version(entry: &ModelEntry, env: &Env, responses: bool) -> String {
    let of_responses = || set(env, "AZURE_DEFAULT_RESPONSES_API_VERSION").filter(|_| responses);
    let said = entry.params.api_version.clone().filter(|version| !version.is_empty());
    said.or_else(|| set(env, "AZURE_API_VERSION"))
        .or_else(of_responses)
        .unwrap_or_else(|| DEFAULT_VERSION.to_owned())
}

/// The v1 API (`…/openai/v1`) takes the deployment as `model` and needs no version.
fn path(base: &str, entry: &ModelEntry, env: &Env, operation: &str) -> String {
    let is = |other: Operation| operation == other.row().openai_path;
    let version = version(entry, env, is(Operation::Responses));
    let newest = matches!(version.as_str(), "v1" | "latest" | "preview");
    let named = super::compatible::named(operation, entry);
    if base.ends_with("/openai/v1") {
        return named;
    }
    let below = if base.ends_with("/openai") { "" } else { "/openai" };
    // Responses and sessions know no deployment in the path.
    if is(Operation::Responses) {
        return format!("{below}/responses?api-version={version}");
    }
    if newest {
        return format!("{below}/v1{named}");
    }
    if is(Operation::Realtime) {
        return format!(
            "{below}/realtime?api-version={version}&deployment={}",
            super::compatible::model(entry)
        );
    }
    format!("{below}/deployments/{}{operation}?api-version={version}", entry.upstream_model)
}
