//! The request of one attempt, as it goes to the provider.

use crate::budgets::LIMITS;
use crate::deployment::Deployment;
use crate::dialects::cache_points::CachePoints;
use crate::dialects::cohere::{Vendor, write_rerank};
use crate::dialects::openai_chat::OURS;
use crate::dialects::openai_responses::{messages, prepend};
use crate::dialects::{Asked, ResponsePlan, client, gemini, upstream};
use crate::exchange::{Attempt, Exchange, Request};
use crate::filters::organization;
use crate::models::star_of;
use crate::pass::headers::holds;
use crate::providers::{Call, Quirk};
use crate::responses::Previous;
use crate::trace::Trace;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use std::borrow::Cow;
use weir_core::access;
use weir_core::body::{Form, Pieces};
use weir_core::chat::Dialect;
use weir_core::domain::operation::Operation;
use weir_core::error::{ApiError, Kind};

/// Head and body, ready to send but for `content-length` and a signature.
#[derive(Debug)]
pub struct Outgoing {
    pub uri: Uri,
    pub headers: HeaderMap,
    pub body: Pieces,
    /// Bodies of further requests to the same place, one after another. The answers of all are one, in order.
    pub more: Vec<Pieces>,
    /// How the answer comes back.
    pub plan: ResponsePlan,
}

/// Bodies up to this size are one piece: copying is cheaper than counting who holds four.
const COPY_LIMIT: usize = 4 * 1024;

/// Who pays, where a key is of several organizations of OpenAI's.
const ORGANIZATION: HeaderName = HeaderName::from_static("openai-organization");
/// OpenAI documents this header for the caller's own id of a request; others ignore it.
const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("x-client-request-id");

/// A client's own points for marks, in LiteLLM's name.
const POINTS: &str = "cache_control_injection_points";

/// Headers of Anthropic's API that are the client's to say.
const ANTHROPIC: [HeaderName; 2] =
    [HeaderName::from_static("anthropic-beta"), HeaderName::from_static("anthropic-version")];

impl Outgoing {
    /// # Errors
    /// 400 for what the provider cannot be asked, 501 for a call that it does not have.
    pub fn new(x: &Exchange, attempt: &Attempt) -> Result<Self, ApiError> {
        let deployment = &attempt.deployment;
        let (plan, call) = plan(&x.request, deployment)?;
        let uri = deployment
            .wire
            .uri(call, x.request.stream)
            .ok_or_else(|| deployment.lacks(x.request.operation))?;
        let mut headers = headers(x, attempt, plan);
        let mut more = Vec::new();
        let body = match plan {
            ResponsePlan::Carry(_) if x.request.form.is_some() => {
                let form = x.request.form.as_ref();
                form.map(|form| formed(form, x, deployment, &mut headers)).unwrap_or_default()
            }
            ResponsePlan::Carry(_) => {
                let rules = &deployment.rules;
                rules.apply(&x.request.body, x.request.operation, Dialect::OpenAiChat, false, None)?
            }
            ResponsePlan::Relay(dialect) => {
                let body = match &x.conversation {
                    Some(conversation) => conversation.relayed(&x.request.body)?,
                    None => Cow::Borrowed(&x.request.body),
                };
                let (operation, stream) = (x.request.operation, x.request.stream);
                deployment.rules.apply(&body, operation, dialect, stream, x.limit_output)?
            }
            ResponsePlan::Rerank(vendor) => reranked(x, deployment, vendor)?,
            ResponsePlan::Translate { client, upstream } => {
                translated(x, deployment, client, upstream, &mut headers)?
            }
            ResponsePlan::List { upstream } => {
                translated(x, deployment, Dialect::Gemini, upstream, &mut headers)?
            }
            ResponsePlan::Merge { upstream } => {
                translated(x, deployment, Dialect::OpenAiChat, upstream, &mut headers)?
            }
            ResponsePlan::Embed(way) => {
                let bodies = way.write(x.request.body.bytes(), &deployment.model_label)?;
                let mut bodies = bodies.into_iter().map(|mut body| {
                    deployment.rules.put_purpose(&x.request.body, &mut body);
                    deployment.rules.put_over(&mut body);
                    written(&body)
                });
                let first = bodies.next().transpose()?.unwrap_or_default();
                more = bodies.collect::<Result<_, _>>()?;
                first
            }
        };
        deployment.rules.mend_headers(&mut headers);
        Ok(Self { uri: uri.clone(), headers, body: joined(body), more, plan: inspected(plan, x) })
    }
}

