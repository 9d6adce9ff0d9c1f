//! Microsoft Entra's tokens for Azure: an application with a secret or a federated token, or the identity that Azure
//! gives a machine or app. Sources: Microsoft identity platform, client credentials flow; managed identities REST API.

use super::token::{TokenFault, TokenRequest, encoded};
use std::fmt;
use std::time::Duration;
use weir_core::config::Params;
use weir_core::config::env::Env;
use weir_core::{ExposeSecret, SecretString};

/// What a token is good for where nobody says.
const SCOPE: &str = "https://cognitiveservices.azure.com/.default";
const AUTHORITY: &str = "https://login.microsoftonline.com";
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// The metadata service of a virtual machine.
const MACHINE: &str = "http://169.254.169.254";
/// A federated token is some kilobytes of text.
const LARGEST_TOKEN: u64 = 64 * 1024;
/// How long a file on a hanging mount may take.
const READ: Duration = Duration::from_secs(5);

/// Who we are towards Azure. Debug shows no secret.
#[derive(Clone)]
pub enum Entra {
    /// An application registered in a tenant.
    Application { url: String, client: String, proof: Proof, scope: String },
    /// App Service, Functions, Container Apps.
    App { endpoint: String, header: SecretString, client: Option<String>, resource: String },
    /// A virtual machine.
    Machine { host: String, client: Option<String>, resource: String },
}

/// How an application proves itself.
#[derive(Clone)]
pub enum Proof {
    Secret(SecretString),
    /// A token of another identity provider, in a file that is renewed from outside (AKS workload identity).
    File(String),
    Token(SecretString),
}

/// Whom to ask, and for what.
struct Asked {
    authority: String,
    scope: String,
}

// --- Entra ---

impl Entra {
    /// What a deployment says itself: an application with its secret.
    ///
    /// # Errors
    /// A tenant that cannot stand in an address.
    pub fn of_config(params: &Params, env: &Env) -> Result<Option<Self>, TokenFault> {
        let (Some(tenant), Some(client), Some(secret)) =
            (&params.tenant_id, &params.client_id, &params.client_secret)
        else {
            return Ok(None);
        };
        let asked = Asked::of(params, env);
        Self::application(&asked, tenant, client, Proof::Secret(secret.clone())).map(Some)
    }

    /// What the environment offers: an application, a workload's identity, or the machine's own where that is wanted.
    ///
    /// # Errors
    /// A tenant that cannot stand in an address.
    pub fn of_env(params: &Params, env: &Env) -> Result<Option<Self>, TokenFault> {
        let asked = Asked::of(params, env);
        let tenant = params.tenant_id.as_deref().or_else(|| env.filled("AZURE_TENANT_ID"));
        let client = params.client_id.as_deref().or_else(|| env.filled("AZURE_CLIENT_ID"));
        let secret = env.filled("AZURE_CLIENT_SECRET").map(|secret| Proof::Secret(secret.into()));
        let file = || env.filled("AZURE_FEDERATED_TOKEN_FILE").map(|path| Proof::File(path.to_owned()));
        if let (Some(tenant), Some(client), Some(proof)) = (tenant, client, secret.or_else(file)) {
            return Self::application(&asked, tenant, client, proof).map(Some);
        }
        Ok(asked.of_machine(client.map(str::to_owned), params.entra.ambient, env))
    }

    /// LiteLLM's `oidc/…` in place of a token: where to find one of another identity provider.
    ///
    /// # Errors
    /// A place that nobody knows, or no application to be.
    pub fn of_oidc(place: &str, params: &Params, env: &Env) -> Result<Self, TokenFault> {
        let var = |name: &str| {
            env.filled(name).map(str::to_owned).ok_or_else(|| malformed(format!("{name} is not set")))
        };
        let proof = match place.split_once('/') {
            Some(("file", path)) => Proof::File(path.to_owned()),
            Some(("env", name)) => Proof::Token(var(name)?.into()),
            Some(("env_path", name)) => Proof::File(var(name)?),
            Some(("azure", _)) => Proof::File(var("AZURE_FEDERATED_TOKEN_FILE")?),
            _ => return Err(malformed("azure_ad_token: use oidc/file/PATH, oidc/env/NAME or oidc/azure/")),
        };
        let said = |own: &Option<String>, name| own.clone().map_or_else(|| var(name), Ok);
        let tenant = said(&params.tenant_id, "AZURE_TENANT_ID")?;
        let client = said(&params.client_id, "AZURE_CLIENT_ID")?;
        Self::application(&Asked::of(params, env), &tenant, &client, proof)
    }

