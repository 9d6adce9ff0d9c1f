//! Which guardrails a request meets: those that are always on, those that it names, and those that its key and its team
//! name. A name that nobody configured refuses the request: whoever named it believes that it protects.

use super::Guardrail;
use super::beside::Beside;
use super::check::{About, Asked, Side};
use super::masked::Masked;
use super::runs::Runs;
use crate::exchange::Exchange;
use crate::filters::tags;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::sync::Arc;
use weir_core::config::When;
use weir_core::domain::key::Principal;
use weir_core::domain::operation::Operation;
use weir_core::error::{ApiError, Kind};

/// The guardrails of one request.
pub struct Guarded {
    /// In the order of the configuration.
    pub chosen: Vec<Chosen>,
    pub about: Arc<About>,
    /// Checks that run beside the call; whoever leads the answer waits for them.
    pub beside: Option<Beside>,
}

/// One of them. Cheap to clone.
#[derive(Clone)]
pub struct Chosen {
    pub rail: Arc<Guardrail>,
    pub modes: Vec<When>,
    /// What the request says to it alone.
    pub extra: Map<String, Value>,
}

/// Names that one request, key or team may name.
const MOST: usize = 100;

/// A name, and what is said to it.
type Named = (String, Map<String, Value>);

// --- Guarded ---

impl Guarded {
    /// Those that run then.
    pub fn at(&self, when: When) -> Vec<Chosen> {
        self.chosen.iter().filter(|chosen| chosen.modes.contains(&when)).cloned().collect()
    }

    /// Whether something was masked that is to be put back into the answer, which is then nobody else's.
    pub fn is_masked(&self) -> bool {
        !self.about.masked.is_empty()
    }

    /// The names of those that can change or refuse something, comma separated; empty where there are none.
    pub fn applied(&self) -> String {
        let acts = |chosen: &&Chosen| chosen.modes.iter().any(|when| *when != When::LoggingOnly);
        let names: Vec<&str> =
            self.chosen.iter().filter(acts).map(|chosen| chosen.rail.name.as_str()).collect();
        names.join(",")
    }
}

impl Chosen {
    pub fn asked(&self, about: &Arc<About>, side: Side, texts: Vec<String>, images: Vec<String>) -> Asked {
        Asked { side, texts, images, about: Arc::clone(about), extra: self.extra.clone() }
    }
}

// --- selection ---

/// `None`: nothing looks at this request.
///
/// # Errors
/// 400 for names that nobody configured and for answers that cannot be looked at, 403 where the team does not let its
/// keys choose.
pub fn select(x: &Exchange) -> Result<Option<Guarded>, ApiError> {
    let set = &x.snapshot.guardrails;
    let named = named(x)?;
    if let Some((name, _)) = named.iter().find(|(name, _)| set.find(name).is_none()) {
        return Err(unknown(name));
    }
    if set.is_empty() {
        return Ok(None);
    }
    let said = |rail: &Guardrail| named.iter().find(|(name, _)| *name == rail.name).map(|(_, extra)| extra);
    let runs = set.iter().filter(|rail| rail.default_on || said(rail).is_some());
    let mut tagged = None;
    let chosen = runs.map(|rail| {
        let tags: &[String] = match rail.modes.depend_on_tags() {
            true => tagged.get_or_insert_with(|| tags(x)),
            false => &[],
        };
        let modes = rail.modes.of(tags).to_vec();
        Chosen { rail: Arc::clone(rail), modes, extra: said(rail).cloned().unwrap_or_default() }
    });
    let chosen: Vec<Chosen> = chosen.filter(|chosen| !chosen.modes.is_empty()).collect();
    if chosen.is_empty() {
        return Ok(None);
    }
    servable(x, &chosen)?;
    Ok(Some(Guarded { chosen, about: Arc::new(about(x)), beside: None }))
}

/// By the request first: what it says to a guardrail counts.
fn named(x: &Exchange) -> Result<Vec<Named>, ApiError> {
    let mut named = match x.request.body.raw("guardrails").filter(|raw| *raw != "null") {
        Some(raw) => in_body(raw)?,
        None => Vec::new(),
    };
    let Some(known) = x.caller.principal() else { return Ok(named) };
    if !named.is_empty() && !may_choose(known) {
        let message = "Your team does not have permission to modify guardrails.";
        return Err(ApiError::new(Kind::BadRequest, message).with_status(403).with_param("guardrails"));
    }
    let team = known.team.as_ref().map(|team| team.metadata.as_str());
    for metadata in [Some(known.key.metadata.as_str()), team].into_iter().flatten() {
        named.extend(in_metadata(metadata).into_iter().map(|name| (name, Map::new())));
    }
    Ok(named)
}

/// A list of names and of `{NAME: {"extra_body": {…}}}`, or one such object.
fn in_body(raw: &str) -> Result<Vec<Named>, ApiError> {
    let wrong = || {
        let message = "guardrails: expected a list of names, or of {name: {\"extra_body\": {…}}}";
        ApiError::new(Kind::BadRequest, message).with_param("guardrails")
    };
    let items = match serde_json::from_str(raw).map_err(|_| wrong())? {
        Value::Array(items) if items.len() <= MOST => items,
        object @ Value::Object(_) => vec![object],
        _ => return Err(wrong()),
    };
    let mut named = Vec::with_capacity(items.len());
    for item in items {
        match item {
            Value::String(name) => named.push((name, Map::new())),
            Value::Object(members) if members.len() <= MOST => {
                named.extend(members.into_iter().map(|(name, said)| (name, extra(said))));
            }
            _ => return Err(wrong()),
        }
    }
    Ok(named)
}

