//! What a request says of fallbacks, and what its key or team does.

use crate::exchange::Exchange;
use crate::filters::usable;
use serde_json::Value;
use weir_core::body::JsonBody;

/// One list of fallbacks in a request's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// For any error.
    General,
    /// For a request that is too long.
    ContextWindow,
    /// For one that a filter refuses.
    ContentPolicy,
}

/// Fallbacks of a request, or of a key, that are looked at.
const MOST: usize = 10;

impl List {
    pub const ALL: [List; 3] = [List::General, List::ContextWindow, List::ContentPolicy];

    /// The member of the body.
    pub fn name(self) -> &'static str {
        match self {
            List::General => "fallbacks",
            List::ContextWindow => "context_window_fallbacks",
            List::ContentPolicy => "content_policy_fallbacks",
        }
    }
}

/// The models that a request wants to be asked for this group: `["name", {"group": ["name", …]}, {"model": "name", …}]`,
/// at most ten. What such a member says beside the model is not looked at.
pub fn asked(body: &JsonBody, list: List, group: &str) -> Vec<String> {
    let Some(raw) = body.raw(list.name()) else { return Vec::new() };
    let written: Vec<Value> = serde_json::from_str(raw).unwrap_or_default();
    written.iter().flat_map(|member| names(member, group)).take(MOST).collect()
}

fn names(member: &Value, group: &str) -> Vec<String> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    if let Some(name) = text(member).or_else(|| text(&member["model"])) {
        return vec![name];
    }
    member[group].as_array().into_iter().flatten().filter_map(text).collect()
}

/// The models that the key, or its team, wants to be asked for this group; `None` where they say nothing of it. One that the
/// key may not use is left out: it was written by whoever may change the key.
pub fn of_caller(x: &Exchange, list: List, group: &str) -> Option<Vec<String>> {
    let known = x.caller.principal()?;
    let own = known.routed();
    let lists = match list {
        List::General => &own.fallbacks,
        List::ContextWindow => &own.context_window_fallbacks,
        List::ContentPolicy => &own.content_policy_fallbacks,
    };
    let may = |name: &&String| usable(known, name, &x.snapshot.models).is_ok();
    Some(lists.of(group)?.iter().filter(may).take(MOST).cloned().collect())
}

/// Whether the request, or its key, wants none.
pub fn are_off(x: &Exchange) -> bool {
    let by_key = || x.caller.key().is_some_and(|key| switches_off(&key.metadata));
    x.request.body.is_true("disable_fallbacks") || by_key()
}

fn switches_off(metadata: &str) -> bool {
    const NAME: &str = "disable_fallbacks";
    metadata.contains(NAME)
        && serde_json::from_str::<Value>(metadata).is_ok_and(|metadata| metadata[NAME] == true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn asked_of(fallbacks: &str) -> Vec<String> {
        let body = Bytes::from(format!(r#"{{"fallbacks":{fallbacks}}}"#));
        asked(&JsonBody::parse(body).unwrap(), List::General, "mine")
    }

    #[test]
    fn members_may_be_names_groups_and_requests() {
        assert_eq!(asked_of(r#"["a","b"]"#), ["a", "b"]);
        assert_eq!(asked_of(r#"[{"mine":["a","b"]},{"other":["c"]},"d"]"#), ["a", "b", "d"]);
        assert_eq!(asked_of(r#"[{"model":"a","messages":[]}]"#), ["a"]);
        assert_eq!(asked_of(r#"["x","x","x","x","x","x","x","x","x","x","x"]"#).len(), MOST);
        for junk in ["null", "7", r#""a""#, "[7,null,[],{}]", r#"[{"mine":"a"}]"#] {
            assert!(asked_of(junk).is_empty(), "{junk}");
        }
    }

    #[test]
    fn a_key_may_want_none() {
        assert!(switches_off(r#"{"disable_fallbacks": true}"#));
        for metadata in
            ["", "{}", r#"{"disable_fallbacks": false}"#, r#"{"note": "disable_fallbacks"}"#, "[]"]
        {
            assert!(!switches_off(metadata), "{metadata}");
        }
    }
}
