//! Every route, and who may call it. What is not in the table is not there.

use crate::{Services, access, input, keys, spend};
use axum::extract::{DefaultBodyLimit, Extension};
use axum::http::Method;
use axum::routing::{MethodRouter, get, post};
use axum::{Router, middleware};
use std::sync::Arc;
use weir_core::access::RouteClass;

/// One route.
pub struct Access {
    pub method: Method,
    /// Matched whole; no route has parameters in its path yet.
    pub path: &'static str,
    pub class: RouteClass,
    handler: fn() -> MethodRouter<Arc<Services>>,
}

const fn route(
    method: Method,
    path: &'static str,
    class: RouteClass,
    handler: fn() -> MethodRouter<Arc<Services>>,
) -> Access {
    Access { method, path, class, handler }
}

pub static ROUTES: &[Access] = &[
    route(Method::POST, "/key/generate", RouteClass::Admin, || post(keys::generate)),
    route(Method::GET, "/key/info", RouteClass::Info, || get(keys::info)),
    route(Method::POST, "/key/delete", RouteClass::Admin, || post(keys::delete)),
    route(Method::GET, "/spend/logs", RouteClass::Admin, || get(spend::logs)),
    route(Method::GET, "/global/spend", RouteClass::Admin, || get(spend::global)),
];

/// The service: the table behind the check of who is calling.
pub fn router(services: Arc<Services>) -> Router {
    let routed =
        ROUTES.iter().fold(Router::new(), |router, route| router.route(route.path, (route.handler)()));
    let guarded = middleware::from_fn_with_state(Arc::clone(&services), access::guard);
    routed
        .layer(Extension(spend::Turns::default()))
        .layer(DefaultBodyLimit::max(input::MAX_BODY))
        .layer(guarded) // last, so that it is outermost: nothing is read of a request that is refused
        .with_state(services)
}
