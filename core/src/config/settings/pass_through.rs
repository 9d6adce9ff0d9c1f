//! `general_settings.pass_through_endpoints`: paths of this gateway that lead to an address of the operator's.

use super::super::env::Env;
use super::super::keys::PASS_THROUGH;
use super::super::problems::{Place, Problems};
use super::super::section::{Section, join};
use super::super::tree::{Node, Value};
use crate::domain::money::{FemtoSum, FemtoUsd, NanoUsd};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, HeaderValue, Uri};
use secrecy::{ExposeSecret, SecretString};

/// One of them.
#[derive(Clone, Debug)]
pub struct PassThrough {
    /// The written one, else the path.
    pub id: String,
    /// Begins with a slash and does not end in one.
    pub path: String,
    /// An http or https address, query included.
    pub target: String,
    /// Valid names, in lower case, and values.
    pub headers: Vec<(String, SecretString)>,
    /// Whether a key of this gateway is needed. As in LiteLLM, none is unless this says so.
    pub auth: bool,
    /// Whether what follows the path is appended to the target.
    pub include_subpath: bool,
    /// Whether the client's own headers go out too, credentials of this gateway left out.
    pub forward_headers: bool,
    /// Whether the target's own query stays beside the client's. It wins.
    pub merge_query_params: bool,
    /// What a request costs, whatever the answer is.
    pub cost_per_request: Option<NanoUsd>,
}

/// How LiteLLM refers to the environment inside of a header's value.
const REFERENCE: &str = "os.environ/";

/// Langfuse's two keys, which go out as one header.
const LANGFUSE: [&str; 2] = ["langfuse_public_key", "langfuse_secret_key"];

/// All that are usable. One that is not is an error of the file.
pub(in super::super) fn read(general: &Section, env: &Env, problems: &mut Problems) -> Vec<PassThrough> {
    let items = general.node("pass_through_endpoints").map_or(&[][..], Node::items);
    let mut endpoints: Vec<PassThrough> = Vec::with_capacity(items.len());
    for (at, node) in items.iter().enumerate() {
        let path = format!("general_settings.pass_through_endpoints[{at}]");
        let section = Section::read(node, &PASS_THROUGH, &path, problems);
        let Some(endpoint) = PassThrough::read(&section, env, problems) else { continue };
        if endpoints.iter().any(|known| known.path == endpoint.path) {
            problems.warn(&section.place("path"), "this path is listed twice; the first one counts", "");
            continue;
        }
        endpoints.push(endpoint);
    }
    endpoints
}

impl PassThrough {
    fn read(s: &Section, env: &Env, problems: &mut Problems) -> Option<Self> {
        let path = path(s, problems)?;
        let target = target(s, problems)?;
        let bool = |name: &str| s.bool(name).unwrap_or(false);
        let endpoint = Self {
            id: s.text("id").filter(|id| !id.is_empty()).unwrap_or_else(|| path.clone()),
            headers: headers(s, env, problems),
            auth: bool("auth"),
            include_subpath: bool("include_subpath"),
            forward_headers: bool("forward_headers"),
            merge_query_params: bool("merge_query_params"),
            cost_per_request: s.node("cost_per_request").and_then(cost),
            path,
            target,
        };
        if !endpoint.auth {
            let message =
                format!("anybody may call {} without a key; nothing of it is booked", endpoint.path);
            problems.warn(s.at(), message, "set auth: true");
        }
        Some(endpoint)
    }
}

fn path(s: &Section, problems: &mut Problems) -> Option<String> {
    let written = s.text("path").unwrap_or_default();
    let path = format!("/{}", written.trim_matches('/'));
    if path.len() > 1 && path.bytes().all(|b| b.is_ascii_graphic() && !b"?#\\".contains(&b)) {
        return Some(path);
    }
    problems.error(&s.place("path"), "expected a path of this gateway", "write it like /my-service");
    None
}

fn target(s: &Section, problems: &mut Problems) -> Option<String> {
    let target = s.text("target").unwrap_or_default();
    let uri: Option<Uri> = target.parse().ok();
    let usable = |uri: &Uri| {
        let host = uri.authority().is_some_and(|a| !a.as_str().contains('@'));
        host && matches!(uri.scheme_str(), Some("http" | "https"))
    };
    if uri.as_ref().is_some_and(usable) {
        return Some(target);
    }
    problems.error(
        &s.place("target"),
        "expected an http or https address",
        "write it like https://host/path",
    );
    None
}

/// Rounded once.
fn cost(node: &Node) -> Option<NanoUsd> {
    let mut sum = FemtoSum::default();
    sum.add(1, FemtoUsd::parse(&node.as_decimal()?).ok()?);
    Some(sum.round())
}

fn headers(s: &Section, env: &Env, problems: &mut Problems) -> Vec<(String, SecretString)> {
    let mut found = Vec::new();
    let mut langfuse = [None, None];
    for (name, node) in s.node("headers").map_or(&[][..], Node::entries) {
        let at = node.place(join(&s.place("headers").path, name));
        let name = name.to_ascii_lowercase();
        let Some(value) = value(node, env, &at, problems) else { continue };
        if let Some(which) = LANGFUSE.iter().position(|known| *known == name) {
            langfuse[which] = Some(value);
            continue;
        }
        let valid =
            name.parse::<HeaderName>().is_ok() && HeaderValue::from_str(value.expose_secret()).is_ok();
        if valid {
            found.push((name, value));
        } else {
            problems.error(&at, "cannot be sent as a header", "use plain ASCII");
        }
    }
    if let [Some(public), Some(secret)] = langfuse {
        let pair = STANDARD.encode(format!("{}:{}", public.expose_secret(), secret.expose_secret()));
        found.push(("authorization".to_owned(), SecretString::from(format!("Basic {pair}"))));
    }
    found
}

/// Text with `os.environ/NAME` in it, mostly behind `Bearer `. A whole reference was resolved before.
fn value(node: &Node, env: &Env, at: &Place, problems: &mut Problems) -> Option<SecretString> {
    let text = match &node.value {
        Value::Text(text) | Value::Number(text) => text.clone(),
        Value::Bool(b) => b.to_string(),
        Value::Null => return None,
        Value::List(_) | Value::Map(_) => {
            problems.error(at, format!("expected text, found {}", node.what()), "");
            return None;
        }
    };
    let Some((before, name)) = text.split_once(REFERENCE).filter(|_| !node.from_env) else {
        return Some(SecretString::from(text));
    };
    let name = name.trim();
    if let Some(value) = env.get(name) {
        return Some(SecretString::from(format!("{before}{value}")));
    }
    problems.warn(at, format!("environment variable {name} is not set"), format!("set {name}"));
    None
}
