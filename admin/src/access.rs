//! Holds every request against the table of routes, before any handler sees it.

use crate::Services;
use crate::error::Refusal;
use crate::routes::{Access, routes};
use crate::signon;
use axum::extract::{MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use weir_core::access::{self, Door, RouteClass};
use weir_core::domain::key::Caller;
use weir_core::error::{ApiError, Kind};

/// Puts the caller into the request, or answers with a refusal.
pub(crate) async fn guard(State(services): State<Arc<Services>>, request: Request, next: Next) -> Response {
    let matched = request.extensions().get::<MatchedPath>();
    let route = match route(matched.map_or("", MatchedPath::as_str), request.method()) {
        Ok(route) => route,
        Err(refused) => return *refused,
    };
    // The body is not `Sync`, so only the parts may be held while waiting.
    let (parts, body) = request.into_parts();
    let known = caller(&services, &parts, route).await;
    let mut request = Request::from_parts(parts, body);
    match known {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(error) => Refusal::from(error).into_response(),
    }
}

/// The row for this request. Unknown paths and methods are told before any key is asked for, as LiteLLM does;
/// so is `HEAD`, which axum would otherwise take for `GET`.
fn route(path: &str, method: &Method) -> Result<&'static Access, Box<Response>> {
    let here: Vec<&Access> = routes().filter(|route| route.path == path).collect();
    if here.is_empty() {
        return Err(Box::new(Refusal::from(ApiError::new(Kind::NotFound, "Not Found")).into_response()));
    }
    let found = here.iter().copied().find(|route| route.method == *method);
    found.ok_or_else(|| Box::new(not_allowed(&here)))
}

fn not_allowed(here: &[&Access]) -> Response {
    let error = ApiError::new(Kind::MethodNotAllowed, "Method Not Allowed");
    let mut response = Refusal::from(error).into_response();
    let methods: Vec<&str> = here.iter().map(|route| route.method.as_str()).collect();
    if let Ok(value) = HeaderValue::from_str(&methods.join(", ")) {
        response.headers_mut().insert(header::ALLOW, value);
    }
    response
}

async fn caller(services: &Services, request: &Parts, route: &Access) -> Result<Caller, ApiError> {
    let master = (services.master)();
    let (master, keys) = (master.as_ref(), services.lookup.as_ref());
    let bearers = services.bearers.as_deref();
    let writes = !matches!(request.method, Method::GET | Method::HEAD);
    let known = Door { custom: None, master, keys, bearers }.who(&request.headers, writes).await;
    if route.class == RouteClass::Public {
        return Ok(known.unwrap_or_default());
    }
    let config = (services.config)();
    let caller = access::admit(&config.general.routes, known, &route.rule(), request.uri.path())?;
    signon::note_use(services, &request.headers).await;
    Ok(caller)
}
