//! `/user/*`: people who own keys and sign in. `table.rs` is what a user holds, `show.rs` how one is told;
//! then one file for what is done with them.

mod change;
mod list;
mod new;
mod password;
pub(crate) mod show;
mod table;

pub(crate) use change::remove;
pub(crate) use new::{known, wanted, with_defaults};
pub use password::password_hash;
pub(crate) use password::{hashed, password_fits};
pub(crate) use show::told_all;

use crate::routes::{Access, route};
use axum::http::Method;
use axum::routing::{get, post};
use weir_core::access::{Grant, RouteClass};

const M: RouteClass = RouteClass::Management;
const VIEW: Grant = Grant::VIEWER.and(Grant::ORG_ADMIN);

#[rustfmt::skip]
pub(crate) static ROUTES: &[Access] = &[
    route(Method::POST, "/user/new", M, Grant::ORG_ADMIN, || post(new::new)),
    route(Method::POST, "/user/update", M, VIEW, || post(change::update)),
    route(Method::POST, "/user/bulk_update", M, Grant::ADMIN, || post(change::update_many)),
    route(Method::POST, "/user/delete", M, Grant::ORG_ADMIN, || post(change::delete)),
    route(Method::GET, "/user/info", RouteClass::Info, Grant::ANY, || get(list::info)),
    route(Method::GET, "/user/list", M, VIEW, || get(list::list)),
    route(Method::GET, "/user/available_roles", M, VIEW, || get(list::roles)),
    route(Method::GET, "/user/available_users", M, VIEW, || get(list::count)),
];
