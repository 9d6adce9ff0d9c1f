//! LiteLLM's error shapes: its own for refusals, its web framework's for bodies that do not fit.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use weir_core::error::{ApiError, Kind};
use weir_core::ports::LedgerError;

/// Why a request was not done.
#[derive(Debug)]
pub(crate) enum Refusal {
    Api(ApiError),
    /// 422 with `{"detail": [{type, loc, msg, input}]}`.
    Invalid { kind: &'static str, at: Vec<Value>, message: String, input: Value },
}

impl Refusal {
    /// A body that does not fit.
    pub(crate) fn invalid(kind: &'static str, field: Option<&str>, message: impl Into<String>, input: Value) -> Self {
        let at = std::iter::once("body").chain(field).map(Value::from).collect();
        Refusal::Invalid { kind, at, message: message.into(), input }
    }

    /// LiteLLM wraps some messages in the text of a Python dictionary; scripts look for the words in it.
    pub(crate) fn wrapped(status: u16, message: &str) -> Self {
        let error = ApiError::new(Kind::BadRequest, format!("{{'error': {message:?}}}"));
        Refusal::Api(error.with_status(status).with_type("internal_server_error").with_param("None"))
    }

    /// A 500 of LiteLLM's that scripts know, such as for a bad duration.
    pub(crate) fn internal(message: impl std::fmt::Display) -> Self {
        let error = ApiError::new(Kind::BadRequest, format!("Internal Server Error, {message}"));
        Refusal::Api(error.with_status(500).with_type("internal_server_error").with_param("None"))
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
            LedgerError::Unavailable(_) => {
                ApiError::new(Kind::LedgerUnavailable, "The ledger cannot be reached; try again in a moment.")
            }
            LedgerError::Conflict(_) => ApiError::new(Kind::BadRequest, "This name or key exists already."),
            LedgerError::Broken(_) => ApiError::new(Kind::Internal, "Internal error of the ledger; see the log."),
        };
        Refusal::Api(told.because(error))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Refusal::Api(error) => api(&error),
            Refusal::Invalid { kind, at, message, input } => {
                let detail = json!({ "detail": [{ "type": kind, "loc": at, "msg": message, "input": input }] });
                (StatusCode::UNPROCESSABLE_ENTITY, axum::Json(detail)).into_response()
            }
        }
    }
}

fn api(error: &ApiError) -> Response {
    if error.status() >= 500 {
        tracing::warn!(cause = error.cause(), "admin: {error}");
    }
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, [(header::CONTENT_TYPE, "application/json")], error.body()).into_response();
    if let Some(seconds) = error.retry_after() {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}
