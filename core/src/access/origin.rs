//! What the gateway tells the admin service of a request's origin. Clients cannot say it: the gateway writes these
//! headers anew.

use http::{HeaderMap, header};
use std::net::IpAddr;

/// The address at the other end of the connection.
pub const PEER: &str = "x-weir-peer";
/// The client's address, behind trusted proxies.
pub const CLIENT: &str = "x-weir-client";
/// `http` or `https`, as the client sees it.
pub const SCHEME: &str = "x-weir-scheme";

/// The address in one of these headers.
pub fn address(headers: &HeaderMap, name: &str) -> Option<IpAddr> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}

/// Whether the client speaks TLS.
pub fn is_https(headers: &HeaderMap) -> bool {
    headers.get(SCHEME).is_some_and(|scheme| scheme == "https")
}

/// Scheme and host, as the client sees them; no slash at the end.
pub fn base(headers: &HeaderMap) -> Option<String> {
    let host = headers.get(header::HOST)?.to_str().ok()?;
    Some(format!("{}://{host}", if is_https(headers) { "https" } else { "http" }))
}
