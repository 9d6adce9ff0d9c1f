//! Copies of requests for silent groups (`silent_model`), beside the clients' own exchanges: their answers are read for
//! what they cost and thrown away. A copy is the operator's request: no key, team, user or customer of the caller
//! stands in it.

use crate::exchange::attempt_ended;
use crate::local::once;
use crate::response::plain;
use crate::routing::plan::Plan;
use crate::state::App;
use crate::upstream::request::Outgoing;
use bytes::Bytes;
use futures_util::FutureExt;
use http::{HeaderMap, HeaderName, HeaderValue};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use weir_core::access::MasterKey;
use weir_core::body::{Edits, JsonBody};
use weir_core::domain::ids::{KeyHash, new_entry_id};
use weir_core::domain::key::Caller;
use weir_core::domain::operation::Operation;
use weir_core::domain::spend::Status;
use weir_core::domain::usage::UsageSource;
use weir_core::error::{ApiError, Kind};
use weir_core::metrics::Name;
use weir_plugins::budgets::hold_of_deployment;
use weir_plugins::deployment::Deployment;
use weir_plugins::dialects::{untranslatable, upstream_error};
use weir_plugins::exchange::{Attempt, Clock, Exchange, Request};
use weir_plugins::models::Group;
use weir_plugins::outgoing;
use weir_plugins::snapshot::Snapshot;

/// How many copies are under way.
pub struct Mirrors(Arc<Semaphore>);

/// What is sent once more.
struct Copied {
    snapshot: Arc<Snapshot>,
    group: Arc<Group>,
    operation: Operation,
    headers: HeaderMap,
    body: Bytes,
    call_id: String,
}

/// Larger requests are not copied.
const LARGEST: usize = 1 << 20;

/// By which copies are known in the ledger: a tag, and what their call ids begin with.
const MARK: &str = "mirror";
const TAGS: HeaderName = HeaderName::from_static("x-litellm-tags");

/// Headers that say how the body is to be read.
static KEPT: [HeaderName; 2] =
    [HeaderName::from_static("anthropic-version"), HeaderName::from_static("anthropic-beta")];

/// Members that are about the caller, or about how its own request is to be treated.
static CALLERS: &[&str] = &[
    "user",
    "metadata",
    "litellm_metadata",
    "safety_identifier",
    "tags",
    "litellm_session_id",
    "litellm_trace_id",
    "litellm_call_id",
    "fallbacks",
    "context_window_fallbacks",
    "content_policy_fallbacks",
    "num_retries",
    "timeout",
    "cache",
    "guardrails",
    "mock_testing_fallbacks",
    "mock_testing_context_fallbacks",
    "mock_testing_content_policy_fallbacks",
    "stream",
    "stream_options",
];

impl Mirrors {
    /// `most`: at once.
    pub fn new(most: u32) -> Self {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        Self(Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS))))
    }

    fn enter(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0).try_acquire_owned().ok()
    }
}

/// Sends a copy to the silent group of this deployment, if it has one. Returns at once; whatever becomes of the copy is
/// nothing to the exchange.
pub fn begin(app: &Arc<App>, x: &Exchange, deployment: &Deployment) {
    let Some(silent) = &deployment.silent else { return };
    let Some(operation) = copied_as(&x.request) else { return };
    let dropped = |why: &str| app.metrics.count(Name::MirrorsDropped, why);
    let body = x.request.body.bytes();
    if body.len() > LARGEST {
        return dropped("too_large");
    }
    let Some(group) = x.snapshot.models.find(silent) else { return dropped("no_such_model") };
    let Some(turn) = app.mirrors.enter() else { return dropped("busy") };
    let copy = Copied {
        snapshot: Arc::clone(&x.snapshot),
        group,
        operation,
        headers: headers(&x.request.headers),
        body: body.clone(),
        call_id: format!("{MARK}-{}", x.request.call_id),
    };
    let app = Arc::clone(app);
    tokio::spawn(async move {
        let _turn = turn;
        copy.send(&app).await;
    });
}

/// What can be asked again and changes nothing: text and embeddings. `None`: it is not copied.
fn copied_as(request: &Request) -> Option<Operation> {
    if request.pass.is_some() || request.form.is_some() {
        return None;
    }
    match request.operation {
        Operation::StreamGenerate => Some(Operation::Generate),
        operation @ (Operation::Chat
        | Operation::Completions
        | Operation::Embeddings
        | Operation::Messages
        | Operation::Generate) => Some(operation),
        _ => None,
    }
}

