//! One client request and its answer, from first byte to ledger entry. Each group says who writes it.

use crate::budgets::Hold;
use crate::cache::Caching;
use crate::callbacks::{self, Telling};
use crate::customer;
use crate::deployment::{Deployment, Timeouts};
use crate::dialects::openai_chat::OpenAiChat;
use crate::dialects::{self, ClientDialect, View};
use crate::guardrails::Guarded;
use crate::load::Running;
use crate::measure::Measured;
use crate::models::Group;
use crate::own::Own;
use crate::pass::Pass;
use crate::rates::{Admitted, Told};
use crate::responses::Conversation;
use crate::snapshot::Snapshot;
use crate::watch::Watcher;
use bytes::BytesMut;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use weir_core::body::{Form, JsonBody};
use weir_core::chat::Dialect;
use weir_core::domain::ids::EntryId;
use weir_core::domain::key::Caller;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::operation::Operation;
use weir_core::domain::spend::{AttemptRecord, Entry, Explained, Outrun, SpendScope, Status};
use weir_core::domain::usage::{Usage, UsageSource};
use weir_core::error::ApiError;
use weir_core::ports::Holder;
use weir_core::time::Micros;

/// The state of one exchange.
pub struct Exchange {
    pub id: EntryId,
    pub clock: Clock,
    /// When all of it had come: the time for all attempts runs from here, however slowly it was sent.
    pub read_at: Instant,
    /// When its caller was known, where somebody wants to know that. Written by `filters::auth`.
    pub known_at: Option<Instant>,
    /// When a deployment was asked for the first time. Written by the attempt loop.
    pub asked_at: Option<Instant>,
    /// The configuration this exchange lives with, whatever is reloaded meanwhile.
    pub snapshot: Arc<Snapshot>,
    /// Written by intake.
    pub request: Request,
    /// Set by `filters::auth`; `Anonymous` before that.
    pub caller: Caller,
    /// Written by `filters::access`, then by routing.
    pub target: Target,
    /// Written by `filters::responses`; `None` for any other API.
    pub conversation: Option<Conversation>,
    /// Written by the attempt loop, one per try.
    pub attempts: Vec<AttemptRecord>,
    /// Written while the answer comes in.
    pub answer: Answer,
    /// What is held of budgets until the cost is known. Kept by `filters::budget`.
    pub hold: Option<Hold>,
    /// Budgets of one period that its cost counts against. Written by `filters::budget`.
    pub accounts: Vec<(SpendScope, String)>,
    /// The same of the deployment that is asked, and what is held of them. Kept by the attempt loop.
    pub deployment_accounts: Vec<(SpendScope, String)>,
    pub deployment_hold: Option<Hold>,
    /// What it is booked under, where that was looked for before it is booked. Written by `filters::budget`.
    pub tags: Option<Vec<String>>,
    /// Whom the request names beside its key, as far as they are limited by something. Written by `filters::budget`.
    pub holders: Option<Box<Named>>,
    /// Where the request is counted against rate limits until it is over. Kept by `filters::rate`.
    pub admitted: Option<Admitted>,
    /// What answers say of rate limits.
    pub rate_limits: Option<Box<Told>>,
    /// Guardrails that look at it. Written by `filters::guardrails`.
    pub guarded: Option<Box<Guarded>>,
    /// Who looks at the answer that comes, made anew for each attempt; whoever leads the answer takes them.
    pub watchers: Vec<Box<dyn Watcher>>,
    /// Output tokens that the budget pays for, where it does not pay for all.
    pub limit_output: Option<u64>,
    /// What the cache has to do with it; `None`: nothing. Kept by `filters::cache`.
    pub caching: Option<Box<Caching>>,
    /// How its entry comes about. Written by routing, `filters::budget` and `filters::price`.
    pub explained: Explained,
    /// The ledger entry as far as it is known. Kept by `filters::journal` between an attempt and the end.
    pub draft: Option<Box<Entry>>,
    /// The entry as the journal has it. Written by `filters::journal`, taken by `filters::callbacks`.
    pub booked: Option<Box<Entry>>,
    /// Who is told of it. Found when it is first needed: by then it is known who calls.
    telling: OnceLock<Telling>,
}

