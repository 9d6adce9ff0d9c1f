//! `anthropic-beta`: what the client asks for, and what a request in another dialect needs without knowing it.

use crate::dialects::WireBody;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

pub(super) const BETA: HeaderName = HeaderName::from_static("anthropic-beta");
const VERSION: HeaderName = HeaderName::from_static("anthropic-version");

/// The only version there is.
const CURRENT: HeaderValue = HeaderValue::from_static("2023-06-01");

/// Betas by the type of a tool.
static BY_TOOL: &[(&str, &str)] = &[
    ("code_execution_20250522", "code-execution-2025-05-22"),
    ("code_execution_20250825", "code-execution-2025-08-25"),
    ("computer_20241022", "computer-use-2024-10-22"),
    ("computer_20250124", "computer-use-2025-01-24"),
    ("computer_20251124", "computer-use-2025-11-24"),
    ("memory_20250818", "context-management-2025-06-27"),
    ("web_fetch_20250910", "web-fetch-2025-09-10"),
];

/// Betas by a member of the request.
static BY_MEMBER: &[(&str, &str)] =
    &[("context_management", "context-management-2025-06-27"), ("mcp_servers", "mcp-client-2025-11-20")];

const FILES: &str = "files-api-2025-04-14";

/// The headers of a request with this body. `files`: it names files that were uploaded before. `faithful`: the client
/// spoke this dialect, and asks for what it needs.
pub(super) fn headers(
    body: &WireBody,
    files: bool,
    client: &HeaderMap,
    faithful: bool,
) -> Vec<(HeaderName, HeaderValue)> {
    let version = client.get(VERSION).cloned().unwrap_or(CURRENT);
    let mut betas: Vec<&str> = Vec::new();
    let asked = client.get_all(BETA).into_iter().filter_map(|value| value.to_str().ok());
    for beta in asked.flat_map(|value| value.split(',')).map(str::trim) {
        add(&mut betas, beta);
    }
    if !faithful {
        needed(body, files).into_iter().for_each(|beta| add(&mut betas, beta));
    }
    let joined = HeaderValue::try_from(betas.join(",")).ok().filter(|value| !value.is_empty());
    std::iter::once((VERSION, version)).chain(joined.map(|value| (BETA, value))).collect()
}

fn add<'a>(betas: &mut Vec<&'a str>, beta: &'a str) {
    if !beta.is_empty() && !betas.contains(&beta) {
        betas.push(beta);
    }
}

fn needed(body: &WireBody, files: bool) -> Vec<&'static str> {
    let tools = body.get("tools").and_then(Value::as_array).into_iter().flatten();
    let by_tool = tools.filter_map(|tool| of(BY_TOOL, tool["type"].as_str()?));
    let by_member = body.keys().filter_map(|name| of(BY_MEMBER, name));
    by_tool.chain(by_member).chain(files.then_some(FILES)).collect()
}

fn of(table: &[(&str, &'static str)], name: &str) -> Option<&'static str> {
    table.iter().find(|(n, _)| *n == name).map(|(_, beta)| *beta)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn p24_betas_are_merged_and_said_once() {
        let mut client = HeaderMap::new();
        client.append(BETA, HeaderValue::from_static("a, b"));
        client.append(BETA, HeaderValue::from_static("b,files-api-2025-04-14"));
        let mut body = WireBody::default();
        body.insert("tools".to_owned(), json!([{ "type": "web_fetch_20250910" }]));
        let value = |faithful| headers(&body, true, &client, faithful)[1].1.clone();
        assert_eq!(value(false), "a,b,files-api-2025-04-14,web-fetch-2025-09-10");
        assert_eq!(value(true), "a,b,files-api-2025-04-14");
        assert_eq!(headers(&WireBody::default(), false, &HeaderMap::new(), false), [(VERSION, CURRENT)]);
    }
}
