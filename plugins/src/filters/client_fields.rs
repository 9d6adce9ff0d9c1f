//! What a client's body may not say: where to send the request, with which credentials, or what to answer. Refused
//! at the top level and one level down, where SDKs put `extra_body` and friends. What `configurable_clientside_auth_params`
//! leave to clients is taken out of the body here (`crate::own`).

use super::FilterKind;
use super::access::requested;
use super::entry::says_tags;
use crate::exchange::Exchange;
use crate::own::Own;
use crate::plugin::{Flow, Phase, Plugin};
use async_trait::async_trait;
use bytes::Bytes;
use serde_json::{Map, Value};
use std::collections::HashSet;
use std::sync::{Arc, LazyLock};
use weir_core::body::JsonBody;
use weir_core::domain::key::Principal;
use weir_core::domain::operation::Operation;
use weir_core::error::{ApiError, Kind};

pub static KIND: FilterKind =
    FilterKind { name: "client_fields", phases: &[Phase::Request], build: |_| Arc::new(ClientFields) };

struct ClientFields;

/// Fields that choose an endpoint, a credential, a logging target or a canned answer.
pub static REFUSED: &[&str] = &[
    "api_base",
    "api_key",
    "base_url",
    "api_version",
    "user_config",
    "custom_llm_provider",
    "litellm_credential_name",
    "organization",
    "azure_ad_token",
    "client_id",
    "client_secret",
    "tenant_id",
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
    "aws_role_name",
    "aws_profile_name",
    "aws_web_identity_token",
    "aws_sts_endpoint",
    "aws_bedrock_runtime_endpoint",
    "aws_region_name",
    "vertex_credentials",
    "vertex_project",
    "vertex_location",
    "langfuse_host",
    "langfuse_secret",
    "langfuse_secret_key",
    "langfuse_public_key",
    "langsmith_base_url",
    "slack_webhook_url",
    "mock_response",
    "mock_timeout",
    "mock_delay",
    "mock_tool_calls",
    "input_cost_per_token",
    "output_cost_per_token",
];

/// The same, to be looked up: every field of every request is.
static ARE_REFUSED: LazyLock<HashSet<&str>> = LazyLock::new(|| REFUSED.iter().copied().collect());

/// Objects in which the refused fields are looked for once more.
static NESTS: &[&str] = &["extra_body", "litellm_params", "litellm_metadata", "metadata", "model_info"];

#[async_trait]
impl Plugin for ClientFields {
    async fn on_request(&self, x: &mut Exchange) -> Result<Flow, ApiError> {
        // What is passed through is the provider's to read; where it goes is not taken from it.
        if x.request.pass.is_some() {
            return Ok(Flow::Continue);
        }
        if let Err(refused) = check(&x.request.body, &[]) {
            let own = brought(x).filter(|own| check(&x.request.body, &own.fields()).is_ok());
            let own = own.ok_or(refused)?;
            x.request.body = own.taken_out(&x.request.body)?;
            x.target.own = Some(own);
        }
        asked_for(x).map(|()| Flow::Continue)
    }
}

/// What the operator leaves to clients of the model that is asked for.
fn brought(x: &Exchange) -> Option<Own> {
    if x.request.form.is_some() {
        return None; // its fields are sent on as they came
    }
    let group = x.snapshot.models.find_for(&requested(x)?, &x.caller)?;
    Own::of(&x.request.body, &group)
}

/// What the operator wants of requests. The operator's own may be as they like.
fn asked_for(x: &Exchange) -> Result<(), ApiError> {
    let wanted = &x.snapshot.config.general.requests;
    let Some(known) = x.caller.principal() else { return Ok(()) };
    cache_controls(x, known)?;
    if wanted.reject_client_tags && says_tags(x) {
        let message = "Client-side 'metadata.tags' not allowed in request. 'reject_clientside_metadata_tags'=True. Tags can \
                       only be set via API key metadata.";
        return Err(ApiError::new(Kind::BadRequest, message).with_param("metadata.tags"));
    }
    let whole = !x.request.operation.counts() && x.request.operation != Operation::Realtime;
    if wanted.enforce_user && whole && x.end_user().is_none() {
        let message = "'user' param not passed in. 'enforce_user_param'=True. Name the end user in `user`.";
        return Err(ApiError::new(Kind::BadRequest, message).with_param("user"));
    }
    if whole { demanded(x, known) } else { Ok(()) }
}

