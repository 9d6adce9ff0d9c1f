//! One exchange on the data plane: from intake to the booked answer.

use crate::asked::Asked;
use crate::hedge;
use crate::intake;
use crate::limits::Place;
use crate::mirror;
use crate::response::outlet::Outlet;
use crate::response::{carry, counted, fail, mocked, passed, plain, realtime, replied, series, stream};
use crate::routing::plan::{Plan, Step};
use crate::routing::{cooldown, errors, plan};
use crate::state::App;
use crate::upstream::request::Outgoing;
use crate::upstream::session::{self, Answered, Lost, Waiting};
use bytes::Bytes;
use futures_util::FutureExt;
use pingora::Result;
use pingora::protocols::http::ServerSession;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;
use weir_core::chat::Dialect;
use weir_core::domain::ids::new_entry_id;
use weir_core::domain::operation::Operation;
use weir_core::domain::spend::{AttemptRecord, Status};
use weir_core::error::{ApiError, Kind};
use weir_plugins::budgets::hold_of_deployment;
use weir_plugins::deployment::Deployment;
use weir_plugins::dialects::gemini::array_error;
use weir_plugins::dialects::{ResponsePlan, upstream_error};
use weir_plugins::exchange::{Attempt, Clock, Exchange};
use weir_plugins::filters::{ACCESS, access_log_wanted};
use weir_plugins::plugin::Flow;
use weir_plugins::{count, outgoing};

/// An exchange under way, with its place among the others.
pub struct Flight<'a> {
    pub app: &'a Arc<App>,
    pub x: Exchange,
    pub place: Place,
}

/// Provider error bodies beyond this are cut.
const MAX_ERROR_BODY: usize = 256 * 1024;

/// Serves one LLM request. `Err` closes the client's connection.
pub async fn serve(app: &Arc<App>, down: &mut ServerSession, asked: Asked) -> Result<()> {
    let clock = Clock::start();
    let errors = asked.errors();
    let mut place = match app.limits.enter() {
        Ok(place) => place,
        Err(error) => return shed(app, down, &error, errors).await,
    };
    let snapshot = app.snapshot.load_full();
    let id = new_entry_id();
    let request = match Box::pin(asked.read(&snapshot, down, &mut place, id)).await {
        Ok(request) => request,
        Err(intake::Fault::Refused(error)) => {
            // Others need it while this client reads its refusal.
            drop(place);
            return shed(app, down, &error, errors).await;
        }
        Err(intake::Fault::Gone(error)) => return Err(error),
    };
    let x = Exchange::new(id, clock, snapshot, request);
    let mut flight = Flight { app, x, place };
    let mut out = Outlet::new(flight.keepalive(), flight.x.request.client().keep_alive());
    // Boxed, here and below: futures are moved when they are made, and these are kilobytes.
    let ended = AssertUnwindSafe(Box::pin(flight.run(down, &mut out))).catch_unwind().await;
    let ended = ended.unwrap_or_else(|_| {
        Err(Lost::Failed(
            ApiError::new(Kind::Internal, "Internal error; the request was not served.").because("panic"),
        ))
    });
    flight.conclude(down, &mut out, ended).await
}

/// Refused before it became an exchange: nothing is booked.
async fn shed(app: &App, down: &mut ServerSession, error: &ApiError, errors: Dialect) -> Result<()> {
    if matches!(error.kind(), Kind::Overloaded | Kind::RateLimited) {
        app.metrics.count(weir_core::metrics::Name::ShedRequests, error.class());
    }
    if access_log_wanted(&app.snapshot.load().config) {
        tracing::info!(target: ACCESS, status = error.status(), error = error.class(), "request refused");
    }
    fail::respond_in(errors, down, error, None).await
}

