//! Several requests for one of a client: a provider that embeds one text at a time is asked for each, one after
//! another within the limits of one attempt, and all answers become one.

use crate::exchange::Flight;
use crate::response::outlet::Outlet;
use crate::response::plain;
use crate::upstream::request::Outgoing;
use crate::upstream::session::{self, Lost, Waiting};
use http::{HeaderMap, HeaderValue};
use pingora::protocols::http::ServerSession;
use weir_plugins::dialects::bedrock_invoke::{INPUT_TOKENS, counted_in_headers};
use weir_plugins::dialects::embeddings::joined;
use weir_plugins::exchange::Attempt;
use weir_plugins::outgoing;

pub async fn relay(
    flight: &mut Flight<'_>,
    down: &mut ServerSession,
    out: &mut Outlet,
    attempt: &Attempt,
    made: outgoing::Outgoing,
) -> Result<(), Lost> {
    let outgoing::Outgoing { uri, headers, body, more, plan } = made;
    let (mut last, mut answers) = (HeaderMap::new(), Vec::with_capacity(1 + more.len()));
    let mut counted: Option<u64> = None;
    for body in [body].into_iter().chain(more) {
        let next = (uri.clone(), headers.clone());
        let next = outgoing::Outgoing { uri: next.0, headers: next.1, body, more: Vec::new(), plan };
        let outgoing = Outgoing::seal(next, &attempt.deployment).await.map_err(Lost::Failed)?;
        let answered =
            Box::pin(session::send(&flight.app.dialer, Waiting::Client(down, out), attempt, &outgoing))
                .await?;
        if !(200..300).contains(&answered.status) {
            return Err(Box::pin(flight.refused(down, answered, attempt, plan)).await);
        }
        flight.provider_limits(&answered);
        let (headers, body) = Box::pin(plain::whole(flight, down, answered.connected, attempt)).await?;
        if let Some(told) = counted_in_headers(&headers) {
            counted = Some(counted.unwrap_or(0).saturating_add(told.input));
        }
        last = headers;
        answers.push(body);
    }
    // The head of the last answer counts for all.
    count(&mut last, counted);
    Box::pin(plain::answer(flight, down, attempt, &last, joined(answers), plan)).await
}

fn count(headers: &mut HeaderMap, counted: Option<u64>) {
    if let Some(counted) = counted {
        headers.insert(INPUT_TOKENS, HeaderValue::from(counted));
    }
}
