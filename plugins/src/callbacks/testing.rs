//! What the tests of callbacks share: exchanges that are over, sinks from a line of configuration, a check of schemas.

pub(super) mod schema;

use super::callback::Events;
use super::desk::Room;
use super::kinds::{self, Build, Made};
use super::record::{Finished, Record, Told, What};
use super::sinks::{Buffers, Parcel, Sink};
use super::{Callback, To, Tools};
use crate::auth::Poster;
use crate::metrics::Metrics;
use crate::said::Heard;
use bytes::Bytes;
use std::sync::Arc;
use weir_core::body::JsonBody;
use weir_core::chat::Dialect;
use weir_core::config::env::Env;
use weir_core::config::problems::{Place, Problems};
use weir_core::config::{Config, MetricsSettings};
use weir_core::domain::ids::KeyHash;
use weir_core::domain::key::{Caller, KeyRecord, Principal};
use weir_core::domain::money::NanoUsd;
use weir_core::domain::operation::Operation;
use weir_core::domain::spend::{Entry, Status};
use weir_core::domain::usage::{Usage, UsageSource};
use weir_core::time::Micros;

/// 2023-11-14T22:13:20.123456Z
pub(super) const STARTED: Micros = Micros(1_700_000_000_123_456);
pub(super) const KEY: &str = "sk-s3cr3t-of-the-caller";

/// What an environment and a line of `callback_settings` make, in YAML's short form.
pub(super) fn made(name: &str, settings: &str, env: &[(&str, &str)]) -> (Option<Made>, Problems) {
    let env = Env::of(env.iter().copied());
    let text = format!("callback_settings: {{{name}: {settings}}}\n");
    let (config, mut problems) = Config::from_text(&text, &env, &[]);
    let config = config.unwrap_or_else(|| panic!("{problems}"));
    let params = config.callbacks.of(name);
    let row = kinds::find(name, &params, &Place::default(), &mut problems).unwrap();
    let build = Build { params: &params, env: &env, own: false, at: Place::default() };
    let made = (row.build)(&build, &mut problems);
    (made, problems)
}

pub(super) fn sink(name: &str, settings: &str, env: &[(&str, &str)]) -> Box<dyn Sink> {
    let (made, problems) = made(name, settings, env);
    made.unwrap_or_else(|| panic!("{problems}")).sink
}

/// A callback that waits for nobody else, with a line of `callback_settings`.
pub(super) fn callback(name: &str, settings: &str) -> Arc<Callback> {
    let env = Arc::new(Env::of([("DEFAULT_FLUSH_INTERVAL_SECONDS", "0.01")]));
    let text = format!("callback_settings: {{{name}: {settings}}}");
    let config = Arc::new(Config::from_text(&text, &env, &[]).0.unwrap());
    let http = Poster::new(&env);
    let tools = Tools { config, env, http };
    let (at, mut problems) = (Place::default(), Problems::default());
    Arc::new(Callback::configured(&tools, name, Events::ALL, &at, &mut problems).unwrap())
}

pub(super) fn to(callbacks: &[&Arc<Callback>]) -> To {
    callbacks.iter().map(|callback| Arc::clone(callback)).collect()
}

pub(super) fn metrics() -> Arc<Metrics> {
    Arc::new(Metrics::new(&MetricsSettings::default(), 1_000).unwrap())
}

/// Records that a callback was not told.
pub(super) fn dropped(metrics: &Arc<Metrics>, name: &str) -> u64 {
    let text: String = metrics.page().unwrap().collect();
    let series = format!("weir_callback_dropped_total{{callback_name=\"{name}\"}} ");
    text.lines().find_map(|line| line.strip_prefix(&series)?.parse().ok()).unwrap_or_default()
}

/// The requests that tell exchanges which ended so.
pub(super) async fn written(sink: &dyn Sink, ends: &[&str]) -> Vec<Parcel> {
    told(sink, ends.iter().map(|end| finished(end))).await
}

