//! A plain answer: read whole, priced, booked, then sent as it came.

use crate::exchange::Flight;
use crate::gathered::Gathered;
use crate::response::{guard, head, state};
use crate::upstream::connect::Connected;
use crate::upstream::session::{self, Lost, Silence};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use pingora::protocols::http::ServerSession;
use weir_core::chat::Dialect;
use weir_core::domain::operation::Operation;
use weir_core::domain::spend::Status;
use weir_core::domain::usage::{Usage, UsageSource};
use weir_core::error::{ApiError, Kind};
use weir_plugins::dialects::bedrock_invoke::counted_in_headers;
use weir_plugins::dialects::openai_responses::is_silent;
use weir_plugins::dialects::{ResponsePlan, untranslatable};
use weir_plugins::exchange::{Attempt, Exchange};
use weir_plugins::measure::Measured;

/// Larger answers are refused: nothing but a broken provider sends them.
const MAX_ANSWER: usize = 256 * 1024 * 1024;

/// Reads the whole body of an answer, at most `limit` bytes.
pub async fn read_all(
    flight: &mut Flight<'_>,
    down: &mut ServerSession,
    connected: &mut Connected,
    attempt: &Attempt,
    limit: usize,
) -> Result<Bytes, Lost> {
    let mut whole = Gathered::new(promised(connected));
    loop {
        let mut silence = Silence::begin(false);
        let next = tokio::select! {
            biased;
            next = session::read(connected, attempt, &mut silence) => next.map_err(Lost::Failed)?,
            () = session::client_gone(down) => return Err(Lost::ClientGone),
        };
        let Some(piece) = next else { break };
        flight.place.hold(piece.len()).map_err(Lost::Failed)?;
        whole.push(piece);
        if whole.len() > limit {
            return Err(Lost::Failed(too_long(attempt)));
        }
    }
    Ok(whole.end())
}

