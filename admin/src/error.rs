//! LiteLLM's error shapes: its own for refusals, its web framework's for input that does not fit.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use weir_core::domain::key::mask;
use weir_core::error::{ApiError, Kind};
use weir_core::ports::LedgerError;

/// Why a request was not done.
#[derive(Debug)]
pub(crate) enum Refusal {
    Api(ApiError),
    /// `{"detail": …}` with whatever is in it, as some of LiteLLM's handlers answer.
    Detail(u16, Value),
    /// 422 with `{"detail": [{type, loc, msg, input}]}`, one per problem.
    Invalid(Vec<Problem>),
}

/// One thing that does not fit.
#[derive(Debug)]
pub(crate) struct Problem {
    /// Pydantic's name of it.
    pub(crate) kind: &'static str,
    /// `body` or `query`, then the field, then an index.
    pub(crate) at: Vec<Value>,
    pub(crate) message: String,
    /// What was sent; keys in it are masked before it is sent back.
    pub(crate) input: Value,
    pub(crate) context: Option<Value>,
}

/// Input repeated in an answer: more than this says nothing to a reader.
const MAX_INPUT: usize = 1_000;

impl Refusal {
    /// A refusal in the shape `{"error": {message, type, param, code}}`.
    pub(crate) fn told(status: u16, error_type: &str, param: &str, message: impl Into<String>) -> Self {
        let error = ApiError::new(Kind::BadRequest, message);
        Refusal::Api(error.with_status(status).with_type(error_type).with_param(param))
    }

    /// LiteLLM wraps some messages in the text of a Python dictionary; scripts look for the words in it.
    pub(crate) fn wrapped(status: u16, message: &str) -> Self {
        let quote = if message.contains('\'') { '"' } else { '\'' };
        Self::told(status, "internal_server_error", "None", format!("{{'error': {quote}{message}{quote}}}"))
    }

    /// What it says, for answers that tell of several requests at once.
    pub(crate) fn message(&self) -> String {
        match self {
            Refusal::Api(error) => ApiError::message(error).to_owned(),
            Refusal::Detail(_, what) => {
                what["error"].as_str().map_or_else(|| what.to_string(), str::to_owned)
            }
            Refusal::Invalid(problems) => {
                problems.iter().map(|problem| problem.message.as_str()).collect::<Vec<_>>().join("; ")
            }
        }
    }

    /// A 500 of LiteLLM's that scripts know, for a bad duration.
    pub(crate) fn internal(message: impl std::fmt::Display) -> Self {
        Self::told(500, "internal_server_error", "None", format!("Internal Server Error, {message}"))
    }
}

/// See [`Refusal::Detail`].
pub(crate) fn detail(status: u16, what: &Value) -> Refusal {
    Refusal::Detail(status, what.clone())
}

impl Problem {
    pub(crate) fn new(kind: &'static str, at: Vec<Value>, message: impl Into<String>, input: Value) -> Self {
        Self { kind, at, message: message.into(), input, context: None }
    }

    pub(crate) fn with_context(mut self, context: Value) -> Self {
        self.context = Some(context);
        self
    }

    fn json(self) -> Value {
        let mut out =
            json!({ "type": self.kind, "loc": self.at, "msg": self.message, "input": shown(self.input) });
        if let (Some(context), Some(object)) = (self.context, out.as_object_mut()) {
            object.insert("ctx".to_owned(), context);
        }
        out
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Refusal::Invalid(vec![problem])
    }
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Refusal::Api(error)
    }
}

impl From<LedgerError> for Refusal {
    fn from(error: LedgerError) -> Self {
        let told = match &error {
            LedgerError::Unavailable(_) | LedgerError::Busy(_) => {
                ApiError::new(Kind::LedgerUnavailable, "The ledger cannot be reached; try again in a moment.")
            }
            LedgerError::Conflict(_) => ApiError::new(Kind::BadRequest, "This name or key exists already."),
            LedgerError::Broken(_) => {
                ApiError::new(Kind::Internal, "Internal error of the ledger; see the log.")
            }
        };
        Refusal::Api(told.because(error))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Refusal::Api(error) => api(&error),
            Refusal::Detail(status, what) => {
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
                (status, axum::Json(json!({ "detail": what }))).into_response()
            }
            Refusal::Invalid(problems) => {
                let detail: Vec<Value> = problems.into_iter().map(Problem::json).collect();
                (StatusCode::UNPROCESSABLE_ENTITY, axum::Json(json!({ "detail": detail }))).into_response()
            }
        }
    }
}

fn api(error: &ApiError) -> Response {
    if let Some(cause) = error.cause() {
        tracing::warn!(cause, "admin: {error}");
    }
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, [(header::CONTENT_TYPE, "application/json")], error.body()).into_response();
    if let Some(seconds) = error.retry_after() {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// Input as it may be repeated: short, and without the text of any key.
fn shown(input: Value) -> Value {
    let masked = masked(input);
    if masked.to_string().len() > MAX_INPUT { Value::from("(long input not repeated)") } else { masked }
}

fn masked(input: Value) -> Value {
    match input {
        Value::String(text) => Value::String(unkeyed(text)),
        Value::Array(items) => items.into_iter().map(masked).collect(),
        Value::Object(fields) => {
            Value::Object(fields.into_iter().map(|(k, v)| (unkeyed(k), masked(v))).collect::<Map<_, _>>())
        }
        other => other,
    }
}

fn unkeyed(text: String) -> String {
    if text.contains("sk-") { mask(&text) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p35_repeated_input_holds_no_key() {
        let key = "sk-abcdefghijklmnopqrstuvwx";
        let input = json!({ key: [key, { "key": format!(" Bearer {key}") }], "other": 5 });
        let text = shown(input).to_string();
        assert!(!text.contains("abcdefgh") && text.contains("\"other\":5"), "{text}");
        assert!(shown(json!("x".repeat(5_000))).to_string().len() < 100);
    }

    #[test]
    fn wrapped_messages_are_quoted_as_python_does() {
        let text = |refusal| match refusal {
            Refusal::Api(error) => ApiError::message(&error).to_owned(),
            other => other.message(),
        };
        assert_eq!(text(Refusal::wrapped(404, "No keys found")), "{'error': 'No keys found'}");
        assert_eq!(text(Refusal::wrapped(404, "no 'sk-'")), "{'error': \"no 'sk-'\"}");
    }
}