/// Customer and tags of a request.
#[derive(Default)]
pub struct Named {
    pub customer: Option<(String, Arc<Holder>)>,
    pub tags: Vec<(String, Arc<Holder>)>,
}

/// Wall time for the ledger, monotonic time for durations, read once at intake.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    pub started_at: Micros,
    pub started: Instant,
}

/// What the client sent.
pub struct Request {
    pub operation: Operation,
    pub headers: http::HeaderMap,
    pub client_ip: Option<IpAddr>,
    /// The JSON object that came, or the text fields of the form.
    pub body: JsonBody,
    /// A multipart body, which goes out as a form again.
    pub form: Option<Form>,
    /// The model in the path (`/engines/{model}/…`), which wins over the body's.
    pub path_model: Option<String>,
    pub stream: bool,
    /// The stream is to be one JSON list (Gemini's, without `alt=sse`).
    pub listed: bool,
    /// `stream_options.include_usage`: whether the client wants the usage chunk.
    pub include_usage: bool,
    /// `x-litellm-call-id`, else the entry id.
    pub call_id: String,
    /// What is passed through, where something is; `body` is then only what was understood of it.
    pub pass: Option<Box<Pass>>,
}

/// Which models are tried. What is not said otherwise is written by routing.
#[derive(Default)]
pub struct Target {
    /// The name the client asked for.
    pub requested: String,
    /// The group it stands for. Set by `filters::access`.
    pub group: Option<Arc<Group>>,
    /// Credentials of the client's, which that group is asked with. Set by `filters::client_fields`.
    pub own: Option<Own>,
    /// Nobody else can serve it: there are no fallbacks.
    pub bound: bool,
    /// Where it may be computed; `None`: anywhere. Set by `filters::budget`, which knows the customer.
    pub region: Option<String>,
    /// Within the group that is tried.
    pub retries: u16,
    pub max_retries: u16,
    pub fallbacks: u16,
    /// Deployments that were left alone after failing here, with the status that they failed with.
    pub cooled: Vec<(Arc<Deployment>, u16)>,
    /// The attempt under way, where a strategy or a limit of its deployment wants to know of it.
    pub running: Option<Running>,
}

/// What came of it.
#[derive(Default)]
pub struct Answer {
    /// Who answered, or was asked last.
    pub deployment: Option<Arc<Deployment>>,
    /// HTTP status for the client.
    pub status: u16,
    pub outcome: Option<Status>,
    pub error: Option<ApiError>,
    pub first_token_at: Option<Micros>,
    /// Time the provider took, from sending to the last byte.
    pub provider_time: Duration,
    pub provider_id: Option<String>,
    pub usage: Usage,
    pub usage_source: UsageSource,
    /// What the client was sent, as far as it is kept ([`Exchange::keeps_said`]).
    pub said: BytesMut,
    /// What is paid by the piece instead of by tokens.
    pub measured: Option<Measured>,
    /// All of it, `outrun` too.
    pub cost: NanoUsd,
    /// What the price list makes of it, where more or less is charged.
    pub listed: Option<NanoUsd>,
    /// What attempts cost that were ended because another deployment answered first. Written by the attempt loop.
    pub outrun: Vec<Outrun>,
    pub unpriced: bool,
    /// It was there already: no provider was asked, and it costs nothing.
    pub cache_hit: bool,
    /// What the provider says is left of its own rate limits.
    pub remaining_requests: Option<i64>,
    pub remaining_tokens: Option<i64>,
}

/// One try of one deployment.
#[derive(Clone)]
pub struct Attempt {
    /// 1 for the first of an exchange.
    pub number: u16,
    pub deployment: Arc<Deployment>,
    pub started_at: Micros,
    pub started: Instant,
    /// The deployment's, or what the client asked for instead.
    pub timeouts: Timeouts,
}

