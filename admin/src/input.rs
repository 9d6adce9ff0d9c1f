//! Reads bodies and queries as LiteLLM's web framework does: lenient in types, exact in complaints. Values
//! are kept as the text they were sent in, so that amounts never pass through a float.

use crate::answer::{Raw, raw};
use crate::error::{Problem, Refusal};
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use weir_core::domain::money::NanoUsd;
use weir_core::error::{ApiError, Kind};

/// The longest body, in bytes. A key's record is held in memory, so this bounds it too.
pub(crate) const MAX_BODY: usize = 256 * 1024;

/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(30);

/// The fields of a JSON object, and what was wrong with those that were read.
pub(crate) struct Fields {
    sent: BTreeMap<String, Raw>,
    problems: Vec<Problem>,
}

mod watch;

pub use watch::{Asked, Where, watched};

/// What a field must hold. `null` is as good as absent everywhere.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    Text,
    /// Decimal, as a JSON number or as text.
    Number,
    Integer,
    Flag,
    /// Whatever it is, for who looks itself.
    Any,
    List,
    Texts,
    Object,
    OneOf(&'static [&'static str]),
    /// A date, or one with a time, UTC unless it says otherwise; in its canonical form RFC 3339.
    Moment,
}

/// The parameters after `?`. Of one given twice the last counts, an empty one is absent.
pub(crate) struct Params(Vec<(String, String)>);

/// Pydantic's name of a problem, its words, and where inside the value.
struct Misfit(&'static str, String, Option<usize>);

// --- Fields ---

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Refusal;

    /// Whatever the content type says: `curl -d` calls JSON a form.
    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let reading = Bytes::from_request(request, state);
        let body = match tokio::time::timeout(BODY_TIME, reading).await {
            Ok(Ok(body)) => body,
            Ok(Err(error)) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                let message = format!("The request body is larger than {MAX_BODY} bytes.");
                return Err(ApiError::new(Kind::BodyTooLarge, message).into());
            }
            Ok(Err(error)) => {
                return Err(ApiError::new(Kind::BadRequest, "The request body ended early.")
                    .because(error)
                    .into());
            }
            Err(_) => return Err(ApiError::new(Kind::BodyTimeout, "The request body took too long.").into()),
        };
        Self::parse(&body)
    }
}

impl Fields {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, Refusal> {
        if body.is_empty() {
            return Err(Problem::new("missing", vec!["body".into()], "Field required", Value::Null).into());
        }
        match serde_json::from_slice(body) {
            Ok(sent) => Ok(Self { sent, problems: Vec::new() }),
            Err(error) if error.classify() == Category::Data => Err(not_an_object(body)),
            Err(error) => Err(not_json(body, &error)),
        }
    }

    /// The field as [`Fields::take`] reads it; `None` when it is absent, `Some(None)` when it is null. What does not fit
    /// is noted as a problem.
    pub(crate) fn given(&mut self, name: &'static str, shape: Shape) -> Option<Option<Raw>> {
        watch::note(Where::Body, name, shape);
        self.sent.contains_key(name).then(|| self.take(name, shape))
    }

