//! Answers and refusals as SCIM writes them (RFC 7644, sections 3.4.2 and 3.12).

use crate::context::Context;
use crate::error::{Problem, Refusal};
use crate::work::Work;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use weir_core::domain::records::{Kept, Record};
use weir_core::ports::LedgerError;

const MEDIA: &str = "application/scim+json";
const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// What is answered; without a body for `Null`, and for 304.
pub(super) struct Told(pub(super) u16, pub(super) Value);

pub(super) type Answer = Result<Told, Fault>;

/// Why nothing was done.
#[derive(Debug)]
pub(super) struct Fault {
    status: u16,
    /// SCIM's word for it, where it has one.
    kind: Option<&'static str>,
    detail: String,
    /// In seconds.
    retry_after: Option<u64>,
}

impl Told {
    /// A page of `total` resources; `start` counts from one.
    pub(super) fn list(total: u64, start: u32, resources: Vec<Value>) -> Self {
        let page = json!({ "schemas": [LIST], "totalResults": total, "startIndex": start,
            "itemsPerPage": resources.len(), "Resources": resources });
        Told(200, page)
    }
}

impl IntoResponse for Told {
    fn into_response(self) -> Response {
        let Told(status, body) = self;
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let meta = |name: &str| body["meta"][name].as_str().and_then(|text| HeaderValue::from_str(text).ok());
        let mut response = match body.is_null() || status == StatusCode::NOT_MODIFIED {
            true => status.into_response(),
            false => (status, [(header::CONTENT_TYPE, MEDIA)], body.to_string()).into_response(),
        };
        if let Some(version) = meta("version") {
            response.headers_mut().insert(header::ETAG, version);
        }
        if let Some(location) = meta("location").filter(|_| status == StatusCode::CREATED) {
            response.headers_mut().insert(header::LOCATION, location);
        }
        response
    }
}

// --- impl Fault ---

impl Fault {
    /// 400, with SCIM's word for the reason.
    pub(super) fn bad(kind: &'static str, detail: impl Into<String>) -> Self {
        Self { status: 400, kind: Some(kind), detail: detail.into(), retry_after: None }
    }

    pub(super) fn value(detail: impl Into<String>) -> Self {
        Self::bad("invalidValue", detail)
    }

    pub(super) fn not_found(id: &str) -> Self {
        let id: String = id.chars().take(super::LONGEST).collect();
        Self { status: 404, kind: None, detail: format!("There is no resource {id:?}."), retry_after: None }
    }

    /// The client began from a version that is no more.
    pub(super) fn stale() -> Self {
        let detail = "The resource is not the version of If-Match any more: read it again.".to_owned();
        Self { status: 412, kind: None, detail, retry_after: None }
    }

    pub(super) fn is_conflict(&self) -> bool {
        self.status == 409
    }

    pub(super) fn taken(detail: impl Into<String>) -> Self {
        Self { status: 409, kind: Some("uniqueness"), detail: detail.into(), retry_after: None }
    }
}

/// The record that a resource is.
///
/// # Errors
/// 404.
pub(super) async fn found<T: Record>(context: &Context, id: &str) -> Result<Kept<T>, Fault> {
    // PostgreSQL knows no NUL.
    let there = if id.contains('\0') { None } else { context.get::<T>(id).await? };
    there.ok_or_else(|| Fault::not_found(id))
}

/// All of the work, or nothing.
///
/// # Errors
/// 409 where somebody else was quicker.
pub(super) async fn done(work: Work<'_>) -> Result<(), Fault> {
    work.commit().await.map_err(|refusal| match Fault::from(refusal) {
        Fault { status: 400, .. } => Fault::taken("It exists already, or was changed meanwhile; try again."),
        other => other,
    })
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Invalid(problems) => unfit(&problems),
            Refusal::Api(error) => {
                if let Some(cause) = error.cause() {
                    tracing::warn!(cause, "scim: {error}");
                }
                let retry_after = error.retry_after();
                Self { status: error.status(), kind: None, detail: error.message().to_owned(), retry_after }
            }
            Refusal::Detail(status, _) => {
                Self { status, kind: None, detail: refusal.message(), retry_after: None }
            }
        }
    }
}

impl From<LedgerError> for Fault {
    fn from(error: LedgerError) -> Self {
        Refusal::from(error).into()
    }
}

/// Every problem with the attribute that it is of.
fn unfit(problems: &[Problem]) -> Fault {
    let syntax = |problem: &Problem| ["json_invalid", "model_attributes_type"].contains(&problem.kind);
    let kind = if problems.iter().any(syntax) { "invalidSyntax" } else { "invalidValue" };
    let told: Vec<String> = problems
        .iter()
        .map(|problem| match problem.at.get(1).and_then(Value::as_str) {
            Some(name) => format!("{name}: {}", problem.message),
            None => problem.message.clone(),
        })
        .collect();
    Fault::bad(kind, told.join("; "))
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let mut body =
            json!({ "schemas": [ERROR], "status": self.status.to_string(), "detail": self.detail });
        if let Some(kind) = self.kind {
            body["scimType"] = kind.into();
        }
        let mut response = Told(self.status, body).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}