fn extra(said: Value) -> Map<String, Value> {
    match said {
        Value::Object(mut members) => match members.remove("extra_body") {
            Some(Value::Object(extra)) => extra,
            _ => Map::new(),
        },
        _ => Map::new(),
    }
}

#[derive(Deserialize)]
struct Metadata {
    guardrails: Option<Value>,
}

/// What a key's or team's metadata (a JSON object as text) says of guardrails.
fn of_metadata(metadata: &str) -> Option<Value> {
    if !metadata.contains("\"guardrails\"") {
        return None;
    }
    serde_json::from_str::<Metadata>(metadata).ok()?.guardrails
}

fn in_metadata(metadata: &str) -> Vec<String> {
    let Some(Value::Array(names)) = of_metadata(metadata) else { return Vec::new() };
    names.into_iter().take(MOST).filter_map(|name| name.as_str().map(str::to_owned)).collect()
}

/// A team may keep its keys from choosing: `{"guardrails": {"modify_guardrails": false}}`.
fn may_choose(known: &Principal) -> bool {
    let said = known.team.as_ref().and_then(|team| of_metadata(&team.metadata));
    said.and_then(|said| said.get("modify_guardrails")?.as_bool()) != Some(false)
}

fn unknown(name: &str) -> ApiError {
    let name: String = name.chars().take(200).collect();
    let message = format!(
        "There is no guardrail named {name:?}, which the request, its key or its team asks for. \
         GET /guardrails/list lists those that are configured."
    );
    ApiError::new(Kind::BadRequest, message).with_param("guardrails")
}

/// An answer that nobody could look at must not be asked for.
fn servable(x: &Exchange, chosen: &[Chosen]) -> Result<(), ApiError> {
    let changes = |chosen: &&Chosen| {
        let restores = chosen.rail.check.restores() && chosen.modes.contains(&When::PreCall);
        restores || chosen.modes.contains(&When::PostCall)
    };
    let Some(looking) = chosen.iter().find(changes) else { return Ok(()) };
    let (operation, name) = (x.request.operation, &looking.rail.name);
    if operation == Operation::Completions && x.request.stream {
        let message =
            format!("The guardrail {name} cannot check streamed completions; send \"stream\": false.");
        return Err(ApiError::new(Kind::BadRequest, message).with_param("stream"));
    }
    let several = x.request.body.raw("n").is_some_and(|n| n != "1" && n != "null");
    if operation == Operation::Chat && several {
        let message = format!("The guardrail {name} checks one answer at a time; leave out \"n\".");
        return Err(ApiError::new(Kind::BadRequest, message).with_param("n"));
    }
    Ok(())
}

fn about(x: &Exchange) -> About {
    let known = x.caller.principal();
    let header = |name| Some(x.header(name)).filter(|text| !text.is_empty()).map(str::to_owned);
    let body = |name| x.request.body.string(name).map(|text| text.into_owned());
    let team = known.and_then(|known| known.team.as_ref());
    About {
        call_id: x.request.call_id.clone(),
        trace_id: header("x-litellm-trace-id").or_else(|| body("litellm_trace_id")),
        key_hash: x.caller.hash().map(|hash| hash.hex()),
        key_alias: known.and_then(|known| known.key.alias.clone()),
        user_id: x.caller.user_id().map(str::to_owned),
        user_email: known.and_then(|known| known.user.as_ref()?.email.clone()),
        team_id: known.and_then(|known| known.key.team_id.clone()),
        team_alias: team.and_then(|team| team.alias.clone()),
        end_user: x.end_user(),
        organization: known.and_then(|known| known.key.organization_id.clone()),
        language: x.request.body.raw("guardrail_config").and_then(language),
        entities: Vec::new(),
        runs: Runs::default(),
        masked: Masked::default(),
    }
}

fn language(raw: &str) -> Option<String> {
    let config: Value = serde_json::from_str(raw).ok()?;
    config.get("language")?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(raw: &str) -> Option<Vec<String>> {
        in_body(raw).ok().map(|named| named.into_iter().map(|(name, _)| name).collect())
    }

    #[test]
    fn names_may_be_written_in_all_ways() {
        let both = Some(vec!["a".to_owned(), "b".to_owned()]);
        assert_eq!(names(r#"["a","b"]"#), both);
        assert_eq!(names(r#"["a",{"b":{"extra_body":{"x":1}}}]"#), both);
        assert_eq!(names(r#"{"a":{},"b":null}"#), both);
        for wrong in [r#""a""#, "[1]", "true", "[[]]"] {
            assert_eq!(names(wrong), None, "{wrong}");
        }
        let named = in_body(r#"[{"b":{"extra_body":{"x":1}}}]"#).unwrap();
        assert_eq!(named[0].1.get("x"), Some(&Value::from(1)));
    }

    #[test]
    fn metadata_names_guardrails_in_a_list() {
        assert_eq!(in_metadata(r#"{"guardrails":["a"],"n":1}"#), ["a"]);
        assert!(in_metadata(r#"{"guardrails":{"modify_guardrails":false}}"#).is_empty());
        assert!(in_metadata("{}").is_empty());
    }
}
