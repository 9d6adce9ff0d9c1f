//! Access tokens of OAuth: what is sent for one, how the answer is read, and where tokens are kept while they last.
//! [`Source`] is who asks; Google's and Microsoft's differ in what they send only.

use super::entra::Entra;
use super::gcp::Credentials;
use super::http::Http;
use moka::Expiry;
use moka::future::Cache;
use serde::{Deserialize, Deserializer};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use weir_core::config::env::Env;
use weir_core::time::now;
use weir_core::{ExposeSecret, SecretString};

/// Why there is no token. Never shows a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenFault {
    #[error("cannot read {path}: {why}")]
    File { path: String, why: String },
    #[error("bad credentials: {0}")]
    Malformed(String),
    #[error("cannot sign: {0}")]
    Sign(String),
    #[error("refused by the token endpoint: {0}")]
    Refused(String),
    /// Another attempt may do better.
    #[error("the token endpoint does not answer: {0}")]
    Unreachable(String),
}

/// Who asks for tokens. Debug shows no secret.
#[derive(Clone, Debug)]
pub enum Source {
    Google(Credentials),
    Entra(Entra),
}

/// What to send for a token: a form to post, or an address to get.
pub struct TokenRequest {
    pub url: String,
    /// Empty: a GET.
    pub form: Vec<(&'static str, SecretString)>,
    pub headers: Vec<(&'static str, SecretString)>,
}

/// An access token and how long it is good.
#[derive(Clone, Debug)]
pub struct Token {
    pub secret: SecretString,
    pub lasts: Duration,
}

/// A source, and how it is reached. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Identity {
    source: Arc<Source>,
    http: Http,
    /// Over all that makes one source differ from another.
    key: [u8; 32],
}

/// Tokens by identity. Many who ask at once make one request; a failure is not kept. An old token is replaced behind
/// the back of those who use it, so that nobody waits and a short failure of the endpoint is not felt. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tokens {
    kept: Cache<[u8; 32], Arc<Kept>>,
}

#[derive(Debug)]
struct Kept {
    token: Token,
    fresh_until: Instant,
    /// Somebody is after a new one.
    replacing: AtomicBool,
}

/// How long a source may take, name resolution and handshake included.
const PATIENCE: Duration = Duration::from_secs(20);
/// Deployments with different credentials; more than that is a configuration nobody has.
const MAX_TOKENS: u64 = 1_000;
/// A token is replaced this long before it expires.
const MARGIN: Duration = Duration::from_secs(300);
/// A token is not used in its last moments: a request that is on its way must not find it expired.
const LAST: Duration = Duration::from_secs(20);
/// How long a failed replacement is not tried again.
const PAUSE: Duration = Duration::from_secs(15);

// --- Source ---

impl Source {
    async fn request(&self) -> Result<TokenRequest, TokenFault> {
        match self {
            Source::Google(credentials) => credentials.request(now().0 / 1_000_000),
            Source::Entra(entra) => entra.request().await,
        }
    }

    /// Whether all that it sends was written down for it, and goes to Google or Microsoft.
    pub fn is_own(&self) -> bool {
        match self {
            Source::Google(credentials) => credentials.is_own(),
            Source::Entra(entra) => entra.is_own(),
        }
    }

    /// Tells sources apart without telling them.
    fn key(&self) -> [u8; 32] {
        let parts = match self {
            Source::Google(credentials) => credentials.identity(),
            Source::Entra(entra) => entra.identity(),
        };
        let mut hash = Sha256::new();
        for part in parts {
            // Lengths keep "ab" + "c" apart from "a" + "bc".
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        hash.finalize().into()
    }
}

impl Identity {
    /// `env`: for proxies.
    pub fn new(source: Source, env: &Env) -> Self {
        Self { key: source.key(), source: Arc::new(source), http: Http::new(env) }
    }

    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Bounded in time.
    async fn fetch(&self) -> Result<Token, TokenFault> {
        let fetch = async {
            let request = self.source.request().await?;
            let (status, body) = self.http.send(request).await.map_err(TokenFault::Unreachable)?;
            Token::read(status, &body)
        };
        let late = |_| TokenFault::Unreachable(format!("within {} s", PATIENCE.as_secs()));
        tokio::time::timeout(PATIENCE, fetch).await.map_err(late)?
    }
}

// --- TokenRequest and Token ---

impl TokenRequest {
    /// The form as `application/x-www-form-urlencoded`.
    pub fn body(&self) -> SecretString {
        let pairs =
            self.form.iter().map(|(name, value)| format!("{name}={}", encoded(value.expose_secret())));
        pairs.collect::<Vec<_>>().join("&").into()
    }
}

/// For forms and queries.
pub(super) fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    #[serde(default, deserialize_with = "number")]
    expires_in: Option<u64>,
    /// Unix seconds; what some of Azure's endpoints say instead.
    #[serde(default, deserialize_with = "number")]
    expires_on: Option<u64>,
}

