//! Pages without a script: a form to sign in with, and what is told when signing in fails.

use crate::ui::{SAFE, escaped};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

fn page(status: StatusCode, title: &str, body: &str) -> Response {
    let text = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><meta name=\"color-scheme\" content=\"light dark\"><title>{title}</title>\
         </head><body><main><h1>{title}</h1>{body}</main></body></html>"
    );
    (status, SAFE, [(header::CACHE_CONTROL, "no-store")], Html(text)).into_response()
}

/// The form that is there even when nothing else is. `root`: the path that the gateway is mounted at.
pub(super) fn form(root: &str) -> Response {
    let body = format!(
        "<form method=\"post\" action=\"{}/login\"><p><label>User name<br><input name=\"username\" \
         autocomplete=\"username\" required autofocus></label></p><p><label>Password<br><input name=\"password\" \
         type=\"password\" autocomplete=\"current-password\" required></label></p><p><button>Sign in</button></p>\
         </form>",
        escaped(root)
    );
    page(StatusCode::OK, "Sign in to Weir", &body)
}

/// What went wrong, and a way to try again.
pub(super) fn failed(status: u16, message: &str, root: &str) -> Response {
    let body = format!(
        "<p role=\"alert\">{}</p><p><a href=\"{1}/ui/\">Sign in again</a> or <a href=\"{1}/fallback/login\">with a \
         password</a></p>",
        escaped(message),
        escaped(root)
    );
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    page(status, "Not signed in", &body)
}

/// What an identity provider says of somebody, for whoever sets it up.
pub(super) fn claims(text: &str) -> Response {
    page(StatusCode::OK, "What the identity provider says", &format!("<pre>{}</pre>", escaped(text)))
}