impl Flight<'_> {
    fn keepalive(&self) -> Option<std::time::Duration> {
        // A JSON list has no comments.
        // Nor has what is passed on as it comes.
        let events = self.x.request.stream && !self.x.request.listed && self.x.request.pass.is_none();
        events.then_some(self.x.snapshot.config.weir.keepalive_interval)
    }

    async fn run(&mut self, down: &mut ServerSession, out: &mut Outlet) -> std::result::Result<(), Lost> {
        if let Flow::Answer(reply) = self.app.chain.on_request(&mut self.x).await.map_err(Lost::Failed)? {
            return Box::pin(replied::answer(self, down, out, reply)).await;
        }
        if self.x.caching.as_ref().is_some_and(|caching| caching.follows())
            && let Some(reply) = Box::pin(replied::followed(self, down, out)).await?
        {
            return Box::pin(replied::answer(self, down, out, reply)).await;
        }
        let Some(group) = self.x.target.group.clone() else {
            return Err(Lost::Failed(weir_plugins::filters::unknown_model(&self.x.target.requested)));
        };
        let mut plan = Plan::new(&self.x, group);
        let mut deployment = plan.first(&mut self.x, &self.app.routing).map_err(Lost::Failed)?;
        mirror::begin(self.app, &self.x, &deployment);
        loop {
            let error = match Box::pin(self.attempt(down, out, &deployment, &mut plan)).await {
                Err(Lost::Failed(error)) => error,
                other => return other,
            };
            if out.content_sent() || self.x.answer.outcome.is_some() || is_ours(&error) {
                return Err(Lost::Failed(error));
            }
            if self.x.request.pass.as_ref().is_some_and(|pass| !pass.may_repeat(&error)) {
                return Err(Lost::Failed(error));
            }
            match plan.next(&mut self.x, &deployment, &error, &self.app.routing) {
                Step::GiveUp => return Err(Lost::Failed(errors::in_time(&self.x, error))),
                Step::Try { deployment: next, after } => {
                    Box::pin(self.pause(down, out, after)).await?;
                    deployment = next;
                }
            }
        }
    }

    /// Waits before a retry, as long as the client does.
    async fn pause(
        &self,
        down: &mut ServerSession,
        out: &mut Outlet,
        wait: std::time::Duration,
    ) -> std::result::Result<(), Lost> {
        if wait.is_zero() {
            return Ok(());
        }
        let sleep = tokio::time::sleep(wait);
        tokio::pin!(sleep);
        loop {
            tokio::select! {
                () = &mut sleep => return Ok(()),
                () = session::client_gone(down) => return Err(Lost::ClientGone),
                () = out.tick() => out.keep_alive(down).await.map_err(|_| Lost::ClientGone)?,
            }
        }
    }

    async fn attempt(
        &mut self,
        down: &mut ServerSession,
        out: &mut Outlet,
        deployment: &Arc<Deployment>,
        plan: &mut Plan,
    ) -> std::result::Result<(), Lost> {
        let number = u16::try_from(self.x.attempts.len() + 1).unwrap_or(u16::MAX);
        let mut attempt = self.attempt_at(deployment, number);
        self.x.asked_at.get_or_insert(attempt.started);
        self.x.answer.begin_anew();
        hold_of_deployment(&self.app.budgets, &mut self.x, deployment).await.map_err(Lost::Failed)?;
        self.x.answer.deployment = Some(Arc::clone(deployment));
        let ended = self.try_once(down, out, &mut attempt, plan).await;
        match &ended {
            Ok(()) => self.app.routing.cooldowns.served(&attempt.deployment),
            Err(Lost::Failed(error)) => self.attempt_failed(&attempt, error),
            Err(Lost::ClientGone) => self.attempt_ended(&attempt, 499, Some("ClientDisconnected")),
        }
        ended
    }

    async fn try_once(
        &mut self,
        down: &mut ServerSession,
        out: &mut Outlet,
        attempt: &mut Attempt,
        plan: &mut Plan,
    ) -> std::result::Result<(), Lost> {
        let deployment = &attempt.deployment;
        deployment.ready().map_err(Lost::Failed)?;
        self.x.watchers = self.app.chain.watch(&self.x);
        if let Some(mock) = &deployment.mock {
            self.app.chain.on_attempt(&mut self.x, attempt).map_err(Lost::Failed)?;
            return Box::pin(mocked::answer(self, down, out, attempt, mock)).await;
        }
        if let Some(pass) = self.x.request.pass.clone() {
            return Box::pin(passed::answer(self, down, out, attempt, &pass)).await;
        }
        if self.x.request.operation == Operation::Realtime {
            return Box::pin(realtime::answer(self, down, out, attempt)).await;
        }
        if let Some(request) = count::asked(&self.x, deployment) {
            let request = request.map_err(Lost::Failed)?;
            return Box::pin(counted::answer(self, down, attempt, request)).await;
        }
        let made = outgoing::Outgoing::new(&self.x, attempt).map_err(Lost::Failed)?;
        if !made.more.is_empty() {
            self.app.chain.on_attempt(&mut self.x, attempt).map_err(Lost::Failed)?;
            return Box::pin(series::relay(self, down, out, attempt, made)).await;
        }
        let outgoing = Outgoing::seal(made, deployment).await.map_err(Lost::Failed)?;
        self.app.chain.on_attempt(&mut self.x, attempt).map_err(Lost::Failed)?;
        let (answered, way) = match attempt.timeouts.hedge {
            Some(after) => {
                Box::pin(hedge::send(self, down, out, attempt, outgoing, (&mut *plan, after))).await?
            }
            None => {
                let client = Waiting::Client(down, out);
                let sent = Box::pin(session::send(&self.app.dialer, client, attempt, &outgoing));
                (sent.await?, outgoing.plan)
            }
        };
        if !(200..300).contains(&answered.status) {
            return Err(Box::pin(self.refused(down, answered, attempt, way)).await);
        }
        // Before the client has its answer: the next question may follow at once.
        plan.served(&attempt.deployment, &self.app.routing);
        self.provider_limits(&answered);
        if matches!(way, ResponsePlan::Carry(_)) && !is_json(&answered) {
            return Box::pin(carry::relay(self, down, out, answered.connected, attempt, way)).await;
        }
        if answered.is_stream(way) {
            return Box::pin(stream::relay(self, down, out, answered.connected, attempt, way)).await;
        }
        Box::pin(plain::relay(self, down, answered.connected, attempt, way)).await
    }

    /// The provider answered with an error; its body says why.
    pub async fn refused(
        &mut self,
        down: &mut ServerSession,
        mut answered: Answered,
        attempt: &Attempt,
        plan: ResponsePlan,
    ) -> Lost {
        let read = plain::read_all(self, down, &mut answered.connected, attempt, MAX_ERROR_BODY).await;
        let retry_after = retry_after(&answered);
        let body = match read {
            Ok(body) => {
                self.app.dialer.release(answered.connected).await;
                body
            }
            Err(Lost::ClientGone) => {
                self.app.dialer.abort(answered.connected).await;
                return Lost::ClientGone;
            }
            Err(Lost::Failed(_)) => {
                self.app.dialer.abort(answered.connected).await;
                Bytes::new()
            }
        };
        let error = upstream_error(&attempt.deployment, &plan.read_error(answered.status, &body));
        Lost::Failed(match retry_after {
            Some(wait) => error.with_retry_after(wait),
            None => error,
        })
    }

    pub fn provider_limits(&mut self, answered: &Answered) {
        let Some(head) = answered.connected.session.response_header() else { return };
        let number = |name: &str| head.headers.get(name)?.to_str().ok()?.parse().ok();
        self.x.answer.remaining_requests = number("x-ratelimit-remaining-requests");
        self.x.answer.remaining_tokens = number("x-ratelimit-remaining-tokens");
    }

    /// A try that begins now.
    pub fn attempt_at(&self, deployment: &Arc<Deployment>, number: u16) -> Attempt {
        let limits = self.x.timeouts(deployment);
        Attempt {
            number,
            deployment: Arc::clone(deployment),
            started_at: self.x.clock.now(),
            started: Instant::now(),
            timeouts: limits.within(self.x.time_left(limits.total)),
        }
    }

    pub fn attempt_failed(&mut self, attempt: &Attempt, error: &ApiError) {
        let asked = matches!(error.kind(), Kind::Upstream);
        self.attempt_ended(attempt, if asked { error.status() } else { 0 }, Some(error.class()));
        let config = &self.x.snapshot.config.router;
        let anothers = attempt.deployment.of_client;
        if config.disable_cooldowns || anothers || !cooldown::qualifies(error.status()) || is_ours(error) {
            return;
        }
        let group = self.x.snapshot.models.group_of(&attempt.deployment);
        let alone = group.is_none_or(|g| g.deployments.len() < 2);
        let (cooldowns, deployment) = (&self.app.routing.cooldowns, &attempt.deployment);
        if !cooldowns.failed(deployment, error, alone, config) {
            return;
        }
        let asked = error.retry_after().map(std::time::Duration::from_secs);
        let wait = asked.or(deployment.cooldown).unwrap_or(config.cooldown_time);
        cooldowns.start(deployment, wait, error);
        self.x.target.cooled.push((Arc::clone(deployment), error.status()));
    }

    /// Notes how an attempt ended, once.
    pub fn attempt_ended(&mut self, attempt: &Attempt, status: u16, error: Option<&str>) {
        attempt_ended(&mut self.x, attempt, status, error);
    }

    /// Prices, books and counts. Exactly once; later calls do nothing.
    pub fn finish(&mut self, status: u16, outcome: Status, error: Option<ApiError>) {
        if self.x.answer.outcome.is_some() {
            return;
        }
        self.x.answer.status = status;
        self.x.answer.outcome = Some(outcome);
        self.x.answer.error = error;
        self.app.chain.on_finish(&mut self.x);
    }

    /// Whatever `run` came to, the entry is booked and the client has an answer or a closed connection.
    async fn conclude(
        &mut self,
        down: &mut ServerSession,
        out: &mut Outlet,
        ended: std::result::Result<(), Lost>,
    ) -> Result<()> {
        match ended {
            Ok(()) => Ok(()),
            Err(Lost::ClientGone) => {
                self.finish(499, Status::Cancelled, None);
                down.set_keepalive(None);
                down.shutdown().await;
                Ok(())
            }
            Err(Lost::Failed(error)) if out.started(down) => self.fail_late(down, out, error).await,
            Err(Lost::Failed(error)) => {
                let error = self.explain(error);
                let status = error.status();
                self.finish(status, Status::Failure, Some(error));
                match self.x.answer.error.take() {
                    Some(error) => fail::respond(down, &error, Some(&self.x)).await,
                    None => Ok(()),
                }
            }
        }
    }

    /// The head is out: the error is an event, and the connection is closed after it.
    async fn fail_late(&mut self, down: &mut ServerSession, out: &mut Outlet, error: ApiError) -> Result<()> {
        let event = Bytes::from(match self.x.request.listed {
            true => array_error(&error, out.content_sent()),
            false => self.x.request.client().error_event(&error),
        });
        tracing::warn!(call_id = %self.x.request.call_id, cause = error.cause(), "stream failed: {error}");
        self.finish(error.status(), Status::Failure, Some(error));
        down.set_keepalive(None);
        if !out.tells() {
            // Cut off: the client sees that it is not whole.
            down.shutdown().await;
            return Ok(());
        }
        out.end(down, event).await
    }

    /// Says which group was asked, as LiteLLM does.
    fn explain(&self, error: ApiError) -> ApiError {
        if self.x.answer.deployment.is_none() || is_ours(&error) || self.x.request.pass.is_some() {
            return error;
        }
        errors::explain(&self.x, error)
    }
}

