//! Whose page sent a request. Signing in has no session yet whose header could be asked for.

use axum::http::{HeaderMap, header};
use weir_core::access::origin;
use weir_core::config::env::Env;
use weir_core::error::{ApiError, Kind};

/// Refuses what a page of another site sends. Programs send no origin and are no browsers that could be tricked.
///
/// # Errors
/// 403.
pub(super) fn own(env: &Env, headers: &HeaderMap) -> Result<(), ApiError> {
    let site = headers.get("sec-fetch-site").map(|site| site.as_bytes());
    let foreign_site = site.is_some_and(|site| site == b"cross-site" || site == b"same-site");
    let foreign = match headers.get(header::ORIGIN) {
        None => foreign_site,
        Some(origin) => !is_own(env, headers, origin.to_str().unwrap_or_default()),
    };
    if !foreign {
        return Ok(());
    }
    Err(ApiError::new(
        Kind::Csrf,
        "This came from a page of another site. Sign in on the gateway's own page.",
    ))
}

/// Schemes are not compared: behind a proxy that ends TLS they differ.
fn is_own(env: &Env, headers: &HeaderMap, sent: &str) -> bool {
    let Some((_, sent)) = sent.split_once("://") else { return false };
    let here = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let told = env.filled("PROXY_BASE_URL").and_then(host_of);
    [here, told].into_iter().flatten().any(|own| own.eq_ignore_ascii_case(sent))
}

fn host_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    rest.split('/').next()
}

/// Where browsers reach the gateway (`PROXY_BASE_URL`, else as this one did), with the path that it is mounted at. No
/// slash at the end.
pub(crate) fn base_url(env: &Env, headers: &HeaderMap) -> String {
    if let Some(told) = env.filled("PROXY_BASE_URL") {
        return told.trim_end_matches('/').to_owned();
    }
    format!("{}{}", origin::base(headers).unwrap_or_default(), env.server_root())
}

/// Whether cookies may travel over TLS only.
pub(super) fn is_secure(env: &Env, headers: &HeaderMap) -> bool {
    origin::is_https(headers) || env.filled("PROXY_BASE_URL").is_some_and(|url| url.starts_with("https://"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn p37_only_pages_of_this_gateway_sign_in() {
        let env = Env::of([("PROXY_BASE_URL", "https://llm.example/weir")]);
        for (headers, ok) in [
            (vec![("host", "a:1")], true),
            (vec![("host", "a:1"), ("origin", "http://a:1")], true),
            (vec![("host", "a:1"), ("origin", "https://llm.example")], true),
            (vec![("host", "a:1"), ("origin", "https://evil.example")], false),
            (vec![("host", "a:1"), ("origin", "http://a:1.evil.example")], false),
            (vec![("host", "a:1"), ("origin", "null")], false),
            (vec![("host", "a:1"), ("sec-fetch-site", "cross-site")], false),
        ] {
            assert_eq!(own(&env, &sent(&headers)).is_ok(), ok, "{headers:?}");
        }
    }

    #[test]
    fn the_address_is_the_operators_or_the_browsers() {
        let headers = sent(&[("host", "a:1"), ("x-weir-scheme", "https")]);
        assert_eq!(base_url(&Env::of([("SERVER_ROOT_PATH", "llm")]), &headers), "https://a:1/llm");
        let told = Env::of([("PROXY_BASE_URL", "http://b/x/"), ("SERVER_ROOT_PATH", "llm")]);
        assert_eq!(base_url(&told, &headers), "http://b/x");
        assert!(is_secure(&Env::default(), &headers) && !is_secure(&told, &sent(&[])));
    }
}
