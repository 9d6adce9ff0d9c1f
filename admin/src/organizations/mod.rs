//! `/organization/*`: teams under one roof, with admins of their own.

mod change;
mod members;
mod show;

pub(crate) use members::may_change;

use crate::routes::{Access, route};
use axum::http::Method;
use axum::routing::{delete, get, patch, post};
use weir_core::access::{Grant, RouteClass};

const M: RouteClass = RouteClass::Management;
const ORG: Grant = Grant::ORG_ADMIN;

#[rustfmt::skip]
pub(crate) static ROUTES: &[Access] = &[
    route(Method::POST, "/organization/new", M, Grant::ANY, || post(change::new)),
    route(Method::PATCH, "/organization/update", M, Grant::ADMIN, || patch(change::update)),
    route(Method::DELETE, "/organization/delete", M, ORG, || delete(change::delete)),
    route(Method::GET, "/organization/list", RouteClass::Info, Grant::ANY, || get(show::list)),
    route(Method::GET, "/organization/info", M, ORG, || get(show::info).post(show::info_many)),
    route(Method::POST, "/organization/info", M, ORG, || get(show::info).post(show::info_many)),
    route(Method::POST, "/organization/member_add", M, ORG, || post(members::add)),
    route(Method::PATCH, "/organization/member_update", M, ORG, || patch(members::update)),
    route(Method::DELETE, "/organization/member_delete", M, Grant::ADMIN, || delete(members::delete)),
];