/// Where a provider is asked about a response that it keeps: `below` is `/cancel` or the like, `query` the client's.
///
/// # Errors
/// 501 where the provider keeps none.
pub fn about(deployment: &Deployment, id: &str, below: &str, query: &str) -> Result<Uri, ApiError> {
    let lacks = || deployment.lacks(Operation::Responses);
    let made = deployment.wire.uri(Call::Chat(Dialect::OpenAiResponses), false).ok_or_else(lacks)?;
    let id = percent_encoding::utf8_percent_encode(id, percent_encoding::NON_ALPHANUMERIC);
    // Only what every provider's id holds is left as it is.
    let id = id.to_string().replace("%5F", "_").replace("%2D", "-");
    let queries = [made.query().unwrap_or_default(), query];
    let query: Vec<&str> = queries.into_iter().filter(|q| !q.is_empty()).collect();
    let mark = if query.is_empty() { "" } else { "?" };
    let uri = format!("{}/{id}{below}{mark}{}", made.path(), query.join("&"));
    uri.parse().map_err(|e| ApiError::new(Kind::BadRequest, "The query cannot be sent.").because(e))
}

/// The plan for an answer that somebody looks at, if anybody does. What goes out is not changed by it.
pub fn inspected(plan: ResponsePlan, x: &Exchange) -> ResponsePlan {
    if x.watchers.is_empty() || x.request.operation.row().chat.is_none() {
        return plan;
    }
    plan.inspected().unwrap_or(plan)
}

/// How a call is led to this deployment.
fn plan(request: &Request, deployment: &Deployment) -> Result<(ResponsePlan, Call), ApiError> {
    let (operation, wire) = (request.operation, &deployment.wire);
    let Some(client) = chat(operation, deployment) else {
        let call = Call::Plain(operation);
        return Ok(match wire.embeddings {
            Some(way) if operation == Operation::Embeddings => (ResponsePlan::Embed(way), call),
            _ => (other(operation, wire.rerank), call),
        });
    };
    let upstream = wire.speaks(client).ok_or_else(|| deployment.lacks(operation))?;
    let call = Call::Chat(upstream);
    let merges = deployment.merges_thoughts && client == Dialect::OpenAiChat && choices(request) == 1;
    let plan = match upstream == client {
        _ if request.listed => ResponsePlan::List { upstream },
        _ if merges => ResponsePlan::Merge { upstream },
        true if marks(request, deployment, client) => ResponsePlan::Translate { client, upstream },
        true => ResponsePlan::Relay(client),
        false => ResponsePlan::Translate { client, upstream },
    };
    Ok((plan, call))
}

/// The dialect of a call that is a chat for this deployment.
fn chat(operation: Operation, deployment: &Deployment) -> Option<Dialect> {
    let served = || deployment.wire.uri(Call::Plain(Operation::Completions), false).is_some();
    match operation.row().chat {
        None if operation == Operation::Completions && (deployment.completes_by_chat || !served()) => {
            Some(Dialect::OpenAiCompletions)
        }
        chat => chat,
    }
}

/// How many answers are wanted.
fn choices(request: &Request) -> u64 {
    request.body.raw("n").and_then(|n| n.parse().ok()).unwrap_or(1)
}

/// Whether marks for the cache must be set in a request that would be relayed. Only some providers of OpenAI's dialect
/// know them; what has several answers is relayed as it is.
fn marks(request: &Request, deployment: &Deployment, client: Dialect) -> bool {
    let known = client == Dialect::OpenAiChat && deployment.provider.has(Quirk::CacheControl);
    let wanted = !deployment.cache_points.is_empty() || request.body.raw(POINTS).is_some();
    known && wanted && choices(request) == 1
}

/// The client's own points, or the deployment's.
fn mark(
    request: &mut weir_core::chat::Request,
    x: &Exchange,
    deployment: &Deployment,
) -> Result<(), ApiError> {
    let Some(own) = x.request.body.raw(POINTS).filter(|raw| *raw != "null") else {
        deployment.cache_points.apply(request);
        return Ok(());
    };
    let points = CachePoints::parse(own)
        .map_err(|e| ApiError::new(Kind::BadRequest, format!("{POINTS}: {e}")).with_param(POINTS))?;
    points.apply(request);
    Ok(())
}

