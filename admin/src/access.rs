//! Holds every request against the table of routes, before any handler sees it.

use crate::Services;
use crate::error::Refusal;
use crate::routes::{Access, ROUTES};
use axum::extract::{Request, State};
use axum::http::Method;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use weir_core::access;
use weir_core::domain::key::Caller;
use weir_core::error::{ApiError, Kind};

/// Puts the caller into the request, or answers with a refusal.
pub(crate) async fn guard(State(services): State<Arc<Services>>, request: Request, next: Next) -> Response {
    // The body is not `Sync`, so only the parts may be held while waiting.
    let (parts, body) = request.into_parts();
    let known = caller(&services, &parts).await;
    let mut request = Request::from_parts(parts, body);
    match known {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(error) => Refusal::from(error).into_response(),
    }
}

async fn caller(services: &Services, request: &Parts) -> Result<Caller, ApiError> {
    let path = request.uri.path();
    let route = route(&request.method, path)?;
    let master = (services.master)();
    let presented = access::presented(&request.headers, None);
    let caller = access::identify(presented, master.as_ref(), services.lookup.as_ref()).await?;
    access::authorise(&caller, route.class, path)?;
    Ok(caller)
}

fn route(method: &Method, path: &str) -> Result<&'static Access, ApiError> {
    let mut here = ROUTES.iter().filter(|r| r.path == path).peekable();
    if here.peek().is_none() {
        return Err(ApiError::new(Kind::NotFound, "Not Found"));
    }
    here.find(|r| r.method == *method).ok_or_else(|| ApiError::new(Kind::MethodNotAllowed, "Method Not Allowed"))
}
