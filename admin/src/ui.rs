//! `/ui/`: the admin UI as it was built into the program. Every page is `index.html`; what has a hash in its name is kept
//! by browsers for ever. No script, style or picture comes from elsewhere or stands in the page.

use crate::context::Context;
use crate::error::Refusal;
use crate::routes::{Access, route};
use crate::signon;
use axum::extract::Path;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use flate2::read::GzDecoder;
use std::io::Read;
use weir_core::access::{Grant, RouteClass};
use weir_core::config::env::Env;
use weir_core::error::{ApiError, Kind};

const P: RouteClass = RouteClass::Public;

pub(crate) static ROUTES: &[Access] = &[
    route(Method::GET, "/ui", P, Grant::ANY, || get(moved)),
    route(Method::GET, "/ui/", P, Grant::ANY, || get(page)),
    route(Method::GET, "/ui/{*path}", P, Grant::ANY, || get(file)),
];

/// Names and bytes, packed; none where the UI has not been built.
static FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/ui.rs"));

/// Nothing from elsewhere, nothing inline, and in nobody's frame.
pub(crate) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
     font-src 'self'; connect-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

const BASE: &str = "<base href=\"/ui/\" />";

const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Weir</title></head><body>\
    <h1>The admin UI is not in this program</h1><p>It was built without it. Build the UI, then the program again:</p>\
    <pre>make ui\ncargo build --release</pre><p>The management API is here all the same: see <a href=\"../docs\">its \
    description</a>.</p></body></html>";

static TYPES: &[(&str, &str)] = &[
    ("css", "text/css; charset=utf-8"),
    ("html", "text/html; charset=utf-8"),
    ("js", "text/javascript; charset=utf-8"),
    ("json", "application/json"),
    ("png", "image/png"),
    ("svg", "image/svg+xml"),
    ("txt", "text/plain; charset=utf-8"),
    ("woff2", "font/woff2"),
];

/// Unless the operator wants none (`DISABLE_ADMIN_UI`).
pub(crate) fn is_on(env: &Env) -> bool {
    !env.is_on("DISABLE_ADMIN_UI")
}

/// What is answered where there is no UI.
pub(crate) fn off() -> Refusal {
    ApiError::new(Kind::NotFound, "The admin UI is switched off (DISABLE_ADMIN_UI).").into()
}

/// Headers of everything that a browser shows.
pub(crate) const SAFE: [(header::HeaderName, &str); 3] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
];

async fn moved(context: Context) -> Response {
    let to = format!("{}/ui/", (context.services.config)().env.server_root());
    (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, to)]).into_response()
}

async fn page(context: Context, headers: HeaderMap) -> Response {
    let env = (context.services.config)().env.clone();
    if is_on(&env) { index(&context, &headers).await } else { off().into_response() }
}

async fn file(context: Context, headers: HeaderMap, Path(path): Path<String>) -> Response {
    let env = (context.services.config)().env.clone();
    if !is_on(&env) {
        return off().into_response();
    }
    match FILES.iter().find(|(name, _)| *name == path && path != "index.html") {
        Some((name, packed)) => asset(name, packed, &headers),
        // A page is no stand-in for a script that an older one asks for.
        None if path.starts_with("assets/") => {
            Refusal::from(ApiError::new(Kind::NotFound, "There is no such file.")).into_response()
        }
        None => index(&context, &headers).await,
    }
}

/// The page that all pages are, below whatever path the gateway is mounted at. Behind a proxy that says who is there it
/// comes with a session.
async fn index(context: &Context, headers: &HeaderMap) -> Response {
    let page = index_file(&(context.services.config)().env);
    match signon::sign_in_behind_a_proxy(context, headers).await {
        Ok(None) => page,
        Ok(Some(cookie)) => signon::with_cookies(page, &[cookie]),
        Err(refusal) => refusal.into_response(),
    }
}

fn index_file(env: &Env) -> Response {
    let built = FILES.iter().find(|(name, _)| *name == "index.html");
    let page = built.map(|(_, packed)| unpacked(packed));
    let page = page.map_or_else(|| NOT_BUILT.as_bytes().to_vec(), |page| mounted(&page, &env.server_root()));
    let kept = [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")];
    (SAFE, kept, page).into_response()
}

fn mounted(page: &[u8], root: &str) -> Vec<u8> {
    let base = format!("<base href=\"{}/ui/\" />", escaped(root));
    String::from_utf8_lossy(page).replacen(BASE, &base, 1).into_bytes()
}

/// Text inside HTML, also inside a quoted attribute.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn asset(name: &str, packed: &'static [u8], headers: &HeaderMap) -> Response {
    let extension = name.rsplit('.').next().unwrap_or_default();
    let kind = TYPES.iter().find(|(known, _)| *known == extension).map(|(_, kind)| *kind);
    let hashed = name.starts_with("assets/");
    let kept = if hashed { "public, max-age=31536000, immutable" } else { "no-cache" };
    let told = [
        (header::CONTENT_TYPE, kind.unwrap_or("application/octet-stream")),
        (header::CACHE_CONTROL, kept),
        (header::VARY, "accept-encoding"),
    ];
    let takes = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    if takes.flat_map(|value| value.split(',')).any(|coding| coding.trim() == "gzip") {
        return (SAFE, told, [(header::CONTENT_ENCODING, "gzip")], packed).into_response();
    }
    (SAFE, told, unpacked(packed)).into_response()
}

/// What was packed by our own build is whole.
fn unpacked(packed: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    if let Err(error) = GzDecoder::new(packed).read_to_end(&mut out) {
        tracing::error!("a file of the UI cannot be unpacked: {error}");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_mounted_where_the_gateway_is() {
        let page = b"<head><base href=\"/ui/\" /></head>";
        assert_eq!(mounted(page, ""), page);
        assert_eq!(mounted(page, "/llm"), b"<head><base href=\"/llm/ui/\" /></head>");
        assert!(!String::from_utf8(mounted(page, "/\"><script>")).unwrap().contains("<script"));
    }

    /// Only where it was built.
    #[test]
    fn what_was_packed_comes_back() {
        let Some((_, packed)) = FILES.iter().find(|(name, _)| *name == "index.html") else { return };
        assert!(String::from_utf8(unpacked(packed)).unwrap().contains(BASE));
        assert!(FILES.iter().any(|(name, _)| name.starts_with("assets/")));
    }

    #[test]
    fn the_policy_allows_nothing_inline_and_nothing_from_elsewhere() {
        for word in ["unsafe", "http", "data:", "*"] {
            assert!(!POLICY.contains(word), "{word}");
        }
    }
}