    fn application(asked: &Asked, tenant: &str, client: &str, proof: Proof) -> Result<Self, TokenFault> {
        if !tenant.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_')) {
            return Err(malformed("tenant_id must be an id or a domain"));
        }
        let url = format!("{}/{tenant}/oauth2/v2.0/token", asked.authority.trim_end_matches('/'));
        Ok(Entra::Application { url, client: client.to_owned(), proof, scope: asked.scope.clone() })
    }

    /// What to send for a token. Reads the federated token, which changes over time.
    pub(super) async fn request(&self) -> Result<TokenRequest, TokenFault> {
        match self {
            Entra::Application { url, client, proof, scope } => {
                let mut form = vec![
                    ("grant_type", "client_credentials".into()),
                    ("client_id", client.clone().into()),
                    ("scope", scope.clone().into()),
                ];
                form.extend(proof.form().await?);
                Ok(TokenRequest { url: url.clone(), form, headers: Vec::new() })
            }
            Entra::App { endpoint, header, client, resource } => {
                let mark = if endpoint.contains('?') { '&' } else { '?' };
                let query = query("2019-08-01", resource, client.as_deref());
                let headers = vec![("x-identity-header", header.clone())];
                Ok(TokenRequest { url: format!("{endpoint}{mark}{query}"), form: Vec::new(), headers })
            }
            Entra::Machine { host, client, resource } => {
                let query = query("2018-02-01", resource, client.as_deref());
                let url = format!("{host}/metadata/identity/oauth2/token?{query}");
                Ok(TokenRequest { url, form: Vec::new(), headers: vec![("metadata", "true".into())] })
            }
        }
    }

    /// Whether it is an application with a secret that was written down for it.
    pub(super) fn is_own(&self) -> bool {
        matches!(self, Entra::Application { proof: Proof::Secret(_), .. })
    }

    /// All that makes one source differ from another.
    pub(super) fn identity(&self) -> Vec<String> {
        let mut parts = vec!["entra".to_owned()];
        match self {
            Entra::Application { url, client, proof, scope } => {
                parts.extend([url.clone(), client.clone(), scope.clone()]);
                parts.extend(proof.identity());
            }
            Entra::App { endpoint: place, client, resource, .. }
            | Entra::Machine { host: place, client, resource } => {
                parts.extend([place.clone(), client.clone().unwrap_or_default(), resource.clone()]);
            }
        }
        parts
    }
}

impl fmt::Debug for Entra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Entra::Application { url, client, .. } => write!(f, "Application({client} at {url})"),
            Entra::App { endpoint, .. } => write!(f, "App({endpoint})"),
            Entra::Machine { host, .. } => write!(f, "Machine({host})"),
        }
    }
}

fn malformed(why: impl Into<String>) -> TokenFault {
    TokenFault::Malformed(why.into())
}

fn query(version: &str, resource: &str, client: Option<&str>) -> String {
    let client = client.map(|id| format!("&client_id={}", encoded(id))).unwrap_or_default();
    format!("api-version={version}&resource={}{client}", encoded(resource))
}

// --- Asked and Proof ---

impl Asked {
    fn of(params: &Params, env: &Env) -> Self {
        let own = |own: &Option<String>, name: &str, default: &str| {
            own.as_deref().or_else(|| env.filled(name)).unwrap_or(default).to_owned()
        };
        Self {
            authority: own(&params.entra.authority_host, "AZURE_AUTHORITY_HOST", AUTHORITY),
            scope: own(&params.entra.scope, "AZURE_SCOPE", SCOPE),
        }
    }

    fn of_machine(&self, client: Option<String>, wanted: bool, env: &Env) -> Option<Entra> {
        let resource = self.scope.trim_end_matches("/.default").to_owned();
        if let (Some(endpoint), Some(header)) =
            (env.filled("IDENTITY_ENDPOINT"), env.filled("IDENTITY_HEADER"))
        {
            return Some(Entra::App {
                endpoint: endpoint.to_owned(),
                header: header.into(),
                client,
                resource,
            });
        }
        let host = env.filled("AZURE_POD_IDENTITY_AUTHORITY_HOST").unwrap_or(MACHINE);
        let host = host.trim_end_matches('/').to_owned();
        wanted.then_some(Entra::Machine { host, client, resource })
    }
}

impl Proof {
    async fn form(&self) -> Result<Vec<(&'static str, SecretString)>, TokenFault> {
        let token = match self {
            Proof::Secret(secret) => return Ok(vec![("client_secret", secret.clone())]),
            Proof::File(path) => read(path).await?,
            Proof::Token(token) => token.clone(),
        };
        Ok(vec![("client_assertion_type", ASSERTION.into()), ("client_assertion", token)])
    }

    fn identity(&self) -> [String; 2] {
        match self {
            Proof::Secret(secret) => ["secret".into(), secret.expose_secret().to_owned()],
            Proof::File(path) => ["file".into(), path.clone()],
            Proof::Token(token) => ["token".into(), token.expose_secret().to_owned()],
        }
    }
}

async fn read(path: &str) -> Result<SecretString, TokenFault> {
    use tokio::io::AsyncReadExt as _;
    let fault = |why: String| TokenFault::File { path: path.to_owned(), why };
    let reading = async {
        let mut text = String::new();
        let file = tokio::fs::File::open(path).await?;
        file.take(LARGEST_TOKEN).read_to_string(&mut text).await.map(|_| text)
    };
    let read = tokio::time::timeout(READ, reading).await;
    let text = read.map_err(|_| fault("takes too long".into()))?.map_err(|e| fault(e.to_string()))?;
    Ok(text.trim().to_owned().into())
}
