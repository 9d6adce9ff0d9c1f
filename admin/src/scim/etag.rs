//! Versions of resources, and requests that depend on one (RFC 7644, section 3.14). A version is of the whole resource: of
//! a user with the groups, of a group with the members. Where those were not read, nothing is said of it.

use super::answer::{Fault, Told};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderName, StatusCode, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use std::convert::Infallible;
use weir_core::domain::records::Kept;

/// What a request says of the version that it began from.
pub(super) struct Conditions {
    if_match: Option<String>,
    if_none_match: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Conditions {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let told = |name: HeaderName| {
            let values = parts.headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
            let values: Vec<&str> = values.collect();
            (!values.is_empty()).then(|| values.join(","))
        };
        Ok(Self { if_match: told(header::IF_MATCH), if_none_match: told(header::IF_NONE_MATCH) })
    }
}

impl Conditions {
    /// Whether a change is only to be made to the version that the client has.
    pub(super) fn depend(&self) -> bool {
        self.if_match.is_some()
    }

    /// # Errors
    /// 412 where the client has another version.
    pub(super) fn met_by(&self, version: &str) -> Result<(), Fault> {
        match &self.if_match {
            Some(list) if !names(list, version) => Err(Fault::stale()),
            _ => Ok(()),
        }
    }

    /// What a change came to: to who was late, the version is no longer the one.
    pub(super) fn judged(&self, done: Result<(), Fault>) -> Result<(), Fault> {
        done.map_err(|fault| if self.depend() && fault.is_conflict() { Fault::stale() } else { fault })
    }

    /// 304 instead of what the client has already.
    pub(super) fn told(&self, Told(status, body): Told) -> Told {
        let version = body["meta"]["version"].as_str();
        let known = self.if_none_match.as_ref().zip(version).is_some_and(|(list, v)| names(list, v));
        Told(if known { StatusCode::NOT_MODIFIED.as_u16() } else { status }, body)
    }
}

/// Whether the version is in a list. SCIM's clients send weak ones in either header.
fn names(list: &str, version: &str) -> bool {
    list.split(',').map(str::trim).any(|one| one == "*" || opaque(one) == opaque(version))
}

fn opaque(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"')
}

/// `beside`: id and name of whatever is told with the record and has one of its own.
pub(super) fn version<'t, T>(kept: &Kept<T>, beside: impl Iterator<Item = [&'t str; 2]>) -> String {
    let mut hash = Sha256::new();
    hash.update(kept.created_at.0.to_le_bytes());
    hash.update(kept.version.to_le_bytes());
    for text in beside.flatten() {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    }
    format!("W/\"{}\"", URL_SAFE_NO_PAD.encode(&hash.finalize()[..12]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_core::time::Micros;

    fn kept(version: i64) -> Kept<()> {
        let at = Micros(1);
        Kept { record: (), version, created_at: at, created_by: None, updated_at: at, updated_by: None }
    }

    #[test]
    fn a_version_is_of_all_that_is_told() {
        let of = |number: i64, beside: &[[&'static str; 2]]| version(&kept(number), beside.iter().copied());
        let first = of(1, &[["a", "b"]]);
        assert!(first.starts_with("W/\"") && first.ends_with('"') && first.len() == 20, "{first}");
        assert_eq!(first, of(1, &[["a", "b"]]));
        for other in [of(2, &[["a", "b"]]), of(1, &[]), of(1, &[["ab", ""]]), of(1, &[["a", "c"]])] {
            assert_ne!(first, other);
        }
    }

    #[test]
    fn versions_are_found_in_lists() {
        for (list, holds) in [
            ("W/\"a\"", true),
            ("\"a\"", true),
            ("W/\"b\", W/\"a\"", true),
            ("*", true),
            ("W/\"b\"", false),
            ("", false),
        ] {
            let asked = Conditions { if_match: Some(list.to_owned()), if_none_match: None };
            assert_eq!(asked.met_by("W/\"a\"").is_ok(), holds, "{list}");
        }
        let nothing = Conditions { if_match: None, if_none_match: None };
        assert!(nothing.met_by("W/\"a\"").is_ok() && !nothing.depend());
    }
}