/// Bytes that are kept of an answer. What comes after them is not.
pub const MAX_SAID: usize = 1 << 20;

// --- Clock ---

impl Clock {
    pub fn start() -> Self {
        Self { started_at: weir_core::time::now(), started: Instant::now() }
    }

    /// Wall time now, measured from the start so that it never runs backwards.
    pub fn now(&self) -> Micros {
        let elapsed = i64::try_from(self.started.elapsed().as_micros()).unwrap_or(i64::MAX);
        Micros(self.started_at.0.saturating_add(elapsed))
    }
}

// --- Answer ---

impl Answer {
    /// What all that was outrun cost together.
    pub fn outrun_cost(&self) -> NanoUsd {
        self.outrun.iter().map(|outrun| outrun.cost).sum()
    }

    /// Forgets what an attempt that failed told of itself: the next one has another deployment's prices, and a clock of
    /// its own.
    pub fn begin_anew(&mut self) {
        (self.usage, self.usage_source, self.measured) = (Usage::default(), UsageSource::None, None);
        (self.first_token_at, self.provider_id) = (None, None);
        (self.remaining_requests, self.remaining_tokens) = (None, None);
    }

    /// What the deployment cost that answered.
    pub fn own_cost(&self) -> NanoUsd {
        NanoUsd(self.cost.0.saturating_sub(self.outrun_cost().0))
    }
}

// --- Request ---

impl Request {
    /// How the client speaks, and wants to be told errors.
    pub fn client(&self) -> &'static dyn ClientDialect {
        dialects::client(self.operation.row().chat.unwrap_or(self.errors())).unwrap_or(&OpenAiChat)
    }

    /// How errors are told before an answer has begun.
    pub fn errors(&self) -> Dialect {
        let row = self.operation.row();
        self.pass.as_ref().map_or(row.errors, |pass| pass.way.errors())
    }

    /// The operation, or the one that a raw request is like.
    pub fn like(&self) -> Operation {
        self.pass.as_ref().and_then(|pass| pass.meant.like).unwrap_or(self.operation)
    }
}

// --- Exchange ---

impl Exchange {
    pub fn new(id: EntryId, clock: Clock, snapshot: Arc<Snapshot>, request: Request) -> Self {
        Self {
            id,
            clock,
            read_at: Instant::now(),
            known_at: None,
            asked_at: None,
            snapshot,
            request,
            caller: Caller::Anonymous,
            target: Target::default(),
            conversation: None,
            attempts: Vec::new(),
            answer: Answer::default(),
            hold: None,
            tags: None,
            holders: None,
            accounts: Vec::new(),
            deployment_accounts: Vec::new(),
            deployment_hold: None,
            admitted: None,
            rate_limits: None,
            guarded: None,
            watchers: Vec::new(),
            limit_output: None,
            caching: None,
            explained: Explained::default(),
            draft: None,
            booked: None,
            telling: OnceLock::new(),
        }
    }

    /// How long it waited here, for budgets and guardrails and others' answers, before a deployment was asked.
    pub fn waited(&self) -> Duration {
        self.asked_at.map(|at| at.saturating_duration_since(self.read_at)).unwrap_or_default()
    }

    /// Whether the operator wants to keep what is asked and answered, and nobody minds.
    pub fn keeps_said(&self) -> bool {
        self.snapshot.config.general.store_prompts_in_spend_logs && !self.telling().silent
    }

    /// Which callbacks are told of it, and whether they are told what is said.
    pub fn telling(&self) -> &Telling {
        self.telling.get_or_init(|| callbacks::telling(self))
    }

    /// Notes what the client is sent, up to [`MAX_SAID`], and as far as it is to be cached, kept or told.
    pub fn say(&mut self, bytes: &[u8]) {
        if let Some(caching) = &mut self.caching {
            caching.collect(bytes);
        }
        let heard = self.keeps_said() || self.telling().hears();
        if heard && self.answer.said.len() + bytes.len() <= MAX_SAID {
            self.answer.said.extend_from_slice(bytes);
        }
    }

