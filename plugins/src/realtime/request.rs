//! The request that opens a session.

use crate::deployment::Deployment;
use crate::dialects::ResponsePlan;
use crate::exchange::Exchange;
use crate::outgoing::Outgoing;
use crate::pass::headers::{self, Whose};
use crate::providers::Call;
use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use percent_encoding::percent_decode_str;
use weir_core::access;
use weir_core::body::Pieces;
use weir_core::chat::Dialect;
use weir_core::domain::operation::Operation;
use weir_core::error::{ApiError, Kind};

/// What browsers put their key behind, since they cannot send headers.
const KEY_PROTOCOL: &str = "openai-insecure-api-key.";

/// Parameters that name the model or the version; the deployment's own count.
static OURS: &[&str] = &["model", "deployment", "api-version", "api-key"];

/// Headers of the handshake that are the client's. Extensions are not: compressed messages could not be read.
static HANDSHAKE: &[HeaderName] = &[header::SEC_WEBSOCKET_KEY, header::SEC_WEBSOCKET_VERSION];

/// The model that a session is asked for: OpenAI's parameter, or Azure's.
pub fn model_in_query(query: &str) -> Option<String> {
    ["model", "deployment"].iter().find_map(|name| parameter(query, name)).filter(|model| !model.is_empty())
}

/// The key among the protocols that a client offers.
pub fn key_in_protocols(headers: &HeaderMap) -> Option<&str> {
    protocols(headers).find_map(|offered| offered.strip_prefix(KEY_PROTOCOL))
}

/// The request of one attempt. `query`: the client's.
///
/// # Errors
/// 501 where the provider has no sessions, 400 for a query that cannot be sent.
pub fn outgoing(x: &Exchange, deployment: &Deployment, query: &str) -> Result<Outgoing, ApiError> {
    let door = deployment.wire.uri(Call::Plain(Operation::Realtime), false);
    let door = door.ok_or_else(|| deployment.lacks(Operation::Realtime))?;
    let custom = x.snapshot.config.general.litellm_key_header_name.as_deref();
    let key = access::presented(&x.request.headers, custom).ok();
    let client = headers::forwarded(&x.request.headers, &Whose { custom, key, all: true });
    let mut headers = headers::over(client, &deployment.wire.headers, true);
    handshake(&mut headers, &x.request.headers);
    Ok(Outgoing {
        uri: address(door, query)?,
        headers,
        body: Pieces::new(),
        more: Vec::new(),
        plan: ResponsePlan::Carry(Dialect::OpenAiChat),
    })
}

fn handshake(out: &mut HeaderMap, client: &HeaderMap) {
    out.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    out.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    for name in HANDSHAKE {
        if let Some(value) = client.get(name) {
            out.insert(name.clone(), value.clone());
        }
    }
    let offered: Vec<_> = protocols(client).filter(|offered| !offered.starts_with(KEY_PROTOCOL)).collect();
    if let (false, Ok(offered)) = (offered.is_empty(), offered.join(", ").parse()) {
        out.insert(header::SEC_WEBSOCKET_PROTOCOL, offered);
    }
}

fn protocols(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lists = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|v| v.to_str().ok());
    lists.flat_map(|list| list.split(',')).map(str::trim).filter(|offered| !offered.is_empty())
}

/// The provider's address with what else the client asked for (`intent`, `call_id`).
fn address(door: &Uri, query: &str) -> Result<Uri, ApiError> {
    let name = |pair: &&str| pair.split('=').next().unwrap_or_default().to_owned();
    let rest = query.split('&').filter(|pair| !pair.is_empty() && !OURS.contains(&name(pair).as_str()));
    let all: Vec<&str> = door.query().into_iter().chain(rest).collect();
    let mark = if all.is_empty() { "" } else { "?" };
    let uri = format!("{}{mark}{}", door.path(), all.join("&"));
    uri.parse().map_err(|e| ApiError::new(Kind::BadRequest, "The query cannot be sent.").because(e))
}

fn parameter(query: &str, wanted: &str) -> Option<String> {
    let found = query.split('&').filter_map(|pair| pair.split_once('=')).find(|(name, _)| *name == wanted);
    found.map(|(_, value)| percent_decode_str(&value.replace('+', " ")).decode_utf8_lossy().into_owned())
}
