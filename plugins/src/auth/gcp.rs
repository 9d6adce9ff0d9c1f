//! Google Cloud's access tokens: a service account's key signs a JWT, which is exchanged for a token that lasts an hour.
//!
//! [`Credentials`] come from `vertex_credentials` (a path or the JSON itself), from the environment, or from the
//! metadata server of the machine; [`TokenRequest`] says what to ask whom; [`TokenCache`] keeps tokens while they last.
//! Sources: RFC 7523; Google's "Using OAuth 2.0 for server to server applications"; AIP-4110.

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use moka::Expiry;
use moka::future::Cache;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};
use weir_core::config::env::Env;
use weir_core::{ExposeSecret, SecretString};

/// What Vertex AI wants a token to be good for.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
const TOKEN_URI: &str = "https://oauth2.googleapis.com/token";
const GRANT_JWT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// Google accepts assertions for an hour at most.
const ASSERTION_SECONDS: i64 = 3600;
const METADATA_HOST: &str = "metadata.google.internal";
const METADATA_PATH: &str = "/computeMetadata/v1/instance/service-accounts/default/token";

/// Variables that may name credentials, first set wins: LiteLLM's, then Google's own.
static VARIABLES: &[&str] = &["VERTEXAI_CREDENTIALS", "GOOGLE_APPLICATION_CREDENTIALS"];

/// Why there is no token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GcpError {
    #[error("cannot read Google credentials from {path}: {why}")]
    File { path: String, why: String },
    /// Never shows the credentials themselves.
    #[error("Google credentials: {0}")]
    Malformed(String),
    #[error("cannot sign for Google: {0}")]
    Sign(String),
    #[error("Google's token endpoint: {0}")]
    Refused(String),
}

/// Who we are towards Google. Debug shows no secret.
#[derive(Clone)]
pub enum Credentials {
    ServiceAccount(Arc<ServiceAccount>),
    /// What `gcloud auth application-default login` leaves behind.
    User(Arc<User>),
    /// The service account of the machine or pod.
    Metadata {
        host: String,
    },
}

pub struct ServiceAccount {
    email: String,
    key: EncodingKey,
    key_id: Option<String>,
    token_uri: String,
    project: Option<String>,
}

pub struct User {
    client_id: String,
    client_secret: SecretString,
    refresh_token: SecretString,
    token_uri: String,
    project: Option<String>,
}

/// What to send for a token: a form to post, or an address to get.
pub struct TokenRequest {
    pub url: String,
    /// Empty: a GET.
    pub form: Vec<(&'static str, SecretString)>,
    pub headers: Vec<(&'static str, &'static str)>,
}

/// An access token and how long it is good.
#[derive(Clone, Debug)]
pub struct Token {
    pub secret: SecretString,
    pub lasts: Duration,
}

#[derive(Deserialize)]
struct File {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    project_id: Option<String>,
    #[serde(default)]
    quota_project_id: Option<String>,
    #[serde(default)]
    client_email: Option<String>,
    #[serde(default)]
    private_key: Option<String>,
    #[serde(default)]
    private_key_id: Option<String>,
    #[serde(default)]
    token_uri: Option<String>,
    #[serde(default)]
    client_id: Option<String>,
    #[serde(default)]
    client_secret: Option<String>,
    #[serde(default)]
    refresh_token: Option<String>,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    scope: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
}

// --- Credentials ---

impl Credentials {
    /// `setting`: `vertex_credentials`. `read` reads a file. Without any the metadata server is asked.
    pub fn find(
        setting: Option<&str>,
        env: &Env,
        read: impl Fn(&str) -> std::io::Result<String>,
    ) -> Result<Self, GcpError> {
        let from_env = || VARIABLES.iter().find_map(|name| env.filled(name));
        let Some(found) = setting.filter(|s| !s.trim().is_empty()).or_else(from_env) else {
            let host = env.filled("GCE_METADATA_HOST").unwrap_or(METADATA_HOST);
            return Ok(Credentials::Metadata { host: host.to_owned() });
        };
        if found.trim_start().starts_with('{') {
            return Self::parse(found);
        }
        let json = read(found).map_err(|e| GcpError::File { path: found.to_owned(), why: e.to_string() })?;
        Self::parse(&json)
    }