/// Calls of OpenAI's kind that are no chats.
fn other(operation: Operation, vendor: Option<Vendor>) -> ResponsePlan {
    match (operation, vendor) {
        (Operation::Rerank, Some(vendor)) => ResponsePlan::Rerank(vendor),
        (Operation::Completions | Operation::Embeddings, _) => ResponsePlan::Relay(Dialect::OpenAiChat),
        _ if operation.counts() => ResponsePlan::Relay(operation.row().errors),
        _ => ResponsePlan::Carry(Dialect::OpenAiResponses),
    }
}

fn reranked(x: &Exchange, deployment: &Deployment, vendor: Vendor) -> Result<Pieces, ApiError> {
    let mut ask: weir_core::chat::Object = serde_json::from_slice(x.request.body.bytes())
        .map_err(|e| ApiError::new(Kind::BadJson, e.to_string()))?;
    ask.retain(|name, _| !OURS.contains(&name.as_str()));
    let mut body = write_rerank(vendor, ask, &deployment.model_label)?;
    deployment.rules.put_over(&mut body);
    written(&body)
}

/// A form with the provider's name for the model, under the client's own boundary.
fn formed(form: &Form, x: &Exchange, deployment: &Deployment, headers: &mut HeaderMap) -> Pieces {
    if let Some(kind) = x.request.headers.get(http::header::CONTENT_TYPE) {
        headers.insert(http::header::CONTENT_TYPE, kind.clone());
    }
    form.with_model(&deployment.model_label, |name| OURS.contains(&name))
}

fn translated(
    x: &Exchange,
    deployment: &Deployment,
    from: Dialect,
    to: Dialect,
    headers: &mut HeaderMap,
) -> Result<Pieces, ApiError> {
    let reader = client(from).ok_or_else(|| deployment.lacks(x.request.operation))?;
    let body = deployment.rules.with_defaults(&x.request.body);
    let mut request = reader.read_request(&body, &x.request.headers)?;
    request.stream = x.request.stream;
    let mut params = deployment.rules.params_for(&x.request.body, from);
    if let Some(limit) = x.limit_output {
        request.max_tokens = Some(request.max_tokens.map_or(limit, |asked| asked.min(limit)));
        // Whatever the client or the config says, no more is paid for.
        params.additional_drop.retain(|name| !LIMITS.contains(&name.as_str()));
        gemini::forget_limits(&mut request.extra);
    }
    go_on(&mut request, x)?;
    mark(&mut request, x, deployment)?;
    let asked = Asked {
        model: &deployment.model_label,
        provider: deployment.provider.prefix,
        params: &params,
        headers: &x.request.headers,
    };
    let mut wire = upstream(to).write_request(request, &asked)?;
    headers.extend(wire.headers);
    deployment.rules.shape(to, &mut wire.body);
    deployment.rules.put_over(&mut wire.body);
    Ok(Pieces::from_iter([Bytes::from(wire.body.to_vec()?)]))
}

/// Puts the conversation so far in front.
fn go_on(request: &mut weir_core::chat::Request, x: &Exchange) -> Result<(), ApiError> {
    match x.conversation.as_ref().map(|c| &c.previous) {
        Some(Previous::Kept { items }) => {
            prepend(request, messages(items.clone())?, &x.request.body);
            Ok(())
        }
        // Only after a change of the configuration: whoever kept it spoke the API.
        Some(Previous::Native { .. }) => {
            let message = "The previous response is kept by a provider that is not asked in this way any more; send \
                           the conversation as `input`.";
            Err(ApiError::new(Kind::BadRequest, message).with_param("previous_response_id"))
        }
        _ => Ok(()),
    }
}

fn written(body: &weir_core::chat::Object) -> Result<Pieces, ApiError> {
    let text = serde_json::to_vec(body)
        .map_err(|e| ApiError::new(Kind::Internal, "The request could not be written.").because(e))?;
    Ok(Pieces::from_iter([Bytes::from(text)]))
}

fn joined(pieces: Pieces) -> Pieces {
    let length: usize = pieces.iter().map(Bytes::len).sum();
    if pieces.len() < 2 || length > COPY_LIMIT {
        return pieces;
    }
    let mut whole = BytesMut::with_capacity(length);
    pieces.iter().for_each(|piece| whole.extend_from_slice(piece));
    Pieces::from_iter([whole.freeze()])
}

