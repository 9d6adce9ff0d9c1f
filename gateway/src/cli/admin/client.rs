//! Asking a gateway that runs somewhere, as its API is asked.

use crate::upstream::roots;
use anyhow::{Context, anyhow, bail};
use bytes::Bytes;
use clap::Args;
use http::{Method, Request, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as Http;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rustls::ClientConfig;
use rustls::crypto::ring;
use serde_json::Value;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use weir_core::config::Env;
use weir_core::{ExposeSecret, SecretString};

// Which gateway, and as whom. A key is never an argument: those are seen by everybody on the machine. (No doc comment:
// clap would make it the help of each command.)
#[derive(Args)]
pub(in crate::cli) struct Connection {
    /// The gateway's address; by default WEIR_URL, LITELLM_PROXY_URL, or http://127.0.0.1:4000.
    #[arg(long, global = true, value_name = "URL")]
    url: Option<String>,
    /// A file with the key, or `-` for standard input; by default LITELLM_PROXY_API_KEY or LITELLM_MASTER_KEY.
    #[arg(long, global = true, value_name = "FILE")]
    key_file: Option<PathBuf>,
}

/// A connection to one gateway.
pub(super) struct Client {
    base: String,
    key: SecretString,
    http: Http<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

const CONNECT: Duration = Duration::from_secs(10);
/// For a whole request: reports over years take a while.
const PATIENCE: Duration = Duration::from_secs(120);
const LARGEST: usize = 256 << 20;
const LARGEST_KEY: u64 = 64 << 10;

/// Names and values of a query.
pub(super) type Query = Vec<(&'static str, String)>;

impl Client {
    pub(super) fn open(to: &Connection, env: &Env) -> anyhow::Result<Self> {
        let named = ["WEIR_URL", "LITELLM_PROXY_URL"].iter().find_map(|name| env.filled(name));
        let base = to.url.as_deref().or(named).unwrap_or("http://127.0.0.1:4000");
        let base = base.trim_end_matches('/').to_owned();
        if !["http://", "https://"].iter().any(|scheme| base.starts_with(scheme)) {
            bail!("{base:?} is no address: write it like https://gateway.example");
        }
        Ok(Self { base, key: key(to.key_file.as_deref(), env)?, http: http(env)? })
    }

    /// The answer's text.
    ///
    /// # Errors
    /// The gateway cannot be reached, or says no: then in its words.
    pub(super) async fn ask(
        &self,
        method: Method,
        path: &str,
        query: &Query,
        body: Option<&Value>,
    ) -> anyhow::Result<String> {
        let url = format!("{}{path}{}", self.base, query_text(query));
        let request = Request::builder()
            .method(method)
            .uri(&url)
            .header(header::AUTHORIZATION, format!("Bearer {}", self.key.expose_secret()))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::from(body.map(Value::to_string).unwrap_or_default()))
            .context("the key or the address holds what cannot be sent")?;
        let (status, text) = tokio::time::timeout(PATIENCE, self.exchange(request))
            .await
            .map_err(|_| anyhow!("{} does not answer", self.base))??;
        if (200..300).contains(&status) { Ok(text) } else { bail!("{status}: {}", told(&text)) }
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> anyhow::Result<(u16, String)> {
        let answer = self.http.request(request).await;
        let answer = answer.with_context(|| format!("{} cannot be reached", self.base))?;
        let status = answer.status().as_u16();
        let body = Limited::new(answer.into_body(), LARGEST).collect().await;
        let body = body.map_err(|e| anyhow!("the answer ended early: {e}"))?.to_bytes();
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }
}

fn http(env: &Env) -> anyhow::Result<Http<HttpsConnector<HttpConnector>, Full<Bytes>>> {
    let mut plain = HttpConnector::new();
    plain.enforce_http(false);
    plain.set_connect_timeout(Some(CONNECT));
    let trusted = roots::store(env.filled("SSL_CERT_FILE"), env)?;
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(trusted)
        .with_no_client_auth();
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http()
        .enable_http1()
        .wrap_connector(plain);
    Ok(Http::builder(TokioExecutor::new()).build(connector))
}

fn key(file: Option<&Path>, env: &Env) -> anyhow::Result<SecretString> {
    let text = match file {
        Some(path) if path == Path::new("-") => bounded(&mut std::io::stdin().lock())?,
        Some(path) => {
            let file = std::fs::File::open(path);
            bounded(&mut file.with_context(|| format!("{} cannot be read", path.display()))?)?
        }
        None => {
            let named =
                ["LITELLM_PROXY_API_KEY", "LITELLM_MASTER_KEY"].iter().find_map(|name| env.filled(name));
            named.context("no key: set LITELLM_MASTER_KEY, or name a file with --key-file")?.to_owned()
        }
    };
    match text.trim() {
        "" => bail!("the key is empty"),
        key => Ok(SecretString::from(key)),
    }
}

/// A short text.
pub(super) fn bounded(from: &mut dyn Read) -> anyhow::Result<String> {
    let mut text = String::new();
    from.take(LARGEST_KEY).read_to_string(&mut text)?;
    Ok(text)
}

fn query_text(query: &Query) -> String {
    let pairs: Vec<String> = query
        .iter()
        .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)))
        .collect();
    if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
}

/// What an error says, whichever shape it has; control characters would write to the terminal.
fn told(text: &str) -> String {
    let parsed: Value = serde_json::from_str(text).unwrap_or_default();
    let places = ["/error/message", "/detail/error", "/detail/message", "/detail", "/error", "/message"];
    let found = places.iter().find_map(|place| parsed.pointer(place)?.as_str());
    found.unwrap_or(text).chars().filter(|c| !c.is_control()).take(2_000).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_told_in_the_gateways_words() {
        for (answer, expected) in [
            (r#"{"error": {"message": "no\u001b[31m such key", "code": "404"}}"#, "no[31m such key"),
            (r#"{"detail": {"error": "Team not found"}}"#, "Team not found"),
            (r#"{"detail": "Not Found"}"#, "Not Found"),
            ("<html>Bad Gateway</html>", "<html>Bad Gateway</html>"),
        ] {
            assert_eq!(told(answer), expected);
        }
    }

    #[test]
    fn what_is_asked_for_cannot_change_the_question() {
        let query = vec![("key_alias", String::from("a&b=c d")), ("page", String::from("1"))];
        assert_eq!(query_text(&query), "?key_alias=a%26b%3Dc%20d&page=1");
    }
}
