//! What goes out of a raw request.

use super::headers::{self, Whose};
use super::path::joined;
use super::{Family, Named, Pass, Stands, Way};
use crate::deployment::Deployment;
use crate::dialects::ResponsePlan;
use crate::exchange::Exchange;
use crate::outgoing::Outgoing;
use crate::providers::Call;
use bytes::Bytes;
use http::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use weir_core::access;
use weir_core::body::{Edits, Pieces};
use weir_core::chat::Dialect;
use weir_core::error::{ApiError, Kind};

/// What stands in a segment of a path as it is.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'@');

/// The request of one attempt, ready but for its length and a signature.
///
/// # Errors
/// 400 for an address that cannot be sent.
pub fn outgoing(x: &Exchange, pass: &Pass, deployment: &Deployment) -> Result<Outgoing, ApiError> {
    let general = &x.snapshot.config.general;
    let custom = general.litellm_key_header_name.as_deref();
    let key = access::presented(&x.request.headers, custom).ok();
    let whose = Whose { custom, key, all: pass.forwards() };
    let client = headers::forwarded(&x.request.headers, &whose);
    let uri = address(pass, deployment, key)?;
    Ok(Outgoing {
        uri,
        headers: headers::over(client, &deployment.wire.headers, pass.body.is_empty()),
        body: body(x, pass, deployment),
        more: Vec::new(),
        plan: ResponsePlan::Carry(pass.meant.dialect.unwrap_or(Dialect::OpenAiChat)),
    })
}

impl Pass {
    fn forwards(&self) -> bool {
        match &self.way {
            Way::Provider(_) => true,
            Way::Configured(endpoint) => endpoint.settings.forward_headers,
        }
    }

    /// The name in the request, where the provider has another one for it.
    fn renamed(&self) -> Option<&Named> {
        self.meant.model.as_ref().filter(|_| self.routed)
    }
}

// --- the address ---

fn address(pass: &Pass, deployment: &Deployment, key: Option<&str>) -> Result<Uri, ApiError> {
    let base: Uri = deployment.wire.api_base.parse().map_err(unsendable)?;
    let query = query(pass, key);
    let path = match &pass.way {
        Way::Provider(prefix) => joined(base.path(), &path(pass, prefix.family, deployment)),
        Way::Configured(_) if pass.path.is_empty() => base.path().to_owned(),
        Way::Configured(_) => format!("{}{}", base.path().trim_end_matches('/'), pass.path),
    };
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{path}{mark}{query}").parse().map_err(unsendable)
}

fn unsendable(why: http::uri::InvalidUri) -> ApiError {
    ApiError::new(Kind::BadRequest, "The path or the query cannot be sent.").because(why)
}

/// The path with the provider's name for the model.
fn path(pass: &Pass, family: Family, deployment: &Deployment) -> String {
    let named = pass.meant.model.as_ref();
    let Some(Named { name, stands: Stands::Path(range) }) = named else { return pass.path.clone() };
    let segment = |text: &str| utf8_percent_encode(text, SEGMENT).to_string();
    let name = match (pass.routed, family) {
        (true, Family::Bedrock) => bedrock_id(deployment).unwrap_or_else(|| segment(name)),
        (true, _) => segment(deployment.model_label.trim_start_matches("models/")),
        // As it is signed: an id's colons and slashes are part of one segment.
        (false, Family::Bedrock) => segment(name),
        (false, _) => return pass.path.clone(),
    };
    format!("{}{name}{}", &pass.path[..range.start], &pass.path[range.end..])
}

/// The id as the deployment's own requests name it, which may be another than the one that is priced.
fn bedrock_id(deployment: &Deployment) -> Option<String> {
    let dialect = deployment.wire.speaks(Dialect::BedrockConverse)?;
    let path = deployment.wire.uri(Call::Chat(dialect), false)?.path();
    path.strip_prefix("/model/")?.rsplit_once('/').map(|(id, _)| id.to_owned())
}

/// The client's query without our key; the target's where the config says so.
fn query(pass: &Pass, key: Option<&str>) -> String {
    let ours = |pair: &&str| match (&pass.way, parameter(pair)) {
        (Way::Provider(_), (name, _)) => name == "key",
        (Way::Configured(_), (_, value)) => key.is_some_and(|key| value == key),
    };
    let clients: Vec<&str> = pass.query.split('&').filter(|pair| !pair.is_empty() && !ours(pair)).collect();
    let target = match &pass.way {
        Way::Provider(_) => "",
        Way::Configured(endpoint) => endpoint.query.as_str(),
    };
    let merges = matches!(&pass.way, Way::Configured(e) if e.settings.merge_query_params);
    if target.is_empty() || !clients.is_empty() && !merges {
        return clients.join("&");
    }
    let fixed: Vec<String> = target.split('&').map(|pair| parameter(pair).0).collect();
    let added = clients.into_iter().filter(|pair| !fixed.contains(&parameter(pair).0));
    target.split('&').chain(added).collect::<Vec<_>>().join("&")
}

/// Name and value, decoded.
fn parameter(pair: &str) -> (String, String) {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    let plain = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    (plain(name), plain(value))
}

/// The key that Google's clients put into the query.
pub fn key_in_query(query: &str) -> Option<String> {
    query.split('&').map(parameter).find(|(name, _)| name == "key").map(|(_, value)| value)
}

// --- the body ---

fn body(x: &Exchange, pass: &Pass, deployment: &Deployment) -> Pieces {
    let as_it_came = || Pieces::from_iter([pass.body.clone()]);
    let Some(named) = pass.renamed() else { return as_it_came() };
    match (&named.stands, &x.request.form) {
        (Stands::Body, _) => {
            let mut edits = Edits::default();
            let name = serde_json::Value::from(deployment.model_label.as_str()).to_string();
            edits.set("model", Bytes::from(name));
            edits.apply(&x.request.body)
        }
        (Stands::Form, Some(form)) => form.with_model(&deployment.model_label, |_| false),
        _ => as_it_came(),
    }
}