#[derive(Deserialize)]
struct Denied {
    error: String,
    #[serde(default)]
    error_description: String,
}

/// Azure's metadata service writes numbers as text. What is neither is not understood.
fn number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    let value = serde_json::Value::deserialize(from)?;
    Ok(value.as_u64().or_else(|| value.as_str()?.parse().ok()))
}

impl Token {
    /// The endpoint's answer.
    pub fn read(status: u16, body: &[u8]) -> Result<Self, TokenFault> {
        if status == 200 {
            let granted: Granted = serde_json::from_slice(body)
                .map_err(|_| TokenFault::Refused("an answer without a token".into()))?;
            return Ok(Self { lasts: granted.lasts(), secret: granted.access_token.into() });
        }
        let why = serde_json::from_slice(body)
            .map(|denied: Denied| format!("{}: {}", denied.error, first_line(&denied.error_description)));
        let why = why.unwrap_or_else(|_| format!("status {status}"));
        if status >= 500 || status == 429 {
            return Err(TokenFault::Unreachable(why));
        }
        Err(TokenFault::Refused(why))
    }
}

impl Granted {
    fn lasts(&self) -> Duration {
        let left = |until: u64| until.saturating_sub(u64::try_from(now().0 / 1_000_000).unwrap_or(0));
        Duration::from_secs(self.expires_in.or(self.expires_on.map(left)).unwrap_or_default())
    }
}

/// Entra's descriptions go on with trace ids.
fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

// --- Tokens ---

impl Kept {
    fn new(token: Token) -> Self {
        let fresh = token.lasts.saturating_sub(MARGIN).max(token.lasts / 2);
        Self { token, fresh_until: Instant::now() + fresh, replacing: AtomicBool::new(false) }
    }
}

struct UntilExpired;

impl Expiry<[u8; 32], Arc<Kept>> for UntilExpired {
    fn expire_after_create(&self, _: &[u8; 32], kept: &Arc<Kept>, _: Instant) -> Option<Duration> {
        let lasts = kept.token.lasts;
        Some(lasts.saturating_sub(LAST).max(lasts / 2))
    }

    fn expire_after_update(
        &self,
        key: &[u8; 32],
        kept: &Arc<Kept>,
        at: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        self.expire_after_create(key, kept, at)
    }
}

impl Default for Tokens {
    fn default() -> Self {
        Self { kept: Cache::builder().max_capacity(MAX_TOKENS).expire_after(UntilExpired).build() }
    }
}

impl Tokens {
    /// A token that is good for a while. Bounded in time.
    ///
    /// # Errors
    /// The source gives none, or does not answer.
    pub async fn get(&self, identity: &Identity) -> Result<Token, TokenFault> {
        if let Some(kept) = self.kept.get(&identity.key).await {
            if Instant::now() >= kept.fresh_until && !kept.replacing.swap(true, Ordering::AcqRel) {
                tokio::spawn(self.clone().replace(identity.clone(), Arc::clone(&kept)));
            }
            return Ok(kept.token.clone());
        }
        let fetch = async { identity.fetch().await.map(|token| Arc::new(Kept::new(token))) };
        let found = self.kept.try_get_with(identity.key, Box::pin(fetch)).await;
        found.map(|kept| kept.token.clone()).map_err(|e: Arc<TokenFault>| TokenFault::clone(&e))
    }

    async fn replace(self, identity: Identity, old: Arc<Kept>) {
        match identity.fetch().await {
            Ok(token) => self.kept.insert(identity.key, Arc::new(Kept::new(token))).await,
            Err(fault) => {
                tracing::warn!(source = ?identity.source, %fault, "an access token is not replaced; the old one is used");
                tokio::time::sleep(PAUSE).await;
                old.replacing.store(false, Ordering::Release);
            }
        }
    }
}

#[cfg(test)]
mod tests;
