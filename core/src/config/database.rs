//! A database URL out of the parts that LiteLLM's Helm chart sets.

use super::env::Env;
use std::fmt::Write as _;

/// `postgresql://…` from `DATABASE_HOST`, `_USERNAME` (or `_USER`), `_NAME`, and where they are set `_PASSWORD`,
/// `_PORT` and `_SCHEMA`. `None` unless the first three are there.
pub fn url(env: &Env) -> Option<String> {
    let host = bracketed(env.filled("DATABASE_HOST")?);
    let user = env.filled("DATABASE_USERNAME").or_else(|| env.filled("DATABASE_USER"))?;
    let name = env.filled("DATABASE_NAME")?;
    let mut url = format!("postgresql://{}", encoded(user));
    if let Some(password) = env.filled("DATABASE_PASSWORD") {
        url += &format!(":{}", encoded(password));
    }
    url += &format!("@{host}");
    if let Some(port) = env.filled("DATABASE_PORT") {
        url += &format!(":{}", encoded(port));
    }
    url += &format!("/{}", encoded(name));
    if let Some(schema) = env.filled("DATABASE_SCHEMA") {
        url += &format!("?schema={}", encoded(schema));
    }
    Some(url)
}

/// An IPv6 address needs brackets; `host:5432` is left alone, charts write it.
fn bracketed(host: &str) -> String {
    let bare_v6 = host.matches(':').count() > 1 && !host.starts_with('[');
    if bare_v6 { format!("[{host}]") } else { host.to_owned() }
}

/// Percent-encodes all but RFC 3986's unreserved characters.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing into a String does not fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
