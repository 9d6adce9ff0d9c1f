//! Errors towards clients. One table turns a kind into HTTP status, OpenAI `type`, retry advice and metric label;
//! nothing else in Weir decides these.

use serde_json::{Value, json};
use std::error::Error;
use std::fmt;
use std::time::Duration;

/// What went wrong, from the caller's point of view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    MissingKey,
    UnknownKey,
    KeyBlocked,
    KeyExpired,
    ModelDenied,
    RouteDenied,
    RouteNotOfKey,
    /// A write in a session without the session's own header.
    Csrf,
    ClientCredentials,
    BadJson,
    BadRequest,
    UnsupportedParams,
    UnknownModel,
    NotFound,
    MethodNotAllowed,
    NotServed,
    BodyTooLarge,
    BodyTimeout,
    HeadersTooLarge,
    Overloaded,
    JournalFull,
    LedgerUnavailable,
    TooManyLookups,
    /// So much is spent that the request does not fit.
    BudgetExceeded,
    /// It would fit, but for what requests under way may still cost.
    BudgetHeld,
    /// Nobody can say whether it fits.
    BudgetUnavailable,
    CustomerBlocked,
    /// The session has made all its calls, or lasts too long.
    SessionOver,
    /// The same request again and again.
    LoopDetected,
    NoDeployment,
    /// Of the caller's own limits.
    RateLimited,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamBroken,
    /// The provider answered with an error; its own status is passed on.
    Upstream,
    /// The answer is larger than the operator lets through.
    AnswerTooLarge,
    /// A guardrail does not let it pass.
    GuardrailBlocked,
    /// A guardrail could not say whether it may pass.
    GuardrailUnavailable,
    ClientGone,
    Internal,
}

/// May the same request succeed elsewhere or later?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// The request itself is at fault.
    Never,
    /// Another deployment may serve it.
    Elsewhere,
    /// The same request may succeed after a while; sends `retry-after`.
    Later,
}

/// How the error body is shaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `{"error":{"message","type","param","code"}}`
    OpenAi,
    /// `{"detail": …}`, what LiteLLM's web framework says for unknown routes.
    Detail,
}

/// One row of the table.
#[derive(Debug)]
pub struct Row {
    pub kind: Kind,
    pub status: u16,
    /// `error.type`; `None` is JSON null, as LiteLLM answers for provider errors.
    pub error_type: Option<&'static str>,
    pub param: Option<&'static str>,
    pub retry: Retry,
    pub shape: Shape,
    /// Metric label and log field; also the exception class after LiteLLM's fashion where one exists.
    pub label: &'static str,
}

const fn row(
    kind: Kind,
    status: u16,
    error_type: Option<&'static str>,
    retry: Retry,
    label: &'static str,
) -> Row {
    Row { kind, status, error_type, param: None, retry, shape: Shape::OpenAi, label }
}

impl Row {
    const fn param(mut self, param: &'static str) -> Row {
        self.param = Some(param);
        self
    }

    const fn detail(mut self) -> Row {
        self.shape = Shape::Detail;
        self
    }
}

const AUTH: Option<&str> = Some("auth_error");
const INVALID: Option<&str> = Some("invalid_request_error");
const BUSY: Option<&str> = Some("overloaded_error");