    /// The JSON of a service account or of gcloud's login.
    pub fn parse(json: &str) -> Result<Self, GcpError> {
        // serde's message may quote what it read, so it says where and not what.
        let file: File = serde_json::from_str(json)
            .map_err(|e| malformed(format!("bad JSON at line {} column {}", e.line(), e.column())))?;
        match file.kind.as_str() {
            "service_account" => ServiceAccount::read(file).map(|a| Credentials::ServiceAccount(Arc::new(a))),
            "authorized_user" => User::read(file).map(|u| Credentials::User(Arc::new(u))),
            other => Err(malformed(format!(
                "type {other:?} is not supported; use a service account's key, or the machine's own account"
            ))),
        }
    }

    /// The project that the credentials belong to.
    pub fn project(&self) -> Option<&str> {
        match self {
            Credentials::ServiceAccount(account) => account.project.as_deref(),
            Credentials::User(user) => user.project.as_deref(),
            Credentials::Metadata { .. } => None,
        }
    }

    /// `now`: Unix seconds.
    pub fn request(&self, now: i64) -> Result<TokenRequest, GcpError> {
        match self {
            Credentials::ServiceAccount(account) => account.request(now),
            Credentials::User(user) => Ok(user.request()),
            Credentials::Metadata { host } => Ok(TokenRequest {
                url: format!("http://{host}{METADATA_PATH}"),
                form: Vec::new(),
                headers: vec![("metadata-flavor", "Google")],
            }),
        }
    }

    /// Tells credentials apart without telling them.
    fn cache_key(&self) -> String {
        match self {
            Credentials::ServiceAccount(account) => {
                format!("{} {}", account.email, account.key_id.as_deref().unwrap_or_default())
            }
            // The refresh token tells logins of one program apart; it stays in memory.
            Credentials::User(user) => format!("{} {}", user.client_id, user.refresh_token.expose_secret()),
            Credentials::Metadata { host } => host.clone(),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Credentials::ServiceAccount(account) => write!(f, "ServiceAccount({})", account.email),
            Credentials::User(user) => write!(f, "User({})", user.client_id),
            Credentials::Metadata { host } => write!(f, "Metadata({host})"),
        }
    }
}

fn malformed(why: impl Into<String>) -> GcpError {
    GcpError::Malformed(why.into())
}

fn need<T>(value: Option<T>, name: &str) -> Result<T, GcpError> {
    value.ok_or_else(|| malformed(format!("{name} is missing")))
}

// --- ServiceAccount and User ---

impl ServiceAccount {
    fn read(file: File) -> Result<Self, GcpError> {
        let pem = need(file.private_key, "private_key")?;
        let key = EncodingKey::from_rsa_pem(pem.as_bytes())
            .map_err(|_| malformed("private_key is no RSA key in PEM"))?;
        Ok(Self {
            email: need(file.client_email, "client_email")?,
            key,
            key_id: file.private_key_id,
            token_uri: file.token_uri.unwrap_or_else(|| TOKEN_URI.to_owned()),
            project: file.project_id,
        })
    }

    fn request(&self, now: i64) -> Result<TokenRequest, GcpError> {
        let claims = Claims {
            iss: &self.email,
            scope: SCOPE,
            aud: &self.token_uri,
            iat: now,
            exp: now.saturating_add(ASSERTION_SECONDS),
        };
        let header = Header { kid: self.key_id.clone(), ..Header::new(Algorithm::RS256) };
        let assertion =
            jsonwebtoken::encode(&header, &claims, &self.key).map_err(|e| GcpError::Sign(e.to_string()))?;
        let form = vec![("grant_type", GRANT_JWT.into()), ("assertion", assertion.into())];
        Ok(TokenRequest { url: self.token_uri.clone(), form, headers: Vec::new() })
    }
}

impl User {
    fn read(file: File) -> Result<Self, GcpError> {
        Ok(Self {
            client_id: need(file.client_id, "client_id")?,
            client_secret: need(file.client_secret, "client_secret")?.into(),
            refresh_token: need(file.refresh_token, "refresh_token")?.into(),
            token_uri: file.token_uri.unwrap_or_else(|| TOKEN_URI.to_owned()),
            project: file.quota_project_id.or(file.project_id),
        })
    }

