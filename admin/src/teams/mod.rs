//! `/team/*`: teams, their members, models and permissions. `table.rs` is what a team holds, `show.rs` how it is told,
//! `rights.rs` who may do what with which; then one file for what is done with them.

mod callbacks;
mod change;
mod list;
pub(crate) mod members;
mod models;
mod rights;
pub(crate) mod show;
mod table;

use crate::routes::{Access, route};
use axum::http::Method;
use axum::routing::{get, post};
use weir_core::access::{Grant, RouteClass};

pub(crate) use change::remove;
pub(crate) use list::{teams_of, whole};
pub(crate) use members::{leave, place};
pub(crate) use rights::{leads, may_change, membership};

const M: RouteClass = RouteClass::Management;
const ORG: Grant = Grant::ORG_ADMIN;

#[rustfmt::skip]
pub(crate) static ROUTES: &[Access] = &[
    route(Method::POST, "/team/new", M, ORG, || post(change::new)),
    route(Method::POST, "/team/update", M, ORG, || post(change::update)),
    route(Method::POST, "/team/delete", M, ORG, || post(change::delete)),
    route(Method::POST, "/team/block", M, ORG, || post(change::block)),
    route(Method::POST, "/team/unblock", M, ORG, || post(change::unblock)),
    route(Method::GET, "/team/info", RouteClass::Info, Grant::ANY, || get(list::info)),
    route(Method::GET, "/team/list", RouteClass::Info, Grant::ANY, || get(list::list)),
    route(Method::GET, "/v2/team/list", RouteClass::Info, Grant::ANY, || get(list::pages)),
    route(Method::GET, "/team/available", RouteClass::Info, Grant::ANY, || get(list::available)),
    route(Method::POST, "/team/member_add", M, Grant::ANY, || post(members::add)),
    route(Method::POST, "/team/bulk_member_add", M, Grant::ANY, || post(members::add_many)),
    route(Method::POST, "/team/member_update", M, Grant::ANY, || post(members::update)),
    route(Method::POST, "/team/member_delete", M, Grant::ANY, || post(members::delete)),
    route(Method::POST, "/team/model/add", M, Grant::ADMIN, || post(models::add)),
    route(Method::POST, "/team/model/delete", M, Grant::ADMIN, || post(models::delete)),
    route(Method::GET, "/team/permissions_list", M, Grant::ANY, || get(models::permissions)),
    route(Method::POST, "/team/permissions_update", M, Grant::ANY, || post(models::permit)),
    route(Method::GET, "/team/{team_id}/callback", M, Grant::ADMIN, || get(callbacks::tell).post(callbacks::add)),
    route(Method::POST, "/team/{team_id}/callback", M, Grant::ADMIN, || get(callbacks::tell).post(callbacks::add)),
    route(Method::POST, "/team/{team_id}/disable_logging", M, Grant::ADMIN, || post(callbacks::disable)),
];
