//! Which of the client's headers go out: none that says who it is, to whom the connection belongs, or whom it pays.

use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue};
use weir_core::access::KEY_HEADERS;

/// Never passed on, whatever the config says.
static KEPT_BACK: &[&str] = &[
    // Of one connection only (RFC 9110, section 7.6.1), or written anew.
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "expect",
    "host",
    "content-length",
    "accept-encoding",
    "http2-settings",
    "max-forwards",
    "via",
    // Credentials.
    "proxy-authorization",
    "cookie",
    // Whose account it is.
    "openai-organization",
    "openai-project",
    "x-goog-user-project",
    // A browser's, which some providers refuse.
    "origin",
    "referer",
    "x-real-ip",
    "forwarded",
    "x-request-id",
];

/// The same by how they begin. `x-amz-`: a client's own signature.
static KEPT_BACK_AS: &[&str] = &["x-litellm-", "x-amz-", "x-forwarded-", "sec-", "proxy-", "cf-"];

/// As in LiteLLM: `x-pass-NAME` goes out as `NAME`.
const RENAMED: &str = "x-pass-";

/// What an answer in the client's words takes, where its other headers are not passed on.
pub(crate) const NEEDED: &[HeaderName] = &[header::CONTENT_TYPE, header::ACCEPT];

/// The client's word counts before the deployment's in these.
static CLIENTS: &[&str] = &["content-type", "accept", "user-agent", "anthropic-version", "anthropic-beta"];

/// Whose headers these are.
pub(crate) struct Whose<'a> {
    /// `litellm_key_header_name`.
    pub custom: Option<&'a str>,
    /// The key as it was presented; no header that holds it goes out.
    pub key: Option<&'a str>,
    /// Whether all of them go out, or only what is needed.
    pub all: bool,
}

/// The client's headers that may go out.
pub(crate) fn forwarded(client: &HeaderMap, whose: &Whose<'_>) -> HeaderMap {
    let listed = listed(client);
    let mut out = HeaderMap::with_capacity(client.len());
    for (name, value) in client {
        let renamed = name.as_str().strip_prefix(RENAMED).and_then(|name| name.parse::<HeaderName>().ok());
        let wanted = whose.all || renamed.is_some() || NEEDED.contains(name);
        let name = renamed.unwrap_or_else(|| name.clone());
        if wanted && !kept_back(&name, whose.custom) && !listed.contains(&name) && !holds(value, whose.key) {
            out.append(name, value.clone());
        }
    }
    out
}

fn kept_back(name: &HeaderName, custom: Option<&str>) -> bool {
    let name = name.as_str();
    KEY_HEADERS.contains(&name)
        || KEPT_BACK.contains(&name)
        || KEPT_BACK_AS.iter().any(|begin| name.starts_with(begin))
        || custom.is_some_and(|custom| name.eq_ignore_ascii_case(custom))
}

/// Names that `connection` makes part of the connection.
fn listed(client: &HeaderMap) -> Vec<HeaderName> {
    let lists = client.get_all(header::CONNECTION).iter().filter_map(|v| v.to_str().ok());
    lists.flat_map(|list| list.split(',')).filter_map(|name| name.trim().parse().ok()).collect()
}

/// A key is too precious to go out under a name that nobody thought of.
pub(crate) fn holds(value: &HeaderValue, key: Option<&str>) -> bool {
    let Some(key) = key.filter(|key| key.len() >= 8) else { return false };
    memchr::memmem::find(value.as_bytes(), key.as_bytes()).is_some()
}

/// Ours over the client's, but for what only the client can know.
pub(crate) fn over(mut client: HeaderMap, ours: &HeaderMap, empty: bool) -> HeaderMap {
    for (name, value) in ours {
        let clients = CLIENTS.contains(&name.as_str()) && client.contains_key(name);
        // Without a body there is no type of it.
        let needless = empty && *name == header::CONTENT_TYPE;
        if !clients && !needless {
            client.insert(name.clone(), value.clone());
        }
    }
    client
}