/// Notes how an attempt ended, once.
pub fn attempt_ended(x: &mut Exchange, attempt: &Attempt, status: u16, error: Option<&str>) {
    if x.attempts.last().is_some_and(|a| a.number == attempt.number) {
        return;
    }
    let record = AttemptRecord {
        number: attempt.number,
        deployment_id: attempt.deployment.id.clone(),
        model_group: attempt.deployment.group.clone(),
        status,
        error: error.unwrap_or_default().to_owned(),
        started_at: attempt.started_at,
        ended_at: x.clock.now(),
    };
    x.attempts.push(record);
    plan::settle(x);
}

/// Errors that no other deployment can mend.
fn is_ours(error: &ApiError) -> bool {
    use Kind::{
        AnswerTooLarge, BudgetHeld, BudgetUnavailable, GuardrailBlocked, GuardrailUnavailable, Internal,
    };
    use Kind::{JournalFull, LedgerUnavailable, Overloaded};
    matches!(
        error.kind(),
        JournalFull
            | LedgerUnavailable
            | BudgetHeld
            | BudgetUnavailable
            | GuardrailBlocked
            | GuardrailUnavailable
            | AnswerTooLarge
            | Overloaded
            | Internal
    )
}

fn is_json(answered: &Answered) -> bool {
    let head = answered.connected.session.response_header();
    let kind = head.and_then(|h| h.headers.get(http::header::CONTENT_TYPE));
    kind.is_none_or(|v| v.as_bytes().starts_with(b"application/json"))
}

/// `retry-after` in seconds; dates are not worth a parser here.
fn retry_after(answered: &Answered) -> Option<std::time::Duration> {
    let head = answered.connected.session.response_header()?;
    let seconds = head.headers.get(http::header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(std::time::Duration::from_secs(seconds))
}