/// A key may be left only some of what `cache` can say (`allowed_cache_controls`). LiteLLM's words.
fn cache_controls(x: &Exchange, known: &Principal) -> Result<(), ApiError> {
    let left = known.key.extra.get("allowed_cache_controls").and_then(Value::as_array);
    let Some(left) = left.filter(|left| !left.is_empty()) else { return Ok(()) };
    let said: Option<Map<String, Value>> =
        x.request.body.raw("cache").and_then(|raw| serde_json::from_str(raw).ok());
    let is_left = |name: &str| left.iter().any(|allowed| allowed.as_str() == Some(name));
    let Some(name) = said.iter().flat_map(Map::keys).find(|name| !is_left(name.as_str())) else {
        return Ok(());
    };
    let name: String = name.chars().take(200).collect();
    let message =
        format!("Not allowed to set {name} as a cache control. Contact admin to change permissions.");
    Err(ApiError::new(Kind::BadRequest, message).with_status(403).with_param("cache"))
}

/// What requests of this key have to say: what those of all keys have to, and what its metadata say.
fn demanded(x: &Exchange, known: &Principal) -> Result<(), ApiError> {
    let (wanted, own) = (&x.snapshot.config.general.requests, known.demands());
    let of_services =
        own.service_account_id.as_ref().map_or(&[][..], |_| wanted.enforced_of_service_accounts.as_slice());
    let mut all = wanted.enforced.iter().chain(of_services).chain(&own.params);
    all.try_for_each(|param| says(x, param))
}

/// `user`, or `metadata.generation_name`, which is a member of `metadata`.
fn says(x: &Exchange, param: &str) -> Result<(), ApiError> {
    let mut parts = param.split('.');
    let first = parts.next().unwrap_or_default();
    let in_path = first == "model" && x.request.path_model.is_some();
    if in_path || first == "user" && x.end_user().is_some() {
        return Ok(());
    }
    let Some(raw) = x.request.body.raw(first) else { return Err(missing(first)) };
    let rest: Vec<&str> = parts.collect();
    if rest.is_empty() {
        return Ok(());
    }
    let value: Value = serde_json::from_str(raw).unwrap_or_default();
    match rest.iter().try_fold(&value, |value, part| value.get(part)) {
        Some(_) => Ok(()),
        None => Err(missing(&format!("[{first}][{}]", rest.join("][")))),
    }
}

/// LiteLLM's words.
fn missing(param: &str) -> ApiError {
    let param: String = param.chars().take(200).collect();
    let message = format!("BadRequest please pass param={param} in request body. This is a required param");
    ApiError::new(Kind::BadRequest, message).with_param(param)
}

/// `left`: what the operator leaves to clients.
fn check(body: &JsonBody, left: &[&str]) -> Result<(), ApiError> {
    for field in body.fields() {
        let name = body.name(field);
        if ARE_REFUSED.contains(&*name) && !left.contains(&name.as_ref()) {
            return Err(refuse(&name));
        }
        if NESTS.contains(&name.as_ref()) {
            check_nested(&name, body.raw(&name).unwrap_or_default())?;
        }
    }
    Ok(())
}

fn check_nested(outer: &str, raw: &str) -> Result<(), ApiError> {
    let Ok(inner) = JsonBody::parse(Bytes::copy_from_slice(raw.as_bytes())) else { return Ok(()) };
    match inner.fields().iter().map(|f| inner.name(f)).find(|name| ARE_REFUSED.contains(&**name)) {
        Some(name) => Err(refuse(&format!("{outer}.{name}"))),
        None => Ok(()),
    }
}

pub(super) fn refuse(name: &str) -> ApiError {
    let message = format!(
        "Authentication Error, Rejected Request: {name} is not allowed in request body. \
         Where requests go, and with which credentials, is decided by the gateway's configuration alone."
    );
    ApiError::new(Kind::ClientCredentials, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(text: &str) -> Option<String> {
        let body = JsonBody::parse(Bytes::copy_from_slice(text.as_bytes())).unwrap();
        check(&body, &[]).err().map(|e| e.message().to_owned())
    }

    #[test]
    fn p36_no_refused_field_passes_at_any_place() {
        for name in REFUSED {
            assert!(verdict(&format!(r#"{{"{name}":"x"}}"#)).is_some(), "{name}");
            for nest in NESTS {
                let nested = format!(r#"{{"{nest}":{{"a":1,"{name}":"x"}}}}"#);
                assert!(
                    verdict(&nested).is_some_and(|m| m.contains(&format!("{nest}.{name}"))),
                    "{nest}.{name}"
                );
            }
        }
        assert!(verdict(r#"{"api\u005fbase":"x"}"#).is_some(), "an escaped name is the same name");
    }

    #[test]
    fn ordinary_bodies_pass() {
        assert_eq!(
            verdict(r#"{"model":"m","messages":[{"api_base":"in text"}],"metadata":"api_base"}"#),
            None
        );
    }
}
