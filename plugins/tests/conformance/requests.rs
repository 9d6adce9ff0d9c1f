//! A recorded request, sent to a provider of each dialect.

use crate::limits;
use crate::recordings::{CLIENTS, Recorded, UPSTREAMS, client, upstream};
use crate::table::{Lost, Outcome, Part};
use crate::talk::{self, Talk};
use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;
use weir_core::body::JsonBody;
use weir_core::chat::{Dialect, Request};
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
            features: recorded.features.clone(),
            unseen: Vec::new(),
            lost,
            failure: checked.err().map(|why| format!("request of {} to {column}: {why}", recorded.name)),
        }
    };
    UPSTREAMS.iter().map(outcome).collect()
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
        (Ok(wire), None) => Value::Object(wire.body),
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
