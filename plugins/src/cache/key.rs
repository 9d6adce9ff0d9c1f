//! Which requests are the same: a hash of who may share the answer, of whom is asked, and of all that is asked.

use crate::exchange::Exchange;
use sha2::{Digest, Sha256};
use weir_core::config::CacheScope;
use weir_core::domain::operation::Operation;

/// Members of a body that change nothing of what a model answers. The model is hashed as the group that it stands for.
static IGNORED: &[&str] = &[
    "model",
    "stream",
    "cache",
    "caching",
    "litellm_metadata",
    "litellm_session_id",
    "litellm_trace_id",
    "litellm_call_id",
    "tags",
    "no-log",
    "timeout",
    "stream_timeout",
    "request_timeout",
    "num_retries",
    "max_retries",
    "proxy_server_request",
];

/// Hashes parts so that no two lists of parts are the same bytes.
struct Parts(Sha256);

impl Parts {
    fn add(&mut self, part: &[u8]) {
        self.0.update((part.len() as u64).to_be_bytes());
        self.0.update(part);
    }

    /// JSON without the blanks between its tokens, and what no JSON ends with.
    fn json(&mut self, raw: &str) {
        let hash = &mut self.0;
        compact(raw, |piece| hash.update(piece));
        hash.update([0xff_u8]);
    }
}

/// The key of a request, without its namespace: 64 hex digits. `None`: nobody is asked for it.
pub fn key(x: &Exchange, namespace: &str) -> Option<String> {
    let mut parts = Parts(Sha256::new());
    parts.add(b"weir 1");
    parts.add(namespace.as_bytes());
    shared_by(x, &mut parts)?;
    asked_of(x, &mut parts)?;
    what(x, &mut parts);
    Some(parts.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Whose requests may have one answer.
fn shared_by(x: &Exchange, parts: &mut Parts) -> Option<()> {
    let hash = x.caller.hash()?;
    let team = x.caller.key().and_then(|key| key.team_id.as_deref());
    match (x.snapshot.config.weir.cache_scope, team) {
        (CacheScope::All, _) => parts.add(b"all"),
        (CacheScope::Team, Some(team)) => {
            parts.add(b"team");
            parts.add(team.as_bytes());
        }
        (CacheScope::Team | CacheScope::Key, _) => {
            parts.add(b"key");
            parts.add(hash.bytes());
        }
    }
    Some(())
}

fn asked_of(x: &Exchange, parts: &mut Parts) -> Option<()> {
    let group = x.target.group.as_ref()?;
    parts.add(x.request.operation.row().route.as_bytes());
    parts.add(&[u8::from(x.request.stream)]);
    // What a team calls its own may be what others call theirs.
    let team = group.deployments.first().and_then(|d| d.team.as_ref());
    let mut shared = x.snapshot.config.router.caching_groups.iter().filter(|_| team.is_none());
    if let Some(groups) = shared.find(|groups| groups.contains(&group.name)) {
        parts.add(b"groups");
        groups.iter().for_each(|name| parts.add(name.as_bytes()));
        return Some(());
    }
    parts.add(group.name.as_bytes());
    if let Some(team) = team {
        parts.add(team.as_bytes());
    }
    // One that is asked for by its id answers for itself, and has the name of its group.
    if let [alone] = group.deployments.as_slice() {
        parts.add(alone.id.as_bytes());
    }
    Some(())
}

fn what(x: &Exchange, parts: &mut Parts) {
    // What some guardrails let through others may not.
    parts.add(x.guarded.as_ref().map(|guarded| guarded.applied()).unwrap_or_default().as_bytes());
    parts.add(x.end_user().unwrap_or_default().as_bytes());
    // Asks for something else of the same body.
    parts.add(x.header("anthropic-beta").as_bytes());
    if let Some(form) = &x.request.form {
        for (name, value) in form.texts().filter(|(name, _)| !is_ignored(x, name)) {
            parts.add(name.as_bytes());
            parts.add(value.as_bytes());
        }
        parts.add(b"files");
        for (name, file) in form.files() {
            parts.add(name.as_bytes());
            parts.add(file);
        }
        return;
    }
    let body = &x.request.body;
    let mut members: Vec<_> = body.fields().iter().map(|field| body.name(field)).collect();
    members.sort_unstable();
    for name in members.iter().filter(|name| !is_ignored(x, name)) {
        parts.add(name.as_bytes());
        parts.json(body.raw(name).unwrap_or_default());
    }
}

/// A response tells its metadata again; no other answer does.
fn is_ignored(x: &Exchange, name: &str) -> bool {
    IGNORED.contains(&name) || name == "metadata" && x.request.operation != Operation::Responses
}

/// All of a JSON text but the blanks outside of its texts.
fn compact(raw: &str, mut take: impl FnMut(&[u8])) {
    let bytes = raw.as_bytes();
    let (mut from, mut quoted, mut escaped) = (0, false, false);
    for (at, byte) in bytes.iter().enumerate() {
        let blank = !quoted && byte.is_ascii_whitespace();
        if blank {
            take(&bytes[from..at]);
            from = at + 1;
        }
        quoted ^= *byte == b'"' && !escaped;
        escaped = quoted && *byte == b'\\' && !escaped;
    }
    take(&bytes[from..]);
}

#[cfg(test)]
mod tests {
    use super::compact;

    fn compacted(raw: &str) -> String {
        let mut out = Vec::new();
        compact(raw, |piece| out.extend_from_slice(piece));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn blanks_between_tokens_are_no_difference() {
        for (raw, plain) in [
            ("[ 1,\n\t2 ]", "[1,2]"),
            (r#"{ "a b" : "c  d" }"#, r#"{"a b":"c  d"}"#),
            (r#"" \" x ""#, r#"" \" x ""#),
            (r#"["\\" , " \\\" "]"#, r#"["\\"," \\\" "]"#),
            ("7", "7"),
            ("", ""),
        ] {
            assert_eq!(compacted(raw), plain, "{raw}");
        }
    }
}
