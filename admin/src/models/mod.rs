//! Models and what belongs to them: deployments of the files and of the ledger, groups, credentials, access groups.
//!
//! `show.rs` tells what is in force, `stored.rs` reads and writes the ledger's records, `change.rs` is what admins do
//! with them, `team.rs` what a team's admins may do with its own, `trial.rs` asks one before it is kept, `state.rs` tells
//! which get no requests, `credentials.rs` and `access_groups.rs` have what they share, `prices.rs` the price map anew,
//! `hub.rs` what anybody may read.

mod access_groups;
mod change;
mod credentials;
mod groups;
mod hub;
mod metrics;
mod prices;
mod show;
mod state;
mod stored;
mod team;
mod trial;

pub(crate) use show::{price_of, shown_params};
pub(crate) use stored::writable;
pub(crate) use trial::test_connection;

use crate::routes::{Access, route};
use axum::http::Method;
use axum::routing::{delete, get, patch, post, put};
use weir_core::access::{Grant, RouteClass};

const O: RouteClass = RouteClass::Operation;
const I: RouteClass = RouteClass::Info;
const P: RouteClass = RouteClass::Public;

#[rustfmt::skip]
pub(crate) static ROUTES: &[Access] = &[
    route(Method::POST, "/model/new", O, Grant::ANY, || post(change::new)),
    route(Method::POST, "/model/update", O, Grant::ANY, || post(change::update)),
    route(Method::PATCH, "/model/{id}/update", O, Grant::ANY, || patch(change::patch)),
    route(Method::POST, "/model/delete", O, Grant::ANY, || post(change::delete)),
    route(Method::GET, "/model/info", I, Grant::ANY, || get(show::info)),
    route(Method::GET, "/v1/model/info", I, Grant::ANY, || get(show::info)),
    route(Method::GET, "/v2/model/info", I, Grant::ANY, || get(show::search)),
    route(Method::GET, "/model_group/info", I, Grant::ANY, || get(groups::info)),
    route(Method::GET, "/public/model_hub", P, Grant::ANY, || get(hub::models)),
    route(Method::GET, "/public/model_hub/info", P, Grant::ANY, || get(hub::about)),
    route(Method::GET, "/model/deployments/state", O, Grant::VIEWER, || get(state::state)),
    route(Method::GET, "/model/metrics", O, Grant::ADMIN, || get(metrics::latency)),
    route(Method::GET, "/model/streaming_metrics", O, Grant::ADMIN, || get(metrics::first_token)),
    route(Method::GET, "/model/metrics/slow_responses", O, Grant::ADMIN, || get(metrics::slow)),
    route(Method::GET, "/model/metrics/exceptions", O, Grant::ADMIN, || get(metrics::exceptions)),
    route(Method::POST, "/reload/model_cost_map", O, Grant::ADMIN, || post(prices::reload)),
    route(Method::POST, "/schedule/model_cost_map_reload", O, Grant::ADMIN, || post(prices::schedule).delete(prices::cancel)),
    route(Method::DELETE, "/schedule/model_cost_map_reload", O, Grant::ADMIN, || post(prices::schedule).delete(prices::cancel)),
    route(Method::GET, "/schedule/model_cost_map_reload/status", O, Grant::ADMIN, || get(prices::status)),
    route(Method::POST, "/credentials", O, Grant::ADMIN, || get(credentials::list).post(credentials::new)),
    route(Method::GET, "/credentials", O, Grant::ADMIN, || get(credentials::list).post(credentials::new)),
    route(Method::GET, "/credentials/by_name/{name}", O, Grant::ADMIN, || get(credentials::one)),
    route(Method::GET, "/credentials/by_model/{id}", O, Grant::ADMIN, || get(credentials::of_model)),
    route(Method::PATCH, "/credentials/{name}", O, Grant::ADMIN, || patch(credentials::update).delete(credentials::delete)),
    route(Method::DELETE, "/credentials/{name}", O, Grant::ADMIN, || patch(credentials::update).delete(credentials::delete)),
    route(Method::POST, "/access_group/new", O, Grant::ADMIN, || post(access_groups::new)),
    route(Method::GET, "/access_group/list", O, Grant::ADMIN, || get(access_groups::list)),
    route(Method::GET, "/access_group/{group}/info", O, Grant::ADMIN, || get(access_groups::info)),
    route(Method::PUT, "/access_group/{group}/update", O, Grant::ADMIN, || put(access_groups::update)),
    route(Method::DELETE, "/access_group/{group}/delete", O, Grant::ADMIN, || delete(access_groups::delete)),
];