/// In the order of [`Kind`].
#[rustfmt::skip]
pub static TABLE: &[Row] = &[
    row(Kind::MissingKey,        401, AUTH, Retry::Never, "ProxyException").param("None"),
    row(Kind::UnknownKey,        401, Some("token_not_found_in_db"), Retry::Never, "ProxyException").param("key"),
    row(Kind::KeyBlocked,        401, AUTH, Retry::Never, "ProxyException").param("None"),
    row(Kind::KeyExpired,        400, Some("expired_key"), Retry::Never, "ProxyException"),
    row(Kind::ModelDenied,       401, Some("key_model_access_denied"), Retry::Never, "ProxyException").param("model"),
    row(Kind::RouteDenied,       401, AUTH, Retry::Never, "ProxyException").param("None"),
    row(Kind::RouteNotOfKey,     403, AUTH, Retry::Never, "HTTPException").detail(),
    row(Kind::Csrf,              403, AUTH, Retry::Never, "CsrfRefused").param("x-weir-csrf"),
    row(Kind::ClientCredentials, 401, AUTH, Retry::Never, "ProxyException").param("None"),
    row(Kind::BadJson,           400, INVALID, Retry::Never, "ProxyException").param("request_body"),
    row(Kind::BadRequest,        400, INVALID, Retry::Never, "BadRequestError"),
    row(Kind::UnsupportedParams, 400, Some("None"), Retry::Never, "UnsupportedParamsError"),
    row(Kind::UnknownModel,      400, None, Retry::Never, "BadRequestError"),
    row(Kind::NotFound,          404, INVALID, Retry::Never, "NotFound").detail(),
    row(Kind::MethodNotAllowed,  405, INVALID, Retry::Never, "MethodNotAllowed").detail(),
    row(Kind::NotServed,         501, INVALID, Retry::Elsewhere, "NotImplemented"),
    row(Kind::BodyTooLarge,      413, INVALID, Retry::Never, "RequestTooLarge").param("request_body"),
    row(Kind::BodyTimeout,       408, INVALID, Retry::Never, "RequestTimeout").param("request_body"),
    row(Kind::HeadersTooLarge,   431, INVALID, Retry::Never, "HeadersTooLarge"),
    row(Kind::Overloaded,        503, BUSY, Retry::Later, "Overloaded"),
    row(Kind::JournalFull,       503, BUSY, Retry::Later, "JournalFull"),
    row(Kind::LedgerUnavailable, 503, Some("no_db_connection"), Retry::Later, "LedgerUnavailable"),
    row(Kind::TooManyLookups,    429, Some("throttling_error"), Retry::Later, "TooManyLookups"),
    row(Kind::BudgetExceeded,    400, Some("budget_exceeded"), Retry::Never, "BudgetExceededError"),
    row(Kind::BudgetHeld,        429, Some("budget_exceeded"), Retry::Later, "BudgetHeld"),
    row(Kind::BudgetUnavailable, 503, Some("budget_unavailable"), Retry::Later, "BudgetUnavailable"),
    row(Kind::CustomerBlocked,   400, INVALID, Retry::Never, "CustomerBlocked").param("user"),
    row(Kind::SessionOver,       400, Some("session_limit_exceeded"), Retry::Never, "SessionLimitExceeded"),
    row(Kind::LoopDetected,      400, Some("loop_detected"), Retry::Never, "LoopDetected"),
    row(Kind::NoDeployment,      429, Some("None"), Retry::Later, "RateLimitError").param("None"),
    row(Kind::RateLimited,       429, Some("None"), Retry::Later, "RateLimitError").param("None"),
    row(Kind::UpstreamRefused,   500, None, Retry::Elsewhere, "InternalServerError"),
    row(Kind::UpstreamTimeout,   408, None, Retry::Elsewhere, "Timeout"),
    row(Kind::UpstreamBroken,    502, None, Retry::Elsewhere, "BadGatewayError"),
    row(Kind::Upstream,          500, None, Retry::Elsewhere, "APIError"),
    row(Kind::AnswerTooLarge,    400, Some("bad_request_error"), Retry::Never, "ProxyException").param("content-length"),
    row(Kind::GuardrailBlocked,  400, Some("None"), Retry::Never, "HTTPException").param("None"),
    row(Kind::GuardrailUnavailable, 503, Some("guardrail_unavailable"), Retry::Later, "GuardrailUnavailable"),
    row(Kind::ClientGone,        499, None, Retry::Never, "ClientDisconnected"),
    row(Kind::Internal,          500, Some("None"), Retry::Elsewhere, "InternalServerError"),
];

/// Seconds told in `retry-after` when nobody knows better.
const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(1);

impl Kind {
    /// The kind's row in [`TABLE`].
    pub fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }
}

/// An error as the caller will read it, with the cause that only the log gets.
pub struct ApiError(Box<Inner>);