/// How long an answer says that it is, as far as room is made for what has not come.
fn promised(connected: &Connected) -> usize {
    const MOST: usize = 1 << 20;
    let head = connected.session.response_header();
    let length: Option<usize> =
        head.and_then(|head| head.headers.get(http::header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok());
    length.unwrap_or_default().min(MOST)
}

/// Whether an answer of this size is passed on (`max_response_size_mb`). What it cost is booked in any case.
pub fn let_through(flight: &mut Flight<'_>, attempt: &Attempt, bytes: u64) -> Result<(), Lost> {
    let limit = flight.x.snapshot.config.general.requests.response_limit;
    let Some(limit) = limit.filter(|limit| bytes > *limit) else { return Ok(()) };
    flight.attempt_ended(attempt, 200, None);
    let mib = |bytes: u64| format!("{:.2}", bytes as f64 / f64::from(1 << 20));
    let message = format!(
        "Response size is too large. Response size is {} MB. Max size is {} MB",
        mib(bytes),
        limit >> 20
    );
    Err(Lost::Failed(ApiError::new(Kind::AnswerTooLarge, message)))
}

/// What a head says of the length of its body.
pub fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(http::header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn too_long(attempt: &Attempt) -> ApiError {
    ApiError::new(Kind::UpstreamBroken, "The provider's answer is too long.")
        .because(&attempt.deployment.wire.api_base)
}

/// Relays a successful answer.
pub async fn relay(
    flight: &mut Flight<'_>,
    down: &mut ServerSession,
    connected: Connected,
    attempt: &Attempt,
    plan: ResponsePlan,
) -> Result<(), Lost> {
    let (headers, body) = whole(flight, down, connected, attempt).await?;
    answer(flight, down, attempt, &headers, body, plan).await
}

/// Reads a successful answer and gives its connection back.
pub async fn whole(
    flight: &mut Flight<'_>,
    down: &mut ServerSession,
    mut connected: Connected,
    attempt: &Attempt,
) -> Result<(HeaderMap, Bytes), Lost> {
    let body = match read_all(flight, down, &mut connected, attempt, MAX_ANSWER).await {
        Ok(body) => body,
        Err(lost) => {
            flight.app.dialer.abort(connected).await;
            return Err(lost);
        }
    };
    let headers = connected.session.response_header().map(|h| h.headers.clone()).unwrap_or_default();
    flight.app.dialer.release(connected).await;
    Ok((headers, body))
}

/// Books and sends a whole answer.
pub async fn answer(
    flight: &mut Flight<'_>,
    down: &mut ServerSession,
    attempt: &Attempt,
    headers: &HeaderMap,
    body: Bytes,
    plan: ResponsePlan,
) -> Result<(), Lost> {
    let id = flight.x.id.to_string();
    let came = body;
    let embeds = matches!(plan, ResponsePlan::Embed(_));
    let counted = embeds.then(|| counted_in_headers(headers)).flatten().map(|usage| usage.input);
    let told = plan.answer(&came, &flight.x.view(&id), counted);
    let (body, report) = told.map_err(|e| Lost::Failed(untranslatable(&attempt.deployment, &e)))?;
    let (usage, source) = match report.usage {
        _ if flight.x.request.operation.counts() => (Usage::default(), UsageSource::None),
        Some(usage) => (usage, UsageSource::Reported),
        None => {
            (estimated(&flight.x, spoken(plan, flight.x.request.operation, &body)), UsageSource::Estimated)
        }
    };
    let (usage, source) = match plan {
        ResponsePlan::Carry(_) | ResponsePlan::Rerank(_) => measured(flight, &body, usage, source),
        _ => (usage, source),
    };
    let answer = &mut flight.x.answer;
    answer.provider_time = attempt.started.elapsed();
    answer.provider_id = report.id;
    (answer.usage, answer.usage_source) = (usage, source);
    let_through(flight, attempt, body.len() as u64)?;
    let body = guard::whole(flight, down, attempt, plan, &came, body).await?;
    let body = state::renamed(&flight.x, attempt, plan, body);
    flight.keep(attempt, plan, &body).await.map_err(Lost::Failed)?;
    flight.x.say(&body);
    flight.attempt_ended(attempt, 200, None);
    flight.finish(200, Status::Success, None);
    let content_type = headers
        .get(http::header::CONTENT_TYPE)
        .filter(|_| matches!(plan, ResponsePlan::Relay(_) | ResponsePlan::Carry(_)));
    let content_type = content_type.cloned().unwrap_or(HeaderValue::from_static("application/json"));
    let sent = async {
        let head = head::plain(down, &flight.x, attempt, headers, content_type, body.len());
        head.write(down).await?;
        down.write_response_body(body, true).await
    };
    // The entry is booked; a client that left in this very moment changes nothing.
    sent.await.map_err(|_: Box<pingora::Error>| Lost::ClientGone)
}

/// Bytes of the answer that a model wrote; nothing that is carried is text of its own.
fn spoken(plan: ResponsePlan, operation: Operation, body: &[u8]) -> usize {
    match plan {
        ResponsePlan::Carry(_) | ResponsePlan::Rerank(_) | ResponsePlan::Embed(_) => 0,
        ResponsePlan::Relay(_) if operation == Operation::Embeddings => 0,
        ResponsePlan::Relay(Dialect::OpenAiResponses) if is_silent(body) => 0,
        _ => body.len(),
    }
}

/// Notes what is paid by the piece. A count of pieces that the provider gives is better than an estimate of tokens.
pub fn measured(
    flight: &mut Flight<'_>,
    body: &[u8],
    usage: Usage,
    source: UsageSource,
) -> (Usage, UsageSource) {
    pieces(flight, &serde_json::from_slice(body).unwrap_or_default(), usage, source)
}

/// The same of an answer that was parsed.
pub fn pieces(
    flight: &mut Flight<'_>,
    answer: &serde_json::Value,
    usage: Usage,
    source: UsageSource,
) -> (Usage, UsageSource) {
    let Some((measured, told)) = Measured::of(&flight.x, answer) else { return (usage, source) };
    flight.x.answer.measured = Some(measured);
    match (source, told) {
        (UsageSource::Estimated, UsageSource::Reported) => (Usage::default(), told),
        _ => (usage, source),
    }
}

/// Four bytes to a token, of what was asked and of what was answered.
pub fn estimated(x: &Exchange, answer: usize) -> Usage {
    let input = weir_plugins::filters::estimated_input(x);
    Usage { input, output: (answer / 4) as u64, ..Usage::default() }
}
