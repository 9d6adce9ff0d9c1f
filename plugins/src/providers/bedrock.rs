//! AWS Bedrock: the region is in the host, the model in the path, and a model is reached by Converse or by its own
//! format (InvokeModel). Source: Amazon Bedrock API Reference; which way a model takes: LiteLLM's rules.

use super::wire::{Call, Fault, Wire, WireBuilder, set};
use super::{Auth, Row};
use crate::auth::Signer;
use crate::auth::aws::Access;
use crate::dialects::bedrock_converse::Model;
use crate::dialects::embeddings::Embeddings;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use weir_core::ExposeSecret;
use weir_core::chat::Dialect;
use weir_core::config::ModelEntry;
use weir_core::config::env::Env;
use weir_core::domain::operation::Operation;

pub const ROW: Row = Row {
    prefix: "bedrock",
    name: "Bedrock",
    base: "",
    base_env: &["AWS_BEDROCK_RUNTIME_ENDPOINT"],
    key_env: &["AWS_BEARER_TOKEN_BEDROCK"],
    auth: Auth::OptionalBearer,
    quirks: &[],
    operations: &[Operation::Chat, Operation::Messages, Operation::Embeddings],
    wire,
};

fn wire(_: &'static Row, entry: &ModelEntry, env: &Env) -> Result<Wire, Fault> {
    let model = entry.upstream_model.as_str();
    let native = route(model, true);
    let here = endpoint(model, native, entry, env)?;
    let mut wire = WireBuilder::new(&here.base)?;
    for route in [route(model, false), native] {
        let at = endpoint(model, route, entry, env)?;
        let dialect = match route {
            Route::Converse => Dialect::BedrockConverse,
            Route::Invoke => Dialect::BedrockInvoke,
        };
        wire.doors(Call::Chat(dialect), &at.path_plain, &at.path_stream)?;
    }
    let invoke = endpoint(model, Route::Invoke, entry, env)?;
    wire.embeddings(Embeddings::Bedrock, &invoke.path_plain)?;
    match Access::of(entry, &here.region, env) {
        Access::Bearer(key) => {
            wire.secret_header("authorization", &format!("Bearer {}", key.expose_secret()))?;
        }
        Access::Signed(source) => wire.signed(Signer::Aws { source, region: here.region }),
    }
    wire.finish(entry)
}

/// The region where nobody says, as LiteLLM has it.
const DEFAULT_REGION: &str = "us-west-2";

/// Variables that name a region, first set wins.
const REGION_ENV: &[&str] = &["AWS_REGION_NAME", "AWS_REGION", "AWS_DEFAULT_REGION"];

/// How a model is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// `/converse`, `/converse-stream`.
    Converse,
    /// `/invoke`, `/invoke-with-response-stream`, in the model's own format.
    Invoke,
}

/// Where the requests of a deployment go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Scheme and host, and a path where the config has one; no slash at its end.
    pub base: String,
    /// Below `base`, percent-encoded.
    pub path_plain: String,
    pub path_stream: String,
    /// For the signature.
    pub region: String,
}

/// The model as it is written in a deployment, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Written<'a> {
    route: Option<Route>,
    region: Option<&'a str>,
    /// Model id, inference profile or ARN.
    id: &'a str,
}

/// The route of a chat. `native`: the client speaks Anthropic's Messages, which Bedrock takes as they are from Claude.
/// A route that the deployment names is kept; InvokeModel is spoken for Claude 3 and later only.
pub fn route(model: &str, native: bool) -> Route {
    let written = take_apart(model);
    let claude = Model::of(written.id).claude_since(3, 0);
    let wanted = written.route.unwrap_or(if native { Route::Invoke } else { Route::Converse });
    if claude { wanted } else { Route::Converse }
}

