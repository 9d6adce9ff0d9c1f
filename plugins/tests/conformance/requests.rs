//! A recorded request, sent to a provider of each dialect.

use crate::limits;
use crate::recordings::{CLIENTS, Recorded, UPSTREAMS, client};
use crate::table::{Lost, Outcome, Part};
use crate::talk::{self, Talk};
use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;
use weir_core::body::JsonBody;
use weir_core::chat::{Dialect, Request};
use weir_plugins::dialects::upstream;
use weir_plugins::dialects::{Asked, Params};

pub fn cross(recorded: &Recorded) -> Vec<Outcome> {
    let Some(from) = recorded.client() else { return Vec::new() };
    // A request that its own provider found wrong proves nothing; one that continues another is not whole.
    let whole = recorded.request.get("previous_response_id").is_none_or(Value::is_null);
    if !recorded.request.is_object() || recorded.status == 400 || !whole {
        return Vec::new();
    }
    let (_, name) = CLIENTS.iter().find(|(dialect, _)| *dialect == from).unwrap();
    let request = read(from, &with_model(recorded));
    let (features, unseen) = labels(recorded, request.as_ref().ok());
    let outcome = |&(to, column, model, provider): &(Dialect, &str, &str, &str)| {
        let mut lost = Vec::new();
        let checked = match &request {
            _ if limits::stored(&recorded.request, &mut lost) => Ok(()),
            Ok(request) => check(request, to, model, provider, &mut lost),
            Err(why) => Err(why.clone()),
        };
        Outcome {
            part: Part::Requests,
            client: name,
            column: column.to_owned(),
            features: features.clone(),
            unseen: unseen.clone(),
            lost,
            failure: checked.err().map(|why| format!("request of {} to {column}: {why}", recorded.name)),
        }
    };
    UPSTREAMS.iter().map(outcome).collect()
}

type Holds = fn(&Talk) -> bool;

fn shows(talk: &Talk, kind: &str) -> bool {
    talk.media.iter().any(|media| media.contains(kind))
}

/// What must be there to be compared, or keeping it would prove nothing.
static LABELS: &[(&str, Holds)] = &[
    ("system", |t| !t.system.is_empty()),
    ("developer_role", |t| !t.system.is_empty()),
    ("tools", |t| !t.tools.is_empty() || t.server_tools > 0),
    ("tool_result", |t| !t.results.is_empty()),
    ("parallel_tool_results", |t| t.results.len() > 1),
    ("vision", |t| shows(t, "image")),
    ("document", |t| shows(t, "document")),
    ("audio_in", |t| shows(t, "audio")),
    ("server_tools", |t| t.server_tools > 0),
    ("cache_control", |t| t.marks > 0),
];

/// The labels that a recording counts for, and those that its request does not bear out.
fn labels(recorded: &Recorded, request: Option<&Request>) -> (Vec<String>, Vec<&'static str>) {
    // Read for a dialect that has all kinds of documents.
    let talk = request.map(|request| Talk::of(request, Dialect::AnthropicMessages));
    let empty =
        |row: &&(&'static str, Holds)| recorded.has(row.0) && talk.as_ref().is_some_and(|t| !(row.1)(t));
    let unseen: Vec<&'static str> = LABELS.iter().filter(empty).map(|(label, _)| *label).collect();
    let counts = |label: &&String| !unseen.contains(&label.as_str());
    (recorded.features.iter().filter(counts).cloned().collect(), unseen)
}

/// Bedrock and Vertex have the model in the path.
fn with_model(recorded: &Recorded) -> Value {
    let mut body = recorded.request.clone();
    if let Some(body) = body.as_object_mut().filter(|body| !body.contains_key("model")) {
        body.insert("model".to_owned(), recorded.model.as_str().into());
    }
    body
}

fn read(of: Dialect, body: &Value) -> Result<Request, String> {
    let body = JsonBody::parse(Bytes::from(body.to_string())).map_err(|e| format!("{e:?}"))?;
    client(of).read_request(&body, &HeaderMap::new()).map_err(|e| format!("cannot be read: {}", e.message()))
}

fn check(
    request: &Request,
    to: Dialect,
    model: &str,
    provider: &str,
    lost: &mut Vec<Lost>,
) -> Result<(), String> {
    let mut expected = Talk::of(request, to);
    let refused = limits::refused(to, &expected);
    limits::apply_talk(to, &mut expected, lost);
    let params = Params { provider: provider.to_owned(), drop: true, ..Params::default() };
    let headers = HeaderMap::new();
    let asked = Asked { model, provider, params: &params, headers: &headers };
    let wire = match (upstream(to).write_request(request.clone(), &asked), refused) {
        (Ok(wire), None) => Value::Object(wire.body.into_object()),
        (Err(error), None) => return Err(format!("refused: {}", error.message())),
        (Ok(_), Some((_, why))) => return Err(format!("is sent, although {why}")),
        (Err(_), Some(why)) => {
            lost.push(why);
            return Ok(());
        }
    };
    if to == Dialect::OllamaGenerate {
        limits::server_tools(&mut expected, &Talk::default(), lost);
        return prompted(&expected, &wire);
    }
    let found = match CLIENTS.iter().any(|(dialect, _)| *dialect == to) {
        true => Talk::of(&read(to, &wire)?, to),
        false => talk::read(to, &wire),
    };
    limits::server_tools(&mut expected, &found, lost);
    let told: Vec<String> =
        expected.differences(&found).iter().map(|(side, text)| format!("{side:?}: {text}")).collect();
    if told.is_empty() { Ok(()) } else { Err(told.join("; ")) }
}

/// One prompt, in which everything stands somewhere.
fn prompted(expected: &Talk, wire: &Value) -> Result<(), String> {
    let prompt: String = wire["prompt"].as_str().unwrap_or_default().split_whitespace().collect();
    let tools = expected.tools.iter().map(|(name, _, _)| name);
    let calls = expected.calls.iter().map(|(name, _)| name);
    let missing = tools.chain(calls).chain(&expected.pieces).find(|said| !prompt.contains(said.as_str()));
    if let Some(said) = missing {
        return Err(format!("the prompt does not say {said:?}"));
    }
    let images = wire["images"].as_array().map_or(0, Vec::len);
    if images == expected.media.len() { Ok(()) } else { Err(format!("{images} images are sent")) }
}
