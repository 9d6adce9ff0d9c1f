//! SCIM 2.0 (RFC 7643, RFC 7644) under `/scim/v2`: an identity provider keeps users and teams with it. `users.rs` and
//! `groups.rs` are the two kinds of resources, `person.rs` is what of a user is provisioned, `enterprise.rs` its
//! extension, `etag.rs` versions and requests that depend on one, `patch.rs` changes a resource as JSON before it is
//! read, `filter.rs` is what lists and paths of patches choose by, `view.rs` what of a resource is shown and which page
//! of them, `answer.rs` answers and refusals, `about.rs` what the service says of itself.
//!
//! Whatever is sent is read and checked as a whole, and made in one commit: nothing is written by half.

mod about;
mod answer;
mod enterprise;
mod etag;
mod filter;
mod groups;
mod patch;
mod person;
mod users;
mod view;

use crate::routes::{Access, route};
use axum::http::Method;
use axum::routing::{MethodRouter, get};
use std::sync::Arc;
use weir_core::access::{Grant, RouteClass};

const M: RouteClass = RouteClass::Management;
const ADMIN: Grant = Grant::ADMIN;

const USER_SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP_SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// Longer names are none.
const LONGEST: usize = 256;

/// Whether all of these may be names or ids.
fn fit<'t>(mut texts: impl Iterator<Item = &'t String>) -> bool {
    texts.all(|text| text.len() <= LONGEST && !text.contains('\0'))
}

fn unfit() -> answer::Fault {
    answer::Fault::value(format!("names and ids have at most {LONGEST} bytes, and no NUL"))
}

fn users() -> MethodRouter<Arc<crate::Services>> {
    get(users::list).post(users::create)
}

fn user() -> MethodRouter<Arc<crate::Services>> {
    get(users::tell).put(users::replace).patch(users::patch).delete(users::delete)
}

fn groups() -> MethodRouter<Arc<crate::Services>> {
    get(groups::list).post(groups::create)
}

fn group() -> MethodRouter<Arc<crate::Services>> {
    get(groups::tell).put(groups::replace).patch(groups::patch).delete(groups::delete)
}

#[rustfmt::skip]
pub(crate) static ROUTES: &[Access] = &[
    route(Method::GET, "/scim/v2/Users", M, ADMIN, users),
    route(Method::POST, "/scim/v2/Users", M, ADMIN, users),
    route(Method::GET, "/scim/v2/Users/{user_id}", M, ADMIN, user),
    route(Method::PUT, "/scim/v2/Users/{user_id}", M, ADMIN, user),
    route(Method::PATCH, "/scim/v2/Users/{user_id}", M, ADMIN, user),
    route(Method::DELETE, "/scim/v2/Users/{user_id}", M, ADMIN, user),
    route(Method::GET, "/scim/v2/Groups", M, ADMIN, groups),
    route(Method::POST, "/scim/v2/Groups", M, ADMIN, groups),
    route(Method::GET, "/scim/v2/Groups/{group_id}", M, ADMIN, group),
    route(Method::PUT, "/scim/v2/Groups/{group_id}", M, ADMIN, group),
    route(Method::PATCH, "/scim/v2/Groups/{group_id}", M, ADMIN, group),
    route(Method::DELETE, "/scim/v2/Groups/{group_id}", M, ADMIN, group),
    route(Method::GET, "/scim/v2/ServiceProviderConfig", M, ADMIN, || get(about::service)),
    route(Method::GET, "/scim/v2/ResourceTypes", M, ADMIN, || get(about::types)),
    route(Method::GET, "/scim/v2/ResourceTypes/{name}", M, ADMIN, || get(about::one_type)),
    route(Method::GET, "/scim/v2/Schemas", M, ADMIN, || get(about::schemas)),
    route(Method::GET, "/scim/v2/Schemas/{name}", M, ADMIN, || get(about::one_schema)),
];