pub(super) async fn told(sink: &dyn Sink, finished: impl IntoIterator<Item = Finished>) -> Vec<Parcel> {
    let records: Vec<Record> = finished.into_iter().map(record).collect();
    let mut all = Vec::new();
    for record in &records {
        all.push(Told::of(record, false).await);
    }
    sink.write(&all, &mut Buffers::default())
}

pub(super) fn record(finished: Finished) -> Record {
    let room = Room::take(&Arc::default(), 0, usize::MAX).unwrap();
    Record::new(What::Exchange(Box::new(finished)), room)
}

/// `success`, `failure`, `cancelled`, or `long`: a success in which much is said.
pub(super) fn finished(end: &str) -> Finished {
    let asked = if end == "long" { "long ".repeat(12_000) } else { String::from("What is asked") };
    let message = format!("{{\"role\":\"user\",\"content\":\"{asked}\"}}");
    let messages = if end == "long" { vec![message; 8].join(",") } else { message };
    let request = format!(
        "{{\"model\":\"gpt\",\"temperature\":0.5,\"messages\":[{messages}],\"api_key\":\"sk-s3cr3t\",\
         \"metadata\":{{\"generation_name\":\"g\"}}}}"
    );
    saying(end, &request, ANSWER)
}

pub(super) const ANSWER: &str =
    r#"{"id":"chatcmpl-1","choices":[{"message":{"role":"assistant","content":"What is answered"}}]}"#;

/// An exchange that ended so, with this request and this answer.
pub(super) fn saying(end: &str, request: &str, answer: &str) -> Finished {
    let heard = Heard {
        id: entry(end).id,
        started_at: STARTED,
        client: Some(Dialect::OpenAiChat),
        model: String::from("gpt"),
        request: JsonBody::parse(Bytes::copy_from_slice(request.as_bytes())).unwrap(),
        answer: Bytes::copy_from_slice(answer.as_bytes()),
        hiding: None,
    };
    let caller = Caller::Key(Arc::new(Principal::of(KeyRecord::new(KEY))));
    Finished::test(entry(end), caller, heard)
}

fn entry(end: &str) -> Entry {
    let status = Status::parse(end).unwrap_or(Status::Success);
    let (http_status, error, error_message) = match status {
        Status::Success => (200, "", ""),
        Status::Cancelled => (499, "", ""),
        _ => (500, "InternalServerError", "The provider failed"),
    };
    let text = |text: &str| Some(text.to_owned());
    Entry {
        ended_at: Micros(STARTED.0 + 1_250_001),
        first_token_at: Some(Micros(STARTED.0 + 250_000)),
        call_id: String::from("call-1"),
        provider_id: text("chatcmpl-1"),
        status,
        http_status,
        error: error.to_owned(),
        error_message: error_message.to_owned(),
        key_hash: Some(KeyHash::of(KEY)),
        key_alias: text("alias"),
        user_id: text("user-1"),
        team_id: text("team-1"),
        end_user: text("customer-1"),
        model_requested: String::from("gpt"),
        model_group: String::from("gpt"),
        model: String::from("openai/gpt-4o"),
        provider: String::from("openai"),
        deployment_id: String::from("deployment-1"),
        api_base: String::from("http://provider.test/v1"),
        usage: Usage { input: 11, output: 7, cache_read: 3, ..Usage::default() },
        usage_source: UsageSource::Reported,
        cost: NanoUsd(97_500),
        price_version: String::from("1"),
        tags: vec![String::from("tag")],
        metadata: String::from("{\"generation_name\":\"g\"}"),
        client_ip: String::from("127.0.0.1"),
        user_agent: String::from("test/1"),
        team_alias: text("The team"),
        session_id: text("s-1"),
        ..Entry::begun("018bcfe5-687b-7000-8000-000000000001".parse().unwrap(), STARTED, Operation::Chat)
    }
}
