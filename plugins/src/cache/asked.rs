//! `cache` in the body of a request: what it wants of the cache. What is not understood there says nothing, as with
//! LiteLLM. The header `cache-control` says nothing either.

use serde_json::{Map, Value};
use std::time::Duration;
use weir_core::body::JsonBody;
use weir_core::domain::cached::CachedAnswer;
use weir_core::time::Micros;

/// Nobody means more by it.
const LONGEST: f64 = 366.0 * 86_400.0;
/// Bytes of a namespace that tell it from others.
const NAMESPACE: usize = 128;

/// What a request wants.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Asked {
    /// A new answer, which is kept.
    pub no_cache: bool,
    /// This answer is not kept.
    pub no_store: bool,
    /// Needed where answers are cached on demand only.
    pub use_cache: bool,
    /// How long the answer is good for.
    pub ttl: Option<Duration>,
    /// An older answer is none.
    pub max_age: Option<Duration>,
    pub namespace: Option<String>,
}

impl Asked {
    /// `None`: the request wants nothing to do with it (`caching: false`).
    pub fn of(body: &JsonBody) -> Option<Self> {
        if body.raw("caching") == Some("false") {
            return None;
        }
        let said: Map<String, Value> =
            body.raw("cache").and_then(|raw| serde_json::from_str(raw).ok()).unwrap_or_default();
        let is = |name: &str| said.get(name).and_then(Value::as_bool).unwrap_or(false);
        let seconds = |name: &str| said.get(name).and_then(seconds);
        let namespace = said.get("namespace").and_then(Value::as_str).filter(|name| !name.is_empty());
        Some(Self {
            no_cache: is("no-cache"),
            no_store: is("no-store"),
            use_cache: is("use-cache"),
            ttl: seconds("ttl"),
            max_age: seconds("s-maxage").or_else(|| seconds("s-max-age")),
            namespace: namespace.map(|name| name[..name.floor_char_boundary(NAMESPACE)].to_owned()),
        })
    }

    /// Whether an answer is young enough.
    pub fn accepts(&self, answer: &CachedAnswer, now: Micros) -> bool {
        let most = self.max_age.map(|most| i64::try_from(most.as_micros()).unwrap_or(i64::MAX));
        answer.left(now) > 0 && most.is_none_or(|most| answer.age(now) <= most)
    }

    /// Whether a kept answer may be any good.
    pub fn reads(&self) -> bool {
        !self.no_cache && self.max_age.is_none_or(|most| !most.is_zero())
    }
}

/// Not negative; a number, or text that is one.
fn seconds(value: &Value) -> Option<Duration> {
    let seconds = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())?;
    (seconds >= 0.0).then(|| Duration::from_secs_f64(seconds.min(LONGEST)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use weir_core::domain::usage::{Usage, UsageSource};

    fn asked(text: &str) -> Option<Asked> {
        Asked::of(&JsonBody::parse(Bytes::copy_from_slice(text.as_bytes())).unwrap())
    }

    fn kept(at: i64, until: i64) -> CachedAnswer {
        CachedAnswer {
            at: Micros(at),
            until: Micros(until),
            deployment_id: String::new(),
            group: String::new(),
            usage: Usage::default(),
            usage_source: UsageSource::None,
            body: Bytes::new(),
        }
    }

    #[test]
    fn litellms_words_are_understood() {
        let all = r#"{"cache":{"no-cache":true,"no-store":true,"use-cache":true,"ttl":1.5,"s-maxage":"60","namespace":"n"}}"#;
        let all = asked(all).unwrap();
        assert!(all.no_cache && all.no_store && all.use_cache && !all.reads());
        assert_eq!(
            (all.ttl, all.max_age),
            (Some(Duration::from_millis(1_500)), Some(Duration::from_secs(60)))
        );
        assert_eq!(all.namespace.as_deref(), Some("n"));
        assert_eq!(asked(r#"{"caching":false}"#), None);
    }

    #[test]
    fn what_is_none_of_them_says_nothing() {
        for text in [
            "{}",
            r#"{"cache":true}"#,
            r#"{"cache":null}"#,
            r#"{"cache":{"ttl":-1,"no-cache":"yes","s-maxage":"soon","namespace":7,"other":1}}"#,
            r#"{"caching":true}"#,
        ] {
            assert_eq!(asked(text), Some(Asked::default()), "{text}");
        }
        let long = format!(r#"{{"cache":{{"ttl":1e300,"namespace":"{}"}}}}"#, "é".repeat(1_000));
        let long = asked(&long).unwrap();
        assert_eq!(long.namespace.unwrap().len(), NAMESPACE);
        assert_eq!(long.ttl, Some(Duration::from_secs_f64(LONGEST)));
    }

    #[test]
    fn an_answer_is_taken_while_it_is_good_and_young_enough() {
        let answer = kept(1_000_000, 61_000_000);
        let accepts = |text: &str, now: i64| asked(text).unwrap().accepts(&answer, Micros(now));
        assert!(accepts("{}", 60_000_000) && !accepts("{}", 61_000_000));
        let young = r#"{"cache":{"s-maxage":2}}"#;
        assert!(accepts(young, 3_000_000) && !accepts(young, 3_000_001));
        assert!(!asked(r#"{"cache":{"s-maxage":0}}"#).unwrap().reads());
    }
}