    /// Whether the field was sent, be it as null.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.sent.contains_key(name)
    }

    /// A text that stays to be taken.
    pub(crate) fn peek(&self, name: &str) -> Option<String> {
        watch::note(Where::Body, name, Shape::Text);
        self.sent.get(name).and_then(|value| decoded(value))
    }

    /// The field's JSON text, which stays to be taken; `None` where it is absent or null.
    pub(crate) fn said(&self, name: &str) -> Option<&str> {
        self.sent.get(name).map(|value| value.get()).filter(|text| *text != "null")
    }

    /// This JSON text in the place of a field that is absent or null.
    pub(crate) fn fill(&mut self, name: &str, json: &str) {
        if self.said(name).is_none()
            && let Ok(value) = serde_json::from_str::<Raw>(json)
        {
            self.sent.insert(name.to_owned(), value);
        }
    }

    /// Fields that were sent and not taken yet.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.sent.keys().map(String::as_str)
    }

    /// All that was sent and not taken yet, for a complaint.
    pub(crate) fn shown(&self) -> Value {
        decoded(&raw(&self.sent)).unwrap_or_default()
    }

    /// A field without which nothing can be done.
    pub(crate) fn required(&mut self, name: &'static str, shape: Shape) -> Option<Raw> {
        self.must_have(name);
        self.take(name, shape)
    }

    /// Notes it as a problem where the field is absent or null. It stays to be taken.
    pub(crate) fn must_have(&mut self, name: &'static str) {
        watch::required(name);
        if self.sent.get(name).is_none_or(|value| value.get() == "null") {
            let input = self.shown();
            let at = vec!["body".into(), name.into()];
            self.problems.push(Problem::new("missing", at, "Field required", input));
        }
    }

    /// The same for a text.
    pub(crate) fn required_text(&mut self, name: &'static str) -> String {
        self.required(name, Shape::Text).and_then(|value| decoded(&value)).unwrap_or_default()
    }

    /// The field as JSON in its canonical form; `None` when absent, null, or noted as a problem.
    pub(crate) fn take(&mut self, name: &'static str, shape: Shape) -> Option<Raw> {
        watch::note(Where::Body, name, shape);
        let sent = self.sent.remove(name).filter(|value| value.get() != "null")?;
        match shape.canonical(&sent) {
            Ok(value) => Some(value),
            Err(Misfit(kind, message, index)) => {
                let at = ["body", name].into_iter().map(Value::from).chain(index.map(Value::from)).collect();
                // Who gets the shape of a key wrong may still have sent a key.
                let secret = name == "key" || name == "keys";
                let input = if secret { Value::Null } else { decoded(&sent).unwrap_or_default() };
                self.problems.push(Problem::new(kind, at, message, input));
                None
            }
        }
    }

    pub(crate) fn text(&mut self, name: &'static str) -> Option<String> {
        self.take(name, Shape::Text).and_then(|value| decoded(&value))
    }

    pub(crate) fn texts(&mut self, name: &'static str) -> Vec<String> {
        self.take(name, Shape::Texts).and_then(|value| decoded(&value)).unwrap_or_default()
    }

    pub(crate) fn flag(&mut self, name: &'static str) -> Option<bool> {
        self.take(name, Shape::Flag).and_then(|value| decoded(&value))
    }

    pub(crate) fn money(&mut self, name: &'static str) -> Option<NanoUsd> {
        self.take(name, Shape::Number).and_then(|value| NanoUsd::parse(value.get()).ok())
    }

    /// All problems at once, if there were any. Fields that nobody took are ignored, as LiteLLM does.
    pub(crate) fn finish(self) -> Result<(), Refusal> {
        if self.problems.is_empty() { Ok(()) } else { Err(Refusal::Invalid(self.problems)) }
    }
}

fn not_an_object(body: &[u8]) -> Refusal {
    let message = "Input should be a valid dictionary or object to extract fields from";
    let input = serde_json::from_slice(body).unwrap_or_default();
    Problem::new("model_attributes_type", vec!["body".into()], message, input).into()
}

fn not_json(body: &[u8], error: &serde_json::Error) -> Refusal {
    let words = error.to_string();
    let why = words.split(" at line ").next().unwrap_or_default();
    let at = vec!["body".into(), offset(body, error).into()];
    Problem::new("json_invalid", at, "JSON decode error", json!({}))
        .with_context(json!({ "error": why }))
        .into()
}

/// The parser counts lines and columns from one; LiteLLM tells the byte.
fn offset(body: &[u8], error: &serde_json::Error) -> usize {
    let before = body.split_inclusive(|byte| *byte == b'\n').take(error.line().saturating_sub(1));
    before.map(<[u8]>::len).sum::<usize>() + error.column().saturating_sub(1)
}

fn decoded<T: DeserializeOwned>(value: &RawValue) -> Option<T> {
    serde_json::from_str(value.get()).ok()
}

// --- Shape ---

impl Shape {
    fn canonical(self, value: &RawValue) -> Result<Raw, Misfit> {
        match self {
            Shape::Text => text(value).map(|_| value.to_owned()),
            Shape::Number => number(value),
            Shape::Integer => integer(value),
            Shape::Flag => flag(value),
            Shape::Any => Ok(value.to_owned()),
            Shape::List => match decoded::<Vec<Raw>>(value) {
                Some(_) => Ok(value.to_owned()),
                None => Err(misfit("list_type", "Input should be a valid list")),
            },
            Shape::Texts => texts(value),
            // Read in full, so that what is stored can be read again: nesting has a limit.
            Shape::Object => match decoded::<Map<String, Value>>(value) {
                Some(_) => Ok(value.to_owned()),
                None => Err(misfit("dict_type", "Input should be a valid dictionary")),
            },
            Shape::OneOf(allowed) => one_of(value, allowed),
            Shape::Moment => moment(value),
        }
    }
}

fn misfit(kind: &'static str, message: &str) -> Misfit {
    Misfit(kind, message.to_owned(), None)
}

fn text(value: &RawValue) -> Result<String, Misfit> {
    let text: String =
        decoded(value).ok_or_else(|| misfit("string_type", "Input should be a valid string"))?;
    // PostgreSQL stores no NUL in a text.
    if text.contains('\0') { Err(misfit("value_error", "Value error, NUL is not allowed")) } else { Ok(text) }
}

