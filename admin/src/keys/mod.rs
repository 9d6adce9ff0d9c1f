//! `/key/*`: virtual keys. The text of a new key leaves once, in the answer that made it; later answers repeat only
//! what the caller itself named a key by. `table.rs` is what a key holds and shows, `rights.rs` who may do what with
//! whose; then one file for what is done with them.

mod bounds;
mod budget;
mod change;
mod generate;
mod lasting;
mod list;
mod makers;
mod more;
mod rights;
mod rotate;
mod show;
mod table;
mod temporary;
mod text;

pub(crate) use generate::{NewKey, may_give, of_user, told_new};
pub(crate) use lasting::bound as bound_lasting;
pub(crate) use list::{told_all, told_of, told_of_user};
pub(crate) use rotate::rotate_due;

use crate::routes::{Access, route};
use axum::http::Method;
use axum::routing::{get, post};
use weir_core::access::{Grant, RouteClass};

const OWNERS: Grant = Grant::INTERNAL.and(Grant::ORG_ADMIN);

pub(crate) static ROUTES: &[Access] = &[
    route(Method::POST, "/key/generate", RouteClass::Management, OWNERS, || post(generate::generate)),
    route(Method::POST, "/key/update", RouteClass::Management, OWNERS, || post(change::update)),
    route(Method::POST, "/key/delete", RouteClass::Management, OWNERS, || post(change::delete)),
    route(Method::POST, "/key/block", RouteClass::Management, OWNERS, || post(change::block)),
    route(Method::POST, "/key/unblock", RouteClass::Management, OWNERS, || post(change::unblock)),
    route(Method::POST, "/key/bulk_update", RouteClass::Management, OWNERS, || post(more::update_many)),
    route(Method::POST, "/key/regenerate", RouteClass::Management, OWNERS, || post(rotate::regenerate)),
    route(Method::POST, "/key/{key}/regenerate", RouteClass::Management, OWNERS, || {
        post(rotate::regenerate_named)
    }),
    route(Method::POST, "/key/service-account/generate", RouteClass::Management, OWNERS, || {
        post(more::service_account)
    }),
    route(Method::POST, "/key/health", RouteClass::Info, Grant::ANY, || post(more::health)),
    route(Method::GET, "/key/aliases", RouteClass::Management, Grant::ADMIN, || get(more::aliases)),
    route(Method::POST, "/v2/key/info", RouteClass::Info, Grant::ANY, || post(more::infos)),
    route(Method::GET, "/key/info", RouteClass::Info, Grant::ANY, || get(show::info)),
    route(Method::GET, "/key/list", RouteClass::Info, Grant::ANY, || get(list::list)),
];