/// Where a deployment's requests go on this route; embeddings always go by InvokeModel.
///
/// # Errors
/// A region that is none, as it would become part of a host name.
pub fn endpoint(model: &str, route: Route, entry: &ModelEntry, env: &Env) -> Result<Endpoint, Fault> {
    let written = take_apart(model);
    let model_id = own_id(entry);
    let id = model_id.as_deref().unwrap_or(written.id);
    let region = region(written, id, entry, env)?;
    let (plain, stream) = match route {
        Route::Converse => ("converse", "converse-stream"),
        Route::Invoke => ("invoke", "invoke-with-response-stream"),
    };
    let path = format!("/model/{}", utf8_percent_encode(id, ENCODED));
    Ok(Endpoint {
        base: base(entry, env, &region),
        path_plain: format!("{path}/{plain}"),
        path_stream: format!("{path}/{stream}"),
        region,
    })
}

/// All but RFC 3986's unreserved characters: an ARN's colons and slashes are part of one segment.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

fn base(entry: &ModelEntry, env: &Env, region: &str) -> String {
    let params = &entry.params;
    let given = params.aws.bedrock_runtime_endpoint.clone().or_else(|| params.api_base.clone());
    let given = given.filter(|base| !base.is_empty()).or_else(|| set(env, ROW.base_env[0]));
    let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    let base = given.unwrap_or_else(|| format!("https://bedrock-runtime.{region}.{domain}"));
    base.trim_end_matches('/').to_owned()
}

fn region(written: Written<'_>, id: &str, entry: &ModelEntry, env: &Env) -> Result<String, Fault> {
    let of_arn = arn_region(id).or(written.region).map(str::to_owned);
    let region = region_of(of_arn.as_deref().or(entry.params.aws.region.as_deref()), env);
    if !region.is_empty() && region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    {
        return Ok(region);
    }
    Err(Fault::new("aws_region_name", format!("{region:?} is no region"), "write it like us-east-1"))
}

/// The region that is said, else the environment's.
pub fn region_of(said: Option<&str>, env: &Env) -> String {
    let of_env = || REGION_ENV.iter().find_map(|name| set(env, name));
    said.map(str::to_owned).or_else(of_env).unwrap_or_else(|| DEFAULT_REGION.to_owned())
}

/// Where agents, knowledge bases and flows are asked.
pub fn agents(env: &Env) -> String {
    let region = region_of(None, env);
    let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    let given = set(env, "AWS_ENDPOINT_URL_BEDROCK_AGENT_RUNTIME");
    given.unwrap_or_else(|| format!("https://bedrock-agent-runtime.{region}.{domain}"))
}

/// LiteLLM's `model_id`: the ARN behind a model that is named for its price.
fn own_id(entry: &ModelEntry) -> Option<String> {
    let json = entry.params.rest.get("model_id")?;
    serde_json::from_str::<String>(json).ok().filter(|id| !id.is_empty())
}

/// `[bedrock/][converse/|converse_like/|invoke/][region/]id`, in any order before the id.
fn take_apart(model: &str) -> Written<'_> {
    let mut written = Written { route: None, region: None, id: model };
    while let Some((word, rest)) = written.id.split_once('/') {
        match word {
            "bedrock" | "bedrock_converse" => {}
            "converse" | "converse_like" => written.route = Some(Route::Converse),
            "invoke" => written.route = Some(Route::Invoke),
            word if is_region(word) => written.region = Some(word),
            _ => break,
        }
        written.id = rest;
    }
    written
}

/// `us-east-1`, `us-gov-west-1`: words, then a number.
fn is_region(word: &str) -> bool {
    let mut words = word.rsplit('-');
    let number = words.next().is_some_and(|n| n.len() == 1 && n.bytes().all(|b| b.is_ascii_digit()));
    number && word.split('-').count() >= 3 && words.all(|w| w.bytes().all(|b| b.is_ascii_lowercase()))
}

/// `arn:partition:bedrock:REGION:account:…`
fn arn_region(id: &str) -> Option<&str> {
    let rest = id.strip_prefix("arn:")?;
    rest.split(':').nth(2).filter(|region| !region.is_empty())
}

#[cfg(test)]
mod tests;
