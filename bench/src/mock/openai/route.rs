//! Which paths exist. Azure has the same operations as OpenAI, under three prefixes of its own.

use http::Method;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    Chat,
    Completions,
    Embeddings,
    Responses,
    Response,
    DeleteResponse,
    CancelResponse,
    ResponseInput,
    Images,
    Speech,
    Transcriptions,
    Moderations,
    Models,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Route<'a> {
    pub(super) op: Op,
    /// Chat errors look different under Azure's prefixes.
    pub(super) azure: bool,
    /// The deployment in the path stands in for a model that the body does not name.
    pub(super) deployment: Option<&'a str>,
    /// What stands for the asterisk of a row.
    pub(super) id: Option<&'a str>,
}

struct Row {
    method: Method,
    /// With an asterisk for one segment.
    path: &'static str,
    op: Op,
    azure: bool,
}

const fn row(method: Method, path: &'static str, op: Op, azure: bool) -> Row {
    Row { method, path, op, azure }
}

const ROWS: &[Row] = &[
    row(Method::POST, "chat/completions", Op::Chat, true),
    row(Method::POST, "completions", Op::Completions, true),
    row(Method::POST, "embeddings", Op::Embeddings, true),
    row(Method::POST, "responses", Op::Responses, true),
    row(Method::GET, "responses/*", Op::Response, true),
    row(Method::DELETE, "responses/*", Op::DeleteResponse, true),
    row(Method::POST, "responses/*/cancel", Op::CancelResponse, true),
    row(Method::GET, "responses/*/input_items", Op::ResponseInput, true),
    row(Method::POST, "images/generations", Op::Images, true),
    row(Method::POST, "images/edits", Op::Images, true),
    row(Method::POST, "audio/speech", Op::Speech, true),
    row(Method::POST, "audio/transcriptions", Op::Transcriptions, true),
    row(Method::POST, "moderations", Op::Moderations, false),
    row(Method::GET, "models", Op::Models, false),
];

/// Longer prefixes stand before the ones that they begin with.
const PREFIXES: &[(&str, bool)] = &[("/openai/v1/", true), ("/openai/", true), ("/v1/", false), ("/", false)];

/// `path` comes without its query.
pub(super) fn find<'a>(method: &Method, path: &'a str) -> Option<Route<'a>> {
    let (azure, deployment, rest) = split(path)?;
    let rows = ROWS.iter().filter(|row| row.method == *method && (row.azure || !azure));
    rows.into_iter().find_map(|row| {
        let id = fits(row.path, rest)?;
        Some(Route { op: row.op, azure, deployment, id })
    })
}

fn split(path: &str) -> Option<(bool, Option<&str>, &str)> {
    if let Some(rest) = path.strip_prefix("/openai/deployments/") {
        let (deployment, rest) = rest.split_once('/')?;
        return Some((true, Some(deployment), rest));
    }
    PREFIXES.iter().find_map(|(prefix, azure)| Some((*azure, None, path.strip_prefix(prefix)?)))
}

/// Some when the path is that of the pattern, with the segment behind the asterisk if there is one.
fn fits<'a>(pattern: &str, path: &'a str) -> Option<Option<&'a str>> {
    let Some((before, after)) = pattern.split_once('*') else {
        return (pattern == path).then_some(None);
    };
    let id = path.strip_prefix(before)?.strip_suffix(after)?;
    (!id.is_empty() && !id.contains('/')).then_some(Some(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_reachable_under_every_prefix_it_claims() {
        for row in ROWS {
            let id = row.path.contains('*').then_some("resp_1");
            let path = row.path.replace('*', "resp_1");
            for (prefix, azure) in PREFIXES {
                let path = format!("{prefix}{path}");
                let found = find(&row.method, &path).map(|r| (r.op, r.azure, r.id));
                let expected = (row.azure || !azure).then_some((row.op, *azure, id));
                assert_eq!(found, expected, "{path}");
            }
            assert_eq!(find(&Method::PUT, &format!("/v1/{path}")), None);
        }
    }

    #[test]
    fn deployment_paths_name_their_deployment() {
        let path = "/openai/deployments/my-deploy/chat/completions";
        let route = Route { op: Op::Chat, azure: true, deployment: Some("my-deploy"), id: None };
        assert_eq!(find(&Method::POST, path), Some(route));
        assert_eq!(find(&Method::POST, "/openai/deployments/my-deploy"), None);
        assert_eq!(find(&Method::POST, "/v2/chat/completions"), None);
        assert_eq!(find(&Method::GET, "/v1/responses/"), None);
        assert_eq!(find(&Method::GET, "/v1/responses/a/b"), None);
    }
}