fn headers(x: &Exchange, attempt: &Attempt, plan: ResponsePlan) -> HeaderMap {
    let (wire, config) = (&attempt.deployment.wire, &x.snapshot.config);
    let mut headers = HeaderMap::with_capacity(wire.headers.len() + 6);
    let of_group = &config.router.checks.forwards_headers_of;
    let of_group = of_group.contains(&attempt.deployment.group) || forwards_for(x, attempt);
    if config.general.forward_client_headers_to_llm_api || of_group {
        forward(x, &mut headers);
    }
    if x.snapshot.config.litellm.library.tells_callers {
        introduce(x, &mut headers);
    }
    headers.extend(wire.headers.iter().map(|(name, value)| (name.clone(), value.clone())));
    if x.snapshot.config.general.forward_openai_org_id
        && attempt.deployment.provider.has(Quirk::Organizations)
        && let Some(said) = x.request.headers.get(&ORGANIZATION)
    {
        // The client's own counts before the operator's, as with LiteLLM.
        headers.insert(ORGANIZATION, said.clone());
    }
    if plan == ResponsePlan::Relay(Dialect::AnthropicMessages) {
        for name in ANTHROPIC {
            let said = x.request.headers.get(&name).cloned();
            headers.extend(said.map(|value| (name, value)));
        }
    }
    if let Ok(id) = HeaderValue::from_str(&format!("{}-{}", x.id, attempt.number)) {
        headers.insert(CLIENT_REQUEST_ID, id);
    }
    if x.snapshot.config.litellm.forward_traceparent_to_llm_provider {
        Trace::tell(x, &mut headers);
    }
    headers
}

/// Whether `model_group_settings` names the group that is asked, as it is or by a pattern.
fn forwards_for(x: &Exchange, attempt: &Attempt) -> bool {
    let groups = &x.snapshot.config.litellm.library.forwarding;
    let group = attempt.deployment.group.as_str();
    groups.iter().any(|name| name == group || star_of(name, group).is_some())
}

/// Tells the provider whose key it is, by LiteLLM's names. What cannot stand in a header is left out.
fn introduce(x: &Exchange, headers: &mut HeaderMap) {
    let known = x.caller.principal();
    let (key, user) = (x.caller.key(), known.and_then(|known| known.user.as_ref()));
    let team = known.and_then(|known| known.team.as_ref());
    let told: [(&'static str, Option<String>); 8] = [
        // That of the master key is nobody's to know.
        ("x-litellm-user_api_key_hash", key.map(|key| key.hash.hex())),
        ("x-litellm-user_api_key_alias", key.and_then(|key| key.alias.clone())),
        ("x-litellm-user_api_key_team_id", key.and_then(|key| key.team_id.clone())),
        ("x-litellm-user_api_key_team_alias", team.and_then(|team| team.alias.clone())),
        ("x-litellm-user_api_key_user_id", x.caller.user_id().map(str::to_owned)),
        ("x-litellm-user_api_key_user_email", user.and_then(|user| user.email.clone())),
        ("x-litellm-user_api_key_org_id", known.and_then(organization)),
        ("x-litellm-user_api_key_end_user_id", x.end_user()),
    ];
    for (name, value) in told {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
}

/// Only `x-*` headers that are neither credentials nor ours, as LiteLLM forwards them.
fn forward(x: &Exchange, headers: &mut HeaderMap) {
    static KEPT_BACK: &[&str] =
        &["x-litellm", "x-weir", "x-api-key", "x-goog-api-key", "x-stainless", "x-forwarded", "x-real-ip"];
    let custom = x.snapshot.config.general.litellm_key_header_name.as_deref();
    let key = access::presented(&x.request.headers, custom).ok();
    for (name, value) in &x.request.headers {
        let text = name.as_str();
        if text.starts_with("x-")
            && !KEPT_BACK.iter().any(|k| text.starts_with(k))
            && !custom.is_some_and(|custom| text.eq_ignore_ascii_case(custom))
            && !holds(value, key)
            && *name != CLIENT_REQUEST_ID
        {
            headers.insert(name.clone(), value.clone());
        }
    }
}