    fn request(&self) -> TokenRequest {
        let form = vec![
            ("grant_type", "refresh_token".into()),
            ("client_id", self.client_id.clone().into()),
            ("client_secret", self.client_secret.clone()),
            ("refresh_token", self.refresh_token.clone()),
        ];
        TokenRequest { url: self.token_uri.clone(), form, headers: Vec::new() }
    }
}

// --- TokenRequest and Token ---

impl TokenRequest {
    /// The form as `application/x-www-form-urlencoded`.
    pub fn body(&self) -> SecretString {
        let encode = |text: &str| {
            percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
        };
        let pairs = self.form.iter().map(|(name, value)| format!("{name}={}", encode(value.expose_secret())));
        pairs.collect::<Vec<_>>().join("&").into()
    }
}

impl Token {
    /// The endpoint's answer.
    pub fn read(status: u16, body: &[u8]) -> Result<Self, GcpError> {
        #[derive(Deserialize)]
        struct Granted {
            access_token: String,
            #[serde(default)]
            expires_in: u64,
        }
        #[derive(Deserialize)]
        struct Denied {
            error: String,
            #[serde(default)]
            error_description: String,
        }
        if status == 200 {
            let granted: Granted = serde_json::from_slice(body)
                .map_err(|_| GcpError::Refused("an answer without a token".into()))?;
            let lasts = Duration::from_secs(granted.expires_in);
            return Ok(Self { secret: granted.access_token.into(), lasts });
        }
        let why = serde_json::from_slice(body)
            .map(|denied: Denied| format!("{}: {}", denied.error, denied.error_description));
        Err(GcpError::Refused(why.unwrap_or_else(|_| format!("status {status}"))))
    }
}

// --- TokenCache ---

/// Tokens by credentials. Many who ask at once make one request; a failure is not kept.
#[derive(Clone, Debug)]
pub struct TokenCache {
    tokens: Cache<String, Token>,
}

/// Deployments with different credentials; more than that is a configuration nobody has.
const MAX_TOKENS: u64 = 1_000;
/// A token is not used in its last minutes: a request that waits in a queue must not find it expired.
const MARGIN: Duration = Duration::from_secs(300);

struct UntilExpired;

impl Expiry<String, Token> for UntilExpired {
    fn expire_after_create(&self, _: &String, token: &Token, _: Instant) -> Option<Duration> {
        Some(token.lasts.saturating_sub(MARGIN).max(token.lasts / 2))
    }
}

impl Default for TokenCache {
    fn default() -> Self {
        Self { tokens: Cache::builder().max_capacity(MAX_TOKENS).expire_after(UntilExpired).build() }
    }
}

impl TokenCache {
    /// The token, from the cache or from `fetch`, which sends the request and reads the answer with [`Token::read`].
    /// `now`: Unix seconds.
    pub async fn get<F>(
        &self,
        credentials: &Credentials,
        now: i64,
        fetch: impl FnOnce(TokenRequest) -> F,
    ) -> Result<Token, GcpError>
    where
        F: Future<Output = Result<Token, GcpError>>,
    {
        let fetched = async { fetch(credentials.request(now)?).await };
        let found = self.tokens.try_get_with(credentials.cache_key(), fetched).await;
        found.map_err(|e: Arc<GcpError>| GcpError::clone(&e))
    }
}

#[cfg(test)]
mod tests;
