//! Sessions as browsers present them: a cookie, and for whatever changes something a header that only a page of ours can
//! send.

use crate::domain::ids::KeyHash;
use http::{HeaderMap, header};
use subtle::ConstantTimeEq;

pub const COOKIE: &str = "weir_session";
pub const CSRF_HEADER: &str = "x-weir-csrf";

/// How every token begins, so that neither a key in a cookie nor a token in place of a key is ever looked up.
pub const PREFIX: &str = "weir-session-";

/// A token is about fifty characters.
const LONGEST: usize = 128;

/// The value of a cookie.
pub fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = all.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(|(key, _)| *key == name).map(|(_, value)| value).next()
}

/// The token of the session, if there is something like one.
pub fn token(headers: &HeaderMap) -> Option<&str> {
    cookie(headers, COOKIE).filter(|token| token.starts_with(PREFIX) && token.len() <= LONGEST)
}

/// What writes must carry in [`CSRF_HEADER`]. It follows from the token, and not the other way.
pub fn csrf(token: &str) -> String {
    KeyHash::of(&format!("weir csrf {token}")).hex()
}

/// Whether a request carries it. In constant time.
pub fn has_csrf(headers: &HeaderMap, token: &str) -> bool {
    let sent = headers.get(CSRF_HEADER).map(|value| value.as_bytes()).unwrap_or_default();
    sent.ct_eq(csrf(token).as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn with(cookie: &'static str) -> HeaderMap {
        [(header::COOKIE, HeaderValue::from_static(cookie))].into_iter().collect()
    }

    #[test]
    fn a_token_is_found_among_cookies() {
        assert_eq!(token(&with("a=b; weir_session=weir-session-1; c=d")), Some("weir-session-1"));
        for none in ["", "weir_session=sk-1234", "xweir_session=weir-session-1", "weir_session"] {
            assert_eq!(token(&with(none)), None, "{none}");
        }
    }

    #[test]
    fn p37_a_write_needs_the_header_of_its_own_session() {
        let mut headers = HeaderMap::new();
        assert!(!has_csrf(&headers, "weir-session-1"));
        headers.insert(CSRF_HEADER, csrf("weir-session-2").parse().unwrap());
        assert!(!has_csrf(&headers, "weir-session-1") && has_csrf(&headers, "weir-session-2"));
    }
}
