//! Every route, and who may call it. What is not in the tables is not there.

use crate::{
    Services, access, audit, budgets, cache, customers, docs, fallbacks, guardrails, health, input,
    invitations, keys, models, organizations, scim, settings, signon, spend, tags, teams, ui, users,
};
use axum::extract::DefaultBodyLimit;
use axum::http::Method;
use axum::routing::MethodRouter;
use axum::{Extension, Router, middleware};
use std::sync::Arc;
use weir_core::access::{Grant, RouteClass, RouteRule};

/// One route.
pub struct Access {
    pub method: Method,
    /// With `{names}` for what differs.
    pub path: &'static str,
    pub class: RouteClass,
    pub grant: Grant,
    handler: fn() -> MethodRouter<Arc<Services>>,
}

impl Access {
    pub fn rule(&self) -> RouteRule {
        RouteRule { path: self.path, class: self.class, grant: self.grant }
    }
}

pub(crate) const fn route(
    method: Method,
    path: &'static str,
    class: RouteClass,
    grant: Grant,
    handler: fn() -> MethodRouter<Arc<Services>>,
) -> Access {
    Access { method, path, class, grant, handler }
}

/// One table for each resource.
static RESOURCES: &[&[Access]] = &[
    keys::ROUTES,
    teams::ROUTES,
    users::ROUTES,
    organizations::ROUTES,
    customers::ROUTES,
    budgets::ROUTES,
    tags::ROUTES,
    models::ROUTES,
    guardrails::ROUTES,
    settings::ROUTES,
    fallbacks::ROUTES,
    health::ROUTES,
    cache::ROUTES,
    invitations::ROUTES,
    docs::ROUTES,
    ui::ROUTES,
    signon::ROUTES,
    signon::SSO,
    scim::ROUTES,
    spend::ROUTES,
    spend::ACTIVITY,
    audit::ROUTES,
];

/// All routes.
pub fn routes() -> impl Iterator<Item = &'static Access> {
    RESOURCES.iter().copied().flatten()
}

/// The service: the tables behind the check of who is calling.
pub fn router(services: Arc<Services>) -> Router {
    // A path may stand in several rows, one for each method; its handler knows them all.
    let mut seen = std::collections::HashSet::new();
    let paths = routes().filter(|route| seen.insert(route.path));
    let routed = paths.fold(Router::new(), |router, route| router.route(route.path, (route.handler)()));
    let guarded = middleware::from_fn_with_state(Arc::clone(&services), access::guard);
    routed
        .layer(Extension(spend::Turns::default()))
        .layer(Extension(health::Rounds::default()))
        .layer(Extension(signon::State::default()))
        .layer(DefaultBodyLimit::max(input::MAX_BODY))
        .layer(guarded) // last, so that it is outermost: nothing is read of a request that is refused
        .with_state(services)
}
