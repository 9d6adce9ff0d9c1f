//! What the dialect promises, shown on recorded traffic and on streams made by hand.

mod answers;
mod checker;
mod hostile;
mod relay;
mod requests;
mod streams;
mod writing;

use super::OpenAiResponses;
use crate::dialects::dialect::{Asked, ClientDialect as _, TranslateError, UpstreamDialect as _, View};
use crate::dialects::params::Params;
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::{env, fs};
use weir_core::body::JsonBody;
use weir_core::chat::{Answer, Collector, Event, Events, Request};
use weir_core::codec::{Deframer, Framing, frames};
use weir_core::error::ApiError;

const LIMIT: usize = 1 << 20;

/// One recorded interaction.
struct Recording {
    id: String,
    request: Value,
    status: u64,
    response: Value,
}

impl Recording {
    fn plain(&self) -> Option<&Value> {
        self.response.get("body").filter(|_| self.status == 200)
    }

    fn stream(&self) -> Option<&str> {
        self.response.get("body_text").and_then(Value::as_str).filter(|_| self.status == 200)
    }
}

/// All recordings of this dialect; none, said out loud, where the shared references are absent.
#[expect(clippy::disallowed_methods, reason = "where the references are is the machine's business")]
fn recordings() -> Vec<Recording> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let folder = env::var_os("WEIR_SHARED").map_or(beside, PathBuf::from).join("recordings/dev");
    if !folder.exists() {
        assert!(
            env::var("CI").as_deref() != Ok("true"),
            "set WEIR_SHARED to the folder of shared references"
        );
        println!("SKIPPED: no recordings; set WEIR_SHARED to the folder of shared references");
        return Vec::new();
    }
    let names = fs::read_dir(folder).unwrap().map(|f| f.unwrap().path());
    let ours = names.filter(|p| p.to_string_lossy().contains("-responses-"));
    let all: Vec<Recording> = ours.map(|path| recording(&path)).collect();
    assert!(all.len() >= 30, "only {} recordings", all.len());
    all
}

fn recording(path: &Path) -> Recording {
    let value: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    Recording {
        id: value["id"].as_str().unwrap().to_owned(),
        request: value["request"]["body"].clone(),
        status: value["response"]["status"].as_u64().unwrap(),
        response: value["response"].clone(),
    }
}

fn body(value: &Value) -> JsonBody {
    JsonBody::parse(Bytes::from(value.to_string())).unwrap()
}

fn view(body: &JsonBody) -> View<'_> {
    View { model: "m", id: "1-a", created: 7, include_usage: true, body }
}

fn ask(value: &Value) -> Result<Request, ApiError> {
    OpenAiResponses.read_request(&body(value), &HeaderMap::new())
}

fn tell(request: Request, params: &Params) -> Result<Value, ApiError> {
    let model = request.model.clone();
    let headers = HeaderMap::new();
    let asked = Asked { model: &model, provider: "openai", params, headers: &headers };
    OpenAiResponses.write_request(request, &asked).map(|wire| wire.body.into())
}

/// Reads a stream that arrives in these pieces.
fn events(pieces: &[&[u8]]) -> Result<Events, TranslateError> {
    let mut deframer = Deframer::new(Framing::Sse, LIMIT);
    let mut reader = OpenAiResponses.reader();
    let mut out = Events::new();
    for piece in pieces {
        let block = deframer.push(Bytes::copy_from_slice(piece))?;
        frames::each(Framing::Sse, &block, |frame| reader.read(frame, &mut out))?;
    }
    frames::each(Framing::Sse, &deframer.rest(), |frame| reader.read(frame, &mut out))?;
    reader.end(&mut out)?;
    Ok(out)
}

fn collect(events: Events) -> Answer {
    let mut collector = Collector::default();
    events.into_iter().for_each(|e| collector.take(e));
    collector.finish()
}

/// The stream that a client gets for these events.
fn written(events: Vec<Event>, request: &Value) -> String {
    let body = body(request);
    let mut writer = OpenAiResponses.writer(&view(&body));
    let mut out = BytesMut::new();
    let failed = events.iter().any(|e| matches!(e, Event::Fault(_)));
    events.into_iter().for_each(|e| writer.write(e, &mut out));
    if !failed {
        writer.end(&mut out);
    }
    String::from_utf8(out.to_vec()).unwrap()
}

/// The plain answer that a client gets.
fn plain(answer: Answer, request: &Value) -> Value {
    let body = body(request);
    serde_json::from_slice(&OpenAiResponses.write_answer(answer, &view(&body))).unwrap()
}

/// A stream of these events, as a provider sends it.
fn sse(events: &[Value]) -> String {
    events.iter().map(|e| format!("event: {}\ndata: {e}\n\n", e["type"].as_str().unwrap())).collect()
}

/// The last response object of a recorded stream.
fn last_response(stream: &str) -> Value {
    data(stream).iter().filter_map(|e| e.get("response").cloned()).next_back().unwrap()
}

/// The data of all events.
fn data(stream: &str) -> Vec<Value> {
    let data = stream.lines().filter_map(|line| line.strip_prefix("data:"));
    data.filter_map(|data| serde_json::from_str(data).ok()).collect()
}
