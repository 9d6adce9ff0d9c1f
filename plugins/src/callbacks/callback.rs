//! One callback: what it is told, and how it is reached.

use super::Tools;
use super::grpc;
use super::kinds::{self, Batch, Build, Row};
use super::sinks::{Door, Parcel, Refused, Sink};
use crate::auth::{AwsService, Poster, ToSend, bearer_of, sign_for};
use http::header::AUTHORIZATION;
use std::time::Duration;
use weir_core::config::problems::{Place, Problems};
use weir_core::config::section::Section;
use weir_core::domain::spend::Status;

/// Built once; told from then on.
pub struct Callback {
    /// As the settings call it.
    pub name: String,
    pub(super) events: Events,
    /// It is never told what was said.
    pub(super) silent: bool,
    /// It belongs to a key or a team, and has an address or credentials of its own.
    pub(super) own: bool,
    pub(super) batch: Batch,
    pub(super) sink: Box<dyn Sink>,
    door: Door,
    http: Poster,
}

/// Which exchanges somebody is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Events {
    pub(super) success: bool,
    pub(super) failure: bool,
}

/// Settings of a key's callback that name no place.
const FLAGS: [&str; 2] = ["message_logging", "turn_off_message_logging"];
/// For one request.
const PATIENCE: Duration = Duration::from_secs(10);

fn only_flags(vars: &Section) -> bool {
    vars.entries().iter().all(|(name, _)| FLAGS.contains(&name.as_str()))
}

// --- Events ---

impl Events {
    pub(super) const ALL: Events = Events { success: true, failure: true };

    pub(super) fn or(self, more: Events) -> Events {
        Events { success: self.success || more.success, failure: self.failure || more.failure }
    }

    pub(super) fn names(self) -> Vec<&'static str> {
        let all = [(self.success, "success"), (self.failure, "failure")];
        all.into_iter().filter_map(|(told, name)| told.then_some(name)).collect()
    }

    /// LiteLLM's `event_types`, where there are some.
    fn narrowed(self, params: &Section) -> Events {
        let Some(types) = params.texts("event_types") else { return self };
        let has = |name: &str| types.iter().any(|kind| kind == name);
        Events {
            success: self.success && has("llm_api_success"),
            failure: self.failure && has("llm_api_failure"),
        }
    }

    /// Whoever left before the end got no success: that is a failure, as is what a dead process left behind.
    pub(super) fn has(self, status: Status) -> bool {
        if status == Status::Success { self.success } else { self.failure }
    }
}

// --- Callback ---

impl Callback {
    /// One of `litellm_settings`.
    pub(super) fn configured(
        tools: &Tools,
        name: &str,
        events: Events,
        at: &Place,
        problems: &mut Problems,
    ) -> Option<Self> {
        let params = tools.config.callbacks.of(name);
        let row = kinds::find(name, &params, at, problems)?;
        let build = Build { params: &params, env: &tools.env, own: false, at: at.clone() };
        Self::made(tools, name, row, events, &build, problems)
    }

    /// The same, if audit entries mean something to it.
    pub(super) fn of_audits(tools: &Tools, name: &str, at: &Place, problems: &mut Problems) -> Option<Self> {
        let made = Self::configured(tools, name, Events::ALL, at, problems)?;
        if !made.sink.takes_audits() {
            problems.warn(at, format!("{name} is told of requests only"), "name a webhook, s3 or sqs");
            return None;
        }
        Some(made)
    }

    /// One that a key or a team names. `vars`: its own settings, which count in place of the gateway's.
    pub(super) fn of_key(
        tools: &Tools,
        name: &str,
        events: Events,
        vars: &Section,
        problems: &mut Problems,
    ) -> Option<Self> {
        let at = Place { path: "metadata.logging".into(), ..Place::default() };
        // What only says how much is told needs no credentials of its own.
        if only_flags(vars) {
            return Self::configured(tools, name, events, &at, problems);
        }
        let row = kinds::find(name, vars, &at, problems)?;
        if !row.own {
            return Self::configured(tools, name, events, &at, problems);
        }
        let build = Build { params: vars, env: &tools.env, own: true, at };
        Self::made(tools, name, row, events, &build, problems)
    }

    /// One that the operator gives a team. `vars`: its settings, which count in place of the gateway's.
    pub(super) fn of_team(
        tools: &Tools,
        name: &str,
        events: Events,
        vars: &Section,
        problems: &mut Problems,
    ) -> Option<Self> {
        let at = vars.at().clone();
        if only_flags(vars) {
            return Self::configured(tools, name, events, &at, problems);
        }
        let row = kinds::find(name, vars, &at, problems)?;
        let build = Build { params: vars, env: &tools.env, own: false, at };
        let made = Self::made(tools, name, row, events, &build, problems)?;
        Some(Self { own: true, ..made })
    }

    fn made(
        tools: &Tools,
        name: &str,
        row: &Row,
        events: Events,
        build: &Build<'_>,
        problems: &mut Problems,
    ) -> Option<Self> {
        let made = (row.build)(build, problems)?;
        let flag = |name: &str| build.params.bool(name);
        Some(Self {
            name: name.to_owned(),
            events: events.narrowed(build.params),
            silent: flag("turn_off_message_logging") == Some(true) || flag("message_logging") == Some(false),
            own: build.own,
            batch: row.batch.with(build.env),
            sink: made.sink,
            door: made.door,
            http: tools.http.clone(),
        })
    }

    /// Sends one request.
    ///
    /// # Errors
    /// It was not taken; a later try may do better.
    pub(super) async fn send(&self, parcel: &Parcel) -> Result<(), Refused> {
        let mut headers = parcel.headers.clone();
        match &self.door {
            Door::Open => {}
            Door::Grpc => return self.call(parcel).await,
            Door::Aws { source, region, service } => {
                let url = parcel.url.to_string();
                let (method, body) = (parcel.method.as_str(), &parcel.body[..]);
                let request = ToSend { method, url: &url, headers: &mut headers, body };
                let service = AwsService { name: service, region };
                sign_for(source, service, request).await.map_err(Refused::now)?;
            }
            Door::Token(identity) => {
                headers.insert(AUTHORIZATION, bearer_of(identity).await.map_err(Refused::now)?);
            }
        }
        let (method, body) = (parcel.method.clone(), parcel.body.clone());
        let sent = self.http.ask(method, &parcel.url, headers, body, PATIENCE).await;
        let (status, answer) = sent.map_err(Refused::now)?;
        if !(200..300).contains(&status) {
            return Err(Refused::with(status, &answer));
        }
        self.sink.objection(&answer).map_or(Ok(()), Err)
    }

    /// The same over gRPC.
    async fn call(&self, parcel: &Parcel) -> Result<(), Refused> {
        let (headers, body) = (parcel.headers.clone(), parcel.body.clone());
        let answered = self.http.call(&parcel.url, headers, body, PATIENCE).await.map_err(Refused::now)?;
        let answer = grpc::taken(&answered)?;
        self.sink.objection(answer).map_or(Ok(()), Err)
    }
}