fn texts(value: &RawValue) -> Result<Raw, Misfit> {
    let items: Option<Vec<Raw>> = decoded(value);
    let items = items.ok_or_else(|| misfit("list_type", "Input should be a valid list"))?;
    let checked = items
        .iter()
        .enumerate()
        .map(|(at, item)| text(item).map_err(|Misfit(kind, message, _)| Misfit(kind, message, Some(at))));
    checked.collect::<Result<Vec<String>, Misfit>>().map(|texts| raw(&texts))
}

/// The digits of a JSON number, or of a text that holds one.
fn digits(value: &RawValue) -> Option<String> {
    match value.get().as_bytes().first()? {
        b'"' => decoded::<String>(value).map(|text| text.trim().to_owned()),
        b'-' | b'0'..=b'9' => Some(value.get().to_owned()),
        _ => None,
    }
}

fn number(value: &RawValue) -> Result<Raw, Misfit> {
    let digits = digits(value).ok_or_else(|| misfit("float_type", "Input should be a valid number"))?;
    let amount = NanoUsd::parse(&digits).map_err(|_| match value.get().starts_with('"') {
        true => misfit("float_parsing", "Input should be a valid number, unable to parse string as a number"),
        false => misfit("value_error", "Value error, this number is too large"),
    })?;
    Ok(amount.json())
}

fn integer(value: &RawValue) -> Result<Raw, Misfit> {
    let digits = digits(value).ok_or_else(|| misfit("int_type", "Input should be a valid integer"))?;
    let whole = digits.trim_end_matches('0').strip_suffix('.').unwrap_or(&digits);
    whole.parse::<i64>().map(|whole| raw(&whole)).map_err(|_| match value.get().starts_with('"') {
        true => {
            misfit("int_parsing", "Input should be a valid integer, unable to parse string as an integer")
        }
        false => {
            misfit("int_from_float", "Input should be a valid integer, got a number with a fractional part")
        }
    })
}

fn flag(value: &RawValue) -> Result<Raw, Misfit> {
    match value.get().trim_matches('"').to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(raw(&true)),
        "false" | "0" | "no" | "off" => Ok(raw(&false)),
        _ => Err(misfit("bool_parsing", "Input should be a valid boolean, unable to interpret input")),
    }
}

fn one_of(value: &RawValue, allowed: &[&str]) -> Result<Raw, Misfit> {
    let known = decoded::<String>(value).is_some_and(|text| allowed.contains(&text.as_str()));
    if known {
        return Ok(value.to_owned());
    }
    Err(Misfit("literal_error", format!("Input should be one of '{}'", allowed.join("', '")), None))
}

fn moment(value: &RawValue) -> Result<Raw, Misfit> {
    let at = text(value).ok().and_then(|text| crate::spend::moment(&text, false).ok());
    let unfit = || misfit("datetime_parsing", "Input should be a valid datetime, like 2026-12-31T18:00:00Z");
    at.map(|at| raw(&at.rfc3339())).ok_or_else(unfit)
}

// --- Params ---

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let read = Query::from_request_parts(parts, state).await;
        let Query(pairs) = read.map_err(|_| ApiError::new(Kind::BadRequest, "The query cannot be read."))?;
        Ok(Self(pairs))
    }
}

impl Params {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        watch::note(Where::Query, name, Shape::Text);
        let mut named = self.0.iter().rev().filter(|(n, value)| n == name && !value.is_empty());
        named.next().map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }

    /// All values of one that may be given several times.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        watch::note(Where::Query, name, Shape::Texts);
        self.0.iter().filter(|(n, value)| n == name && !value.is_empty()).map(|(_, v)| v.as_str()).collect()
    }

    /// A whole number of at least 1.
    pub(crate) fn positive(&self, name: &str) -> Result<Option<u32>, Refusal> {
        watch::note(Where::Query, name, Shape::Integer);
        let Some(text) = self.get(name) else { return Ok(None) };
        match text.parse::<u32>() {
            Ok(0) => {
                Err(unfit(name, "greater_than_equal", "Input should be greater than or equal to 1", text))
            }
            Ok(number) => Ok(Some(number)),
            Err(_) => {
                let message = "Input should be a valid integer, unable to parse string as an integer";
                Err(unfit(name, "int_parsing", message, text))
            }
        }
    }

    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, Refusal> {
        watch::note(Where::Query, name, Shape::Flag);
        let Some(text) = self.get(name) else { return Ok(None) };
        let known = flag(&raw(text)).map_err(|Misfit(kind, message, _)| unfit(name, kind, &message, text))?;
        Ok(Some(known.get() == "true"))
    }
}

fn unfit(name: &str, kind: &'static str, message: &str, input: &str) -> Refusal {
    Problem::new(kind, vec!["query".into(), name.into()], message, input.into()).into()
}

#[cfg(test)]
mod tests;
