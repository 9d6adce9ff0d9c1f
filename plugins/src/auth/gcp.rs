//! Google Cloud's access tokens: a service account's key signs a JWT, which is exchanged for a token that lasts an hour.
//!
//! [`Credentials`] come from `vertex_credentials` (a path or the JSON itself), from the environment, or from the
//! metadata server of the machine, and say what to ask whom for a token.
//! Sources: RFC 7523; Google's "Using OAuth 2.0 for server to server applications"; AIP-4110.

use super::token::{TokenFault, TokenRequest};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use std::sync::Arc;
use weir_core::config::env::Env;
use weir_core::{ExposeSecret, SecretString};

/// What Vertex AI wants a token to be good for.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
const TOKEN_URI: &str = "https://oauth2.googleapis.com/token";
/// What keys of service accounts name: the usual one, and the one of old keys.
static GOOGLES: [&str; 2] = [TOKEN_URI, "https://accounts.google.com/o/oauth2/token"];
const GRANT_JWT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// Google accepts assertions for an hour at most.
const ASSERTION_SECONDS: i64 = 3600;
const METADATA_HOST: &str = "metadata.google.internal";
const METADATA_PATH: &str = "/computeMetadata/v1/instance/service-accounts/default/token";

/// Variables that may name credentials, first set wins: LiteLLM's, then Google's own.
static VARIABLES: &[&str] = &["VERTEXAI_CREDENTIALS", "VERTEX_CREDENTIALS", "GOOGLE_APPLICATION_CREDENTIALS"];

/// Where gcloud keeps a login, below its own folder or the one of the user.
const LOGIN: &str = "application_default_credentials.json";

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
    /// Over the key: whoever only knows its id shares no token.
    digest: [u8; 32],
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
    ) -> Result<Self, TokenFault> {
        let from_env = || VARIABLES.iter().find_map(|name| env.filled(name));
        let Some(found) = setting.filter(|s| !s.trim().is_empty()).or_else(from_env) else {
            return match login(env).and_then(|path| read(&path).ok()) {
                Some(json) => Self::parse(&json),
                None => Ok(Self::of_machine(env)),
            };
        };
        if found.trim_start().starts_with('{') {
            return Self::parse(found);
        }
        let json =
            read(found).map_err(|e| TokenFault::File { path: found.to_owned(), why: e.to_string() })?;
        Self::parse(&json)
    }

    fn of_machine(env: &Env) -> Self {
        let host = env.filled("GCE_METADATA_HOST").unwrap_or(METADATA_HOST);
        Credentials::Metadata { host: host.to_owned() }
    }

    /// The JSON of a service account or of gcloud's login.
    pub fn parse(json: &str) -> Result<Self, TokenFault> {
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
    pub fn request(&self, now: i64) -> Result<TokenRequest, TokenFault> {
        match self {
            Credentials::ServiceAccount(account) => account.request(now),
            Credentials::User(user) => Ok(user.request()),
            Credentials::Metadata { host } => Ok(TokenRequest {
                url: format!("http://{host}{METADATA_PATH}"),
                form: Vec::new(),
                headers: vec![("metadata-flavor", "Google".into())],
            }),
        }
    }

    /// Whether it was written down whole, and is shown to Google only.
    pub(super) fn is_own(&self) -> bool {
        match self {
            Credentials::ServiceAccount(account) => GOOGLES.contains(&account.token_uri.as_str()),
            Credentials::User(user) => GOOGLES.contains(&user.token_uri.as_str()),
            Credentials::Metadata { .. } => false,
        }
    }

    /// All that makes one source differ from another. The refresh token tells logins of one program apart.
    pub(super) fn identity(&self) -> Vec<String> {
        let (kind, parts) = match self {
            Credentials::ServiceAccount(account) => {
                let key = format!("{:?}", account.digest);
                ("account", [account.email.clone(), key, account.token_uri.clone()])
            }
            Credentials::User(user) => {
                let token = user.refresh_token.expose_secret().to_owned();
                ("user", [user.client_id.clone(), token, user.token_uri.clone()])
            }
            Credentials::Metadata { host } => ("machine", [host.clone(), String::new(), String::new()]),
        };
        [kind.to_owned()].into_iter().chain(parts).collect()
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

/// The file of `gcloud auth application-default login`.
fn login(env: &Env) -> Option<String> {
    let own = env.filled("CLOUDSDK_CONFIG").map(|folder| format!("{folder}/{LOGIN}"));
    own.or_else(|| Some(format!("{}/.config/gcloud/{LOGIN}", env.filled("HOME")?)))
}

fn malformed(why: impl Into<String>) -> TokenFault {
    TokenFault::Malformed(why.into())
}

fn need<T>(value: Option<T>, name: &str) -> Result<T, TokenFault> {
    value.ok_or_else(|| malformed(format!("{name} is missing")))
}

// --- ServiceAccount and User ---

impl ServiceAccount {
    fn read(file: File) -> Result<Self, TokenFault> {
        let pem = need(file.private_key, "private_key")?;
        let key = EncodingKey::from_rsa_pem(pem.as_bytes())
            .map_err(|_| malformed("private_key is no RSA key in PEM"))?;
        Ok(Self {
            email: need(file.client_email, "client_email")?,
            key,
            digest: Sha256::digest(pem.as_bytes()).into(),
            key_id: file.private_key_id,
            token_uri: file.token_uri.unwrap_or_else(|| TOKEN_URI.to_owned()),
            project: file.project_id,
        })
    }

    fn request(&self, now: i64) -> Result<TokenRequest, TokenFault> {
        let claims = Claims {
            iss: &self.email,
            scope: SCOPE,
            aud: &self.token_uri,
            iat: now,
            exp: now.saturating_add(ASSERTION_SECONDS),
        };
        let header = Header { kid: self.key_id.clone(), ..Header::new(Algorithm::RS256) };
        let assertion =
            jsonwebtoken::encode(&header, &claims, &self.key).map_err(|e| TokenFault::Sign(e.to_string()))?;
        let form = vec![("grant_type", GRANT_JWT.into()), ("assertion", assertion.into())];
        Ok(TokenRequest { url: self.token_uri.clone(), form, headers: Vec::new() })
    }
}

impl User {
    fn read(file: File) -> Result<Self, TokenFault> {
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

#[cfg(test)]
pub(crate) mod tests;
