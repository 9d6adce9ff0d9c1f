//! A short, real question to one deployment, for `/health` and for whoever makes one. Nothing is booked for it.

use super::once;
use crate::state::App;
use crate::upstream::connect::Wanted;
use crate::upstream::request::Outgoing;
use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;
use std::sync::Arc;
use std::time::{Duration, Instant};
use weir_core::body::{JsonBody, Pieces};
use weir_core::config::ModelEntry;
use weir_core::domain::ids::new_entry_id;
use weir_core::domain::operation::Operation;
use weir_core::error::{ApiError, Kind};
use weir_core::ports::control::Probe;
use weir_core::time;
use weir_plugins::deployment::Deployment;
use weir_plugins::dialects::upstream_error;
use weir_plugins::exchange::{Attempt, Clock, Exchange, Request};
use weir_plugins::outgoing;
use weir_plugins::snapshot::Snapshot;

/// How long a deployment may take, whatever its own limits are, where neither its `health_check_timeout` nor
/// `HEALTH_CHECK_TIMEOUT_SECONDS` says anything else.
const PATIENCE: Duration = Duration::from_secs(30);
const LONGEST: Duration = Duration::from_secs(600);

/// What is asked, by the model's mode as LiteLLM names it. Others are only connected to: a picture would cost too much.
static QUESTIONS: &[(&str, Operation, &str)] = &[
    ("chat", Operation::Chat, CHAT),
    ("responses", Operation::Chat, CHAT),
    ("completion", Operation::Completions, r#"{"prompt": "Hi", "max_tokens": 16}"#),
    ("embedding", Operation::Embeddings, r#"{"input": "Hi"}"#),
    ("rerank", Operation::Rerank, r#"{"query": "Hi", "documents": ["Hi"], "top_n": 1}"#),
    ("moderation", Operation::Moderations, r#"{"input": "Hi"}"#),
];

const CHAT: &str = r#"{"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 16}"#;

/// Asks the deployment of `snapshot` with this id. `mode`: what is asked; `None`: as the config says, else the catalogue.
pub async fn ask(app: &App, snapshot: &Arc<Snapshot>, id: &str, mode: Option<&str>) -> Probe {
    let started = Instant::now();
    let own = entry_of(snapshot, id).and_then(|entry| entry.info.check.timeout);
    let usual = snapshot.config.general.health.timeout.unwrap_or(PATIENCE);
    let patience = own.unwrap_or(usual).min(LONGEST);
    let asked = tokio::time::timeout(patience, Box::pin(asked(app, snapshot, id, mode))).await;
    let late = || Err(ApiError::new(Kind::UpstreamTimeout, format!("no answer within {patience:?}")));
    let (status, error) = match asked.unwrap_or_else(|_| late()) {
        Ok(status) => (status, String::new()),
        Err(error) => (error.status(), error.message().to_owned()),
    };
    Probe { took: started.elapsed(), error, status }
}

async fn asked(app: &App, snapshot: &Arc<Snapshot>, id: &str, mode: Option<&str>) -> Result<u16, ApiError> {
    let missing = || ApiError::new(Kind::UnknownModel, "no such deployment, or a pattern without a model");
    let deployment = &snapshot.models.to_check(id).ok_or_else(missing)?;
    deployment.ready()?;
    if deployment.mock.is_some() {
        return Ok(200);
    }
    let mode = mode.map_or_else(|| mode_of(snapshot, deployment), str::to_owned);
    let Some((_, operation, question)) = QUESTIONS.iter().find(|(name, ..)| *name == mode) else {
        let wanted = Wanted { body: &Pieces::new(), http1: false };
        let connected = app.dialer.connect(deployment, wanted).await?;
        app.dialer.release(connected).await;
        return Ok(200);
    };
    send(app, snapshot, deployment, *operation, question).await
}

fn entry_of<'s>(snapshot: &'s Snapshot, id: &str) -> Option<&'s ModelEntry> {
    snapshot.config.models.iter().find(|entry| entry.id == id)
}

/// What the config says of it, then the catalogue; a chat where nobody knows.
fn mode_of(snapshot: &Snapshot, deployment: &Deployment) -> String {
    let entry = entry_of(snapshot, &deployment.id);
    let told = entry.and_then(|entry| entry.info.mode.clone());
    let base = entry.and_then(|entry| entry.info.base_model.as_deref());
    let facts = snapshot.catalogue.find(deployment.provider.prefix, &deployment.model_label, base);
    let mode = told.or_else(|| facts.map(|facts| facts.mode.to_owned()));
    mode.filter(|mode| !mode.is_empty()).unwrap_or_else(|| String::from("chat"))
}

async fn send(
    app: &App,
    snapshot: &Arc<Snapshot>,
    deployment: &Arc<Deployment>,
    operation: Operation,
    question: &str,
) -> Result<u16, ApiError> {
    let mut question: Value = serde_json::from_str(question).unwrap_or_default();
    if let Some(prompt) = &snapshot.config.general.health.prompt {
        say(&mut question, prompt);
    }
    question["model"] = Value::from(deployment.group.as_str());
    let x =
        Exchange::new(new_entry_id(), Clock::start(), Arc::clone(snapshot), request(operation, &question)?);
    let attempt = Attempt {
        number: 1,
        deployment: Arc::clone(deployment),
        started_at: time::now(),
        started: Instant::now(),
        timeouts: deployment.timeouts,
    };
    let made = outgoing::Outgoing::new(&x, &attempt)?;
    let outgoing = Outgoing::seal(made, deployment).await?;
    let mut place = app.limits.enter()?;
    let told = once::send(app, None, Some(&mut place), deployment, &outgoing).await?;
    let body = told.body?;
    if (200..300).contains(&told.status) {
        return Ok(told.status);
    }
    Err(upstream_error(deployment, &outgoing.plan.read_error(told.status, &body)))
}

/// Where what is asked stands in questions.
static SAID: &[&str] = &["/messages/0/content", "/prompt", "/input", "/query"];

/// The operator's words in place of ours (`DEFAULT_HEALTH_CHECK_PROMPT`).
fn say(question: &mut Value, prompt: &str) {
    for place in SAID {
        if let Some(said) = question.pointer_mut(place) {
            *said = Value::from(prompt);
        }
    }
}

fn request(operation: Operation, question: &Value) -> Result<Request, ApiError> {
    let body = JsonBody::parse(Bytes::from(question.to_string()));
    Ok(Request {
        operation,
        headers: HeaderMap::new(),
        client_ip: None,
        body: body.map_err(|error| ApiError::new(Kind::Internal, error.to_string()))?,
        form: None,
        path_model: None,
        stream: false,
        listed: false,
        include_usage: false,
        call_id: String::new(),
        pass: None,
    })
}
