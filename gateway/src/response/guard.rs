//! What looks at an answer before the client has it: checks that run beside the call, and watchers of what comes.

use crate::exchange::Flight;
use crate::response::outlet::Outlet;
use crate::upstream::session::{self, Lost};
use bytes::Bytes;
use pingora::protocols::http::ServerSession;
use std::future::pending;
use weir_core::domain::operation::Operation;
use weir_core::domain::usage::{Usage, UsageSource};
use weir_core::error::ApiError;
use weir_plugins::dialects::{Passage, Passed, ResponsePlan, untranslatable};
use weir_plugins::exchange::{Attempt, Exchange};
use weir_plugins::guardrails::choices;
use weir_plugins::watch::Watchers;

/// Waits for a check as long as the client does, and keeps a stream alive meanwhile.
pub async fn waited<T>(
    check: impl Future<Output = Result<T, ApiError>>,
    down: &mut ServerSession,
    mut out: Option<&mut Outlet>,
) -> Result<T, Lost> {
    tokio::pin!(check);
    loop {
        tokio::select! {
            done = &mut check => return done.map_err(Lost::Failed),
            () = session::client_gone(down) => return Err(Lost::ClientGone),
            () = tick(&mut out) => {}
        }
        if let Some(out) = &mut out {
            out.keep_alive(down).await.map_err(|_| Lost::ClientGone)?;
        }
    }
}

async fn tick(out: &mut Option<&mut Outlet>) {
    match out {
        Some(out) => out.tick().await,
        None => pending().await,
    }
}

/// Before the first byte of a stream: the checks beside the call are done.
pub async fn begin(
    flight: &mut Flight<'_>,
    down: &mut ServerSession,
    out: &mut Outlet,
    attempt: &Attempt,
) -> Result<(), Lost> {
    let checked = flight.checked(down, Some(out)).await;
    if let Err(Lost::Failed(_)) = &checked {
        // The provider has answered, and what it has read is paid for.
        let input = weir_plugins::filters::estimated_input(&flight.x);
        let answer = &mut flight.x.answer;
        answer.usage = Usage { input, ..Usage::default() };
        answer.usage_source = UsageSource::Estimated;
        flight.attempt_ended(attempt, 200, None);
    }
    checked
}

/// A whole answer past all that look at it. `came` is the provider's, `body` the client's.
pub async fn whole(
    flight: &mut Flight<'_>,
    down: &mut ServerSession,
    attempt: &Attempt,
    plan: ResponsePlan,
    came: &Bytes,
    body: Bytes,
) -> Result<Bytes, Lost> {
    if flight.x.guarded.is_none() && flight.x.watchers.is_empty() {
        return Ok(body);
    }
    // Whatever follows, the deployment has done its part.
    flight.attempt_ended(attempt, 200, None);
    flight.checked(down, None).await?;
    let mut watchers = std::mem::take(&mut flight.x.watchers);
    if watchers.is_empty() {
        return Ok(body);
    }
    if flight.x.request.operation == Operation::Completions {
        return waited(choices(body, &mut watchers), down, None).await;
    }
    if flight.x.request.operation.row().chat.is_none() {
        return Ok(body);
    }
    let broken = |e| Lost::Failed(untranslatable(&attempt.deployment, &e));
    let answer = plan.read_chat(came).map_err(broken)?;
    let answer = waited(Watchers::new(watchers).whole(answer), down, None).await?;
    let id = flight.x.id.to_string();
    plan.write_chat(answer, &flight.x.view(&id)).map_err(broken)
}

/// Sends what may be sent of a stream that no provider makes; answers its last bytes.
pub async fn send(
    x: &mut Exchange,
    passage: &mut dyn Passage,
    mut passed: Passed,
    down: &mut ServerSession,
    out: &mut Outlet,
) -> Result<Option<Bytes>, Lost> {
    loop {
        for bytes in passed.send {
            x.say(&bytes);
            out.send(down, bytes).await.map_err(|_| Lost::ClientGone)?;
        }
        if let Some(refused) = passed.refused {
            return Err(Lost::Failed(refused));
        }
        let Some(hold) = passed.hold else { return Ok(passed.done) };
        let answer = waited(hold.answer(), down, Some(&mut *out)).await?;
        passed = passage.resume(answer);
    }
}

impl Flight<'_> {
    /// Waits for the checks that run beside the call, if there are any.
    pub async fn checked(&mut self, down: &mut ServerSession, out: Option<&mut Outlet>) -> Result<(), Lost> {
        let beside = self.x.guarded.as_mut().and_then(|guarded| guarded.beside.take());
        match beside {
            Some(mut beside) => waited(beside.done(), down, out).await,
            None => Ok(()),
        }
    }
}