struct Inner {
    kind: Kind,
    message: String,
    status: Option<u16>,
    error_type: Option<String>,
    param: Option<String>,
    class: Option<&'static str>,
    retry_after: Option<Duration>,
    cause: Option<String>,
    details: Option<(&'static str, Value)>,
}

impl ApiError {
    /// `message` is for the caller: what happened and what to do about it.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            status: None,
            error_type: None,
            param: None,
            class: None,
            retry_after: None,
            cause: None,
            details: None,
        }))
    }

    /// The cause, for the log only.
    pub fn because(mut self, cause: impl fmt::Display) -> Self {
        self.0.cause = Some(cause.to_string());
        self
    }

    /// The provider's status instead of the table's.
    pub fn with_status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self
    }

    /// Another `type` than the table's.
    pub fn with_type(mut self, error_type: impl Into<String>) -> Self {
        self.0.error_type = Some(error_type.into());
        self
    }

    /// Which parameter of the request is meant.
    pub fn with_param(mut self, param: impl Into<String>) -> Self {
        self.0.param = Some(param.into());
        self
    }

    /// A narrower class name than the table's label, e.g. `RateLimitError` for a provider's 429.
    pub fn with_class(mut self, class: &'static str) -> Self {
        self.0.class = Some(class);
        self
    }

    /// When the caller may try again.
    pub fn with_retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    /// Facts for the caller's program, as a member of the error.
    pub fn with_details(mut self, name: &'static str, facts: Value) -> Self {
        self.0.details = Some((name, facts));
        self
    }

    /// Says more to the caller, e.g. which model group was asked.
    pub fn amend(mut self, change: impl FnOnce(&str) -> String) -> Self {
        self.0.message = change(&self.0.message);
        self
    }

    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The HTTP status that the caller gets.
    pub fn status(&self) -> u16 {
        self.0.status.unwrap_or(self.0.kind.row().status)
    }

    /// What the caller reads.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What the log has and the caller never gets.
    pub fn cause(&self) -> Option<&str> {
        self.0.cause.as_deref()
    }

    /// Metric label and exception class.
    pub fn class(&self) -> &'static str {
        self.0.class.unwrap_or(self.0.kind.row().label)
    }

    /// Whether another deployment may be asked. A provider's 400, 413 or 422 is the caller's fault everywhere
    /// unless a fallback is configured for it; that is the router's business.
    pub fn retry(&self) -> Retry {
        self.0.kind.row().retry
    }

    /// Whole seconds for `retry-after`, if the caller should come back; at least 1.
    pub fn retry_after(&self) -> Option<u64> {
        let wait = match self.0.retry_after {
            Some(wait) => wait,
            None if self.0.kind.row().retry == Retry::Later => DEFAULT_RETRY_AFTER,
            None => return None,
        };
        Some(wait.as_secs().max(1))
    }

    /// The JSON body, in the table's shape. `code` is the status as text: LiteLLM's clients expect that.
    pub fn body(&self) -> String {
        if self.0.kind.row().shape == Shape::Detail {
            return json!({ "detail": self.0.message }).to_string();
        }
        let row = self.0.kind.row();
        let error_type = self.0.error_type.as_deref().or(row.error_type);
        let param = self.0.param.as_deref().or(row.param);
        let mut error = json!({
            "message": self.0.message,
            "type": error_type,
            "param": param,
            "code": self.status().to_string(),
        });
        if let Some((name, facts)) = &self.0.details {
            error[*name] = facts.clone();
        }
        json!({ "error": error }).to_string()
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.status(), self.class(), self.0.message)
    }
}

impl fmt::Debug for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} (cause: {:?})", self.0.cause)
    }
}

impl Error for ApiError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_in_the_order_of_the_enum() {
        for (index, row) in TABLE.iter().enumerate() {
            assert_eq!(row.kind as usize, index, "{:?}", row.kind);
            assert!((400..600).contains(&row.status), "{:?}", row.kind);
        }
        assert_eq!(TABLE.len(), Kind::Internal as usize + 1);
    }

    #[test]
    fn the_cause_never_reaches_the_caller() {
        let error = ApiError::new(Kind::Internal, "try again").because("password=hunter2");
        assert!(!error.body().contains("hunter2"));
        assert_eq!(error.cause(), Some("password=hunter2"));
    }

    #[test]
    fn later_says_when() {
        assert_eq!(ApiError::new(Kind::Overloaded, "").retry_after(), Some(1));
        assert_eq!(ApiError::new(Kind::BadJson, "").retry_after(), None);
    }
}
