//! Paths of raw requests: what is refused, and how they are put behind a base.

use percent_encoding::percent_decode_str;
use std::borrow::Cow;
use weir_core::error::{ApiError, Kind};

/// A path encoded more often than this is refused.
const MOST_CODINGS: usize = 4;

/// The path as it may go out: escapes of characters that need none are undone, so that it reads in one way only.
///
/// # Errors
/// 400 for dot segments, however they are encoded, and for what cannot stand in a path.
pub fn guarded(path: &str) -> Result<String, ApiError> {
    let plain = unescaped(path);
    let mut seen: Cow<'_, str> = Cow::Borrowed(&plain);
    for _ in 0..MOST_CODINGS {
        check(&seen)?;
        let decoded = percent_decode_str(&seen).decode_utf8().map_err(|_| refused("is not UTF-8"))?;
        if decoded == seen {
            return Ok(plain);
        }
        seen = Cow::Owned(decoded.into_owned());
    }
    Err(refused("is encoded again and again"))
}

fn check(path: &str) -> Result<(), ApiError> {
    if path.chars().any(|c| c.is_control() || c == '\\') {
        return Err(refused("holds what no path may hold"));
    }
    // A parameter behind a semicolon does not make another segment of it.
    let dots = |segment: &str| matches!(segment.split(';').next(), Some("." | ".."));
    if path.split('/').any(dots) { Err(refused("holds a dot segment")) } else { Ok(()) }
}

fn refused(why: &str) -> ApiError {
    ApiError::new(Kind::BadRequest, format!("The path {why} and is not passed through."))
}

/// RFC 3986, section 6.2.2.2.
fn unescaped(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        let byte = after.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match byte.filter(|b| b.is_ascii_alphanumeric() || b"-._~".contains(b)) {
            Some(byte) => {
                out.push(char::from(byte));
                rest = &after[2..];
            }
            None => {
                out.push('%');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

/// A path behind the path of a base. What both of them have is there once: bases end in `/v1` or `/openai`, and
/// clients begin with it.
pub(super) fn joined(base: &str, path: &str) -> String {
    let base = base.trim_end_matches('/');
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    let mut segments = base.rmatch_indices('/').map(|(at, _)| at);
    let twice = segments.find(|at| base[at + 1..].split('/').next() == Some(first) && !first.is_empty());
    let base = &base[..twice.unwrap_or(base.len())];
    let slash = if path.is_empty() || path.starts_with('/') { "" } else { "/" };
    format!("{base}{slash}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_encoding_of_dots_leaves_the_prefix() {
        for path in [
            "/../admin",
            "/v1/../../x",
            "/v1/..",
            "/./x",
            "/%2e%2e/x",
            "/%2E./x",
            "/.%2e/x",
            "/v1%2f..%2fx",
            "/%252e%252e/x",
            "/%25252e%25252e/x",
            "/v1\\..\\x",
            "/v1%5c..%5cx",
            "/..;a=b/x",
            "/a%00b",
            "/a%0d%0ab",
            "/%ff",
            "/%2525252525252541",
        ] {
            assert!(guarded(path).is_err(), "{path}: {:?}", guarded(path));
        }
    }

    #[test]
    fn other_paths_stay_but_for_needless_escapes() {
        for (path, sent) in [
            ("/v1/messages", "/v1/messages"),
            ("/v1/files/a..b", "/v1/files/a..b"),
            ("/mod%65ls/x%3Ay", "/models/x%3Ay"),
            ("/model/arn%3Aaws%2Fx/converse", "/model/arn%3Aaws%2Fx/converse"),
            ("/a%20b%", "/a%20b%"),
        ] {
            assert_eq!(guarded(path).unwrap(), sent);
        }
    }

    #[test]
    fn what_base_and_path_share_is_there_once() {
        for (base, path, whole) in [
            ("", "/v1/messages", "/v1/messages"),
            ("/v1", "/v1/files", "/v1/files"),
            ("/v1", "/files", "/v1/files"),
            ("/openai/v1", "/openai/deployments/x", "/openai/deployments/x"),
            ("/proxy/openai/", "/openai/v1/x", "/proxy/openai/v1/x"),
            ("/proxy", "/v1/x", "/proxy/v1/x"),
            ("/proxy", "", "/proxy"),
        ] {
            assert_eq!(joined(base, path), whole);
        }
    }
}