    /// What a writer of answers must know; `id` is the entry's as text.
    pub fn view<'v>(&'v self, id: &'v str) -> View<'v> {
        View {
            model: self.answer.deployment.as_ref().map_or(&self.target.requested, |d| &d.model_label),
            id,
            created: self.clock.started_at.seconds(),
            include_usage: self.request.include_usage,
            body: &self.request.body,
        }
    }

    /// A header as text; empty when absent or not text.
    pub fn header(&self, name: &str) -> &str {
        self.request.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }

    /// The customer behind the key: the one that a token is for, else whom a header or the body names, each request's own.
    pub fn end_user(&self) -> Option<String> {
        let token = self.caller.principal().and_then(|known| known.token.as_ref());
        if let Some(customer) = token.and_then(|token| token.customer.as_ref()) {
            return Some(customer.clone());
        }
        let general = &self.snapshot.config.general;
        let mut headers = general.user_header_name.iter().chain(&general.customer_headers);
        let named = headers.find_map(|name| Some(self.header(name)).filter(|value| !value.is_empty()));
        named.map(str::to_owned).or_else(|| customer::of_body(&self.request.body))
    }

    /// Limits for an attempt: the body's `timeout`, else `x-litellm-timeout` and `x-litellm-stream-timeout` (seconds),
    /// else the deployment's, else those of the key, its team, or the router.
    pub fn timeouts(&self, deployment: &Deployment) -> Timeouts {
        let mut limits = self.usual_timeouts(deployment);
        if !self.request.stream {
            // A whole answer has no first token to wait for.
            limits.first_token = limits.total;
        }
        let asked = self
            .request
            .body
            .raw("timeout")
            .and_then(seconds)
            .or_else(|| seconds(self.header("x-litellm-timeout")));
        if let Some(total) = asked {
            limits.total = total;
            limits.first_token = total;
        }
        if let Some(first) = seconds(self.header("x-litellm-stream-timeout")).filter(|_| self.request.stream)
        {
            limits.first_token = first;
        }
        limits
    }

    fn usual_timeouts(&self, deployment: &Deployment) -> Timeouts {
        let mut limits = deployment.timeouts;
        let routers = self.snapshot.config.router.timeout;
        // Whatever says nothing of it has the router's.
        for limit in [&mut limits.total, &mut limits.first_token] {
            if *limit == routers {
                *limit = self.patience();
            }
        }
        limits
    }

    /// The time for all attempts: what the key or its team says, else the router's `timeout`.
    pub fn patience(&self) -> Duration {
        let own = self.caller.principal().and_then(|known| known.routed().timeout);
        own.unwrap_or(self.snapshot.config.router.timeout)
    }

    /// What is left of the time for all attempts, or more where a single attempt may take more.
    pub fn time_left(&self, attempt: Duration) -> Duration {
        self.patience().max(attempt).saturating_sub(self.read_at.elapsed())
    }

    /// No time is left for another attempt.
    pub fn is_late(&self) -> bool {
        /// What a timer may be early by.
        const GRAIN: Duration = Duration::from_millis(20);
        self.time_left(Duration::ZERO) < GRAIN
    }

    /// The name of the group that is being tried, or what the client asked for.
    pub fn group_name(&self) -> &str {
        match (&self.answer.deployment, &self.target.group) {
            (Some(deployment), _) => &deployment.group,
            (None, Some(group)) => &group.name,
            (None, None) => &self.target.requested,
        }
    }
}

/// A positive number of seconds, at most a day.
fn seconds(text: &str) -> Option<Duration> {
    const LONGEST: f64 = 86_400.0;
    let seconds: f64 = text.trim().parse().ok()?;
    (seconds > 0.0 && seconds <= LONGEST).then(|| Duration::from_secs_f64(seconds))
}