fn headers(came: &HeaderMap) -> HeaderMap {
    let kept = KEPT.iter().filter_map(|name| Some((name.clone(), came.get(name)?.clone())));
    let mut headers: HeaderMap = kept.collect();
    headers.insert(TAGS, HeaderValue::from_static(MARK));
    headers
}

impl Copied {
    async fn send(self, app: &App) {
        let group = Arc::clone(&self.group);
        let mut x = match self.exchange() {
            Ok(x) => x,
            Err(why) => return tracing::debug!("a copy cannot be made: {why}"),
        };
        let asked = AssertUnwindSafe(Box::pin(ask(app, &mut x, group))).catch_unwind().await;
        let panicked = |_| Err(ApiError::new(Kind::Internal, "Internal error.").because("panic"));
        let error = asked.unwrap_or_else(panicked).err();
        x.answer.status = error.as_ref().map_or(200, ApiError::status);
        x.answer.outcome = Some(if error.is_some() { Status::Failure } else { Status::Success });
        x.answer.error = error;
        app.chain.on_finish(&mut x);
    }

    /// The operator's own request of the same.
    fn exchange(self) -> Result<Exchange, ApiError> {
        let bad = |error: weir_core::body::BodyError| ApiError::new(Kind::BadJson, error.to_string());
        let mut edits = Edits::default();
        CALLERS.iter().for_each(|name| edits.remove(name));
        let came = JsonBody::parse(self.body).map_err(bad)?;
        let body = JsonBody::parse(Bytes::from(edits.apply(&came).concat())).map_err(bad)?;
        let request = Request {
            operation: self.operation,
            headers: self.headers,
            client_ip: None,
            body,
            form: None,
            path_model: None,
            stream: false,
            listed: false,
            include_usage: false,
            call_id: self.call_id,
            pass: None,
        };
        let mut x = Exchange::new(new_entry_id(), Clock::start(), self.snapshot, request);
        let master = x.snapshot.master.as_ref().map_or_else(|| KeyHash::of(""), MasterKey::hash);
        x.caller = Caller::Master(master);
        x.target.requested.clone_from(&self.group.name);
        // Only this group: what falls back is no comparison.
        x.target.bound = true;
        x.target.group = Some(self.group);
        Ok(x)
    }
}

/// One attempt.
async fn ask(app: &App, x: &mut Exchange, group: Arc<Group>) -> Result<(), ApiError> {
    let deployment = Plan::new(x, group).first(x, &app.routing)?;
    deployment.ready()?;
    hold_of_deployment(&app.budgets, x, &deployment).await?;
    x.answer.deployment = Some(Arc::clone(&deployment));
    let attempt = Attempt {
        number: 1,
        timeouts: x.timeouts(&deployment),
        deployment: Arc::clone(&deployment),
        started_at: x.clock.now(),
        started: Instant::now(),
    };
    let asked = sent(app, x, &attempt).await;
    match &asked {
        Ok(()) => attempt_ended(x, &attempt, 200, None),
        Err(error) if error.kind() == Kind::Upstream => {
            attempt_ended(x, &attempt, error.status(), Some(error.class()));
        }
        Err(error) => attempt_ended(x, &attempt, 0, Some(error.class())),
    }
    asked
}

async fn sent(app: &App, x: &mut Exchange, attempt: &Attempt) -> Result<(), ApiError> {
    let deployment = &attempt.deployment;
    let made = outgoing::Outgoing::new(x, attempt)?;
    if deployment.mock.is_some() || !made.more.is_empty() {
        return Err(ApiError::new(Kind::BadRequest, "This deployment cannot be asked by a copy."));
    }
    let outgoing = Outgoing::seal(made, deployment).await?;
    app.chain.on_attempt(x, attempt)?;
    let told = once::send(app, None, None, deployment, &outgoing).await?;
    x.answer.provider_time = attempt.started.elapsed();
    let body = told.body?;
    if !(200..300).contains(&told.status) {
        return Err(upstream_error(deployment, &outgoing.plan.read_error(told.status, &body)));
    }
    let id = x.id.to_string();
    let (_, report) = outgoing
        .plan
        .answer(&body, &x.view(&id), None)
        .map_err(|error| untranslatable(deployment, &error))?;
    x.answer.provider_id = report.id;
    (x.answer.usage, x.answer.usage_source) = match report.usage {
        Some(usage) => (usage, UsageSource::Reported),
        None => (plain::estimated(x, body.len()), UsageSource::Estimated),
    };
    Ok(())
}
