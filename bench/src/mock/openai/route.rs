//! Which paths exist. Azure has the same operations as OpenAI, under three prefixes of its own.

use http::Method;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    Chat,
    Completions,
    Embeddings,
    Models,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Route<'a> {
    pub(super) op: Op,
    /// Chat errors look different under Azure's prefixes.
    pub(super) azure: bool,
    /// The deployment in the path stands in for a model that the body does not name.
    pub(super) deployment: Option<&'a str>,
}

struct Row {
    method: Method,
    path: &'static str,
    op: Op,
    azure: bool,
}

const ROWS: &[Row] = &[
    Row { method: Method::POST, path: "chat/completions", op: Op::Chat, azure: true },
    Row { method: Method::POST, path: "completions", op: Op::Completions, azure: true },
    Row { method: Method::POST, path: "embeddings", op: Op::Embeddings, azure: true },
    Row { method: Method::GET, path: "models", op: Op::Models, azure: false },
];

/// Longer prefixes stand before the ones that they begin with.
const PREFIXES: &[(&str, bool)] = &[("/openai/v1/", true), ("/openai/", true), ("/v1/", false), ("/", false)];

/// `path` comes without its query.
pub(super) fn find<'a>(method: &Method, path: &'a str) -> Option<Route<'a>> {
    let (azure, deployment, rest) = split(path)?;
    let fits = |row: &&Row| row.path == rest && row.method == *method && (row.azure || !azure);
    ROWS.iter().find(fits).map(|row| Route { op: row.op, azure, deployment })
}

fn split(path: &str) -> Option<(bool, Option<&str>, &str)> {
    if let Some(rest) = path.strip_prefix("/openai/deployments/") {
        let (deployment, rest) = rest.split_once('/')?;
        return Some((true, Some(deployment), rest));
    }
    PREFIXES.iter().find_map(|(prefix, azure)| Some((*azure, None, path.strip_prefix(prefix)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_reachable_under_every_prefix_it_claims() {
        for row in ROWS {
            for (prefix, azure) in PREFIXES {
                let found = find(&row.method, &format!("{prefix}{}", row.path)).map(|r| (r.op, r.azure));
                let expected = (row.azure || !azure).then_some((row.op, *azure));
                assert_eq!(found, expected, "{prefix}{}", row.path);
            }
            assert_eq!(find(&Method::PUT, &format!("/v1/{}", row.path)), None);
        }
    }

    #[test]
    fn deployment_paths_name_their_deployment() {
        let path = "/openai/deployments/my-deploy/chat/completions";
        let route = Route { op: Op::Chat, azure: true, deployment: Some("my-deploy") };
        assert_eq!(find(&Method::POST, path), Some(route));
        assert_eq!(find(&Method::POST, "/openai/deployments/my-deploy"), None);
        assert_eq!(find(&Method::POST, "/v2/chat/completions"), None);
    }
}
